"""
Checks of bound types against the catalog, and against a sample of the rows.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.core.checks import CheckMessage
from django.db import DatabaseError

from fraiseql.checks import table
from fraiseql.checks.documents import Found, did_you_mean, faults, label
from fraiseql.checks.related import RelatedViews
from fraiseql.checks.types import (
    ColumnType,
    Misfit,
    annotation_for,
    column_type,
    declared_name,
    misfit,
)
from fraiseql.conf import Settings, get_settings
from fraiseql.cqrs import cascade
from fraiseql.cqrs.projection import Projection, pair_of
from fraiseql.db import catalog, inspection
from fraiseql.db.catalog import Relation
from fraiseql.db.texts import sql_text
from fraiseql.engine.sql.scope import has_document_column
from fraiseql.errors import ConfigurationError, FraiseQLError
from fraiseql.schema.build import Schema, get_schema
from fraiseql.schema.registry import path_of
from fraiseql.schema.specs import AUTO_DOCUMENT, EnumSpec, FieldSpec, ObjectSpec, RootKind

SAMPLE = 20
"""Rows looked at in each view."""


_DENIED = "42501"


def looked_at(databases: Sequence[str] | None) -> tuple[Settings, Schema] | None:
    """Return the settings and the schema, None if the database that queries read is not to be asked."""
    # migrate runs the checks first, and is what brings the views.
    if not databases or sys.argv[1:2] == ["migrate"]:
        return None
    try:
        settings, schema = get_settings(), get_schema()
    except ConfigurationError:
        return None  # Reported by check_bindings.
    return (settings, schema) if settings.DATABASE in databases else None


def check_views(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Return what is wrong between the bound types and the database that queries read."""
    found = looked_at(databases)
    if found is None:
        return []
    settings, schema = found
    using = settings.DATABASE
    try:
        return list(_Views(schema, using).check())
    except (FraiseQLError, DatabaseError) as error:
        fault = str(error.__cause__ or error).strip().partition("\n")[0]
        return [table.UNREACHABLE(f"settings.DATABASES[{using!r}]", alias=using, fault=fault)]


@dataclass(frozen=True)
class _Details:
    """What the catalog's entry of a view does not say: real types, and what its indexes begin with."""

    types: Mapping[str, ColumnType]
    index_keys: tuple[str, ...]


