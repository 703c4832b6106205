"""Who asks: the same viewer at both edges, and everybody only themselves."""

import asyncio
import json
from collections.abc import Awaitable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser, Group, User
from django.contrib.sessions.models import Session
from django.core.signals import setting_changed
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

import fraiseql
from fraiseql.asgi import GraphQLApplication
from fraiseql.authentication import Request, reads, session, user_viewer, viewer_of
from fraiseql.db import catalog
from fraiseql.db.connections import parameters
from fraiseql.engine.viewer import Viewer
from fraiseql.errors import ConfigurationError, Unauthenticated
from fraiseql.testing import isolated
from tests.integration.edges.conftest import JSON_BODY, Answer, Edges

HERE = "tests.integration.edges.test_authentication"
WHO = b'{"query": "{ who }", "variables": {"viewer": "9"}, "extensions": {"user_id": "9"}}'
BOUND = b'{"query": "{ makers(limit: 1) { name } }"}'

noted: list[tuple[bool, Any]] = []


def noting_session(request: Request) -> Any:
    """Do what the session does, and note what it found: behind Django or in front of it."""
    claim = session(request)
    if not isinstance(claim, Awaitable):
        noted.append((request.django is not None, claim))
        return claim

    async def wait() -> Any:
        found = await claim
        noted.append((request.django is not None, found))
        return found

    return wait()


class Token:
    """A bearer token that names its viewer."""

    def __call__(self, request: Request) -> Viewer | None:
        scheme, _, name = request.header("Authorization").partition(" ")
        if scheme != "Bearer":
            return None
        if name == "expired":
            raise Unauthenticated(
                "The token has expired.", challenge='Bearer error="invalid_token"'
            )
        return Viewer(user_id=name)


async def slow_token(request: Request) -> Viewer | None:
    """Do the same in its own time."""
    await asyncio.sleep(0.001)
    return Token()(request)


@pytest.fixture
def declared() -> Iterator[None]:
    with isolated():

        @fraiseql.query
        def who(info: Any) -> str | None:
            return info.context.viewer.user_id  # type: ignore[no-any-return]  # info is Any

        yield


@pytest.fixture
def found(settings: Settings) -> list[tuple[bool, Any]]:
    settings.FRAISEQL = {"AUTHENTICATION": [f"{HERE}.noting_session"]}
    noted.clear()
    return noted


@pytest.fixture
def ada(db: None) -> User:
    user = User.objects.create(username="ada", is_staff=True)
    user.groups.add(Group.objects.create(name="editors"))
    return user


def cookie_of(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"Cookie": f"sessionid={client.cookies['sessionid'].value}"}


def test_a_session_is_the_same_viewer_at_both_edges(
    ada: User, edges: Edges, found: list[tuple[bool, Any]]
) -> None:
    answer = edges.send(headers=JSON_BODY | cookie_of(ada), body=BOUND)
    viewer = Viewer(user_id=str(ada.pk), is_staff=True, roles=frozenset({"editors"}))

    assert found == [(True, viewer), (False, viewer)]
    assert answer.headers["vary"] == "Accept, Cookie"
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "signed_cookies"])
def test_every_session_engine_is_read(
    ada: User, edges: Edges, found: list[tuple[bool, Any]], settings: Settings, engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    Edges().send(headers=JSON_BODY | cookie_of(ada), body=BOUND)

    assert [viewer.user_id for _, viewer in found] == [str(ada.pk)] * 2


@pytest.mark.parametrize("cookie", ["sessionid=x", "sessionid=", "other=1", ""])
def test_a_session_nobody_has_is_nobodys(
    edges: Edges, found: list[tuple[bool, Any]], cookie: str
) -> None:
    answer = edges.send(headers=JSON_BODY | {"Cookie": cookie}, body=BOUND)

    assert answer.status == 200
    assert [viewer for _, viewer in found] == [None, None]


def test_a_session_ends_with_its_user_and_its_password(
    ada: User, edges: Edges, found: list[tuple[bool, Any]]
) -> None:
    before, after = cookie_of(ada), cookie_of(ada)
    ada.set_password("new")
    ada.save()
    edges.asgi(
        "POST", "/graphql/", httpx.Headers({"Host": "testserver"} | JSON_BODY | before), BOUND
    )
    edges.send(headers=JSON_BODY | after, body=BOUND)
    User.objects.update(is_active=False)
    edges.send(headers=JSON_BODY | cookie_of(ada), body=BOUND)

    assert [viewer for _, viewer in found] == [None] * 5


@pytest.mark.parametrize("has_zones", [True, False])
@pytest.mark.parametrize(("left_s", "is_good"), [(-600, False), (600, True)])
def test_a_session_ends_at_its_time_whatever_the_zone(
    ada: User,
    edges: Edges,
    found: list[tuple[bool, Any]],
    settings: Settings,
    has_zones: bool,
    left_s: int,
    is_good: bool,
) -> None:
    settings.USE_TZ, settings.TIME_ZONE = has_zones, "Asia/Tokyo"
    cookie = cookie_of(ada)
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=left_s))
    Edges().send(headers=JSON_BODY | cookie, body=BOUND)

    assert [viewer is not None for _, viewer in found] == [is_good, is_good]


