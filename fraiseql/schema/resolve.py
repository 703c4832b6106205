"""
Declarations to specs: annotations are read, forward references found, names given.
"""

import enum
import inspect
import sys
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from typing import Any

import graphene

from fraiseql.conf import get_settings
from fraiseql.errors import ConfigurationError
from fraiseql.schema.aggregates import AggregateTypes
from fraiseql.schema.comments import attribute_descriptions
from fraiseql.schema.declare import OPTIONS, FieldOptions, RelatedOptions
from fraiseql.schema.inputs import filter_operators, scalar_of
from fraiseql.schema.mutations import (
    PayloadTypes,
    made_types,
    result_field,
    type_name,
    version_type,
)
from fraiseql.schema.names import NameTable, check_name
from fraiseql.schema.registry import (
    MutationDeclaration,
    Registry,
    ResolverDeclaration,
    RootDeclaration,
    path_of,
)
from fraiseql.schema.scalars import Scalar, enum_scalar, scalar_for
from fraiseql.schema.specs import (
    UNSET,
    ArgumentSpec,
    EnumSpec,
    FieldSpec,
    InputRef,
    InputSpec,
    KeySpec,
    MutationSpec,
    ObjectSpec,
    RelatedSpec,
    ResolverSpec,
    RootKind,
    RootSpec,
    TypeRef,
    list_ref,
    made_type,
    scalar_ref,
)

_LISTS = (list, tuple, Sequence)
_RESERVED = (
    "Query", "Mutation", "Subscription", "String", "Int", "Float", "Boolean", "ID", "OrderDirection",
)  # fmt: skip
_INPUT_SUFFIXES = ("WhereInput", "OrderByInput", "ListFilter", "DistinctField")
_KEYS_OF_ONE = ("id", "identifier")
_RETURNS = "returns"


@dataclass(frozen=True)
class Specs:
    """Everything declared, by GraphQL name."""

    objects: dict[str, ObjectSpec]
    enums: dict[str, EnumSpec]
    inputs: dict[str, InputSpec]
    roots: dict[str, RootSpec]
    resolvers: dict[str, ResolverSpec]
    mutations: dict[str, MutationSpec]
    mutation_resolvers: dict[str, ResolverSpec]


def resolve(registry: Registry) -> Specs:
    """Return the specs of everything declared. Raises ConfigurationError at the first fault."""
    if registry.fault is not None:
        raise registry.fault
    return _Resolver(registry).run()


