"""
GraphQL types read as tables: columns, references and lists, or why there can be no table.
"""

import keyword
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from fraiseql.checks.types import declared_name
from fraiseql.engine.sql.scope import identifier, literal
from fraiseql.errors import ConfigurationError
from fraiseql.management.source import singular, snake
from fraiseql.schema.scalars import SCALARS, Scalar
from fraiseql.schema.specs import EnumSpec, FieldSpec, ObjectSpec, RootKind

MAX_NAME = 63
"""Bytes of a name in PostgreSQL, which cuts longer ones off."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")

# pg_get_keywords() of 15 to 18, all but the unreserved: as names of columns they want quotes.
_RESERVED = frozenset(
    """all analyse analyze and any array as asc asymmetric authorization between bigint binary bit
    boolean both case cast char character check coalesce collate collation column concurrently
    constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user dec decimal default deferrable desc distinct do else end except
    exists extract false fetch float for foreign freeze from full grant greatest group grouping having
    ilike in initially inner inout int integer intersect interval into is isnull join json json_array
    json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value lateral leading least left like limit localtime localtimestamp merge_action
    national natural nchar none normalize not notnull null nullif numeric offset on only or order out
    outer overlaps overlay placing position precision primary real references returning right row
    select session_user setof similar smallint some substring symmetric system_user table tablesample
    then time timestamp to trailing treat trim true union unique user using values varchar variadic
    verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable""".split()  # noqa: SIM905 - read as words
)

# What every table has, and which scalars may stand for it.
_KEPT = {
    "id": frozenset({"UUID", "ID"}),
    "created_at": frozenset({"DateTime"}),
    "updated_at": frozenset({"DateTime"}),
}


def quoted(name: str) -> str:
    """Return a name as SQL writes it, in quotes only where it must be."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return identifier(name).as_string(None).replace("%%", "%")


def text_literal(text: str) -> str:
    """Return a text as SQL writes it."""
    return literal(text).as_string(None).replace("%%", "%")


@dataclass(frozen=True)
class Names:
    """
    What the database calls the rows of a type.

    ``prefix``: a schema and its dot, or nothing. ``document``: the column of views that holds it.
    """

    type: str
    prefix: str
    stem: str
    document: str
    has_projection: bool

    @property
    def table(self) -> str:
        return f"{self.prefix}tb_{self.stem}"

    @property
    def view(self) -> str:
        return f"{self.prefix}v_{self.stem}"

    @property
    def projection(self) -> str:
        return f"{self.prefix}tv_{self.stem}"

    @property
    def pk(self) -> str:
        return f"pk_{self.stem}"

    @property
    def label(self) -> str:
        return self.stem.replace("_", " ")

    @property
    def one(self) -> str:
        """Return the label with its article."""
        return f"{'an' if self.stem[0] in 'aeiou' else 'a'} {self.label}"


@dataclass(frozen=True)
class Input:
    """
    What functions that write are given.

    ``type``: of SQL, as the scalar table has it; ``annotation``: of Python. ``default``: what stands where nothing
    is given, SQL; None: nothing, which only what ``is_optional`` may be.
    """

    name: str
    type: str
    annotation: str
    is_optional: bool = False
    default: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of the type's own values. ``labels``: of an enum, SQL; ``holds_null``: False of arrays without."""

    input: Input
    nullable: bool
    labels: tuple[str, ...] = ()
    is_array: bool = False
    holds_null: bool = True
    is_vector: bool = False

    @property
    def name(self) -> str:
        return quoted(self.input.name)


@dataclass(frozen=True)
class Reference:
    """
    One row of another table: ``fk``, and ``id`` in views and inputs.

    ``key``: where the document holds the row's document, if it does. ``alias``: of the row in the view,
    ``document_alias`` of its document.
    """

    fk: str
    id: str
    alias: str
    document_alias: str
    to: Names
    nullable: bool
    key: str | None


