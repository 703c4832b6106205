"""Nulls, errors and how far they bubble."""

from typing import Any

import pytest

from fraiseql.engine.result.implementation import Implementation
from fraiseql.schema.shape import (
    ABSTRACT,
    CONSTANT,
    INT,
    LIST,
    MAX_ERRORS,
    NULL,
    OBJECT,
    STRING,
    UNKNOWN_TYPE,
    WRONG_TYPE,
    Error,
    Node,
)


def entry(name: str, node: Node, key: str | None = None) -> tuple[Any, ...]:
    return ((key or name).encode(), name, f"Post.{name}", node)


def nullable(*entries: tuple[Any, ...]) -> Node:
    return (OBJECT, 1, entries)


def required(*entries: tuple[Any, ...]) -> Node:
    return (OBJECT, 0, entries)


N = entry("n", (INT, 0))
M = entry("m", (INT, 1))
KINDS: Node = (ABSTRACT, 1, b"type", ((b"a", (N,)),))

CASES: list[tuple[str, Node, bytes, bytes, tuple[Error, ...]]] = [
    (
        "null where something must be",
        nullable(N),
        b'{"n": null}',
        b"null",
        ((("n",), "Post.n", NULL),),
    ),
    ("missing where something must be", nullable(N), b"{}", b"null", ((("n",), "Post.n", NULL),)),
    (
        "a wrong type where null may be",
        nullable(M),
        b'{"m": "x"}',
        b'{"m":null}',
        ((("m",), "Post.m", WRONG_TYPE),),
    ),
    (
        "a wrong type where something must be",
        nullable(M, N),
        b'{"m": 1, "n": "x"}',
        b"null",
        ((("n",), "Post.n", WRONG_TYPE),),
    ),
    ("no object", nullable(M), b"[]", b"null", (((), "", WRONG_TYPE),)),
    ("no object at a required root", required(M), b"1", b"null", (((), "", WRONG_TYPE),)),
    ("null at a required root", required(M), b"null", b"null", (((), "", NULL),)),
    ("no list", (LIST, 1, (INT, 1)), b"{}", b"null", (((), "", WRONG_TYPE),)),
    (
        "to the nearest nullable object",
        nullable(M, entry("a", nullable(entry("b", required(entry("c", required(N))))))),
        b'{"m": 1, "a": {"b": {"c": {"n": null}}}}',
        b'{"m":1,"a":null}',
        ((("a", "b", "c", "n"), "Post.n", NULL),),
    ),
    (
        "to a nullable list item",
        nullable(entry("a", (LIST, 0, nullable(N)))),
        b'{"a": [{"n": 1}, {"n": null}, null, {"n": 2}]}',
        b'{"a":[{"n":1},null,null,{"n":2}]}',
        ((("a", 1, "n"), "Post.n", NULL),),
    ),
    (
        "through a required list item",
        nullable(M, entry("a", (LIST, 1, required(N)))),
        b'{"m": 1, "a": [{"n": 1}, {"n": "x"}, {"n": "y"}]}',
        b'{"m":1,"a":null}',
        ((("a", 1, "n"), "Post.n", WRONG_TYPE),),
    ),
    (
        "a null list item",
        nullable(entry("a", (LIST, 1, (INT, 0)))),
        b'{"a": [1, null, null]}',
        b'{"a":null}',
        ((("a", 1), "Post.a", NULL),),
    ),
    (
        "lists of lists",
        nullable(entry("a", (LIST, 0, (LIST, 1, (INT, 0))))),
        b'{"a": [[1], [2, "x", "y"], [3]]}',
        b'{"a":[[1],null,[3]]}',
        ((("a", 1, 1), "Post.a", WRONG_TYPE),),
    ),
    (
        "the first of an object stops it, in selection order",
        nullable(entry("b", (INT, 0)), entry("a", (INT, 0))),
        b'{"a": null, "b": null}',
        b"null",
        ((("b",), "Post.b", NULL),),
    ),
    (
        "those before it stay recorded",
        nullable(M, entry("a", nullable(N)), entry("b", (INT, 0)), entry("c", (INT, 1))),
        b'{"c": "x", "b": "x", "a": {}, "m": "x"}',
        b"null",
        (
            (("m",), "Post.m", WRONG_TYPE),
            (("a", "n"), "Post.n", NULL),
            (("b",), "Post.b", WRONG_TYPE),
        ),
    ),
    (
        "in selection order, not in the document's",
        nullable(entry("b", (INT, 1)), entry("a", (INT, 1))),
        b'{"a": "x", "b": "y"}',
        b'{"b":null,"a":null}',
        ((("b",), "Post.b", WRONG_TYPE), (("a",), "Post.a", WRONG_TYPE)),
    ),
    (
        "each alias by itself",
        nullable(
            entry("a", (INT, 1), "n"), entry("b", (STRING, 1), "n"), entry("c", (INT, 1), "n")
        ),
        b'{"n": "x"}',
        b'{"a":null,"b":"x","c":null}',
        ((("a",), "Post.a", WRONG_TYPE), (("c",), "Post.c", WRONG_TYPE)),
    ),
    (
        "no error hides behind a repeated key",
        nullable(M),
        b'{"m": "x", "m": 1}',
        b'{"m":1}',
        (),
    ),
    (
        "a repeated key may be wrong at last",
        nullable(M),
        b'{"m": 1, "m": "x"}',
        b'{"m":null}',
        ((("m",), "Post.m", WRONG_TYPE),),
    ),
    ("no discriminator", KINDS, b'{"n": 1}', b"null", (((), "", UNKNOWN_TYPE),)),
    ("null discriminator", KINDS, b'{"type": null}', b"null", (((), "", UNKNOWN_TYPE),)),
    ("no string discriminator", KINDS, b'{"type": 1}', b"null", (((), "", UNKNOWN_TYPE),)),
    ("unknown discriminator", KINDS, b'{"type": "b", "n": 1}', b"null", (((), "", UNKNOWN_TYPE),)),
    (
        "the last discriminator counts",
        KINDS,
        b'{"type": "a", "n": 1, "type": "b"}',
        b"null",
        (((), "", UNKNOWN_TYPE),),
    ),
    ("no object for a type", KINDS, b'"a"', b"null", (((), "", WRONG_TYPE),)),
    ("inside a type", KINDS, b'{"type": "a"}', b"null", ((("n",), "Post.n", NULL),)),
    (
        "constants are never null",
        nullable(entry("a", (CONSTANT, b"1")), entry("b", (LIST, 1, (CONSTANT, b"2")))),
        b'{"a": null, "b": null}',
        b'{"a":1,"b":null}',
        (),
    ),
]


