"""
What an application declared, as plain values.

``declare.py`` collects classes, ``resolve.py`` turns them into these specs, ``build.py`` makes the GraphQL
schema from them, and the planner reads nothing else.
"""

import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fraiseql.schema.names import camel_case
from fraiseql.schema.scalars import SCALARS, Scalar

AUTO_DOCUMENT = "data"


@dataclass(frozen=True, eq=False)
class EnumSpec:
    """A GraphQL enum; ``members`` are what documents store, ``scalar`` how filters compare them."""

    name: str
    python: type[enum.Enum]
    description: str | None
    scalar: Scalar

    @cached_property
    def tokens(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return what documents store, as JSON, with the name each stands for."""
        return tuple(
            (json.dumps(member.value, ensure_ascii=False).encode(), member.name.encode())
            for member in self.python
        )


@dataclass(eq=False)
class ObjectSpec:
    """
    An object type, an interface or a union.

    ``view``: the relation root fields read, or None if the type is only embedded. ``source``: the view a
    projection is filled from. ``jsonb``: the document's column; None: the columns are the document.
    ``search``: the tsvector column that ``search`` arguments look through, ``search_config`` the text search
    configuration it was made with; None: the database's default.
    ``discriminator``: interfaces and unions, the document's key that names the concrete type.
    ``variants``: interfaces and unions, discriminator value -> concrete type.
    ``is_union``: an abstract type as an interface is, without fields of its own; ``unions``: those it is in.
    """

    name: str
    python: type
    description: str | None
    view: str | None = None
    source: str | None = None
    jsonb: str | None = AUTO_DOCUMENT
    is_interface: bool = False
    discriminator: str | None = None
    discriminator_value: str | None = None
    interfaces: tuple["ObjectSpec", ...] = ()
    variants: dict[str, "ObjectSpec"] = field(default_factory=dict)
    fields: dict[str, "FieldSpec"] = field(default_factory=dict)
    is_union: bool = False
    unions: tuple["ObjectSpec", ...] = ()
    search: str | None = None
    search_config: str | None = None

    def by_python_name(self, name: str) -> "FieldSpec | None":
        """Return the field declared as ``name``."""
        return next((entry for entry in self.fields.values() if entry.python_name == name), None)

    def possible_types(self) -> tuple["ObjectSpec", ...]:
        """Return the concrete types a value of this type can have."""
        return tuple(dict.fromkeys(self.variants.values())) if self.is_interface else (self,)


type_like = Scalar | EnumSpec | ObjectSpec


@dataclass(frozen=True)
class TypeRef:
    """The type of a field: a named type, or a list of ``item``; ``nullable`` is its outermost level."""

    nullable: bool
    named: type_like | None = None
    item: "TypeRef | None" = None

    @property
    def innermost(self) -> type_like:
        """Return the named type below all lists."""
        ref = self
        while ref.item is not None:
            ref = ref.item
        assert ref.named is not None  # noqa: S101 - an invariant of the two constructors, not input
        return ref.named


@dataclass(frozen=True, eq=False)
class FieldSpec:
    """
    One field. ``key``: its name in the document. ``compute``: the Python method of a computed field.
    ``related``: where the objects are that it holds, if not in the document.

    ``is_id``: the field is called ``id`` and shows as GraphQL ``ID`` whatever scalar it holds.
    """

    name: str
    python_name: str
    key: str
    type: TypeRef
    description: str | None = None
    deprecation: str | None = None
    compute: Callable[..., Any] | None = None
    arguments: Mapping[str, "ArgumentSpec"] = field(default_factory=dict)
    is_id: bool = False
    related: "RelatedSpec | None" = None

    @property
    def is_stored(self) -> bool:
        """Tell whether the document holds the field's value."""
        return self.compute is None and self.related is None


def scalar_ref(name: str, nullable: bool = False) -> TypeRef:
    """Return the type of a field that holds a scalar of the table."""
    return TypeRef(nullable, SCALARS[name])


def list_ref(named: Scalar | ObjectSpec) -> TypeRef:
    """Return the type of a field that holds a list, without nulls."""
    return TypeRef(False, item=TypeRef(False, named))


def made_field(key: str, ref: TypeRef, description: str | None) -> FieldSpec:
    """Return a field that nobody declares. ``key``: the document's, and Python's name."""
    return FieldSpec(camel_case(key), key, key, ref, description)


def made_type(name: str, description: str, **fields: tuple[TypeRef, str]) -> ObjectSpec:
    """Return an object type that no class declares; ``fields``: type and description by key."""
    made = (made_field(key, *field) for key, field in fields.items())
    return ObjectSpec(name, object, description, fields={field.name: field for field in made})


class _Unset(enum.Enum):
    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "fraiseql.UNSET"

    def __bool__(self) -> bool:
        return False


# Any: it stands in for values of every type, and `box.size is UNSET` must type-check.
UNSET: Any = _Unset.UNSET
"""What an optional input field holds that the client did not send; null is ``None``."""


@dataclass(frozen=True, eq=False)
class InputSpec:
    """A GraphQL input object; ``python`` is what resolvers receive."""

    name: str
    python: type
    description: str | None
    fields: dict[str, "ArgumentSpec"] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ArgumentSpec:
    """An argument or an input field. ``default``: UNSET when there is none."""

    name: str
    python_name: str
    type: "InputRef"
    default: Any = UNSET
    description: str | None = None


@dataclass(frozen=True)
class InputRef:
    """The type of an argument; graphene types join through ``foreign``."""

    nullable: bool
    named: "Scalar | EnumSpec | InputSpec | None" = None
    item: "InputRef | None" = None
    foreign: Any = None


class RootKind(enum.Enum):
    """How a bound root field reads its view."""

    ONE = "one"
    MANY = "many"
    CONNECTION = "connection"
    AGGREGATE = "aggregate"

    @property
    def is_list(self) -> bool:
        """Tell whether the field's value is a list."""
        return self is RootKind.MANY or self is RootKind.AGGREGATE


@dataclass(frozen=True, eq=False)
class RootSpec:
    """
    A root field bound to a view.

    ``keys``: the fields an object is found by (``one`` only). Limits count rows.
    ``connection``: the synthetic connection type of a Relay field; ``aggregate``: of one group of rows.
    """

    name: str
    kind: RootKind
    type: ObjectSpec
    keys: tuple[FieldSpec, ...] = ()
    default_limit: int | None = None
    max_limit: int | None = None
    description: str | None = None
    deprecation: str | None = None
    connection: ObjectSpec | None = None
    aggregate: ObjectSpec | None = None


@dataclass(frozen=True)
class KeySpec:
    """What objects are matched by. ``name``: of a column or, where there is none, of a document's key."""

    name: str
    scalar: Scalar | None = None


@dataclass(frozen=True, eq=False)
class RelatedSpec:
    """
    The objects of a view that belong to another object: their ``key`` equals its ``local``.

    ``root``: how they are read, as if by a root field; ``kind`` ONE takes no arguments.
    """

    root: RootSpec
    local: KeySpec
    key: KeySpec


@dataclass(frozen=True, eq=False)
class ResolverSpec:
    """A root field answered by Python. ``type`` is None when ``foreign`` holds a graphene type."""

    name: str
    function: Callable[..., Any]
    type: TypeRef | None
    foreign: Any
    arguments: Mapping[str, ArgumentSpec]
    description: str | None
    deprecation: str | None = None


@dataclass(frozen=True, eq=False)
class MutationSpec:
    """
    A mutation bound to a PostgreSQL function.

    ``input``: None if it takes none. ``payload``: the type of the field, an object or a union. ``result``: the
    payload's field for what the function returned, None if nothing is declared. ``is_batch``: the input is a list.
    """

    name: str
    function: str
    input: InputSpec | None
    payload: ObjectSpec
    result: FieldSpec | None
    is_batch: bool = False
    description: str | None = None
    deprecation: str | None = None

    @property
    def locks(self) -> bool:
        """Tell whether clients say which version of the row they have seen."""
        return self.input is not None and VERSION in (
            entry.python_name for entry in self.input.fields.values()
        )


VERSION = "expected_version"
"""The input attribute by which a mutation locks optimistically."""

CLIENT_KEY = "client_mutation_id"
"""The input attribute that names one attempt, so that a repetition has one effect."""