class _Resolver:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.names: dict[str, Any] = dict(registry.by_name())
        self.enums = {
            python: _enum_spec(d.name, python, d.description)
            for python, d in registry.enums.items()
        }
        # Copies: a registry is read again after its next declaration.
        self.objects = {
            python: replace(d, name=check_name(d.name, "type"), variants={}, fields={})
            for python, d in registry.objects.items()
        }
        self.inputs = {
            python: InputSpec(d.name, python, d.description)
            for python, d in registry.inputs.items()
        }
        self.page_info = _page_info()
        self._connections: dict[str, ObjectSpec] = {}
        self._relateds: dict[tuple[Any, ...], RelatedSpec] = {}
        self._aggregates = AggregateTypes()
        self._payloads = PayloadTypes(get_settings().MUTATION_PAYLOAD)

    def run(self) -> Specs:
        for python, spec in self.objects.items():
            spec.fields = self._fields(python, spec.name)
        # Only now: keys are named by fields of either type.
        for python, spec in self.objects.items():
            self._link_related(python, spec)
        for python, input_spec in self.inputs.items():
            input_spec.fields.update(self._input_fields(python, input_spec.name))
        self._link_interfaces()
        table = NameTable("Query")
        roots = {}
        for attribute, (owner, declaration) in self.registry.roots.items():
            root = self._root(table.add(attribute, declaration.name), owner, declaration)
            roots[root.name] = root
        resolvers = {}
        for attribute, resolver in self.registry.resolvers.items():
            name = table.add(attribute, resolver.name)
            resolvers[name] = self._resolver(name, resolver)
        mutations, mutation_resolvers = self._mutations()
        self._refuse_clashes(mutations.values())
        return Specs(
            objects={spec.name: spec for spec in self._all_objects(mutations)},
            enums={spec.name: spec for spec in self.enums.values()},
            inputs={spec.name: spec for spec in self.inputs.values()},
            roots=roots,
            resolvers=resolvers,
            mutations=mutations,
            mutation_resolvers=mutation_resolvers,
        )

    def _all_objects(self, mutations: Mapping[str, MutationSpec]) -> list[ObjectSpec]:
        found = list(self.objects.values())
        for connection in self._connections.values():
            edge = connection.fields["edges"].type.innermost
            found += [connection, typing.cast(ObjectSpec, edge)]
        if self._connections:
            found.append(self.page_info)
        for mutation in mutations.values():
            found += made_types(mutation)
        if mutations:
            found += self._payloads.shared
        return [*found, *self._aggregates.made.values()]

    def _refuse_clashes(self, mutations: Collection[MutationSpec]) -> None:
        """Refuse declared names that the schema needs for something else."""
        taken = dict.fromkeys(_RESERVED, "a type of every schema")
        for spec in self.objects.values():
            taken |= dict.fromkeys(
                (f"{spec.name}{suffix}" for suffix in _INPUT_SUFFIXES),
                f"made for {spec.name}",
            )
            for field in spec.fields.values():
                if isinstance(field.type.innermost, Scalar):
                    where = f"the scalar of {spec.name}.{field.python_name}"
                    taken[field.type.innermost.name] = where
        for name in self._connections:
            ours = (f"{name}Connection", f"{name}Edge", self.page_info.name)
            taken |= dict.fromkeys(ours, f"made for the connection of {name}")
        taken |= dict.fromkeys(self._aggregates.names(), "made for an aggregate")
        for mutation in mutations:
            made = (f"{type_name(mutation.name)}Input", *(s.name for s in made_types(mutation)))
            taken |= dict.fromkeys(made, f"made for the mutation {mutation.name}")
        if mutations:
            shared = (spec.name for spec in self._payloads.shared)
            taken |= dict.fromkeys(shared, "made for all mutations")
        every: list[ObjectSpec | EnumSpec | InputSpec] = [
            *self.objects.values(), *self.enums.values(), *self.inputs.values(),
        ]  # fmt: skip
        for declared in every:
            if declared.name in taken:
                raise ConfigurationError(
                    f"{declared.python.__qualname__} is called {declared.name!r}, which is"
                    f" {taken[declared.name]}.",
                    hint="Give it another name: @fraiseql.type(name=...).",
                )

    # Fields of types

    def _fields(self, python: type, owner: str) -> dict[str, FieldSpec]:
        hints = self._hints(python)
        options = _options(python, owner)
        described: dict[str, str] = {}
        for base in reversed(python.__mro__):
            described |= attribute_descriptions(base) if base in self.objects else {}
        table = NameTable(owner)
        found: dict[str, FieldSpec] = {}
        for entry in dataclass_fields(python):
            given = options.get(entry.name, FieldOptions())
            name = table.add(entry.name, given.name)
            ref = self._output(hints[entry.name], f"{owner}.{entry.name}")
            found[name] = FieldSpec(
                name=name,
                python_name=entry.name,
                key=entry.name if given.key is None else given.key,
                type=ref,
                description=given.description or described.get(entry.name),
                deprecation=given.deprecation,
                is_id=entry.name == "id" and isinstance(ref.named, Scalar),
            )
        for attribute, given in options.items():
            if given.compute is not None:
                name = table.add(attribute, given.name)
                found[name] = self._computed(name, attribute, given, owner)
        if not found:
            raise ConfigurationError(
                f"{owner} has no fields.", hint="Annotate at least one attribute."
            )
        return found

    def _computed(self, name: str, attribute: str, given: FieldOptions, owner: str) -> FieldSpec:
        function = given.compute
        assert function is not None  # noqa: S101 - the caller looked
        hints = self._hints(function)
        where = f"{owner}.{attribute}"
        if "return" not in hints:
            raise ConfigurationError(f"{where}: a computed field needs a return annotation.")
        parameters = list(inspect.signature(function).parameters.values())[1:]
        if parameters and parameters[0].name == "info":
            parameters = parameters[1:]
        return FieldSpec(
            name=name,
            python_name=attribute,
            key=attribute,
            type=self._output(hints["return"], where),
            description=given.description or inspect.getdoc(function),
            deprecation=given.deprecation,
            compute=function,
            arguments=self._arguments(parameters, hints, where),
        )

    def _link_related(self, python: type, spec: ObjectSpec) -> None:
        options = _options(python, spec.name)
        for name, entry in spec.fields.items():
            given = options.get(entry.python_name)
            if given is not None and given.related is not None:
                spec.fields[name] = self._related(spec, entry, given.related)

    def _related(self, owner: ObjectSpec, entry: FieldSpec, given: RelatedOptions) -> FieldSpec:
        where = f"{owner.name}.{entry.python_name}"
        ref, target = entry.type, entry.type.innermost
        is_list = ref.item is not None
        if not isinstance(target, ObjectSpec) or (
            ref.item is not None and ref.item.item is not None
        ):
            raise ConfigurationError(
                f"{where}: only objects are related.",
                hint="Annotate it: list[Post], or User | None.",
            )
        if given.key is None and (is_list or given.local is None):
            raise ConfigurationError(
                f"{where}: what do its objects belong together by?",
                hint="Say fraiseql.related(key=...), or local=... for one object.",
            )
        kind = RootKind.MANY if is_list else RootKind.ONE
        if given.connection:
            if not is_list:
                raise ConfigurationError(f"{where}: a connection is of a list.")
            kind = RootKind.CONNECTION
        root = self._rows(entry.name, where, target, kind, given)
        if root.connection is not None:
            ref = TypeRef(False, root.connection)
        local = _key_spec(owner, given.local or "id", where)
        key = _key_spec(target, given.key or "id", where)
        # The types of an interface share what they inherit from it, so that it is read once for all.
        same = (id(given), target.name, kind, local, key)
        related = self._relateds.setdefault(same, RelatedSpec(root, local, key))
        return replace(entry, type=ref, related=related)

    def _rows(
        self,
        name: str,
        where: str,
        target: ObjectSpec,
        kind: RootKind,
        limits: RootDeclaration | RelatedOptions,
    ) -> RootSpec:
        """Return how rows are read. Refused are types without a view, and pages of what has no id."""
        if target.view is None:
            raise ConfigurationError(
                f"{where}: {target.name} is bound to no view.",
                hint="Declare it with @fraiseql.type(view=...).",
            )
        for limit in (limits.default_limit, limits.max_limit):
            if limit is not None and limit < 0:
                raise ConfigurationError(f"{where}: a limit of {limit} rows is negative.")
        made = RootSpec(
            name,
            kind,
            target,
            default_limit=limits.default_limit,
            max_limit=limits.max_limit,
        )
        if kind is RootKind.CONNECTION:
            self._key_of(target, "id", where)
            return replace(made, connection=self._connection(target))
        if kind is RootKind.AGGREGATE:
            return replace(made, aggregate=self._aggregates.aggregate(target))
        return made

    def _output(self, annotation: Any, where: str) -> TypeRef:
        annotation, nullable = _strip_none(annotation, where)
        if _is_list(annotation):
            item = _item_of(annotation, where)
            return TypeRef(nullable, item=self._output(item, where))
        named = self._named(annotation)
        if named is None:
            raise _unknown_type(annotation, where)
        return TypeRef(nullable, named=named)

    def _named(self, annotation: Any) -> Scalar | EnumSpec | ObjectSpec | None:
        if isinstance(annotation, type):
            if annotation in self.objects:
                return self.objects[annotation]
            if annotation in self.enums:
                return self.enums[annotation]
        return scalar_for(annotation)

    def _hints(self, thing: Any) -> dict[str, Any]:
        module = sys.modules.get(thing.__module__)
        try:
            if isinstance(thing, type):
                # No globals given: each base class is read in its own module.
                return typing.get_type_hints(thing, localns=self.names)
            names = {**self.names, **getattr(module, "__dict__", {})}
            return typing.get_type_hints(thing, globalns=names)
        except NameError as error:
            raise ConfigurationError(
                f"{thing.__qualname__}: the annotation {error.name!r} is not known.",
                hint="Import it in the module, or declare it with @fraiseql.type, enum or interface.",
            ) from error

    # Interfaces

    def _link_interfaces(self) -> None:
        for python, spec in self.objects.items():
            parents = [self.objects[base] for base in python.__mro__[1:] if base in self.objects]
            wrong = next((parent for parent in parents if not parent.is_interface), None)
            if wrong is not None:
                raise ConfigurationError(
                    f"{spec.name} inherits from {wrong.name}, which is not an interface.",
                    hint="Declare the parent with @fraiseql.interface(discriminator=...).",
                )
            spec.interfaces = tuple(parents)
            if spec.is_interface:
                continue
            value = spec.discriminator_value or spec.name
            for parent in parents:
                if value in parent.variants:
                    raise ConfigurationError(
                        f"{parent.name}: {spec.name} and {parent.variants[value].name} share the"
                        f" discriminator value {value!r}.",
                        hint="Give one of them another: @fraiseql.type(discriminator_value=...).",
                    )
                parent.variants[value] = spec

    # Root fields

    def _root(self, name: str, owner: str, declaration: RootDeclaration) -> RootSpec:
        where = f"{owner}.{name}"
        target = self._target(declaration.type, where)
        return replace(
            self._rows(name, where, target, declaration.kind, declaration),
            keys=self._keys(declaration, target, where),
            description=declaration.description,
            deprecation=declaration.deprecation,
        )

    def _target(self, declared: Any, where: str) -> ObjectSpec:
        python = self.names.get(declared) if isinstance(declared, str) else declared
        spec = self.objects.get(python) if isinstance(python, type) else None
        if spec is None:
            raise ConfigurationError(
                f"{where}: {declared!r} is not a declared type.",
                hint="Decorate it with @fraiseql.type.",
            )
        return spec

    def _keys(
        self, declaration: RootDeclaration, target: ObjectSpec, where: str
    ) -> tuple[FieldSpec, ...]:
        if declaration.kind is not RootKind.ONE:
            return ()
        if declaration.keys:
            return tuple(self._key_of(target, key, where) for key in declaration.keys)
        found = (target.by_python_name(key) for key in _KEYS_OF_ONE)
        keys = tuple(field for field in found if field is not None and _is_comparable(field))
        if not keys:
            raise ConfigurationError(
                f"{where}: {target.name} has neither id nor identifier.",
                hint="Say what it is found by: fraiseql.one(..., by=['slug']).",
            )
        return keys

    def _key_of(self, target: ObjectSpec, key: str, where: str) -> FieldSpec:
        field = target.by_python_name(key)
        if field is None or not _is_comparable(field):
            raise ConfigurationError(
                f"{where}: {target.name} has no scalar field {key!r} to be found by.",
                hint=f"Fields: {', '.join(entry.python_name for entry in target.fields.values())}.",
            )
        return field

    def _connection(self, target: ObjectSpec) -> ObjectSpec:
        if target.name not in self._connections:
            self._connections[target.name] = _connection_spec(target, self.page_info)
        return self._connections[target.name]

    # Mutations

    def _mutations(self) -> tuple[dict[str, MutationSpec], dict[str, ResolverSpec]]:
        table = NameTable("Mutation")
        bound: dict[str, MutationSpec] = {}
        python: dict[str, ResolverSpec] = {}
        for attribute, declared in self.registry.mutations.items():
            given = declared.name
            if isinstance(declared, MutationDeclaration):
                name = table.add(attribute, given or attribute[:1].lower() + attribute[1:])
                bound[name] = self._mutation(name, declared)
            else:
                name = table.add(attribute, given)
                python[name] = self._resolver(name, declared)
        return bound, python

    def _mutation(self, name: str, declared: MutationDeclaration) -> MutationSpec:
        python = declared.python
        owner = path_of(python)
        fields = self._input_fields(python, owner, leave_out=_RETURNS)
        # A default of None says that the field may be left out; the function sees what was sent.
        fields = {
            key: replace(entry, default=UNSET) if entry.default is None else entry
            for key, entry in fields.items()
        }
        result, hints = None, self._hints(python)
        if _RETURNS in hints:
            given = _options(python, owner).get(_RETURNS, FieldOptions())
            ref = self._output(hints[_RETURNS], f"{owner}.{_RETURNS}")
            result = result_field(ref, given.name)
        made = InputSpec(f"{type_name(name)}Input", python, f"What {name} takes.", fields)
        input_spec = made if fields else None
        if declared.is_batch and input_spec is None:
            raise ConfigurationError(f"{owner}: a batch needs fields.")
        version = version_type(input_spec, result)
        return MutationSpec(
            name=name,
            function=declared.function,
            input=input_spec,
            payload=self._payloads.make(name, result, version, declared.is_batch),
            result=result,
            is_batch=declared.is_batch,
            description=declared.description,
            deprecation=declared.deprecation,
        )

    # Python resolvers, arguments and inputs

    def _resolver(self, name: str, declared: ResolverDeclaration) -> ResolverSpec:
        function = declared.function
        where = path_of(function)
        hints = self._hints(function)
        if "return" not in hints:
            raise ConfigurationError(f"{where}: @fraiseql.query needs a return annotation.")
        parameters = list(inspect.signature(function).parameters.values())
        if not parameters:
            raise ConfigurationError(f"{where}: the first parameter of a query is info.")
        returned = hints["return"]
        foreign = returned if _is_graphene(returned) else None
        return ResolverSpec(
            name=name,
            function=function,
            type=None if foreign is not None else self._output(returned, where),
            foreign=foreign,
            arguments=self._arguments(parameters[1:], hints, where),
            description=declared.description,
            deprecation=declared.deprecation,
        )

    def _arguments(
        self, parameters: Sequence[inspect.Parameter], hints: Mapping[str, Any], where: str
    ) -> dict[str, ArgumentSpec]:
        table = NameTable(where)
        found = {}
        for parameter in parameters:
            if parameter.name not in hints:
                raise ConfigurationError(
                    f"{where}: the parameter {parameter.name!r} has no annotation."
                )
            default = UNSET if parameter.default is parameter.empty else parameter.default
            name = table.add(parameter.name)
            ref = self._input(hints[parameter.name], f"{where}({parameter.name})")
            found[name] = ArgumentSpec(name, parameter.name, ref, default)
        return found

    def _input_fields(
        self, python: type, owner: str, leave_out: str = ""
    ) -> dict[str, ArgumentSpec]:
        hints = self._hints(python)
        options = _options(python, owner)
        described = attribute_descriptions(python)
        table = NameTable(owner)
        found = {}
        for entry in dataclass_fields(python):
            if entry.name == leave_out:
                continue
            given = options.get(entry.name, FieldOptions())
            name = table.add(entry.name, given.name)
            found[name] = ArgumentSpec(
                name=name,
                python_name=entry.name,
                type=self._input(hints[entry.name], f"{owner}.{entry.name}"),
                default=entry.default,
                description=given.description or described.get(entry.name),
            )
        return found

    def _input(self, annotation: Any, where: str) -> InputRef:
        annotation, nullable = _strip_none(annotation, where)
        if _is_list(annotation):
            return InputRef(nullable, item=self._input(_item_of(annotation, where), where))
        if _is_graphene(annotation):
            return InputRef(nullable, foreign=annotation)
        if isinstance(annotation, type) and annotation in self.inputs:
            return InputRef(nullable, named=self.inputs[annotation])
        named = self._named(annotation)
        if named is None or isinstance(named, ObjectSpec):
            raise _unknown_type(annotation, where)
        return InputRef(nullable, named=named)


