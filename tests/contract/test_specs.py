"""What is refused as a shape."""

from typing import Any

import pytest

from fraiseql.engine.result.implementation import Implementation
from fraiseql.schema.shape import (
    ABSTRACT,
    CONSTANT,
    ENUM,
    INT,
    JOINED,
    LIST,
    MAX_DEPTH,
    MAX_ELEMENTS,
    OBJECT,
    Node,
)


def fields(*entries: Any) -> Node:
    return (OBJECT, 1, entries)


A = (b"a", "a", "", (INT, 1))


def joined(index: Any) -> Node:
    return (JOINED, fields((index, "a", "", (INT, 1))))


BAD: list[Any] = [
    *[None, 1, "x", [], (), [INT, 1], (None,), (True, 1), (14, 1), (-1, 1), (10**30, 1), (b"1", 1)],
    *[(INT,), (INT, 2), (INT, -1), (INT, None), (INT, True), (INT, "1"), (INT, 1, 1)],
    *[(LIST, 1), (LIST, 1, None), (LIST, 1, (99, 1)), (LIST, 2, (INT, 1)), (LIST, (INT, 1))],
    *[(OBJECT, 1), (OBJECT, 1, None), (OBJECT, 1, [A]), (OBJECT, 1, A), (OBJECT, 5, (A,))],
    *[
        fields((b"a", "a", "")),
        fields(("a", "a", "", (INT, 1))),
        fields((b"a", b"a", "", (INT, 1))),
    ],
    *[
        fields((b"a", "a", None, (INT, 1))),
        fields((b"a", "a", "", INT)),
        fields(A, A),
        fields([*A]),
    ],
    *[fields((b"a", name, "", (INT, 1))) for name in ("", "1a", "a-b", "é", 'a"', "a b", "a\n")],
    *[fields((key, "a", "", (INT, 1))) for key in (b'"', b"\\", b"\n", b"\\u12", b'a":1,"b')],
    *[(ENUM, 1), (ENUM, 1, None), (ENUM, 1, (b"1",)), (ENUM, 1, ((b"1",),)), (ENUM, 3, ())],
    *[(ENUM, 1, ((token, b"A"),)) for token in (b"", b"x", b"null", b"{}", b"[]", b"1 ", b" 1")],
    *[(ENUM, 1, ((b"1", name),)) for name in (b"", b"1", b"a b", "é".encode(), b'"', "A")],
    (ENUM, 1, ((b"1", b"A"), (b"2", b"B"), (b"1", b"C"))),
    *[
        (ABSTRACT, 1, b"t"),
        (ABSTRACT, 1, b"t", None),
        (ABSTRACT, 1, "t", ()),
        (ABSTRACT, 1, b'"', ()),
    ],
    *[
        (ABSTRACT, 1, b"t", ((b"x",),)),
        (ABSTRACT, 1, b"t", ((b"\n", ()),)),
        (ABSTRACT, 9, b"t", ()),
    ],
    *[(ABSTRACT, 1, b"t", ((b"x", ()), (b"x", ()))), (ABSTRACT, 1, b"t", ((b"x", (A, A)),))],
    *[(JOINED,), (JOINED, ()), (JOINED, None), (JOINED, (INT, 1)), (JOINED, joined(1))],
    *[(JOINED, [OBJECT, 1, ()]), (JOINED, 1, fields(A)), (JOINED, (OBJECT, 2, ()))],
    *[joined(0), joined(-1), joined(MAX_ELEMENTS + 1), joined(10**30), joined(True), joined(None)],
    *[joined(1)[1], (JOINED, fields((1, "a", "", joined(1)[1]))), joined(b"\n"), joined("a")],
    *[(CONSTANT,), (CONSTANT, "1"), (CONSTANT, b""), (CONSTANT, b"x"), (CONSTANT, 1, b"1")],
]


@pytest.mark.parametrize("node", BAD, ids=repr)
def test_what_is_no_node_is_refused(projector: Implementation, node: Any) -> None:
    with pytest.raises(ValueError):
        projector.shape(node)


def test_nodes_nest_to_a_limit(projector: Implementation) -> None:
    def nested(depth: int) -> Node:
        return (INT, 1) if depth == 1 else (LIST, 1, nested(depth - 1))

    row = b"[" * (MAX_DEPTH - 1) + b"1" + b"]" * (MAX_DEPTH - 1)

    assert projector.shape(nested(MAX_DEPTH)).project_row(row) == (row, ())
    with pytest.raises(ValueError, match="deep"):
        projector.shape(nested(MAX_DEPTH + 1))


def test_joined_nodes_nest_to_a_limit(projector: Implementation) -> None:
    def nested(depth: int) -> Node:
        return (JOINED, (OBJECT, 1, ((1, "a", "", nested(depth - 2)),) if depth > 2 else ()))

    assert projector.shape(nested(MAX_DEPTH)).project_row(b"null") == (b"null", ())
    with pytest.raises(ValueError, match="deep"):
        projector.shape(nested(MAX_DEPTH + 1))
    with pytest.raises(ValueError, match="deep"):
        projector.shape(nested(MAX_DEPTH + 2))


def test_one_type_may_have_many_fields_and_an_enum_many_tokens(projector: Implementation) -> None:
    names = ((b'"%d"' % number, b"V%d" % number) for number in range(500))
    tokens: Node = (ENUM, 0, tuple(names))
    entries = tuple((b"k%d" % n, f"f{n}", "", tokens) for n in range(500))
    row = b"{" + b",".join(b'"k%d":"%d"' % (n, n) for n in reversed(range(500))) + b"}"

    expected = b"{" + b",".join(b'"f%d":"V%d"' % (n, n) for n in range(500)) + b"}"
    assert projector.shape((OBJECT, 0, entries)).project_row(row) == (expected, ())
