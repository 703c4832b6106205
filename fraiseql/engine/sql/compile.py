"""
Plans to SQL.

A document is never cast beside a sort: the cast would be evaluated, and the document detoasted, for rows that
are then thrown away. One list alone needs no cast, and where there is one it stands in an outer select, which
the LIMIT that every list has keeps PostgreSQL from merging with the inner.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from psycopg import sql

from fraiseql.db.catalog import Relation
from fraiseql.engine.plan.filters import parse_id
from fraiseql.engine.plan.order import decode_cursor
from fraiseql.engine.plan.plan import (
    RESULT_SETTING,
    Compare,
    Condition,
    Cursor,
    Every,
    GroupKey,
    IsNull,
    Not,
    Order,
    Plan,
    Read,
    Some,
    Target,
    Written,
)
from fraiseql.engine.plan.values import Leaf
from fraiseql.engine.sql import aggregate, operators
from fraiseql.engine.sql.template import Encode, Slot, Template
from fraiseql.errors import ConfigurationError
from fraiseql.schema.aggregates import COUNT
from fraiseql.schema.inputs import scalar_of
from fraiseql.schema.specs import FieldSpec, ObjectSpec, RootKind

Relations = Mapping[str, Relation]


def compile_plan(plan: Plan, relations: Relations) -> Template:
    """
    Return the one statement that answers all reads of ``plan``.

    ``relations``: the catalog's entries of the views, by name. Raises ConfigurationError if a view, or a
    column it needs, is missing.
    """
    slots: list[Slot] = []
    branches: list[sql.Composable] = []
    is_tagged = len(plan.reads) > 1 or any(
        read.wants.cursors or read.wants.total for read in plan.reads
    )
    for number, read in enumerate(plan.reads):
        branch = _Branch(read, _relation(read.type, relations), slots)
        if read.groups is not None:
            branches.append(branch.groups(number if is_tagged else None))
        elif read.wants.rows:
            branches.append(branch.rows(number) if is_tagged else branch.documents())
        if read.wants.total:
            branches.append(branch.total(number))
    # Append runs its branches in turn, and rows of a branch that has a LIMIT in their order: PostgreSQL
    # never makes such a branch parallel.
    text = sql.SQL("\nUNION ALL\n").join(branches)
    return Template(text.as_string(None), tuple(slots), is_tagged, plan.guards, plan.is_reusable)


def has_document_column(spec: ObjectSpec, relation: Relation) -> bool:
    """Tell whether rows hold their document in a column, or are it."""
    if spec.jsonb is None or spec.jsonb not in relation.columns:
        return False
    return relation.columns[spec.jsonb].is_json


def _relation(spec: ObjectSpec, relations: Relations) -> Relation:
    name = spec.view or ""
    if name not in relations:
        raise ConfigurationError(
            f"The view {name!r} of {spec.name} does not exist.",
            hint="Run manage.py migrate, then manage.py check --database default.",
        )
    return relations[name]


@dataclass
class _Branch:
    """
    The SQL of one read; parameters go to ``slots`` in the order of their placeholders.

    ``worked_out``: the columns of an inner select, for what is in no document.
    """

    read: Read
    relation: Relation
    slots: list[Slot]
    has_document: bool = field(init=False)
    worked_out: dict[Target, operators.Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.has_document = has_document_column(self.read.type, self.relation)

    # Selects

    def documents(self) -> sql.Composable:
        """Return the select of a single read: one column, the document."""
        if self.has_document:
            return self._page([sql.SQL("t.{}").format(identifier(self._document_column))])
        # p.*, not p, which would be a column of that name before it is the row.
        return sql.SQL("SELECT row_to_json(p.*) FROM ({page}) AS p").format(
            page=self._page(self._columns())
        )

    def rows(self, number: int) -> sql.Composable:
        """Return the select of one read among several: field number, cursor keys, document."""
        if self.has_document:
            columns: list[sql.Composable] = [
                sql.SQL("t.{} AS d").format(identifier(self._document_column))
            ]
            document: sql.Composable = sql.SQL("p.d")
        else:
            columns = self._columns()
            names = sql.SQL(", ").join(
                sql.SQL("p.{}").format(identifier(key)) for key in self.read.keys
            )
            document = sql.SQL("(SELECT row_to_json(r.*) FROM (SELECT {names}) AS r)").format(
                names=names
            )
        cursor: sql.Composable = sql.SQL("NULL")
        if self.read.wants.cursors:
            keys = sql.SQL(", ").join(self._sort_key(order) for order in self.read.order)
            alias = sql.Identifier(self._unused_name("k"))
            columns.append(sql.SQL("json_build_array({}) AS {}").format(keys, alias))
            cursor = sql.SQL("p.{}::text").format(alias)
        return sql.SQL(
            "SELECT {number} AS f, {cursor} AS k, {document}::text AS d FROM ({page}) AS p"
        ).format(
            number=sql.Literal(number), cursor=cursor, document=document, page=self._page(columns)
        )

    def total(self, number: int) -> sql.Composable:
        """Return the select of the number of all rows: field number below zero, the count as document."""
        return sql.SQL("SELECT {number}, NULL, count(*)::text FROM {view} AS t{where}").format(
            number=sql.Literal(-1 - number),
            view=self._view(),
            where=_where(self._conditions(self.read.where)),
        )

    def groups(self, number: int | None) -> sql.Composable:
        """Return the select of an aggregate, a document a group; ``number``: as in ``rows``."""
        read = self.read
        assert read.groups is not None  # noqa: S101 - the caller looked
        keys = {key.target: key for key in read.groups.keys}
        columns: list[sql.Composable] = []
        for place, target in enumerate(aggregate.needed(read)):
            alias = sql.Identifier(f"c{place}")
            made = self._figure(target, keys.get(target))
            columns.append(sql.SQL("{} AS {}").format(made.expression, alias))
            self.worked_out[target] = operators.Column(sql.SQL("g.{}").format(alias), made.pg_type)
        places = sql.SQL(", ").join(sql.Literal(place) for place in range(1, len(keys) + 1))
        inner = sql.SQL("SELECT {columns} FROM {view} AS t{where}{group}").format(
            # An aggregate, or all rows would be groups.
            columns=sql.SQL(", ").join(columns or [aggregate.row_count().expression]),
            view=self._view(),
            where=_where(self._conditions(read.where)),
            group=sql.SQL(" GROUP BY {}").format(places) if keys else sql.SQL(""),
        )
        document = aggregate.document(read.wants.figures, self.worked_out)
        shown = document
        if number is not None:
            shown = sql.SQL("{} AS f, NULL AS k, {}::text AS d").format(
                sql.Literal(number), document
            )
        select = sql.SQL(
            "SELECT {shown} FROM ({inner}) AS g{having}{order} LIMIT {limit}{offset}"
        ).format(
            shown=shown,
            inner=inner,
            having=_where(self._conditions(read.groups.having)),
            order=self._order_by(read.order),
            limit=sql.Literal(read.page.limit),
            offset=self._offset(read.page.offset),
        )
        return select if number is None else sql.SQL("({})").format(select)

    def _figure(self, target: Target, key: GroupKey | None) -> operators.Column:
        function = target.fields[0].name
        if function == COUNT:
            return aggregate.row_count()
        source = aggregate.source(target)
        operand = self._operand(source)
        if key is None:
            return aggregate.figure(function, source.leaf, operand)
        if key.unit is None:
            return aggregate.key(source.leaf, operand)
        zone = None if key.zone is None else self._parameter(key.zone, str)
        return aggregate.cut_key(key.unit, source.leaf, operand, zone)

    def _page(self, columns: Sequence[sql.Composable]) -> sql.Composable:
        page = self.read.page
        order = self.read.order
        # Parameters are numbered as they come, so conditions are rendered in the order they stand in.
        conditions = self._conditions(self.read.where)
        if page.after is not None:
            conditions.append(self._beyond(order, page.after, "after"))
        if page.before is not None:
            conditions.append(
                self._beyond(tuple(key.reverse() for key in order), page.before, "before")
            )
        if page.backward:
            order = tuple(key.reverse() for key in order)
        if self.read.kind is RootKind.MANY:
            order = self._telling(order)
        return sql.SQL(
            "SELECT {columns} FROM {view} AS t{where}{order} LIMIT {limit}{offset}"
        ).format(
            columns=sql.SQL(", ").join(columns),
            view=self._view(),
            where=_where(conditions),
            order=self._by_place()
            if isinstance(self.read.where, Written)
            else self._order_by(order),
            limit=sql.Literal(page.limit + (self.read.kind is RootKind.CONNECTION)),
            offset=self._offset(page.offset),
        )

    def _telling(self, order: tuple[Order, ...]) -> tuple[Order, ...]:
        """Return the keys up to the first that is unique: after it nothing is left to sort."""
        columns = self.relation.columns
        for number, key in enumerate(order):
            name = key.target.leaf.key
            is_column = len(key.target.fields) == 1 and name in columns
            if is_column and columns[name].not_null and (name,) in self.relation.unique_keys:
                return order[: number + 1]
        return order

    def _view(self) -> sql.Composable:
        return identifier(self.relation.schema, self.relation.name)

    @property
    def _document_column(self) -> str:
        return self.read.type.jsonb or ""

    def _unused_name(self, name: str) -> str:
        while name in self.relation.columns:
            name += "_"
        return name

    def _columns(self) -> list[sql.Composable]:
        for key in self.read.keys:
            if key not in self.relation.columns:
                raise self._no_column(key)
        # A selection of __typename alone still needs its row.
        return [sql.SQL("t.{}").format(identifier(key)) for key in self.read.keys] or [
            sql.SQL("true AS t")
        ]

    def _no_column(self, key: str) -> ConfigurationError:
        spec = self.read.type
        return ConfigurationError(
            f"The view {spec.view!r} of {spec.name} has no column {key!r}.",
            hint=f"Its columns: {', '.join(self.relation.columns)}.",
        )

    def _offset(self, offset: Leaf | None) -> sql.Composable:
        if offset is None:
            return sql.SQL("")
        return sql.SQL(" OFFSET {}::bigint").format(self._parameter(offset, str))

    # Conditions

    def _conditions(self, condition: Condition) -> list[sql.Composable]:
        return [] if condition == Every(()) else [self._condition(condition)]

    def _condition(self, condition: Condition) -> sql.Composable:
        match condition:
            case Compare():
                return self._compare(condition)
            case IsNull(target, negated):
                test = sql.SQL("{} IS NOT NULL") if negated else sql.SQL("{} IS NULL")
                return test.format(operators.nullable(self._operand(target)))
            case Every(items):
                return _combine(" AND ", "true", [self._condition(item) for item in items])
            case Some(items):
                return _combine(" OR ", "false", [self._condition(item) for item in items])
            case Written(target):
                field, ids = self._written(target)
                return sql.SQL("{} = ANY ({})").format(field, ids)
            case Not(item):
                # IS NOT TRUE: a row for which the condition is unknown does not satisfy it.
                return sql.SQL("({}) IS NOT TRUE").format(self._condition(item))

    def _written(self, target: Target) -> tuple[sql.Composable, sql.Composable]:
        """Return a field and the ids a function has left, which it may be among."""
        operand = self._operand(target)
        if isinstance(operand, operators.Column):
            field, pg_type = operand.expression, operand.pg_type
        else:
            field, pg_type = operand.text, "text"
        ids = sql.SQL("current_setting({})::{}[]")
        return field, ids.format(literal(RESULT_SETTING), _type_name(pg_type))

    def _compare(self, condition: Compare) -> sql.Composable:
        entry, operator = condition.target.leaf, condition.operator
        scalar, is_list = scalar_of(entry.type.innermost), entry.type.item is not None
        encode: Encode = partial(operators.encode, operator, scalar, is_list)
        if entry.is_id and operator.argument in {"same", "list"}:
            encode = _encode_id(entry, operator.argument == "list", encode)
        value = self._parameter(condition.argument, encode)
        return operators.condition(
            operator, scalar, self._operand(condition.target), is_list, value
        )

    def _operand(self, target: Target) -> operators.Column | operators.Json:
        if target in self.worked_out:
            return self.worked_out[target]
        first, *below = [entry.key for entry in target.fields]
        column = self.relation.columns.get(first)
        if column is not None and not below:
            return operators.Column(sql.SQL("t.{}").format(identifier(first)), column.type)
        path: list[str] = [first, *below]
        if column is not None and column.is_json:
            path = below
        elif self.has_document:
            column = self.relation.columns[self._document_column]
        else:
            raise self._no_column(first)
        start: sql.Composable = sql.SQL("t.{}").format(identifier(column.name))
        for key in path[:-1]:
            start = sql.SQL("{}->{}").format(start, literal(key))
        last = literal(path[-1])
        value = sql.SQL("({}->{})").format(start, last)
        if column.type != "jsonb":
            # json has no operators of its own.
            value += sql.SQL("::jsonb")
        return operators.Json(value, sql.SQL("({}->>{})").format(start, last))

    # Order and cursors

    def _sort_key(self, order: Order) -> sql.Composable:
        scalar = scalar_of(order.target.leaf.type.innermost)
        return operators.sort_key(scalar, self._operand(order.target))

    def _by_place(self) -> sql.Composable:
        """Return the order in which a function has returned its rows."""
        if self.read.kind is RootKind.ONE:
            return sql.SQL("")
        assert isinstance(self.read.where, Written)  # noqa: S101 - the caller looked
        field, ids = self._written(self.read.where.target)
        return sql.SQL(" ORDER BY array_position({}, {})").format(ids, field)

    def _order_by(self, order: Sequence[Order]) -> sql.Composable:
        if not order:
            return sql.SQL("")
        keys = []
        for key in order:
            words = " DESC" if key.descending else ""
            if key.nulls_first != key.descending:
                words += " NULLS FIRST" if key.nulls_first else " NULLS LAST"
            keys.append(self._sort_key(key) + _WORDS[words])
        return sql.SQL(" ORDER BY ") + sql.SQL(", ").join(keys)

    def _beyond(self, order: Sequence[Order], cursor: Cursor, argument: str) -> sql.Composable:
        """Return the condition of rows that come after ``cursor`` in ``order``."""
        return keyset(
            [
                Key(
                    self._sort_key(key),
                    partial(self._cursor_value, cursor, number, argument),
                    key.descending,
                    key.nulls_first,
                    key.is_nullable,
                    cursor.values[number] is None,
                )
                for number, key in enumerate(order)
            ]
        )

    def _cursor_value(self, cursor: Cursor, number: int, argument: str) -> sql.Composable:
        order = self.read.order
        target = order[number].target
        scalar = scalar_of(target.leaf.type.innermost)
        pg_type = operators.sort_type(scalar, self._operand(target))

        def encode(text: str) -> str | None:
            return decode_cursor(text, order, argument)[number]

        parameter = self._parameter(cursor.leaf, encode)
        return sql.SQL("{}::{}").format(parameter, _type_name(pg_type))

    def _parameter(self, leaf: Leaf, encode: Encode) -> sql.Composable:
        self.slots.append(Slot(leaf, encode, self.read.response_key))
        return sql.Placeholder()


@dataclass(frozen=True)
class Key:
    """One key of a keyset: its expression, and what makes the cursor's value a parameter."""

    expression: sql.Composable
    value: Callable[[], sql.Composable]
    descending: bool
    nulls_first: bool
    is_nullable: bool
    is_null: bool


