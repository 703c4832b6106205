"""
Triggers that sync, for those who want them: one call of ``fn_sync_tv_x`` for a statement, whatever it changed.

Which tables and which rows, the documents' types and the foreign keys of the database say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import connections

from fraiseql.cqrs.projection import Pair, Projection, pair_of, sync_function
from fraiseql.cqrs.sync import in_order
from fraiseql.db import catalog
from fraiseql.db.texts import sql_text
from fraiseql.errors import ConfigurationError
from fraiseql.management.generate.ddl import Holder, Text
from fraiseql.management.generate.links import Hop, Link, Route, chains_down, route
from fraiseql.management.generate.rendering import render_sql
from fraiseql.management.generate.tables import Names, Tables, names_of, quoted
from fraiseql.management.source import snake
from fraiseql.schema.specs import FieldSpec, ObjectSpec

PREFIX = "fn_sync_after_"
"""What the functions of such triggers are called by."""

_CHANGED = "c"


@dataclass(frozen=True)
class ForeignKey:
    """A column that holds another table's."""

    table: str
    column: str
    target: str
    target_column: str


def texts(tables: Tables, wanted: Sequence[Projection], using: str) -> dict[str, list[Text]]:
    """
    Return the files of triggers for projections, by the type whose table they watch.

    Raises ConfigurationError where types and foreign keys do not say which rows hold which.
    """
    keys = _ForeignKeys(tables, using)
    watched: dict[tuple[str, str], dict[Names, list[Route]]] = {}
    pairs: dict[Names, Pair] = {}
    found: dict[str, list[Text]] = {}
    for projection in in_order(wanted, using):
        spec = next(one for one in tables.specs.values() if one.view == projection.view)
        names, pair = names_of(spec), pair_of(projection, using)
        pairs[names] = pair
        if not _has_function(pair, names, using):
            path = f"sql/functions/{pair.function_name}.sql"
            found.setdefault(spec.name, []).append(Text(path, sync_function(pair)))
        for table, owner, way in _ways(tables, spec, keys):
            watched.setdefault((table, owner), {}).setdefault(names, []).append(way)
    for (table, owner), routes in watched.items():
        holders = [
            Holder(names, tuple(ways), quoted(pairs[names].key[0]), pairs[names].key_type or "")
            for names, ways in routes.items()
        ]
        found.setdefault(owner, []).extend(_files(table, holders))
    return found


def installed(using: str) -> list[str]:
    """Return the tables that have such triggers."""
    with connections[using].cursor() as cursor:
        cursor.execute(sql_text(__package__ or "", "sync_triggers"), [f"{PREFIX}%"])
        return [table for (table,) in cursor.fetchall()]


def _files(table: str, holders: Sequence[Holder]) -> Iterator[Text]:
    prefix, dot, bare = table.rpartition(".")
    values = {
        "table": table,
        "bare": bare,
        "function": f"{prefix}{dot}{PREFIX}{bare}",
        "holders": holders,
        "are_moving": any(one.moving for one in holders),
        "projections": [one.names.projection for one in holders],
    }
    yield Text(f"sql/functions/{PREFIX}{bare}.sql", render_sql("fn_sync_after", values))
    yield Text(f"sql/triggers/{bare}_sync.sql", render_sql("triggers", values))


def _ways(
    tables: Tables, spec: ObjectSpec, keys: "_ForeignKeys"
) -> Iterator[tuple[str, str, Route]]:
    """Yield each table whose rows a projection's documents hold, with the type it is of and the way up."""
    names = names_of(spec)
    yield names.table, spec.name, Route(names, (), _CHANGED, moves=False)
    for chain in chains_down(tables, spec, keys.link):
        first = chain[0]
        yield first.item.table, first.item.type, route(chain, _CHANGED)
        if len(first.hops) > 1:
            yield first.hops[0].table, first.owner.type, route(chain, _CHANGED, from_pairs=True)


class _ForeignKeys:
    """The foreign keys between the tables of types."""

    def __init__(self, tables: Tables, using: str) -> None:
        # What is a type's own is no table of pairs.
        self._own = names = [names_of(spec).table for spec in _regular(tables.specs)]
        with connections[using].cursor() as cursor:
            cursor.execute(sql_text(__package__ or "", "foreign_keys"), [names, names])
            self._known = [ForeignKey(*row) for row in cursor.fetchall()]

    def link(self, owner: ObjectSpec, entry: FieldSpec, target: ObjectSpec) -> Link:
        """Return the link of an embedded field. Raises ConfigurationError if there is none, or several."""
        mine, its, where = names_of(owner), names_of(target), f"{owner.name}.{entry.python_name}"
        if entry.type.item is None:
            key = self._one(mine.table, its.table, snake(entry.python_name), where)
            if key is None:
                raise _unlinked(where, mine.table, its.table)
            return Link(mine, its, (Hop(mine.table, key.column, key.target_column),))
        key = self._one(its.table, mine.table, mine.stem, where)
        if key is not None:
            return Link(mine, its, (Hop(mine.table, key.target_column, key.column),), moves=True)
        by_table = {key.table: key for key in self._known if key.target == its.table}
        both = [
            (by_table[key.table], key)
            for key in self._known
            if key.target == mine.table and key.table in by_table and key.table not in self._own
        ]
        if len(both) != 1:
            raise _unlinked(where, its.table, mine.table)
        ((to_item, to_owner),) = both
        hops = (
            Hop(to_item.table, to_item.column, to_item.target_column),
            Hop(mine.table, to_owner.target_column, to_owner.column),
        )
        return Link(mine, its, hops)

    def _one(self, table: str, target: str, name: str, where: str) -> ForeignKey | None:
        """Return the one foreign key from a table to another, or that called ``fk_<name>``."""
        found = [key for key in self._known if (key.table, key.target) == (table, target)]
        named = [key for key in found if key.column == f"fk_{name}"]
        if len(found) > 1 and not named:
            columns = " and ".join(key.column for key in found)
            raise ConfigurationError(
                f"{where}: {columns} of {table} lead to {target}: which of them?",
                hint=f"Call it fk_{name}, or write this trigger by hand.",
            )
        return next(iter([*named, *found]), None)


def _regular(specs: Mapping[str, ObjectSpec]) -> Iterable[ObjectSpec]:
    for spec in specs.values():
        try:
            names_of(spec)
        except ConfigurationError:
            continue  # Its rows have no table; if a projection holds them, link() tells.
        yield spec


def _unlinked(where: str, table: str, target: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where}: no foreign key says which rows of {table} belong to which of {target}.",
        hint="Add it, or write this trigger by hand.",
    )


def _has_function(pair: Pair, names: Names, using: str) -> bool:
    name = f"{names.prefix}fn_sync_tv_{names.stem}"
    known = catalog.functions((name,), using).get(name, ())
    return any(
        [one.type for one in function.arguments] == [f"{pair.key_type}[]"] for function in known
    )
