"""Random shapes over random documents: both projectors against an oracle, and against each other."""

import os
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraiseql.engine.result import reference
from fraiseql.engine.result.implementation import Implementation
from fraiseql.schema.shape import JSON, LIST, Node
from tests.contract import documents
from tests.contract.oracle import Oracle, load

# More than usual, to search for long: FRAISEQL_TEST_EFFORT=50 pytest tests/contract/test_random.py
EFFORT = int(os.environ.get("FRAISEQL_TEST_EFFORT", "1"))

node_and_texts = documents.nodes().flatmap(
    lambda node: st.tuples(st.just(node), st.lists(documents.documents(node), max_size=2))
)


@st.composite
def near_json(draw: st.DrawFn) -> bytes:
    """Draw a text with a few bytes changed."""
    text = bytearray(draw(documents.anything).encode())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2) | _marks)
    return bytes(text)


_marks = st.text(' \n{}[]:,"\\/+-.0123456789eEtruefalsn\x00', max_size=6).map(str.encode)
raw = near_json() | st.binary(max_size=24) | _marks


@given(node_and_texts)
@settings(max_examples=100 * EFFORT, deadline=None)
def test_what_goes_out_is_what_python_objects_would_say(
    projector: Implementation, drawn: tuple[Node, list[str]]
) -> None:
    node, texts = drawn
    shape = projector.shape(node)
    for text in texts:
        row = text.encode()
        json, errors = shape.project_row(row)

        oracle = Oracle()
        # repr: it tells 1 from true, and shows the order of keys.
        assert repr(load(json)) == repr(oracle.answer(node, load(row)))
        assert errors == tuple(oracle.errors)


@given(node_and_texts, st.booleans())
@settings(max_examples=100 * EFFORT, deadline=None)
def test_rows_are_the_items_of_a_list(
    projector: Implementation, drawn: tuple[Node, list[str]], nullable: bool
) -> None:
    node, texts = drawn
    rows: list[bytes | None] = [text.encode() for text in texts]

    expected = reference.Shape((LIST, int(nullable), node)).project_rows(rows)
    assert projector.shape((LIST, int(nullable), node)).project_rows(rows) == expected
    if expected[0] != b"null":
        document = b"[" + b",".join(text.encode() for text in texts) + b"]"
        assert projector.shape((LIST, 1, node)).project_row(document) == expected


@given(node_and_texts, st.booleans(), raw)
@settings(max_examples=100 * EFFORT, deadline=None)
def test_a_response_is_what_is_projected_if_nothing_is_wrong(
    projector: Implementation, drawn: tuple[Node, list[str]], is_list: bool, other: bytes
) -> None:
    node, texts = drawn
    node = (LIST, 0, node) if is_list else node
    shape = projector.shape(node)
    drawn_rows: list[list[bytes | None]] = [[text.encode() for text in texts], [None], [other]]
    for rows in drawn_rows:
        errors: tuple[Any, ...]
        try:
            value, errors = _project(shape, node[0] == LIST, rows)
        except projector.malformed_row:
            value, errors = b"", ("malformed",)

        expected = None if errors else b'{"data":{"a":%b}}' % value
        assert shape.respond(b'"a":', rows) == expected


def _project(
    shape: reference.Shape, is_list: bool, rows: Sequence[bytes | None]
) -> tuple[bytes, Any]:
    return shape.project_rows(rows) if is_list else shape.project_row(rows[0] if rows else None)


@given(raw)
@settings(max_examples=200 * EFFORT, deadline=None)
def test_raw_bytes_are_json_or_have_their_fault_named(
    projector: Implementation, text: bytes
) -> None:
    shape = projector.shape((JSON, 1))
    try:
        load(text)
    except ValueError:
        with pytest.raises(projector.malformed_row) as caught:
            shape.project_row(text)
        offset = caught.value.offset
        assert fault(projector, text[:offset]) in (None, offset)
        assert offset == len(text) or fault(projector, text[: offset + 1]) == offset
    else:
        assert shape.project_row(text) == (text.strip(b" \t\n\r"), ())


@given(documents.nodes(), raw)
@settings(max_examples=200 * EFFORT, deadline=None)
def test_raw_bytes_are_taken_as_the_reference_takes_them(
    accelerator: Implementation, node: Node, text: bytes
) -> None:
    assert outcome(accelerator.shape(node), text) == outcome(reference.Shape(node), text)


def fault(projector: Implementation, text: bytes) -> int | None:
    found = outcome(projector.shape((JSON, 1)), text)
    return found[1] if found[0] == "fault" else None


def outcome(shape: reference.Shape, text: bytes) -> tuple[Any, ...]:
    try:
        return ("answer", shape.project_row(text))
    except ValueError as error:
        return ("fault", error.args[1])