@dataclass(frozen=True)
class Listing:
    """
    Rows of another table that the document holds: by their ``fk``, or by ``pairs``, a table.

    Of the latter: its columns ``owner_fk`` and ``item_fk``, the function ``setter`` and the input ``ids``.
    """

    name: str
    item: Names
    owner_fk: str
    item_fk: str
    fk: str | None = None
    pairs: str = ""
    setter: str = ""
    ids: str = ""


@dataclass(frozen=True)
class Entry:
    """One key of the document, SQL, and what it holds: a column, a row's document or id, or rows' documents."""

    key: str
    column: str = ""
    reference: Reference | None = None
    listing: Listing | None = None
    is_id: bool = False


@dataclass
class Table:
    """A type as rows. ``identifier``: what clients give for it; ``locks``: rows count their versions."""

    names: Names
    description: str
    entries: list[Entry] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    lists: list[Listing] = field(default_factory=list)
    identifier: Input = Input("identifier", "text", "str", is_optional=True)
    locks: bool = False

    @property
    def pairs(self) -> list[Listing]:
        return [one for one in self.lists if one.pairs]

    @property
    def inputs(self) -> list[Input]:
        """Return what the function that creates takes, what may be left out last."""
        found = [self.identifier]
        found += [Input(one.id, "uuid", "UUID", one.nullable) for one in self.references]
        found += [one.input for one in self.columns]
        found += [Input(one.ids, "uuid[]", "list[UUID]", True, "'{}'") for one in self.pairs]
        return sorted(found, key=lambda one: one.is_optional)


def names_of(spec: ObjectSpec) -> Names:
    """Return what the database calls the rows of a type. Raises ConfigurationError if it follows no rule."""
    bound = spec.view or f"tv_{snake(spec.name)}"
    prefix, dot, name = bound.rpartition(".")
    kind, _, stem = name.partition("_")
    source = f"{prefix}{dot}v_{stem}"
    plain = _PLAIN.fullmatch(stem) and (not prefix or quoted(prefix) == prefix)
    if spec.is_interface:
        problem, hint = "is no type of its own", "Generate the types that implement it."
    elif spec.jsonb is None:
        problem, hint = "has no column for its document", "Leave out jsonb=None."
    elif kind not in {"v", "tv"} or not plain or spec.source not in {None, source}:
        problem = f"is bound to {' and '.join(filter(None, (spec.view, spec.source)))}"
        hint = 'Generated objects are called alike: view="tv_order", source="v_order".'
    elif len(f"fn_sync_tv_{stem}".encode()) > MAX_NAME:
        problem, hint = "has too long a name for PostgreSQL", "Bind it to views of shorter names."
    else:
        stores = kind == "tv"
        return Names(spec.name, prefix + dot, stem, spec.jsonb, stores)
    raise ConfigurationError(f"{spec.name} {problem}, so no table can be made for it.", hint=hint)


