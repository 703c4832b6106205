"""``manage.py fraiseql_draft``: bindings written from views, as inspectdb writes models from tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections

from fraiseql.checks.database import nearest_view, statement
from fraiseql.checks.types import ColumnType, column_type
from fraiseql.conf import get_settings
from fraiseql.db import catalog, inspection
from fraiseql.db.catalog import Relation
from fraiseql.errors import FraiseQLError
from fraiseql.management.inference import Node, holds, infer, infer_column
from fraiseql.management.messages import command_error
from fraiseql.management.progress import steps
from fraiseql.management.source import BoundView, type_name, write
from fraiseql.schema import registry
from fraiseql.schema.specs import AUTO_DOCUMENT

SAMPLE = 100
"""Rows read of each view."""


_NOTHING = "There is no view without a binding. To bind a table, name it: fraiseql_draft orders."


class Command(BaseCommand):
    """Print a ``bindings.py`` for views: columns by the catalog, documents by a sample of rows."""

    help = (
        "Write bindings for views from the catalog and a sample of their rows. Without names: for every"
        " view, materialized view and tv_ table of the search path that no type is bound to."
    )
    # The bindings there are may be why a draft is wanted.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "views", nargs="*", help="Names as SQL writes them: v_post, sales.v_order."
        )
        parser.add_argument("--name", help="What the type is called, for a single view.")
        parser.add_argument(
            "--sample", type=int, default=SAMPLE, help=f"Rows to read of each view; {SAMPLE}."
        )
        parser.add_argument(
            "--jsonb",
            default=AUTO_DOCUMENT,
            help="The documents' column, where a view has it; data.",
        )
        parser.add_argument(
            "--database", help="Alias in DATABASES; FRAISEQL['DATABASE'] by default."
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the source; what it does not tell goes to stderr."""
        if options["name"] and len(options["views"]) != 1:
            raise CommandError("--name is for a single view: say which.")
        try:
            using = options["database"] or get_settings().DATABASE
            drafts = _Drafts(using, options["sample"], options["jsonb"])
            drafts.shows_progress = options["verbosity"] > 0
            views = drafts.bound(options["views"], options["name"])
        except (FraiseQLError, DatabaseError) as error:
            raise command_error(error) from error
        if not views:
            raise CommandError("\n".join(drafts.notes or [_NOTHING]))
        source = write(views)
        if options["format"] == "json":
            found = {
                "source": source,
                "views": [view.view for view in views],
                "notes": drafts.notes,
            }
            self.stdout.write(json.dumps(found, indent=2, ensure_ascii=False))
            return
        self.stdout.write(source, ending="")
        if options["verbosity"] > 0:
            for note in drafts.notes:
                self.stderr.write(note)


