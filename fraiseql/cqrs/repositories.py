"""
Reading and writing by the names of the database's own objects.

::

    users = QueryRepository(info.context.db)
    user = await users.find_one("tv_user", identifier="mara-lindqvist")

    commands = CommandRepository(info.context.db)
    user_id = await commands.call("fn_create_user", p_name="Mara")

Made with a ``Database`` they return values; with an ``AsyncDatabase``, which asynchronous resolvers have,
awaitables.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from fraiseql.engine.database import AsyncDatabase, Database, Where
from fraiseql.errors import ConfigurationError
from fraiseql.schema import registry

Source = str | type
"""A bound class, or the name of its view or projection."""


class QueryRepository:
    """Reads views through the types bound to them, by id, identifier or any condition."""

    def __init__(self, db: Database | AsyncDatabase | None = None) -> None:
        self._db = db or Database()

    def find_one(self, source: Source, where: Where | None = None, **keys: Any) -> Any:
        """Return the first instance that ``where`` and ``keys`` (``id=``, ``identifier=``) allow, or None."""
        return self._db.find_one(_bound_to(source), where, **keys)

    def find(
        self,
        source: Source,
        where: Where | None = None,
        order_by: str | Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> Any:
        """Return a list of instances; see ``Database.find``."""
        return self._db.find(_bound_to(source), where, order_by, limit, offset)

    def paginate(
        self,
        source: Source,
        where: Where | None = None,
        order_by: str | Sequence[str] = (),
        **window: Any,
    ) -> Any:
        """Return a ``PageOf`` instances: ``first``, ``after``, ``last``, ``before``, ``with_total``."""
        return self._db.paginate(_bound_to(source), where, order_by, **window)

    def count(self, source: Source, where: Where | None = None, **keys: Any) -> Any:
        """Return how many rows there are."""
        return self._db.count(_bound_to(source), where, **keys)

    def exists(self, source: Source, where: Where | None = None, **keys: Any) -> Any:
        """Tell whether there is a row."""
        return self._db.exists(_bound_to(source), where, **keys)

    def aggregate(
        self,
        source: Source,
        where: Where | None = None,
        group_by: Sequence[str] = (),
        **measures: Sequence[str],
    ) -> Any:
        """Return figures of groups of rows; see ``Database.aggregate``."""
        return self._db.aggregate(_bound_to(source), where, group_by, **measures)


class CommandRepository:
    """Calls the functions that write."""

    def __init__(self, db: Database | AsyncDatabase | None = None) -> None:
        self._db = db or Database()

    def call(self, function: str, /, *values: Any, **named: Any) -> Any:
        """Return what ``function`` returns: a value, or its first column. Raises FraiseQLError by SQLSTATE."""
        text, params = _call(function, values, named)
        return self._db.fetchval(text, *params)

    def rows(self, function: str, /, *values: Any, **named: Any) -> Any:
        """Return the rows that ``function`` returns, as dicts."""
        text, params = _call(function, values, named)
        return self._db.fetch(text, *params)

    def transaction(self) -> Any:
        """Return a block whose calls all happen or none: ``with``, or ``async with``."""
        return self._db.transaction()


def _call(
    function: str, values: Sequence[Any], named: dict[str, Any]
) -> tuple[str, tuple[Any, ...]]:
    marks: list[sql.Composable] = [sql.SQL(f"${number}") for number in range(1, len(values) + 1)]
    for number, name in enumerate(named, len(values) + 1):
        marks.append(sql.SQL("{} => {}").format(sql.Identifier(name), sql.SQL(f"${number}")))
    text = sql.SQL("SELECT * FROM {}({})").format(
        sql.Identifier(*function.split(".")), sql.SQL(", ").join(marks)
    )
    return text.as_string(None), (*values, *named.values())


def _bound_to(source: Source) -> type:
    if isinstance(source, type):
        return source
    known = registry.current().objects.values()
    found = [entry.python for entry in known if source in (entry.view, entry.source)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(python.__name__ for python in found)
        raise ConfigurationError(f"{source} is bound to {names}.", hint="Give the class you mean.")
    views = sorted({entry.view for entry in known if entry.view})
    raise ConfigurationError(
        f"No type is bound to {source!r}.", hint=f"Known: {', '.join(views) or 'none'}."
    )
