"""
Forms: what the variables of a request look like if a statement that is known already answers it.

The accelerator then takes a body straight to the statement's parameters (``accelerator/binder``). What it reads
by itself is what most clients send; whatever else there is in a value, a callable of here reads. A body that
fits no form is read as any other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLString,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from fraiseql.db.statement import encoded
from fraiseql.engine.document.variables import Invalid, coercer
from fraiseql.engine.plan.plan import Guard
from fraiseql.engine.plan.values import Path, outline
from fraiseql.engine.sql.template import INSTANT, STAYS, UUID, Slot, Template, Way
from fraiseql.errors import FraiseQLError
from fraiseql.schema.coercion.numbers import encode_boolean
from fraiseql.schema.coercion.temporal import encode_instant

MAX_LEAVES = 64
"""Values that a form may have: what has more is seldom sent twice with the same outline."""

Form = Any
"""None, a dict of Form, a list of Form, or a leaf: a kind and what goes with it (``binding/src/binder.rs``)."""

_TEXT, _ID, _INT, _BOOLEAN, _SAME, _CALL, _CALL_LIST = range(7)
# By the scalar's name: what turns it into text, and the way of that text.
_SCALARS = {"UUID": (str, UUID), "DateTime": (encode_instant, INSTANT)}
_KINDS = {GraphQLString: _TEXT, GraphQLID: _ID, GraphQLInt: _INT, GraphQLBoolean: _BOOLEAN}


def form_of(
    declared: Mapping[str, Any], variables: Mapping[str, Any], template: Template
) -> Form | None:
    """
    Return the form of variables that ``template`` has served; None: it is better not kept.

    ``declared``: the variables' types; ``variables``: as they were sent. Whatever has the form has the outline
    of these, and satisfies the template's guards.
    """
    maker = _Maker(template)
    try:
        form = maker.members(variables, declared, ())
    except _Unusual:
        return None
    left = [*maker.slots, *maker.guards]
    return form if all(_is_given_by_no_one(variables, path) for path in left) else None


class _Unusual(Exception):
    """Nothing is gained, or nothing certain, by the form of these variables."""


def _is_given_by_no_one(value: Any, path: Path) -> bool:
    """Tell whether a place is null or a default's: as long as the form is the same, so is what stands there."""
    while path and isinstance(value, dict) and path[0] in value:
        value, path = value[path[0]], path[1:]
    return value is None or (isinstance(value, dict) and bool(path))


class _Maker:
    """``slots``, ``guards``: those that no leaf has taken yet, by their place in the variables."""

    def __init__(self, template: Template) -> None:
        self.slots: dict[Path, list[tuple[int, Slot]]] = {}
        self.guards: dict[Path, list[Guard]] = {}
        self._leaves = 0
        for number, slot in enumerate(template.slots):
            if slot.leaf.path is not None:
                self.slots.setdefault(slot.leaf.path, []).append((number, slot))
        for guard in template.guards:
            self.guards.setdefault(guard.path, []).append(guard)

    def members(self, given: Mapping[str, Any], types: Mapping[str, Any], path: Path) -> Form:
        if not given.keys() <= types.keys():
            raise _Unusual  # Variables that the operation does not declare.
        return {
            name: self._value(value, types[name], (*path, name)) for name, value in given.items()
        }

    def _value(self, given: Any, declared: Any, path: Path) -> Form:
        if given is None:
            return None
        declared = get_nullable_type(declared)
        named = get_named_type(declared)
        if not isinstance(named, GraphQLInputObjectType):
            return self._leaf(given, declared, path)
        if is_list_type(declared):
            if not isinstance(given, list):
                raise _Unusual  # One that stands for a list of one.
            return [
                self._value(item, declared.of_type, (*path, index))
                for index, item in enumerate(given)
            ]
        return self.members(given, {key: field.type for key, field in named.fields.items()}, path)

    def _leaf(self, given: Any, declared: Any, path: Path) -> Form:
        self._leaves += 1
        if self._leaves > MAX_LEAVES:
            raise _Unusual
        slots, guards = self.slots.pop(path, []), self.guards.pop(path, [])
        if guards and not slots and _is_plain(given):
            return _SAME, given  # The statement was made for this value.
        kind = _KINDS.get(declared)
        if kind is not None and not guards:
            targets = tuple((number, _way(kind, slot)) for number, slot in slots)
            if all(way is not None for _, way in targets):
                return kind, targets
        encode, way = _SCALARS.get(getattr(declared, "name", ""), (None, None))
        if slots and not guards and all(slot.encode is encode for _, slot in slots):
            return _TEXT, tuple((number, way) for number, _ in slots)
        read = _reader(declared, [slot for _, slot in slots], guards, given)
        numbers = tuple(number for number, _ in slots)
        if isinstance(given, list):
            return _CALL_LIST, read, numbers
        if type(given) in (str, int, bool):
            return _CALL, read, numbers
        raise _Unusual


def _is_plain(given: Any) -> bool:
    """Tell whether a value is the same to every reader of JSON."""
    if type(given) is str:
        return given.isascii()
    return type(given) is bool or (type(given) is int and abs(given) < 2**31)


def _way(kind: int, slot: Slot) -> Way | None:
    is_as_sent = slot.encode is (encode_boolean if kind == _BOOLEAN else str)
    return STAYS if is_as_sent else slot.way


def _reader(
    declared: Any, slots: Sequence[Slot], guards: Sequence[Guard], given: Any
) -> Callable[[Any], list[bytes | None] | None]:
    """Return what makes the parameters in ``slots`` of a value; None of one that is another statement's."""
    coerce = coercer(declared)
    expected = outline(coerce(given))

    def read(value: Any) -> list[bytes | None] | None:
        try:
            coerced = coerce(value)
            if outline(coerced) != expected:
                return None
            for guard in guards:
                if guard.classify(coerced) != guard.expected:
                    return None
            return encoded([slot.encode(coerced) for slot in slots])
        except (Invalid, FraiseQLError):
            return None

    return read
