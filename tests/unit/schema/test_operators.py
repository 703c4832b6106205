from collections import Counter
from string import Formatter

import pytest
from psycopg.sql import SQL, Identifier

from fraiseql.engine.sql.operators import (
    Column,
    Json,
    condition,
    encoder,
    nullable,
    sort_key,
    sort_type,
)
from fraiseql.schema.operators import LIST, OPERATORS, Operator, operators_for
from fraiseql.schema.scalars import SCALARS

CONTRACT = {
    "String": "eq neq gt gte lt lte in nin isnull contains icontains startswith istartswith endswith"
    " iendswith like ilike matches imatches",
    "Int": "eq neq gt gte lt lte in nin isnull",
    "DateTime": "eq neq gt gte lt lte in nin isnull",
    "Boolean": "eq neq in nin isnull",
    "UUID": "eq neq in nin isnull",
    "IpAddress": "eq in inSubnet inRange isPrivate isPublic isIPv4 isIPv6",
    "LTree": "eq ancestor_of descendant_of matches_lquery matches_ltxtquery nlevel_eq nlevel_neq"
    " nlevel_gt nlevel_gte nlevel_lt nlevel_lte",
    "DateRange": "contains_date overlaps adjacent strictly_left strictly_right not_left not_right",
    "JSON": "has_key has_any_keys has_all_keys contains contained_by path_exists path_match",
    "TSVector": "matches plain_query phrase_query websearch_query isnull",
}
LIST_CONTRACT = (
    "contains contained_by overlaps len_eq len_neq len_gt len_gte len_lt len_lte any_eq all_eq"
)
DOCUMENT = Json(SQL("(t.data->'x')"), SQL("(t.data->>'x')"))


def named(scalar: str, name: str, is_list: bool = False) -> Operator:
    return next(row for row in operators_for(SCALARS[scalar], is_list) if row.name == name)


def rendered(scalar: str, name: str, operand: Column | Json, is_list: bool = False) -> str:
    operator = named(scalar, name, is_list)
    return condition(operator, SCALARS[scalar], operand, is_list, SQL("%s")).as_string(None)


def column(pg_type: str) -> Column:
    return Column(Identifier("t", "x"), pg_type)


@pytest.mark.parametrize("scalar", CONTRACT)
def test_operators_keep_their_names(scalar: str) -> None:
    found = {row.name for row in operators_for(SCALARS[scalar], is_list=False)}

    assert set(CONTRACT[scalar].split()) <= found


def test_lists_have_operators_of_their_own() -> None:
    found = {row.name for row in operators_for(SCALARS["Int"], is_list=True)}

    assert found == {"eq", "neq", "isnull", *LIST_CONTRACT.split()}


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("is_list", [False, True])
def test_names_are_unique_within_a_field(scalar: str, is_list: bool) -> None:
    counted = Counter(row.name for row in operators_for(SCALARS[scalar], is_list))

    assert counted.most_common(1)[0][1] == 1


def test_ids_and_uuids_share_one_filter() -> None:
    assert operators_for(SCALARS["ID"], is_list=False) == operators_for(
        SCALARS["UUID"], is_list=False
    )


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda row: f"{row.families[0]}-{row.name}")
def test_row_is_whole(operator: Operator) -> None:
    kinds = {"same", "list", "boolean", "int", "text", "texts", "json", *SCALARS}
    families = {LIST, "enum", *(scalar.family for scalar in SCALARS.values())}
    for template in (operator.sql, operator.json_sql):
        slots = Counter(slot for _, slot, _, _ in Formatter().parse(template or "{value}") if slot)
        # One parameter, once: a placeholder that is repeated would need a second value.
        assert slots.pop("value") == 1
        assert set(slots) <= {"field", "text", "null", "json"}

    assert operator.description.endswith(".")
    assert operator.argument in kinds
    assert set(operator.families) <= families


@pytest.mark.parametrize(
    ("scalar", "operator", "operand", "sql"),
    [
        ("UUID", "eq", column("uuid"), '"t"."x" = %s'),
        ("UUID", "eq", DOCUMENT, "((t.data->>'x'))::uuid = %s::uuid"),
        ("UUID", "eq", column("text"), '("t"."x")::uuid = %s::uuid'),
        ("ID", "in", column("bigint"), '"t"."x" = ANY (%s)'),
        ("Int", "in", column("bigint"), '"t"."x" = ANY (%s::int4[])'),
        ("Int", "gt", column("numeric(10,2)"), '"t"."x" > %s'),
        ("Float", "gt", column("integer"), '"t"."x" > %s::numeric'),
        ("String", "contains", column("character varying(20)"), '"t"."x" LIKE %s::text'),
        ("String", "contains", column('public."mood"'), '("t"."x")::text LIKE %s::text'),
        ("String", "eq", column('"50% off"'), '"t"."x" = %s'),
        ("String", "ilike", column("extensions.citext"), '"t"."x" ILIKE %s::text'),
        ("Int", "isnull", column("integer"), '("t"."x" IS NULL) = %s::boolean'),
        ("Int", "isnull", DOCUMENT, "((t.data->>'x') IS NULL) = %s::boolean"),
        ("JSON", "has_key", DOCUMENT, "(t.data->'x') ? %s::text"),
        ("LTree", "matches_any_lquery", column("ltree"), '"t"."x" ? %s::lquery[]'),
        ("DateTime", "lt", column("timestamp(3) without time zone"), '"t"."x" < %s'),
        ("Date", "lt", column("timestamp with time zone"), '("t"."x")::date < %s::date'),
    ],
)
def test_only_columns_of_other_types_are_cast(
    scalar: str, operator: str, operand: Column | Json, sql: str
) -> None:
    assert rendered(scalar, operator, operand) == sql


