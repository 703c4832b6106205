"""
Specs to one graphene schema, with the graphene classes that applications already have.
"""

import gc
import inspect
import threading
import typing
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import graphene
from django.core.signals import setting_changed
from graphql import GraphQLResolveInfo, GraphQLSchema

from fraiseql.conf import get_settings, imported
from fraiseql.errors import ConfigurationError
from fraiseql.schema import complete, registry
from fraiseql.schema.aggregates import KEYS, having_name, having_spec
from fraiseql.schema.comments import attribute_descriptions
from fraiseql.schema.graphene_scalars import adopt
from fraiseql.schema.inputs import InputTypes, input_object, is_filterable
from fraiseql.schema.resolve import Specs, resolve
from fraiseql.schema.scalars import SCALARS
from fraiseql.schema.specs import (
    UNSET,
    ArgumentSpec,
    EnumSpec,
    FieldSpec,
    InputRef,
    InputSpec,
    MutationSpec,
    ObjectSpec,
    ResolverSpec,
    RootKind,
    RootSpec,
    TypeRef,
)


@dataclass(frozen=True, eq=False)
class Schema:
    """The schema in both its forms: what GraphQL sees and what the planner reads."""

    graphql: GraphQLSchema
    objects: Mapping[str, ObjectSpec]
    roots: Mapping[str, RootSpec]
    mutations: Mapping[str, MutationSpec]


def build(declared: registry.Registry, graphene_schemas: tuple[Any, ...] = ()) -> Schema:
    """Return the schema of everything declared, joined with ``graphene_schemas``."""
    return _Builder(resolve(declared)).schema(graphene_schemas)


