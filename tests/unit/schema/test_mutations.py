"""Declared mutations: input, payload, and what is refused."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import graphene
import pytest
from django.test import override_settings
from graphql import GraphQLSchema, graphql_sync, parse, print_type, validate

import fraiseql
from fraiseql.errors import ConfigurationError
from fraiseql.schema import build
from fraiseql.schema.registry import Registry

Build = Callable[..., GraphQLSchema]


@pytest.fixture
def built(declared: Registry) -> Build:
    """Declare a post, and build the schema of everything declared by then."""

    @fraiseql.type(view="v_post")
    class Post:
        id: UUID
        title: str

    class Query(fraiseql.Query):
        posts = fraiseql.many(Post)

    def make(**settings: Any) -> GraphQLSchema:
        with override_settings(FRAISEQL=settings):
            return build.build(declared).graphql

    return make


def shown(schema: GraphQLSchema, name: str) -> str:
    """Return a type as SDL without descriptions."""
    lines = print_type(schema.type_map[name]).splitlines()
    return "\n".join(line for line in lines if line.strip() and '"""' not in line)


def test_a_class_is_an_input_and_a_payload(built: Build) -> None:
    @fraiseql.mutation(function="fn_create_post")
    class CreatePost:
        """Write a post."""

        title: str
        # Who wrote it.
        author_id: UUID
        tags: list[str] | None = None
        stars: int = 3
        returns: "Post"  # type: ignore[name-defined]  # noqa: F821 - found by its name

    schema = built()
    assert schema.mutation_type
    field = schema.mutation_type.fields["createPost"]
    assert (str(field.type), str(field.args["input"].type)) == (
        "CreatePostPayload!",
        "CreatePostInput!",
    )
    assert field.description == "Write a post."
    assert shown(schema, "CreatePostInput") == (
        "input CreatePostInput {\n  title: String!\n  authorId: UUID!\n  tags: [String!]\n"
        "  stars: Int! = 3\n}"
    )
    assert shown(schema, "CreatePostPayload") == (
        "type CreatePostPayload {\n  post: Post\n  message: String\n  status: String\n"
        "  updatedFields: [String!]\n  cascade: MutationCascade\n  errors: [MutationError!]!\n}"
    )


def test_a_union_has_what_each_side_needs(built: Build) -> None:
    @fraiseql.mutation(function="fn_rename_post")
    class RenamePost:
        id: UUID
        expected_version: int
        returns: "Post" = fraiseql.field(name="renamed")  # type: ignore[name-defined]  # noqa: F821

    schema = built(MUTATION_PAYLOAD="union")

    assert shown(schema, "RenamePostResult") == (
        "union RenamePostResult = RenamePostSuccess | RenamePostError"
    )
    assert "renamed: Post\n" in shown(schema, "RenamePostSuccess")
    assert shown(schema, "RenamePostError") == (
        "type RenamePostError {\n  message: String!\n  code: String!\n"
        "  errors: [MutationError!]!\n  current: Post\n}"
    )
    query = """mutation { renamePost(input: {id: "00000000-0000-4000-8000-000000000000", expectedVersion: 1}) {
        ... on RenamePostResult { ... on RenamePostError { code } } } }"""
    assert validate(schema, parse(query)) == []


def test_a_batch_takes_a_list(built: Build) -> None:
    @fraiseql.mutation(function="fn_import", name="load", batch=True, deprecation="Do not.")
    class Import:
        title: str
        returns: list[UUID]

    schema = built()
    assert schema.mutation_type
    field = schema.mutation_type.fields["load"]
    assert str(field.args["input"].type) == "[LoadInput!]!"
    assert (str(field.type), field.deprecation_reason) == ("LoadPayload!", "Do not.")
    assert "results: [UUID!]\n" in shown(schema, "LoadPayload")


def test_a_mutation_may_take_and_return_nothing(built: Build) -> None:
    @fraiseql.mutation(function="fn_ring")
    class Ring:
        pass

    schema = built()
    assert schema.mutation_type
    assert schema.mutation_type.fields["ring"].args == {}
    assert "result" not in schema.type_map["RingPayload"].fields  # type: ignore[attr-defined]


