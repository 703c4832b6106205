"""What of objects and lists goes out, and in which order."""

from typing import Any

import pytest

from fraiseql.engine.result.implementation import Implementation
from fraiseql.schema.shape import (
    ABSTRACT,
    CONSTANT,
    ID,
    INT,
    JSON,
    LIST,
    OBJECT,
    STRING,
    Node,
)


def entry(name: str, node: Node, key: bytes | None = None) -> tuple[Any, ...]:
    """Return an entry whose document key is its name unless ``key`` says otherwise."""
    return (name.encode() if key is None else key, name, f"Post.{name}", node)


def post(*entries: tuple[Any, ...]) -> Node:
    return (OBJECT, 0, entries)


TYPENAME = entry("__typename", (CONSTANT, b'"Post"'), b"")
ID_ENTRY = entry("id", (ID, 0))
TITLE = entry("title", (STRING, 1))

SELECTIONS = [
    ("empty selection", post(), b'{"id": 1}', b"{}"),
    ("empty object", post(entry("a", (INT, 1))), b"{ }", b'{"a":null}'),
    ("document order", post(ID_ENTRY, TITLE), b'{"id":1,"title":"x"}', b'{"id":"1","title":"x"}'),
    (
        "selection order",
        post(TITLE, ID_ENTRY),
        b'{"id": 1, "title": "x"}',
        b'{"title":"x","id":"1"}',
    ),
    (
        "unwanted members are left out",
        post(ID_ENTRY),
        b'{"x": {"id": [{}]}, "id" : 1 , "y": "\\"id\\": 2", "z": [[1]]}',
        b'{"id":"1"}',
    ),
    (
        "constants stand where they are asked for",
        post(
            TYPENAME,
            ID_ENTRY,
            entry("t", (CONSTANT, b"1")),
            TITLE,
            entry("u", (CONSTANT, b"[2]")),
        ),
        b'{"title": "x", "id": 1}',
        b'{"__typename":"Post","id":"1","t":1,"title":"x","u":[2]}',
    ),
    (
        "only constants",
        post(TYPENAME, entry("u", (CONSTANT, b"{}"))),
        b'{"id": 1}',
        b'{"__typename":"Post","u":{}}',
    ),
    (
        "aliases of one key",
        post(entry("a", (INT, 0), b"n"), entry("b", (STRING, 0), b"n"), entry("c", (ID, 0), b"n")),
        b'{"n": 7}',
        b'{"a":7,"b":"7","c":"7"}',
    ),
    (
        "aliases apart from each other",
        post(entry("a", (INT, 0), b"n"), ID_ENTRY, entry("b", (STRING, 0), b"n")),
        b'{"n": 7, "id": 1}',
        b'{"a":7,"id":"1","b":"7"}',
    ),
    (
        "aliases with different selections",
        post(
            entry("short", post(ID_ENTRY), b"author"),
            TITLE,
            entry("long", post(TITLE, ID_ENTRY, TYPENAME), b"author"),
            entry("raw", (JSON, 0), b"author"),
        ),
        b'{"author": {"id": 1, "title": "x"}, "title": "y"}',
        (
            b'{"short":{"id":"1"},"title":"y",'
            b'"long":{"title":"x","id":"1","__typename":"Post"},"raw":{"id": 1, "title": "x"}}'
        ),
    ),
    (
        "a repeated key counts last",
        post(ID_ENTRY, TITLE),
        b'{"id": 1, "title": "x", "id": {"id": 2}, "id": 3}',
        b'{"id":"3","title":"x"}',
    ),
    (
        "keys are compared by their bytes",
        post(entry("a", (INT, 1), rb"caf\u00e9"), entry("b", (INT, 1), "café".encode())),
        '{"café": 1, "cafe": 2}'.encode(),
        b'{"a":null,"b":1}',
    ),
    (
        "keys that resemble each other",
        post(
            entry("a", (INT, 0), b"created_at"),
            entry("b", (INT, 0), b"created_by"),
            entry("c", (INT, 0), b"created_"),
            entry("d", (INT, 1), b""),
            entry("e", (INT, 1), b"x" * 50),
            entry("f", (INT, 1), b"x" * 49 + b"y"),
        ),
        b'{"created_by":2,"created_":3,"created_at":1,"created":4,"created_ba":5,"":6,"'
        + b"x" * 49
        + b'y":7}',
        b'{"a":1,"b":2,"c":3,"d":6,"e":null,"f":7}',
    ),
    (
        "nested objects out of order",
        post(
            TITLE,
            entry("author", post(TITLE, ID_ENTRY)),
            entry("tags", (LIST, 0, (STRING, 0))),
            ID_ENTRY,
        ),
        b'{"id":1,"tags":["a","b"],"author":{"id":2,"name":0,"title":"t"},"title":"x"}',
        b'{"title":"x","author":{"title":"t","id":"2"},"tags":["a","b"],"id":"1"}',
    ),
    (
        "nested objects out of order at every level",
        post(ID_ENTRY, entry("a", post(ID_ENTRY, entry("a", post(ID_ENTRY, TITLE))))),
        b'{"a":{"a":{"title":"3","id":3},"id":2},"id":1}',
        b'{"id":"1","a":{"id":"2","a":{"id":"3","title":"3"}}}',
    ),
    (
        "lists of objects",
        post(entry("comments", (LIST, 0, post(TYPENAME, entry("n", (INT, 0)))))),
        b'{"comments": [ {"n": 1} , {"x": 0, "n": 2} ]}',
        b'{"comments":[{"__typename":"Post","n":1},{"__typename":"Post","n":2}]}',
    ),
    ("empty list", post(entry("a", (LIST, 0, (INT, 0)))), b'{"a": [ ]}', b'{"a":[]}'),
    (
        "lists of lists",
        post(entry("a", (LIST, 0, (LIST, 1, (INT, 1))))),
        b'{"a": [[1, null], [], null]}',
        b'{"a":[[1,null],[],null]}',
    ),
    (
        "lists of constants",
        post(entry("a", (LIST, 0, (CONSTANT, b"0")))),
        b'{"a": [null, {"b": []}]}',
        b'{"a":[0,0]}',
    ),
    (
        "long response keys",
        post(entry("x" * 100, (INT, 0), b"n")),
        b'{"n": 1}',
        b'{"' + b"x" * 100 + b'":1}',
    ),
]

