"""
Aggregates: ``groupBy`` and ``having`` to groups.
"""

from collections.abc import Mapping
from typing import Any

from fraiseql.engine.plan.filters import check_amount, plan_where
from fraiseql.engine.plan.order import MAX_KEYS, plan_order
from fraiseql.engine.plan.plan import Condition, GroupKey, Groups, Guard, Order, Target
from fraiseql.engine.plan.values import Given, Leaf
from fraiseql.errors import BadUserInput
from fraiseql.schema.aggregates import KEYS
from fraiseql.schema.inputs import TimeUnit, scalar_of
from fraiseql.schema.specs import FieldSpec, ObjectSpec

_UTC = frozenset({"UTC", "Etc/UTC", "Zulu", "Etc/Zulu"})


def plan_groups(given: Mapping[str, Given], spec: ObjectSpec, guards: list[Guard]) -> Groups:
    """Return the groups that the arguments of an aggregate of type ``spec`` ask for."""
    zone = _zone(given.get("timeZone"), guards)
    items = given.get("groupBy")
    if isinstance(items, list) and len(items) > MAX_KEYS:
        raise BadUserInput(f"groupBy has {len(items):,} keys; at most {MAX_KEYS} are allowed.")
    keys: dict[Target, GroupKey] = {}
    for item in items if isinstance(items, list) else ():
        key = _key(item, spec.fields[KEYS], (), zone, guards)
        if key.target in keys:
            raise BadUserInput(
                f"groupBy names {_shown(key.target)} twice.", hint="Take the finer unit."
            )
        keys[key.target] = key
    return Groups(tuple(keys.values()), _having(given.get("having", Leaf(None)), spec, guards))


def plan_group_order(
    given: Given, spec: ObjectSpec, groups: Groups, guards: list[Guard]
) -> tuple[Order, ...]:
    """Return the keys of an aggregate's ``orderBy``; those of the groups, which nothing else ties, are last."""
    order = plan_order(given, spec, guards)
    known = {key.target for key in groups.keys}
    for key in order:
        if key.target.fields[0].name == KEYS and key.target not in known:
            raise BadUserInput(f"orderBy names {_shown(key.target)}, which groupBy does not.")
    ordered = {key.target for key in order}
    ties = [Order(key.target) for key in groups.keys if key.target not in ordered]
    return (*order, *ties)


def _having(given: Given, spec: ObjectSpec, guards: list[Guard]) -> Condition:
    check_amount(given, "having")
    return plan_where(given, spec, guards, "having")


def _key(
    given: dict[str, Given],
    owner: FieldSpec,
    above: tuple[FieldSpec, ...],
    zone: Leaf | None,
    guards: list[Guard],
) -> GroupKey:
    if len(given) != 1:
        raise BadUserInput(
            f"A groupBy item has {len(given)} fields; it takes exactly one.",
            hint="Write a list: groupBy: [{a: true}, {b: MONTH}].",
        )
    spec = owner.type.named
    assert isinstance(spec, ObjectSpec)  # noqa: S101 - only objects take objects
    ((name, value),) = given.items()
    fields = (*above, owner)
    if isinstance(value, dict):
        return _key(value, spec.fields[name], fields, zone, guards)
    target = Target((*fields, spec.fields[name]))
    if value.path is not None:
        guards.append(Guard(value.path, _same, value.value))
    if value.value is None or value.value is False:
        raise BadUserInput(
            f"groupBy.{_shown(target)} is {'null' if value.value is None else 'false'}.",
            hint="Name only what to group by.",
        )
    if value.value is True or value.value is TimeUnit.EXACT:
        return GroupKey(target)
    # A date lies in no zone.
    has_zone = scalar_of(target.leaf.type.named).pg != "date"
    return GroupKey(target, value.value.value, zone if has_zone else None)


def _zone(given: Given, guards: list[Guard]) -> Leaf | None:
    if not isinstance(given, Leaf):
        return None
    if given.path is not None:
        guards.append(Guard(given.path, _is_utc, _is_utc(given.value)))
    return None if _is_utc(given.value) else given


def _shown(target: Target) -> str:
    return ".".join(entry.name for entry in target.fields[1:])


def _is_utc(value: Any) -> bool:
    return value is None or value in _UTC


def _same(value: Any) -> Any:
    return value
