"""Plans to SQL text; what PostgreSQL makes of it is in tests/integration/engine."""

import pytest

from fraiseql.db.catalog import Column, Relation
from fraiseql.engine.plan.plan import Every, Page, Plan, Read
from fraiseql.engine.sql.compile import compile_plan
from fraiseql.engine.sql.scope import has_document_column, identifier, literal
from fraiseql.errors import ConfigurationError
from fraiseql.schema import build
from fraiseql.schema.specs import RootKind

SPECS = build.get_schema().objects


def relation(kind: str, **columns: str) -> Relation:
    return Relation(
        "public",
        "v_maker",
        kind,
        {
            name: Column(name, type_, type_ in ("json", "jsonb"), False, number)
            for number, (name, type_) in enumerate(columns.items(), 1)
        },
        (),
    )


def read(keys: tuple[str, ...] = ("name",), limit: int = 3) -> Read:
    return Read("maker", RootKind.MANY, SPECS["Maker"], Every(()), (), Page(limit), keys)


def text(plan: Plan, **columns: str) -> str:
    return compile_plan(plan, {"v_maker": relation("view", **columns)}).text


def test_the_document_column_is_read_as_it_is() -> None:
    assert text(Plan((read(),)), id="uuid", data="jsonb") == (
        'SELECT t."data" FROM "public"."v_maker" AS t LIMIT 3'
    )


def test_columns_are_put_together() -> None:
    statement = text(Plan((read(("name", "country")),)), id="uuid", name="text", country="text")

    assert "row_to_json" in statement
    assert 't."name", t."country"' in statement


def test_a_text_column_called_data_is_no_document() -> None:
    assert not has_document_column(SPECS["Maker"], relation("view", data="text"))
    assert has_document_column(SPECS["Maker"], relation("view", data="json"))
    assert not has_document_column(SPECS["Courier"], relation("view", data="json"))


def test_a_missing_view_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'v_maker' of Maker does not exist") as caught:
        compile_plan(Plan((read(),)), {})

    assert "migrate" in str(caught.value.hint)


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="has no column 'name'") as caught:
        text(Plan((read(),)), id="uuid", title="text")

    assert caught.value.hint == "Its columns: id, title."


def test_several_reads_are_numbered() -> None:
    other = Read("other", RootKind.MANY, SPECS["Maker"], Every(()), (), Page(1), ("name",))
    statement = text(Plan((read(), other)), data="jsonb")

    assert statement.count("UNION ALL") == 1
    assert statement.startswith("SELECT 0 AS f")
    assert "SELECT 1 AS f" in statement


def test_names_are_quoted_and_percent_signs_doubled() -> None:
    assert identifier('a"b', "50%").as_string(None) == '"a""b"."50%%"'
    assert literal("it's 50%").as_string(None) == "'it''s 50%%'"
