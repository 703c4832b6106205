"""GraphiQL in a real browser: what it shows, what it sends and what it leaves alone."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from graphql import build_schema, graphql_sync
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from fraiseql import ide

pytestmark = pytest.mark.slow

ENDPOINT = "/graphql/"
HOSTILE = "<img src=x onerror='window.pwned = 1'> [link](javascript:window.pwned=1)"
SCHEMA = build_schema(
    f'''
    type Query {{
      hello(name: String = "world"): String
      "{HOSTILE}"
      hostile: Hostile
      slow: String
    }}

    "{HOSTILE}"
    type Hostile {{
      id: ID
      old: ID @deprecated(reason: "{HOSTILE}")
    }}
    '''
)
TWO_OPERATIONS = "query First { hello } query Second { __typename }"


class Root:
    def hello(self, info: object, name: str) -> str:
        return f"Hello, {name}!"

    def slow(self, info: object) -> str:
        time.sleep(30)
        return "late"


@dataclass
class Site:
    """The endpoint: GraphiQL for browsers, a graphql-core schema for POST, and what it was sent."""

    origin: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    broken: bool = False
    stop: Callable[[], None] = lambda: None

    @property
    def queries(self) -> list[dict[str, Any]]:
        """What was run, besides the introspection that GraphiQL sends by itself."""
        return [post for post in self.posts if post.get("operationName") != "IntrospectionQuery"]


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == ENDPOINT:
                self.reply(200, ide.page(endpoint=path))
            else:
                self.reply(200, ide.asset(path.removeprefix(ENDPOINT + ide.ASSETS)))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.posts.append(body)
            state.headers.append(dict(self.headers.items()))
            if state.broken:
                html = (("Content-Type", "text/html"),)
                self.reply(502, ide.Reply(b"<h1>Bad gateway</h1>", html))
                return
            result = graphql_sync(
                SCHEMA,
                body["query"],
                Root(),
                variable_values=body.get("variables"),
                operation_name=body.get("operationName"),
            )
            headers = (("Content-Type", "application/json"),)
            self.reply(200, ide.Reply(json.dumps(result.formatted).encode(), headers))

        def reply(self, status: int, reply: ide.Reply | None) -> None:
            self.send_response(404 if reply is None else status)
            for name, value in reply.headers if reply else ():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body if reply else b"")

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    state.origin = f"http://127.0.0.1:{httpd.server_port}"

    def stop() -> None:
        httpd.shutdown()
        httpd.server_close()

    state.stop = stop
    yield state
    stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    switches = (
        "no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
        " disable-component-update disable-sync"
    )
    arguments = [f"--{switch}" for switch in switches.split()]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Visit:
    """A browser on the page, and what went wrong meanwhile."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site, self.page = site, page
        self.faults: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(10_000)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def open(self, search: str = "") -> None:
        # Until the schema has arrived, nothing is completed and no operation is known.
        with self.page.expect_response(lambda response: response.request.method == "POST"):
            self.page.goto(f"{self.site.origin}{ENDPOINT}{search}")
        expect(self.editor).to_be_visible()
        expect(self.page.get_by_label("Re-fetch GraphQL schema")).to_be_enabled()

    def write(self, query: str) -> None:
        self.editor.click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(query)

    def run(self) -> None:
        self.page.get_by_label("Execute query").click()

    @property
    def editor(self) -> Locator:
        return self.page.locator(".graphiql-query-editor .CodeMirror")

    @property
    def response(self) -> Locator:
        return self.page.locator(".result-window .CodeMirror-code")


