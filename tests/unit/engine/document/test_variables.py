"""Variables, coerced."""

from typing import Any

import pytest
from graphql import GraphQLError, GraphQLScalarType, build_schema, parse
from graphql.language import OperationDefinitionNode

from fraiseql.engine.document.limits import MAX_NESTING, MAX_OBJECTS
from fraiseql.engine.document.variables import compile_variables
from fraiseql.errors import BadUserInput

SCHEMA = build_schema("""
    directive @oneOf on INPUT_OBJECT
    type Query { f(x: Int): Int, g: Float, h: ID }
    enum Grade { LOW HIGH }
    scalar Even
    scalar Odd
    input Box { name: String!, size: Int = 1, grade: Grade, lids: [Box!], tags: [[String]] }
    input Choice @oneOf { a: Int, b: String }
""")


def _even(value: Any) -> Any:
    if value % 2:
        raise GraphQLError("Even: it is odd.")
    return value


even: GraphQLScalarType = SCHEMA.type_map["Even"]  # type: ignore[assignment]  # a scalar
even.parse_value = _even  # type: ignore[method-assign]  # as graphene does


def coerce(definitions: str, **raw: Any) -> dict[str, Any]:
    node = parse(f"query ({definitions}) {{ f }}").definitions[0]
    assert isinstance(node, OperationDefinitionNode)
    return compile_variables(SCHEMA, node)(raw)


def faults(definitions: str, **raw: Any) -> list[str]:
    with pytest.raises(BadUserInput) as caught:
        coerce(definitions, **raw)
    return [error["message"] for error in caught.value.extensions["errors"]]


def test_an_operation_without_variables_ignores_what_is_sent() -> None:
    node = parse("{ f }").definitions[0]
    assert isinstance(node, OperationDefinitionNode)

    assert compile_variables(SCHEMA, node)({"x": 1}) == {}


@pytest.mark.parametrize(
    ("declared", "sent", "coerced"),
    [
        ("Int", 1, 1),
        ("Int", None, None),
        ("Int", 1.0, 1),
        ("Float", 1, 1.0),
        ("ID", 5, "5"),
        ("ID", "x", "x"),
        ("String", "é", "é"),
        ("[Int]", 1, [1]),
        ("[Int]", [1, None], [1, None]),
        ("[Int]", None, None),
        ("[[Int!]]", [[1], None], [[1], None]),
        ("[[Int]]", 1, [[1]]),
        ("Grade", "LOW", "LOW"),
        ("Grade", None, None),
        ("Even", 4, 4),
        ("Box", None, None),
        ("Box", {"name": "a"}, {"name": "a", "size": 1}),
        ("Box", {"name": "a", "size": None}, {"name": "a", "size": None}),
        (
            "Box",
            {"name": "a", "lids": {"name": "b", "size": 2}, "tags": ["x"]},
            {"name": "a", "size": 1, "lids": [{"name": "b", "size": 2}], "tags": [["x"]]},
        ),
        ("Choice", {"a": 1}, {"a": 1}),
    ],
)
def test_coercion(declared: str, sent: Any, coerced: Any) -> None:
    assert coerce(f"$x: {declared}", x=sent) == {"x": coerced}