def _key_spec(owner: ObjectSpec, name: str, where: str) -> KeySpec:
    """Return what objects of ``owner`` are matched by: a field, or what the database alone knows."""
    field = owner.by_python_name(name)
    if field is None:
        return KeySpec(name)
    if not _is_comparable(field):
        raise ConfigurationError(
            f"{where}: {owner.name}.{name} is no single value to be matched by.",
            hint="Name a field of a scalar type, or a column of the view.",
        )
    return KeySpec(field.key, scalar_of(field.type.named))


def _is_comparable(field: FieldSpec) -> bool:
    """Tell whether rows can be found by a field: stored, a single leaf, of a type that has an equality."""
    if not field.is_stored or not isinstance(field.type.named, Scalar | EnumSpec):
        return False
    return any(operator.name == "eq" for operator in filter_operators(field))


def _enum_spec(name: str, python: type, description: str | None) -> EnumSpec:
    members = typing.cast("type[enum.Enum]", python)
    for member in members:
        check_name(member.name, name)
    return EnumSpec(check_name(name, "enum"), members, description, enum_scalar(name, members))


def _options(python: type, owner: str) -> Mapping[str, FieldOptions]:
    """Return what ``fraiseql.field`` says of a class's attributes and methods."""
    options: Mapping[str, FieldOptions] = getattr(python, OPTIONS, {})
    annotated = {entry.name for entry in dataclass_fields(python)}
    for attribute, given in options.items():
        if given.compute is None and attribute not in annotated:
            raise ConfigurationError(
                f"{owner}.{attribute} has no annotation.", hint=f"Write {attribute}: its type = ..."
            )
    return options


