"""What went wrong in servers of the same kind, by the advisory that told of it."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client as DjangoClient

import fraiseql
from fraiseql.asgi import GraphQLApplication
from fraiseql.engine.document.limits import MAX_NESTING
from tests.behaviour.conftest import MakeEdges
from tests.integration.edges.conftest import ENDPOINT, JSON_BODY, Edges
from tests.shop.models import Note

LATER = {
    "cve_2026_35523": "subscriptions: the handshake authenticates",
    "cve_2026_35526": "subscriptions: a cap for each socket",
    "cve_2019_1020015": "bearer tokens: audience, issuer, algorithm",
    "cve_2022_46792": "tenants: bulk writes under row-level security",
    "hasura_2_45_3": "tenants: roles that inherit roles",
    "cve_2026_54698": "tenants: filters as oracles on hidden rows",
    "cve_2026_5423": "subscriptions: claims of connection_init",
    "cve_2026_92681": "tenants: default deny on every root field",
    "cve_2026_80223": "subscriptions: every event under its subscriber's rights",
    "cve_2026_81643": "subscriptions: every event of a batch",
}

WRITE = 'mutation { writeNote(text: "forged") { note { text } } }'
# Fields that alias what they stand for: the limits count each.
ATLAS, BRADAWL = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", json.dumps({"query": WRITE})),
        ("application/x-www-form-urlencoded", f"query={WRITE}"),
        ("multipart/form-data; boundary=x",
         f'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{WRITE}\r\n--x--\r\n'),
    ],
    ids=["text", "form", "multipart"],
)  # fmt: skip
def test_cve_2024_47082_a_form_of_another_site_writes_nothing_with_a_session(
    legacy: Edges, content_type: str, body: str
) -> None:
    user = User.objects.create_user("ada")
    browser = DjangoClient()
    browser.force_login(user)
    session = browser.cookies["sessionid"].value
    headers = httpx.Headers({
        "Host": "testserver", "Content-Type": content_type, "Cookie": f"sessionid={session}",
        "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site",
    })  # fmt: skip
    answers = [
        send("POST", ENDPOINT, headers, body.encode()) for send in (legacy.view, legacy.asgi)
    ]

    assert all(answer.status in {400, 403, 415} for answer in answers)
    assert not Note.objects.exists()


def test_cve_2025_22151_the_id_of_one_type_finds_none_of_another(edges: Edges) -> None:
    # Books and tools are rows of one table.
    found = edges.post(f'{{ books(where: {{id: {{in: ["{ATLAS}", "{BRADAWL}"]}}}}) {{ id }} }}')
    forged = edges.post(f'{{ book(id: "{BRADAWL}") {{ id name }} }}')
    wrong = edges.post(f'{{ maker(id: "{ATLAS}") {{ id }} }}')

    assert found.json["data"] == {"books": [{"id": ATLAS}]}
    assert forged.json == {"data": {"book": None}}
    assert wrong.json == {"data": {"maker": None}}


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fsettings.py", "../../settings.py", "%2e%2e/page.js", "..%5cpage.js", "/etc/passwd"],
)
def test_cve_2023_27588_no_path_leads_out_of_the_assets(configured: MakeEdges, name: str) -> None:
    edges = configured(GRAPHIQL=True)
    headers = httpx.Headers({"Host": "testserver"})
    for send in (edges.view, edges.asgi):
        answer = send("GET", f"{ENDPOINT}assets/{name}", headers, b"")

        assert answer.status in {301, 404}
        assert b"SECRET_KEY" not in answer.body
        assert b"root:" not in answer.body


def test_hasura_1_3_3_there_is_no_administration_without_a_login(edges: Edges) -> None:
    for path in ("/admin/", "/admin/shop/", "/v1/metadata", "/v1/query", "/graphql/admin"):
        answer = edges.view("GET", path, httpx.Headers({"Host": "testserver"}), b"")

        assert answer.status in {302, 404}
        assert "/login/" in answer.headers.get("location", "/login/")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data", "a/b", "application/json+x", ";"]
)
def test_ghsa_9q82_a_get_with_an_odd_content_type_is_415(edges: Edges, content_type: str) -> None:
    path = f"{ENDPOINT}?query={{__typename}}"
    headers = {"Content-Type": content_type, "Cookie": "theme=dark"}

    assert edges.send("GET", path, headers=headers).status == 415


def test_ghsa_x4r7_and_graphene_django_154_the_page_holds_nothing_of_the_request(
    configured: MakeEdges,
) -> None:
    # What a browser makes of it: tests/integration/test_graphiql.py.
    edges = configured(GRAPHIQL=True)
    path = f"{ENDPOINT}?query={{makers{{name}}}}&variables=<img src=x onerror=alert(1)>"
    answer = edges.view(
        "GET", path, httpx.Headers({"Host": "testserver", "Accept": "text/html"}), b""
    )
    policy = answer.headers["content-security-policy"]

    assert b"onerror" not in answer.body
    assert b"makers" not in answer.body
    assert b"Anvil" not in answer.body
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "given",
    ["", "x", "V2FyZTox", "/", "../..", "0" * 40_000, "{}", "null", f"{ATLAS}0", "\u200b", "%00",
     "TWFrZXI6" + ATLAS],
    ids=lambda given: given[:12],
)  # fmt: skip
def test_cve_2026_81633_an_odd_id_breaks_nothing(edges: Edges, given: str) -> None:
    for query in (
        "query ($id: ID) { maker(id: $id) { name } }",
        "query ($id: ID!) { category(id: $id) { name } }",
        "query ($id: ID!) { courier(id: $id) { name } }",
        "query ($id: String) { wareFeed(after: $id) { totalCount } }",
    ):
        answer = edges.post(query, {"id": given})

        assert answer.status == 200
        assert answer.codes == ["BAD_USER_INPUT"]


@pytest.mark.usefixtures("declared")
def test_cve_2026_78693_a_masked_error_holds_nothing_but_its_path_and_an_id(edges: Edges) -> None:
    canary = "canary-4711"

    class Told(Exception):
        code = path = canary

    @fraiseql.query
    def broken(info: Any) -> int | None:
        raise Told(canary)

    (error,) = edges.post("{ b: broken }").json["errors"]

    assert canary not in json.dumps(error)
    assert error["path"] == ["b"]
    assert error["message"] == "Internal error"
    assert set(error["extensions"]) == {"code", "id"}


def test_cve_2026_53539_a_multipart_body_is_not_parsed(edges: Edges) -> None:
    body = b"--x\r\n" * 100_000
    answer = edges.send(headers={"Content-Type": "multipart/form-data; boundary=x"}, body=body)

    assert (answer.status, answer.codes) == (415, ["BAD_REQUEST"])


def test_cve_2026_71214_nothing_in_a_request_says_who_asks(edges: Edges) -> None:
    claims = {"app.user_id": "1", "user_id": "1", "x-hasura-role": "admin", "is_superuser": True}
    payload = {
        "query": "{ viewer }",
        "variables": {"session": claims},
        "extensions": {"session": claims, "viewer": claims},
        "session": claims,
        "sessionVariables": claims,
    }
    headers = JSON_BODY | {"X-Hasura-Role": "admin", "X-User-Id": "1", "Remote-User": "admin"}
    answer = edges.send(headers=headers, body=json.dumps(payload).encode())

    assert answer.json["data"]["viewer"] == "AnonymousUser"


def test_supabase_grants_the_framework_grants_nothing(sql: Callable[..., Any]) -> None:
    granted = sql("""SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a
                      WHERE a.grantee = 0 AND c.relnamespace = 'public'::regnamespace""")

    assert granted == []


def test_cve_2026_34573_measuring_a_document_is_no_attack_on_the_server(edges: Edges) -> None:
    assert MAX_NESTING <= 200
    levels = 24
    fragments = " ".join(
        f"fragment F{n} on Category {{ a: children {{ ...F{n + 1} }} b: children {{ ...F{n + 1} }} }}"
        for n in range(levels)
    )
    answer = edges.post(
        f"{{ categories {{ ...F0 }} }} {fragments} fragment F{levels} on Category {{ id }}"
    )

    assert "data" not in answer.json


def test_cve_2026_47707_aliases_count_wherever_a_fragment_puts_them(edges: Edges) -> None:
    aliases = " ".join(f"a{n}: name" for n in range(50))
    once = edges.post(f"{{ makers {{ ...F }} }} fragment F on Maker {{ {aliases} }}")
    often = edges.post(
        "{ makers { " + " ".join(f"w{n}: wares {{ maker {{ ...F }} }}" for n in range(50))
        + f" }} }} fragment F on Maker {{ {aliases} }}"
    )  # fmt: skip
    circle = edges.post(
        "{ makers { ...A } } fragment A on Maker { wares { maker { ...B } } } fragment B on Maker { ...A }"
    )

    assert once.codes == []
    assert often.codes == circle.codes == ["GRAPHQL_VALIDATION_FAILED"]
    assert "aliases" in often.errors[0]["message"]


def test_strawberry_0_316_requests_at_once_see_only_themselves(configured: MakeEdges) -> None:
    configured(
        AUTHENTICATION=["tests.behaviour.asking.by_header"],
        GRAPHENE_SCHEMAS=["tests.behaviour.asking.schema"],
    )

    async def ask(application: GraphQLApplication, number: int, more: str = "") -> Any:
        transport = httpx.ASGITransport(application)
        query = f"{{ asks makers(limit: {number % 3}) {{ name }} {more} }}"
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            sent = await client.post(
                ENDPOINT, json={"query": query}, headers={"X-Test-User": f"user-{number % 20}"}
            )
        return sent.json()

    async def all_at_once() -> tuple[list[Any], list[Any]]:
        application = GraphQLApplication()
        answers = asyncio.gather(*(ask(application, number) for number in range(200)))
        faults = asyncio.gather(*(ask(application, number, "failing") for number in range(20)))
        return await answers, await faults

    answers, faults = async_to_sync(all_at_once)()

    for number, answer in enumerate(answers):
        assert answer["data"]["asks"] == f"user-{number % 20}"
        assert len(answer["data"]["makers"]) == number % 3
    assert len({fault["errors"][0]["extensions"]["id"] for fault in faults}) == 20


def test_cve_2023_26144_fields_that_collide_cost_little(edges: Edges) -> None:
    fields = " ".join(f"a: makers(limit: {n}) {{ name }}" for n in range(2_000))
    same = edges.post("{ makers { " + "name " * 2_000 + "} }")
    begun = time.process_time()
    answer = edges.post(f"{{ {fields} }}")
    took = time.process_time() - begun

    assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]
    assert same.codes == []
    # At both edges; quadratic, it takes a minute.
    assert took < 5


@pytest.mark.parametrize("width", [1, 2])
def test_cve_2025_32031_and_cve_2025_32032_and_cve_2025_32034_and_cve_2025_32380_spreads_are_measured_once(
    edges: Edges, width: int
) -> None:
    # Each fragment spreads the next one twice: 2 ** 30 of them.
    spread = [" ".join([f"...F{n + 1}"] * width) for n in range(30)]
    chain = " ".join(f"fragment F{n} on Category {{ {text} }}" for n, text in enumerate(spread))
    answer = edges.post(f"{{ categories {{ ...F0 }} }} {chain} fragment F30 on Category {{ id }}")

    # What PostgreSQL and the projector get is one field: nothing is repeated, so nothing is refused.
    if answer.codes:
        assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]
    else:
        assert answer.json["data"]["categories"][0] == {"id": "1"}


def test_ghsa_q2f9_and_ghsa_3j43_named_fragments_in_fields_are_bounded(edges: Edges) -> None:
    chain = " ".join(
        f"fragment F{n} on Category {{ children {{ ...F{n + 1} }} parent {{ ...F{n + 1} }} }}"
        for n in range(13)
    )
    answer = edges.post(f"{{ categories {{ ...F0 }} }} {chain} fragment F13 on Category {{ id }}")

    assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]


WHERE_NAME = [{"name": {"eq": "Atlas"}}, {"stars": {"gte": 3}}, {"stars": {"isnull": True}}, {}]


@pytest.mark.parametrize("where", WHERE_NAME, ids=str)
def test_cve_2026_92682_none_is_what_some_is_not(edges: Edges, where: dict[str, Any]) -> None:
    where = {("title" if name == "name" else name): test for name, test in where.items()}
    query = "query ($w: WriterWhereInput) { writers(where: $w) { id } }"

    def found(word: str) -> set[str]:
        rows = edges.post(query, {"w": {"works": {word: where}}}).json["data"]["writers"]
        return {row["id"] for row in rows}

    everyone = {row["id"] for row in edges.post(query).json["data"]["writers"]}

    assert found("none") == everyone - found("some")
