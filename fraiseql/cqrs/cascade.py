"""
Which projections hold a row of another type, read off the GraphQL types.

``Post`` embeds ``User`` as ``author``, and comments whose author is one: two rules, by which a changed user
finds the posts to refresh. A rule finds them by containment, which a GIN index on its part of the document
serves, or, if the setting CASCADE_RULES gives it, by a function. A row that is *new* in a list is nobody's yet:
refresh the list's owner.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import connections
from psycopg import sql

from fraiseql.conf import get_settings
from fraiseql.cqrs.projection import Pair, Projection, type_name
from fraiseql.db import catalog
from fraiseql.db.texts import sql_text
from fraiseql.engine.sql.scope import identifier, literal
from fraiseql.errors import ConfigurationError
from fraiseql.schema.build import get_schema
from fraiseql.schema.specs import ObjectSpec

_GIVEN = re.compile(r"(\S+) -> (\S+) by (\S+)")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """Return a GraphQL type's name as entities are called: ``BlogPost`` -> ``blog_post``."""
    return _WORD.sub("_", name).lower()


@dataclass(frozen=True)
class Step:
    """One key on the way into a document; ``is_list``: it holds a list."""

    key: str
    is_list: bool


@dataclass(frozen=True)
class Rule:
    """
    ``holder`` embeds rows of ``held`` at ``path``; their ``id_key`` says which.

    ``column``: the holder's document column. ``function``: what finds the holder's rows instead of all that.
    """

    held: str
    holder: str
    path: tuple[Step, ...] = ()
    id_key: str = ""
    column: str = ""
    function: str | None = None

    def __str__(self) -> str:
        how = f"by {self.function}" if self.function else f"at {self.written_path}"
        return f"{self.held} -> {self.holder} {how}"

    @property
    def written_path(self) -> str:
        """Return the path as people write it: ``comments[].author``."""
        return ".".join(step.key + ("[]" if step.is_list else "") for step in self.path)

    @property
    def index_name(self) -> str:
        """Return the name of the index that serves the rule."""
        return f"{self.holder.replace('.', '_')}_{self.path[0].key}_gin"

    def index(self) -> str | None:
        """Return the DDL of the rule's index, None for functions; rules that begin alike share it."""
        if self.function:
            return None
        text = sql.SQL(
            "CREATE INDEX IF NOT EXISTS {} ON {} USING gin (({} -> {}) jsonb_path_ops)"
        ).format(
            sql.Identifier(self.index_name),
            sql.Identifier(*self.holder.split(".")),
            sql.Identifier(self.column),
            sql.Literal(self.path[0].key),
        )
        return text.as_string(None)

    def pattern(self, key: sql.Composable) -> sql.Composable:
        """Return what the path's first key must contain to hold the row with ``key``."""
        made = sql.SQL("jsonb_build_object({}, {})").format(literal(self.id_key), key)
        for step in reversed(self.path[1:]):
            if step.is_list:
                made = sql.SQL("jsonb_build_array({})").format(made)
            made = sql.SQL("jsonb_build_object({}, {})").format(literal(step.key), made)
        return sql.SQL("jsonb_build_array({})").format(made) if self.path[0].is_list else made


def rules(projections: Iterable[Projection]) -> tuple[Rule, ...]:
    """
    Return which of ``projections`` hold rows of which bound types, as these and CASCADE_RULES declare it.

    Raises ConfigurationError for a rule in CASCADE_RULES that makes no sense.
    """
    by_view = {projection.view: projection for projection in projections}
    found: dict[str, Rule] = {}
    for spec in get_schema().objects.values():
        if spec.view in by_view and spec.jsonb is not None:
            for path, held in _embedded(spec, (), (spec,)):
                identity = held.by_python_name("id")
                if held.view and identity is not None:
                    rule = Rule(held.view, spec.view or "", path, identity.key, spec.jsonb)
                    found[str(rule)] = rule
    for line in get_settings().CASCADE_RULES:
        _overrule(found, line)
    return tuple(rule for rule in found.values() if rule.holder in by_view)


