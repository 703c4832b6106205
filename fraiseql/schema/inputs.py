"""
The ``where`` and ``orderBy`` inputs of every bound type, from the operator table.

One filter input per scalar (``StringFilter``), one per list of it (``StringListFilter``), one pair per type
(``PostWhereInput``, ``PostOrderByInput``).
"""

import enum
from collections.abc import Mapping
from typing import Any

import graphene

from fraiseql.schema.graphene_scalars import graphene_scalar
from fraiseql.schema.operators import Operator, operators_for
from fraiseql.schema.scalars import SCALARS, Scalar
from fraiseql.schema.specs import EnumSpec, FieldSpec, ObjectSpec, RootKind

ORDER_SUFFIX = "OrderByInput"
GROUP_SUFFIX = "GroupByInput"
KEYS_SUFFIX = "GroupKeys"
LOGICAL = ("AND", "OR", "NOT")
QUANTIFIERS = {
    "some": "This holds for at least one of them.",
    "every": "This holds for all of them; for none at all, too.",
    "none": "This holds for none of them.",
}


class OrderDirection(enum.Enum):
    """Which end of the order comes first, and where nulls go; PostgreSQL's defaults where not said."""

    ASC = "ASC"
    DESC = "DESC"
    ASC_NULLS_FIRST = "ASC NULLS FIRST"
    ASC_NULLS_LAST = "ASC NULLS LAST"
    DESC_NULLS_FIRST = "DESC NULLS FIRST"
    DESC_NULLS_LAST = "DESC NULLS LAST"


class TimeUnit(enum.Enum):
    """What a date or time is cut down to; a week begins on Monday."""

    EXACT = "exact"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def is_filterable(field: FieldSpec) -> bool:
    """Tell whether ``where`` has the field: stored scalars, lists of them, objects and lists of them."""
    if field.compute is not None:
        return False
    rows = rows_of(field)
    if rows is not None:
        return _has_filters(rows)
    named = field.type.item.named if field.type.item is not None else field.type.named
    return named is not None and not (isinstance(named, ObjectSpec) and not _has_filters(named))


def is_sortable(field: FieldSpec) -> bool:
    """Tell whether ``orderBy`` has the field: stored scalars with an order, and single objects."""
    if field.compute is not None or field.type.item is not None or has_many(field):
        return False
    named = field.type.named
    if isinstance(named, ObjectSpec):
        return not named.is_interface and any(map(_is_sort_key, named.fields.values()))
    return scalar_of(named).is_sortable


def is_group_key(field: FieldSpec) -> bool:
    """Tell whether rows can be grouped by a field: a stored leaf whose values can be told apart."""
    if not field.is_stored or not isinstance(field.type.named, Scalar | EnumSpec):
        return False
    return any(operator.name == "in" for operator in filter_operators(field))


def is_cut(field: FieldSpec) -> bool:
    """Tell whether groups of a field take a unit of time."""
    return scalar_of(field.type.named).pg in {"date", "timestamptz"}


def rows_of(field: FieldSpec) -> ObjectSpec | None:
    """Return the type of a related field's objects, None for any other field."""
    return None if field.related is None else field.related.root.type


def has_many(field: FieldSpec) -> bool:
    """Tell whether ``where`` says of a field's objects how many: some, every, none."""
    if field.related is not None:
        return field.related.root.kind is not RootKind.ONE
    return field.type.item is not None and isinstance(field.type.innermost, ObjectSpec)


def scalar_of(named: Any) -> Scalar:
    """Return the row of the scalar table that filters and sorts ``named``, a scalar or an enum."""
    return named.scalar if isinstance(named, EnumSpec) else named


def filter_operators(field: FieldSpec) -> tuple[Operator, ...]:
    """Return the operators of a scalar field, or of a list of scalars."""
    return operators_for(scalar_of(field.type.innermost), field.type.item is not None)


def _has_filters(spec: ObjectSpec) -> bool:
    return any(
        isinstance(field.type.innermost, Scalar | EnumSpec) and field.is_stored
        for field in spec.fields.values()
    )


