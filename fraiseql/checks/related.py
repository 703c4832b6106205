"""
Checks of related fields: what they match by, on both sides.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.checks import CheckMessage
from django.db import DatabaseError

from fraiseql.checks import table
from fraiseql.checks.documents import label
from fraiseql.db import inspection
from fraiseql.db.catalog import Relation
from fraiseql.engine.sql.scope import has_document_column
from fraiseql.schema.specs import FieldSpec, KeySpec, ObjectSpec, RelatedSpec

_FAMILIES = dict.fromkeys(
    ("smallint", "integer", "bigint", "int4", "int8", "numeric"), "number"
) | dict.fromkeys(("text", "character varying", "character", "citext", "name"), "text")
"""Types that are compared as they are; everything may be cast to text's, and text's to everything."""


@dataclass(frozen=True)
class RelatedViews:
    """The catalog's entries of the bound views, and what indexes of each begin with, by name."""

    relations: Mapping[str, Relation]
    index_keys: Mapping[str, tuple[str, ...]]
    using: str
    sample: int

    def check(self, specs: Mapping[str, ObjectSpec]) -> Iterator[CheckMessage]:
        """Yield what is wrong with the related fields of all types."""
        seen: set[RelatedSpec] = set()
        for spec in specs.values():
            for entry in spec.fields.values():
                # The types of an interface share theirs.
                if entry.related is not None and entry.related not in seen:
                    seen.add(entry.related)
                    yield from self._field(spec, entry, entry.related)

    def _field(
        self, owner: ObjectSpec, entry: FieldSpec, related: RelatedSpec
    ) -> Iterator[CheckMessage]:
        obj, target = label(owner, entry), related.root.type
        view = self.relations.get(target.view or "")
        if view is None:
            return  # Has its message.
        for spec, key in ((owner, related.local), (target, related.key)):
            if self._is_missing(spec, key):
                columns = self.relations[spec.view or ""].columns
                yield table.NO_RELATED_KEY(
                    obj, view=spec.view, key=key.name, columns=", ".join(columns)
                )
                return
        local, found = self._type(owner, related.local), self._type(target, related.key)
        if local is not None and found is not None and not _are_comparable(local, found):
            yield table.RELATED_TYPES(
                obj,
                key=related.key.name,
                view=target.view,
                type=found,
                local=related.local.name,
                owner=owner.name,
                other=local,
            )
        elif view.kind != "view" and not self._is_indexed(target.view or "", view, related.key):
            yield table.NO_RELATED_INDEX(obj, view=target.view, key=related.key.name)

    def _is_missing(self, spec: ObjectSpec, key: KeySpec) -> bool:
        view = self.relations.get(spec.view or "")
        if view is None or key.name in view.columns:
            return False
        if not has_document_column(spec, view):
            return True
        return key.scalar is None and not self._is_in_documents(spec, view, key.name)

    def _is_in_documents(self, spec: ObjectSpec, view: Relation, key: str) -> bool:
        """Tell whether a document has the key; without any document, that it may."""
        try:
            found: list[Any] = inspection.documents(view, spec.jsonb, self.sample, self.using)
        except DatabaseError:
            return True  # The sample of the view has its message.
        return not found or any(isinstance(item, dict) and key in item for item in found)

    def _type(self, spec: ObjectSpec, key: KeySpec) -> str | None:
        """Return the type of a key in PostgreSQL, None if only the documents know."""
        view = self.relations.get(spec.view or "")
        if view is not None and key.name in view.columns:
            return view.columns[key.name].type
        return None if key.scalar is None else key.scalar.pg

    def _is_indexed(self, name: str, view: Relation, key: KeySpec) -> bool:
        keys = self.index_keys[name]
        if key.name in view.columns:
            return key.name in keys or f'"{key.name}"' in keys
        return any(f"'{key.name}'" in expression for expression in keys)


def _are_comparable(one: str, other: str) -> bool:
    families = {_FAMILIES.get(name, name) for name in (one, other)}
    return len(families) == 1 or "text" in families
