"""
``where`` arguments to conditions.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fraiseql.engine.plan.plan import (
    Compare,
    Condition,
    Every,
    Guard,
    Has,
    IsNull,
    Not,
    Some,
    Target,
)
from fraiseql.engine.plan.values import Given, Leaf
from fraiseql.errors import BadUserInput
from fraiseql.schema.inputs import LOGICAL, filter_operators, has_many, rows_of, scalar_of
from fraiseql.schema.operators import Operator
from fraiseql.schema.specs import FieldSpec, ObjectSpec

# As PostgreSQL prints it, which is what clients send back: no need to read it digit by digit.
_CANONICAL_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

MAX_COMPARISONS = 1_000
"""In one ``where`` of a client: over a view, each may compute the view's documents once more."""

MAX_CROSSINGS = 8
"""Lists and views that a ``where`` goes into one within another: each multiplies what is looked at."""


def check_amount(given: Given, argument: str = "where") -> None:
    """Raise BadUserInput if a ``where`` or ``having`` argument has too many comparisons."""
    if not isinstance(given, Leaf) and (count := _count(given)) > MAX_COMPARISONS:
        raise BadUserInput(
            f"{argument} has {count:,} comparisons; at most {MAX_COMPARISONS:,} are allowed.",
            hint="Compare with many values at once: in.",
        )


def _count(given: Given) -> int:
    if isinstance(given, Leaf):
        return 1
    # An empty object counts too: {some: {}} asks for a row.
    return max(1, sum(map(_count, given.values() if isinstance(given, dict) else given)))


def plan_where(
    given: Given, spec: ObjectSpec, guards: list[Guard], argument: str = "where"
) -> Condition:
    """
    Return the condition of a ``where`` argument on rows of type ``spec``.

    Null as a whole is no condition; null in a field's place is refused, because it could mean two things;
    ``eq: null`` and ``neq: null`` compare with null.
    """
    if isinstance(given, Leaf):
        return Every(())
    return _object(given, _Place(spec, path=(argument,)), guards)


@dataclass(frozen=True)
class _Place:
    """
    Where a condition stands: on rows of ``spec``, or on what ``fields`` lead to from them.

    ``path``: the names so far, for messages; ``crossings``: see MAX_CROSSINGS.
    """

    spec: ObjectSpec
    fields: tuple[FieldSpec, ...] = ()
    path: tuple[str, ...] = ("where",)
    crossings: int = 0

    def embedded(self, entry: FieldSpec, spec: ObjectSpec) -> "_Place":
        return _Place(spec, (*self.fields, entry), (*self.path, entry.name), self.crossings)

    def inside(self, entry: FieldSpec, spec: ObjectSpec, word: str = "") -> "_Place":
        """Return the place in rows of their own; ``word``: some, every or none."""
        if self.crossings == MAX_CROSSINGS:
            raise BadUserInput(f"where goes through more than {MAX_CROSSINGS} lists and views.")
        path = (*self.path, entry.name, word) if word else (*self.path, entry.name)
        return _Place(spec, (), path, self.crossings + 1)


def _object(given: dict[str, Given], place: _Place, guards: list[Guard]) -> Condition:
    conditions = []
    for name, value in given.items():
        where = ".".join([*place.path, name])
        if isinstance(value, Leaf):
            raise BadUserInput(
                f"{where} is null.",
                hint="Leave it out for no condition; to find nulls, write {isnull: true}.",
            )
        if name in LOGICAL:
            conditions.append(_logical(name, value, place, guards))
            continue
        entry = place.spec.fields[name]
        fields = (*place.fields, entry)
        named = rows_of(entry) or entry.type.innermost
        if not isinstance(named, ObjectSpec):
            conditions.append(_leaf(value, fields, where, guards))
        elif has_many(entry):
            conditions.append(_quantified(value, entry, place, guards))
        elif entry.related is not None:
            inner = _object(value, place.inside(entry, named), guards)
            conditions.append(Has(Target(fields), inner))
        else:
            conditions.append(_object(value, place.embedded(entry, named), guards))
    return conditions[0] if len(conditions) == 1 else Every(tuple(conditions))


def _logical(name: str, value: Any, place: _Place, guards: list[Guard]) -> Condition:
    if name == "NOT":
        return Not(_object(value, place, guards))
    items = tuple(_object(item, place, guards) for item in value)
    return Every(items) if name == "AND" else Some(items)


def _quantified(
    given: dict[str, Given], entry: FieldSpec, place: _Place, guards: list[Guard]
) -> Condition:
    """Return the condition on a list of objects: some of them, every one, none."""
    named = rows_of(entry) or entry.type.innermost
    assert isinstance(named, ObjectSpec)  # noqa: S101 - has_many looked
    target = Target((*place.fields, entry))
    conditions = []
    for word, value in given.items():
        inside = place.inside(entry, named, word)
        if isinstance(value, Leaf):
            raise BadUserInput(f"{'.'.join(inside.path)} is null.", hint="Leave it out.")
        where = _object(value, inside, guards)
        if word == "every":
            where = Not(where)
        conditions.append(Has(target, where, negated=word != "some"))
    return conditions[0] if len(conditions) == 1 else Every(tuple(conditions))


def _leaf(
    given: dict[str, Leaf], fields: tuple[FieldSpec, ...], where: str, guards: list[Guard]
) -> Condition:
    operators = {operator.name: operator for operator in filter_operators(fields[-1])}
    target = Target(fields)
    conditions = tuple(
        compare(target, operators[name], leaf, f"{where}.{name}", guards)
        for name, leaf in given.items()
    )
    return conditions[0] if len(conditions) == 1 else Every(conditions)


def compare(
    target: Target, operator: Operator, leaf: Leaf, where: str, guards: list[Guard]
) -> Condition:
    """Return ``target operator leaf``; ``where`` names the place in messages."""
    if operator.name == "isnull":
        if leaf.value is None:
            raise BadUserInput(f"{where} is null.", hint="Write true or false.")
        if leaf.path is not None:
            guards.append(Guard(leaf.path, bool, leaf.value))
        return IsNull(target, negated=not leaf.value)
    if leaf.value is not None:
        return Compare(target, operator, stored(target.leaf, operator, leaf, where))
    if operator.name in {"eq", "neq"}:
        return IsNull(target, negated=operator.name == "neq")
    raise BadUserInput(f"{where} is null.", hint="Only eq and neq compare with null.")


def stored(entry: FieldSpec, operator: Operator, leaf: Leaf, where: str) -> Leaf:
    """Return the leaf after checking that an ``ID`` argument fits the scalar its field stores."""
    if entry.is_id and operator.argument in {"same", "list"}:
        parse = id_parser(entry, where)
        for value in leaf.value if operator.argument == "list" else [leaf.value]:
            parse(value)
    return leaf


def id_parser(entry: FieldSpec, where: str) -> Callable[[Any], Any]:
    """Return what turns an ``ID`` argument into what the field stores. It raises BadUserInput."""
    scalar = scalar_of(entry.type.innermost)
    is_uuid, is_number = scalar.family == "uuid", scalar.family == "number"

    def parse(value: Any) -> Any:
        is_text = isinstance(value, str)
        if is_uuid and is_text and _CANONICAL_UUID.fullmatch(value):
            return value
        try:
            return scalar.parse(int(value) if is_text and is_number else value)
        except ValueError as error:
            raise BadUserInput(f"{where} is not a {scalar.name}.") from error

    return parse
