"""
``where`` arguments to conditions.
"""

import re
from typing import Any

from fraiseql.engine.plan.plan import Compare, Condition, Every, Guard, IsNull, Not, Some, Target
from fraiseql.engine.plan.values import Given, Leaf
from fraiseql.errors import BadUserInput
from fraiseql.schema.inputs import LOGICAL, filter_operators, scalar_of
from fraiseql.schema.operators import Operator
from fraiseql.schema.specs import FieldSpec, ObjectSpec

# As PostgreSQL prints it, which is what clients send back: no need to read it digit by digit.
_CANONICAL_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

MAX_COMPARISONS = 1_000
"""In one ``where`` of a client: over a view, each may compute the view's documents once more."""


def check_amount(given: Given) -> None:
    """Raise BadUserInput if a ``where`` argument has too many comparisons."""
    if not isinstance(given, Leaf) and (count := _count(given)) > MAX_COMPARISONS:
        raise BadUserInput(
            f"where has {count:,} comparisons; at most {MAX_COMPARISONS:,} are allowed.",
            hint="Compare with many values at once: in.",
        )


def _count(given: Given) -> int:
    if isinstance(given, Leaf):
        return 1
    return sum(map(_count, given.values() if isinstance(given, dict) else given))


def plan_where(given: Given, spec: ObjectSpec, guards: list[Guard]) -> Condition:
    """
    Return the condition of a ``where`` argument on rows of type ``spec``.

    Null as a whole is no condition; null in a field's place is refused, because it could mean two things;
    ``eq: null`` and ``neq: null`` compare with null.
    """
    if isinstance(given, Leaf):
        return Every(())
    return _object(given, spec, (), guards)


def _object(
    given: dict[str, Given], spec: ObjectSpec, above: tuple[FieldSpec, ...], guards: list[Guard]
) -> Condition:
    conditions = []
    for name, value in given.items():
        where = ".".join([*(entry.name for entry in above), name])
        if isinstance(value, Leaf):
            raise BadUserInput(
                f"where.{where} is null.",
                hint="Leave it out for no condition; to find nulls, write {isnull: true}.",
            )
        if name in LOGICAL:
            conditions.append(_logical(name, value, spec, above, guards))
            continue
        entry = spec.fields[name]
        named = entry.type.innermost
        if isinstance(named, ObjectSpec):
            conditions.append(_object(value, named, (*above, entry), guards))
        else:
            conditions.append(_leaf(value, (*above, entry), where, guards))
    return conditions[0] if len(conditions) == 1 else Every(tuple(conditions))


def _logical(
    name: str, value: Any, spec: ObjectSpec, above: tuple[FieldSpec, ...], guards: list[Guard]
) -> Condition:
    if name == "NOT":
        return Not(_object(value, spec, above, guards))
    items = tuple(_object(item, spec, above, guards) for item in value)
    return Every(items) if name == "AND" else Some(items)


def _leaf(
    given: dict[str, Leaf], fields: tuple[FieldSpec, ...], where: str, guards: list[Guard]
) -> Condition:
    operators = {operator.name: operator for operator in filter_operators(fields[-1])}
    target = Target(fields)
    conditions = tuple(
        compare(target, operators[name], leaf, f"where.{where}.{name}", guards)
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
        values = leaf.value if operator.argument == "list" else [leaf.value]
        for value in values:
            parse_id(entry, value, where)
    return leaf


def parse_id(entry: FieldSpec, value: Any, where: str) -> Any:
    """Return an ``ID`` argument's value as the field stores it. Raises BadUserInput."""
    scalar = scalar_of(entry.type.innermost)
    is_text = isinstance(value, str)
    if is_text and scalar.family == "uuid" and _CANONICAL_UUID.fullmatch(value):
        return value
    try:
        return scalar.parse(int(value) if is_text and scalar.family == "number" else value)
    except ValueError as error:
        raise BadUserInput(f"{where} is not a {scalar.name}.") from error
