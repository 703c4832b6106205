"""The site under real servers: what a connection, a process and a client that leaves make of it."""

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.integration.edges.served import Served, running, serve, until

pytestmark = pytest.mark.slow

SERVERS = ["daphne", "uvicorn", "granian"]
BOUND = "{ makers { name office { addressLine1 } } }"
ANSWER = (
    '{"data":{"makers":[{"name":"Anvil & Sons","office":{"addressLine1":"1 Quay \\"North\\""}},'
    '{"name":"Birch Bücher","office":null},{"name":"Cobalt","office":{"addressLine1":"3 Mill Lane"}}]}}'
).encode()
# What asyncio and the servers write when an application does not behave.
UNCLEAN = [
    "Exception in ASGI",
    "never retrieved",
    "never awaited",
    "was destroyed",
    "took too long",
]
JSON_HEADERS = {"Content-Type": "application/json"}


@pytest.fixture(scope="module", params=SERVERS)
def served(
    request: pytest.FixtureRequest, site_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The site under each server, with a pool of four, for which a request may wait long."""
    pytest.importorskip(request.param)
    log = tmp_path_factory.mktemp("server") / "log"
    with serve(
        request.param,
        site_database,
        log,
        POOL_MAX_SIZE=4,
        POOL_TIMEOUT_MS=60_000,
        MAX_BODY_BYTES=10_000,
        SSE_HEARTBEAT_MS=50,
    ) as found:
        yield found
    assert not unclean(log)


def test_it_answers_the_same_bytes_in_front_of_django_and_behind(served: Served) -> None:
    in_front = httpx.post(served.url, json={"query": BOUND})
    behind = httpx.post(served.url, json={"query": BOUND}, headers={"Origin": "http://elsewhere"})
    by_get = httpx.get(served.url, params={"query": BOUND})
    short = httpx.post(served.url.rstrip("/"), json={"query": BOUND})

    assert in_front.content == behind.content == by_get.content == short.content == ANSWER
    assert in_front.headers["content-length"] == str(len(ANSWER))
    assert in_front.headers["vary"] == behind.headers["vary"] == "Accept, Cookie"
    assert "referrer-policy" in behind.headers
    assert "referrer-policy" not in in_front.headers


def test_a_connection_serves_on_after_errors(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    good = json.dumps({"query": BOUND})
    cases: list[tuple[str, str, dict[str, str], int]] = [
        ("POST", "{", JSON_HEADERS, 400),
        ("POST", '{"query": "{"}', JSON_HEADERS, 200),
        ("POST", '{"query": "{ failingNow }"}', JSON_HEADERS, 200),
        ("POST", '{"query": "{ nowhere { id } }"}', JSON_HEADERS, 200),
        ("POST", good, {}, 415),
        ("POST", good, JSON_HEADERS | {"Accept": "image/png"}, 406),
        ("PUT", good, JSON_HEADERS, 405),
        ("HEAD", "", {}, 405),
        ("OPTIONS", "", {}, 405),
        ("POST", good, JSON_HEADERS | {"Host": "evil.example"}, 400),
    ]
    connection.connect()
    first = connection.sock
    for method, body, headers, status in cases:
        connection.request(method, "/graphql/", body, headers)
        response = connection.getresponse()
        received = response.read()
        assert (method, response.status) == (method, status)
        assert b"Traceback" not in received
        assert b"canary" not in received

        connection.request("POST", "/graphql/", good, JSON_HEADERS)
        response = connection.getresponse()
        assert (response.read(), response.status) == (ANSWER, 200)
    assert connection.sock is first
    connection.close()


def test_a_body_that_is_too_large_is_refused_and_the_server_serves_on(served: Served) -> None:
    answer = httpx.post(served.url, content=b"x" * 200_000, headers=JSON_HEADERS)
    declared = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    declared.putrequest("POST", "/graphql/")
    declared.putheader("Content-Type", "application/json")
    declared.putheader("Content-Length", "20000")
    declared.endheaders(b"x" * 20_000)
    response = declared.getresponse()

    assert (answer.status_code, response.status) == (413, 413)
    declared.close()
    assert served.ask("{ __typename }") == {"data": {"__typename": "Query"}}


def test_a_body_may_come_slowly_and_in_chunks(served: Served) -> None:
    body = json.dumps({"query": BOUND}).encode()
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as slow:
        slow.sendall(
            b"POST /graphql/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for start in range(0, len(body), 7):
            part = body[start : start + 7]
            slow.sendall(b"%x\r\n%b\r\n" % (len(part), part))
            # Others are served meanwhile.
            assert served.ask("{ __typename }") == {"data": {"__typename": "Query"}}
        slow.sendall(b"0\r\n\r\n")
        response = http.client.HTTPResponse(slow)
        response.begin()

        assert response.read() == ANSWER


def test_an_answer_may_take_its_time(served: Served) -> None:
    assert served.ask("{ naps(where: {id: {eq: 2}}) { note } }") == {
        "data": {"naps": [{"note": "rested"}]}
    }


def test_more_requests_than_connections_are_all_answered(
    served: Served, site_database: str
) -> None:
    with httpx.Client(limits=httpx.Limits(max_connections=100), timeout=30) as client:

        def ask(number: int) -> bytes:
            query = f"{{ makers(limit: {1 + number % 3}) {{ name }} couriers {{ name }} }}"
            return client.post(served.url, json={"query": query}).content

        with ThreadPoolExecutor(100) as threads:
            answers = list(threads.map(ask, range(100)))
    with psycopg.connect(site_database) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'fraiseql'"
        ).fetchone()

    assert [len(json.loads(answer)["data"]["makers"]) for answer in answers] == [
        1 + number % 3 for number in range(100)
    ]
    assert found is not None
    assert found[0] <= 4


def test_the_statement_of_a_client_that_leaves_is_cancelled(
    served: Served, site_database: str
) -> None:
    # Two: the other half of the pool may be kept for statements that are quick.
    leaving = [served.send("{ naps(where: {id: {eq: 3}}) { note } }") for _ in range(2)]
    until(lambda: len(running(site_database)) == 2)
    for connection in leaving:
        connection.close()

    until(lambda: not running(site_database), timeout_s=10)
    assert served.ask("{ naps(where: {id: {eq: 1}}) { note } }") == {
        "data": {"naps": [{"note": "rested"}]}
    }


def test_events_are_sent_as_they_come_and_end_with_the_client(
    served: Served, site_database: str
) -> None:
    asked = {"query": "{ naps(where: {id: {eq: 3}}) { note } }"}
    headers = {"Accept": "text/event-stream"}
    with httpx.stream("POST", served.url, json=asked, headers=headers, timeout=20) as response:
        # Held: an iterator that is dropped closes the connection.
        parts = response.iter_raw()
        first = next(parts)
        was_running = bool(until(lambda: running(site_database)))

    assert (response.status_code, first, was_running) == (200, b":\n\n", True)
    until(lambda: not running(site_database), timeout_s=10)


def post(*headers: bytes) -> bytes:
    """Return a request as it goes over the wire."""
    body = b'{"query": "{ __typename }"}'
    lines = [
        b"POST /graphql/ HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        *headers,
    ]
    return b"\r\n".join([*lines, b"", body])


def test_head_and_body_of_an_answer_come_together_from_uvicorn(served: Served) -> None:
    if "uvicorn" not in served.process.args:  # type: ignore[operator]  # a list
        pytest.skip("of uvicorn")
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        for _ in range(50):
            client.sendall(post())
            answer = client.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b'\r\n\r\n{"data":{"__typename":"Query"}}')


def test_requests_that_do_not_wait_for_answers_are_answered_in_order_until_one_says_close(
    served: Served,
) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        client.sendall(post() * 3 + post(b"Connection: close"))
        received = b""
        while part := client.recv(65_536):
            received += part

    assert received.count(b"HTTP/1.1 200") == 4
    assert received.count(b'{"data":{"__typename":"Query"}}') == 4
    assert received.endswith(b'{"data":{"__typename":"Query"}}')


def test_a_client_that_leaves_within_its_body_is_forgotten(served: Served) -> None:
    for part in (b"", b"{", b'{"query": "{ __typename }"'):
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as leaving:
            leaving.sendall(
                b"POST /graphql/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Content-Length: 100\r\n\r\n" + part
            )

    assert served.ask("{ __typename }") == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("name", SERVERS)
def test_it_ends_when_requests_under_way_have_and_takes_no_new_ones(
    name: str, site_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGAPPNAME", f"{name} that ends")
    with ended(name, 2, site_database, tmp_path / "log") as (served, waiting):
        # It looks ten times a second whether it is to end.
        until(lambda: asked_late(served) != 200)
        late = [asked_late(served) for _ in range(3)]
        served.process.wait(5)
        received = waiting.recv(10_000)

    assert b"rested" in received
    assert set(late) <= {None, 503}
    assert not unclean(tmp_path / "log")
    until(lambda: not clients(site_database, name))


@pytest.mark.parametrize("name", SERVERS)
def test_it_ends_soon_with_a_long_statement_under_way(
    name: str, site_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGAPPNAME", f"{name} that ends")
    with ended(name, 3, site_database, tmp_path / "log") as (served, waiting):
        served.process.wait(10)
        received = waiting.recv(10_000)

    assert b"rested" not in received
    until(lambda: not running(site_database))
    until(lambda: not clients(site_database, name))


@contextmanager
def ended(name: str, nap: int, uri: str, log: Path) -> Iterator[tuple[Served, socket.socket]]:
    """Tell a server to end in the middle of a request; yield the connection that waits for its answer."""
    pytest.importorskip(name)
    with ExitStack() as stack:
        served = stack.enter_context(serve(name, uri, log, DRAIN_MS=1_000))
        query = f"{{ naps(where: {{id: {{eq: {nap}}}}}) {{ note }} }}"
        waiting = stack.enter_context(served.send(query))
        until(lambda: running(uri))
        served.process.send_signal(signal.SIGTERM)
        yield served, waiting


def asked_late(served: Served) -> int | None:
    """Return the status of an answer, None if there is none."""
    try:
        return httpx.post(served.url, json={"query": "{ __typename }"}, timeout=5).status_code
    except httpx.TransportError:
        return None


def clients(uri: str, name: str) -> list[int]:
    """Return the backends that serve a process of PGAPPNAME."""
    with psycopg.connect(uri, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = %s AND pid <> pg_backend_pid()",
            [f"{name} that ends"],
        )
        return [pid for (pid,) in found]


def unclean(log: Path) -> list[str]:
    """Return the signs of an application that does not behave, in what its server wrote."""
    text = log.read_text()
    return [sign for sign in UNCLEAN if sign in text]