def _strip_none(annotation: Any, where: str) -> tuple[Any, bool]:
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation, False
    arguments = typing.get_args(annotation)
    rest = [entry for entry in arguments if entry is not types.NoneType]
    if len(rest) != 1:
        raise ConfigurationError(
            f"{where}: a union of {len(rest)} types is not a GraphQL type.",
            hint="Only `X | None` is; types that share fields may share an interface.",
        )
    return rest[0], len(rest) < len(arguments)


def _is_list(annotation: Any) -> bool:
    return annotation in (list, tuple) or typing.get_origin(annotation) in _LISTS


def _item_of(annotation: Any, where: str) -> Any:
    arguments = [entry for entry in typing.get_args(annotation) if entry is not Ellipsis]
    if len(arguments) != 1:
        raise ConfigurationError(f"{where}: say what the list holds, as in list[str].")
    return arguments[0]


def _is_graphene(annotation: Any) -> bool:
    if isinstance(annotation, graphene.types.structures.Structure):
        return True
    return isinstance(annotation, type) and issubclass(
        annotation, graphene.types.unmountedtype.UnmountedType | graphene.types.base.BaseType
    )


def _unknown_type(annotation: Any, where: str) -> ConfigurationError:
    shown = getattr(annotation, "__qualname__", None) or repr(annotation)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        hint = f"Decorate {shown} with @fraiseql.enum."
    else:
        hint = f"Decorate {shown} with @fraiseql.type, or use a scalar of fraiseql.scalars."
    return ConfigurationError(f"{where}: {shown} is not a GraphQL type.", hint=hint)


