"""
A shop: the schema the engine's tests run on.

Nothing here is called as in the examples; every way to bind a view occurs once.
"""