class _Builder:
    """Makes the graphene types of all specs at once, and schemas from them."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs
        self.joined: tuple[Any, ...] = ()
        self.enums = {spec.name: _enum_type(spec) for spec in specs.enums.values()}
        self.inputs = InputTypes(self.enums)
        self.input_objects: dict[str, Any] = {}
        self.objects: dict[str, Any] = {}
        for spec in sorted(specs.objects.values(), key=_made_first):
            self.objects[spec.name] = self._object_type(spec)
        for spec in specs.objects.values():
            fields = {name: self._field(spec, field) for name, field in spec.fields.items()}
            if fields:
                self.objects[spec.name]._meta.fields.update(fields)

    def schema(self, joined: tuple[Any, ...]) -> Schema:
        """Return one schema of these types and the joined graphene schemas."""
        self.joined = joined
        made = graphene.Schema(
            query=self._query(),
            mutation=self._mutation(),
            subscription=self._root_type("subscription", {}),
            types=[*_STANDARD, *self._first(), *self._joined_types()],
            auto_camelcase=self._auto_camelcase(),
        ).graphql_schema
        adopt(made.type_map)
        self.inputs.mark_one_of(made.type_map)
        return Schema(made, self.specs.objects, self.specs.roots, self.specs.mutations)

    # Types

    def _object_type(self, spec: ObjectSpec) -> Any:
        meta: dict[str, Any] = {"name": spec.name, "description": spec.description}
        if spec.is_interface:
            attributes = {"resolve_type": classmethod(complete.type_resolver(spec, self.objects))}
            if spec.is_union:
                meta["types"] = tuple(self.objects[kind.name] for kind in spec.possible_types())
                return self._class(spec.name, graphene.Union, meta, attributes)
            return self._class(spec.name, graphene.Interface, meta, attributes)
        meta["interfaces"] = tuple(self.objects[parent.name] for parent in spec.interfaces)
        return self._class(spec.name, graphene.ObjectType, meta, {})

    @staticmethod
    def _class(name: str, base: Any, meta: dict[str, Any], attributes: dict[str, Any]) -> Any:
        made = type(name, (base,), {"Meta": type("Meta", (), meta), **attributes})
        _made.add(made)
        return made

    def _field(self, owner: ObjectSpec, field: FieldSpec) -> Any:
        convert = self._arguments_converter(field.arguments)
        return graphene.Field(
            self._output(field.type, field),
            name=field.name,
            description=field.description,
            deprecation_reason=field.deprecation,
            args=self._field_arguments(field),
            resolver=complete.field_resolver(owner, field, convert),
        )

    def _field_arguments(self, field: FieldSpec) -> dict[str, Any]:
        if field.related is None:
            return {name: self._argument(argument) for name, argument in field.arguments.items()}
        return self._root_arguments(field.related.root)

    def _output(self, ref: TypeRef, field: FieldSpec | None = None) -> Any:
        if ref.item is not None:
            made: Any = graphene.List(self._output(ref.item))
        elif isinstance(ref.named, ObjectSpec):
            made = self.objects[ref.named.name]
        else:
            made = self.inputs.leaf(ref.named, field)
        return made if ref.nullable else graphene.NonNull(made)

    # Root fields

    def _query(self) -> Any:
        fields = {root.name: self._root(root) for root in self.specs.roots.values()}
        fields |= {name: self._resolver(spec) for name, spec in self.specs.resolvers.items()}
        query = self._root_type("query", fields)
        if query is None:
            raise ConfigurationError(
                "Nothing is declared: the schema has no query field.",
                hint="Declare one in an installed app's bindings.py: class Query(fraiseql.Query): ...",
            )
        return query

    def _root_type(self, kind: str, fields: dict[str, Any]) -> Any:
        """Return a root type of ``fields`` and those of the joined schemas, None if there are none."""
        joined = [found for schema in self.joined if (found := getattr(schema, kind))]
        for schema in self.joined:
            shown = getattr(schema.graphql_schema, f"{kind}_type")
            for name in fields.keys() & (shown.fields if shown else {}).keys():
                raise ConfigurationError(
                    f"The {kind} field {name!r} is declared in {getattr(schema, kind).__name__}"
                    " (graphene) and in bindings."
                )
        if not fields and not joined:
            return None
        made: Any = type(kind.capitalize(), (*joined, graphene.ObjectType), {})
        made._meta.fields.update(fields)
        return made

    def _root(self, root: RootSpec) -> Any:
        if root.kind is RootKind.ONE:
            made = self.objects[root.type.name]
        elif root.kind is RootKind.MANY:
            made = graphene.NonNull(graphene.List(graphene.NonNull(self.objects[root.type.name])))
        elif root.aggregate is not None:
            group = graphene.NonNull(self.objects[root.aggregate.name])
            made = graphene.NonNull(graphene.List(group))
        else:
            assert root.connection is not None  # noqa: S101 - resolve.py made it
            made = graphene.NonNull(self.objects[root.connection.name])
        return graphene.Field(
            made,
            name=root.name,
            description=root.description,
            deprecation_reason=root.deprecation,
            args=self._root_arguments(root),
            resolver=complete.root_resolver(root),
        )

    def _root_arguments(self, root: RootSpec) -> dict[str, Any]:
        if root.kind is RootKind.ONE:
            single = len(root.keys) == 1
            return {
                key.name: _given(
                    key.name, self._output(replace(key.type, nullable=not single), key)
                )
                for key in root.keys
            }
        made: dict[str, Any] = {}
        if any(is_filterable(field) for field in root.type.fields.values()):
            made["where"] = self.inputs.where(root.type), None
        if root.type.search is not None:
            made["search"] = graphene.String, _SEARCH
        if root.aggregate is not None:
            made |= self._group_arguments(root.aggregate)
        elif (distinct := self.inputs.distinct(root.type)) is not None:
            made["distinct"] = _all_of(distinct), _DISTINCT
        order = self.inputs.order_by(root.aggregate or root.type)
        if order is not None:
            made["orderBy"] = _all_of(order), _ORDER_GROUPS_BY if root.aggregate else _ORDER_BY
        made |= _CONNECTION_WINDOW if root.kind is RootKind.CONNECTION else _LIST_WINDOW
        return {name: _given(name, kind, text) for name, (kind, text) in made.items()}

    def _group_arguments(self, aggregate: ObjectSpec) -> dict[str, Any]:
        made: dict[str, Any] = {}
        keys = aggregate.fields.get(KEYS)
        if keys is not None:
            group = self.inputs.group_by(typing.cast(ObjectSpec, keys.type.named))
            made["groupBy"] = _all_of(group), _GROUP_BY
            made["timeZone"] = self.inputs.leaf(SCALARS["Timezone"]), _TIME_ZONE
        having = self.inputs.where(having_spec(aggregate), having_name(aggregate.name))
        return {**made, "having": (having, _HAVING)}

    def _resolver(self, spec: ResolverSpec) -> Any:
        made = spec.foreign if spec.type is None else self._output(spec.type)
        return graphene.Field(
            made,
            name=spec.name,
            description=spec.description,
            deprecation_reason=spec.deprecation,
            args={name: self._argument(argument) for name, argument in spec.arguments.items()},
            resolver=_python_resolver(spec, self._arguments_converter(spec.arguments)),
        )

    def _mutation(self) -> Any:
        fields = {spec.name: self._bound_mutation(spec) for spec in self.specs.mutations.values()}
        resolvers = self.specs.mutation_resolvers.values()
        fields |= {spec.name: self._resolver(spec) for spec in resolvers}
        return self._root_type("mutation", fields)

    def _bound_mutation(self, spec: MutationSpec) -> Any:
        arguments = {}
        if spec.input is not None:
            made = graphene.NonNull(self._input_object(spec.input))
            arguments["input"] = graphene.NonNull(graphene.List(made)) if spec.is_batch else made
        return graphene.Field(
            graphene.NonNull(self.objects[spec.payload.name]),
            name=spec.name,
            description=spec.description,
            deprecation_reason=spec.deprecation,
            args={name: _given(name, kind) for name, kind in arguments.items()},
            resolver=complete.mutation_resolver(spec),
        )

    # Arguments

    def _argument(self, argument: ArgumentSpec) -> Any:
        given = {} if argument.default is UNSET else {"default_value": argument.default}
        return graphene.Argument(
            self._input(argument.type),
            name=argument.name,
            description=argument.description,
            **given,
        )

    def _input(self, ref: InputRef) -> Any:
        if ref.item is not None:
            made: Any = graphene.List(self._input(ref.item))
        elif ref.foreign is not None:
            return ref.foreign
        elif isinstance(ref.named, InputSpec):
            made = self._input_object(ref.named)
        else:
            made = self.inputs.leaf(ref.named)
        return made if ref.nullable else graphene.NonNull(made)

    def _input_object(self, spec: InputSpec) -> Any:
        if spec.name not in self.input_objects:
            made = self.input_objects[spec.name] = input_object(spec.name, spec.description, {})
            _made.add(made)
            for name, argument in spec.fields.items():
                given = {} if argument.default is UNSET else {"default_value": argument.default}
                made._meta.fields[name] = graphene.InputField(
                    self._input(argument.type), name=name, description=argument.description, **given
                )
        return self.input_objects[spec.name]

    def _arguments_converter(
        self, arguments: Mapping[str, ArgumentSpec]
    ) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        def convert(given: Mapping[str, Any]) -> dict[str, Any]:
            return {
                argument.python_name: _to_python(argument.type, given[name])
                for name, argument in arguments.items()
                if name in given
            }

        return convert

    # Joined graphene schemas

    def _joined_types(self) -> list[Any]:
        roots = {"Query", "Mutation", "Subscription"}
        ours = {**self.enums, **self.objects, **self.input_objects}
        found = []
        for schema in self.joined:
            for name, graphql_type in schema.graphql_schema.type_map.items():
                made = getattr(graphql_type, "graphene_type", None)
                if made is None or made in _made or name in roots or name == _PAGE_INFO:
                    continue
                if name in ours:
                    raise ConfigurationError(
                        f"The type {name!r} is declared in bindings and by graphene ({made.__module__}).",
                        hint="Give one of them another name: @fraiseql.type(name=...), class Meta: name = ...",
                    )
                if issubclass(made, graphene.ObjectType):
                    found.append(made)
        return found

    def _auto_camelcase(self) -> bool:
        settings = {_camelcase_of(schema) for schema in self.joined}
        if len(settings) > 1:
            raise ConfigurationError("The joined graphene schemas differ in auto_camelcase.")
        return settings.pop() if settings else True

    def _first(self) -> list[Any]:
        # Implementations are reachable only through their interface. Of graphene's PageInfo and ours the first
        # that is met stays, and ours reads what either kind of connection returns.
        first = [self.objects[spec.name] for spec in self.specs.objects.values() if spec.interfaces]
        return [*first, self.objects[_PAGE_INFO]] if _PAGE_INFO in self.objects else first


# What builders have made: a joined schema's lazy references found classes of the builder of their time.
_made: weakref.WeakSet[Any] = weakref.WeakSet()
_PAGE_INFO = "PageInfo"
# A variable inside a JSON literal may have any of them, whether a field has or not.
_STANDARD = (graphene.String, graphene.Int, graphene.Float, graphene.Boolean, graphene.ID)
_SEARCH = 'What one types into a search engine: words, "phrases", or, -not. Best first unless `orderBy` is given.'
_DISTINCT = "One row for each combination of these, the first by `orderBy`."
_ORDER_BY = "Keys in order of weight; ties are broken by id."
_ORDER_GROUPS_BY = "Figures and keys in order of weight; ties are broken by the groups' keys."
_GROUP_BY = "What the rows of one group have in common; without it all rows are one group."
_TIME_ZONE = "Where days, weeks and so on begin; UTC if absent."
_HAVING = "Which groups to return; all conditions must hold."
_LIST_WINDOW = {
    "limit": (graphene.Int, "Rows to return at most."),
    "offset": (graphene.Int, "Rows to pass over; through long lists a connection is faster."),
}
_CONNECTION_WINDOW = {
    "first": (graphene.Int, "Rows to return from the beginning, or from `after` on."),
    "after": (graphene.String, "Cursor of the edge the page begins after."),
    "last": (graphene.Int, "Rows to return before the end, or before `before`."),
    "before": (graphene.String, "Cursor of the edge the page ends before."),
}


def _given(name: str, kind: Any, description: str | None = None) -> Any:
    return graphene.Argument(kind, name=name, description=description)


def _all_of(kind: Any) -> Any:
    return graphene.List(graphene.NonNull(kind))


def _made_first(spec: ObjectSpec) -> int:
    """Return a type's place: those that others need when they are made come first."""
    return 2 if spec.is_union else int(not spec.is_interface)


