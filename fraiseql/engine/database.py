"""
The database from Python: ``info.context.db`` reads bound types and runs SQL.
"""

import difflib
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

from asgiref.sync import sync_to_async

from fraiseql.conf import get_settings
from fraiseql.db import catalog, direct, pool, sync
from fraiseql.db.direct import Row
from fraiseql.db.flight import Session
from fraiseql.engine.plan.filters import id_parser, plan_where
from fraiseql.engine.plan.order import plan_cursor, plan_order
from fraiseql.engine.plan.plan import (
    Every,
    GroupKey,
    Groups,
    Order,
    Page,
    Plan,
    Read,
    Target,
    Wants,
)
from fraiseql.engine.plan.selection import all_keys
from fraiseql.engine.plan.values import Given, Leaf
from fraiseql.engine.reading import Documents, by_field
from fraiseql.engine.sql.compile import compile_plan
from fraiseql.errors import BadUserInput, ConfigurationError
from fraiseql.schema.aggregates import COUNT, KEYS, AggregateTypes
from fraiseql.schema.build import get_schema
from fraiseql.schema.complete import hydrate, to_python
from fraiseql.schema.inputs import (
    LOGICAL,
    QUANTIFIERS,
    OrderDirection,
    filter_operators,
    has_many,
    rows_of,
    scalar_of,
)
from fraiseql.schema.specs import FieldSpec, ObjectSpec, RootKind

T = TypeVar("T")
Where = Mapping[str, Any]


