"""Every check of a mutation's function, provoked on a real server."""

import enum
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.core.checks import CheckMessage
from django.db import connection

import fraiseql
from fraiseql import scalars
from fraiseql.checks.functions import check_functions
from fraiseql.schema import registry

pytestmark = pytest.mark.django_db

SAFE = "LANGUAGE sql AS"


@fraiseql.enum
class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


@pytest.fixture(autouse=True)
def declarations() -> Iterator[None]:
    """Nothing is declared but what the test declares."""
    with registry.isolated():

        @fraiseql.type(view="v_stall")
        class Stall:
            id: UUID
            name: str

        type("Query", (fraiseql.Query,), {"stalls": fraiseql.many(Stall), "__module__": __name__})
        yield


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def declare(function: str, annotations: dict[str, Any], **options: Any) -> None:
    made = type("DoIt", (), {"__annotations__": annotations, "__module__": __name__})
    fraiseql.mutation(function=function, **options)(made)


def found() -> list[CheckMessage]:
    return check_functions(databases=["default"])


def only(number: str) -> str:
    """Return the one message with its hint."""
    (message,) = found()
    assert message.id == f"fraiseql.{number}"
    assert message.hint
    assert message.obj in {f"{__name__}.DoIt", "doIt"}
    return f"{message.msg} {message.hint}"


def test_nothing_is_looked_at_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    declare("fn_nowhere", {})

    assert check_functions(databases=None) == []
    assert check_functions(databases=["other"]) == []
    monkeypatch.setattr("sys.argv", ["manage.py", "migrate"])
    assert found() == []


def test_a_schema_that_does_not_build_is_for_another_check() -> None:
    declare("fn_nowhere", {"x": object})

    assert found() == []


def test_a_database_that_answers_nothing_is_for_another_check() -> None:
    declare("fn_nowhere", {})
    with connection.cursor() as cursor, pytest.raises(Exception, match="nothing"):
        cursor.execute("SELECT nothing")

    assert found() == []


def test_a_function_that_does_not_exist() -> None:
    declare("fn_opn_stall", {})

    assert "'fn_opn_stall', which does not exist. Did you mean 'fn_open_stall'?" in only("E131")


def test_a_function_like_no_other() -> None:
    declare("xyzzy", {})

    assert "manage.py migrate" in only("E131")


def test_two_functions_that_fit() -> None:
    execute(
        f"CREATE FUNCTION fn_two(p_a int) RETURNS void {SAFE} 'SELECT'",
        f"CREATE FUNCTION fn_two(p_a text) RETURNS void {SAFE} 'SELECT'",
        f"CREATE FUNCTION fn_two(p_b boolean) RETURNS void {SAFE} 'SELECT'",
    )
    declare("fn_two", {"a": int})

    text = only("E132")
    assert "fn_two(p_a integer) and fn_two(p_a text)" in text


@pytest.mark.parametrize(
    ("annotations", "options", "expected"),
    [
        (
            {"how": str, "when": datetime},
            {},
            "has no argument for 'when'. It takes: p_how, p_data.",
        ),
        ({"data": scalars.JSON | None}, {}, "needs 'p_how', which no field of the input gives."),
        ({"how": list[str]}, {}, "is text. It must be an array or jsonb, for a list."),
        ({"why": str}, {"batch": True}, "One jsonb argument for the list is needed."),
    ],
)
def test_arguments_that_do_not_match(
    annotations: dict[str, Any], options: dict[str, Any], expected: str
) -> None:
    declare("fn_fail", annotations, **options)

    assert expected in only("E133")