class _Drafts:
    """What the database has to bind; ``notes``: what the source cannot show."""

    def __init__(self, using: str, sample: int, jsonb: str) -> None:
        self.using, self.sample, self.jsonb = using, max(0, sample), jsonb
        self.notes: list[str] = []
        self.shows_progress = False
        catalog.forget(using)

    def bound(self, names: Sequence[str], name: str | None) -> list[BoundView]:
        """Return the drafts of ``names``, or of everything that is not bound."""
        wanted = list(dict.fromkeys(names)) or self._unbound()
        relations = catalog.relations(wanted, self.using)
        missing = [view for view in wanted if view not in relations]
        if missing:
            near = nearest_view(missing[0], self.using)
            hint = f"\nDid you mean {near!r}?" if near else ""
            raise CommandError(f"The database has no {', '.join(map(repr, missing))}.{hint}")
        drafts = []
        with steps(len(relations), enabled=self.shows_progress) as bar:
            for view, relation in relations.items():
                bar.begin(view)
                drafts.append(self._view(view, relation, name))
        return [draft for draft in drafts if draft is not None]

    def _unbound(self) -> list[str]:
        with inspection.reading(self.using) as cursor:
            cursor.execute(statement("relation_names"))
            names = [name for name, is_visible in cursor.fetchall() if is_visible]
        declared = registry.current().objects.values()
        bound = {name for entry in declared for name in (entry.view, entry.source)}
        of_models = set(connections[self.using].introspection.django_table_names())
        relations = catalog.relations(names, self.using)
        found = [
            name
            for name, relation in relations.items()
            if (relation.kind != "table" or relation.name.startswith("tv_"))
            and name not in bound | of_models
        ]
        # A projection's source is bound through the projection.
        sources = {_source_of(name, relations) for name in found}
        return [name for name in found if name not in sources]

    def _view(self, view: str, relation: Relation, name: str | None) -> BoundView | None:
        has_document = self.jsonb in relation.columns and relation.columns[self.jsonb].is_json
        types = self._types(view, relation)
        rows = inspection.documents(relation, None, self.sample, self.using)
        if has_document:
            fields = self._document_fields(view, relation, types, rows)
        else:
            fields = {column: _column(relation, types, column, rows) for column in relation.columns}
        if not fields:
            self.notes.append(f"{view} is left out: its rows tell of no field.")
            return None
        self._note(view, fields, rows)
        description, descriptions = self._descriptions(view)
        return BoundView(
            view=view,
            source=_source_of(view, self._source_candidates(view)),
            jsonb=self.jsonb if has_document or self.jsonb not in relation.columns else None,
            type_name=name or type_name(view),
            fields=fields,
            description=description,
            descriptions=descriptions,
            key=next((key for key in relation.unique_keys if set(key) <= set(fields)), ()),
        )

    def _document_fields(
        self,
        view: str,
        relation: Relation,
        types: Mapping[str, ColumnType],
        rows: Sequence[dict[str, Any]],
    ) -> Mapping[str, Node]:
        documents = [row[self.jsonb] for row in rows]
        given = [document for document in documents if isinstance(document, dict)]
        if documents and not given:
            self.notes.append(f"{view}.{self.jsonb} holds no objects.")
            return {}
        if not documents:
            columns = [column for column in relation.columns if column != self.jsonb]
            return {column: _column(relation, types, column, rows) for column in columns}
        fields = dict(infer(given).fields or _top_level(given))
        for key in list(fields):
            # The column beside the document says more than a sample: bigint, the enum's labels.
            if key in types and key != self.jsonb:
                values = [document.get(key) for document in given]
                better = infer_column(types[key], values)
                if better is not None and holds(better, values):
                    fields[key] = better
        return fields

    def _types(self, view: str, relation: Relation) -> dict[str, ColumnType]:
        with inspection.reading(self.using) as cursor:
            cursor.execute(statement("column_types"), [[view]])
            return {
                name: column_type(relation.columns[name].type, base, labels)
                for _, name, base, labels in cursor.fetchall()
            }

    def _descriptions(self, view: str) -> tuple[str | None, dict[str, str]]:
        with inspection.reading(self.using) as cursor:
            cursor.execute(statement("descriptions"), [view])
            found = dict(cursor.fetchall())
        return found.pop(None, None), found

    def _source_candidates(self, view: str) -> Mapping[str, Relation]:
        prefix, name = _split(view)
        return catalog.relations([f"{prefix}v_{name[3:]}"], self.using)

    def _note(self, view: str, fields: Mapping[str, Node], rows: Sequence[Any]) -> None:
        if not rows:
            self.notes.append(f"{view} has no rows: only its columns are known.")
            return
        unknown = [key for key, node in fields.items() if not node.is_known]
        if unknown:
            self.notes.append(
                f"{view}: always null in {len(rows)} rows, so of unknown type: {', '.join(unknown)}."
            )


def _top_level(documents: Sequence[dict[str, Any]]) -> Mapping[str, Node]:
    """Return the fields of documents that look like maps: a view's documents are objects."""
    keys = dict.fromkeys(key for document in documents for key in document)
    return {key: infer([document.get(key) for document in documents]) for key in keys}


def _column(
    relation: Relation, types: Mapping[str, ColumnType], name: str, rows: Sequence[dict[str, Any]]
) -> Node:
    values = [row[name] for row in rows]
    node = infer_column(types[name], values) or infer(values)
    is_promised = relation.columns[name].not_null
    # Of tables the catalog knows, of views the rows; without rows nothing is promised but an id.
    nullable = not is_promised if relation.kind == "table" else node.nullable or not rows
    if not rows and name == "id":
        nullable = False
    return replace(node, nullable=nullable)


def _source_of(view: str, relations: Mapping[str, Relation]) -> str | None:
    """Return the view that fills a projection called ``tv_...``, if there is one."""
    prefix, name = _split(view)
    source = f"{prefix}v_{name[3:]}"
    return source if name.startswith("tv_") and source in relations else None


def _split(view: str) -> tuple[str, str]:
    prefix, dot, name = view.rpartition(".")
    return prefix + dot, name
