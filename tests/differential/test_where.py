"""Random ``where`` arguments, against the same question asked in Python."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraiseql.testing import Client

pytestmark = pytest.mark.django_db

Leaf = Callable[[Any, Any], Any]


def unknown_if_null(compare: Leaf) -> Leaf:
    """Return a comparison as SQL has it: with null, unknown (None)."""
    return lambda value, given: None if value is None or given is None else compare(value, given)


OPERATORS: dict[str, Leaf] = {
    "eq": unknown_if_null(lambda value, given: value == given),
    "neq": unknown_if_null(lambda value, given: value != given),
    "gt": unknown_if_null(lambda value, given: value > given),
    "gte": unknown_if_null(lambda value, given: value >= given),
    "lt": unknown_if_null(lambda value, given: value < given),
    "in": lambda value, given: False if not given else None if value is None else value in given,
    "nin": lambda value, given: (
        True if not given else None if value is None else value not in given
    ),
    "isnull": lambda value, given: (value is None) is given,
    "contains": unknown_if_null(lambda value, given: given in value),
    "startswith": unknown_if_null(lambda value, given: value.startswith(given)),
    "overlaps": unknown_if_null(lambda value, given: bool(set(value) & set(given))),
}
NULL: dict[str, Leaf] = {
    "eq": lambda value, _: value is None,
    "neq": lambda value, _: value is not None,
}


def holds(where: dict[str, Any], row: Any) -> bool | None:
    """Tell whether a row satisfies ``where``: true, false or unknown."""
    return every([_holds(name, value, row) for name, value in where.items()])


def _holds(name: str, value: Any, row: Any) -> bool | None:
    if name == "NOT":
        return holds(value, row) is not True
    if name == "AND":
        return every([holds(item, row) for item in value])
    if name == "OR":
        return some([holds(item, row) for item in value])
    below = None if row is None else row[name]
    if name in {"maker", "office"}:
        return holds(value, below)
    return every(
        [
            NULL[word](below, None) if given is None else OPERATORS[word](below, given)
            for word, given in value.items()
        ]
    )


def every(values: list[bool | None]) -> bool | None:
    if False in values:
        return False
    return None if None in values else True


def some(values: list[bool | None]) -> bool | None:
    if True in values:
        return True
    return None if None in values else False


def of(values: list[Any], *words: str) -> st.SearchStrategy[Any]:
    """Return conditions on a field whose arguments come from ``values``."""
    one, several = st.sampled_from(values), st.lists(st.sampled_from(values), max_size=2)
    given: dict[str, st.SearchStrategy[Any]] = {
        "eq": one | st.none(), "neq": one | st.none(), "gt": one, "gte": one, "lt": one,
        "in": several, "nin": several, "isnull": st.booleans(),
        "contains": one, "startswith": one, "overlaps": several,
    }  # fmt: skip
    strategies = {word: given[word] for word in words}
    return st.fixed_dictionaries({}, optional=strategies)


NUMBER = ("eq", "neq", "gt", "gte", "lt", "in", "nin", "isnull")
TEXT = ("eq", "neq", "in", "nin", "isnull", "contains", "startswith")
CHOICE = ("eq", "neq", "in", "nin", "isnull")
OFFICE = st.fixed_dictionaries(
    {},
    optional={"dns1Id": of([53, 54], *NUMBER), "addressLine2": of(["Yard 50%", "50%", "%"], *TEXT)},
)
MAKER = {"name": of(["Cobalt", "A", "Birch Bücher"], *TEXT), "founded": of([1899, 1950], *NUMBER)}
WARE = {
    "stock": of([0, 9, 10, 100], *NUMBER),
    "weight": of([0.1, 0.5, 2.75], *NUMBER),
    "name": of(["Atlas", "50%", "D", "_"], *TEXT),
    "identifier": of(["atlas", "d", "%"], *TEXT),
    "status": of(["ON_SALE", "SOLD_OUT"], *CHOICE),
    "grade": of(["LOW", "HIGH"], *CHOICE),
    "tags": of(["maps", "steel"], "overlaps", "isnull"),
}


def objects(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Return ``where`` objects of these fields, joined by AND, OR and NOT to some depth."""
    flat = st.fixed_dictionaries({}, optional=fields)
    return st.recursive(
        flat,
        lambda inner: st.fixed_dictionaries(
            {},
            optional={
                **fields,
                "AND": st.lists(inner, max_size=2),
                "OR": st.lists(inner, max_size=2),
                "NOT": inner,
            },
        ),
        max_leaves=4,
    )


WHERE = objects({**WARE, "maker": objects({**MAKER, "office": OFFICE})})


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(WHERE)
def test_where_means_what_python_says(where: dict[str, Any]) -> None:
    fields = """identifier name stock weight status grade tags
                maker { name founded office { dns1Id addressLine2 } }"""
    query = f"query ($w: WareWhereInput) {{ wares(where: $w, limit: 50) {{ {fields} }} }}"
    rows = Client().query(query).assert_ok()["wares"]
    found = Client().query(query, {"w": where}).assert_ok()["wares"]

    assert found == [row for row in rows if holds(where, row)]
