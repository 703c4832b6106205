"""Every SQLSTATE of the contract, provoked in PostgreSQL, becomes the right error on both ways."""

import asyncio

import psycopg
import pytest
from django.db import connections

from fraiseql.db import faults, pool, sync
from fraiseql.db.statement import Statement
from fraiseql.errors import (
    BadUserInput,
    Conflict,
    DatabaseFault,
    Forbidden,
    FraiseQLError,
    NotFound,
    ServiceUnavailable,
    StaleCatalog,
    Timeout,
    Unauthenticated,
)

SECRET = "tr0ub4dor"

SCHEMA = """
DROP TABLE IF EXISTS thing;
CREATE TABLE thing (
    id int PRIMARY KEY, name varchar(3) NOT NULL, parent int REFERENCES thing,
    size int CHECK (size > 0), during int4range, EXCLUDE USING gist (during WITH &&)
);
INSERT INTO thing VALUES (1, 'a', NULL, 1, '[1,5)');
CREATE OR REPLACE FUNCTION refuse(state text, message text) RETURNS int LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = 'tr0ub4dor'; END $$;
CREATE EXTENSION IF NOT EXISTS ltree;
"""

PROVOKED: list[tuple[str, str, type[FraiseQLError]]] = [
    ("23505", "INSERT INTO thing VALUES (1, 'b')", Conflict),
    ("23P01", "INSERT INTO thing VALUES (2, 'b', NULL, 1, '[2,3)')", Conflict),
    ("23502", "INSERT INTO thing VALUES (2, NULL)", BadUserInput),
    ("23503", "INSERT INTO thing VALUES (2, 'b', 77)", BadUserInput),
    ("23514", "INSERT INTO thing VALUES (2, 'b', NULL, -1)", BadUserInput),
    ("23001", "SELECT refuse('23001', 'restrict')", BadUserInput),
    ("22001", "INSERT INTO thing VALUES (2, 'tr0ub4dor')", BadUserInput),
    ("22003", "SELECT '99999'::int2", BadUserInput),
    ("22007", "SELECT 'tr0ub4dor'::date", BadUserInput),
    ("22008", "SELECT '2024-13-45'::date", BadUserInput),
    ("22012", "SELECT 1 / 0", BadUserInput),
    ("2201B", "SELECT 'a' ~ '['", BadUserInput),
    ("22021", "SELECT convert_from('\\xff', 'UTF8')", BadUserInput),
    ("22P02", "SELECT 'tr0ub4dor'::uuid", BadUserInput),
    ("2201G", "SELECT width_bucket(1, 2, 1, 0)", BadUserInput),
    ("42601", "SELECT to_tsquery('simple', 'tr0ub4dor &')", BadUserInput),
    ("42601", "SELECT 'a.*{x'::lquery", BadUserInput),
    ("42601", "SELECT jsonb_path_exists('{}', '$.a[')", BadUserInput),
    ("42622", "SELECT refuse('42622', 'label too long')", BadUserInput),
    ("54000", "SELECT repeat('tr0ub4dor', 300)::tsquery", BadUserInput),
    ("54001", "SELECT refuse('54001', 'too deep')", BadUserInput),
    ("P0001", "SELECT refuse('P0001', 'Pick another name.')", BadUserInput),
    ("P0002", "SELECT refuse('P0002', 'no rows')", NotFound),
    ("PT401", "SELECT refuse('PT401', 'who')", Unauthenticated),
    ("PT404", "SELECT refuse('PT404', 'where')", NotFound),
    ("42501", "SELECT refuse('42501', 'permission denied')", Forbidden),
    ("40001", "SELECT refuse('40001', 'serialize')", Conflict),
    ("40P01", "SELECT refuse('40P01', 'deadlock')", Conflict),
    ("55P03", "SELECT refuse('55P03', 'lock')", Conflict),
    ("57014", "SELECT refuse('57014', 'cancelled')", Timeout),
    ("53300", "SELECT refuse('53300', 'too many')", ServiceUnavailable),
    ("53100", "SELECT refuse('53100', 'disk full')", ServiceUnavailable),
    ("57P03", "SELECT refuse('57P03', 'starting up')", ServiceUnavailable),
    ("08006", "SELECT refuse('08006', 'lost')", ServiceUnavailable),
    ("42P01", "SELECT * FROM tr0ub4dor", StaleCatalog),
    ("42703", "SELECT tr0ub4dor FROM thing", StaleCatalog),
    ("3F000", "SELECT nowhere.f()", StaleCatalog),
    ("42601", "SELEC tr0ub4dor", DatabaseFault),
    ("42883", "SELECT tr0ub4dor(1)", StaleCatalog),
    ("0A000", "SELECT refuse('0A000', 'unsupported')", DatabaseFault),
    ("XX000", "SELECT refuse('XX000', 'internal')", DatabaseFault),
]


@pytest.fixture(autouse=True)
def schema(client: psycopg.Connection) -> None:
    client.execute(SCHEMA)


def _state(error: BaseException) -> str | None:
    cause = faults.database_error(error.__cause__) if error.__cause__ else None
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


@pytest.mark.parametrize(("state", "text", "kind"), PROVOKED)
@pytest.mark.usefixtures("as_served")
def test_each_state_becomes_one_error_on_both_ways(
    state: str, text: str, kind: type[FraiseQLError], alias: str
) -> None:
    statement = Statement(text, writes=text.startswith("INSERT"))

    with pytest.raises(FraiseQLError) as ours:
        sync.fetch(statement, alias)
    with pytest.raises(FraiseQLError) as async_ours:
        asyncio.run(pool.fetch(statement, alias))

    for error in (ours.value, async_ours.value):
        assert type(error) is kind
        assert _state(error) == state
        assert SECRET not in str(error)
    assert str(ours.value) == str(async_ours.value)
    assert ours.value.hint == async_ours.value.hint


def test_raise_exception_speaks_for_itself(alias: str) -> None:
    with pytest.raises(BadUserInput, match=r"^Pick another name\.$"):
        sync.fetch(Statement("SELECT refuse('P0001', 'Pick another name.')"), alias)


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
@pytest.mark.usefixtures("as_served")
def test_text_that_cannot_be_stored_is_refused_on_both_ways(value: str, alias: str) -> None:
    statement = Statement("SELECT %s::text", (value,))

    with pytest.raises(BadUserInput):
        sync.fetch(statement, alias)
    with pytest.raises(BadUserInput):
        asyncio.run(pool.fetch(statement, alias))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.DataError("NUL"), BadUserInput),
        (psycopg.OperationalError("gone"), ServiceUnavailable),
        (psycopg.ProgrammingError("misused"), DatabaseFault),
        (ValueError("not of the database"), DatabaseFault),
    ],
)
def test_errors_without_state_are_told_apart(error: Exception, kind: type[FraiseQLError]) -> None:
    assert type(faults.fault(error)) is kind


def test_without_autocommit_a_failed_statement_is_undone_alone(alias: str) -> None:
    connection = connections[alias]
    connection.set_autocommit(False)
    try:
        with pytest.raises(BadUserInput):
            sync.fetch(Statement("SELECT 1 / 0"), alias)

        assert sync.fetch(Statement("SELECT 1"), alias).column(0) == [b"1"]
    finally:
        connection.rollback()
        connection.set_autocommit(True)