def test_kinds_that_do_not_match() -> None:
    @fraiseql.input
    class Box:
        size: int

    execute(f"CREATE FUNCTION fn_kinds(p_box text, p_one int[]) RETURNS void {SAFE} 'SELECT'")
    declare("fn_kinds", {"box": Box, "one": int})
    assert "It must be jsonb, for an object." in only("E133")

    declare("fn_kinds", {"box": str, "one": int})
    assert "It must be no array, for a single value." in only("E133")

    execute(f"CREATE FUNCTION fn_unnamed(int) RETURNS void {SAFE} 'SELECT'")
    declare("fn_unnamed", {"one": int})
    assert "It takes: (unnamed)." in only("E133")
    declare("fn_unnamed", {})
    assert "needs '(unnamed)'" in only("E133")


@pytest.mark.parametrize(
    ("returns", "declared", "expected"),
    [
        ("void", "Stall", "returns Stall, and fn_returns() returns nothing."),
        ("boolean", "Stall", "or the uuid of the row written."),
        ("SETOF uuid", "Stall", "returns several."),
        ("uuid", list["Stall"], "returns list[Stall], and fn_returns() returns one uuid."),  # type: ignore[name-defined]  # noqa: F821
        ("void", int, "Let it return jsonb or a row of the payload."),
    ],
)
def test_what_is_returned_does_not_match(returns: str, declared: Any, expected: str) -> None:
    execute(f"CREATE FUNCTION fn_returns() RETURNS {returns} LANGUAGE plpgsql AS 'BEGIN END'")
    declare("fn_returns", {"returns": declared})

    assert expected in only("E134")


@pytest.mark.parametrize(
    ("annotation", "pg_type", "fits"),
    [
        (str, "text", True), (str, "citext_like", True), (str, "integer", False), (str, "mood", True),
        (int, "bigint", True), (int, "text", True), (int, "date", False), (int, "mood", False),
        (Decimal, "double precision", True), (UUID, "uuid", True), (UUID, "text", True),
        (UUID, "integer", False), (scalars.ID, "bigint", True), (scalars.ID, "uuid", True),
        (scalars.ID, "date", False), (datetime, "date", True), (date, "timestamptz", True),
        (datetime, "uuid", False), (Mood, "mood", True), (Mood, "text", True), (Mood, "other_mood", False),
        (Mood, "integer", False), (scalars.IpAddress, "cidr", True), (bool, "boolean", True),
        (bool, "integer", False), (list[int], "bigint[]", True), (list[UUID], "integer[]", False),
        (str, "box_type", True), (scalars.JSON, "jsonb", True), (list[str], "jsonb", True),
    ],
)  # fmt: skip
def test_the_types_of_arguments(annotation: Any, pg_type: str, fits: bool) -> None:
    execute(
        "CREATE TYPE mood AS ENUM ('good', 'bad', 'so')", "CREATE TYPE other_mood AS ENUM ('good')",
        "CREATE TYPE box_type AS (a int)", "CREATE DOMAIN citext_like AS varchar(9)",
        f"CREATE FUNCTION fn_typed(p_it {pg_type}) RETURNS void LANGUAGE plpgsql AS 'BEGIN END'",
    )  # fmt: skip
    fraiseql.enum(Mood)
    declare("fn_typed", {"it": annotation})

    assert [message.id for message in found()] == ([] if fits else ["fraiseql.E135"])
    assert fits or "The argument 'p_it' of fn_typed is" in only("E135")


def test_functions_with_the_rights_of_their_owner() -> None:
    execute(f"CREATE FUNCTION fn_own() RETURNS void {SAFE} 'SELECT'")
    declare("fn_own", {})
    assert found() == []

    execute("ALTER FUNCTION fn_own SECURITY DEFINER")
    assert [message.id for message in found()] == ["fraiseql.W136", "fraiseql.W137"]

    execute("ALTER FUNCTION fn_own SET search_path = public, pg_temp")
    assert "REVOKE EXECUTE ON FUNCTION public.fn_own() FROM PUBLIC" in only("W137")

    execute("REVOKE EXECUTE ON FUNCTION fn_own FROM PUBLIC")
    assert found() == []

    execute("ALTER FUNCTION fn_own STABLE")
    assert "VOLATILE" in only("W138")
