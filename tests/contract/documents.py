"""Random shapes, and documents that mostly fit them."""

import json
from typing import Any

from hypothesis import strategies as st

from fraiseql.schema.shape import (
    ABSTRACT,
    BOOLEAN,
    CONSTANT,
    DATETIME,
    ENUM,
    FLOAT,
    ID,
    INT,
    JOINED,
    JSON,
    LIST,
    OBJECT,
    STRING,
    TEXT,
    Node,
)

Text = st.SearchStrategy[str]

KEYS = ["id", "a", "b", "created_at", "created_by", "naïve", "a_rather_long_key_of_some_view"]
NAMES = ["id", "a", "b", "createdAt", "createdBy", "__typename", "aRatherLongKeyOfSomeViewOrOther"]
TYPES = ["user", "bot"]
TOKENS = ((b'"draft"', b"DRAFT"), (b"1", b"ONE"), (b"false", b"NO"))

words: Text = st.sampled_from(["true", "false"])
integers: Text = st.integers(-(2**31), 2**31 - 1).map(str)
numbers: Text = integers | st.builds(
    "{}{}{}".format,
    st.integers(-(10**11), 10**11) | st.sampled_from(["-0", "100"]),
    st.sampled_from(["", "", ".0", ".5", ".250"]),
    st.sampled_from(["", "", "e0", "e2", "E+10", "e-3", "e308", "E-400"]),
)
strings: Text = st.builds(
    json.dumps, st.text(max_size=20), ensure_ascii=st.booleans()
) | st.sampled_from([r'"\ud83d\ude00"', r'"\udead"', r'"a\/b\b\f"', '"' + "long " * 20 + '"'])
timestamps: Text = st.builds(
    '"{}{}"'.format,
    st.builds(
        lambda moment, separator: moment.isoformat(separator),
        st.datetimes(),
        st.sampled_from(["T", " "]),
    ),
    st.sampled_from(["", "+00", "-08", "+05:30", "+0530"]),
)
spaces: Text = st.sampled_from(["", "", "", " ", " \n\t\r"])


@st.composite
def arrays(draw: st.DrawFn, item: Text) -> str:
    space = draw(spaces)
    return f"[{space}{f'{space},{space}'.join(draw(st.lists(item, max_size=3)))}{space}]"


def member(key: str, value: str, space: str) -> str:
    return f"{json.dumps(key, ensure_ascii=False)}{space}:{space}{value}"


@st.composite
def objects(draw: st.DrawFn, members: st.SearchStrategy[list[tuple[str, str]]]) -> str:
    space = draw(spaces)
    written = [member(key, value, space) for key, value in draw(members)]
    return f"{{{space}{f'{space},{space}'.join(written)}{space}}}"


anything: Text = st.recursive(
    words | numbers | strings | st.just("null"),
    lambda inner: (
        arrays(inner)
        | objects(st.lists(st.tuples(st.sampled_from([*KEYS, "x", "type"]), inner), max_size=3))
    ),
    max_leaves=6,
)

FITTING: dict[int, Text] = {
    STRING: strings | numbers | words,
    INT: integers,
    FLOAT: st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
    BOOLEAN: words,
    ID: strings | integers,
    DATETIME: timestamps,
    TEXT: strings,
    JSON: anything,
    ENUM: st.sampled_from([token.decode() for token, _ in TOKENS]),
    CONSTANT: anything,
}


@st.composite
def nodes(draw: st.DrawFn, depth: int = 3) -> Node:
    """Draw a node that nests at most ``depth`` deep."""
    kind = draw(st.integers(STRING, JOINED if depth else ENUM))
    nullable = draw(st.sampled_from([0, 1, 1]))
    if kind == CONSTANT:
        return (CONSTANT, draw(strings).encode())
    if kind == ENUM:
        return (ENUM, nullable, TOKENS)
    if kind == LIST:
        return (LIST, nullable, draw(nodes(depth=depth - 1)))
    if kind == JOINED:
        inner = draw(st.sampled_from([OBJECT, ABSTRACT]))
        return (JOINED, draw(object_nodes(inner, nullable, depth, MEMBERS | ELEMENTS)))
    if kind in (OBJECT, ABSTRACT):
        return draw(object_nodes(kind, nullable, depth, MEMBERS))
    return (kind, nullable)


MEMBERS: st.SearchStrategy[Any] = st.sampled_from([*KEYS, "type"]).map(str.encode)
ELEMENTS: st.SearchStrategy[Any] = st.integers(1, 3)


@st.composite
def object_nodes(
    draw: st.DrawFn, kind: int, nullable: int, depth: int, keys: st.SearchStrategy[Any]
) -> Node:
    if kind == OBJECT:
        return (OBJECT, nullable, draw(entries(depth - 1, keys)))
    kinds = tuple((name.encode(), draw(entries(depth - 1, keys))) for name in TYPES)
    return (ABSTRACT, nullable, b"type", kinds)


@st.composite
def entries(draw: st.DrawFn, depth: int, keys: st.SearchStrategy[Any]) -> tuple[Any, ...]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))
    return tuple((draw(keys), name, f"T.{name}", draw(nodes(depth=depth))) for name in names)


@st.composite
def documents(draw: st.DrawFn, node: Node) -> str:
    """Draw a text that mostly fits ``node``, and at times does not."""
    chance = draw(st.integers(0, 24))
    if chance < 2:
        return draw(anything) if chance else "null"
    kind = node[0]
    if kind == LIST:
        return draw(arrays(documents(node[2])))
    if kind == JOINED:
        return draw(joined(node[1]))
    if kind == OBJECT:
        return draw(objects(members(node[2], [])))
    if kind == ABSTRACT:
        name, fields = draw(st.sampled_from(node[3]))
        return draw(objects(members(fields, [("type", json.dumps(name.decode()))])))
    return draw(FITTING.get(kind, strings | numbers))


@st.composite
def joined(draw: st.DrawFn, inner: Node) -> str:
    kinds = inner[3] if inner[0] == ABSTRACT else ((b"", inner[2]),)
    wanted = {key: node for _, fields in kinds for key, _, _, node in fields}
    beside = [
        draw(documents(wanted[index]) if index in wanted else anything)
        for index in range(1, draw(st.integers(1, 4)))
    ]
    space = draw(spaces)
    return f"[{space}{f'{space},{space}'.join([draw(documents(inner)), *beside])}{space}]"


@st.composite
def members(
    draw: st.DrawFn, fields: tuple[Any, ...], given: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    found = dict(given)
    for key, _, _, node in fields:
        if isinstance(key, int):
            continue
        found.setdefault(key.decode(), draw(documents(node)))
    extra = st.tuples(st.sampled_from([*KEYS, "x", "y"]), anything)
    listed = [*found.items(), *draw(st.lists(extra, max_size=2))]
    return draw(st.permutations(listed)) if draw(st.booleans()) else listed
