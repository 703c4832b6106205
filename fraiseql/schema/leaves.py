"""
The kinds of leaves, as a Shape numbers them.

The scalar table says how each scalar goes out, and ``schema`` may not import ``engine``: these are the
first numbers of ``engine/result/shape.py``, and a test holds the two together.
"""

from typing import Final

STRING: Final = 0
INT: Final = 1
FLOAT: Final = 2
BOOLEAN: Final = 3
DIGITS: Final = 4
ID: Final = 5
DATETIME: Final = 6
TEXT: Final = 7
JSON: Final = 8
ENUM: Final = 9
