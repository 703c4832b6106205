"""
Generated files on disk: what is new is written, what somebody has changed is shown and kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from django.apps import AppConfig


@dataclass(frozen=True)
class Draft:
    """
    A text for a file of an application. ``path``: in its folder.

    ``adds``: it is what the file holds with something added, so that nothing of anybody's is lost.
    """

    app: AppConfig
    path: str
    text: str
    adds: bool = False

    @property
    def file(self) -> Path:
        """Return where it belongs."""
        return Path(self.app.path, self.path)

    @property
    def shown(self) -> str:
        """Return the path that people are told."""
        return f"{Path(self.app.path).name}/{self.path}"


@dataclass(frozen=True)
class Outcome:
    """What becomes of a draft: ``written``, ``unchanged``, or ``differs``, with the ``diff``."""

    draft: Draft
    state: str
    diff: str = ""


def compare(drafts: Iterable[Draft], *, force: bool) -> list[Outcome]:
    """Return what becomes of each draft. ``force``: what differs is written over."""
    return [_compare(draft, force) for draft in drafts]


def write(outcomes: Iterable[Outcome]) -> None:
    """Write what is to be written."""
    for outcome in outcomes:
        if outcome.state == "written":
            outcome.draft.file.parent.mkdir(parents=True, exist_ok=True)
            outcome.draft.file.write_text(outcome.draft.text, encoding="utf-8")


def _compare(draft: Draft, force: bool) -> Outcome:
    if not draft.file.exists():
        return Outcome(draft, "written")
    found = draft.file.read_text(encoding="utf-8")
    if found == draft.text:
        return Outcome(draft, "unchanged")
    lines = (found.splitlines(keepends=True), draft.text.splitlines(keepends=True))
    diff = "".join(unified_diff(*lines, draft.shown, f"{draft.shown}, generated", n=1))
    return Outcome(draft, "written" if force or draft.adds else "differs", diff)
