"""
Random documents: their draft builds and answers with them, and the checks know what does not fit it.
"""

import json
import sys
from decimal import Decimal
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from fraiseql.checks.database import check_views
from fraiseql.db import catalog
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute as answer
from fraiseql.schema import registry
from fraiseql.schema.build import get_schema
from fraiseql.schema.graphene_scalars import output_value
from fraiseql.schema.scalars import SCALARS
from fraiseql.schema.specs import ObjectSpec, RootKind, TypeRef

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

# Few keys and values, so that two lists of documents are nearly of one type.
LIKE = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "a", "b", "c d"]),
        st.recursive(
            st.none() | st.sampled_from([True, 1, 2**40, 0.5, "x", "2024-01-31T12:00:00+00:00"]),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
            ),
            max_leaves=4,
        ),
        min_size=1,
    ),
    min_size=1,
    max_size=3,
)


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


PROFILE = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def store(documents: list[dict[str, Any]]) -> list[Any]:
    """Put ``documents`` where the view finds them, in place of others; return them as PostgreSQL has them."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS tb_any (n serial, data jsonb)")
        cursor.execute("CREATE OR REPLACE VIEW v_any AS SELECT data FROM tb_any ORDER BY n")
        cursor.execute("DELETE FROM tb_any")
        for document in documents:
            cursor.execute("INSERT INTO tb_any (data) VALUES (%s)", [json.dumps(document)])
        cursor.execute("SELECT data::text FROM v_any")
        stored = [json.loads(text, parse_float=Decimal) for (text,) in cursor.fetchall()]
    catalog.forget("default")
    return stored


def bind() -> ObjectSpec:
    """Draft the view, import what was written, and return the type."""
    out = StringIO()
    call_command("fraiseql_draft", "v_any", stdout=out, stderr=StringIO())
    note(out.getvalue())
    module = ModuleType("drafted")
    sys.modules["drafted"] = module
    try:
        exec(compile(out.getvalue(), "drafted.py", "exec"), vars(module))
        return get_schema().objects["Any"]
    finally:
        del sys.modules["drafted"]


def ask(spec: ObjectSpec) -> tuple[Any, Any]:
    """Return every field of every row, and the errors."""
    root = next(name for name, root in get_schema().roots.items() if root.kind is RootKind.MANY)
    body = answer(GraphQLRequest(f"{{ {root} {{ {selection(spec)} }} }}")).body
    found = json.loads(body, parse_float=Decimal)
    return (found["data"] or {}).get(root), found.get("errors", [])


@pytest.mark.django_db
@given(documents=DOCUMENTS)
@PROFILE
def test_a_draft_answers_with_the_documents(documents: list[dict[str, Any]]) -> None:
    with registry.isolated(), transaction.atomic():
        stored = store(documents)
        spec = bind()
        found, errors = ask(spec)
        transaction.set_rollback(True)

    wanted = [expected(TypeRef(False, spec), document) for document in stored]
    assert errors == []
    # Rows come in the order of their ids, if they have one.
    assert sorted(map(repr, plain(found))) == sorted(map(repr, plain(wanted)))


@pytest.mark.django_db
@given(drafted=LIKE, stored=LIKE)
@PROFILE
def test_the_checks_know_whether_the_documents_keep_their_promises(
    drafted: list[dict[str, Any]], stored: list[dict[str, Any]]
) -> None:
    with registry.isolated(), transaction.atomic():
        store(drafted)
        spec = bind()
        store(stored)
        ids = {str(message.id) for message in check_views(databases=["default"])}
        _, errors = ask(spec)
        transaction.set_rollback(True)

    if errors:
        assert ids & {"fraiseql.W112", "fraiseql.W113", "fraiseql.W114"}
    else:
        assert not ids & {"fraiseql.W113", "fraiseql.W114"}