class Tables:
    """The tables of a schema's types; ``named``: those that get one although no view is bound to them."""

    def __init__(self, specs: Mapping[str, ObjectSpec], named: Collection[str] = ()) -> None:
        self.specs = {
            name: spec for name, spec in specs.items() if spec.view is not None or name in named
        }

    def table(self, name: str) -> Table:
        """Return the table of a type. Raises ConfigurationError for what no table can hold."""
        spec = self.specs[name]
        self._refuse_cycles(spec, (name,))
        made = Table(names_of(spec), " ".join((spec.description or f"Rows of {name}.").split()))
        made.references = self.references(spec)
        for entry in spec.fields.values():
            if entry.compute is None and entry.related is None:
                self._add(made, spec, entry)
        taken = [*_KEPT, *(one.name for one in made.inputs)]
        twice = next((one for one in taken if taken.count(one) > 1), None)
        if twice is not None:
            raise ConfigurationError(f"{name} has two columns called {twice!r}.")
        return made

    def references(self, spec: ObjectSpec) -> list[Reference]:
        """Return the rows that a row of the type belongs to, embedded or related."""
        found: dict[str, Reference] = {}
        # Embedded ones first: one that is also related is the same.
        for entry in sorted(spec.fields.values(), key=lambda entry: entry.related is not None):
            made = self._reference(spec, entry)
            if made is not None:
                found.setdefault(made.id, made)
        return list(found.values())

    def embedded(self, spec: ObjectSpec) -> Iterator[tuple[FieldSpec, ObjectSpec]]:
        """Yield the fields whose documents are rows of other tables, with these."""
        for entry in spec.fields.values():
            target = entry.type.innermost
            if entry.is_stored and isinstance(target, ObjectSpec) and target.name in self.specs:
                yield entry, target

    def listing(self, spec: ObjectSpec, entry: FieldSpec, item: ObjectSpec) -> Listing:
        """Return by what the documents of a list are found. Raises ConfigurationError if that is not clear."""
        where = f"{spec.name}.{entry.python_name}"
        if entry.type.item is None or entry.type.item.item is not None:
            raise ConfigurationError(f"{where}: lists of lists of rows have no table.")
        back = [found for found in self.references(item) if found.to.type == spec.name]
        if len(back) > 1:
            names = " and ".join(found.id for found in back)
            raise ConfigurationError(
                f"{where}: {item.name} refers to {spec.name} by {names}: which of them?",
                hint=f"Relate the list: fraiseql.related(key={back[0].id!r}).",
            )
        mine, its, name = names_of(spec), names_of(item), snake(entry.python_name)
        made = Listing(name, its, f"fk_{mine.stem}", f"fk_{its.stem}")
        if back:
            return replace(made, fk=back[0].fk)
        bare = f"{mine.stem}_{singular(name)}"
        return replace(
            made,
            pairs=f"{mine.prefix}tb_{bare}",
            setter=f"{mine.prefix}fn_set_{bare}",
            ids=f"{singular(name)}_ids",
        )

    def _reference(self, spec: ObjectSpec, entry: FieldSpec) -> Reference | None:
        target, name = entry.type.innermost, snake(entry.python_name)
        if entry.compute is not None or entry.type.item is not None:
            return None
        if not isinstance(target, ObjectSpec) or target.name not in self.specs:
            return None
        own_id, key = f"{name}_id", entry.key if entry.related is None else None
        if entry.related is not None:
            if entry.related.root.kind is not RootKind.ONE or entry.related.key.name != "id":
                return None
            own_id = snake(entry.related.local.name)
            name = own_id.removesuffix("_id")
        # The view's own alias is t.
        alias = quoted(f"{name}_" if name == "t" else name)
        is_nullable = entry.type.nullable
        return Reference(
            f"fk_{name}", own_id, alias, f"{name}_v", names_of(target), is_nullable, key
        )

    def _add(self, made: Table, spec: ObjectSpec, entry: FieldSpec) -> None:
        """Add what a stored field needs."""
        named, where = entry.type.innermost, f"{spec.name}.{entry.python_name}"
        name = snake(entry.python_name)
        # Inputs call their attribute so.
        name = f"{name}_" if keyword.iskeyword(name) else name
        key, by_id = text_literal(entry.key), [one for one in made.references if one.id == name]
        if isinstance(named, ObjectSpec) and named.name in self.specs:
            if entry.type.item is not None:
                made.lists.append(self.listing(spec, entry, named))
                made.entries.append(Entry(key, listing=made.lists[-1]))
            else:
                found = next(one for one in made.references if one.key == entry.key)
                made.entries.append(Entry(key, reference=found))
        elif by_id:
            made.entries.append(Entry(key, reference=by_id[0], is_id=True))
        elif name in (*_KEPT, "identifier") or self._is_version(name, entry):
            _check_kept(name, entry, where)
            made.locks = made.locks or name == "version"
            if name == "identifier" and not entry.type.nullable:
                made.identifier = Input(name, "text", declared_name(entry))
            made.entries.append(Entry(key, name))
        else:
            made.columns.append(self._column(entry, name, where))
            cast = "::text::jsonb" if made.columns[-1].is_vector else ""
            made.entries.append(Entry(key, made.columns[-1].name + cast))

    @staticmethod
    def _is_version(name: str, entry: FieldSpec) -> bool:
        return name == "version" and entry.type.named is SCALARS["Int"]

    def _column(self, entry: FieldSpec, name: str, where: str) -> Column:
        ref, named = entry.type, entry.type.innermost
        is_list, is_nested = (
            ref.item is not None,
            ref.item is not None and ref.item.item is not None,
        )
        annotation = declared_name(entry)
        labels: tuple[str, ...] = ()
        if isinstance(named, ObjectSpec):
            self._refuse_parts(named, where)
            pg, is_nested = "jsonb", is_list
            annotation = annotation.replace(named.python.__name__, f"{named.name}Input")
        elif isinstance(named, EnumSpec):
            pg, labels = named.scalar.pg, _labels(named, where)
        else:
            pg = named.pg
            if named.family == "fulltext":
                raise ConfigurationError(
                    f"{where}: a {named.name} is made from other columns.",
                    hint="Leave it out here, and add it to the projection: GENERATED ALWAYS AS.",
                )
        is_array = is_list and not is_nested
        default = None
        if is_list and not ref.nullable:
            default = "'{}'" if is_array else "'[]'"
        pg = "jsonb" if is_nested else f"{pg}[]" if is_array else pg
        return Column(
            Input(name, pg, annotation, ref.nullable or default is not None, default),
            nullable=ref.nullable,
            labels=() if is_nested else labels,
            is_array=is_array,
            holds_null=not is_array or ref.item is None or ref.item.nullable,
            is_vector=isinstance(named, Scalar) and named.family == "vector",
        )

    def _refuse_parts(self, spec: ObjectSpec, where: str) -> None:
        """Refuse what a jsonb column cannot hold: rows of tables, and objects of several types."""
        inner = next(iter(self.embedded(spec)), None)
        if spec.is_interface or inner is not None:
            held = "objects of several types" if inner is None else f"rows of {inner[1].name}"
            raise ConfigurationError(
                f"{where}: {spec.name}, which has no view, holds {held}.",
                hint=f"Name {spec.name} too, so that it gets a table, or write this view by hand.",
            )

    def _refuse_cycles(self, spec: ObjectSpec, path: tuple[str, ...]) -> None:
        for entry, target in self.embedded(spec):
            way = f"{path[-1]}.{entry.python_name}"
            if target.name in path:
                shown = " -> ".join((*path[path.index(target.name) :], target.name))
                name = entry.python_name
                one, many = f'local="{name}_id"', f'key="{snake(spec.name)}_id"'
                raise ConfigurationError(
                    f"{way}: a document cannot hold itself ({shown}).",
                    hint=f"Relate it: fraiseql.related({many if entry.type.item else one}).",
                )
            self._refuse_cycles(target, (*path, target.name))


def _labels(spec: EnumSpec, where: str) -> tuple[str, ...]:
    values = [member.value for member in spec.python]
    if all(type(value) is int for value in values):
        return tuple(map(str, values))
    if all(isinstance(value, str) for value in values):
        return tuple(map(text_literal, values))
    raise ConfigurationError(
        f"{where}: the values of {spec.name} are neither texts nor integers.",
        hint="Give its members values of one of these types.",
    )


def _check_kept(name: str, entry: FieldSpec, where: str) -> None:
    """Raise ConfigurationError if a column that every table has cannot be what the field is declared as."""
    named = entry.type.named
    scalar = named if isinstance(named, Scalar) else None
    allowed = _KEPT.get(name)
    fits = scalar is not None and (
        scalar.name in allowed if allowed else scalar.pg == "text" or name == "version"
    )
    if not fits:
        wanted = " or ".join(sorted(allowed)) if allowed else "text"
        raise ConfigurationError(
            f"{where}: every table has a column {name}, and it is {wanted}.",
            hint="Declare it so, or give the field another name.",
        )
