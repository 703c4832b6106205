"""
Conditions, order keys and cursors as SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from psycopg import sql

from fraiseql.db.catalog import Relation
from fraiseql.engine.plan.filters import id_parser
from fraiseql.engine.plan.order import decode_cursor
from fraiseql.engine.plan.plan import (
    RANK,
    RESULT_SETTING,
    Compare,
    Condition,
    Cursor,
    Every,
    Has,
    IsNull,
    Not,
    Order,
    Some,
    Target,
    Written,
)
from fraiseql.engine.plan.values import Leaf
from fraiseql.engine.sql import narrow, operators
from fraiseql.engine.sql.keyset import Key, combine, keyset
from fraiseql.engine.sql.scope import Element, Figures, Rows, Scope, literal, matching, type_name
from fraiseql.engine.sql.template import INT32, INT64, STAYS, UUID, Encode, Slot, Way
from fraiseql.errors import ConfigurationError
from fraiseql.schema.inputs import scalar_of
from fraiseql.schema.specs import ObjectSpec

Relations = Mapping[str, Relation]

MAX_JOINS = 8
"""Conditions across relations that PostgreSQL may plan as joins: its time grows exponentially with them."""


@dataclass
class Terms:
    """
    What stands in the selects of one root field; parameters go to ``slots`` in the order of their placeholders.

    ``response_key``: the root field, whose error it is if a parameter does not fit.
    """

    relations: Relations
    slots: list[Slot]
    response_key: str
    count: int = 0
    conditions: int = 0

    def number(self) -> int:
        """Return a number for aliases that none has yet."""
        self.count += 1
        return self.count

    def relation(self, spec: ObjectSpec) -> Relation:
        """Return the catalog's entry of a type's view. Raises ConfigurationError if there is none."""
        name = spec.view or ""
        if name not in self.relations:
            raise ConfigurationError(
                f"The view {name!r} of {spec.name} does not exist.",
                hint="Run manage.py migrate, then manage.py check --database default.",
            )
        return self.relations[name]

    def rows(self, spec: ObjectSpec, number: int | None = None) -> Rows:
        """Return the rows of a type's view under an alias of their own."""
        return Rows(spec, self.relation(spec), f"t{self.number() if number is None else number}")

    # Conditions

    def condition(self, condition: Condition, scope: Scope | Figures) -> sql.Composable:
        """Return a condition on what ``scope`` holds."""
        match condition:
            case Compare():
                return self._compare(condition, scope)
            case IsNull(target, negated):
                test = sql.SQL("{} IS NOT NULL") if negated else sql.SQL("{} IS NULL")
                return test.format(operators.nullable(self.operand(target, scope)))
            case Every(items):
                return combine(" AND ", "true", [self.condition(item, scope) for item in items])
            case Some(items):
                return combine(" OR ", "false", [self.condition(item, scope) for item in items])
            case Written(target):
                field, ids = self._written(target, scope)
                return sql.SQL("{} = ANY ({})").format(field, ids)
            case Not(item):
                # IS NOT TRUE: a row for which the condition is unknown does not satisfy it.
                return sql.SQL("({}) IS NOT TRUE").format(self.condition(item, scope))
            case Has(target, where, negated):
                self.conditions += 1
                # IS TRUE keeps PostgreSQL from making it a join of the statement's own.
                shown = "{} IS TRUE" if self.conditions > MAX_JOINS else "{}"
                test = sql.SQL("NOT EXISTS ({})") if negated else sql.SQL("EXISTS ({})")
                return sql.SQL(shown).format(test.format(self._objects(target, where, scope)))

    def _written(
        self, target: Target, scope: Scope | Figures
    ) -> tuple[sql.Composable, sql.Composable]:
        """Return a field and the ids a function has left, which it may be among."""
        operand = self.operand(target, scope)
        if isinstance(operand, operators.Column):
            field, pg_type = operand.expression, operand.pg_type
        else:
            field, pg_type = operand.text, "text"
        ids = sql.SQL("current_setting({})::{}[]")
        return field, ids.format(literal(RESULT_SETTING), type_name(pg_type))

    def _compare(self, condition: Compare, scope: Scope | Figures) -> sql.Composable:
        entry, operator = condition.target.leaf, condition.operator
        scalar, is_list = scalar_of(entry.type.innermost), entry.type.item is not None
        encode: Encode = operators.encoder(operator, scalar, is_list)
        way: Way | None = operator.affixes
        if entry.is_id and operator.argument in {"same", "list"}:
            parse = id_parser(entry, entry.name)
            encode = (
                _encode_ids(parse, encode) if operator.argument == "list" else _after(parse, encode)
            )
            if operator.argument == "same" and not is_list:
                way = _STORED.get(scalar.name)
        value = self.parameter(condition.argument, encode, way)
        operand = self.operand(condition.target, scope)
        return operators.condition(operator, scalar, operand, is_list, value)

    def _objects(self, target: Target, where: Condition, scope: Scope | Figures) -> sql.Composable:
        """Return the select of the objects at ``target`` that satisfy ``where``."""
        assert not isinstance(scope, Figures)  # noqa: S101 - figures are no objects
        *above, last = target.fields
        if last.related is not None:
            rows = self.rows(last.related.root.type)
            holder = scope.inside([entry.key for entry in above]) if above else scope
            conditions = [matching(last.related, holder, rows)]
            if where != Every(()):
                conditions.append(self.condition(where, rows))
            return sql.SQL("SELECT FROM {} AS {}{}").format(
                rows.view, sql.SQL(rows.alias), where_clause(conditions)
            )
        found = scope.inside([entry.key for entry in target.fields])
        alias = f"e{self.number()}"
        item = Element(sql.SQL("{}.value").format(sql.SQL(alias)), found.pg_type)
        return sql.SQL("SELECT FROM {} AS {}(value){}").format(
            elements(found), sql.SQL(alias), where_clause([self.condition(where, item)])
        )

    def operand(self, target: Target, scope: Scope | Figures) -> operators.Operand:
        """Return what a target stands for in ``scope``."""
        if isinstance(scope, Figures):
            return scope.columns[target]
        if target == RANK:
            assert isinstance(scope, Rows)  # noqa: S101 - nothing else is searched
            return narrow.rank(scope)
        keys: list[str] = []
        for number, entry in enumerate(target.fields):
            if entry.related is not None:
                rows = self.rows(entry.related.root.type)
                holder = scope.inside(keys) if keys else scope
                below = Target(target.fields[number + 1 :])
                return self._related_value(below, rows, matching(entry.related, holder, rows))
            keys.append(entry.key)
        return scope.operand(keys)

    def _related_value(
        self, target: Target, rows: Rows, match: sql.Composable
    ) -> operators.Operand:
        """Return a value of the one row that matches, to order by."""
        scalar = scalar_of(target.leaf.type.innermost)
        operand = self.operand(target, rows)
        value = sql.SQL("(SELECT {} FROM {} AS {} WHERE {} LIMIT 1)").format(
            operators.sort_key(scalar, operand), rows.view, sql.SQL(rows.alias), match
        )
        return operators.Column(value, operators.sort_type(scalar, operand))

    # Order and cursors

    def sort_key(self, order: Order, scope: Scope | Figures) -> sql.Composable:
        """Return what rows are ordered by."""
        scalar = scalar_of(order.target.leaf.type.innermost)
        return operators.sort_key(scalar, self.operand(order.target, scope))

    def by_place(self, written: Written, scope: Scope) -> sql.Composable:
        """Return the clause of the order in which a function has returned its rows."""
        field, ids = self._written(written.target, scope)
        return sql.SQL(" ORDER BY array_position({}, {})").format(ids, field)

    def order_by(self, order: Sequence[Order], scope: Scope | Figures) -> sql.Composable:
        """Return the clause, or nothing."""
        if not order:
            return sql.SQL("")
        keys = [self.sort_key(key, scope) + direction(key) for key in order]
        return sql.SQL(" ORDER BY ") + sql.SQL(", ").join(keys)

    def beyond(
        self, order: Sequence[Order], backward: bool, cursor: Cursor, argument: str, scope: Scope
    ) -> sql.Composable:
        """Return the condition of rows that come after ``cursor`` in ``order``, or before it."""
        keys = []
        for number, key in enumerate(order):
            way = key.reverse() if backward else key
            value = partial(self._cursor_value, cursor, number, tuple(order), argument, scope)
            keys.append(
                Key(
                    self.sort_key(key, scope),
                    value,
                    way.descending,
                    way.nulls_first,
                    key.is_nullable,
                    cursor.values[number] is None,
                )
            )
        return keyset(keys)

    def _cursor_value(
        self, cursor: Cursor, number: int, order: tuple[Order, ...], argument: str, scope: Scope
    ) -> sql.Composable:
        target = order[number].target
        scalar = scalar_of(target.leaf.type.innermost)
        pg_type = operators.sort_type(scalar, self.operand(target, scope))

        def encode(text: str) -> str | None:
            return decode_cursor(text, order, argument)[number]

        return sql.SQL("{}::{}").format(self.parameter(cursor.leaf, encode), type_name(pg_type))

    def parameter(self, leaf: Leaf, encode: Encode, way: Way | None = None) -> sql.Composable:
        """Return the placeholder of a value, whose slot it fills."""
        self.slots.append(Slot(leaf, encode, self.response_key, way))
        return sql.Placeholder()


