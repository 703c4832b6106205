"""The FraiseQL side of the benchmark: a small Django project over the projections."""
