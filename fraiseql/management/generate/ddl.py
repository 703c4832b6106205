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
    Entry,
    Listing,
    Names,
    Table,
    Tables,
    text_literal,
)

_MOST_KEYS = 50
"""Keys that one jsonb_build_object takes: a function has at most 100 arguments."""


@dataclass(frozen=True)
class Text:
    """A file of an application: its path in the application's folder, and what stands in it."""

    path: str
    text: str


@dataclass(frozen=True)
class Argument:
    """An argument of a function that creates."""

    name: str
    type: str
    is_optional: bool = False
    default: str | None = None


@dataclass(frozen=True)
class Holder:
    """A projection that may hold a row, and the ways to it; ``moving``: those the row itself decides."""

    names: Names
    routes: tuple[Route, ...]

    @property
    def moving(self) -> tuple[Route, ...]:
        """Return the ways that a change of the row may change."""
        return tuple(one for one in self.routes if one.moves)


@dataclass(frozen=True)
class Pairs:
    """A table of pairs: its columns, and the function that ``setter`` names."""

    names: Names
    listing: Listing

    @property
    def fk(self) -> str:
        """Return the column of the rows that hold."""
        return f"fk_{self.names.stem}"

    @property
    def item_fk(self) -> str:
        """Return the column of the rows held."""
        return f"fk_{self.listing.item.stem}"

    @property
    def table(self) -> str:
        """Return the table's name without its schema."""
        return (self.listing.pairs or "").rpartition(".")[2]

    @property
    def setter(self) -> str:
        """Return the function that puts pairs in the place of others."""
        return f"{self.names.prefix}fn_set_{self.table.removeprefix('tb_')}"


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


def arguments(table: Table) -> list[Argument]:
    """Return what the function that creates takes, what may be left out last."""
    found = [Argument("p_identifier", "text", is_optional=not table.identifier)]
    found += [Argument(f"p_{one.id}", "uuid", one.nullable) for one in table.references]
    found += [
        Argument(f"p_{one.name}", one.type, one.is_optional, one.default) for one in table.columns
    ]
    found += [Argument(f"p_{one.ids}", "uuid[]", True, "'{}'") for one in table.lists if one.pairs]
    return sorted(found, key=lambda one: one.is_optional)


def input_name(table: Table) -> str:
    """Return what the function that updates calls its argument: not as a field, or it would be its."""
    names = {one.name for one in table.columns}
    return "input_" if "input" in names else "input"


def holders(tables: Tables, name: str) -> list[Holder]:
    """Return the projections that hold rows of a type, as its functions reach them from ``v_row``."""
    found: dict[Names, list[Route]] = {}
    for chain in chains_up(tables, name):
        found.setdefault(chain[-1].owner, []).append(route(chain, "v_row"))
    return [Holder(names, tuple(routes)) for names, routes in found.items()]


def _texts(tables: Tables, table: Table) -> Iterator[Text]:
    names = table.names
    taken = arguments(table)
    pairs = [Pairs(names, one) for one in table.lists if one.pairs]
    values = {
        "table": table,
        "names": names,
        "width": _width(table),
        "parts": _parts(table.entries),
        "arguments": taken,
        "argument_width": max(len(one.name) for one in taken),
        "input": input_name(table),
        "holders": holders(tables, names.type),
        "pairs": pairs,
        "owned": [one.name.replace("_", " ") for one in table.lists if one.fk],
    }
    tb, tv = f"tb_{names.stem}", f"tv_{names.stem}"
    yield _text(f"tables/{tb}", render_sql("tb", values))
    for one in table.references:
        yield _index("tables", tb, names.table, [one.fk])
    for pair in pairs:
        more = {
            "listing": pair.listing,
            "fk": pair.fk,
            "item_fk": pair.item_fk,
            "setter": pair.setter,
        }
        more["width"] = max(len(pair.fk), len(pair.item_fk))
        yield _text(f"tables/{pair.table}", render_sql("pairs", values | more))
        yield _index("tables", pair.table, names.prefix + pair.table, [pair.item_fk])
        setter = pair.setter.removeprefix(names.prefix)
        yield _text(f"functions/{setter}", render_sql("fn_set", values | more))
    yield _text(f"views/v_{names.stem}", render_sql("v", values))
    if names.has_projection:
        yield _text(f"projections/{tv}", render_sql("tv", values))
        for one in table.references:
            yield _index("projections", tv, names.projection, [one.id, "created_at", "id"])
        yield _text(f"functions/fn_sync_{tv}", sync_function(_pair(table)))
    for verb in ("create", "update", "delete"):
        yield _text(f"functions/fn_{verb}_{names.stem}", render_sql(f"fn_{verb}", values))


def _text(path: str, text: str) -> Text:
    return Text(f"sql/{path}.sql", text)


def _index(folder: str, bare: str, relation: str, columns: list[str]) -> Text:
    name = f"{bare}_{columns[0]}_idx"
    text = render_sql("idx", {"name": name, "relation": relation, "columns": columns})
    return _text(f"{folder}/{name}", text)


def _width(table: Table) -> int:
    names = [table.names.pk, "identifier", table.names.document]
    names += [one.sql for one in table.columns]
    names += [name for one in table.references for name in (one.fk, one.id)]
    return max(map(len, names))


def _parts(entries: list[Entry]) -> list[list[dict[str, object]]]:
    """Return the document's entries in portions that one call takes."""
    shown = [{**vars(one), "key_sql": text_literal(one.key)} for one in entries]
    return [shown[start : start + _MOST_KEYS] for start in range(0, len(shown), _MOST_KEYS)]


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
