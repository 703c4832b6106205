"""
How input becomes Python values: the ``parse`` and ``encode`` functions of the scalar table.

A ``parse`` function takes what JSON can hold, or the Python value itself (defaults, ``find(where=...)``),
and returns the Python value. What it refuses is a ``ValueError``, never another exception, and the
message does not repeat the value: variables hold passwords. An ``encode`` function returns PostgreSQL's
text format.
"""