def keyset(keys: Sequence[Key]) -> sql.Composable:
    """
    Return the condition of rows strictly beyond a cursor.

    Keys that cannot be null and run one way compare as one row, which an index on them serves; otherwise
    each key in turn, and the first alone once more as a bound for its index.
    """
    directions = {key.descending for key in keys}
    if len(directions) == 1 and not any(key.is_nullable for key in keys):
        comparison = sql.SQL("({}) < ({})") if keys[0].descending else sql.SQL("({}) > ({})")
        return comparison.format(
            sql.SQL(", ").join(key.expression for key in keys),
            sql.SQL(", ").join(key.value() for key in keys),
        )
    parts: list[sql.Composable] = []
    if not keys[0].is_nullable:
        bound = sql.SQL("{} <= {}") if keys[0].descending else sql.SQL("{} >= {}")
        parts.append(bound.format(keys[0].expression, keys[0].value()))
    choices = []
    for number, key in enumerate(keys):
        # Parameters are numbered as they come: ties first, then the step beyond.
        ties = [_tie(above) for above in keys[:number]]
        step = _step(key)
        if step is not None:
            choices.append(_combine(" AND ", "true", [*ties, step]))
        else:
            choices.append(_combine(" AND ", "true", [*ties, sql.SQL("false")]))
    parts.append(_combine(" OR ", "false", choices))
    return _combine(" AND ", "true", parts)


