"""
The words a Shape is written in: node kinds, error reasons and limits.

A Shape says what of a JSON document goes out, and how. It is nested tuples of int, str and bytes,
so that it prints, compares and crosses into the accelerator without conversion. ``reference.py`` is
its meaning in Python, ``accelerator/`` its fast twin; ``tests/contract`` holds both to this page.

Nodes (``nullable`` is 0 or 1)::

    (STRING, nullable)    string: as is; number: its digits in quotes; true, false: "true", "false"
    (INT, nullable)       number whose exact value is an integer of 32 bits: its digits; 1.0, 10e-1
                          and -0 are written 1, 1 and 0
    (FLOAT, nullable)     number that is finite as an IEEE double: its digits untouched
    (BOOLEAN, nullable)   true, false
    (DIGITS, nullable)    number: its digits in quotes; string: as is
    (ID, nullable)        string: as is; number without fraction and exponent: its digits in quotes
    (DATETIME, nullable)  string YYYY-MM-DD, T or space, HH:MM:SS, perhaps a fraction, perhaps Z,
                          +HH, +HHMM or +HH:MM: as RFC 3339 with T and +HH:MM (nothing: +00:00)
    (TEXT, nullable)      string: as is
    (JSON, nullable)      any value: its bytes
    (ENUM, nullable, ((token, name), ...))
                          string, number, true or false whose bytes equal token (b'"draft"', b"1"):
                          name in quotes
    (LIST, nullable, item)
                          array: each item by the node ``item``
    (OBJECT, nullable, entries)
                          object: the entries, in their order
    (ABSTRACT, nullable, key, ((value, entries), ...))
                          object whose string under key equals value: the entries
    (CONSTANT, json)      json as is, whatever the document holds
    (JOINED, node)        array of a document and values found for it elsewhere: the OBJECT or ABSTRACT
                          ``node`` of the document, whose entries may also ask for those values

    entries := ((key, response_key, label, node), ...)

``key`` and ``value`` are the bytes between a string's quotes as the document spells them: escapes
are not decoded, so b"caf\\u00e9" does not find a key that is spelled without the escape. One key
may stand in several entries (aliases); the key of a CONSTANT is not looked at. ``response_key`` is
a GraphQL name; ``label`` is for messages ("Post.title"). If a document repeats a key, the last one
counts. Directly under a JOINED, ``key`` may be an int from 1: the array's item of that index, null if
there is none. Strings and numbers that go out "as is" keep every byte: escapes, digits, exponents. What
PostgreSQL prints that RFC 3339 cannot say is WRONG_TYPE under DATETIME: infinity, BC, years past
9999, offsets with seconds, dates without time.

``Shape(node)`` raises ValueError unless the nodes are as above, response keys are distinct within
their entries, tokens and values are distinct, keys and values are legal inside JSON quotes,
response keys and enum names are GraphQL names, constants are JSON, indexes are at most MAX_ELEMENTS,
and nodes nest at most MAX_DEPTH deep.

Null and errors: JSON null, a missing key and a row that is None are null. Null at a nullable node
goes out as ``null``; at a non-null node it is the error NULL. A value the node does not take is
WRONG_TYPE (also an object expected and something else found); an ABSTRACT object whose
discriminator is missing, no string or unknown is UNKNOWN_TYPE. A JOINED array whose document is null is
null itself; an empty one is WRONG_TYPE, as is what is no array. An error at a nullable node makes
that node ``null``; at a non-null node it bubbles to the nearest nullable one above it, list items
included, and what was still to be visited on the way is not. If it leaves the root the result is
``null``.

``Error`` is (path, label, reason): path from the root, list indexes and response keys; label of the
nearest entry, "" outside any. They come in the order of the walk: entries in their order, depth
first. The first MAX_ERRORS of a call are kept.

Malformed rows: each row must be one JSON text (RFC 8259), in the parts a Shape does not ask for
too, however deeply nested; bytes from 0x80 inside strings are not looked at. Otherwise
``MalformedRow(row, offset)`` is raised, whatever the Shape: ``offset`` is the first byte with which
the row stops being the beginning of any JSON text, or the row's length if it ends too early. Rows
are read one after the other; those after a row that made the whole list ``null`` are not.
"""

from typing import Any, Final

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
LIST: Final = 10
OBJECT: Final = 11
ABSTRACT: Final = 12
CONSTANT: Final = 13
JOINED: Final = 14

NULL: Final = 0
WRONG_TYPE: Final = 1
UNKNOWN_TYPE: Final = 2

MAX_ERRORS: Final = 100
MAX_DEPTH: Final = 128
MAX_ELEMENTS: Final = 65_535

# Raised whenever this page changes its meaning; an accelerator that has another one is not used.
CONTRACT_VERSION: Final = 3

Node = tuple[Any, ...]
Path = tuple[str | int, ...]
Error = tuple[Path, str, int]
