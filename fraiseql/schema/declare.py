"""
The decorators an application declares its schema with.

They only take notes: types may refer to classes that are not defined yet, so annotations are read when the
schema is built (``resolve.py``).
"""

import builtins
import dataclasses
import enum as enums
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, TypeVar, Unpack, dataclass_transform, overload

from fraiseql.errors import ConfigurationError
from fraiseql.schema.registry import (
    MutationDeclaration,
    NamedDeclaration,
    ResolverDeclaration,
    RootDeclaration,
    current,
    path_of,
)
from fraiseql.schema.specs import AUTO_DOCUMENT, UNSET, ObjectSpec, RootKind

Class = TypeVar("Class", bound=builtins.type)
EnumClass = TypeVar("EnumClass", bound=builtins.type[enums.Enum])
Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS = "__fraiseql_fields__"


@dataclass(frozen=True)
class FieldOptions:
    """What ``fraiseql.field`` says of an attribute or a method."""

    name: str | None = None
    key: str | None = None
    description: str | None = None
    deprecation: str | None = None
    default: Any = UNSET
    compute: Callable[..., Any] | None = None
    related: "RelatedOptions | None" = None


@dataclass(frozen=True)
class RelatedOptions:
    """What ``fraiseql.related`` says of an attribute."""

    key: str | None
    local: str | None
    connection: bool
    default_limit: int | None
    max_limit: int | None


@overload
def field(function: Function, /) -> Function: ...
@overload
def field(
    *,
    name: str | None = None,
    key: str | None = None,
    description: str | None = None,
    deprecation: str | None = None,
    default: Any = UNSET,
) -> Any: ...
def field(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    key: str | None = None,
    description: str | None = None,
    deprecation: str | None = None,
    default: Any = UNSET,
) -> Any:
    """
    Return a field declaration: as a value for an attribute, as a decorator for a computed field.

    ``name``: the GraphQL name; ``key``: the document's key where it differs from the attribute's name;
    ``default``: input fields only.
    """
    options = FieldOptions(name, key, description, deprecation, default)
    if function is not None:
        return _computed(function, options)
    return _Field(options)