def test_a_session_signed_with_an_older_key_stays_as_it_is(
    ada: User, edges: Edges, found: list[tuple[bool, Any]], settings: Settings
) -> None:
    cookie = cookie_of(ada)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "newer"
    headers = httpx.Headers({"Host": "testserver"} | JSON_BODY | cookie)
    for _ in range(2):
        edges.asgi("POST", "/graphql/", headers, BOUND)

    assert [viewer.user_id for _, viewer in found] == [str(ada.pk)] * 2


def test_without_the_middleware_nobody_is_logged_in(
    ada: User, edges: Edges, found: list[tuple[bool, Any]], settings: Settings
) -> None:
    cookie = cookie_of(ada)
    settings.MIDDLEWARE = []
    Edges().send(headers=JSON_BODY | cookie, body=BOUND)

    assert [viewer for _, viewer in found] == [None, None]


class Guest(ModelBackend):
    """Whose users are all one and the same."""

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(username="guest").first()


@pytest.mark.parametrize(
    ("backend", "seen"),
    [
        (f"{HERE}.Guest", "guest"),
        ("django.contrib.auth.backends.AllowAllUsersModelBackend", "ada"),
        ("django.contrib.auth.backends.ModelBackend", None),
    ],
)
def test_a_backend_of_the_projects_is_asked(
    ada: User,
    edges: Edges,
    found: list[tuple[bool, Any]],
    settings: Settings,
    backend: str,
    seen: str | None,
) -> None:
    settings.AUTHENTICATION_BACKENDS = [backend]
    User.objects.create(username="guest")
    cookie = cookie_of(ada)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    Edges().send(headers=JSON_BODY | cookie, body=BOUND)
    viewers = [viewer and User.objects.get(pk=viewer.user_id).username for _, viewer in found]

    assert viewers == [seen, seen]


