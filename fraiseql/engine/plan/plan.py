"""
The plan: what a query reads, as printable data.

The planner writes it from a document and its variables; ``engine/sql`` turns it into a statement.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fraiseql.engine.plan.values import Leaf
from fraiseql.schema.operators import Operator
from fraiseql.schema.scalars import SCALARS
from fraiseql.schema.specs import FieldSpec, ObjectSpec, RelatedSpec, RootKind, TypeRef


@dataclass(frozen=True)
class Target:
    """A field of the view's document, by the fields that lead to it."""

    fields: tuple[FieldSpec, ...]

    def __str__(self) -> str:
        return ".".join(entry.name for entry in self.fields)

    @property
    def leaf(self) -> FieldSpec:
        """Return the field compared or ordered by."""
        return self.fields[-1]


@dataclass(frozen=True)
class Compare:
    """``target operator argument``."""

    target: Target
    operator: Operator
    argument: Leaf

    def __str__(self) -> str:
        return f"{self.target} {self.operator.name} {_show(self.argument)}"


@dataclass(frozen=True)
class IsNull:
    """``target`` holds no value, or (``negated``) does."""

    target: Target
    negated: bool = False

    def __str__(self) -> str:
        return f"{self.target} is {'not ' if self.negated else ''}null"


@dataclass(frozen=True)
class Every:
    """All of these; of none: true."""

    items: tuple["Condition", ...]

    def __str__(self) -> str:
        return "(" + " and ".join(map(str, self.items)) + ")" if self.items else "true"


@dataclass(frozen=True)
class Some:
    """At least one of these; of none: false."""

    items: tuple["Condition", ...]

    def __str__(self) -> str:
        return "(" + " or ".join(map(str, self.items)) + ")" if self.items else "false"


@dataclass(frozen=True)
class Not:
    """Not this."""

    item: "Condition"

    def __str__(self) -> str:
        return f"not {self.item}"


@dataclass(frozen=True)
class Written:
    """Its ``target`` is among the ids that the function called before has left in RESULT_SETTING."""

    target: Target

    def __str__(self) -> str:
        return f"{self.target} in the function's result"


RESULT_SETTING = "fraiseql.result"
"""The transaction-local setting that holds the ids of rows a function has written, as an array."""


@dataclass(frozen=True)
class Has:
    """At least one of the objects at ``target`` satisfies ``where``, or (``negated``) none does."""

    target: Target
    where: "Condition"
    negated: bool = False

    def __str__(self) -> str:
        return f"{'no' if self.negated else 'some'} {self.target} with {self.where}"


Condition = Compare | IsNull | Every | Some | Not | Has | Written


@dataclass(frozen=True)
class Order:
    """One key rows are sorted by. ``nulls_first``: PostgreSQL's default is for descending keys only."""

    target: Target
    descending: bool = False
    nulls_first: bool = False

    def __str__(self) -> str:
        direction = "desc" if self.descending else "asc"
        default = self.nulls_first == self.descending
        return f"{self.target} {direction}" + (
            "" if default else f" nulls {'first' if self.nulls_first else 'last'}"
        )

    @property
    def is_nullable(self) -> bool:
        """Tell whether some row may have no value."""
        # The related object may be missing, whatever the type promises.
        fields = self.target.fields
        return any(entry.type.nullable or entry.related is not None for entry in fields)

    def reverse(self) -> "Order":
        """Return the key that sorts the other way round."""
        return Order(self.target, not self.descending, not self.nulls_first)


@dataclass(frozen=True)
class Page:
    """
    Which rows of the order. ``limit``: rows wanted; a connection reads one more to know whether there is a
    next page. ``backward``: counted from the end. ``after``, ``before``: decoded cursors.
    """

    limit: int
    offset: Leaf | None = None
    after: "Cursor | None" = None
    before: "Cursor | None" = None
    backward: bool = False

    def __str__(self) -> str:
        parts = [f"{'last' if self.backward else 'first'} {self.limit}"]
        if self.offset is not None:
            parts.append(f"offset {_show(self.offset)}")
        parts += [
            f"{name} {cursor}"
            for name, cursor in (("after", self.after), ("before", self.before))
            if cursor
        ]
        return ", ".join(parts)


@dataclass(frozen=True)
class Cursor:
    """A row's order keys in PostgreSQL's text form; ``leaf``: where the client's string stands."""

    values: tuple[str | None, ...]
    leaf: Leaf

    def __str__(self) -> str:
        return str(list(self.values))


RANK = Target((FieldSpec("rank", "rank", "", TypeRef(False, SCALARS["Float"])),))
"""How well a row fits the text searched for."""


@dataclass(frozen=True)
class Search:
    """Only rows whose tsvector fits ``text``."""

    text: Leaf

    def __str__(self) -> str:
        return _show(self.text)


@dataclass(frozen=True)
class GroupKey:
    """
    What rows of one group have in common: the value of ``target``, cut down to ``unit``.

    ``target``: the key's place in the aggregate type. ``zone``: where days begin; None: in UTC.
    """

    target: Target
    unit: str | None = None
    zone: Leaf | None = None

    def __str__(self) -> str:
        unit = f"{self.unit} of " if self.unit else ""
        return f"{unit}{self.target}{f' in {_show(self.zone)}' if self.zone else ''}"


