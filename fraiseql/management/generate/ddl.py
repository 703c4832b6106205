"""
The SQL of a type: table, view, projection, and the functions that write and sync.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fraiseql.cqrs.projection import Pair, sync_function
from fraiseql.engine.sql.scope import identifier
from fraiseql.errors import ConfigurationError
from fraiseql.management.generate.links import Route, chains_up, route
from fraiseql.management.generate.rendering import render_sql
from fraiseql.management.generate.tables import (
    MAX_NAME,
    Names,
    Table,
    Tables,
)

_MOST_KEYS = 50
"""Keys that one jsonb_build_object takes: a function has at most 100 arguments."""


@dataclass(frozen=True)
class Text:
    """A file of an application: its path in the application's folder, and what stands in it."""

    path: str
    text: str


@dataclass(frozen=True)
class Holder:
    """A projection that may hold a row, its key, and the ways to it."""

    names: Names
    routes: tuple[Route, ...]
    key: str = "id"
    key_type: str = "uuid"

    @property
    def moving(self) -> tuple[Route, ...]:
        """Return the ways that a change of the row may change."""
        return tuple(one for one in self.routes if one.moves)


def texts(tables: Tables, name: str) -> list[Text]:
    """Return the files of a type. Raises ConfigurationError for what no table can hold."""
    found = list(_texts(tables, tables.table(name)))
    for one in found:
        object_name = one.path.rpartition("/")[2].removesuffix(".sql")
        if len(object_name.encode()) > MAX_NAME:
            raise ConfigurationError(
                f"{object_name} is too long a name for PostgreSQL.",
                hint="Bind the type to shorter names.",
            )
    return found


def holders(tables: Tables, name: str) -> list[Holder]:
    """Return the projections that hold rows of a type, as its functions reach them from ``v_row``."""
    found: dict[Names, list[Route]] = {}
    for chain in chains_up(tables, name):
        found.setdefault(chain[-1].owner, []).append(route(chain, "v_row"))
    return [Holder(names, tuple(routes)) for names, routes in found.items()]


def _texts(tables: Tables, table: Table) -> Iterator[Text]:
    names = table.names
    given = table.inputs
    values = {
        "table": table,
        "names": names,
        "width": _width(table),
        # Not as a field, or it would be taken for that field's.
        "input": "input_" if any(one.name == "input" for one in given) else "input",
        "parts": [
            table.entries[start : start + _MOST_KEYS]
            for start in range(0, len(table.entries), _MOST_KEYS)
        ],
        "inputs": given,
        "input_width": max(len(one.name) for one in given),
        "holders": holders(tables, names.type),
    }
    tb, tv = f"tb_{names.stem}", f"tv_{names.stem}"
    yield _text(f"tables/{tb}", render_sql("tb", values))
    for one in table.references:
        yield _index("tables", names.table, [one.fk])
    for pair in table.pairs:
        yield _text(f"tables/{_bare(pair.pairs)}", render_sql("pairs", values | {"pair": pair}))
        yield _index("tables", pair.pairs, [pair.item_fk])
        yield _text(
            f"functions/{_bare(pair.setter)}", render_sql("fn_set", values | {"pair": pair})
        )
    yield _text(f"views/v_{names.stem}", render_sql("v", values))
    if names.has_projection:
        yield _text(f"projections/{tv}", render_sql("tv", values))
        for one in table.references:
            yield _index("projections", names.projection, [one.id, "created_at", "id"])
        yield _text(f"functions/fn_sync_{tv}", sync_function(_pair(table)))
    for verb in ("create", "update", "delete"):
        yield _text(f"functions/fn_{verb}_{names.stem}", render_sql(f"fn_{verb}", values))


def _bare(name: str) -> str:
    return name.rpartition(".")[2]


def _text(path: str, text: str) -> Text:
    return Text(f"sql/{path}.sql", text)


def _index(folder: str, relation: str, columns: list[str]) -> Text:
    name = f"{_bare(relation)}_{columns[0]}_idx"
    values = {"name": name, "relation": relation, "columns": columns}
    return _text(f"{folder}/{name}", render_sql("idx", values))


def _width(table: Table) -> int:
    names = [table.names.pk, "identifier", table.names.document]
    names += [one.name for one in table.columns]
    names += [name for one in table.references for name in (one.fk, one.id)]
    return max(map(len, names))


def _pair(table: Table) -> Pair:
    """Return the projection and its source as they will be in the catalog."""
    names = table.names
    schema = names.prefix.split(".")[:-1]
    columns = (
        "id",
        "identifier",
        *(one.id for one in table.references),
        names.document,
        "created_at",
        "updated_at",
    )
    return Pair(
        view=names.projection,
        target=identifier(*schema, f"tv_{names.stem}"),
        source=identifier(*schema, f"v_{names.stem}"),
        function_name=f"fn_sync_tv_{names.stem}",
        function=identifier(*schema, f"fn_sync_tv_{names.stem}"),
        columns=columns,
        key=("id",),
        key_type="uuid",
        unique=("id", "identifier"),
        compared=tuple((column, None) for column in columns[1:]),
        stamps=False,
    )
