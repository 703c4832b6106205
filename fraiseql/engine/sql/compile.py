"""
Plans to SQL.

A document is never cast beside a sort: the cast would be evaluated, and the document detoasted, for rows that
are then thrown away. One list alone needs no cast, and where there is one it stands in an outer select, which
the LIMIT that every list has keeps PostgreSQL from merging with the inner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import sql

from fraiseql.engine.plan.narrow import search_text
from fraiseql.engine.plan.order import order_signature
from fraiseql.engine.plan.plan import (
    RANK,
    Below,
    EmbeddedObject,
    Every,
    GroupKey,
    Order,
    Plan,
    Read,
    RelatedRead,
    Target,
    Written,
)
from fraiseql.engine.plan.values import Leaf
from fraiseql.engine.sql import aggregate, narrow, operators
from fraiseql.engine.sql.scope import (
    Element,
    Figures,
    PageRows,
    Rows,
    Scope,
    cast,
    identifier,
    literal,
    matching,
    no_column,
)
from fraiseql.engine.sql.template import Slot, Template
from fraiseql.engine.sql.terms import Relations, Terms, direction, elements, where_clause
from fraiseql.schema.aggregates import COUNT
from fraiseql.schema.specs import RootKind, TypeRef


def compile_plan(plan: Plan, relations: Relations) -> Template:
    """
    Return the one statement that answers all reads of ``plan``.

    ``relations``: the catalog's entries of the views, by name. Raises ConfigurationError if a view, or a
    column it needs, is missing.
    """
    slots: list[Slot] = []
    branches: list[sql.Composable] = []
    is_tagged = len(plan.reads) > 1 or any(
        read.wants.cursors or read.wants.total or read.wants.estimate for read in plan.reads
    )
    for number, read in enumerate(plan.reads):
        terms = Terms(relations, slots, read.response_key)
        branch = _Branch(read, terms, Rows(read.type, terms.relation(read.type), "t"), "p")
        if read.groups is not None:
            branches.append(branch.groups(number if is_tagged else None))
        elif read.wants.rows:
            branches.append(branch.rows(number) if is_tagged else branch.documents())
        if read.wants.total:
            branches.append(branch.total(number))
        if read.wants.estimate:
            branches.append(branch.estimate(number))
    # Append runs its branches in turn, and rows of a branch that has a LIMIT in their order: PostgreSQL
    # never makes such a branch parallel.
    text = sql.SQL("\nUNION ALL\n").join(branches)
    return Template(text.as_string(None), tuple(slots), is_tagged, plan.guards, plan.is_reusable)


@dataclass
class _Branch:
    """
    The SQL of one read.

    ``match``: what ties a related field's rows to its object. ``page``: the rows cut out by the inner
    select, of which the outer makes documents.
    """

    read: Read
    terms: Terms
    view: Rows
    alias: str
    match: sql.Composable | None = None
    page: PageRows = field(init=False)

    def __post_init__(self) -> None:
        columns = {self.read.type.jsonb or "": "d"} if self.view.has_document else {}
        if not self.view.has_document:
            columns = {key: key for key in self.read.keys}
        self.page = PageRows(self.view.spec, self.view.relation, self.alias, columns)

    # Selects

    def documents(self) -> sql.Composable:
        """Return the select of a single read: one column, the document."""
        if self.read.below:
            return self._select(self._document())
        if self.view.has_document:
            return self._page([self.view.document().value])
        # p.*, not p, which would be a column of that name before it is the row.
        return sql.SQL("SELECT row_to_json(p.*) FROM ({page}) AS p").format(
            page=self._page(self._columns())
        )

    def rows(self, number: int) -> sql.Composable:
        """Return the select of one read among several: field number, cursor keys, document."""
        document = self._document()
        cursor: sql.Composable = sql.SQL("NULL")
        if self.read.wants.cursors:
            cursor = sql.SQL("p.{}::text").format(identifier(self._keys))
        return sql.SQL(
            "SELECT {number} AS f, {cursor} AS k, {document}::text AS d FROM ({page}) AS p"
        ).format(
            number=sql.Literal(number),
            cursor=cursor,
            document=document,
            page=self._page(self._keyed_columns()),
        )

    def total(self, number: int) -> sql.Composable:
        """Return the select of the number of all rows: field number below zero, the count as document."""
        return sql.SQL("SELECT {number}, NULL, count(*)::text{rows}").format(
            number=sql.Literal(-1 - number), rows=self._all_rows()
        )

    def estimate(self, number: int) -> sql.Composable:
        """Return the select of an estimate of that number, with a word where rows have their keys."""
        first = len(self.terms.slots)
        rows = self._all_rows()
        return sql.SQL("SELECT {number}, 'estimate', {estimate}::text").format(
            number=sql.Literal(-1 - number),
            estimate=narrow.estimate(rows, len(self.terms.slots) - first),
        )

    def groups(self, number: int | None) -> sql.Composable:
        """Return the select of an aggregate, a document a group; ``number``: as in ``rows``."""
        targets = aggregate.needed(self.read)
        cut = {
            target: sql.SQL("g.{}").format(sql.Identifier(f"c{place}"))
            for place, target in enumerate(targets)
        }
        shown = aggregate.document(self.read.wants.figures, cut)
        if number is not None:
            shown = sql.SQL("{} AS f, NULL AS k, {}::text AS d").format(sql.Literal(number), shown)
        return sql.SQL("SELECT {} FROM ({}) AS g").format(shown, self._groups(targets))

    def _groups(self, targets: Sequence[Target]) -> sql.Composable:
        """Return the select of a page of groups: the figures, of which the first are their keys."""
        groups, page = self.read.groups, self.read.page
        assert groups is not None  # noqa: S101 - the caller looked
        keys = {key.target: key for key in groups.keys}
        figures = Figures({target: self._figure(target, keys.get(target)) for target in targets})
        columns: list[sql.Composable] = [
            sql.SQL("{} AS {}").format(
                figures.columns[target].expression, sql.Identifier(f"c{place}")
            )
            for place, target in enumerate(targets)
        ]
        rows = self._all_rows()
        having = groups.having != Every(()) and self.terms.condition(groups.having, figures)
        # By their places: a parameter in a key would be another one in each clause.
        order = [
            sql.Literal(targets.index(key.target) + 1) + direction(key) for key in self.read.order
        ]
        return sql.SQL("SELECT {columns}{rows}{group}{having}{order}{limit}{offset}").format(
            # An aggregate, or all rows would be groups.
            columns=sql.SQL(", ").join(columns or [aggregate.row_count().expression]),
            rows=rows,
            group=_clause("GROUP BY", [sql.Literal(place + 1) for place in range(len(keys))]),
            having=_clause("HAVING", [having] if having else []),
            order=_clause("ORDER BY", order if keys else []),
            # All rows are one group, which needs no cutting.
            limit=_clause("LIMIT", [sql.Literal(page.limit)] if keys or not page.limit else []),
            offset=self._offset(page.offset),
        )

    def _figure(self, target: Target, key: GroupKey | None) -> operators.Column:
        function = target.fields[0].name
        if function == COUNT:
            return aggregate.row_count()
        source = aggregate.source(target)
        operand = self.terms.operand(source, self.view)
        if key is None:
            return aggregate.figure(function, source.leaf, operand)
        if key.unit is None:
            return aggregate.key(source.leaf, operand)
        zone = None if key.zone is None else self.terms.parameter(key.zone, str)
        return aggregate.cut_key(key.unit, source.leaf, operand, zone)

    def value(self) -> sql.Composable:
        """Return a related field's rows as one JSON value."""
        if self.read.kind is RootKind.CONNECTION:
            return self._connection()
        document = self._document()
        if self.read.kind is RootKind.MANY:
            document = sql.SQL("coalesce(json_agg({}), '[]'::json)").format(document)
        return sql.SQL("({})").format(self._select(document))

    def _select(self, document: sql.Composable) -> sql.Composable:
        page = self._page(self._columns())
        return sql.SQL("SELECT {} FROM ({}) AS {}").format(document, page, self._alias)

    def _all_rows(self) -> sql.Composable:
        source, conditions = self._source()
        return sql.SQL(" FROM {}{}").format(source, where_clause(conditions))

    def _source(self) -> tuple[sql.Composable, list[sql.Composable]]:
        """Return what rows are selected from, and the conditions that are left for the select."""
        alias = sql.SQL(self.view.alias)
        # Parameters are numbered as they come: those of the text query stand before the conditions'.
        source = sql.SQL("{} AS {}").format(self.view.view, alias) + self._query()
        conditions = self._conditions()
        if not self.read.distinct:
            return source, conditions
        leading, order = narrow.first_of_each(self.read.distinct, self.read.order)
        keys = sql.SQL(", ").join(self.terms.sort_key(key, self.view) for key in leading)
        source = sql.SQL("(SELECT DISTINCT ON ({}) {}.* FROM {}{}{}) AS {}").format(
            keys,
            alias,
            source,
            where_clause(conditions),
            self.terms.order_by(order, self.view),
            alias,
        )
        is_ranked = any(key.target == RANK for key in self.read.order)
        return source + self._query() if is_ranked else source, []

    def _query(self) -> sql.Composable:
        """Return the text query as something to select from, after the view; or nothing."""
        if self.read.search is None:
            return sql.SQL("")
        text = self.terms.parameter(self.read.search.text, search_text)
        return sql.SQL(", ") + narrow.query(self.view, text)

    def _conditions(self) -> list[sql.Composable]:
        conditions = [] if self.match is None else [self.match]
        if self.read.where != Every(()):
            conditions.append(self.terms.condition(self.read.where, self.view))
        if self.read.search is not None:
            conditions.append(narrow.found(self.view))
        return conditions

    def _page(self, columns: Sequence[sql.Composable]) -> sql.Composable:
        page, order = self.read.page, self.read.order
        # Parameters are numbered as they come, so conditions are rendered in the order they stand in.
        source, conditions = self._source()
        if page.after is not None:
            beyond = self.terms.beyond(order, False, page.after, "after", self.view)
            conditions.append(beyond)
        if page.before is not None:
            conditions.append(self.terms.beyond(order, True, page.before, "before", self.view))
        if page.backward:
            order = tuple(key.reverse() for key in order)
        if self.read.kind is RootKind.MANY:
            order = self._telling(order)
        return sql.SQL("SELECT {columns} FROM {source}{where}{order} LIMIT {limit}{offset}").format(
            columns=sql.SQL(", ").join(columns),
            source=source,
            where=where_clause(conditions),
            order=self._order_by(order),
            limit=sql.Literal(page.limit + (self.read.kind is RootKind.CONNECTION)),
            offset=self._offset(page.offset),
        )

    def _telling(self, order: tuple[Order, ...]) -> tuple[Order, ...]:
        """Return the keys up to the first that is unique: after it nothing is left to sort."""
        columns = self.view.relation.columns
        for number, key in enumerate(order):
            name = key.target.leaf.key
            is_column = len(key.target.fields) == 1 and name in columns
            if is_column and columns[name].not_null and (name,) in self.view.relation.unique_keys:
                return order[: number + 1]
        return order

    def _order_by(self, order: tuple[Order, ...]) -> sql.Composable:
        if not isinstance(self.read.where, Written):
            return self.terms.order_by(order, self.view)
        if self.read.kind is RootKind.ONE:
            return sql.SQL("")
        return self.terms.by_place(self.read.where, self.view)

    @property
    def _alias(self) -> sql.Composable:
        return sql.SQL(self.alias)

    def _columns(self) -> list[sql.Composable]:
        """Return the columns of the page, those that the outer select turned out to need among them."""
        columns = []
        for name, alias in self.page.columns.items():
            if name not in self.view.relation.columns:
                raise no_column(self.read.type, self.view.relation, name)
            column = self.view.column(name)
            renamed = sql.SQL("{} AS {}").format(column, sql.SQL(alias))
            columns.append(column if name == alias else renamed)
        # A selection of __typename alone still needs its row.
        return columns or [sql.SQL("true AS t")]

    def _offset(self, offset: Leaf | None) -> sql.Composable:
        if offset is None:
            return sql.SQL("")
        return sql.SQL(" OFFSET {}::bigint").format(self.terms.parameter(offset, str))

    # Documents

    def _document(self) -> sql.Composable:
        """Return the document of a row of the page, with what stands beside it."""
        if self.view.has_document:
            document = self.page.document().value
        else:
            names = [self.page.column(key) for key in self.read.keys]
            document = sql.SQL("(SELECT row_to_json(r.*) FROM (SELECT {}) AS r)").format(
                sql.SQL(", ").join(names)
            )
        return self._joined(document, self.read.below, self.page)

    def _joined(
        self, document: sql.Composable, below: Sequence[Below], scope: Scope
    ) -> sql.Composable:
        if not below:
            return document
        values = []
        for item in below:
            made = self._related if isinstance(item, RelatedRead) else self._embedded
            value = made(item, scope)  # type: ignore[arg-type]  # the one made for it
            values.append(value if item.only is None else _only(item.only, scope, value))
        return sql.SQL("json_build_array({})").format(sql.SQL(", ").join([document, *values]))

    def _related(self, item: RelatedRead, scope: Scope) -> sql.Composable:
        number = self.terms.number()
        rows = self.terms.rows(item.read.type, number)
        match = matching(item.related, scope, rows)
        return _Branch(item.read, self.terms, rows, f"p{number}", match).value()

    def _embedded(self, item: EmbeddedObject, scope: Scope) -> sql.Composable:
        if isinstance(scope, Rows) and scope.has_document:
            # Of the document itself, although a column of the same name may exist.
            scope = scope.document()
        return self._inside(item.entry.type, scope.inside((item.entry.key,)), item.below)

    def _inside(self, ref: TypeRef, found: Element, below: Sequence[Below]) -> sql.Composable:
        if ref.item is None:
            return self._joined(found.value, below, found)
        alias = f"e{self.terms.number()}"
        item = Element(sql.SQL("{}.value").format(sql.SQL(alias)), found.pg_type)
        return sql.SQL(
            "CASE WHEN {prefix}_typeof({array}) = 'array' THEN (SELECT"
            " coalesce(json_agg({item} ORDER BY {alias}.number), '[]'::json)"
            " FROM {elements} WITH ORDINALITY AS {alias}(value, number)) ELSE to_json({array}) END"
        ).format(
            prefix=sql.SQL(found.pg_type),
            array=found.value,
            item=self._inside(ref.item, item, below),
            alias=sql.SQL(alias),
            elements=elements(found),
        )

    # Connections

    @property
    def _keys(self) -> str:
        return self.page.unused("k")

    @property
    def _number(self) -> str:
        return self.page.unused("n")

    def _keyed_columns(self) -> list[sql.Composable]:
        """Return the columns of the page and, if cursors are wanted, their keys."""
        columns = self._columns()
        if self.read.wants.cursors:
            keys = [self.terms.sort_key(order, self.view) for order in self.read.order]
            columns.append(
                sql.SQL("json_build_array({}) AS {}").format(
                    sql.SQL(", ").join(keys), identifier(self._keys)
                )
            )
        return columns

    def _connection(self) -> sql.Composable:
        """Return a related connection as what ``result/connection.py`` makes of the root's rows."""
        wants = self.read.wants
        number = sql.SQL("{}.{}").format(self._alias, identifier(self._number))
        limit = sql.Literal(self.read.page.limit)
        shown = sql.SQL(" FILTER (WHERE {} <= {})").format(number, limit)
        parts: list[sql.Composable] = []
        if wants.rows:
            parts.append(sql.SQL("'edges', {}").format(self._edges(number, shown)))
            parts.append(sql.SQL("'pageInfo', {}").format(self._information(number, shown)))
        if wants.total:
            total = sql.SQL("(SELECT count(*){})").format(self._all_rows())
            parts.append(sql.SQL("'totalCount', {}").format(total))
        if wants.estimate:
            # The rows of one object among others: nothing to plan without it, and seldom many.
            total = sql.SQL("(SELECT count(*){})").format(self._all_rows())
            parts.append(sql.SQL("'estimatedCount', {}").format(total))
        made = sql.SQL("json_build_object({})").format(sql.SQL(", ").join(parts))
        if not wants.rows:
            return made
        return sql.SQL(
            "(SELECT {made} FROM (SELECT q.*, row_number() OVER () AS {number} FROM ({page}) AS q)"
            " AS {alias})"
        ).format(
            made=made,
            number=identifier(self._number),
            page=self._page(self._keyed_columns()),
            alias=self._alias,
        )

    def _edges(self, number: sql.Composable, shown: sql.Composable) -> sql.Composable:
        edge = [sql.SQL("'node', {}").format(self._document())]
        if self.read.wants.cursors:
            edge.append(sql.SQL("'cursor', {}").format(self._cursor()))
        return sql.SQL(
            "coalesce(json_agg(json_build_object({edge}) ORDER BY {number}{way}){shown}, '[]'::json)"
        ).format(
            edge=sql.SQL(", ").join(edge),
            number=number,
            way=sql.SQL(" DESC" if self.read.page.backward else ""),
            shown=shown,
        )

    def _information(self, number: sql.Composable, shown: sql.Composable) -> sql.Composable:
        page = self.read.page
        has_more: sql.Composable = sql.SQL("count(*) > {}").format(sql.Literal(page.limit))
        # Rows were passed over to get here, or one more than the page was found.
        has_next = sql.Literal(page.before is not None) if page.backward else has_more
        has_previous = has_more if page.backward else sql.Literal(page.after is not None)
        parts = [
            sql.SQL("'hasNextPage', {}").format(has_next),
            sql.SQL("'hasPreviousPage', {}").format(has_previous),
        ]
        if self.read.wants.cursors:
            for name, is_first in (("startCursor", True), ("endCursor", False)):
                way = sql.SQL("" if is_first != page.backward else " DESC")
                parts.append(
                    sql.SQL(
                        "{name}, (array_agg({cursor} ORDER BY {number}{way}){shown})[1]"
                    ).format(
                        name=sql.Literal(name),
                        cursor=self._cursor(),
                        number=number,
                        way=way,
                        shown=shown,
                    )
                )
        return sql.SQL("json_build_object({})").format(sql.SQL(", ").join(parts))

    def _cursor(self) -> sql.Composable:
        """Return a row's cursor as ``order.encode_cursor`` writes it: base64 for addresses."""
        return sql.SQL(
            "translate(encode(convert_to({signature} || {alias}.{keys}::text, 'UTF8'), 'base64'),"
            " '+/' || chr(10), '-_')"
        ).format(
            signature=sql.Literal(order_signature(self.read.order)),
            alias=self._alias,
            keys=identifier(self._keys),
        )


def _clause(word: LiteralString, parts: Sequence[sql.Composable]) -> sql.Composable:
    if not parts:
        return sql.SQL("")
    return sql.SQL(" {} {}").format(sql.SQL(word), sql.SQL(", ").join(parts))


def _only(only: tuple[str, tuple[str, ...]], scope: Scope, value: sql.Composable) -> sql.Composable:
    """Return the value for objects of some types, null for others."""
    key, kinds = only
    operand = scope.operand((key,))
    is_json = isinstance(operand, operators.Json)
    text = operand.text if is_json else cast(operand.expression, "text")  # type: ignore[union-attr]  # just looked
    known = sql.SQL(", ").join(map(literal, kinds))
    return sql.SQL("CASE WHEN {} IN ({}) THEN {} END").format(text, known, value)
