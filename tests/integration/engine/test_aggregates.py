"""Rows counted, summed and compared in groups."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

import fraiseql
from fraiseql.db import catalog
from fraiseql.testing import Client, Result, isolated
from tests.integration.engine.conftest import Ask

Answer = Callable[..., Result]


def test_without_keys_there_is_one_group_even_of_no_rows(ask: Ask) -> None:
    (group,) = ask(
        "{ waresAggregate(where: {id: {in: []}}) { count sum { stock } avg { stock } max { name } } }"
    )["waresAggregate"]

    assert group == {
        "count": 0,
        "sum": {"stock": None},
        "avg": {"stock": None},
        "max": {"name": None},
    }


def test_an_empty_list_of_keys_is_none(ask: Ask) -> None:
    assert ask("{ waresAggregate(groupBy: []) { count } }") == {"waresAggregate": [{"count": 6}]}


def test_what_is_not_grouped_by_is_null_in_the_keys(ask: Ask) -> None:
    groups = ask(
        "{ waresAggregate(groupBy: [{grade: true}]) { keys { grade status maker { name } } } }"
    )["waresAggregate"]

    assert [group["keys"] for group in groups] == [
        {"grade": grade, "status": None, "maker": {"name": None}} for grade in ("LOW", "HIGH", None)
    ]


def test_a_selection_of_type_names_alone_has_its_groups(ask: Ask) -> None:
    query = "{ waresAggregate(groupBy: [{status: true}]) { __typename keys { __typename maker { __typename } } } }"

    assert (
        ask(query)["waresAggregate"]
        == [
            {
                "__typename": "WareAggregate",
                "keys": {"__typename": "WareGroupKeys", "maker": {"__typename": "MakerGroupKeys"}},
            }
        ]
        * 3
    )


def test_groups_come_in_the_order_of_their_keys(ask: Ask) -> None:
    query = """query ($offset: Int) {
      waresAggregate(groupBy: [{stock: true}, {name: true}], limit: 2, offset: $offset) { keys { stock name } }
    }"""

    assert [group["keys"] for group in ask(query)["waresAggregate"]] == [
        {"stock": 0, "name": "Bradawl"},
        {"stock": 0, "name": "Fables"},
    ]
    assert ask(query, offset=4)["waresAggregate"] == [
        {"keys": {"stock": 10, "name": "Crowbar"}},
        {"keys": {"stock": 100, "name": 'Essays "50%"'}},
    ]


def test_groups_are_ordered_by_figures_and_then_by_their_keys(ask: Ask) -> None:
    groups = ask(
        """{ waresAggregate(groupBy: [{kind: true}], orderBy: [{max: {stock: DESC}}, {count: ASC}])
             { keys { status } } }""".replace("kind", "status")
    )["waresAggregate"]

    assert [group["keys"]["status"] for group in groups] == ["ON_SALE", "WITHDRAWN", "SOLD_OUT"]


@pytest.mark.parametrize(
    ("having", "left"),
    [
        ("{count: {gt: 1}}", {"ON_SALE", "SOLD_OUT"}),
        ("{count: {in: [1, 3]}}", {"ON_SALE", "WITHDRAWN"}),
        ('{sum: {stock: {gte: "9007199254740993"}}}', set()),
        ('{sum: {stock: {eq: "119"}}, avg: {price: {lt: "25"}}}', {"ON_SALE"}),
        ("{OR: [{max: {weight: {eq: 4}}}, {countDistinct: {maker: {id: {eq: 1}}}, count: {eq: 1}}]}",
         {"ON_SALE", "WITHDRAWN"}),
        ("{min: {releasedAt: {isnull: true}}}", set()),
        ('{NOT: {min: {name: {startswith: "A"}}}}', {"SOLD_OUT", "WITHDRAWN"}),
    ],
)  # fmt: skip
def test_having_chooses_groups(ask: Ask, having: str, left: set[str]) -> None:
    groups = ask(
        f"{{ waresAggregate(groupBy: [{{status: true}}], having: {having}) {{ keys {{ status }} }} }}"
    )

    assert {group["keys"]["status"] for group in groups["waresAggregate"]} == left


def test_having_may_leave_no_group(ask: Ask) -> None:
    assert ask("{ waresAggregate(having: {count: {gt: 6}}) { count } }") == {"waresAggregate": []}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("groupBy: [{status: false}]", "groupBy.status is false."),
        ("groupBy: [{maker: {name: false}}]", "groupBy.maker.name is false."),
        ("groupBy: [{releasedAt: DAY}, {releasedAt: YEAR}]", "groupBy names releasedAt twice."),
        ("groupBy: [{grade: true}], orderBy: [{keys: {status: ASC}}]",
         "orderBy names status, which groupBy does not."),
        (f"groupBy: [{', '.join(['{status: true}'] * 33)}]", "groupBy has 33 keys; at most 32 are allowed."),
        ("having: {count: null}", "having.count is null."),
        ("having: {count: {gt: null}}", "having.count.gt is null."),
        (f"having: {{OR: [{', '.join(['{count: {eq: 1}}'] * 1001)}]}}",
         "having has 1,001 comparisons; at most 1,000 are allowed."),
        ("limit: 51", "limit is 51; waresAggregate returns at most 50 rows."),
        ("limit: -1", "limit must not be negative."),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused(answer: Answer, arguments: str, message: str) -> None:
    (error,) = answer(f"{{ waresAggregate({arguments}) {{ count }} }}").errors

    assert error["message"] == message
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_an_item_of_two_keys_is_refused(answer: Answer) -> None:
    for given in ("{status: true, grade: true}", "{}"):
        (error,) = answer(f"{{ waresAggregate(groupBy: [{given}]) {{ count }} }}").errors

        assert error["extensions"]["code"] in {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}


def test_an_item_whose_variable_is_not_sent_is_refused(answer: Answer) -> None:
    query = "query ($by: Boolean) { waresAggregate(groupBy: [{status: $by}]) { count } }"
    for variables in ({}, {"by": None}, {"by": False}):
        (error,) = answer(query, **variables).errors

        assert error["extensions"]["code"] in {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}


def test_dates_are_cut_down_in_no_zone(ask: Ask) -> None:
    query = """query ($unit: TimeUnit!, $zone: Timezone) {
      waresAggregate(groupBy: [{maker: {office: {openedOn: $unit}}}], timeZone: $zone, limit: 1) {
        keys { maker { office { openedOn } } }
      }
    }"""
    for unit, day in (("DAY", "1899-05-01"), ("HOUR", "1899-05-01"), ("QUARTER", "1899-04-01")):
        (group,) = ask(query, unit=unit, zone="Asia/Tokyo")["waresAggregate"]

        assert group["keys"]["maker"]["office"]["openedOn"] == day


def test_a_time_zone_that_only_python_knows_is_no_internal_error(answer: Answer) -> None:
    query = "query ($zone: Timezone) { waresAggregate(groupBy: [{releasedAt: DAY}], timeZone: $zone) { count } }"
    (error,) = answer(query, zone="Nowhere/Land").errors

    assert error["extensions"]["code"] == "BAD_USER_INPUT"


MOMENTS = {
    "winter": "2024-03-30 23:30:00+00",
    "skipped": "2024-03-31 01:00:00+00",
    "first of the two": "2024-10-27 00:30:00+00",
    "second of the two": "2024-10-27 01:30:00+00",
    "new year there": "2023-12-31 23:30:00+00",
}


@pytest.fixture
def moments(sql: Callable[..., Any]) -> None:
    """Wares released around the changes of the clock in Berlin."""
    sql("DELETE FROM tv_ware")
    for name, moment in MOMENTS.items():
        sql(
            """INSERT INTO tv_ware (id, identifier, data)
               SELECT gen_random_uuid(), %s, jsonb_set(jsonb_set(data, '{name}', to_jsonb(%s::text)),
                                                       '{released_at}', to_jsonb(%s::text))
                 FROM v_ware WHERE identifier = 'atlas'""",
            name, name, moment,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "zone", "expected"),
    [
        ("HOUR", "Europe/Berlin", ["2023-12-31T23:00", "2024-03-30T23:00", "2024-03-31T01:00",
                                   "2024-10-27T00:00", "2024-10-27T01:00"]),
        ("HOUR", "Asia/Kathmandu", ["2023-12-31T23:15", "2024-03-30T23:15", "2024-03-31T00:15",
                                    "2024-10-27T00:15", "2024-10-27T01:15"]),
        ("DAY", "Europe/Berlin", ["2023-12-31T23:00", "2024-03-30T23:00", "2024-10-26T22:00"]),
        ("DAY", "UTC", ["2023-12-31T00:00", "2024-03-30T00:00", "2024-03-31T00:00", "2024-10-27T00:00"]),
        ("WEEK", "UTC", ["2023-12-25T00:00", "2024-03-25T00:00", "2024-10-21T00:00"]),
        ("MONTH", "Europe/Berlin", ["2023-12-31T23:00", "2024-02-29T23:00", "2024-09-30T22:00"]),
        ("QUARTER", "UTC", ["2023-10-01T00:00", "2024-01-01T00:00", "2024-10-01T00:00"]),
        ("YEAR", "Europe/Berlin", ["2023-12-31T23:00"]),
        ("YEAR", None, ["2023-01-01T00:00", "2024-01-01T00:00"]),
        ("EXACT", "Europe/Berlin", sorted(moment.replace(" ", "T")[:16] for moment in MOMENTS.values())),
    ],
)  # fmt: skip
def test_times_are_cut_down_in_their_zone(
    ask: Ask, moments: None, unit: str, zone: str | None, expected: list[str]
) -> None:
    query = """query ($unit: TimeUnit, $zone: Timezone) {
      waresAggregate(groupBy: [{releasedAt: $unit}], timeZone: $zone) { keys { releasedAt } }
    }"""
    found = [
        group["keys"]["releasedAt"] for group in ask(query, unit=unit, zone=zone)["waresAggregate"]
    ]

    assert found == [f"{moment}:00+00:00" for moment in expected]


def test_one_statement_serves_other_variables_only_while_it_fits(ask: Ask, moments: None) -> None:
    query = """query ($by: [WareGroupByInput!], $zone: Timezone, $least: Int) {
      waresAggregate(groupBy: $by, timeZone: $zone, having: {count: {gte: $least}}) { count }
    }"""
    asked: list[tuple[Any, str, int, list[int]]] = [
        ([{"releasedAt": "DAY"}], "UTC", 1, [1, 1, 1, 2]),
        ([{"releasedAt": "DAY"}], "Europe/Berlin", 1, [1, 2, 2]),
        ([{"releasedAt": "DAY"}], "Europe/Berlin", 2, [2, 2]),
        ([{"releasedAt": "YEAR"}], "Europe/Berlin", 2, [5]),
        ([{"status": True}], "UTC", 1, [5]),
        ([], "UTC", 1, [5]),
    ]
    for by, zone, least, counts in asked * 2:
        groups = ask(query, by=by, zone=zone, least=least)["waresAggregate"]

        assert [group["count"] for group in groups] == counts


def test_the_executor_gives_the_same_groups(ask: Ask) -> None:
    query = """{ waresAggregate(groupBy: [{grade: true}, {releasedAt: MONTH}], timeZone: "Asia/Tokyo") {
      keys { grade releasedAt } count sum { price stock weight } avg { price stock } min { releasedAt name } }
      %s }"""
    fast, slow = ask(query % ""), ask(query % "viewer")

    assert fast["waresAggregate"] == slow["waresAggregate"]


def test_an_aggregate_is_one_statement_with_all_other_fields(db: None) -> None:
    query = """{ wares(limit: 1) { name } waresAggregate { count }
                 byStatus: waresAggregate(groupBy: [{status: true}]) { count } wareFeed { totalCount } }"""
    with CaptureQueriesContext(connection) as captured:
        data = Client().query(query).assert_ok()

    assert len(captured) == 1
    assert data["waresAggregate"] == [{"count": 6}]
    assert data["byStatus"] == [{"count": 3}, {"count": 2}, {"count": 1}]


def test_sums_of_the_largest_integers_do_not_overflow(ask: Ask, sql: Callable[..., Any]) -> None:
    sql(
        """UPDATE tv_ware SET data = data || '{"barcode": 9223372036854775807, "stock": 2147483647}'"""
    )

    (group,) = ask("{ waresAggregate { sum { barcode stock } avg { barcode stock } } }")[
        "waresAggregate"
    ]

    assert group["sum"] == {"barcode": str(6 * (2**63 - 1)), "stock": str(6 * (2**31 - 1))}
    assert group["avg"]["stock"] == 2**31 - 1
    assert group["avg"]["barcode"].startswith(str(2**63 - 1))


def test_a_type_of_many_fields_has_all_its_figures(db: None) -> None:
    columns = [f"n{number}" for number in range(120)]
    with isolated(), transaction.atomic(), connection.cursor() as cursor:
        wide = fraiseql.type(view="v_wide", jsonb=None)(
            type(
                "Wide", (), {"__annotations__": dict.fromkeys(columns, int), "__module__": __name__}
            )
        )

        class Query(fraiseql.Query):
            wide_aggregate = fraiseql.aggregate(wide)

        ones = ", ".join(f"1 AS {name}" for name in columns)
        cursor.execute(f"CREATE VIEW v_wide AS SELECT {ones}")
        catalog.forget("default")
        (group,) = (
            Client()
            .query(f"{{ wideAggregate {{ count sum {{ {' '.join(columns)} }} }} }}")
            .assert_ok()["wideAggregate"]
        )
        transaction.set_rollback(True)
    catalog.forget("default")

    assert group == {"count": 1, "sum": dict.fromkeys(columns, "1")}
