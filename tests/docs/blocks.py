"""Fenced code blocks of a Markdown page, with what their info string asks of the tests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(
    r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```[ \t]*$", flags=re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """
    One block. ``language`` is the first word of its info string, ``words`` are the bare ones after it,
    ``options`` those with ``=``.
    """

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    options: dict[str, str]
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Return the blocks of ``page``, in their order."""
    source = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(source):
        language, *rest = found["info"].split() or [""]
        pairs = [word.partition("=") for word in rest]
        yield Block(
            page=page,
            line=source.count("\n", 0, found.start()) + 1,
            language=language,
            words=tuple(name for name, equals, _ in pairs if not equals),
            options={name: value for name, equals, value in pairs if equals},
            text=found["text"],
        )


def pages(folder: str = ".") -> list[Path]:
    """Return the pages below ``docs/<folder>``."""
    return sorted((DOCS / folder).rglob("*.md"))