def related(
    *,
    key: str | None = None,
    local: str | None = None,
    connection: bool = False,
    default_limit: int | None = None,
    max_limit: int | None = None,
    name: str | None = None,
    description: str | None = None,
    deprecation: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """
    Return a field declaration of objects that have a view of their own, for an attribute.

    The annotation says which and how many: ``list[Post]``, with ``where``, ``orderBy``, ``limit`` and
    ``offset``, or ``User``. They are those whose ``key`` equals this object's ``local``; each names a
    field, a key of the document or, best, a column of the view, and is ``id`` by default.
    ``connection``: page through the list as a root connection does. Limits are as for ``many``.
    """
    options = RelatedOptions(key, local, connection, default_limit, max_limit)
    return _Field(
        FieldOptions(name, description=description, deprecation=deprecation, related=options)
    )


class _Field:
    """An attribute's options, which also decorate a method: ``@fraiseql.field(deprecation=...)``."""

    def __init__(self, options: FieldOptions) -> None:
        self.options = options

    def __call__(self, function: Function) -> Function:
        return _computed(function, self.options)


def _computed(function: Function, options: FieldOptions) -> Function:
    function.__fraiseql_field__ = dataclasses.replace(options, compute=function)  # type: ignore[attr-defined]  # a mark, read by _collect
    return function


@overload
def type(python: Class, /) -> Class: ...
@overload
def type(
    *,
    view: str | None = None,
    source: str | None = None,
    jsonb: str | None = AUTO_DOCUMENT,
    search: str | None = None,
    search_config: str | None = None,
    name: str | None = None,
    discriminator_value: str | None = None,
) -> Callable[[Class], Class]: ...
@dataclass_transform(kw_only_default=True, field_specifiers=(field, related))
def type(
    python: Any = None,
    /,
    *,
    view: str | None = None,
    source: str | None = None,
    jsonb: str | None = AUTO_DOCUMENT,
    search: str | None = None,
    search_config: str | None = None,
    name: str | None = None,
    discriminator_value: str | None = None,
) -> Any:
    """
    Declare a GraphQL object type, bound to ``view`` if one is given.

    ``view``: table, view or materialized view (``schema.name`` allowed). ``source``: the view that fills
    it, when it is a projection (``manage.py fraiseql_sync``). ``jsonb``: the column that holds the document;
    None, or a view without that column: the columns are the document. ``search``: the tsvector column that
    lists of the type can be searched by, ``search_config`` the text search configuration it was made with
    (the database's default if None). ``discriminator_value``: what the discriminator of its interface holds
    for this type; the class's name by default.
    """

    declare = _declaring_object(
        name,
        view=view,
        source=source,
        jsonb=jsonb,
        search=search,
        search_config=search_config,
        discriminator_value=discriminator_value,
    )
    return declare if python is None else declare(python)


@dataclass_transform(kw_only_default=True, field_specifiers=(field, related))
def interface(
    *,
    discriminator: str,
    view: str | None = None,
    jsonb: str | None = AUTO_DOCUMENT,
    search: str | None = None,
    search_config: str | None = None,
    name: str | None = None,
) -> Callable[[Class], Class]:
    """
    Declare a GraphQL interface; ``@fraiseql.type`` classes that inherit from the class implement it.

    ``discriminator``: the document's key whose string names the concrete type. The rest is as in ``type``.
    """

    return _declaring_object(
        name,
        view=view,
        jsonb=jsonb,
        search=search,
        search_config=search_config,
        is_interface=True,
        discriminator=discriminator,
    )


def _declaring_object(name: str | None, **options: Any) -> Callable[[Class], Class]:
    def declare(cls: Class) -> Class:
        _as_dataclass(cls)
        spec = ObjectSpec(name or cls.__name__, cls, _description(cls), **options)
        current().add_class(current().objects, spec)
        return cls

    return declare


@overload
def enum(python: EnumClass, /) -> EnumClass: ...
@overload
def enum(*, name: str | None = None) -> Callable[[EnumClass], EnumClass]: ...
def enum(python: Any = None, /, *, name: str | None = None) -> Any:
    """Declare a GraphQL enum from an ``enum.Enum``; documents hold its values, clients see its names."""

    def declare(cls: EnumClass) -> EnumClass:
        if not (isinstance(cls, builtins.type) and issubclass(cls, enums.Enum)):
            raise ConfigurationError(f"@fraiseql.enum needs an enum.Enum class, not {cls!r}.")
        made = NamedDeclaration(cls, name or cls.__name__, _description(cls))
        current().add_class(current().enums, made)
        return cls

    return declare if python is None else declare(python)


@overload
def input(python: Class, /) -> Class: ...
@overload
def input(*, name: str | None = None) -> Callable[[Class], Class]: ...
@dataclass_transform(kw_only_default=True, field_specifiers=(field, related))
def input(python: Any = None, /, *, name: str | None = None) -> Any:
    """Declare a GraphQL input object; resolvers receive an instance, absent fields hold ``UNSET``."""

    def declare(cls: Class) -> Class:
        _as_dataclass(cls, absent=UNSET)
        made = NamedDeclaration(cls, name or cls.__name__, _description(cls))
        current().add_class(current().inputs, made)
        return cls

    return declare if python is None else declare(python)


class Named(TypedDict, total=False):
    """What every root field may say of itself."""

    name: str | None
    description: str | None
    deprecation: str | None


class Rows(Named, total=False):
    """What root fields of several rows may say besides."""

    default_limit: int | None
    max_limit: int | None


# A parameter called type reads as the field of GraphQL it declares.
def one(type: Any, *, by: Sequence[str] = (), **named: Unpack[Named]) -> Any:  # noqa: A002
    """
    Declare a root field that returns one object or null.

    ``by``: the fields it may be found by, each an argument; by default ``id`` and ``identifier`` as far as
    the type has them. All keys given must match.
    """
    keys = (by,) if isinstance(by, str) else tuple(by)
    return RootDeclaration(RootKind.ONE, type, keys, **named)


def many(type: Any, **options: Unpack[Rows]) -> Any:  # noqa: A002
    """
    Declare a root field that returns a list, with ``where``, ``orderBy``, ``limit`` and ``offset``.

    Limits default to the settings DEFAULT_LIMIT and MAX_LIMIT (rows).
    """
    return RootDeclaration(RootKind.MANY, type, **options)


def connection(type: Any, **options: Unpack[Rows]) -> Any:  # noqa: A002
    """
    Declare a Relay connection: ``first``, ``after``, ``last``, ``before``, ``where``, ``orderBy``.

    Pages are cut by key, not by offset: rows inserted between two pages are neither lost nor repeated.
    """
    return RootDeclaration(RootKind.CONNECTION, type, **options)


def aggregate(type: Any, **options: Unpack[Rows]) -> Any:  # noqa: A002
    """
    Declare a root field that counts, sums and compares rows: ``where``, ``groupBy``, ``having``, ``orderBy``.

    Limits count groups; without ``groupBy`` all rows are one.
    """
    return RootDeclaration(RootKind.AGGREGATE, type, **options)


class Query:
    """Subclasses declare root fields: ``posts = fraiseql.many(Post)``."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for attribute, value in vars(cls).items():
            if isinstance(value, RootDeclaration):
                current().add_root(attribute, path_of(cls), value)


@overload
def query(function: Function, /) -> Function: ...
@overload
def query(**named: Unpack[Named]) -> Callable[[Function], Function]: ...
def query(function: Any = None, /, **named: Unpack[Named]) -> Any:
    """
    Declare a root field answered by a Python function, sync or async.

    Its first parameter is ``info``; the others become arguments. The return annotation is the field's type:
    anything declared here, a scalar, or a graphene type.
    """

    def declare(resolver: Function) -> Function:
        current().add_resolver(_python(resolver, named))
        return resolver

    return declare if function is None else declare(function)


@overload
def mutation(function: Function, /) -> Function: ...
@overload
def mutation(
    *, function: str | None = None, batch: bool = False, **named: Unpack[Named]
) -> Callable[[Any], Any]: ...
def mutation(
    resolver: Any = None,
    /,
    *,
    function: str | None = None,
    batch: bool = False,
    **named: Unpack[Named],
) -> Any:
    """
    Declare a mutation: a class bound to a PostgreSQL function, or a Python function.

    A class needs ``function`` (``schema.name`` allowed). Its annotations are the input's fields, matched with
    the function's arguments by name (``title``: ``p_title`` or ``title``); ``returns`` is what the payload
    holds. ``batch``: the input is a list, and the function takes it as one ``jsonb``. A Python function is
    declared as ``query`` declares it.
    """

    def declare(declared: Any) -> Any:
        if isinstance(declared, builtins.type):
            current().add_mutation(_bound(declared, function, batch, named))
        elif function is None:
            current().add_mutation(_python(declared, named))
        else:
            raise ConfigurationError(
                f"@fraiseql.mutation(function={function!r}) needs a class, not {declared!r}."
            )
        return declared

    return declare if resolver is None else declare(resolver)


def _python(function: Callable[..., Any], named: Named) -> ResolverDeclaration:
    text = named.get("description") or inspect.getdoc(function)
    return ResolverDeclaration(function, named.get("name"), text, named.get("deprecation"))


def _bound(
    cls: builtins.type, function: str | None, is_batch: bool, named: Named
) -> MutationDeclaration:
    if function is None:
        raise ConfigurationError(
            f"@fraiseql.mutation on {cls.__qualname__} names no function.",
            hint='Write @fraiseql.mutation(function="fn_...").',
        )
    text = named.get("description") or _description(cls)
    _as_dataclass(cls, absent=UNSET)
    return MutationDeclaration(
        cls, function, named.get("name"), is_batch, text, named.get("deprecation")
    )


def _as_dataclass(cls: builtins.type, absent: Any = dataclasses.MISSING) -> None:
    """Collect the options of ``cls``'s fields, then make it a keyword-only dataclass."""
    options: dict[str, FieldOptions] = dict(getattr(cls, OPTIONS, {}))
    for attribute, value in builtins.list(vars(cls).items()):
        if isinstance(value, _Field):
            options[attribute] = value.options
            default = value.options.default
            if value.options.related is not None:
                # Not in the document, so nothing that an instance must be made with.
                setattr(cls, attribute, dataclasses.field(init=False, repr=False))
            elif default is not UNSET:
                setattr(cls, attribute, dataclasses.field(default=default))
            else:
                delattr(cls, attribute)
        elif hasattr(value, "__fraiseql_field__"):
            options[attribute] = value.__fraiseql_field__
    if absent is not dataclasses.MISSING:
        for attribute in vars(cls).get("__annotations__", {}):
            if attribute not in vars(cls):
                setattr(cls, attribute, absent)
    setattr(cls, OPTIONS, options)
    doc = cls.__doc__
    dataclasses.dataclass(kw_only=True, eq=False)(cls)
    cls.__doc__ = doc


def _description(cls: builtins.type) -> str | None:
    """Return the class's own docstring, not an inherited one and not the one Python generates."""
    text = vars(cls).get("__doc__")
    return inspect.cleandoc(text) if text else None