class Database:
    """
    Reads bound types on Django's connection, inside its transaction.

    ``where`` is written as in GraphQL, in Python's names; a bare value means ``eq``, None means null::

        db.find(Post, where={"author": {"name": "Ada"}, "tags": {"contains": ["sql"]}}, limit=3)

    ``session``: PostgreSQL session variables in force for each statement; a resolver's are its viewer's.
    """

    def __init__(self, using: str | None = None, session: Session = ()) -> None:
        self.using = using or get_settings().DATABASE
        self.session = session

    def find(
        self,
        type: type[T],  # noqa: A002 - the GraphQL type to find
        where: Where | None = None,
        order_by: str | Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[T]:
        """
        Return the instances that ``where`` allows, at most ``limit`` (setting DEFAULT_LIMIT).

        ``order_by``: field names, the heaviest first; a leading ``-`` means descending.
        """
        spec, planned = plan_find(type, where, order_by, limit, offset)
        return _instances(spec, self.read(planned))

    def find_one(self, type: type[T], where: Where | None = None, **keys: Any) -> T | None:  # noqa: A002
        """Return the first instance that ``where`` and ``keys`` allow, or None."""
        found = self.find(type, {**(where or {}), **keys}, limit=1)
        return found[0] if found else None

    def paginate(
        self,
        type: type[T],  # noqa: A002
        where: Where | None = None,
        order_by: str | Sequence[str] = (),
        **window: Any,
    ) -> "PageOf[T]":
        """
        Return a page of instances: ``first`` (rows) and ``after`` (a cursor), or ``last`` and ``before``.

        ``with_total``: count all rows, too. Cursors are those of GraphQL's connections.
        """
        spec, planned = plan_page(type, where, order_by, **window)
        return _page(spec, planned, self.read(planned))

    def count(self, type: type, where: Where | None = None, **keys: Any) -> int:  # noqa: A002
        """Return how many rows ``where`` and ``keys`` allow."""
        return _total(self.read(plan_count(type, {**(where or {}), **keys})))

    def exists(self, type: type, where: Where | None = None, **keys: Any) -> bool:  # noqa: A002
        """Tell whether ``where`` and ``keys`` allow a row."""
        _, planned = plan_find(type, {**(where or {}), **keys}, (), 1, 0)
        return bool(self.read(planned))

    def aggregate(
        self,
        type: type,  # noqa: A002
        where: Where | None = None,
        group_by: Sequence[str] = (),
        **measures: Sequence[str],
    ) -> list[Row]:
        """
        Return figures of the rows ``where`` allows: a dict for each group, in the order of the groups' keys.

        ``measures``: field names by ``sum``, ``avg``, ``min`` and ``max``. ``aggregate(Post, group_by=["status"],
        sum=["views"])`` gives ``[{"status": ..., "count": ..., "sum_views": ...}]``.
        """
        figures, planned = plan_aggregate(type, where, group_by, measures)
        return _figures(figures, self.read(planned))

    def read(self, planned: Plan) -> Documents:
        """Return the documents of a plan's one read."""
        template = compile_plan(planned, catalog.relations(planned.views, self.using))
        rows = sync.fetch(template.fill({}), self.using, self.session)
        return by_field(template, planned, rows)[_KEY]

    def fetch(self, text: str, *params: Any) -> list[Row]:
        """
        Return the rows of an SQL statement as dicts, parameters as ``$1``, ``$2``, ...

        JSON comes as Python values, and a dict goes as ``jsonb``. Raises FraiseQLError by SQLSTATE.
        """
        return direct.fetch(text, params, self.using, self.session)

    def fetchrow(self, text: str, *params: Any) -> Row | None:
        """Return the first row of an SQL statement, or None."""
        return next(iter(self.fetch(text, *params)), None)

    def fetchval(self, text: str, *params: Any) -> Any:
        """Return the first column of the first row of an SQL statement, or None."""
        return next(iter((self.fetchrow(text, *params) or {}).values()), None)

    def execute(self, text: str, *params: Any) -> int:
        """Run an SQL statement and return how many rows it was about."""
        return direct.execute(text, params, self.using, self.session)

    def transaction(self) -> AbstractContextManager[None]:
        """Return a block, ``with``, whose statements all happen or none; blocks may nest."""
        return direct.atomic(self.using, self.session)


class AsyncDatabase:
    """The same as ``Database``, awaited."""

    def __init__(
        self, using: str | None = None, in_thread: bool = False, session: Session = ()
    ) -> None:
        self.using = using or get_settings().DATABASE
        self.session = session
        self._in_thread = in_thread
        self._direct = Database(self.using, session)

    async def find(
        self,
        type: type[T],  # noqa: A002 - the GraphQL type to find
        where: Where | None = None,
        order_by: str | Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[T]:
        """Return what ``Database.find`` returns."""
        spec, planned = plan_find(type, where, order_by, limit, offset)
        return _instances(spec, await self.read(planned))

    async def find_one(self, type: type[T], where: Where | None = None, **keys: Any) -> T | None:  # noqa: A002
        """Return what ``Database.find_one`` returns."""
        found = await self.find(type, {**(where or {}), **keys}, limit=1)
        return found[0] if found else None

    async def paginate(
        self,
        type: type[T],  # noqa: A002
        where: Where | None = None,
        order_by: str | Sequence[str] = (),
        **window: Any,
    ) -> "PageOf[T]":
        """Return what ``Database.paginate`` returns."""
        spec, planned = plan_page(type, where, order_by, **window)
        return _page(spec, planned, await self.read(planned))

    async def count(self, type: type, where: Where | None = None, **keys: Any) -> int:  # noqa: A002
        """Return what ``Database.count`` returns."""
        return _total(await self.read(plan_count(type, {**(where or {}), **keys})))

    async def exists(self, type: type, where: Where | None = None, **keys: Any) -> bool:  # noqa: A002
        """Return what ``Database.exists`` returns."""
        _, planned = plan_find(type, {**(where or {}), **keys}, (), 1, 0)
        return bool(await self.read(planned))

    async def aggregate(
        self,
        type: type,  # noqa: A002
        where: Where | None = None,
        group_by: Sequence[str] = (),
        **measures: Sequence[str],
    ) -> list[Row]:
        """Return what ``Database.aggregate`` returns."""
        figures, planned = plan_aggregate(type, where, group_by, measures)
        return _figures(figures, await self.read(planned))

    async def read(self, planned: Plan) -> Documents:
        """Return what ``Database.read`` returns."""
        if self._in_thread:
            return await sync_to_async(self._direct.read)(planned)
        template = compile_plan(planned, await catalog.relations_async(planned.views, self.using))
        rows = await pool.fetch(template.fill({}), self.using, self.session)
        return by_field(template, planned, rows)[_KEY]

    # On Django's connection, in the request's own thread: one connection for a whole transaction.

    async def fetch(self, text: str, *params: Any) -> list[Row]:
        """Return what ``Database.fetch`` returns."""
        return await sync_to_async(self._direct.fetch)(text, *params)

    async def fetchrow(self, text: str, *params: Any) -> Row | None:
        """Return what ``Database.fetchrow`` returns."""
        return await sync_to_async(self._direct.fetchrow)(text, *params)

    async def fetchval(self, text: str, *params: Any) -> Any:
        """Return what ``Database.fetchval`` returns."""
        return await sync_to_async(self._direct.fetchval)(text, *params)

    async def execute(self, text: str, *params: Any) -> int:
        """Return what ``Database.execute`` returns."""
        return await sync_to_async(self._direct.execute)(text, *params)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Return a block, ``async with``, whose statements all happen or none; ``find`` sees them too."""
        block = self._direct.transaction()
        await sync_to_async(block.__enter__)()
        in_thread, self._in_thread = self._in_thread, True
        try:
            yield
        except BaseException as error:
            await sync_to_async(block.__exit__)(type(error), error, error.__traceback__)
            raise
        else:
            await sync_to_async(block.__exit__)(None, None, None)
        finally:
            self._in_thread = in_thread


@dataclass(frozen=True)
class PageOf(Generic[T]):
    """A page of instances. ``total``: of all rows, None if it was not asked for."""

    items: list[T]
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None
    total: int | None


_KEY = "find"
"""The response key of a plan made here."""


def plan_find(
    python: type,
    where: Where | None,
    order_by: str | Sequence[str],
    limit: int | None,
    offset: int,
) -> tuple[ObjectSpec, Plan]:
    """Return the spec of a declared class and the plan that reads its instances."""
    spec = _spec_of(python)
    most = get_settings().DEFAULT_LIMIT if limit is None else limit
    page = Page(most, Leaf(offset) if offset else None)
    return spec, _plan(spec, RootKind.MANY, where, _ordered(order_by, spec), page)


def plan_page(
    python: type,
    where: Where | None,
    order_by: str | Sequence[str],
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    with_total: bool = False,
) -> tuple[ObjectSpec, Plan]:
    """Return the spec of a declared class and the plan that reads a page of its instances."""
    spec = _spec_of(python)
    if first is not None and last is not None:
        raise BadUserInput("Give first or last, not both.")
    size = next((given for given in (first, last) if given is not None), None)
    order = _ordered(order_by, spec)
    page = Page(
        get_settings().DEFAULT_LIMIT if size is None else size,
        after=plan_cursor(Leaf(after), order, "after", []),
        before=plan_cursor(Leaf(before), order, "before", []),
        backward=last is not None,
    )
    wants = Wants(cursors=True, total=with_total)
    return spec, _plan(spec, RootKind.CONNECTION, where, order, page, wants)


def plan_count(python: type, where: Where) -> Plan:
    """Return the plan that counts the rows of a declared class."""
    wants = Wants(rows=False, total=True)
    return _plan(_spec_of(python), RootKind.CONNECTION, where, (), Page(0), wants)


MEASURES = ("sum", "avg", "min", "max")


def plan_aggregate(
    python: type,
    where: Where | None,
    group_by: Sequence[str],
    measures: Mapping[str, Sequence[str]],
) -> tuple[dict[str, Target], Plan]:
    """Return the places of the figures by their names, and the plan that reads them."""
    spec = _spec_of(python)
    aggregate = AggregateTypes().aggregate(spec)
    if unknown := set(measures) - set(MEASURES):
        raise BadUserInput(f"There is no measure {min(unknown)!r}.", hint=f"One of {MEASURES}.")
    figures = {name: _figure(aggregate, KEYS, name) for name in group_by}
    groups = Groups(tuple(map(GroupKey, figures.values())), Every(()))
    figures[COUNT] = Target((aggregate.fields[COUNT],))
    for measure, names in measures.items():
        figures |= {f"{measure}_{name}": _figure(aggregate, measure, name) for name in names}
    # Objects come before what is in them.
    places = dict.fromkeys(
        Target(target.fields[: depth + 1])
        for target in figures.values()
        for depth in range(len(target.fields))
    )
    condition = plan_where(_conditions(where or {}, spec), spec, [])
    order = tuple(Order(key.target) for key in groups.keys)
    page = Page(get_settings().MAX_LIMIT)
    wants = Wants(figures=tuple(places))
    read = Read(_KEY, RootKind.AGGREGATE, spec, condition, order, page, (), wants, groups)
    return figures, Plan((read,))


def _figure(aggregate: ObjectSpec, member: str, name: str) -> Target:
    """Return the place of ``name`` (``author.name``) among the values of a member of an aggregate."""
    fields: list[FieldSpec] = []
    for part in (member, *name.split(".")):
        within = fields[-1].type.named if fields else aggregate
        entry = within.by_python_name(part) if isinstance(within, ObjectSpec) else None
        if entry is None:
            raise ConfigurationError(f"{aggregate.name} has no {member} of {name!r}.")
        fields.append(entry)
    return Target(tuple(fields))


def _figures(figures: Mapping[str, Target], documents: Documents) -> list[Row]:
    return [
        {name: _at(target, _parsed(document)) for name, target in figures.items()}
        for document in documents
    ]


def _at(target: Target, document: Any) -> Any:
    for entry in target.fields:
        document = document[entry.key]
    return to_python(target.leaf.type, document)


def _plan(
    spec: ObjectSpec,
    kind: RootKind,
    where: Where | None,
    order: tuple[Order, ...],
    page: Page,
    wants: Wants | None = None,
) -> Plan:
    condition = plan_where(_conditions(where or {}, spec), spec, [])
    keys = all_keys(spec)
    return Plan((Read(_KEY, kind, spec, condition, order, page, keys, wants or Wants()),))


def _ordered(order_by: str | Sequence[str], spec: ObjectSpec) -> tuple[Order, ...]:
    keys = (order_by,) if isinstance(order_by, str) else order_by
    return plan_order([_order(key, spec) for key in keys], spec, [])


def _page(spec: ObjectSpec, planned: Plan, documents: Documents) -> PageOf[Any]:
    found = _parsed(documents[0])
    info = found["pageInfo"]
    return PageOf(
        items=[hydrate(spec, edge["node"]) for edge in found["edges"]],
        has_next_page=info["hasNextPage"],
        has_previous_page=info["hasPreviousPage"],
        start_cursor=info.get("startCursor"),
        end_cursor=info.get("endCursor"),
        total=found["totalCount"] if planned.reads[0].wants.total else None,
    )


def _total(documents: Documents) -> int:
    return int(_parsed(documents[0])["totalCount"])


def _spec_of(python: type) -> ObjectSpec:
    for spec in get_schema().objects.values():
        if spec.python is python:
            if spec.view is not None:
                return spec
            raise ConfigurationError(
                f"{spec.name} is bound to no view.",
                hint="Declare it with @fraiseql.type(view=...).",
            )
    raise ConfigurationError(
        f"{python.__qualname__} is not declared.", hint="Decorate it with @fraiseql.type(view=...)."
    )


def _instances(spec: ObjectSpec, documents: Documents) -> list[Any]:
    return [hydrate(spec, _parsed(document)) for document in documents if document is not None]


def _parsed(document: bytes | None) -> Any:
    return json.loads(document or b"null", parse_float=Decimal)


def _conditions(where: Where, spec: ObjectSpec) -> Given:
    return {
        _graphql_name(name, spec): _condition(name, value, spec) for name, value in where.items()
    }


def _graphql_name(name: str, spec: ObjectSpec) -> str:
    return name if name in LOGICAL else _field(name, spec).name


def _condition(name: str, value: Any, spec: ObjectSpec) -> Given:
    if name == "NOT":
        return _conditions(value, spec)
    if name in LOGICAL:
        return [_conditions(item, spec) for item in value]
    entry = _field(name, spec)
    named = rows_of(entry) or entry.type.innermost
    if isinstance(named, ObjectSpec):
        if not has_many(entry):
            return _conditions(value, named)
        if not isinstance(value, Mapping) or not value.keys() <= QUANTIFIERS.keys():
            raise ConfigurationError(
                f"{spec.name}.{entry.python_name} is a list of objects.",
                hint=f"Say how many: {', '.join(QUANTIFIERS)}.",
            )
        return {word: _conditions(where, named) for word, where in value.items()}
    if value is None:
        return {"isnull": Leaf(True)}
    operators = {operator.name: operator for operator in filter_operators(entry)}
    is_json = scalar_of(named).family == "json"
    if not isinstance(value, Mapping) or (is_json and not value.keys() <= operators.keys()):
        # A document is a value itself, unless every key of it is an operator.
        value = {"eq": value}
    given = {}
    for word, argument in value.items():
        if word not in operators:
            raise ConfigurationError(
                f"{spec.name}.{entry.python_name} has no operator {word!r}.",
                hint=_nearest(word, operators),
            )
        given[word] = Leaf(_argument(entry, operators[word].argument, argument))
    return given


def _argument(entry: FieldSpec, kind: str, value: Any) -> Any:
    """Return a Python argument as the coerced value GraphQL would give."""
    scalar = scalar_of(entry.type.innermost)
    if value is None or kind not in {"same", "list"}:
        return value

    def parse(item: Any) -> Any:
        if isinstance(item, scalar.python):
            return item
        if entry.is_id:
            return id_parser(entry, entry.python_name)(item)
        try:
            return scalar.parse(item)
        except ValueError as error:
            raise BadUserInput(f"{entry.python_name}: {error}") from error

    is_list = kind == "list" or entry.type.item is not None
    if is_list and isinstance(value, list | tuple | set | frozenset):
        return [parse(item) for item in value]
    return parse(value)


def _order(key: str, spec: ObjectSpec) -> Given:
    name = key.removeprefix("-")
    direction = OrderDirection.DESC if key.startswith("-") else OrderDirection.ASC
    first, _, rest = name.partition(".")
    entry = _field(first, spec)
    if not rest:
        return {entry.name: Leaf(direction)}
    named = rows_of(entry) or entry.type.named
    if not isinstance(named, ObjectSpec) or has_many(entry):
        raise ConfigurationError(f"{spec.name}.{first} has no fields to order by.")
    return {entry.name: _order(("-" if key.startswith("-") else "") + rest, named)}


def _field(name: str, spec: ObjectSpec) -> FieldSpec:
    entry = spec.by_python_name(name) or spec.fields.get(name)
    if entry is None:
        names = [known.python_name for known in spec.fields.values()]
        raise ConfigurationError(f"{spec.name} has no field {name!r}.", hint=_nearest(name, names))
    return entry


def _nearest(name: str, names: Iterable[str]) -> str:
    names = list(names)
    close = difflib.get_close_matches(name, names, 1)
    return f"Did you mean {close[0]!r}?" if close else f"It has: {', '.join(names)}."
