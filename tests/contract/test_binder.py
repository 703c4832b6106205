"""What the accelerator keeps of operations, and what it lets go; what it binds is in tests/differential."""

import gc
import json
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fraiseql.engine.result.implementation import Binder, Forms, Implementation

TEXT: Any = {"x": (0, ((0, 0),))}


def body(query: str = "{ a }", x: Any = "b", **more: Any) -> bytes:
    return json.dumps({"query": query, "variables": {"x": x}, **more}).encode()


@pytest.fixture
def forms(accelerator: Implementation) -> Forms:
    assert accelerator.forms is not None
    return accelerator.forms()


@pytest.fixture
def binder(accelerator: Implementation) -> Binder:
    assert accelerator.binder is not None
    return accelerator.binder(3)


def test_a_body_becomes_a_step(binder: Binder, forms: Forms) -> None:
    forms.keep(TEXT, "SELECT %s, %s", [None, b"fixed"], "known")
    binder.keep(body(), forms)

    assert binder.bind(body(x="c")) == (("SELECT %s, %s", [b"c", b"fixed"]), "known")
    for other in (body("{ b }"), body(operationName="A"), body(x=1), b"", b"{"):
        assert binder.bind(other) is None


def test_operations_of_one_document_are_told_apart(
    binder: Binder, accelerator: Implementation
) -> None:
    assert accelerator.forms is not None
    for name in (None, "A", "B"):
        forms = accelerator.forms()
        forms.keep(TEXT, "SELECT %s", [None], name)
        binder.keep(body(operationName=name), forms)

    bound = [binder.bind(body(operationName=name)) for name in (None, "A", "B")]
    assert [each and each[1] for each in bound] == [None, "A", "B"]


def test_no_more_documents_are_kept_than_may_be(binder: Binder, forms: Forms) -> None:
    forms.keep(TEXT, "SELECT %s", [None], None)
    for number in range(4):
        binder.keep(body(f"{{ a{number} }}"), forms)

    known = [binder.bind(body(f"{{ a{number} }}")) is not None for number in range(4)]
    assert known == [False, False, False, True]


def test_no_more_forms_are_kept_than_are_quickly_compared(binder: Binder, forms: Forms) -> None:
    for number in range(40):
        forms.keep({"x": (4, number)}, "SELECT", [], number)
    binder.keep(body(), forms)

    known = [binder.bind(body(x=number)) is not None for number in range(40)]
    assert known == [True] * 32 + [False] * 8


def test_what_is_cleared_is_unknown(binder: Binder, forms: Forms) -> None:
    forms.keep(TEXT, "SELECT %s", [None], None)
    binder.keep(body(), forms)
    forms.clear()

    assert binder.bind(body()) is None


def test_a_callable_says_what_a_value_is(binder: Binder, forms: Forms) -> None:
    def read(value: Any) -> list[bytes | None] | None:
        return None if value == "no" else [repr(value).encode(), None]

    forms.keep({"x": (5, read, (2, 0))}, "SELECT", [b"0", b"1", b"2"], None)
    forms.keep({"x": (6, read, (1, 0))}, "SELECT", [b"0", b"1", b"2"], None)
    binder.keep(body(), forms)

    for value, params in ((True, [None, b"1", b"True"]), ("é", [None, b"1", "'é'".encode()])):
        assert binder.bind(body(x=value)) == (("SELECT", params), None)
    assert binder.bind(body(x=[1, "a"])) == (("SELECT", [None, b"[1, 'a']", b"2"]), None)
    assert binder.bind(body(x="no")) is None


def test_what_a_callable_raises_is_raised(binder: Binder, forms: Forms) -> None:
    def read(value: Any) -> None:
        raise LookupError(value)

    forms.keep({"x": (5, read, ())}, "SELECT", [], None)
    binder.keep(body(), forms)

    with pytest.raises(LookupError, match="b"):
        binder.bind(body())


@pytest.mark.parametrize(
    "form",
    [
        1,
        (0,),
        (7, ()),
        (0, ((1, 0),)),
        (0, ((0, 9),)),
        (0, ((0, ("%",)),)),
        (5, len, (1,)),
        {1: None},
    ],
    ids=repr,
)
def test_what_is_no_form_is_refused(forms: Forms, form: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        forms.keep(form, "SELECT %s", [None], None)


def test_what_refers_to_its_forms_ends_with_them(accelerator: Implementation) -> None:
    class Known:
        forms: Forms

    assert accelerator.forms is not None
    known = Known()
    known.forms = accelerator.forms()
    known.forms.keep({}, "SELECT", [], known)
    last = weakref.ref(known)
    del known
    gc.collect()

    assert last() is None


def test_threads_bind_while_others_learn_and_forget(binder: Binder, forms: Forms) -> None:
    def work(number: int) -> None:
        for turn in range(300):
            query = f"{{ a{(number + turn) % 5} }}"
            forms.keep(TEXT, "SELECT %s", [None], None)
            binder.keep(body(query), forms)
            bound = binder.bind(body(query, x=str(turn)))
            assert bound is None or bound == (("SELECT %s", [str(turn).encode()]), None)
            if turn % 50 == 0:
                forms.clear()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
