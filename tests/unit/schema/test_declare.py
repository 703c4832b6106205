"""What the decorators note."""

import enum
from typing import Any

import pytest

import fraiseql
from fraiseql.errors import ConfigurationError
from fraiseql.schema.declare import OPTIONS
from fraiseql.schema.registry import Registry
from fraiseql.schema.specs import RootKind


def test_a_type_is_a_keyword_only_dataclass(declared: Registry) -> None:
    @fraiseql.type
    class Maker:
        name: str

        def greet(self) -> str:
            return f"I am {self.name}"

    assert Maker(name="Ada").greet() == "I am Ada"
    assert Maker.__doc__ is None


def test_a_type_notes_how_it_is_bound(declared: Registry) -> None:
    @fraiseql.type(view="tv_maker", source="v_maker", jsonb="document", name="Producer")
    class Maker:
        """Who makes.

        Things.
        """

        name: str

    noted = declared.objects[Maker]
    assert (noted.name, noted.view, noted.source, noted.jsonb) == (
        "Producer", "tv_maker", "v_maker", "document",
    )  # fmt: skip
    assert noted.description == "Who makes.\n\nThings."


def test_an_inherited_docstring_is_no_description(declared: Registry) -> None:
    @fraiseql.interface(discriminator="kind")
    class Ware:
        """A ware."""

        name: str

    @fraiseql.type(discriminator_value="b")
    class Book(Ware):
        pages: int

    assert declared.objects[Ware].discriminator == "kind"
    assert declared.objects[Book].description is None
    assert declared.objects[Book].discriminator_value == "b"


def test_only_enums_are_enums(declared: Registry) -> None:
    with pytest.raises(ConfigurationError, match=r"@fraiseql.enum needs an enum.Enum class"):
        fraiseql.enum(int)  # type: ignore[type-var]  # the fault under test


def test_an_enum_may_have_another_name(declared: Registry) -> None:
    @fraiseql.enum(name="Quality")
    class Grade(enum.Enum):
        LOW = 1

    assert declared.enums[Grade].name == "Quality"


def test_options_of_attributes_and_methods(declared: Registry) -> None:
    @fraiseql.type
    class Maker:
        name: str = fraiseql.field(name="title", key="label", description="The name.")

        @fraiseql.field
        def plain(self) -> int:
            return 1

        @fraiseql.field(deprecation="Gone soon.", name="other")
        def named(self) -> int:
            return 2

    options = getattr(Maker, OPTIONS)
    assert (options["name"].name, options["name"].key) == ("title", "label")
    assert options["plain"].compute is not None
    assert (options["named"].deprecation, options["named"].name) == ("Gone soon.", "other")
    assert Maker(name="x").plain() == 1


def test_absent_input_fields_hold_unset(declared: Registry) -> None:
    @fraiseql.input
    class Box:
        name: str
        size: int = 3
        weight: int = fraiseql.field(default=7)

    box = Box(name="a")
    empty = Box()  # type: ignore[call-arg]  # what an absent field looks like

    assert (box.size, box.weight) == (3, 7)
    assert empty.name is fraiseql.UNSET
    assert not fraiseql.UNSET
    assert repr(fraiseql.UNSET) == "fraiseql.UNSET"


def test_an_input_may_have_another_name(declared: Registry) -> None:
    @fraiseql.input(name="BoxInput")
    class Box:
        name: str

    assert declared.inputs[Box].name == "BoxInput"


def test_roots_note_their_kind_and_keys(declared: Registry) -> None:
    assert fraiseql.one("Maker").kind is RootKind.ONE
    assert fraiseql.one("Maker", by="slug").keys == ("slug",)
    assert fraiseql.many("Maker", max_limit=7).max_limit == 7
    assert fraiseql.connection("Maker", deprecation="No.").deprecation == "No."


def test_a_query_keeps_being_a_function(declared: Registry) -> None:
    @fraiseql.query(name="other", deprecation="Old.")
    def one(info: Any) -> int:
        """Give one."""
        return 1

    noted = declared.resolvers["one"]
    assert one(None) == 1
    assert (noted.name, noted.description, noted.deprecation) == ("other", "Give one.", "Old.")