def _tie(key: Key) -> sql.Composable:
    if key.is_null:
        return sql.SQL("{} IS NULL").format(key.expression)
    return sql.SQL("{} = {}").format(key.expression, key.value())


def _step(key: Key) -> sql.Composable | None:
    if key.is_null:
        return sql.SQL("{} IS NOT NULL").format(key.expression) if key.nulls_first else None
    comparison = sql.SQL("{} < {}") if key.descending else sql.SQL("{} > {}")
    step = comparison.format(key.expression, key.value())
    if key.is_nullable and not key.nulls_first:
        return sql.SQL("({} OR {} IS NULL)").format(step, key.expression)
    return step


def _where(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")


_WORDS = {
    "": sql.SQL(""),
    " DESC": sql.SQL(" DESC"),
    " NULLS FIRST": sql.SQL(" NULLS FIRST"),
    " DESC NULLS LAST": sql.SQL(" DESC NULLS LAST"),
}
_JOINTS = {" AND ": sql.SQL(" AND "), " OR ": sql.SQL(" OR ")}
_EMPTY = {"true": sql.SQL("true"), "false": sql.SQL("false")}


def _combine(joint: str, empty: str, parts: Sequence[sql.Composable]) -> sql.Composable:
    if not parts:
        return _EMPTY[empty]
    if len(parts) == 1:
        return parts[0]
    return sql.SQL("({})").format(_JOINTS[joint].join(parts))


def _encode_id(entry: FieldSpec, is_list: bool, encode: Encode) -> Encode:
    def encode_id(value: Any) -> str | None:
        if is_list:
            return encode([parse_id(entry, item, entry.name) for item in value])
        return encode(parse_id(entry, value, entry.name))

    return encode_id


def identifier(*names: str) -> sql.Composable:
    """Return a quoted name; a percent sign is doubled, as everywhere in a statement with parameters."""
    return sql.Identifier(*(name.replace("%", "%%") for name in names))


def literal(text: str) -> sql.Composable:
    """Return a JSON key as a string literal."""
    return sql.Literal(text.replace("%", "%%"))


def _type_name(name: str) -> sql.Composable:
    # As format_type() or the scalar table spells it: SQL already, and never a user's.
    return sql.SQL(name.replace("%", "%%"))