@dataclass(frozen=True)
class Groups:
    """How rows are put together; conditions and targets are in terms of the aggregate type."""

    keys: tuple[GroupKey, ...]
    having: Condition

    def __str__(self) -> str:
        return ", ".join(map(str, self.keys)) or "all rows"


@dataclass(frozen=True)
class Wants:
    """
    What of a view the selection needs: rows, their cursors, the number of all rows, an estimate of it.

    ``figures``: the places of an aggregate type, objects among them.
    """

    rows: bool = True
    cursors: bool = False
    total: bool = False
    estimate: bool = False
    figures: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Read:
    """
    One field's rows. ``keys``: the document's top-level keys the selection needs; ``below``: what else it
    needs of each.
    """

    response_key: str
    kind: RootKind
    type: ObjectSpec
    where: Condition
    order: tuple[Order, ...]
    page: Page
    keys: tuple[str, ...]
    wants: Wants = field(default_factory=Wants)
    groups: Groups | None = None
    search: Search | None = None
    distinct: tuple[Target, ...] = ()
    below: "tuple[Below, ...]" = ()

    def views(self) -> Iterator[str]:
        """Yield the names of all views that are read."""
        yield self.type.view or ""
        for fields in [order.target.fields for order in self.order]:
            yield from _views_of(fields)
        yield from _views_in(self.where)
        for item in self.below:
            yield from item.views()

    def __str__(self) -> str:
        lines = [f"{self.response_key}: {self.kind.value} of {self.type.view} as {self.type.name}"]
        lines.append(f"  where  {self.where}")
        if self.search is not None:
            lines.append(f"  search {self.search}")
        if self.distinct:
            lines.append(f"  one by {', '.join(map(str, self.distinct))}")
        if self.groups is not None:
            lines.append(f"  group  {self.groups}")
            lines.append(f"  having {self.groups.having}")
        if self.order:
            lines.append(f"  order  {', '.join(map(str, self.order))}")
        lines.append(f"  page   {self.page}")
        read = self.wants.figures if self.groups is not None else self.keys
        lines.append(f"  keys   {', '.join(map(str, read))}")
        extra = [name for name in ("cursors", "total", "estimate") if getattr(self.wants, name)]
        if extra:
            lines.append(f"  also   {', '.join(extra)}")
        for item in self.below:
            lines += [f"  {line}" for line in str(item).split("\n")]
        return "\n".join(lines)


@dataclass(frozen=True)
class RelatedRead:
    """
    A related field's rows, read for each object.

    ``only``: key and values of the discriminator of the types that have the field; None: all have it.
    """

    related: RelatedSpec
    read: Read
    only: tuple[str, tuple[str, ...]] | None = None

    def views(self) -> Iterator[str]:
        """Yield the names of all views that are read."""
        return self.read.views()

    def __str__(self) -> str:
        first, *lines = str(self.read).split("\n")
        by = f"  by     {self.related.key.name} = {self.related.local.name}"
        return "\n".join([f"{first}{_show_only(self.only)}", by, *lines])


@dataclass(frozen=True)
class EmbeddedObject:
    """An object of the document, or a list of them, that needs more than the document holds."""

    entry: FieldSpec
    below: "tuple[Below, ...]"
    only: tuple[str, tuple[str, ...]] | None = None

    def views(self) -> Iterator[str]:
        """Yield the names of all views that are read."""
        for item in self.below:
            yield from item.views()

    def __str__(self) -> str:
        lines = [f"{self.entry.name}: embedded{_show_only(self.only)}"]
        for item in self.below:
            lines += [f"  {line}" for line in str(item).split("\n")]
        return "\n".join(lines)


Below = RelatedRead | EmbeddedObject
"""A value that stands beside a document, in the order of a JOINED Shape's indexes."""


def _views_of(fields: Iterable[FieldSpec]) -> Iterator[str]:
    for entry in fields:
        if entry.related is not None:
            yield entry.related.root.type.view or ""


def _views_in(condition: Condition) -> Iterator[str]:
    if isinstance(condition, Every | Some):
        for item in condition.items:
            yield from _views_in(item)
    elif isinstance(condition, Not):
        yield from _views_in(condition.item)
    elif isinstance(condition, Has):
        yield from _views_of(condition.target.fields)
        yield from _views_in(condition.where)


def _show_only(only: tuple[str, tuple[str, ...]] | None) -> str:
    return "" if only is None else f", where {only[0]} is {' or '.join(map(repr, only[1]))}"


@dataclass(frozen=True)
class Guard:
    """The plan holds for a variable only while ``classify`` gives ``expected`` for it."""

    path: tuple[str | int, ...]
    classify: Any
    expected: Any


@dataclass(frozen=True)
class Plan:
    """
    All reads of one query, one statement.

    ``guards``: what the plan took from variables' values; ``is_reusable``: it may serve other variables of the
    same outline that satisfy the guards.
    """

    reads: tuple[Read, ...]
    guards: tuple[Guard, ...] = ()
    is_reusable: bool = True

    @property
    def views(self) -> tuple[str, ...]:
        """Return the names of all views that are read, for the catalog."""
        return tuple(dict.fromkeys(view for read in self.reads for view in read.views()))

    def __str__(self) -> str:
        return "\n".join(map(str, self.reads))


def _show(leaf: Leaf) -> str:
    if leaf.path is None:
        return repr(leaf.value)
    return "$" + ".".join(map(str, leaf.path))
