"""Documents with values beside them."""

import pytest

from fraiseql.engine.result.implementation import Implementation
from fraiseql.schema.shape import (
    ABSTRACT,
    CONSTANT,
    INT,
    JOINED,
    LIST,
    NULL,
    OBJECT,
    STRING,
    UNKNOWN_TYPE,
    WRONG_TYPE,
    Error,
    Node,
)

COMMENT: Node = (OBJECT, 0, ((b"text", "text", "Comment.text", (STRING, 0)),))
POST: Node = (
    JOINED,
    (
        OBJECT,
        1,
        (
            (1, "comments", "Post.comments", (LIST, 0, COMMENT)),
            (b"title", "title", "Post.title", (STRING, 1)),
            (b"", "__typename", "Post.__typename", (CONSTANT, b'"Post"')),
            (2, "likes", "Post.likes", (INT, 1)),
        ),
    ),
)
KINDS: Node = (
    JOINED,
    (
        ABSTRACT,
        1,
        b"kind",
        (
            (b"book", ((1, "pages", "Book.pages", (INT, 0)),)),
            (b"tool", ((2, "watts", "Tool.watts", (INT, 1)), (1, "w", "Tool.w", (INT, 1)))),
        ),
    ),
)


@pytest.mark.parametrize(
    ("node", "row", "expected"),
    [
        (
            POST,
            b'[{"title": "x"}, [{"text": "a"}], 3]',
            b'{"comments":[{"text":"a"}],"title":"x","__typename":"Post","likes":3}',
        ),
        (
            POST,
            b' [ { } , [ ] , null , "more than is asked for" ] ',
            b'{"comments":[],"title":null,"__typename":"Post","likes":null}',
        ),
        (POST, b"[{}, []]", b'{"comments":[],"title":null,"__typename":"Post","likes":null}'),
        (POST, b"null", b"null"),
        (POST, b"[null, [], 3]", b"null"),
        (KINDS, b'[{"kind": "book"}, 1, 2]', b'{"pages":1}'),
        (KINDS, b'[{"kind": "tool"}, 1, 2]', b'{"watts":2,"w":1}'),
        ((LIST, 0, POST), b"[]", b"[]"),
    ],
)
def test_values_beside_a_document_stand_among_its_fields(
    projector: Implementation, node: Node, row: bytes, expected: bytes
) -> None:
    assert projector.shape(node).project_row(row) == (expected, ())


@pytest.mark.parametrize(
    ("node", "row", "expected", "error"),
    [
        (POST, b"[]", b"null", ((), "", WRONG_TYPE)),
        (POST, b"{}", b"null", ((), "", WRONG_TYPE)),
        (POST, b'{"title": "x"}', b"null", ((), "", WRONG_TYPE)),
        (POST, b"1", b"null", ((), "", WRONG_TYPE)),
        (POST, b"[[], []]", b"null", ((), "", WRONG_TYPE)),
        (POST, b"[{}]", b"null", (("comments",), "Post.comments", NULL)),
        (
            POST,
            b'[{}, [{"text": null}]]',
            b"null",
            (("comments", 0, "text"), "Comment.text", NULL),
        ),
        (KINDS, b"[{}, 1, 2]", b"null", ((), "", UNKNOWN_TYPE)),
        (KINDS, b'[{"kind": "book"}]', b"null", (("pages",), "Book.pages", NULL)),
    ],
)
def test_errors_are_those_of_the_document(
    projector: Implementation, node: Node, row: bytes, expected: bytes, error: Error
) -> None:
    assert projector.shape(node).project_row(row) == (expected, (error,))


def test_nothing_leaks_from_one_object_into_those_within_it(projector: Implementation) -> None:
    inner: Node = (JOINED, (OBJECT, 1, ((1, "b", "", (INT, 1)),)))
    node: Node = (JOINED, (OBJECT, 1, ((b"a", "a", "", inner), (1, "c", "", inner))))

    row = b'[{"a": [{}]}, [{}, 2]]'

    assert projector.shape(node).project_row(row) == (b'{"a":{"b":null},"c":{"b":2}}', ())