class _Views:
    """The views of one schema, as one database has them."""

    def __init__(self, schema: Schema, using: str) -> None:
        self.using = using
        self.objects = schema.objects
        self.bound = [spec for spec in schema.objects.values() if spec.view is not None]
        self.keys = _keys(schema)
        # Read anew: this is the moment to see what has changed.
        catalog.forget(using)
        names = [name for spec in self.bound for name in (spec.view, spec.source) if name]
        self.relations = catalog.relations(dict.fromkeys(names), using)
        self.details = self._read_details(list(self.relations))

    def check(self) -> Iterator[CheckMessage]:
        for spec in self.bound:
            relation = self.relations.get(spec.view or "")
            if relation is None:
                yield self._missing(spec)
                continue
            yield from self._projection(spec, relation)
            if not has_document_column(spec, relation):
                wrong_document = self._wrong_document(spec, relation)
                if wrong_document is not None:
                    yield wrong_document
                    continue
            yield from _View(spec, relation, self.details[spec.view or ""], self).check()
        yield from self._cascade()
        index_keys = {name: details.index_keys for name, details in self.details.items()}
        related = RelatedViews(self.relations, index_keys, self.using, SAMPLE)
        yield from related.check(self.objects)

    def _read_details(self, names: list[str]) -> dict[str, _Details]:
        types: dict[str, dict[str, ColumnType]] = {name: {} for name in names}
        keys: dict[str, list[str]] = {name: [] for name in names}
        with inspection.reading(self.using) as cursor:
            cursor.execute(statement("column_types"), [names])
            for view, name, base, labels in cursor.fetchall():
                shown = self.relations[view].columns[name].type
                types[view][name] = column_type(shown, base, labels)
            cursor.execute(statement("index_keys"), [names])
            for view, expression in cursor.fetchall():
                keys[view].append(expression)
        return {name: _Details(types[name], tuple(keys[name])) for name in names}

    def _missing(self, spec: ObjectSpec) -> CheckMessage:
        near = nearest_view(spec.view or "", self.using)
        hint = f"Did you mean {near!r}? If not, run manage.py migrate." if near else None
        return table.NO_VIEW(path_of(spec.python), view=spec.view, hint=hint)

    def _projection(self, spec: ObjectSpec, relation: Relation) -> Iterator[CheckMessage]:
        if spec.source is None or spec.view is None:
            return
        try:
            pair_of(Projection(spec.view, spec.source), self.using)
        except ConfigurationError as fault:
            yield table.PROJECTION(
                path_of(spec.python), view=spec.view, fault=fault.message, hint=fault.hint
            )
            return
        source = self.relations[spec.source]
        with inspection.reading(self.using) as cursor:
            cursor.execute(statement("unfilled_columns"), [spec.view])
            unfilled = [name for (name,) in cursor.fetchall() if name not in source.columns]
        stored = (entry.key for entry in spec.fields.values() if entry.is_stored)
        read = [spec.jsonb, *stored]
        lacking = [name for name in read if name in relation.columns and name not in source.columns]
        if lacking or unfilled:
            yield table.SOURCE_COLUMNS(
                path_of(spec.python),
                view=spec.view,
                source=spec.source,
                columns=_quoted(list(dict.fromkeys([*lacking, *unfilled]))),
            )

    def _cascade(self) -> Iterator[CheckMessage]:
        sources = {spec.view: spec.source for spec in self.bound if spec.view and spec.source}
        stored = [Projection(view, source) for view, source in sources.items()]
        try:
            rules = cascade.rules(stored)
        except ConfigurationError as fault:
            yield table.CASCADE("settings.FRAISEQL", fault=fault.message, hint=fault.hint)
            return
        given = [rule for rule in rules if rule.function]
        functions = catalog.functions([str(rule.function) for rule in given], self.using)
        for rule in given:
            if rule.function not in functions:
                missing = f"{rule}: there is no function {rule.function!r}."
                yield table.CASCADE("settings.FRAISEQL", fault=missing)
        embedded = [rule for rule in rules if not rule.function]
        for rule in cascade.contradicted(embedded, sources, self.using):
            yield table.CONTRADICTED(
                "settings.FRAISEQL",
                rule=str(rule),
                source=sources[rule.holder],
                held=rule.held,
                without=f"without {rule}",
            )

    @staticmethod
    def _wrong_document(spec: ObjectSpec, relation: Relation) -> CheckMessage | None:
        column = spec.jsonb
        if column is None:
            return None
        if column in relation.columns:
            if any(entry.key == column for entry in spec.fields.values()):
                return None
            shown = relation.columns[column].type
            return table.DOCUMENT_TYPE(
                path_of(spec.python), view=spec.view, column=column, type=shown
            )
        if column == AUTO_DOCUMENT:
            return None
        columns = ", ".join(relation.columns)
        return table.NO_DOCUMENT(
            path_of(spec.python), view=spec.view, column=column, columns=columns
        )