def _page_info() -> ObjectSpec:
    made = made_type(
        "PageInfo",
        "Where a page lies in the whole list (Relay).",
        has_next_page=(scalar_ref("Boolean"), "Whether more rows follow."),
        has_previous_page=(scalar_ref("Boolean"), "Whether rows precede."),
        start_cursor=(scalar_ref("String", nullable=True), "The first edge's cursor."),
        end_cursor=(scalar_ref("String", nullable=True), "The last edge's cursor."),
    )
    # In Python's names graphene's own connections know them, which share this type.
    made.fields = {name: replace(field, key=name) for name, field in made.fields.items()}
    return made


def _connection_spec(target: ObjectSpec, page_info: ObjectSpec) -> ObjectSpec:
    edge = made_type(
        f"{target.name}Edge",
        f"A {target.name} and its place in the list.",
        node=(TypeRef(False, target), "The object."),
        cursor=(scalar_ref("String"), "Give it as `after` or `before` to go on from here."),
    )
    connection = made_type(
        f"{target.name}Connection",
        f"A page of {target.name}.",
        edges=(list_ref(edge), "The page's rows."),
        pageInfo=(TypeRef(False, page_info), "Where the page lies."),
        totalCount=(scalar_ref("Int"), "Rows of the whole list; counted when asked."),
        estimatedCount=(
            scalar_ref("Int"),
            "Rows of the whole list as PostgreSQL's planner expects them: none is read.",
        ),
    )
    if not get_settings().ESTIMATED_COUNTS:
        del connection.fields["estimatedCount"]
    return connection
