"""Statements say their text and parameters the way each side of the room needs them."""

import pytest

from fraiseql.db.statement import Statement, encoded, numbered
from fraiseql.errors import BadUserInput


def test_placeholders_are_numbered_and_percent_signs_unescaped() -> None:
    text = "SELECT %s WHERE a %% 2 = %s AND b LIKE '100%%s' AND c = %s"

    assert numbered(text) == b"SELECT $1 WHERE a % 2 = $2 AND b LIKE '100%s' AND c = $3"


def test_text_is_encoded_as_utf_8() -> None:
    assert numbered('SELECT "größe"') == 'SELECT "größe"'.encode()


def test_parameters_are_bytes_and_null_is_none() -> None:
    assert encoded(("é", None, "")) == ["é".encode(), None, b""]


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_what_postgresql_cannot_store_is_refused_without_the_value(value: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        encoded(("fine", value))

    assert value not in str(caught.value)


def test_more_parameters_than_the_protocol_counts_are_refused() -> None:
    with pytest.raises(BadUserInput, match="70000 values"):
        encoded(("1",) * 70_000)


def test_a_statement_reads_and_has_no_parameters_unless_told() -> None:
    statement = Statement("SELECT 1")

    assert statement.params == ()
    assert not statement.writes
