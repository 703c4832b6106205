"""Drafts of random documents: each builds, and answers with the documents it was drafted from."""

import json
import sys
from decimal import Decimal
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraiseql.db import catalog
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute as answer
from fraiseql.schema import registry
from fraiseql.schema.build import get_schema
from fraiseql.schema.graphene_scalars import output_value
from fraiseql.schema.scalars import SCALARS
from fraiseql.schema.specs import ObjectSpec, TypeRef

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6
) | st.sampled_from(["2024-01-31", "2024-01-31T12:00:00+00:00", "12:30:00", "id", "class"])
KEYS = TEXTS | st.sampled_from(["id", "name", "createdAt", "created_at", "a", "b", "date", "Query"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.integers(-1000, 1000).map(lambda number: number / 8)
    | TEXTS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.lists(st.dictionaries(KEYS, VALUES, min_size=1, max_size=5), min_size=1, max_size=4)


def expected(ref: TypeRef, value: Any, is_id: bool = False) -> Any:
    """Return what the answer should hold for a stored value of type ``ref``."""
    if value is None:
        return None
    if ref.item is not None:
        return [expected(ref.item, item) for item in value]
    if isinstance(ref.named, ObjectSpec):
        return {
            field.name: expected(field.type, value.get(field.key), field.is_id)
            for field in ref.named.fields.values()
        }
    scalar = SCALARS["ID"] if is_id else ref.named
    return output_value(scalar, value)  # type: ignore[arg-type]  # no enums here


def selection(spec: ObjectSpec, inside: tuple[str, ...] = ()) -> str:
    """Return the selection of every field, of a type inside itself once."""
    parts = []
    for field in spec.fields.values():
        named = field.type.innermost
        if not isinstance(named, ObjectSpec):
            parts.append(field.name)
        elif inside.count(named.name) < 4:
            parts.append(f"{field.name} {{ {selection(named, (*inside, named.name))} }}")
    return " ".join(["__typename", *parts])


def plain(value: Any) -> Any:
    """Return an answer without ``__typename``, its numbers of one type."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "__typename"}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    return value


@pytest.mark.django_db
@given(documents=DOCUMENTS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_draft_answers_with_the_documents(documents: list[dict[str, Any]]) -> None:
    with registry.isolated(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE tb_any (n serial, data jsonb)")
            for document in documents:
                cursor.execute("INSERT INTO tb_any (data) VALUES (%s)", [json.dumps(document)])
            cursor.execute("CREATE VIEW v_any AS SELECT data FROM tb_any ORDER BY n")
            cursor.execute("SELECT data::text FROM v_any")
            stored = [json.loads(text, parse_float=Decimal) for (text,) in cursor.fetchall()]
        catalog.forget("default")
        out = StringIO()
        call_command("fraiseql_draft", "v_any", stdout=out, stderr=StringIO())
        module = ModuleType("drafted")
        sys.modules["drafted"] = module
        try:
            exec(compile(out.getvalue(), "drafted.py", "exec"), vars(module))
            spec = get_schema().objects["Any"]
        finally:
            del sys.modules["drafted"]
        root = next(name for name, root in get_schema().roots.items() if root.kind.value == "many")
        body = answer(GraphQLRequest(f"{{ {root} {{ {selection(spec)} }} }}")).body
        found = json.loads(body, parse_float=Decimal)
        transaction.set_rollback(True)

    assert "errors" not in found, out.getvalue()
    wanted = [expected(TypeRef(False, spec), document) for document in stored]
    # Rows come in the order of their ids, if they have one.
    assert sorted(map(repr, plain(found["data"][root]))) == sorted(map(repr, plain(wanted)))
