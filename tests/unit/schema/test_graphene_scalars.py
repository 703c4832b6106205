import datetime as dt
import ipaddress
import json
import uuid
from decimal import Decimal
from typing import Any

import graphene
import pytest
from graphql import GraphQLError, Undefined, parse_value
from hypothesis import given, settings
from hypothesis import strategies as st

from fraiseql.engine.result.reference import Shape
from fraiseql.schema import shape
from fraiseql.schema.graphene_scalars import (
    adopt,
    graphene_scalar,
    literal_value,
    output_value,
    parse_literal,
)
from fraiseql.schema.scalars import SCALARS

# Floats whose digits JSON and Python write alike; a document's are never read as floats.
FLOATS = st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
TIMESTAMPS = st.from_regex(
    r"\A\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d(:?\d\d)?)?\Z"
)
VALUES = st.recursive(
    st.booleans() | st.integers() | FLOATS | st.text(st.characters(codec="utf-8")) | TIMESTAMPS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=5,
)
KINDS = {scalar.output: scalar for scalar in reversed(SCALARS.values())}


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(value=VALUES)
def test_output_is_the_projectors(kind: int, value: Any) -> None:
    document = json.dumps(value)
    projected, errors = Shape((kind, 1)).project_row(document.encode())
    try:
        found = output_value(KINDS[kind], json.loads(document, parse_float=Decimal))
    except ValueError:
        assert errors
    else:
        assert not errors
        assert json.loads(json.dumps(found, default=float)) == json.loads(projected)