def _overrule(found: dict[str, Rule], line: str) -> None:
    """Add or take away the rule that a line of CASCADE_RULES speaks of."""
    if line.startswith("without "):
        if found.pop(line.removeprefix("without "), None) is None:
            raise ConfigurationError(
                f"FRAISEQL['CASCADE_RULES']: {line!r} takes away a rule that there is not.",
                hint="manage.py fraiseql_sync --rules prints those there are, as they are written.",
            )
        return
    given = _GIVEN.fullmatch(line)
    if given is None:
        raise ConfigurationError(
            f"FRAISEQL['CASCADE_RULES']: {line!r} is no rule.",
            hint="Write 'tv_post -> tv_user by fn_authors_of', or 'without ' and a rule.",
        )
    held, holder, function = given.groups()
    found[line] = Rule(held, holder, function=function)


def _embedded(
    spec: ObjectSpec, above: tuple[Step, ...], inside: tuple[ObjectSpec, ...]
) -> Iterator[tuple[tuple[Step, ...], ObjectSpec]]:
    """Yield every object type embedded in ``spec`` with its path; a type inside itself only once."""
    for concrete in spec.possible_types():
        for entry in concrete.fields.values():
            named = entry.type.innermost
            if not isinstance(named, ObjectSpec) or not entry.is_stored:
                continue
            path = (*above, Step(entry.key, entry.type.item is not None))
            yield path, named
            if named not in inside:
                yield from _embedded(named, path, (*inside, named))


def indexed(wanted: Iterable[Rule], using: str) -> frozenset[Rule]:
    """Return those of ``wanted`` that a GIN index serves."""
    wanted = tuple(wanted)
    with connections[using].cursor() as cursor:
        cursor.execute(
            sql_text("fraiseql.cqrs", "gin_expressions"), [[rule.holder for rule in wanted]]
        )
        known = set(cursor.fetchall())
    return frozenset(
        rule
        for rule in wanted
        if rule.path and (rule.holder, rule.column, rule.path[0].key) in known
    )


def contradicted(wanted: Iterable[Rule], sources: Mapping[str, str], using: str) -> list[Rule]:
    """
    Return those of ``wanted`` whose holder's source reads nothing of what the held rows are made of.

    ``sources``: of projections, by view. Only what the catalog knows: functions are not looked into.
    """
    wanted = tuple(wanted)
    read: dict[str, set[int]] = {}
    views = {name for rule in wanted for name in (rule.held, rule.holder)}
    with connections[using].cursor() as cursor:
        cursor.execute(
            sql_text("fraiseql.cqrs", "reads"), [list({*views, *map(sources.get, views)} - {None})]
        )
        for view, relation in cursor.fetchall():
            read.setdefault(view, set()).add(relation)

    def made_of(view: str) -> set[int]:
        return read.get(view, set()) | read.get(sources.get(view, view), set())

    return [rule for rule in wanted if not made_of(rule.held) & made_of(rule.holder)]


def holders(
    held_by: Iterable[Rule], keys: Sequence[str], pairs: Mapping[str, Pair], using: str
) -> dict[str, list[str]]:
    """Return the keys, as text, of the rows that hold by the rules the rows with ``keys``, by holder."""
    found: dict[str, dict[str, None]] = {}
    for rule in held_by:
        held = dict.fromkeys(_holding(rule, pairs[rule.holder], keys, using))
        found.setdefault(rule.holder, {}).update(held)
    return {holder: list(held) for holder, held in found.items()}


def _holding(rule: Rule, holder: Pair, keys: Sequence[str], using: str) -> list[str]:
    held = catalog.relations((rule.held,), using).get(rule.held)
    id_key = rule.id_key or "id"
    if held is None or id_key not in held.columns:
        raise ConfigurationError(
            f"{rule.held} has no column {id_key!r} to find what holds its rows by.",
            hint="Select the id beside the document.",
        )
    of_keys = sql.SQL("%s::{}[]").format(type_name(held.columns[id_key].type))
    if rule.function:
        query = sql.SQL("SELECT k::text FROM {}({}) AS f (k) WHERE k IS NOT NULL").format(
            identifier(*rule.function.split(".")), of_keys
        )
    else:
        query = sql.SQL(
            "SELECT p.{key}::text FROM unnest({of_keys}) AS e (k)"
            " JOIN {target} AS p ON p.{column} -> {first} @> {pattern}"
        ).format(
            key=identifier(holder.key[0]),
            of_keys=of_keys,
            target=holder.target,
            column=identifier(rule.column),
            first=literal(rule.path[0].key),
            pattern=rule.pattern(sql.SQL("e.k")),
        )
    with connections[using].cursor() as cursor:
        cursor.execute(query, [list(keys)])
        return [key for (key,) in cursor.fetchall()]