def test_a_users_own_hash_is_asked(
    ada: User, edges: Edges, found: list[tuple[bool, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = cookie_of(ada)
    monkeypatch.setattr(User, "get_session_auth_hash", lambda _self: "another")
    monkeypatch.setattr(User, "get_session_auth_fallback_hash", lambda _self: iter(()))
    setting_changed.send(sender=None, setting="AUTH_USER_MODEL", value=None, enter=True)
    edges.send(headers=JSON_BODY | cookie, body=BOUND)
    monkeypatch.undo()
    setting_changed.send(sender=None, setting="AUTH_USER_MODEL", value=None, enter=False)

    assert [viewer for _, viewer in found] == [None, None]


def test_a_session_of_a_backend_that_is_gone_is_nobodys(
    ada: User, edges: Edges, found: list[tuple[bool, Any]], settings: Settings
) -> None:
    cookie = cookie_of(ada)
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]
    Edges().send(headers=JSON_BODY | cookie, body=BOUND)

    assert [viewer for _, viewer in found] == [None, None]


def test_an_unreachable_database_is_503_and_nobody_is_guessed(
    edges: Edges, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def lost(*_: object) -> None:
        raise OperationalError from psycopg.OperationalError("gone")

    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    monkeypatch.setattr(f"{settings.SESSION_ENGINE}.SessionStore.load", lost)
    answer = Edges().send(headers=JSON_BODY | {"Cookie": "sessionid=12345678"}, body=BOUND)

    assert (answer.status, answer.codes) == (503, ["SERVICE_UNAVAILABLE"])


@pytest.mark.django_db(transaction=True)
def test_a_session_is_read_after_the_server_ended_the_connection(
    settings: Settings, found: list[tuple[bool, Any]]
) -> None:
    settings.ROOT_URLCONF = "tests.integration.edges.urls"
    # Read by Django, in a thread.
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    ada = User.objects.create(username="ada")
    headers = httpx.Headers({"Host": "testserver"} | JSON_BODY | cookie_of(ada))
    edges = Edges()
    edges.asgi("POST", "/graphql/", headers, b'{"query": "{ __typename }"}')
    with psycopg.connect(**parameters("default"), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    edges.asgi("POST", "/graphql/", headers, b'{"query": "{ __typename }"}')

    assert [viewer.user_id for _, viewer in found] == [str(ada.pk)] * 2


@pytest.mark.parametrize("name", ["Token", "slow_token"])
def test_a_token_is_the_same_viewer_at_both_edges(
    declared: None, edges: Edges, settings: Settings, name: str
) -> None:
    settings.FRAISEQL = {"AUTHENTICATION": [f"{HERE}.{name}"]}
    answer = edges.send(headers=JSON_BODY | {"Authorization": "Bearer 7"}, body=WHO)
    nobody = edges.send(headers=JSON_BODY, body=WHO)

    assert answer.json == {"data": {"who": "7"}}
    assert set(answer.headers["vary"].split(", ")) == {"Accept", "Authorization"}
    assert nobody.json == {"data": {"who": None}}


@pytest.mark.parametrize("name", ["Token", "slow_token"])
def test_a_token_that_proves_nothing_is_401(edges: Edges, settings: Settings, name: str) -> None:
    settings.FRAISEQL = {"AUTHENTICATION": [f"{HERE}.{name}", f"{HERE}.noting_session"]}
    answer = edges.send(headers=JSON_BODY | {"Authorization": "Bearer expired"}, body=BOUND)

    assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert answer.errors[0]["message"] == "The token has expired."
    assert answer.headers["cache-control"] == "private, no-cache, must-revalidate"


def test_the_first_who_knows_decides(
    declared: None, ada: User, edges: Edges, settings: Settings
) -> None:
    settings.FRAISEQL = {"AUTHENTICATION": [f"{HERE}.Token", "fraiseql.authentication.session"]}
    both = edges.send(headers=JSON_BODY | cookie_of(ada) | {"Authorization": "Bearer t"}, body=WHO)
    cookie = edges.send(headers=JSON_BODY | cookie_of(ada), body=WHO)
    settings.FRAISEQL = {"AUTHENTICATION": []}
    nobody = edges.send(headers=JSON_BODY | cookie_of(ada), body=WHO)

    assert both.json["data"]["who"] == "t"
    assert cookie.json["data"]["who"] == str(ada.pk)
    assert nobody.json["data"]["who"] is None


@reads("Authorization")
def marked(request: Request) -> Viewer | None:
    """Say who asks by a header alone, and note where it was asked."""
    noted.append((request.django is not None, None))
    name = request.header("authorization")
    return Viewer(user_id=name) if name else None


def test_who_reads_a_header_is_asked_in_front_of_django_only_if_it_was_sent(
    declared: None, edges: Edges, settings: Settings
) -> None:
    settings.FRAISEQL = {"AUTHENTICATION": [f"{HERE}.marked"]}
    noted.clear()
    sent = [JSON_BODY, JSON_BODY | {"Authorization": "me"}] * 2
    answers = [edges.send(headers=headers, body=BOUND) for headers in sent]
    in_front = sum(not is_behind for is_behind, _ in noted)
    others = edges.send(headers=JSON_BODY | {"Authorization": "you"}, body=WHO)
    nobody = edges.send(headers=JSON_BODY, body=WHO)

    assert {answer.headers["vary"] for answer in answers} == {"Accept, Authorization"}
    assert in_front == 2
    assert (others.json["data"]["who"], nobody.json["data"]["who"]) == ("you", None)


def test_a_path_that_leads_nowhere_is_a_fault(settings: Settings) -> None:
    settings.FRAISEQL = {"AUTHENTICATION": ["no.such.thing"]}

    with pytest.raises(ConfigurationError, match=r"no\.such\.thing"):
        viewer_of(Request(lambda _name: None))


def test_a_user_without_groups_or_rights_is_a_viewer() -> None:
    class Plain(AbstractBaseUser):
        class Meta:
            app_label = "tests"

    viewer = user_viewer(Plain(pk=3))

    assert viewer is not None
    assert (viewer.user_id, viewer.is_staff, viewer.roles) == ("3", False, frozenset())
    assert user_viewer(User()) is None


@pytest.fixture
def mine(edges: Edges) -> Iterator[None]:
    """Bound fields whose rows, and whose errors, PostgreSQL makes of who asks."""
    with connection.cursor() as cursor:
        cursor.execute(
            """CREATE FUNCTION fn_refuse_viewer() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
               RAISE 'Not for %.', current_setting('app.user_id'); END $$;
               CREATE VIEW v_refused AS SELECT 1 AS id, fn_refuse_viewer() AS data;
               CREATE VIEW v_mine AS SELECT 1 AS id,
                      jsonb_build_object('id', 1, 'owner', current_setting('app.user_id')) AS data"""
        )
    catalog.forget("default")
    with isolated():

        @fraiseql.type(view="v_mine")
        class Mine:
            id: int
            owner: str

        @fraiseql.type(view="v_refused")
        class Refused:
            id: int

        class Query(fraiseql.Query):
            mine = fraiseql.many(Mine)
            refused = fraiseql.one(Refused)

        @fraiseql.query
        def who(info: Any) -> str | None:
            return info.context.viewer.user_id  # type: ignore[no-any-return]  # info is Any

        yield
    catalog.forget("default")


def test_postgresql_knows_who_asks_at_both_edges(mine: None, ada: User, edges: Edges) -> None:
    body = b'{"query": "{ mine { owner } }"}'
    answers = [edges.send(headers=JSON_BODY | sent, body=body) for sent in (cookie_of(ada), {})]

    assert [answer.json["data"]["mine"][0]["owner"] for answer in answers] == [str(ada.pk), ""]


@pytest.mark.parametrize("who", ["", "who "], ids=["in front", "behind"])
def test_of_200_requests_at_once_everybody_sees_only_themselves(
    mine: None, edges: Edges, settings: Settings, who: str
) -> None:
    settings.FRAISEQL = {"AUTHENTICATION": [f"{HERE}.slow_token"]}
    names = [str(number % 20) for number in range(200)]
    query = f"{{ {who}mine {{ owner }} refused(id: 1) {{ id }} }}"

    async def ask_all() -> list[Any]:
        application = GraphQLApplication()
        return await asyncio.gather(*[_ask(application, name, query) for name in names])

    for name, answer in zip(names, async_to_sync(ask_all)(), strict=True):
        shown = {"who": name} if who else {}
        assert answer.json["data"] == {**shown, "mine": [{"owner": name}], "refused": None}
        assert [error["message"] for error in answer.errors] == [f"Not for {name}."]


async def _ask(application: GraphQLApplication, name: str, query: str) -> Answer:
    transport = httpx.ASGITransport(application)
    headers = {"Host": "testserver", "Authorization": f"Bearer {name}"} | JSON_BODY
    body = json.dumps({"query": query}).encode()
    request = httpx.Request("POST", "http://testserver/graphql/", headers=headers, content=body)
    response = await transport.handle_async_request(request)
    return Answer(response.status_code, response.headers, await response.aread())


# Sessions and pages of other sites


LOGIN = {"Cookie": "sessionid=x"}


def test_another_sites_page_cannot_act_with_a_session(edges: Edges, settings: Settings) -> None:
    elsewhere = JSON_BODY | LOGIN | {"Origin": "https://elsewhere.example"}
    refused = edges.send(headers=elsewhere, body=BOUND)
    without = edges.send(headers={**elsewhere, "Cookie": "theme=dark"}, body=BOUND)
    own = edges.send(headers=elsewhere | {"Origin": "http://testserver"}, body=BOUND)

    assert (refused.status, refused.codes) == (403, ["BAD_REQUEST"])
    assert without.status == own.status == 200


def test_a_trusted_sites_page_can(
    edges: Edges, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example"]
    headers = JSON_BODY | LOGIN | {"Origin": "https://app.example"}
    answer = edges.send(headers=headers, body=BOUND)

    assert answer.status == 200


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_what_a_form_can_send_is_never_run(edges: Edges, content_type: str) -> None:
    answer = edges.send(headers=LOGIN | {"Content-Type": content_type}, body=WHO)

    assert (answer.status, answer.codes) == (415, ["BAD_REQUEST"])


GET = "/graphql/?query=%7B__typename%7D"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (LOGIN, 400),
        (LOGIN | {"X-CSRFToken": "x"}, 200),
        (LOGIN | {"Authorization": "Bearer x"}, 200),
        ({"Authorization": "Basic x"}, 400),
        ({"Authorization": "Basic x", "GraphQL-Require-Preflight": "1"}, 200),
        ({"Authorization": "Bearer x"}, 200),
        ({}, 200),
    ],
    ids=str,
)
def test_a_get_with_what_browsers_add_needs_what_other_sites_cannot(
    edges: Edges, headers: dict[str, str], status: int
) -> None:
    assert edges.send("GET", GET, headers=headers).status == status
