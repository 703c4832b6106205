"""The GraphiQL page and its files, as bytes and headers."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.storage import FileSystemStorage
from django.test import override_settings

from fraiseql import ide

VENDORED = Path(ide.__file__).parent / "static/fraiseql/graphiql"


class Tags(HTMLParser):
    """The start tags of a page, with their attributes, and the text of its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def values(self, tag: str, attribute: str) -> list[str]:
        return [attrs[attribute] for name, attrs in self.tags if name == tag and attribute in attrs]


def tags(endpoint: str) -> Tags:
    return Tags(ide.page(endpoint=endpoint).body.decode())


def files(page: Tags) -> list[str]:
    styles = [attrs["href"] for _, attrs in page.tags if attrs.get("rel") == "stylesheet"]
    return page.values("script", "src") + styles


@pytest.mark.parametrize("endpoint", ["/graphql/", "/graphql"])
def test_every_file_of_the_page_is_served_below_the_endpoint(endpoint: str) -> None:
    paths = files(tags(endpoint))

    assert len(paths) == 6
    for path in paths:
        reply = ide.asset(path.removeprefix("/graphql/assets/"))
        assert reply is not None
        assert dict(reply.headers)["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_name_of_a_file_changes_with_its_bytes() -> None:
    for path in files(tags("/graphql/")):
        name = path.removeprefix("/graphql/assets/")
        reply = ide.asset(name)

        assert reply is not None
        assert hashlib.sha256(reply.body).hexdigest()[:12] == name.split(".")[-2]


@pytest.mark.parametrize(
    "name",
    ["", ".", "page.js", "VENDORED.md", "../page.js", "..%2f..%2fconf.py", "/etc/hostname", "\0"],
)
def test_other_names_are_no_files(name: str) -> None:
    assert ide.asset(name) is None


@pytest.mark.parametrize("suffix", [".js", ".css"])
def test_files_have_the_type_browsers_insist_on(suffix: str) -> None:
    expected = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}[suffix]
    paths = [path for path in files(tags("/graphql/")) if path.endswith(suffix)]

    assert paths
    for path in paths:
        reply = ide.asset(path.removeprefix("/graphql/assets/"))
        assert reply is not None
        assert ("Content-Type", expected) in reply.headers
        assert ("X-Content-Type-Options", "nosniff") in reply.headers


def test_the_policy_allows_no_inline_script_and_no_other_host() -> None:
    headers = dict(ide.page(endpoint="/graphql/").headers)
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    nonce = policy.pop("style-src")

    assert re.fullmatch(r"'self' 'nonce-[\w-]{22}'", nonce)
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_the_nonce_is_new_each_time_and_never_kept() -> None:
    first, second = (ide.page(endpoint="/graphql/") for _ in range(2))

    assert first.body != second.body
    assert dict(first.headers)["Cache-Control"] == "no-store"
    assert dict(first.headers)["Vary"] == "Accept"


def test_the_page_itself_obeys_the_policy() -> None:
    page = tags("/graphql/")

    assert all("src" in attrs for name, attrs in page.tags if name == "script")
    assert not any(name == "style" or "style" in attrs for name, attrs in page.tags)
    assert not any(key.startswith("on") for _, attrs in page.tags for key in attrs)


def test_a_hostile_path_stays_text() -> None:
    page = tags('/"><script src=x>{nonce}')

    assert len(page.values("script", "src")) == 4
    assert page.values("div", "data-endpoint") == ["/%22%3E%3Cscript%20src%3Dx%3E%7Bnonce%7D"]


@pytest.mark.parametrize("path", ["//evil.example/graphql", "/\\evil.example/graphql"])
def test_a_path_never_names_another_server(path: str) -> None:
    page = tags(path)

    for url in [*files(page), *page.values("div", "data-endpoint")]:
        assert re.match(r"/[^/\\]", url)


def test_an_endpoint_below_a_mount_point_keeps_it() -> None:
    assert files(tags("/api/graphql/"))[0].startswith("/api/graphql/assets/")


def test_a_non_ascii_endpoint_is_quoted() -> None:
    assert tags("/données/").values("div", "data-endpoint") == ["/donn%C3%A9es/"]


@override_settings(CSRF_COOKIE_NAME="shop", CSRF_HEADER_NAME="HTTP_X_SHOP_TOKEN")
def test_csrf_names_come_from_the_settings() -> None:
    page = tags("/graphql/")

    assert page.values("div", "data-csrf-cookie") == ["shop"]
    assert page.values("div", "data-csrf-header") == ["X-SHOP-TOKEN"]


def test_vendored_files_are_the_ones_recorded() -> None:
    recorded = re.findall(
        r"\| `([\w.-]+)` \|.*`([0-9a-f]{64})`", (VENDORED / "VENDORED.md").read_text("utf-8")
    )

    assert len(recorded) == 4
    for name, digest in recorded:
        assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == digest


def test_vendored_files_name_their_licenses() -> None:
    licenses = (VENDORED / "LICENSES.txt").read_text("utf-8")

    for package in ("graphiql", "react", "react-dom", "codemirror", "graphql", "markdown-it"):
        assert re.search(rf"^(.*, )?{package}(,.*)?$", licenses, re.MULTILINE)


def test_collectstatic_accepts_the_files_with_a_manifest(tmp_path: Path) -> None:
    """Django's manifest storage follows every url() and source map, and stops at a missing one."""
    source = FileSystemStorage(VENDORED)
    storage = ManifestStaticFilesStorage(location=tmp_path, base_url="/static/")
    names = source.listdir("")[1]
    for name in names:
        with source.open(name) as file:
            storage.save(name, file)

    processed = list(storage.post_process({name: (source, name) for name in names}))

    assert [error for *_, error in processed if isinstance(error, Exception)] == []
