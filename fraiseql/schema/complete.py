"""
Resolvers of bound types, for operations that go through graphene's executor.

They read what Python resolvers returned (documents as dicts, instances of declared classes, any object) and
hold every value to its declared type, as the projector does on the fast path: both give one answer.
"""

import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from graphql import GraphQLResolveInfo

from fraiseql.errors import ConfigurationError, DocumentError
from fraiseql.schema.graphene_scalars import output_value
from fraiseql.schema.scalars import Scalar
from fraiseql.schema.specs import (
    UNSET,
    EnumSpec,
    FieldSpec,
    MutationSpec,
    ObjectSpec,
    RootSpec,
    TypeRef,
)

ResponsePath = tuple[str, ...]
Resolver = Callable[..., Any]

BESIDE = object()
"""The key in a document of what was read beside it, by response path."""
Convert = Callable[[Mapping[str, Any]], dict[str, Any]]


def wrong_type(label: str) -> DocumentError:
    """Return the error of a stored value that its declared type does not allow."""
    return DocumentError(f"{label} holds a value its type does not allow.")


def unknown_type(label: str) -> DocumentError:
    """Return the error of a stored object whose discriminator names no declared type."""
    return DocumentError(f"{label} holds an object of unknown type.")


def null_value(label: str) -> DocumentError:
    """Return the error of a null where the type promises a value, in graphql-core's words."""
    return DocumentError(f"Cannot return null for non-nullable field {label}.")


def field_resolver(owner: ObjectSpec, field: FieldSpec, convert: Convert) -> Resolver:
    """Return the resolver of one field of a bound type."""
    if field.compute is not None:
        return _computed_resolver(owner, field, convert)
    label = f"{owner.name}.{field.name}"

    def resolve(source: Any, info: GraphQLResolveInfo, **_arguments: Any) -> Any:
        return _complete(field.type, _found(source, field, info, label), label)

    return resolve


def _found(source: Any, field: FieldSpec, info: GraphQLResolveInfo, label: str) -> Any:
    """Return what an object holds for a field, or what was read beside it."""
    if not isinstance(source, dict):
        value = getattr(source, field.python_name, UNSET)
        if value is UNSET and field.related is not None:
            raise ConfigurationError(
                f"{label} is not read for objects that Python returns.",
                hint=f"Give {field.python_name} to the object: find it with info.context.db.find.",
            )
        return None if value is UNSET else value
    beside = source.get(BESIDE)
    if beside is not None and (place := _response_path(info)) in beside:
        return beside[place]
    return source.get(field.key)


def _response_path(info: GraphQLResolveInfo) -> ResponsePath:
    return tuple(key for key in info.path.as_list() if isinstance(key, str))


def _computed_resolver(owner: ObjectSpec, field: FieldSpec, convert: Convert) -> Resolver:
    function = field.compute
    assert function is not None  # noqa: S101 - the caller looked
    parameters = list(inspect.signature(function).parameters)
    takes_info = len(parameters) > 1 and parameters[1] == "info"

    def resolve(source: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
        instance = hydrate(owner, source) if isinstance(source, dict) else source
        context = [info] if takes_info else []
        return function(instance, *context, **convert(given))

    if not inspect.iscoroutinefunction(function):
        return resolve

    async def resolve_async(source: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
        return await resolve(source, info._replace(context=info.context.for_async()), **given)

    return resolve_async


def mutation_resolver(spec: MutationSpec) -> Resolver:
    """Return the resolver of a bound mutation, which the pipeline runs when its turn has come."""
    return _context_resolver("call_bound", f"Mutation.{spec.name}")


def root_resolver(root: RootSpec) -> Resolver:
    """Return the resolver of a bound root field: its rows were read before execution began."""
    return _context_resolver("take_bound", f"Query.{root.name}")


def _context_resolver(method: str, field: str) -> Resolver:
    def resolve(_source: Any, info: GraphQLResolveInfo, **_arguments: Any) -> Any:
        take = getattr(info.context, method, None)
        if take is None:
            raise _outside(field)
        return take(info.path.key)

    return resolve


def _outside(field: str) -> ConfigurationError:
    return ConfigurationError(
        f"{field} was executed outside FraiseQL's pipeline.",
        hint="Use fraiseql.testing.Client, or fraiseql.engine.pipeline.execute.",
    )


def type_resolver(spec: ObjectSpec, types: Mapping[str, Any]) -> Callable[[Any, Any, Any], Any]:
    """Return graphene's ``resolve_type`` of an interface."""

    def resolve_type(_cls: Any, instance: Any, info: GraphQLResolveInfo) -> Any:
        if isinstance(instance, dict):
            found = spec.variants.get(_text(instance.get(spec.discriminator or "")))
        else:
            found = next(
                (kind for kind in spec.possible_types() if isinstance(instance, kind.python)), None
            )
        if found is None:
            raise unknown_type(f"{info.parent_type.name}.{info.field_name}")
        return types[found.name]

    return resolve_type


def hydrate(spec: ObjectSpec, document: Mapping[str, Any]) -> Any:
    """Return a document as an instance of its declared class; values as its annotations say."""
    if spec.is_interface:
        concrete = spec.variants.get(_text(document.get(spec.discriminator or "")))
        if concrete is None:
            raise unknown_type(spec.name)
        spec = concrete
    instance: Any = object.__new__(spec.python)
    for field in spec.fields.values():
        if field.is_stored:
            setattr(instance, field.python_name, to_python(field.type, document.get(field.key)))
    return instance


def to_python(ref: TypeRef, value: Any) -> Any:
    """Return a document's value as the annotation it was declared with says."""
    if value is None:
        return None
    if ref.item is not None:
        return [to_python(ref.item, item) for item in value]
    if isinstance(ref.named, ObjectSpec):
        return hydrate(ref.named, value)
    named = ref.named
    if isinstance(named, EnumSpec):
        return next((member for member in named.python if member.value == value), value)
    assert isinstance(named, Scalar)  # noqa: S101 - the four kinds of types
    try:
        return named.parse(output_value(named, value))
    except ValueError:
        return value


def _complete(ref: TypeRef, value: Any, label: str) -> Any:
    """Return ``value`` as graphql-core may complete it; a fault inside a list stands at its index."""
    if value is None:
        return None
    if ref.item is not None:
        if not isinstance(value, list | tuple):
            raise wrong_type(label)
        return [_complete_item(ref.item, item, label) for item in value]
    named = ref.named
    if isinstance(named, ObjectSpec):
        if isinstance(value, str | int | float | Decimal | list):
            raise wrong_type(label)
        return value
    try:
        if isinstance(named, EnumSpec):
            return _member(named, value)
        assert isinstance(named, Scalar)  # noqa: S101 - the four kinds of types
        return output_value(named, value)
    except ValueError as error:
        raise wrong_type(label) from error


def _complete_item(ref: TypeRef, value: Any, label: str) -> Any:
    try:
        return _complete(ref, value, label)
    except DocumentError as error:
        return error


def _member(spec: EnumSpec, value: Any) -> Any:
    for member in spec.python:
        if value is member or (type(value) is type(member.value) and value == member.value):
            return member
    raise ValueError


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