def _python_resolver(
    spec: ResolverSpec, convert: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> Callable[..., Any]:
    function = spec.function
    if inspect.iscoroutinefunction(function):

        async def resolve_async(_root: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
            asynchronous = info._replace(context=info.context.for_async())
            return await function(asynchronous, **convert(given))

        return resolve_async

    def resolve_sync(_root: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
        return function(info, **convert(given))

    return resolve_sync


def _to_python(ref: InputRef, value: Any) -> Any:
    """Return an argument as its annotation says: input objects as instances, absent fields unset."""
    if value is None or ref.foreign is not None:
        return value
    if ref.item is not None:
        return [_to_python(ref.item, item) for item in value]
    if isinstance(ref.named, InputSpec):
        fields = ref.named.fields
        given = {
            fields[name].python_name: _to_python(fields[name].type, item)
            for name, item in value.items()
        }
        return ref.named.python(**given)
    return value


def _enum_type(spec: EnumSpec) -> Any:
    described = _member_descriptions(spec.python)

    def describe(member: Any) -> str | None:
        return spec.description if member is None else described.get(member.name)

    made = graphene.Enum.from_enum(spec.python, name=spec.name, description=describe)
    _made.add(made)
    return made


def _member_descriptions(python: type) -> dict[str, str]:
    from_source = attribute_descriptions(python)
    return {name: text for name, text in from_source.items() if not name.startswith("_")}


def _camelcase_of(schema: Any) -> bool:
    query = schema.query
    if query is None:
        return True
    shown = schema.graphql_schema.query_type.fields
    return not any(
        "_" in name and field.name is None and name in shown
        for name, field in query._meta.fields.items()
    )


class _Cache:
    """The builder and the schema of the current declarations."""

    def __init__(self) -> None:
        # Builders hand out half-made types that refer to themselves: one thread at a time. A joined schema's lazy
        # references come back in the same thread.
        self.lock = threading.RLock()
        # The registry itself: the id of one that is gone may be another's.
        self.declared: registry.Registry | None = None
        self.version = -1
        self.style: tuple[Any, ...] = ()
        self.builder: _Builder | None = None
        self.schema: Schema | None = None

    def current_builder(self) -> _Builder:
        declared, settings = registry.current(), get_settings()
        style = (settings.MUTATION_PAYLOAD, settings.ESTIMATED_COUNTS)
        made_of = declared.version, style
        with self.lock:
            is_other = self.declared is not declared or (self.version, self.style) != made_of
            if self.builder is None or is_other:
                with _uncollected():
                    self.builder, self.schema = _Builder(resolve(declared)), None
                self.declared, (self.version, self.style) = declared, made_of
            return self.builder

    def current_schema(self) -> Schema:
        declared, schema = registry.current(), self.schema
        # Without the lock, which every request would take.
        if schema is not None and self.declared is declared and self.version == declared.version:
            return schema
        with self.lock:
            builder = self.current_builder()
            if self.schema is None:
                joined = tuple(_import(path) for path in get_settings().GRAPHENE_SCHEMAS)
                with _uncollected():
                    self.schema = builder.schema(joined)
            return self.schema


_cache = _Cache()


def get_schema() -> Schema:
    """Return the project's schema, built once and again only after new declarations."""
    return _cache.current_schema()


@contextmanager
def _uncollected() -> Iterator[None]:
    # All that is made here stays: looking for garbage in it takes a third of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _import(path: str) -> Any:
    found = imported("GRAPHENE_SCHEMAS", path)
    if not isinstance(found, graphene.Schema):
        raise ConfigurationError(f"FRAISEQL['GRAPHENE_SCHEMAS']: {path!r} is no graphene.Schema.")
    return found


def graphene_type(python: type) -> Callable[[], Any]:
    """
    Return a declared class's graphene type, as a lazy reference for graphene's own classes.

    ``graphene.Field(fraiseql.graphene_type(Post))``.
    """

    def find() -> Any:
        builder = _cache.current_builder()
        spec = next(
            (spec for spec in builder.specs.objects.values() if spec.python is python), None
        )
        if spec is None:
            raise ConfigurationError(f"{python.__qualname__} is not declared with @fraiseql.type.")
        return builder.objects[spec.name]

    return find


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "FRAISEQL":
        _cache.schema = None


setting_changed.connect(_forget)
