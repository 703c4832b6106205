"""Declarations to specs, and what is wrong with some."""

import enum
from collections.abc import Sequence
from typing import Annotated, Any, Optional
from uuid import UUID

import graphene
import pytest

import fraiseql
from fraiseql import scalars
from fraiseql.errors import ConfigurationError
from fraiseql.schema.registry import Registry
from fraiseql.schema.resolve import resolve
from fraiseql.schema.specs import ObjectSpec, TypeRef


def shown(ref: TypeRef) -> str:
    """Return a type as GraphQL writes it."""
    text = f"[{shown(ref.item)}]" if ref.item else ref.innermost.name
    return text if ref.nullable else f"{text}!"


def hint_of(declared: Registry, message: str) -> str:
    """Return the hint of the fault that ``message`` describes."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        resolve(declared)
    return caught.value.hint or ""


def test_annotations_become_types(declared: Registry) -> None:
    @fraiseql.enum
    class Grade(enum.Enum):
        LOW = 1

    @fraiseql.type
    class Office:
        place: str

    @fraiseql.type
    class Maker:
        id: UUID
        name: str
        maybe: int | None
        optional: Optional[bool]  # noqa: UP045 - the old spelling counts too
        tags: list[str]
        pairs: tuple[int, ...] | None
        rows: Sequence[list[float | None]]
        noted: Annotated[str, "ignored"]
        grade: Grade
        office: Office | None
        forward: "Maker | None"
        email: scalars.Email
        extra: dict[str, Any]

    fields = resolve(declared).objects["Maker"].fields
    assert {name: shown(field.type) for name, field in fields.items()} == {
        "id": "UUID!",
        "name": "String!",
        "maybe": "Int",
        "optional": "Boolean",
        "tags": "[String!]!",
        "pairs": "[Int!]",
        "rows": "[[Float]!]!",
        "noted": "String!",
        "grade": "Grade!",
        "office": "Office",
        "forward": "Maker",
        "email": "Email!",
        "extra": "JSON!",
    }
    assert [name for name, field in fields.items() if field.is_id] == ["id"]


def test_names_keys_and_descriptions(declared: Registry) -> None:
    @fraiseql.type
    class Maker:
        # How it is found.
        address_line_1: str
        dns_1_id: int = fraiseql.field(key="dns", description="Given.")  # not this
        class_: str = fraiseql.field(name="class", deprecation="Old.")

        @fraiseql.field
        def label(self, info: Any, *, max_length: int = 3) -> str:
            """The label."""
            return ""

    spec = resolve(declared).objects["Maker"]
    line, dns, kind, label = spec.fields.values()
    assert (line.name, line.key, line.description) == (
        "addressLine1", "address_line_1", "How it is found.",
    )  # fmt: skip
    assert (dns.key, dns.description) == ("dns", "Given.")
    assert (kind.name, kind.deprecation) == ("class", "Old.")
    assert (label.description, list(label.arguments)) == ("The label.", ["maxLength"])
    assert label.arguments["maxLength"].default == 3
    assert spec.by_python_name("dns_1_id") is dns
    assert spec.by_python_name("nothing") is None


def test_descriptions_are_inherited_from_interfaces(declared: Registry) -> None:
    @fraiseql.interface(discriminator="kind")
    class Ware:
        # What it is called.
        name: str

    @fraiseql.type
    class Book(Ware):
        # How many.
        pages: int

    specs = resolve(declared).objects
    book = specs["Book"]
    assert {field.name: field.description for field in book.fields.values()} == {
        "name": "What it is called.", "pages": "How many.",
    }  # fmt: skip
    assert book.interfaces == (specs["Ware"],)
    assert specs["Ware"].variants == {"Book": book}
    assert specs["Ware"].possible_types() == (book,)
    assert book.possible_types() == (book,)


def test_roots_and_their_keys(declared: Registry) -> None:
    @fraiseql.type(view="v_maker")
    class Maker:
        id: int
        identifier: str
        slug: str

    class Query(fraiseql.Query):
        maker = fraiseql.one(Maker)
        by_slug = fraiseql.one("Maker", by=["slug", "id"])
        makers = fraiseql.many(Maker, default_limit=2, description="All.")
        feed = fraiseql.connection(Maker)
        other_feed = fraiseql.connection(Maker, name="others")

    specs = resolve(declared)
    keys = {name: [key.name for key in root.keys] for name, root in specs.roots.items()}
    assert keys == {
        "maker": ["id", "identifier"],
        "bySlug": ["slug", "id"],
        "makers": [],
        "feed": [],
        "others": [],
    }
    assert specs.roots["feed"].connection is specs.roots["others"].connection
    assert {"MakerConnection", "MakerEdge", "PageInfo"} <= set(specs.objects)
    assert specs.roots["makers"].description == "All."


def test_resolvers_and_their_arguments(declared: Registry) -> None:
    @fraiseql.input
    class Box:
        name: str
        lids: "list[Box] | None"

    @fraiseql.query
    def packed(info: Any, box: Box, how_many: int = 2, old: graphene.Int | None = None) -> str:
        return ""

    @fraiseql.query
    def legacy(info: Any) -> graphene.List(graphene.Int):  # type: ignore[valid-type]  # graphene's way
        return []

    specs = resolve(declared)
    arguments = specs.resolvers["packed"].arguments
    assert list(arguments) == ["box", "howMany", "old"]
    assert arguments["howMany"].default == 2
    assert arguments["box"].default is fraiseql.UNSET
    assert arguments["box"].type.named is specs.inputs["Box"]
    assert arguments["old"].type.foreign is graphene.Int
    assert specs.inputs["Box"].fields["lids"].type.nullable
    assert specs.resolvers["legacy"].type is None


# Faults


def test_a_type_without_fields(declared: Registry) -> None:
    fraiseql.type(type("Maker", (), {}))

    assert hint_of(declared, "Maker has no fields.") == "Annotate at least one attribute."


def test_a_class_that_is_not_declared(declared: Registry) -> None:
    class Stranger: ...

    fraiseql.type(type("Maker", (), {"__annotations__": {"friend": Stranger}}))

    assert "@fraiseql.type" in hint_of(declared, r"Maker\.friend: .*Stranger is not a GraphQL type")


def test_an_enum_that_is_not_declared(declared: Registry) -> None:
    class Grade(enum.Enum):
        LOW = 1

    fraiseql.type(type("Maker", (), {"__annotations__": {"grade": Grade}}))

    assert "with @fraiseql.enum" in hint_of(
        declared, r"Maker\.grade: .*Grade is not a GraphQL type"
    )


def test_an_annotation_that_is_no_type(declared: Registry) -> None:
    fraiseql.type(type("Maker", (), {"__annotations__": {"x": 5}}))

    # typing refuses it before the schema sees it.
    with pytest.raises((ConfigurationError, TypeError)):
        resolve(declared)


def test_an_unknown_forward_reference(declared: Registry) -> None:
    fraiseql.type(type("Maker", (), {"__annotations__": {"x": "Nowhere"}}))

    assert "Import it" in hint_of(declared, "Maker: the annotation 'Nowhere' is not known.")


def test_a_union_of_two_types(declared: Registry) -> None:
    fraiseql.type(type("Maker", (), {"__annotations__": {"x": int | str | None}}))

    assert "interface" in hint_of(declared, r"Maker\.x: a union of 2 types is not a GraphQL type")


def test_a_list_of_nothing_said(declared: Registry) -> None:
    fraiseql.type(type("Maker", (), {"__annotations__": {"x": list}}))

    hint_of(declared, r"Maker\.x: say what the list holds")


def test_a_computed_field_without_annotation(declared: Registry) -> None:
    @fraiseql.type
    class Maker:
        name: str

        @fraiseql.field
        def label(self):  # type: ignore[no-untyped-def]  # the fault under test
            return ""

    hint_of(declared, r"Maker\.label: a computed field needs a return annotation")


def test_a_parameter_without_annotation(declared: Registry) -> None:
    @fraiseql.query
    def packed(info: Any, box) -> str:  # type: ignore[no-untyped-def]  # the fault under test
        return ""

    hint_of(declared, "the parameter 'box' has no annotation")


def test_a_query_without_annotation(declared: Registry) -> None:
    @fraiseql.query
    def packed(info):  # type: ignore[no-untyped-def]  # the fault under test
        return ""

    hint_of(declared, "packed: @fraiseql.query needs a return annotation")


def test_a_query_without_info(declared: Registry) -> None:
    @fraiseql.query
    def packed() -> str:
        return ""

    hint_of(declared, "the first parameter of a query is info")


def test_an_argument_of_an_output_type(declared: Registry) -> None:
    @fraiseql.type
    class Maker:
        name: str

    @fraiseql.query
    def packed(info: Any, maker: Maker) -> str:
        return ""

    hint_of(declared, r"packed\(maker\): .*Maker is not a GraphQL type")


def test_inheritance_from_a_type_that_is_no_interface(declared: Registry) -> None:
    @fraiseql.type
    class Ware:
        name: str

    @fraiseql.type
    class Book(Ware):
        pages: int

    assert "@fraiseql.interface" in hint_of(
        declared, "Book inherits from Ware, which is not an interface"
    )


def test_two_variants_of_one_value(declared: Registry) -> None:
    @fraiseql.interface(discriminator="kind")
    class Ware:
        name: str

    @fraiseql.type
    class Book(Ware): ...

    @fraiseql.type(discriminator_value="Book")
    class Volume(Ware): ...

    assert "discriminator_value" in hint_of(
        declared, "Volume and Book share the discriminator value 'Book'"
    )


@pytest.mark.parametrize(
    ("root", "message", "hint"),
    [
        (lambda bound, free: fraiseql.many(free), "Free is bound to no view", "view="),
        (lambda bound, free: fraiseql.many("Gone"), "'Gone' is not a declared type", "@fraiseql.type"),
        (lambda bound, free: fraiseql.many(int), "is not a declared type", "@fraiseql.type"),
        (lambda bound, free: fraiseql.one(bound), "Bound has neither id nor identifier", "by="),
        (lambda bound, free: fraiseql.connection(bound), "no scalar field 'id'", "Fields: slug, parts"),
        (lambda bound, free: fraiseql.one(bound, by="parts"), "no scalar field 'parts'", "Fields:"),
        (lambda bound, free: fraiseql.one(bound, by="more"), "no scalar field 'more'", "Fields:"),
        (lambda bound, free: fraiseql.one(bound, by="shown"), "no scalar field 'shown'", "Fields:"),
    ],
)  # fmt: skip
def test_roots_that_cannot_be(declared: Registry, root: Any, message: str, hint: str) -> None:
    free = fraiseql.type(type("Free", (), {"__annotations__": {"name": str}}))
    annotations = {"slug": str, "parts": list[str], "more": scalars.TSVector}

    @fraiseql.field
    def shown(self: Any) -> str:
        return str(self.slug)

    bound = fraiseql.type(view="v_bound")(
        type("Bound", (), {"__annotations__": annotations, "shown": shown})
    )
    type("Query", (fraiseql.Query,), {"found": root(bound, free)})

    assert hint in hint_of(declared, message)


def test_interfaces_are_found_among_objects(declared: Registry) -> None:
    @fraiseql.interface(discriminator="kind", name="Thing")
    class Ware:
        name: str

    spec = resolve(declared).objects["Thing"]
    assert isinstance(spec, ObjectSpec)
    assert spec.is_interface
    assert spec.possible_types() == ()


@pytest.mark.parametrize("name", ["Query", "Int", "OrderDirection", "MakerWhereInput", "Email"])
def test_names_the_schema_needs(declared: Registry, name: str) -> None:
    @fraiseql.type
    class Maker:
        email: scalars.Email

    fraiseql.type(type(name, (), {"__annotations__": {"x": str}}))

    assert "name=" in hint_of(declared, f"{name} is called '{name}', which is")


def test_names_of_scalars_nobody_uses_are_free(declared: Registry) -> None:
    fraiseql.type(type("Port", (), {"__annotations__": {"ships": int}}))

    assert "Port" in resolve(declared).objects


@pytest.mark.parametrize("name", ["PageInfo", "MakerEdge", "MakerConnection"])
def test_names_a_connection_needs(declared: Registry, name: str) -> None:
    made = fraiseql.type(view="v")(type(name, (), {"__annotations__": {"id": int}}))
    maker = fraiseql.type(view="v")(type("Maker", (), {"__annotations__": {"id": int}}))

    assert name in resolve(declared).objects
    type("Query", (fraiseql.Query,), {"feed": fraiseql.connection(maker), "x": fraiseql.many(made)})
    hint_of(declared, "made for the connection of Maker")


@pytest.mark.parametrize("decorate", [fraiseql.type, fraiseql.input])
def test_an_option_without_an_annotation(declared: Registry, decorate: Any) -> None:
    decorate(type("Maker", (), {"__annotations__": {"a": int}, "b": fraiseql.field(name="c")}))

    assert "b: its type" in hint_of(declared, r"Maker\.b has no annotation")


@pytest.mark.parametrize("limits", [{"max_limit": -1}, {"default_limit": -5}])
def test_a_negative_limit(declared: Registry, limits: Any) -> None:
    maker = fraiseql.type(view="v")(type("Maker", (), {"__annotations__": {"id": int}}))
    type("Query", (fraiseql.Query,), {"makers": fraiseql.many(maker, **limits)})

    hint_of(declared, "a limit of -[15] rows is negative")
