"""
Variables as the client sent them to coerced values.

The coercer is compiled once per operation from its variable definitions (GraphQL September 2025, 6.1.2), so
that a request only calls closures. Messages never repeat a value: it may be a password.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableDefinitionNode,
    type_from_ast,
    value_from_ast,
)

from fraiseql.engine.document.limits import MAX_NESTING, MAX_OBJECTS, MAX_WORD
from fraiseql.errors import BadUserInput

Coerce = Callable[[Any], Any]
Variables = dict[str, Any]

_ABSENT = object()


class Invalid(Exception):
    """A value does not fit its type: ``message``, and the ``path`` to what is wrong in it."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.message, self.path = message, path


def compile_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode
) -> Callable[[Mapping[str, Any]], Variables]:
    """
    Return the function that coerces an operation's variables.

    It returns those that were sent or have a default, and raises BadUserInput naming every wrong one.
    """
    most = MAX_OBJECTS if operation.operation is OperationType.QUERY else None
    compiled = [_compile_definition(schema, node, most) for node in operation.variable_definitions]
    if not compiled:
        return lambda _raw: {}

    def coerce(raw: Mapping[str, Any]) -> Variables:
        values: Variables = {}
        faults: list[dict[str, Any]] = []
        for name, convert, default, required, node in compiled:
            value = raw.get(name, _ABSENT)
            if value is _ABSENT:
                if default is not Undefined:
                    values[name] = default
                elif required:
                    faults.append(_fault(node, f"Variable '${name}' is required and was not sent."))
                continue
            try:
                values[name] = convert(value)
            except Invalid as error:
                at = f" at {_path(error.path)}" if error.path else ""
                faults.append(
                    _fault(node, f"Variable '${name}' has a wrong value{at}: {error.message}")
                )
        if faults:
            raise BadUserInput(faults[0]["message"], errors=faults)
        return values

    return coerce


def coercer(declared: Any) -> Coerce:
    """Return the function that coerces one value, for a type without input objects. It raises Invalid."""
    return _Compiler().coercer(declared)


def _compile_definition(
    schema: GraphQLSchema, node: VariableDefinitionNode, most: int | None
) -> tuple[str, Coerce, Any, bool, VariableDefinitionNode]:
    declared: Any = type_from_ast(schema, node.type)
    default = value_from_ast(node.default_value, declared) if node.default_value else Undefined
    required = isinstance(declared, GraphQLNonNull)
    compiler = _Compiler()
    coerce = compiler.coercer(declared)
    if compiler.is_recursive or (most is not None and compiler.has_objects):
        coerce = _bounded(coerce, most)
    return node.variable.name.value, coerce, default, required, node


def _bounded(coerce: Coerce, most: int | None) -> Coerce:
    """Return ``coerce`` for values of a bounded depth, which may have ``most`` objects."""

    def coerce_bounded(value: Any) -> Any:
        level = [value]
        objects = 0
        for _ in range(MAX_NESTING):
            above, level = level, []
            for item in above:
                if isinstance(item, dict):
                    objects += 1
                    level += item.values()
                elif isinstance(item, list):
                    level += item
            if most is not None and objects > most:
                raise Invalid(f"it has more than {most:,} objects.")
            if not level:
                return coerce(value)
        raise Invalid(f"it nests more than {MAX_NESTING} levels.")

    return coerce_bounded


def _fault(node: VariableDefinitionNode, message: str) -> dict[str, Any]:
    fault: dict[str, Any] = {"message": message}
    if node.loc:
        token = node.loc.start_token
        fault["locations"] = [{"line": token.line, "column": token.column}]
    return fault