@pytest.mark.parametrize(
    ("scalar", "operator", "operand", "sql"),
    [
        ("String", "contains", column("text[]"), '"t"."x" @> %s'),
        ("String", "any_eq", DOCUMENT, "(t.data->'x') @> to_jsonb(%s::text[])"),
        ("Int", "len_gt", column("integer[]"), 'cardinality("t"."x") > %s::int4'),
        ("Int", "any_eq", column("text[]"), '("t"."x")::int4[] @> %s::int4[]'),
    ],
)
def test_lists_compare_as_arrays(
    scalar: str, operator: str, operand: Column | Json, sql: str
) -> None:
    assert rendered(scalar, operator, operand, is_list=True) == sql


def test_lists_of_what_json_spells_otherwise_are_opened() -> None:
    sql = rendered("DateTime", "overlaps", DOCUMENT, is_list=True)

    assert sql == (
        "CASE WHEN jsonb_typeof((t.data->'x')) = 'array' THEN ARRAY(SELECT (item)::timestamptz"
        " FROM jsonb_array_elements_text((t.data->'x')) AS item) END && %s::timestamptz[]"
    )


@pytest.mark.parametrize(
    ("scalar", "operator", "is_list", "value", "text"),
    [
        ("String", "contains", False, "50%_\\", "%50\\%\\_\\\\%"),
        ("String", "istartswith", False, "_", "\\_%"),
        ("String", "endswith", False, "%", "%\\%"),
        ("String", "like", False, "50%", "50%"),
        ("String", "in", False, ['a"b', "c\\d", "", "NULL", "{,}"], '{"a\\"b","c\\\\d","","NULL","{,}"}'),
        ("String", "in", False, [], "{}"),
        ("String", "any_eq", True, "a", '{"a"}'),
        # find(where={"tags": {"contains": "a"}}) in Python, where nothing made it a list.
        ("String", "contains", True, "a", '{"a"}'),
        ("Boolean", "isnull", False, True, "true"),
        ("String", "len_gt", True, 3, "3"),
        ("JSON", "has_any_keys", False, ["a"], '{"a"}'),
        ("JSON", "contains", False, {"a": None}, '{"a":null}'),
        ("JSON", "eq", False, "text", '"text"'),
        ("IpAddress", "inSubnet", False, SCALARS["CIDR"].parse("10.0.0.0/8"), "10.0.0.0/8"),
        ("IpAddress", "inRange", False, SCALARS["IpRange"].parse("::1-::2"), "{::1,::2}"),
    ],
)  # fmt: skip
def test_arguments_are_written_for_postgresql(
    scalar: str, operator: str, is_list: bool, value: object, text: str
) -> None:
    assert encoder(named(scalar, operator, is_list), SCALARS[scalar], is_list)(value) == text


@pytest.mark.parametrize(
    ("scalar", "operand", "key", "pg_type"),
    [
        ("Int", column("integer"), '"t"."x"', "integer"),
        ("Int", column("text"), '("t"."x")::int4', "int4"),
        ("Int", DOCUMENT, "((t.data->>'x'))::int4", "int4"),
        ("String", DOCUMENT, "(t.data->>'x')", "text"),
        ("String", column("jsonb"), '("t"."x" #>> \'{}\')', "text"),
        ("DateTime", column("json"), '((("t"."x")::jsonb #>> \'{}\'))::timestamptz', "timestamptz"),
    ],
)
def test_sort_key_has_the_scalars_type(
    scalar: str, operand: Column | Json, key: str, pg_type: str
) -> None:
    assert sort_key(SCALARS[scalar], operand).as_string(None) == key
    assert sort_type(SCALARS[scalar], operand) == pg_type


@pytest.mark.parametrize(
    ("operand", "sql"),
    [
        (column("integer"), '"t"."x"'),
        (column("jsonb"), '("t"."x" #>> \'{}\')'),
        (column("json"), '(("t"."x")::jsonb #>> \'{}\')'),
        (DOCUMENT, "(t.data->>'x')"),
    ],
)
def test_null_of_json_is_null(operand: Column | Json, sql: str) -> None:
    assert nullable(operand).as_string(None) == sql
