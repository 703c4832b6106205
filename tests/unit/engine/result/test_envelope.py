"""Results and errors to bytes."""

import json
import logging
from decimal import Decimal
from typing import Any

import pytest
from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    graphql_sync,
)

from fraiseql.engine.result.envelope import (
    describe,
    describe_graphql,
    dumps,
    executed,
    member,
    no_data,
    not_executed,
    refusal,
    success,
)
from fraiseql.errors import (
    BadRequest,
    BadUserInput,
    Conflict,
    DatabaseFault,
    ServiceUnavailable,
    ValidationFailed,
)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 1, -0.5, "x", "", "é\u2028\"\\\n\x00", [], {}, [1, [2, {}]], {"a": {"b": []}, "c": ()},
    ],
)  # fmt: skip
def test_values_as_json(value: Any) -> None:
    assert json.loads(dumps(value)) == json.loads(json.dumps(value))


def test_decimals_keep_their_digits() -> None:
    assert dumps({"a": Decimal("1.50"), "b": [Decimal("1E+2")]}) == b'{"a":1.50,"b":[1E+2]}'


def test_lone_surrogates_do_not_break_the_response() -> None:
    assert json.loads(dumps("\ud800")) == "\ud800"


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError):
        dumps(float("nan"))
    with pytest.raises(TypeError):
        dumps(object())


def test_data_in_the_order_of_its_fields() -> None:
    assert (
        success([member("b") + b"1", member("a") + b"null"], []).body
        == b'{"data":{"b":1,"a":null}}'
    )


def test_errors_come_first_and_are_bounded() -> None:
    errors = [{"message": str(n)} for n in range(200)]

    for response in (
        success([member("a") + b"null"], errors),
        no_data(errors),
        executed({"a": None}, errors),
    ):
        body = json.loads(response.body)
        assert list(body) == ["errors", "data"]
        assert len(body["errors"]) == 100
        assert not response.is_request_error


def test_of_too_many_errors_each_cause_is_kept() -> None:
    rows: list[dict[str, Any]] = [{"message": "Null.", "path": ["a", n, "b"]} for n in range(200)]
    others: list[dict[str, Any]] = [
        {"message": "Null.", "path": ["a", 7, "c"]},
        {"message": "Wrong."},
    ]
    shown = json.loads(no_data([*rows, *others]).body)["errors"]

    assert shown == [*rows[:98], *others]


def test_more_causes_than_errors_are_bounded_too() -> None:
    errors = [{"message": str(n)} for n in range(200)]

    assert json.loads(not_executed(errors).body)["errors"] == errors[:100]


def test_a_refusal_has_no_data() -> None:
    several = ValidationFailed("x", errors=[{"message": "one"}, {"message": "two"}])

    assert json.loads(refusal(several, debug=False).body) == {
        "errors": [
            {"message": "one", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}},
            {"message": "two", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}},
        ]
    }
    response = refusal(BadRequest("Too large.", hint="Less.", status=413), debug=False)
    assert (response.status, response.is_request_error) == (413, True)
    assert json.loads(response.body)["errors"][0]["extensions"] == {
        "code": "BAD_REQUEST",
        "hint": "Less.",
    }


def test_public_errors_speak_for_themselves() -> None:
    assert describe(Conflict("Taken.", hint="Another."), debug=False, path=["a", 0]) == {
        "message": "Taken.",
        "path": ["a", 0],
        "extensions": {"code": "CONFLICT", "hint": "Another."},
    }


@pytest.mark.parametrize("error", [RuntimeError("secret"), DatabaseFault("secret", hint="secret")])
def test_the_others_are_told_by_an_id(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="fraiseql.errors"):
        shown = describe(error, debug=False)

    assert shown["message"] == "Internal error"
    assert "secret" not in json.dumps(shown)
    assert shown["extensions"]["id"] in caplog.text


@pytest.mark.parametrize("code", [None, ["FORBIDDEN"], 403, ""])
def test_a_code_that_is_none_is_an_internal_error_s(code: Any) -> None:
    (raised,) = failing(GraphQLError("No.", extensions={"code": code}))

    assert describe_graphql(raised, debug=False)["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}


def test_a_code_of_an_application_does_not_leave_the_list() -> None:
    class Sold(Conflict):
        code = "SOLD"

    (raised,) = failing(
        GraphQLError("Sold. Did you mean 'b'?", extensions={"code": "SOLD", "n": 1})
    )
    shown = describe_graphql(raised, debug=False)

    assert describe(Sold("Sold."), debug=False)["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert shown["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "n": 1}
    assert shown["message"] == "Sold."


def test_debug_shows_messages_and_hints() -> None:
    shown = describe(DatabaseFault("secret", hint="look"), debug=True)

    assert (shown["message"], shown["extensions"]["hint"]) == ("secret", "look")
    assert describe(RuntimeError("secret"), debug=True)["message"] == "secret"


def test_what_operators_must_see_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="fraiseql.errors"):
        describe(ServiceUnavailable("Down."), debug=False)
        describe(BadUserInput("Wrong."), debug=False)

    assert "Down." in caplog.text
    assert "Wrong." not in caplog.text


# Errors of graphene's executor


def failing(raised: Any) -> list[GraphQLError]:
    """Return the errors of a query whose one resolver raises or returns ``raised``."""

    def resolve(_root: Any, _info: Any) -> Any:
        if isinstance(raised, Exception):
            raise raised
        return raised

    field = GraphQLField(GraphQLNonNull(GraphQLInt), resolve=resolve)
    result = graphql_sync(GraphQLSchema(GraphQLObjectType("Query", {"f": field})), "{ f }")
    return result.errors or []


def test_an_error_of_graphene_s_users_is_theirs() -> None:
    (error,) = failing(GraphQLError("Not you.", extensions={"code": "FORBIDDEN", "why": "x"}))

    assert describe_graphql(error, debug=False) == {
        "message": "Not you.",
        "locations": [{"line": 1, "column": 3}],
        "path": ["f"],
        "extensions": {"code": "FORBIDDEN", "why": "x"},
    }


def test_an_error_without_a_code_gets_one() -> None:
    (error,) = failing(GraphQLError("Not you."))

    assert describe_graphql(error, debug=False)["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
    assert describe_graphql(GraphQLError("No."), debug=False)["extensions"] == {
        "code": "BAD_USER_INPUT"
    }


def test_null_for_a_non_null_field_reads_as_on_the_fast_path() -> None:
    (error,) = failing(None)
    shown = describe_graphql(error, debug=False)

    assert shown["message"] == "Cannot return null for non-nullable field Query.f."
    assert shown["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}


def test_ours_keep_their_code() -> None:
    (error,) = failing(Conflict("Taken."))

    assert describe_graphql(error, debug=False)["extensions"] == {"code": "CONFLICT"}


def test_what_a_resolver_returned_is_not_repeated() -> None:
    (error,) = failing("secret 4711")

    assert "4711" in error.message
    assert "4711" not in json.dumps(describe_graphql(error, debug=False))
