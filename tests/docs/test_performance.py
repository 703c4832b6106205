"""The pages quote the stored figures: they are rendered from them, not typed."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.pages import OURS, PAGES, PLOT, ROOT, picture, quoted, stored


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_quotes_the_stored_figures(page: Path) -> None:
    assert quoted(page) == PAGES[page](stored()).strip()


def test_the_plot_shows_the_stored_figures() -> None:
    text = PLOT.read_text(encoding="utf-8")

    assert text == picture(stored())
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"


def test_every_system_answered_every_operation_of_the_stored_figures() -> None:
    figures = stored()
    answered = {(entry["system"], entry["operation"]) for entry in figures["throughput"]}

    assert OURS in figures["systems"]
    assert answered == {
        (system, operation) for system in figures["systems"] for operation in figures["operations"]
    }