@pytest.mark.parametrize(
    ("node", "row", "expected", "errors"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_bubbling(
    projector: Implementation, node: Node, row: bytes, expected: bytes, errors: tuple[Error, ...]
) -> None:
    assert projector.shape(node).project_row(row) == (expected, errors)


def test_row_indexes_begin_the_paths(projector: Implementation) -> None:
    shape = projector.shape((LIST, 0, nullable(entry("a", (LIST, 1, (INT, 0))))))

    assert shape.project_rows([b'{"a": [1]}', b'{"a": [1, "x"]}', b"3"]) == (
        b'[{"a":[1]},{"a":null},null]',
        (((1, "a", 1), "Post.a", WRONG_TYPE), ((2,), "", WRONG_TYPE)),
    )


@pytest.mark.parametrize("list_is_nullable", [0, 1])
def test_a_row_that_bubbles_makes_the_whole_list_null(
    projector: Implementation, list_is_nullable: int
) -> None:
    shape = projector.shape((LIST, list_is_nullable, required(N)))

    answer = shape.project_rows([b'{"n": 1}', b'{"n": null}', None, b"not read"])
    assert answer == (b"null", (((1, "n"), "Post.n", NULL),))
    assert shape.project_rows([None]) == (b"null", (((0,), "", NULL),))


def test_a_row_that_is_none_is_null(projector: Implementation) -> None:
    assert projector.shape(nullable(N)).project_row(None) == (b"null", ())
    assert projector.shape(required(N)).project_row(None) == (b"null", (((), "", NULL),))


def test_errors_beyond_the_limit_are_not_kept_and_projection_goes_on(
    projector: Implementation,
) -> None:
    shape = projector.shape((LIST, 0, nullable(M)))

    json, errors = shape.project_rows([b'{"m": "x"}'] * (MAX_ERRORS + 5) + [b'{"m": 1}'])

    assert json == b"[" + b'{"m":null},' * (MAX_ERRORS + 5) + b'{"m":1}]'
    assert errors == tuple(((row, "m"), "Post.m", WRONG_TYPE) for row in range(MAX_ERRORS))