NODE: Node = (
    ABSTRACT,
    1,
    b"type",
    (
        (b"user", (entry("__typename", (CONSTANT, b'"User"')), entry("name", (STRING, 0)))),
        (b"bot", (entry("version", (INT, 0)), entry("kind", (STRING, 0), b"type"))),
    ),
)


@pytest.mark.parametrize(
    ("node", "row", "expected"),
    [case[1:] for case in SELECTIONS],
    ids=[case[0] for case in SELECTIONS],
)
def test_selection(projector: Implementation, node: Node, row: bytes, expected: bytes) -> None:
    assert projector.shape(node).project_row(row) == (expected, ())
    assert projector.shape((LIST, 0, node)).project_rows([row, row]) == (
        b"[" + expected + b"," + expected + b"]",
        (),
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b'{"type": "user", "name": "x"}', b'{"__typename":"User","name":"x"}'),
        (b'{"name": "x", "type" : "user"}', b'{"__typename":"User","name":"x"}'),
        (b'{"version": 2, "type": "bot"}', b'{"version":2,"kind":"bot"}'),
        (b'{"type": "bot", "version": 2}', b'{"version":2,"kind":"bot"}'),
        (b'{"type": "bot", "name": "x", "type": "user"}', b'{"__typename":"User","name":"x"}'),
        (b'{"type": "user", "version": 1, "type": "bot"}', b'{"version":1,"kind":"bot"}'),
        (b"null", b"null"),
    ],
)
def test_the_discriminator_picks_the_entries(
    projector: Implementation, row: bytes, expected: bytes
) -> None:
    assert projector.shape(NODE).project_row(row) == (expected, ())


def test_rows_become_one_array(projector: Implementation) -> None:
    shape = projector.shape((LIST, 0, (OBJECT, 1, (entry("n", (INT, 0)),))))

    assert shape.project_rows([]) == (b"[]", ())
    assert shape.project_rows([None]) == (b"[null]", ())
    assert shape.project_rows((b'{"n": 1}', None, b" null ", b'{"n": 2}')) == (
        b'[{"n":1},null,null,{"n":2}]',
        (),
    )


def test_the_answer_does_not_depend_on_the_rows_before(projector: Implementation) -> None:
    node = post(TITLE, entry("a", (LIST, 1, post(ID_ENTRY, TITLE))), ID_ENTRY)
    shape = projector.shape((LIST, 0, node))
    rows = [
        b'{"id": 1, "title": "x", "a": [{"id": 1, "title": "y"}, {"title": "y", "id": 1}]}',
        b'{"title": "x", "id": 1}',
        b'{"a": [{"x": 1, "id": 2}, {"id": 3}], "id": 1}',
        b'{"id":1,"a":[],"title":"x"}',
        b'{"x": 1, "y": 2, "id": 1, "title": "x", "a": [{"id": 1}]}',
    ]
    single = projector.shape(node)
    expected = [single.project_row(row)[0] for row in rows * 2]

    assert shape.project_rows(rows * 2) == (b"[" + b",".join(expected) + b"]", ())


def test_a_shape_whose_root_is_no_list_takes_no_rows(projector: Implementation) -> None:
    with pytest.raises(ValueError, match="LIST"):
        projector.shape((INT, 0)).project_rows([b"1"])


@pytest.mark.parametrize("row", ["{}", 1, [b"{}"]])
def test_a_row_is_bytes_or_none(projector: Implementation, row: Any) -> None:
    with pytest.raises(TypeError):
        projector.shape((JSON, 1)).project_row(row)
    with pytest.raises(TypeError):
        projector.shape((LIST, 1, (JSON, 1))).project_rows([row])