@pytest.mark.parametrize(
    ("name", "value", "output"),
    [
        ("UUID", uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("ID", uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("ID", 5, "5"),
        ("String", uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("String", True, "true"),
        ("String", Decimal("1E+3"), "1000"),
        ("DateTime", dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "2024-01-01T00:00:00+00:00"),
        ("DateTime", dt.datetime(2024, 1, 1), "2024-01-01T00:00:00+00:00"),  # noqa: DTZ001 - a resolver's
        ("DateTime", "2024-01-01 00:00:00.5+0530", "2024-01-01T00:00:00.5+05:30"),
        ("Date", dt.date(2024, 1, 1), "2024-01-01"),
        ("Time", dt.time(1, 2, 3), "01:02:03"),
        ("Duration", dt.timedelta(days=1, hours=2), "1 day 02:00:00"),
        ("Decimal", Decimal("1.10"), "1.10"),
        ("BigInt", 2**60, str(2**60)),
        ("IpAddress", ipaddress.ip_address("::1"), "::1"),
        ("Int", Decimal("1.0"), 1),
        ("Float", 1, 1),
        ("Vector", (1.0, 2.0), [1.0, 2.0]),
        ("JSON", {"a": 1}, {"a": 1}),
    ],
)
def test_python_values_go_out(name: str, value: Any, output: Any) -> None:
    found = output_value(SCALARS[name], value)

    assert found == output
    assert type(found) is type(output)


@pytest.mark.parametrize(
    ("name", "value"),
    [("UUID", 5), ("DateTime", "infinity"), ("Int", "5"), ("Decimal", Decimal("NaN")),
     ("Decimal", float("inf")), ("Float", "1"), ("ID", 1.5), ("Email", b"a"), ("String", [1])],
)  # fmt: skip
def test_what_a_scalar_does_not_hold_does_not_go_out(name: str, value: Any) -> None:
    with pytest.raises(ValueError):
        output_value(SCALARS[name], value)


def test_graphqls_own_scalars_are_graphenes() -> None:
    assert graphene_scalar(SCALARS["Int"]) is graphene.Int
    assert graphene_scalar(SCALARS["ID"]) is graphene.ID


def test_a_row_has_one_graphene_class() -> None:
    made = graphene_scalar(SCALARS["Email"])

    assert made is graphene_scalar(SCALARS["Email"])
    assert made._meta.name == "Email"
    assert made._meta.description == SCALARS["Email"].description


@pytest.mark.parametrize(
    ("name", "literal", "parsed"),
    [
        ("JSON", '{a: [1, 2.5, "x", true, null]}', {"a": [1, 2.5, "x", True, None]}),
        ("JSON", "null", None),
        ("JSON", "{a: $x, b: $missing, c: [$x, $missing]}", {"a": {"y": 1}, "c": [{"y": 1}, None]}),
        ("Decimal", "1.10", Decimal("1.10")),
        ("Decimal", "12345678901234567890.12345", Decimal("12345678901234567890.12345")),
        ("BigInt", "9223372036854775807", 2**63 - 1),
        ("BigInt", "1e3", 1000),
        ("Vector", "[1, 2]", (1.0, 2.0)),
        ("Email", '"a@example.com"', "a@example.com"),
        ("Latitude", "5", 5.0),
    ],
)
def test_literals_are_read(name: str, literal: str, parsed: Any) -> None:
    node = parse_value(literal)

    assert parse_literal(SCALARS[name], node, {"x": {"y": 1}}) == parsed


@pytest.mark.parametrize(
    ("name", "literal"),
    [("Email", "a"), ("Email", "5"), ("JSON", "{a: RED}"), ("BigInt", "1.5"), ("BigInt", "1" * 5000),
     ("Latitude", "1e999"), ("Vector", "[1, null]"), ("UUID", "true"), ("Decimal", "1e999999999")],
)  # fmt: skip
def test_wrong_literals_are_graphql_errors(name: str, literal: str) -> None:
    with pytest.raises(GraphQLError, match=f"{name}: "):
        graphene_scalar(SCALARS[name]).parse_literal(parse_value(literal))


def test_errors_do_not_repeat_the_value() -> None:
    made = graphene_scalar(SCALARS["Email"])

    for call in (made.parse_value, made.serialize):
        with pytest.raises(GraphQLError) as caught:
            call(["hunter2"])
        assert "hunter2" not in str(caught.value)


def test_literal_with_variables_waits_for_them() -> None:
    made = graphene_scalar(SCALARS["Vector"])
    node = parse_value("[1, $x]")

    assert made.parse_literal(node) is None
    assert made.parse_literal(node, {"x": 2}) == (1.0, 2.0)
    with pytest.raises(GraphQLError):
        made.parse_literal(node, {})


def test_nested_variables_reach_a_json_argument() -> None:
    json_scalar = graphene_scalar(SCALARS["JSON"])

    class Query(graphene.ObjectType):
        echo = json_scalar(value=json_scalar())

        def resolve_echo(self, _info: Any, value: Any = Undefined) -> Any:
            return value

    result = graphene.Schema(Query).execute(
        "query($x: String, $y: String) { echo(value: {a: [$x], b: $y, c: {d: $x}}) }",
        variables={"x": "5"},
    )

    assert result.errors is None
    assert result.data == {"echo": {"a": ["5"], "c": {"d": "5"}}}


def test_graphenes_own_scalars_are_adopted() -> None:
    class Query(graphene.ObjectType):
        at = graphene.DateTime(given=graphene.DateTime())
        name = graphene.String()

        def resolve_at(self, _info: Any, given: Any) -> Any:
            return given

    schema = graphene.Schema(Query)
    adopt(schema.graphql_schema.type_map)

    accepted = schema.execute('{ at(given: "2024-01-01 02:00:00+02:00") }')
    refused = schema.execute('{ at(given: "2024-01-01") }')
    described = schema.execute('{ __type(name: "DateTime") { specifiedByURL description } }')

    assert accepted.data == {"at": "2024-01-01T02:00:00+02:00"}
    assert "RFC 3339" in refused.errors[0].message
    assert described.data["__type"] == {
        "specifiedByURL": SCALARS["DateTime"].specified_by,
        "description": SCALARS["DateTime"].description,
    }


def test_literal_value_keeps_order() -> None:
    node = parse_value("{b: 1, a: 2}")

    assert list(literal_value(node, {})) == ["b", "a"]


def test_every_kind_of_leaf_goes_out() -> None:
    named = set(range(shape.STRING, shape.ENUM + 1))

    # Enums are completed by their own specs.
    assert named - set(KINDS) == {shape.ENUM}
