"""Documents counted before they are parsed."""

import time
import tracemalloc
from contextlib import suppress

import pytest
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from fraiseql.engine.document.limits import (
    MAX_DEFINITIONS,
    MAX_LENGTH,
    MAX_NESTING,
    MAX_VARIABLES,
    Limits,
)
from fraiseql.engine.document.scan import check_text
from fraiseql.errors import FraiseQLError, ParseFailed, ValidationFailed


def check(text: str, **most: int) -> None:
    limits = {"max_tokens": 0, **most}
    check_text(text, Limits(max_depth=0, introspection=False, suggestions=False, **limits))


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("{ a(b: [1, -2.5e3]) @c ...on D { e } } # f", "max_tokens", 20),
        ('{ a(b: """x " \\""" y""", c: "\\"") }', "max_tokens", 11),
        ("{ a b: c ...D ... on E { f } ... @g { h } }", "max_selections", 6),
        ('query Q($v: I = {x: 1}) @d { a(b: {c: "d: e"}) f: g h: i }', "max_aliases", 2),
        ("query @a { b @c(d: e) ...F @g } fragment F on H @i { j }", "max_directives", 4),
    ],
)
def test_each_thing_is_counted_exactly(text: str, name: str, number: int) -> None:
    check(text, **{name: number})
    check(text, **{name: 0})
    with pytest.raises(FraiseQLError, match=f"more than {number - 1} ") as caught:
        check(text, **{name: number - 1})
    assert name.upper() in (caught.value.hint or "")


def test_brackets_are_counted() -> None:
    check("{" * MAX_NESTING)
    with pytest.raises(ParseFailed, match=f"more than {MAX_NESTING} levels of brackets"):
        check("{a(" * MAX_NESTING)


def test_definitions_are_counted() -> None:
    check("query { a(b: {c: 1}) } " * MAX_DEFINITIONS)
    with pytest.raises(ValidationFailed, match=f"more than {MAX_DEFINITIONS} definitions"):
        check("query { a } " * (MAX_DEFINITIONS + 1))


def test_declared_variables_are_counted() -> None:
    check("query (" + "$a: I = {b: 1} " * MAX_VARIABLES + ") { c }")
    with pytest.raises(ValidationFailed, match=f"more than {MAX_VARIABLES} variables"):
        check("query (" + "$a: I " * (MAX_VARIABLES + 1) + ") { c }")


@pytest.mark.parametrize("text", ["x" * 251, "{ a(b: " + "9" * 251, "-" + "9" * 251])
def test_names_and_numbers_have_a_length(text: str) -> None:
    with pytest.raises(ParseFailed, match="has more than 250 characters"):
        check(text)


def test_a_document_has_a_length() -> None:
    check(" " * MAX_LENGTH)
    with pytest.raises(ParseFailed, match="more than 250,000 characters"):
        check(" " * (MAX_LENGTH + 1))


_PIECES = st.sampled_from(
    ["{", "}", "(", ")", "[", "]", "...", "on", "a", "b1", ":", "@", "$", "!", "=", "|", "&", "1", "-2.5", '"x"',
     '""', '"""y"""', '"""', '"', "#", "\n", " ", ",", "\\", "\ufeff", "\ud800", "😀", "\0", "fragment", "query"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_every_text_is_read_to_its_end(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from(["a", "b: c", "d @e", "f(g: 1)", "...H", '"i" j']), max_size=9))
def test_tokens_are_those_of_the_parser(fields: list[str]) -> None:
    text = "{ x " + " ".join(fields).replace('"i" ', "") + " }"
    token = parse(text).loc.start_token.next  # type: ignore[union-attr]  # it has a place
    number = 0
    while token.next:  # type: ignore[union-attr]  # the last is EOF
        number, token = number + 1, token.next  # type: ignore[union-attr]

    check(text, max_tokens=number)
    with pytest.raises(ParseFailed):
        check(text, max_tokens=number - 1)


_SENT = Limits(10_000, 15, True, False, 2_500, 10_000, 50, 200, 200)


@pytest.mark.parametrize(
    "text",
    [
        "{" + " ".join(f"a{n}: b" for n in range(100_000)) + "}",
        "{" + " ".join(f"a{n}" for n in range(100_000)) + "}",
        "{ a" + " @b" * 100_000 + "}",
        "{ a(b: " + "[" * 100_000,
        "{ a " * 100_000,
        "query {a} " * 100_000,
        "query (" + "$a: B " * 100_000,
        "{ a(b: [" + "1 " * 100_000 + "]) }",
        "#\n" * 125_000,
        '"""' * 80_000 + "{" * 101,
        "x" * 1_000_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_far_too_much_is_refused_at_once(text: str) -> None:
    durations = []
    for _ in range(3):
        started = time.process_time()
        with pytest.raises((ParseFailed, ValidationFailed)):
            check_text(text, _SENT)
        durations.append(time.process_time() - started)
    tracemalloc.start()
    with pytest.raises((ParseFailed, ValidationFailed)):
        check_text(text, _SENT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert min(durations) < 0.1  # some milliseconds each
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "text",
    [" " * MAX_LENGTH,
     "," * MAX_LENGTH, '"' * MAX_LENGTH, '"\\' * 125_000, '"""' + "\\" * 240_000, "#" * MAX_LENGTH],
    ids=lambda text: repr(text[:3]),
)  # fmt: skip
def test_what_is_one_token_is_read_once(text: str) -> None:
    started = time.process_time()
    with suppress(ParseFailed):
        check_text(text, _SENT)

    assert time.process_time() - started < 1  # some milliseconds; read again and again, minutes
