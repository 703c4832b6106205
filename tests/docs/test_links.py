"""What the documentation points at is there."""

import pkgutil
import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, pages

README = ROOT / "README.md"
PAGES = [README, *sorted(ROOT.glob("examples/*/README.md")), *pages()]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

_CODE = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
# A path in the repository, written as code: fraiseql/db/link.py, tests/contract/, scripts/test.
_PATH = re.compile(
    r"(?:fraiseql|accelerator|tests|examples|benchmarks|docs|scripts|project_template|changelog\.d)/[\w./-]*"
)
# A Python name: fraiseql.testing, @fraiseql.query, fraiseql.field(key=...); not a check's id.
_DOTTED = re.compile(r"@?(fraiseql(?:\.[a-zA-Z_]\w*)+)(?<!\.[EW]\d\d\d)(?:\(.*\))?")
_MACHINE = re.compile(r"(?<![\w.}/-])/(?:root|home|work|Users|tmp|opt|mnt|usr|var|etc)/[\w.-]+")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for found in _LINK.finditer(_CODE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = found["target"].partition("#")
        if "://" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(found["target"])

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_paths_written_as_code_exist(page: Path) -> None:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    named = {path for span in _SPAN.findall(text) if (path := _path(span))}

    assert sorted(path for path in named if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_python_names_written_as_code_exist(page: Path) -> None:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    found = (_DOTTED.fullmatch(span) for span in _SPAN.findall(text))
    named = {match[1] for match in found if match}

    assert sorted(name for name in named if not _exists(name)) == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_path_of_a_machine_is_named(page: Path) -> None:
    assert _MACHINE.findall(page.read_text(encoding="utf-8")) == []


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {
        (index.parent / found["target"].partition("#")[0]).resolve()
        for found in _LINK.finditer(index.read_text(encoding="utf-8"))
    }

    assert [str(page.relative_to(ROOT)) for page in pages() if page not in linked | {index}] == []


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) < 120


def anchors(page: Path) -> set[str]:
    """Return the anchors that forges give the headings of ``page``."""
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ +(.+?) *$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _exists(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def _path(span: str) -> str | None:
    path = _PATH.fullmatch(span)
    return path.group() if path else None