class _View:
    """One type and its view."""

    def __init__(
        self, spec: ObjectSpec, relation: Relation, details: _Details, views: _Views
    ) -> None:
        self.spec, self.relation, self.details = spec, relation, details
        self.using = views.using
        self.keys = views.keys.get(spec.name, ())
        self.view = spec.view or ""
        self.has_document = has_document_column(spec, relation)
        # Keys of fields that have their message: the sample would only repeat it.
        self.reported: set[str] = set()

    def check(self) -> Iterator[CheckMessage]:
        for owner, entry in self._fields():
            yield from self._field(owner, entry)
        yield from self._unique_keys()
        yield from self._search()
        yield from self._sample()

    def _fields(self) -> Iterator[tuple[ObjectSpec, FieldSpec]]:
        """Yield the stored fields of the type, of an interface those of its types too."""
        seen: set[str] = set()
        for owner in (self.spec, *self.spec.possible_types()):
            for entry in owner.fields.values():
                if entry.is_stored and entry.key not in seen:
                    seen.add(entry.key)
                    yield owner, entry

    def _field(self, owner: ObjectSpec, entry: FieldSpec) -> Iterator[CheckMessage]:
        column = self.relation.columns.get(entry.key)
        if column is None:
            if not self.has_document:
                yield self._no_column(entry)
            return
        if self.has_document and column.name == self.spec.jsonb:
            return
        kind = self.details.types[column.name]
        wrong = misfit(entry, kind)
        if wrong is not None:
            yield self._misfit(entry, kind, wrong)
        elif kind.labels is not None and isinstance(entry.type.innermost, EnumSpec):
            yield from self._labels(entry, entry.type.innermost, kind)
        is_tracked = not self.has_document and self.relation.kind == "table"
        promises = owner is self.spec and not entry.type.nullable
        if is_tracked and promises and not column.not_null:
            self.reported.add(entry.key)
            yield table.NULLABLE(
                label(owner, entry),
                view=self.view,
                column=entry.key,
                declared=declared_name(entry),
            )

    def _no_column(self, entry: FieldSpec) -> CheckMessage:
        self.reported.add(entry.key)
        return table.NO_COLUMN(
            label(self.spec, entry),
            view=self.view,
            column=entry.key,
            columns=", ".join(self.relation.columns),
            hint=did_you_mean(entry.key, self.relation.columns),
        )

    def _misfit(self, entry: FieldSpec, kind: ColumnType, wrong: Misfit) -> CheckMessage:
        check = table.WRONG_TYPE if wrong.is_error else table.LOOSE_TYPE
        if self.has_document:
            check = table.FILTER_TYPE
        elif wrong.is_error:
            self.reported.add(entry.key)
        return check(
            label(self.spec, entry),
            view=self.view,
            column=entry.key,
            type=kind.shown,
            declared=declared_name(entry),
            reason=wrong.reason,
            instead=annotation_for(kind) or "what the column holds",
        )

    def _labels(self, entry: FieldSpec, spec: EnumSpec, kind: ColumnType) -> Iterator[CheckMessage]:
        labels = kind.labels or ()
        values = [str(member.value) for member in spec.python]
        known = {"view": self.view, "column": entry.key, "enum": spec.name}
        if lacking := [name for name in labels if name not in values]:
            yield table.MISSING_MEMBER(label(self.spec, entry), labels=_quoted(lacking), **known)
        if unknown := [value for value in values if value not in labels]:
            shown = kind.shown.removesuffix("[]")
            yield table.MISSING_LABEL(
                label(self.spec, entry), values=_quoted(unknown), type=shown, **known
            )

    def _unique_keys(self) -> Iterator[CheckMessage]:
        stored = self.relation.kind != "view"
        for entry in self.keys:
            obj = label(self.spec, entry)
            if entry.key not in self.relation.columns:
                # An index on the document's expression serves too, if its author made one.
                is_indexed = any(f"'{entry.key}'" in key for key in self.details.index_keys)
                if self.has_document and not is_indexed:
                    yield table.KEY_IN_DOCUMENT(obj, view=self.view, key=entry.key)
            elif stored and (entry.key,) not in self.relation.unique_keys:
                yield table.NO_UNIQUE_KEY(obj, view=self.view, column=entry.key)

    def _search(self) -> Iterator[CheckMessage]:
        column = self.spec.search
        if column is None:
            return
        fault = None
        if column not in self.relation.columns:
            fault = f"there is no such column. Its columns: {', '.join(self.relation.columns)}."
        elif (kind := self.details.types[column].shown) != "tsvector":
            fault = f"it is of type {kind}."
        elif not _is_search_config(self.spec.search_config, self.using):
            fault = f"there is no text search configuration {self.spec.search_config!r}."
        if fault is not None:
            yield table.NO_SEARCH(
                path_of(self.spec.python), view=self.view, column=column, fault=fault
            )

    def _sample(self) -> Iterator[CheckMessage]:
        column = self.spec.jsonb if self.has_document else None
        try:
            found = inspection.documents(self.relation, column, SAMPLE, self.using)
        except DatabaseError as error:
            fault = str(error).strip().partition("\n")[0]
            is_denied = getattr(error.__cause__, "sqlstate", None) == _DENIED
            hint = (
                f"GRANT SELECT ON {self.view} TO the role of the connection." if is_denied else None
            )
            yield table.UNREADABLE(
                path_of(self.spec.python), view=self.view, fault=fault, limit=SAMPLE, hint=hint
            )
            return
        yield from faults(Found(self.spec, self.view, column or "", found), self.reported)


def _keys(schema: Schema) -> dict[str, tuple[FieldSpec, ...]]:
    """Return the fields that rows of each type are found or paged by."""
    keys: dict[str, dict[FieldSpec, None]] = {}
    for root in schema.roots.values():
        found = keys.setdefault(root.type.name, {})
        found.update(dict.fromkeys(root.keys))
        identity = root.type.by_python_name("id")
        if root.kind is RootKind.CONNECTION and identity is not None:
            found[identity] = None
    return {name: tuple(found) for name, found in keys.items()}


def _quoted(values: Sequence[Any]) -> str:
    return ", ".join(map(repr, values))


def nearest_view(name: str, using: str) -> str | None:
    """Return the relation whose name is most like ``name``, or None if none is."""
    with inspection.reading(using) as cursor:
        cursor.execute(statement("relation_names"))
        known = [known for known, _ in cursor.fetchall()]
    return next(iter(get_close_matches(name, known, 1)), None)


def _is_search_config(name: str | None, using: str) -> bool:
    with inspection.reading(using) as cursor:
        cursor.execute(statement("search_config"), [name])
        (found,) = cursor.fetchone()
    return name is None or bool(found)


def statement(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return sql_text("fraiseql.checks", name)
