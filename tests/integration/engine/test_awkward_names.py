"""Columns and keys whose names the statement, or JSON, uses for something else."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fraiseql
from fraiseql.db import catalog
from fraiseql.schema import registry

Ask = Callable[..., Any]
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def odd(sql: Sql) -> Iterator[None]:
    """A view with the columns p, r, k, d, t and f, which are also names in our statements."""
    sql("CREATE VIEW v_odd AS SELECT 1 AS id, 1 AS p, 2 AS r, 3 AS k, 4 AS d, 5 AS t, 6 AS f")
    catalog.forget("default")
    with registry.isolated():

        @fraiseql.type(view="v_odd")
        class Odd:
            id: int
            p: int
            r: int
            k: int
            d: int
            t: int
            f: int

        class Query(fraiseql.Query):
            odds = fraiseql.many(Odd)
            odd_feed = fraiseql.connection(Odd)

        yield


@pytest.mark.usefixtures("odd")
def test_columns_may_be_called_like_our_aliases(ask: Ask) -> None:
    row = {"p": 1, "r": 2, "k": 3, "d": 4, "t": 5, "f": 6}
    one = ask("{ odds(where: {p: {eq: 1}}, orderBy: {t: ASC}) { p r k d t f } }")
    two = ask("{ a: odds { p r k d t f } b: odds { r p } }")
    page = ask("{ oddFeed(orderBy: {k: ASC}) { edges { cursor node { p r k d t f } } } }")

    assert one == {"odds": [row]}
    assert two == {"a": [row], "b": [{"r": 2, "p": 1}]}
    assert page["oddFeed"]["edges"][0]["node"] == row


def test_keys_may_hold_what_json_escapes(ask: Ask, sql: Sql) -> None:
    sql(
        r"""CREATE VIEW v_odd AS SELECT '{"quo\"te": 1, "back\\slash": 2, "ti\tlde": 3, "": 4,
            "perc%nt": 5, "größe": 6}'::jsonb AS data"""
    )
    catalog.forget("default")
    with registry.isolated():

        @fraiseql.type(view="v_odd")
        class Odd:
            a: int = fraiseql.field(key='quo"te')
            b: int = fraiseql.field(key="back\\slash")
            c: int = fraiseql.field(key="ti\tlde")
            d: int = fraiseql.field(key="")
            e: int = fraiseql.field(key="perc%nt")
            f: int = fraiseql.field(key="größe")

        class Query(fraiseql.Query):
            odds = fraiseql.many(Odd)

        found = ask("{ odds(where: {a: {eq: 1}, e: {eq: 5}}, orderBy: {b: ASC}) { a b c d e f } }")

    assert found == {"odds": [{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}]}


def test_an_id_may_be_an_object_which_orders_nothing(ask: Ask, sql: Sql) -> None:
    sql("""CREATE VIEW v_odd AS SELECT '{"id": {"a": 1}, "n": 2}'::jsonb AS data""")
    catalog.forget("default")
    with registry.isolated():

        @fraiseql.type
        class Key:
            a: int

        @fraiseql.type(view="v_odd")
        class Odd:
            id: Key
            n: int

        class Query(fraiseql.Query):
            odds = fraiseql.many(Odd)

        found = ask("{ odds(orderBy: {n: ASC}) { id { a } n } b: odds { n } }")

    assert found == {"odds": [{"id": {"a": 1}, "n": 2}], "b": [{"n": 2}]}
