"""Rows that are not JSON."""

import pytest

from fraiseql.engine.result.implementation import Implementation
from fraiseql.schema.shape import INT, JOINED, JSON, LIST, OBJECT, STRING, TEXT, Node

FAULTS = [
    *[(b"", 0), (b" ", 1), (b"x", 0), (b"\x00", 0), (b"\xef\xbb\xbf1", 0), (b"NaN", 0)],
    *[(b"-", 1), (b"-x", 1), (b"01", 1), (b"-01", 2), (b"1.", 2), (b"1.e1", 2), (b".5", 0)],
    *[(b"1e", 2), (b"1e+", 3), (b"1e+x", 3), (b"1.5.2", 3), (b"1e5.2", 3), (b"+1", 0), (b"1 2", 2)],
    *[(b"tru", 3), (b"trux", 3), (b"falsy", 4), (b"nil", 1), (b"nullx", 4), (b"True", 0)],
    *[(b'"', 1), (b'"abc', 4), (b'"a"1', 3), (b'"a" "b"', 4), (b'"a\nb"', 2), (b'"\x1f"', 1)],
    *[(rb'"\x"', 2), (rb'"\u', 3), (rb'"\u12', 5), (rb'"\u12g4"', 5), (b'"\\', 2), (b'"\\\n"', 2)],
    *[(b"[", 1), (b"[1", 2), (b"[1,", 3), (b"[1,]", 3), (b"[,1]", 1), (b"[1 2]", 3), (b"[1}", 2)],
    *[(b"]", 0), (b"[]]", 2), (b"[[]", 3), (b"[1,,2]", 3), (b"{", 1), (b"}", 0), (b"{]", 1)],
    *[
        (b'{"a"', 4),
        (b'{"a":', 5),
        (b'{"a":1', 6),
        (b'{"a":1,', 7),
        (b'{"a":1,}', 7),
        (b"{1:2}", 1),
    ],
    *[(b'{"a" 1}', 5), (b'{"a":}', 5), (b'{"a":1 "b":2}', 7), (b'{"a":1]', 6), (b"{,}", 1)],
    *[(b'{"a":1,"b":2,"c"}', 16), (b'{"a":1,"b":2,3}', 13), (b'{"a\x01":1}', 3), (b'{"a":1}{}', 7)],
    *[(b'{"a":[{"b":[1,{"c":2]}]}', 20), (b'{"a" : [1 , {"b" : x}]}', 19), (b"{'a':1}", 1)],
    (b'"' + b"x" * 40 + b"\t" + b"x" * 40 + b'"', 41),
    (b'{"' + b"k" * 40 + b"\\q" + b'":1}', 43),
]

SHAPES: list[Node] = [
    (JSON, 1),
    (INT, 0),
    (TEXT, 1),
    (LIST, 1, (STRING, 0)),
    (OBJECT, 1, ((b"a", "a", "", (JSON, 1)), (b"b", "b", "", (INT, 1)))),
    (OBJECT, 1, ()),
    (JOINED, (OBJECT, 1, ((b"a", "a", "", (JSON, 1)), (1, "b", "", (INT, 1))))),
]


@pytest.mark.parametrize(("row", "offset"), FAULTS)
@pytest.mark.parametrize("node", SHAPES)
def test_the_fault_is_named_by_its_byte_whatever_is_asked_for(
    projector: Implementation, node: Node, row: bytes, offset: int
) -> None:
    with pytest.raises(projector.malformed_row) as caught:
        projector.shape(node).project_row(row)

    assert (caught.value.row, caught.value.offset) == (0, offset)
    assert caught.value.args == (0, offset)
    assert isinstance(caught.value, ValueError)


def test_the_fault_is_named_by_its_row(projector: Implementation) -> None:
    shape = projector.shape((LIST, 1, (OBJECT, 1, ((b"a", "a", "", (INT, 0)),))))

    with pytest.raises(projector.malformed_row) as caught:
        shape.project_rows([b'{"a": 1}', None, b'{"a": "x"}', b'{"a": 1, "b": [}', b"{"])

    assert caught.value.args == (3, 15)


@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"b":', b"}]")]
)
def test_depth_costs_no_stack(projector: Implementation, opening: bytes, closing: bytes) -> None:
    deep = opening * 100_000 + b"1" + closing * 100_000
    row = b'{"skipped": ' + deep + b', "raw": ' + deep + b', "n": 1}'
    entries = ((b"raw", "raw", "", (JSON, 0)), (b"n", "n", "", (INT, 0)))

    assert projector.shape((OBJECT, 0, entries)).project_row(row) == (
        b'{"raw":' + deep + b',"n":1}',
        (),
    )
    assert projector.shape((INT, 1)).project_row(deep)[0] == b"null"
    with pytest.raises(projector.malformed_row) as caught:
        projector.shape((JSON, 1)).project_row(deep[:-1])
    assert caught.value.args == (0, len(deep) - 1)


def test_long_flat_rows_are_no_trouble(projector: Implementation) -> None:
    numbers = b"[" + b", ".join(b"%d.5" % number for number in range(50_000)) + b"]"
    members = b"{" + b", ".join(b'"k%d": [%d]' % (n, n) for n in range(50_000)) + b"}"
    row = b'{"a": ' + numbers + b', "b": ' + members + b"}"
    entries = ((b"b", "b", "", (JSON, 0)), (b"a", "a", "", (LIST, 0, (JSON, 0))))

    json, errors = projector.shape((OBJECT, 0, entries)).project_row(row)

    assert json == b'{"b":' + members + b',"a":' + numbers.replace(b", ", b",") + b"}"
    assert errors == ()