def _is_sort_key(field: FieldSpec) -> bool:
    return isinstance(field.type.named, Scalar | EnumSpec) and is_sortable(field)


class InputTypes:
    """Makes each input type once."""

    def __init__(self, enums: dict[str, Any]) -> None:
        self._enums = enums
        self._made: dict[str, Any] = {}
        self.order_direction = graphene.Enum.from_enum(
            OrderDirection, description=_describe_direction
        )
        self.time_unit = graphene.Enum.from_enum(TimeUnit, description=_describe_unit)

    def where(self, spec: ObjectSpec, name: str | None = None) -> Any:
        """Return ``<Type>WhereInput``, or an input of another ``name`` for the same."""
        name = name or f"{spec.name}WhereInput"
        if name not in self._made:
            self._made[name] = input_object(
                name, f"Which {spec.name} rows to return; all conditions must hold.", {}
            )
            # The type refers to itself (AND, a nested type that embeds it), so its fields come second.
            self._made[name]._meta.fields.update(self._where_fields(spec, self._made[name]))
        return self._made[name]

    def list_filter(self, spec: ObjectSpec) -> Any:
        """Return ``<Type>ListFilter``."""
        name = f"{spec.name}ListFilter"
        if name not in self._made:
            fields = {
                word: graphene.InputField(lambda: self.where(spec), name=word, description=text)
                for word, text in QUANTIFIERS.items()
            }
            self._made[name] = input_object(name, f"Conditions on a list of {spec.name}.", fields)
        return self._made[name]

    def order_by(self, spec: ObjectSpec) -> Any:
        """Return ``<Type>OrderByInput``, or None if nothing of the type can be sorted."""
        name = spec.name + ORDER_SUFFIX
        if name not in self._made:
            fields = {
                field.name: self._order_field(field)
                for field in spec.fields.values()
                if is_sortable(field)
            }
            if not fields:
                return None
            self._made[name] = input_object(
                name, f"One key {spec.name} rows are ordered by: exactly one field.", fields
            )
        return self._made[name]

    def distinct(self, spec: ObjectSpec) -> Any:
        """Return ``<Type>DistinctField``, or None if nothing of the type can be told apart."""
        name = f"{spec.name}DistinctField"
        members = {
            field.python_name.upper(): field.name
            for field in spec.fields.values()
            if is_group_key(field)
        }
        if members and name not in self._made:
            # The functional form, whose type mypy does not follow.
            fields: Any = enum.Enum(name, members)  # type: ignore[misc]
            described = {field.name: field.description for field in spec.fields.values()}
            self._made[name] = graphene.Enum.from_enum(
                fields,
                description=lambda member: (
                    f"What {spec.name} rows can differ in."
                    if member is None
                    else described[member.value]
                ),
            )
        return self._made.get(name)

    def group_by(self, keys: ObjectSpec) -> Any:
        """Return ``<Type>GroupByInput``. ``keys``: the type's ``GroupKeys``."""
        name = keys.name.removesuffix(KEYS_SUFFIX) + GROUP_SUFFIX
        if name not in self._made:
            self._made[name] = input_object(
                name, "What rows are grouped by: exactly one field.", {}
            )
            for field in keys.fields.values():
                self._made[name]._meta.fields[field.name] = self._group_field(field)
        return self._made[name]

    def _group_field(self, field: FieldSpec) -> Any:
        named = field.type.named
        if isinstance(named, ObjectSpec):
            made: Any = self.group_by(named)
        else:
            made = self.time_unit if is_cut(field) else graphene.Boolean
        return graphene.InputField(made, name=field.name, description=field.description)

    def _where_fields(self, spec: ObjectSpec, made: Any) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for field in spec.fields.values():
            if is_filterable(field):
                fields[field.name] = self._where_field(field)
        items = graphene.List(graphene.NonNull(made))
        fields["AND"] = graphene.InputField(items, name="AND", description="All of these hold.")
        fields["OR"] = graphene.InputField(
            items, name="OR", description="At least one of these holds."
        )
        fields["NOT"] = graphene.InputField(made, name="NOT", description="This does not hold.")
        return fields

    def _where_field(self, field: FieldSpec) -> Any:
        named = rows_of(field) or field.type.innermost
        if isinstance(named, ObjectSpec):
            made = self.list_filter if has_many(field) else self.where
            return graphene.InputField(lambda: made(named), name=field.name)
        return graphene.InputField(
            self.filter(field), name=field.name, description=field.description
        )

    def _order_field(self, field: FieldSpec) -> Any:
        named = field.type.named
        if isinstance(named, ObjectSpec):
            return graphene.InputField(lambda: self.order_by(named), name=field.name)
        return graphene.InputField(
            self.order_direction, name=field.name, description=field.description
        )

    def mark_one_of(self, types: Mapping[str, Any]) -> None:
        """Make order and group inputs ``@oneOf``, which graphene has no word for: input fields have no order."""
        for name in self._made:
            if name.endswith((ORDER_SUFFIX, GROUP_SUFFIX)) and name in types:
                types[name].is_one_of = True

    def filter(self, field: FieldSpec) -> Any:
        """Return the filter input of a leaf field or a list of leaves."""
        leaf = field.type.innermost
        name = filter_name(field)
        if name not in self._made:
            graphene_leaf = self.leaf(leaf, field)
            self._made[name] = input_object(
                name,
                f"Conditions on {_described(field)}.",
                {
                    operator.name: graphene.InputField(
                        argument_type(operator, graphene_leaf),
                        name=operator.name,
                        description=operator.description,
                    )
                    for operator in filter_operators(field)
                },
            )
        return self._made[name]

    def leaf(self, named: Any, field: FieldSpec | None = None) -> Any:
        """Return the graphene type of a scalar or an enum."""
        if field is not None and field.is_id:
            return graphene.ID
        return self._enums[named.name] if isinstance(named, EnumSpec) else graphene_scalar(named)