@pytest.mark.parametrize(
    ("declared", "sent", "message"),
    [
        ("Int", "1", ": it is not a Int."),
        ("Int", True, ": it is not a Int."),
        ("Int", 2**31, ": it is not a Int."),
        ("Float", float("inf"), ": it is not a Float."),
        ("String", 5, ": it is not a String."),
        ("ID", 1.5, ": it is not a ID."),
        ("Boolean", "true", ": it is not a Boolean."),
        ("Int!", None, ": Int! may not be null."),
        ("[Int!]", [1, None], " at [1]: Int! may not be null."),
        ("[Int]", [1, "x"], " at [1]: it is not a Int."),
        ("Grade", "MIDDLE", ": it is not one of Grade's values."),
        ("Grade", 1, ": it is not one of Grade's values."),
        ("Grade", ["LOW"], ": it is not one of Grade's values."),
        ("Even", 3, ": Even: it is odd."),
        ("Even", "secret", ": it is not a Even."),
        ("Box", 5, ": Box must be an object."),
        ("Box", {}, ": Box needs the field 'name'."),
        ("Box", {"name": None}, " at name: String! may not be null."),
        ("Box", {"name": "a", "other": 1}, ": Box has no field 'other'."),
        ("Box", {"name": "a", "lids": [{"name": 5}]}, " at lids[0].name: it is not a String."),
        ("[Box]", [{"name": "a"}, {}], " at [1]: Box needs the field 'name'."),
        ("Choice", {}, ": Choice takes exactly one field, which is not null."),
        ("Choice", {"a": 1, "b": "x"}, ": Choice takes exactly one field, which is not null."),
        ("Choice", {"a": None}, ": Choice takes exactly one field, which is not null."),
    ],
)
def test_refusals_name_the_place_and_not_the_value(declared: str, sent: Any, message: str) -> None:
    assert faults(f"$x: {declared}", x=sent) == [f"Variable '$x' has a wrong value{message}"]


def test_absent_variables() -> None:
    assert coerce("$a: Int, $b: Int = 2, $c: Int! = 3, $d: Int = null") == {
        "b": 2,
        "c": 3,
        "d": None,
    }
    assert faults("$a: Int!") == ["Variable '$a' is required and was not sent."]


def test_null_is_no_default() -> None:
    assert coerce("$b: Int = 2", b=None) == {"b": None}
    assert faults("$c: Int! = 3", c=None) == [
        "Variable '$c' has a wrong value: Int! may not be null."
    ]


def test_all_wrong_variables_are_named_with_their_places() -> None:
    with pytest.raises(BadUserInput) as caught:
        coerce("$a: Int!, $b: Int", b="x")

    assert [error["locations"] for error in caught.value.extensions["errors"]] == [
        [{"line": 1, "column": 8}], [{"line": 1, "column": 18}],
    ]  # fmt: skip


def test_a_secret_is_not_repeated() -> None:
    assert "hunter2" not in str(
        faults("$a: Int, $b: Grade, $c: Box", a="hunter2", b="hunter2", c="hunter2")
    )


def test_recursive_input_objects_nest_to_a_bound() -> None:
    box: dict[str, Any] = {"name": "a"}
    for _ in range(200):
        box = {"name": "a", "lids": [box]}

    assert faults("$x: Box", x=box) == [
        f"Variable '$x' has a wrong value: it nests more than {MAX_NESTING} levels."
    ]


def test_a_document_without_places_has_faults_without_them() -> None:
    node = parse("query ($a: Int!) { f }", no_location=True).definitions[0]
    assert isinstance(node, OperationDefinitionNode)
    with pytest.raises(BadUserInput) as caught:
        compile_variables(SCHEMA, node)({})

    assert caught.value.extensions["errors"] == [
        {"message": "Variable '$a' is required and was not sent."}
    ]


@pytest.mark.parametrize("declared", ["Box", "[Choice!]"])
def test_a_query_may_send_so_many_objects(declared: str) -> None:
    def sent(objects: int) -> Any:
        if declared == "Box":
            return {"name": "a", "lids": [{"name": "b"}] * (objects - 1)}
        return [{"a": 1}] * objects

    assert coerce(f"$a: {declared}", a=sent(MAX_OBJECTS))["a"]
    assert faults(f"$a: {declared}", a=sent(MAX_OBJECTS + 1)) == [
        "Variable '$a' has a wrong value: it has more than 5,000 objects."
    ]


def test_what_is_sent_under_an_endless_name_is_not_repeated() -> None:
    (message,) = faults("$a: Box", a={"name": "a", "x" * 100_000: 1})

    assert message.startswith("Variable '$a' has a wrong value: Box has no field 'xxx")
    assert len(message) < 400


def test_a_mutation_may_send_as_many_objects_as_it_likes() -> None:
    node = parse("mutation ($a: [Choice!]) { f }").definitions[0]
    assert isinstance(node, OperationDefinitionNode)
    sent = [{"a": 1}] * (MAX_OBJECTS + 1)

    assert compile_variables(SCHEMA, node)({"a": sent}) == {"a": sent}
