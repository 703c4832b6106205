"""FraiseQL measured beside a hand-written application: ``python -m benchmarks``."""