def _described(field: FieldSpec) -> str:
    if field.is_id:
        return "an ID"
    return (
        f"a list of {field.type.innermost.name}"
        if field.type.item is not None
        else field.type.innermost.name
    )


def filter_name(field: FieldSpec) -> str:
    """Return the name of the field's filter input."""
    leaf = field.type.innermost
    if field.is_id:
        # The operators are those of the stored scalar: an integer id has gt, a uuid has not.
        return "IDFilter" if leaf.name in {"ID", "UUID"} else f"{leaf.name}IDFilter"
    return f"{leaf.name}{'List' if field.type.item is not None else ''}Filter"


def argument_type(operator: Operator, leaf: Any) -> Any:
    """Return the graphene type an operator's argument has on a field of type ``leaf``."""
    kinds = {
        "same": lambda: leaf,
        "list": lambda: graphene.List(graphene.NonNull(leaf)),
        "boolean": lambda: graphene.Boolean,
        "int": lambda: graphene.Int,
        "text": lambda: graphene.String,
        "texts": lambda: graphene.List(graphene.NonNull(graphene.String)),
        "json": lambda: graphene_scalar(SCALARS["JSON"]),
    }
    if operator.argument in kinds:
        return kinds[operator.argument]()
    return graphene_scalar(SCALARS[operator.argument])


def input_object(name: str, description: str | None, fields: dict[str, Any]) -> Any:
    """Return a graphene input object type with ``fields``, by GraphQL name."""
    meta = type("Meta", (), {"name": name, "description": description})
    made: Any = type(name, (graphene.InputObjectType,), {"Meta": meta})
    made._meta.fields.update(fields)
    return made


def _describe_unit(member: TimeUnit | None) -> str | None:
    if member is None:
        return TimeUnit.__doc__
    if member is TimeUnit.EXACT:
        return "The value itself."
    return f"The beginning of its {member.value}."


def _describe_direction(member: OrderDirection | None) -> str | None:
    if member is None:
        return OrderDirection.__doc__
    return f"SQL: {member.value}."
