"""
Where the values of a statement stand: in rows of a view, in pages of them, in JSON.

A scope turns the keys that lead to a value into SQL; ``matching`` joins one scope's objects to another's rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import sql

from fraiseql.db import catalog
from fraiseql.db.catalog import Relation
from fraiseql.engine.plan.plan import Target
from fraiseql.engine.sql.operators import Column, Json, Operand
from fraiseql.errors import ConfigurationError
from fraiseql.schema.scalars import Scalar
from fraiseql.schema.specs import ObjectSpec, RelatedSpec

_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_TEXTS = frozenset({"text", "character varying", "character", "citext", "name"})


@dataclass(frozen=True)
class Element:
    """A JSON value. ``pg_type``: json or jsonb."""

    value: sql.Composable
    pg_type: LiteralString

    def inside(self, keys: Sequence[str]) -> "Element":
        """Return the value that ``keys`` lead to."""
        value = self.value
        for key in keys:
            value = sql.SQL("{}->{}").format(value, literal(key))
        return Element(value, self.pg_type)

    def operand(self, keys: Sequence[str]) -> Json:
        """Return the value that ``keys`` lead to, for conditions."""
        above, last = self.inside(keys[:-1]).value, literal(keys[-1])
        value = sql.SQL("({}->{})").format(above, last)
        if self.pg_type != "jsonb":
            # json has no operators of its own.
            value += sql.SQL("::jsonb")
        return Json(value, sql.SQL("({}->>{})").format(above, last))


@dataclass(frozen=True)
class Rows:
    """Rows of the view of ``spec`` under ``alias``."""

    spec: ObjectSpec
    relation: Relation
    alias: str

    @property
    def has_document(self) -> bool:
        """Tell whether rows hold their document in a column, or are it."""
        return has_document_column(self.spec, self.relation)

    @property
    def view(self) -> sql.Composable:
        """Return the view's name."""
        return identifier(self.relation.schema, self.relation.name)

    def column(self, name: str) -> sql.Composable:
        """Return a column of the rows."""
        return sql.SQL("{}.{}").format(sql.SQL(self.alias), identifier(name))

    def document(self) -> Element:
        """Return the document of rows that hold it in a column."""
        return self._element(self.relation.columns[self.spec.jsonb or ""])

    def inside(self, keys: Sequence[str]) -> Element:
        """Return the JSON value that ``keys`` lead to."""
        start, rest = self._start(keys)
        return start.inside(rest)

    def operand(self, keys: Sequence[str]) -> Operand:
        """Return the value that ``keys`` lead to, for conditions."""
        column = self.relation.columns.get(keys[0])
        if column is not None and len(keys) == 1:
            return Column(self.column(column.name), column.type)
        start, rest = self._start(keys)
        return start.operand(rest)

    def _start(self, keys: Sequence[str]) -> tuple[Element, Sequence[str]]:
        column = self.relation.columns.get(keys[0])
        if column is not None and column.is_json:
            return self._element(column), keys[1:]
        if self.has_document:
            return self.document(), keys
        raise no_column(self.spec, self.relation, keys[0])

    def _element(self, column: catalog.Column) -> Element:
        return Element(self.column(column.name), "json" if column.type == "json" else "jsonb")


@dataclass(frozen=True)
class PageRows(Rows):
    """
    Rows of a select that has cut a page of them.

    ``columns``: the view's columns it has, by the names it gives them; what else is asked for is added.
    """

    columns: dict[str, str] = field(default_factory=dict)

    def column(self, name: str) -> sql.Composable:
        """Return a column of the page, which the select must have."""
        if name not in self.columns:
            self.columns[name] = self.unused(f"c{len(self.columns)}")
        alias = self.columns[name]
        # Names of its own need no quotes.
        shown = identifier(name) if alias == name else sql.SQL(alias)
        return sql.SQL("{}.{}").format(sql.SQL(self.alias), shown)

    def unused(self, name: str) -> str:
        """Return ``name``, or one like it that no column of the view or the page has."""
        while name in self.relation.columns or name in self.columns.values():
            name += "_"
        return name


@dataclass(frozen=True)
class Figures:
    """Groups of rows: what is worked out of them, by its place in the aggregate type."""

    columns: dict[Target, Column] = field(default_factory=dict)


Scope = Rows | Element


def has_document_column(spec: ObjectSpec, relation: Relation) -> bool:
    """Tell whether rows hold their document in a column, or are it."""
    if spec.jsonb is None or spec.jsonb not in relation.columns:
        return False
    return relation.columns[spec.jsonb].is_json


def matching(related: RelatedSpec, above: Scope, rows: Rows) -> sql.Composable:
    """
    Return the condition of ``rows`` that belong to an object of the scope ``above``.

    The column of the rows stays as it is, so that its index serves; the other side takes its type.
    """
    key, local = rows.operand((related.key.name,)), above.operand((related.local.name,))
    if isinstance(key, Column):
        return sql.SQL("{} = {}").format(key.expression, _as_type(local, key.pg_type))
    pg_type = _type_of(local, related.key.scalar or related.local.scalar)
    return sql.SQL("{} = {}").format(_as_type(key, pg_type), _as_type(local, pg_type))


def _type_of(operand: Operand, scalar: Scalar | None) -> str:
    if scalar is not None:
        return scalar.pg
    return operand.pg_type if isinstance(operand, Column) else "text"


def _as_type(operand: Operand, pg_type: str) -> sql.Composable:
    if isinstance(operand, Json):
        return operand.text if pg_type == "text" else cast(operand.text, pg_type)
    same = {operand.pg_type, pg_type}
    if len(same) == 1 or same <= _INTEGERS or same <= _TEXTS:
        return operand.expression
    return cast(operand.expression, pg_type)


def cast(expression: sql.Composable, pg_type: str) -> sql.Composable:
    """Return the expression as another type, named as format_type() or the scalar table does."""
    return sql.SQL("({})::{}").format(expression, type_name(pg_type))


def no_column(spec: ObjectSpec, relation: Relation, key: str) -> ConfigurationError:
    """Return the error of a column that the view lacks."""
    return ConfigurationError(
        f"The view {spec.view!r} of {spec.name} has no column {key!r}.",
        hint=f"Its columns: {', '.join(relation.columns)}.",
    )


def identifier(*names: str) -> sql.Composable:
    """Return a quoted name; a percent sign is doubled, as everywhere in a statement with parameters."""
    return sql.Identifier(*(name.replace("%", "%%") for name in names))


def literal(text: str) -> sql.Composable:
    """Return a JSON key as a string literal."""
    return sql.Literal(text.replace("%", "%%"))


def type_name(name: str) -> sql.Composable:
    """Return a type's name as SQL."""
    # As format_type() or the scalar table spells it: SQL already, and never a user's.
    return sql.SQL(name.replace("%", "%%"))