def _path(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


class _Compiler:
    """Compiles input types; recursive input objects are compiled once."""

    def __init__(self) -> None:
        self._objects: dict[str, Coerce] = {}
        self.is_recursive = False

    @property
    def has_objects(self) -> bool:
        """Tell whether what was compiled holds input objects."""
        return bool(self._objects)

    def coercer(self, declared: Any) -> Coerce:
        if isinstance(declared, GraphQLNonNull):
            return self._non_null(declared)
        if isinstance(declared, GraphQLList):
            return self._list(declared)
        if isinstance(declared, GraphQLInputObjectType):
            return self._object(declared)
        if isinstance(declared, GraphQLEnumType):
            return _enum(declared)
        return _scalar(declared)

    def _non_null(self, declared: Any) -> Coerce:
        inner = self.coercer(declared.of_type)

        def coerce(value: Any) -> Any:
            if value is None:
                raise Invalid(f"{declared} may not be null.")
            return inner(value)

        return coerce

    def _list(self, declared: Any) -> Coerce:
        inner = self.coercer(declared.of_type)

        def coerce(value: Any) -> Any:
            if value is None:
                return None
            if not isinstance(value, list):
                return [inner(value)]
            items = []
            for index, item in enumerate(value):
                try:
                    items.append(inner(item))
                except Invalid as error:
                    raise Invalid(error.message, index, *error.path) from None
            return items

        return coerce

    def _object(self, declared: GraphQLInputObjectType) -> Coerce:
        name = declared.name
        if name in self._objects:
            # Recursive: the coercer exists by the time a value arrives.
            self.is_recursive = True
            return lambda value: self._objects[name](value)
        self._objects[name] = lambda value: value
        fields = {key: (self.coercer(field.type), field) for key, field in declared.fields.items()}
        expected = {key for key, (_, field) in fields.items() if _is_expected(field)}

        def coerce(value: Any) -> Any:
            if value is None:
                return None
            if not isinstance(value, dict):
                raise Invalid(f"{name} must be an object.")
            for key in value:
                if key not in fields:
                    raise Invalid(f"{name} has no field {key[:MAX_WORD]!r}.")
            coerced = {}
            # In the declared order, which a single key has anyway.
            for key in value if len(value) == 1 and not expected else fields:
                convert, field = fields[key]
                if key in value:
                    try:
                        coerced[key] = convert(value[key])
                    except Invalid as error:
                        raise Invalid(error.message, key, *error.path) from None
                elif key in expected:
                    _add_default(coerced, key, field, name)
            _check_one_of(declared, value)
            return coerced

        self._objects[name] = coerce
        return coerce


def _is_expected(field: GraphQLInputField) -> bool:
    return field.default_value is not Undefined or isinstance(field.type, GraphQLNonNull)


def _add_default(coerced: dict[str, Any], key: str, field: GraphQLInputField, owner: str) -> None:
    if field.default_value is Undefined:
        raise Invalid(f"{owner} needs the field {key!r}.")
    coerced[key] = field.default_value


def _check_one_of(declared: GraphQLInputObjectType, value: dict[str, Any]) -> None:
    if declared.is_one_of and (len(value) != 1 or None in value.values()):
        raise Invalid(f"{declared.name} takes exactly one field, which is not null.")


def _enum(declared: GraphQLEnumType) -> Coerce:
    values = {name: entry.value for name, entry in declared.values.items()}

    def coerce(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, str) or value not in values:
            raise Invalid(f"it is not one of {declared.name}'s values.")
        return values[value]

    return coerce


def _scalar(declared: GraphQLScalarType) -> Coerce:
    parse = declared.parse_value

    def coerce(value: Any) -> Any:
        if value is None:
            return None
        try:
            return parse(value)
        except GraphQLError as error:
            raise Invalid(_message(declared, error)) from error
        except (ValueError, TypeError, ArithmeticError) as error:
            raise Invalid(f"it is not a {declared.name}.") from error

    return coerce


def _message(declared: GraphQLScalarType, error: GraphQLError) -> str:
    # graphql-core's own five scalars put the value into their message.
    if declared.name in {"Int", "Float", "String", "Boolean", "ID"}:
        return f"it is not a {declared.name}."
    return error.message
