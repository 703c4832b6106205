"""Mutations made of functions: who may, in which order, and what nobody hears."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.test import override_settings

import fraiseql
from fraiseql.engine.viewer import Viewer
from fraiseql.testing import isolated
from tests.integration.edges.conftest import Edges

Sql = Callable[..., list[tuple[Any, ...]]]

CANARY = "tr0ub4dor"
MINE = "00000000-0000-4000-8000-00000000000a"
NOBODYS = "00000000-0000-4000-8000-00000000000f"
FOLDERS = """
CREATE TABLE tb_folder (
    id uuid PRIMARY KEY, tenant text NOT NULL DEFAULT current_setting('app.current_tenant_id'),
    name text NOT NULL UNIQUE);
ALTER TABLE tb_folder ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tb_folder USING (tenant = NULLIF(current_setting('app.current_tenant_id', true), ''));
CREATE VIEW v_folder WITH (security_invoker) AS
SELECT id, jsonb_build_object('id', id, 'name', name) AS data FROM tb_folder;
CREATE FUNCTION fn_rename_folder(p_id uuid, p_name text) RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN
    UPDATE tb_folder SET name = p_name WHERE id = p_id;
    IF NOT FOUND THEN RAISE EXCEPTION 'There is no such folder.' USING ERRCODE = 'PT404'; END IF;
    RETURN p_id;
END $$;
CREATE FUNCTION fn_add_folder(p_id uuid, p_name text) RETURNS uuid LANGUAGE sql AS
$$ INSERT INTO tb_folder (id, name) VALUES (p_id, p_name) RETURNING id $$;
SELECT set_config('app.current_tenant_id', 'a', true);
INSERT INTO tb_folder (id, name) VALUES ('00000000-0000-4000-8000-00000000000a', 'tr0ub4dor');
SELECT set_config('app.current_tenant_id', '', true);
"""
RENAME = """mutation ($id: UUID!) { renameFolder(input: {id: $id, name: "new"}) {
    folder { name } errors { code message } } }"""


def authenticate(request: Any) -> Viewer | None:
    """Stand for an application's authentication: the tenant is what its token proves."""
    tenant = (request.header("authorization") or "").removeprefix("Tenant ")
    return Viewer(tenant, session=(("app.current_tenant_id", tenant),)) if tenant else None


@pytest.fixture
def folders(sql: Sql) -> Any:
    """Folders of tenant a, and functions that write them."""
    sql(FOLDERS)
    with (
        isolated(),
        override_settings(FRAISEQL={"AUTHENTICATION": [f"{__name__}.authenticate"]}),
    ):

        @fraiseql.type(view="v_folder")
        class Folder:
            id: UUID
            name: str

        class Query(fraiseql.Query):
            folders = fraiseql.many(Folder)

        @fraiseql.mutation(function="fn_rename_folder")
        class RenameFolder:
            id: UUID
            name: str
            returns: Folder

        @fraiseql.mutation(function="fn_add_folder")
        class AddFolder:
            id: UUID
            name: str
            returns: Folder

        yield


def ask(edges: Edges, query: str, tenant: str, **variables: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    if tenant:
        headers["Authorization"] = f"Tenant {tenant}"
    body = json.dumps({"query": query, "variables": variables}).encode()
    return edges.send(headers=headers, body=body)


@pytest.mark.usefixtures("folders")
def test_o13_a_function_finds_only_what_its_viewers_tenant_has(edges: Edges) -> None:
    answers = [ask(edges, RENAME, tenant, id=MINE) for tenant in ("", "b")]
    unknown = ask(edges, RENAME, "a", id=NOBODYS)
    right = ask(edges, RENAME, "a", id=MINE)

    assert [answer.body for answer in answers] == [unknown.body] * 2
    assert unknown.json["data"]["renameFolder"] == {
        "folder": None,
        "errors": [{"code": "NOT_FOUND", "message": "There is no such folder."}],
    }
    assert right.json["data"]["renameFolder"] == {"folder": {"name": "new"}, "errors": []}


@pytest.mark.usefixtures("folders")
def test_t9_a_violated_constraint_tells_nothing_of_anothers_row(edges: Edges) -> None:
    query = """mutation ($id: UUID!, $name: String!) { addFolder(input: {id: $id, name: $name}) {
        folder { name } errors { code field message } } }"""
    by_name = ask(edges, query, "b", id=NOBODYS, name=CANARY)
    by_id = ask(edges, query, "b", id=MINE, name="free")
    nobody = ask(edges, query, "", id=NOBODYS, name="free")

    taken = {"code": "CONFLICT", "message": "This is taken already."}
    assert by_name.json["data"]["addFolder"]["errors"] == [{**taken, "field": "name"}]
    assert by_id.json["data"]["addFolder"]["errors"] == [{**taken, "field": "id"}]
    assert [error["code"] for error in nobody.json["data"]["addFolder"]["errors"]] == ["FORBIDDEN"]
    assert CANARY not in f"{by_name.body!r}{by_id.body!r}{nobody.body!r}"


@pytest.mark.parametrize(
    "how", ["raise", "denied", "strict", "serialization", "internal", "missing", "busy", "1/0"]
)
def test_o17_details_of_a_functions_error_stay_on_the_server(edges: Edges, how: str) -> None:
    query = (
        "mutation ($how: String!) { fail(input: {how: $how}) { errors { message code field } } }"
    )
    python = ' a: renameMaker(identifier: "x", name: "y") { name } }'
    for text in (query, query.removesuffix(" }") + python):
        answer = edges.post(text, {"how": how})

        assert "canary" not in answer.body.decode().lower()
        assert answer.errors == [] or answer.json.get("data") is None


def test_16_functions_run_one_after_the_other_and_go_on_after_a_failure(
    edges: Edges, sql: Sql
) -> None:
    query = """mutation { a: openStall(input: {identifier: "a", name: "A"}) { stall { name } }
        b: openStall(input: {identifier: "a", name: "B"}) { errors { code } }
        c: countStalls(input: {}) { result } }"""
    sql("DELETE FROM tb_stall")
    headers = httpx.Headers({"Content-Type": "application/json", "Host": "testserver"})
    first = edges.view("POST", "/graphql/", headers, json.dumps({"query": query}).encode())

    assert list(first.json["data"]) == ["a", "b", "c"]
    assert first.json["data"]["b"] == {"errors": [{"code": "CONFLICT"}]}
    assert first.json["data"]["c"] == {"result": "1"}
