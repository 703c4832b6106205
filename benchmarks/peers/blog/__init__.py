"""Django models over the benchmark's tables, for the peers that want models."""