@pytest.fixture
def visit(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """The page in a fresh browser profile; parametrize indirectly with options of the profile."""
    context = browser.new_context(**getattr(request, "param", {}))
    yield Visit(site, context.new_page())
    context.close()


def test_page_loads_from_its_own_server_with_a_clean_console(visit: Visit) -> None:
    visit.open()

    expect(visit.editor).to_contain_text("__typename")
    assert visit.page.title() == f"GraphiQL · {ENDPOINT}"
    assert visit.faults == []
    assert visit.hosts == {urlsplit(visit.site.origin).netloc}


def test_a_typed_query_shows_its_result(visit: Visit) -> None:
    visit.open()
    visit.write('{ hello(name: "GraphiQL") }')
    visit.run()

    expect(visit.response).to_contain_text("Hello, GraphiQL!")
    assert visit.faults == []


def test_names_of_the_schema_are_completed(visit: Visit) -> None:
    visit.open()
    visit.write("{ h")
    visit.page.keyboard.press("Control+Space")

    expect(visit.page.locator(".CodeMirror-hints")).to_contain_text("hello")
    assert visit.faults == []


def test_a_request_needs_a_preflight_and_carries_the_csrf_token(visit: Visit) -> None:
    cookie = {"name": "csrftoken", "value": "token-of-django", "url": visit.site.origin}
    visit.page.context.add_cookies([{**cookie}])  # type: ignore[typeddict-item]  # a plain dict
    visit.open()
    visit.run()

    expect(visit.response).to_contain_text("Query")
    sent = visit.site.headers[-1]
    assert sent["Content-Type"] == "application/json"
    assert sent["GraphQL-Require-Preflight"] == "1"
    assert sent["X-CSRFTOKEN"] == "token-of-django"


def test_the_address_fills_the_editors_and_runs_nothing(visit: Visit) -> None:
    query, variables = "query Greet($name: String) { hello(name: $name) }", '{"name":"Ada"}'
    visit.open(f"?query={quote(query)}&variables={quote(variables)}")

    expect(visit.editor).to_contain_text("query Greet($name: String)")
    expect(visit.page.get_by_label("Variables")).to_contain_text('"name": "Ada"')
    assert visit.site.queries == []

    visit.run()

    expect(visit.response).to_contain_text("Hello, Ada!")


def test_the_address_selects_an_operation(visit: Visit) -> None:
    visit.open(f"?operationName=Second&query={quote(TWO_OPERATIONS)}")
    expect(visit.page.get_by_role("tab")).to_have_text("Second")

    visit.page.get_by_role("button", name="Variables", exact=True).click()
    visit.page.locator(".graphiql-editor-tool .CodeMirror:visible").click()
    visit.page.keyboard.press("Control+Enter")

    expect(visit.response).to_contain_text("__typename")
    assert [post["operationName"] for post in visit.site.queries] == ["Second"]


def test_the_address_does_not_revive_variables_of_an_earlier_visit(visit: Visit) -> None:
    query, variables = "query A($name: String) { hello(name: $name) }", '{"name":"Ada"}'
    visit.open(f"?query={quote(query)}&variables={quote(variables)}")
    visit.page.locator(".graphiql-editor-tool .CodeMirror:visible").click()
    visit.page.keyboard.insert_text(" ")
    visit.page.wait_for_timeout(1_000)  # GraphiQL saves half a second after a change
    visit.open(f"?query={quote('query B { __typename }')}")
    visit.run()

    expect(visit.response).to_contain_text("Query")
    assert visit.site.queries[-1].get("variables") is None


def test_the_documentation_shows_markup_of_descriptions_as_text(visit: Visit) -> None:
    visit.open()
    visit.page.get_by_label("Show Documentation Explorer").click()
    documentation = visit.page.locator(".graphiql-doc-explorer")
    documentation.get_by_role("link", name="Query").click()
    expect(documentation).to_contain_text("<img src=x")
    documentation.get_by_role("link", name="Hostile", exact=True).click()
    expect(documentation).to_contain_text("<img src=x")
    documentation.get_by_role("button", name="Show Deprecated Fields").click()

    expect(documentation).to_contain_text("Deprecated")
    assert documentation.locator("img").count() == 0
    assert documentation.locator("a[href^=javascript]").count() == 0
    assert visit.page.evaluate("window.pwned") is None
    assert visit.faults == []


def test_completion_shows_markup_of_descriptions_as_text(visit: Visit) -> None:
    visit.open()
    visit.write("{ h")
    visit.page.keyboard.press("Control+Space")
    hints = visit.page.locator(".CodeMirror-hints")
    expect(hints).to_contain_text("hostile")
    visit.page.keyboard.press("ArrowDown")

    expect(hints).to_contain_text("<img src=x")
    assert hints.locator("img").count() == 0
    assert visit.page.evaluate("window.pwned") is None
    assert visit.faults == []


@pytest.mark.parametrize("button", ["Open settings dialog", "Open short keys dialog"])
def test_dialogs_respect_the_content_security_policy(visit: Visit, button: str) -> None:
    visit.open()
    visit.page.get_by_label(button).click()
    expect(visit.page.get_by_role("dialog")).to_be_visible()
    visit.page.wait_for_timeout(300)

    assert visit.faults == []


def test_the_menu_of_operations_respects_the_content_security_policy(visit: Visit) -> None:
    visit.open(f"?query={quote(TWO_OPERATIONS)}")
    visit.run()
    visit.page.get_by_role("menuitem", name="Second").click()

    expect(visit.response).to_contain_text("__typename")
    assert visit.faults == []


def test_the_policy_refuses_inline_scripts(visit: Visit) -> None:
    visit.open()
    visit.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.pwned = 1";
          document.body.append(script);
        }"""
    )

    assert visit.page.evaluate("window.pwned") is None
    assert "Content Security Policy" in visit.faults[0]


def test_an_answer_that_is_not_graphql_is_named(visit: Visit) -> None:
    visit.open()
    visit.site.broken = True
    visit.run()

    expect(visit.response).to_contain_text("/graphql/ answered 502 Bad Gateway (text/html)")


def test_a_server_that_is_gone_is_named(visit: Visit) -> None:
    visit.open()
    visit.site.stop()
    visit.run()

    expect(visit.response).to_contain_text("The request to /graphql/ failed")
    expect(visit.response).to_contain_text("Is the server running?")


def test_the_stop_button_aborts_the_request(visit: Visit) -> None:
    visit.open()
    visit.write("{ slow }")
    with visit.page.expect_event("requestfailed") as failed:
        visit.run()
        visit.page.get_by_label("Stop query").click()

    assert failed.value.failure == "net::ERR_ABORTED"
    expect(visit.page.get_by_label("Execute query")).to_be_visible()


def test_a_missing_file_leaves_a_message(visit: Visit) -> None:
    visit.page.route("**/graphiql.min.*.js", lambda route: route.abort())
    visit.page.goto(visit.site.origin + ENDPOINT)

    expect(visit.page.get_by_text("GraphiQL could not be loaded")).to_be_visible()


@pytest.mark.parametrize(
    ("visit", "brightness"),
    [({"color_scheme": "dark"}, "dark"), ({"color_scheme": "light"}, "light")],
    indirect=["visit"],
)
def test_colours_follow_the_system(visit: Visit, brightness: str) -> None:
    visit.open()

    for selector in ("body", ".graphiql-container"):
        colour = visit.page.locator(selector).evaluate("e => getComputedStyle(e).backgroundColor")
        red = int(colour.removeprefix("rgb(").split(",")[0])
        assert red < 64 if brightness == "dark" else red == 255


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_phone_shows_the_answer_below_the_query(visit: Visit) -> None:
    visit.open()
    visit.run()
    expect(visit.response).to_contain_text("Query")

    query = visit.editor.bounding_box()
    response = visit.page.locator(".result-window").bounding_box()
    assert query is not None
    assert response is not None
    assert query["width"] > 300
    assert response["width"] > 350
    assert query["y"] + query["height"] < response["y"]
    assert response["y"] + response["height"] <= 844
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_phone_shows_the_documentation_over_everything(visit: Visit) -> None:
    visit.open()
    visit.page.get_by_label("Show Documentation Explorer").click()
    documentation = visit.page.locator(".graphiql-plugin")
    expect(documentation).to_contain_text("Query")
    box = documentation.bounding_box()
    visit.page.get_by_label("Hide Documentation Explorer").click()

    assert box is not None
    assert box["width"] == 390
    expect(visit.editor).to_be_visible()