def test_a_function_is_a_mutation_in_python(built: Build) -> None:
    @fraiseql.mutation(name="publish", description="Make public.")
    async def do_publish(info: Any, post: UUID) -> bool:
        return True

    @fraiseql.mutation
    def unpublish(info: Any, post: UUID, why: str | None = None) -> "Post":  # type: ignore[name-defined]  # noqa: F821
        """Take back."""

    schema = built()
    assert schema.mutation_type
    fields = schema.mutation_type.fields
    assert (str(fields["publish"].type), fields["publish"].description) == (
        "Boolean!",
        "Make public.",
    )
    assert {name: str(arg.type) for name, arg in fields["unpublish"].args.items()} == {
        "post": "UUID!",
        "why": "String",
    }
    assert fields["unpublish"].description == "Take back."


def test_graphenes_mutations_stand_beside_them(built: Build, declared: Registry) -> None:
    @fraiseql.mutation(function="fn_ring")
    class Ring:
        pass

    class Old(graphene.ObjectType):
        write = graphene.Field(graphene.String)

    class Query(graphene.ObjectType):
        x = graphene.Int()

    found = build.build(declared, (graphene.Schema(query=Query, mutation=Old),)).graphql
    assert found.mutation_type
    assert set(found.mutation_type.fields) == {"write", "ring"}

    class Twin(graphene.ObjectType):
        ring = graphene.Field(graphene.String)

    with pytest.raises(ConfigurationError, match="The mutation field 'ring' is declared in Twin"):
        build.build(declared, (graphene.Schema(query=Query, mutation=Twin),))


def test_outside_the_pipeline_a_bound_mutation_says_what_it_needs(built: Build) -> None:
    @fraiseql.mutation(function="fn_ring")
    class Ring:
        pass

    result = graphql_sync(built(), "mutation { ring { message } }")

    assert result.errors
    assert "outside FraiseQL's pipeline" in result.errors[0].message


def test_the_style_is_read_when_it_changes(declared: Registry) -> None:
    @fraiseql.query
    def x(info: Any) -> int:
        return 1

    @fraiseql.mutation(function="fn_ring")
    class Ring:
        pass

    first = build.get_schema().graphql
    with override_settings(FRAISEQL={"MUTATION_PAYLOAD": "union"}):
        second = build.get_schema().graphql

    assert "RingPayload" in first.type_map
    assert "RingResult" in second.type_map
    assert "RingPayload" in build.get_schema().graphql.type_map


def test_a_class_names_its_function() -> None:
    with pytest.raises(ConfigurationError, match="names no function"):
        fraiseql.mutation(type("Ring", (), {}))


def test_a_python_function_is_not_bound() -> None:
    with pytest.raises(ConfigurationError, match="needs a class"):
        fraiseql.mutation(function="fn_ring")(lambda info: None)


def test_a_batch_needs_fields(built: Build) -> None:
    @fraiseql.mutation(function="fn_ring", batch=True)
    class Ring:
        returns: int

    with pytest.raises(ConfigurationError, match="a batch needs fields"):
        built()


def test_two_mutations_of_one_name_are_refused(declared: Registry) -> None:
    def ring(info: Any) -> int:
        return 1

    other = type("ring", (), {"__qualname__": "other"})
    fraiseql.mutation(ring)
    fraiseql.mutation(ring)  # Imported twice: the same one.

    with pytest.raises(ConfigurationError, match="mutation field 'ring' is declared twice"):
        fraiseql.mutation(function="fn_ring")(other)


@pytest.mark.parametrize("name", ["RingPayload", "RingInput", "MutationError", "CascadeChange"])
def test_names_of_made_types_are_taken(built: Build, name: str) -> None:
    @fraiseql.mutation(function="fn_ring")
    class Ring:
        loud: bool

    fraiseql.type(name=name)(type("Mine", (), {"__annotations__": {"id": int}}))

    with pytest.raises(ConfigurationError, match=name):
        built()


def test_settings_know_their_values() -> None:
    with (
        override_settings(FRAISEQL={"MUTATION_PAYLOAD": "both"}),
        pytest.raises(ConfigurationError, match="must be payload or union, not 'both'"),
    ):
        build.get_schema()