def elements(array: Element) -> sql.Composable:
    """Return the call whose rows are the array's items; of what is no array, none."""
    prefix = sql.SQL(array.pg_type)
    return sql.SQL(
        "{prefix}_array_elements(CASE WHEN {prefix}_typeof({value}) = 'array' THEN {value} END)"
    ).format(prefix=prefix, value=array.value)


def direction(key: Order) -> sql.Composable:
    """Return the words after a key in ORDER BY."""
    words = " DESC" if key.descending else ""
    if key.nulls_first != key.descending:
        words += " NULLS FIRST" if key.nulls_first else " NULLS LAST"
    return _WORDS[words]


def where_clause(conditions: Sequence[sql.Composable]) -> sql.Composable:
    """Return the clause, or nothing."""
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")


_WORDS = {
    "": sql.SQL(""),
    " DESC": sql.SQL(" DESC"),
    " NULLS FIRST": sql.SQL(" NULLS FIRST"),
    " DESC NULLS LAST": sql.SQL(" DESC NULLS LAST"),
}


# What may be stored as an ID, by its scalar.
_STORED = {"UUID": UUID, "Int": INT32, "BigInt": INT64, "ID": STAYS, "String": STAYS}


def _after(parse: Callable[[Any], Any], encode: Encode) -> Encode:
    return lambda value: encode(parse(value))


def _encode_ids(parse: Callable[[Any], Any], encode: Encode) -> Encode:
    return lambda values: encode([parse(value) for value in values])
