"""
Which rows hold which: the ways from a changed row to the documents it is part of.

A document holds rows of other tables: one that it refers to, those that refer to it, those that a table of
pairs tells of. Each is a link; a chain of links leads from the row to the rows of a projection.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fraiseql.management.generate.tables import Names, Tables, names_of
from fraiseql.schema.specs import FieldSpec, ObjectSpec


@dataclass(frozen=True)
class Join:
    """``JOIN table alias ON alias.column = other.other_column``."""

    table: str
    alias: str
    column: str
    other: str
    other_column: str


@dataclass(frozen=True)
class Hop:
    """A step from some rows to those of ``table`` whose ``column`` equals their ``other_column``."""

    table: str
    column: str
    other_column: str


@dataclass(frozen=True)
class Link:
    """
    How documents of ``owner`` hold rows of ``item``: the steps from these to those.

    ``moves``: an item's own columns say which owner it has. The first of two steps leads to a table of pairs.
    """

    owner: Names
    item: Names
    hops: tuple[Hop, ...]
    moves: bool = False


@dataclass(frozen=True)
class Route:
    """
    The way from changed rows, called ``start``, to those of ``holder``; without joins they are its own.

    ``moves``: a change of the rows may lead elsewhere.
    """

    holder: Names
    joins: tuple[Join, ...]
    start: str
    moves: bool

    @property
    def last(self) -> str:
        """Return the alias of the holder's rows."""
        return self.joins[-1].alias if self.joins else self.start


FindLink = Callable[[ObjectSpec, FieldSpec, ObjectSpec], Link]
"""Returns the link of an owner's embedded field to what it holds."""


def route(chain: Sequence[Link], start: str, *, from_pairs: bool = False) -> Route:
    """
    Return the way up a chain of links, item to owner, from rows called ``start``.

    ``from_pairs``: these are of the table of pairs in the first link.
    """
    hops = [hop for link in chain for hop in link.hops][from_pairs:]
    aliases = [start, *(f"h{number}" for number in range(1, len(hops) + 1))]
    joins = tuple(
        Join(hop.table, alias, hop.column, other, hop.other_column)
        for hop, alias, other in zip(hops, aliases[1:], aliases, strict=False)
    )
    return Route(chain[-1].owner, joins, start, from_pairs or chain[0].moves)


def chains_up(
    tables: Tables, item: str, below: tuple[Link, ...] = ()
) -> Iterator[tuple[Link, ...]]:
    """Yield the chains of links that lead from rows of ``item`` to rows of a projection."""
    for owner in tables.specs.values():
        for entry, target in tables.embedded(owner):
            if target.name == item:
                chain = (*below, declared_link(tables, owner, entry, target))
                if chain[-1].owner.has_projection:
                    yield chain
                if owner.name not in {link.item.type for link in chain}:
                    yield from chains_up(tables, owner.name, chain)


def chains_down(
    tables: Tables, owner: ObjectSpec, find: FindLink, above: tuple[Link, ...] = ()
) -> Iterator[tuple[Link, ...]]:
    """Yield the chains of links that lead to rows of ``owner`` from all that its documents hold."""
    for entry, target in tables.embedded(owner):
        chain = (find(owner, entry, target), *above)
        yield chain
        if target.name not in {link.owner.type for link in chain}:
            yield from chains_down(tables, target, find, chain)


def declared_link(tables: Tables, owner: ObjectSpec, entry: FieldSpec, target: ObjectSpec) -> Link:
    """Return the link of an embedded field, as generated tables have it."""
    mine, its = names_of(owner), names_of(target)
    if entry.type.item is None:
        found = next(one for one in tables.references(owner) if one.key == entry.key)
        return Link(mine, its, (Hop(mine.table, found.fk, its.pk),))
    listing = tables.listing(owner, entry, target)
    if listing.fk is not None:
        return Link(mine, its, (Hop(mine.table, mine.pk, listing.fk),), moves=True)
    to_pairs = Hop(listing.pairs, listing.item_fk, its.pk)
    return Link(mine, its, (to_pairs, Hop(mine.table, mine.pk, listing.owner_fk)))
