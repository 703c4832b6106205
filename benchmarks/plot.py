"""
Bars as an SVG: narrow enough for a phone, its colours those of the reader's light or dark mode.

By hand: matplotlib knows no colours that follow the reader's mode, and its output differs from version to
version, so that no test could hold it against the figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _MARGIN, _LABELS, _VALUES = 420, 10, 165, 55
_BAR, _STEP, _TITLE = 12, 19, 34
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2937; }
.title { font-weight: 600; }
.page { fill: #ffffff; }
.bar { fill: #9ca3af; }
.ours { fill: #2563eb; }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e7eb; }
  .page { fill: #0d1117; }
  .bar { fill: #6b7280; }
  .ours { fill: #60a5fa; }
}
"""


@dataclass(frozen=True)
class Bar:
    """One bar; ``is_ours``: in the colour that stands out."""

    label: str
    value: float
    is_ours: bool


@dataclass(frozen=True)
class Panel:
    """Bars of one scale, which begins at nought."""

    title: str
    bars: Sequence[Bar]


def plot(title: str, panels: Sequence[Panel]) -> str:
    """Return the panels below one another."""
    top, parts = 0, []
    for panel in panels:
        parts += _panel(panel, top)
        top += _TITLE + _STEP * len(panel.bars)
    height = top + _MARGIN
    described = "; ".join(
        f"{panel.title}: " + ", ".join(f"{bar.label} {bar.value:,.0f}" for bar in panel.bars)
        for panel in panels
    )
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(described)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{_WIDTH}" height="{height}"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _panel(panel: Panel, top: int) -> list[str]:
    longest = max(bar.value for bar in panel.bars)
    room = _WIDTH - _MARGIN * 2 - _LABELS - _VALUES
    lines = [f'<text class="title" x="{_MARGIN}" y="{top + 24}">{escape(panel.title)}</text>']
    for index, bar in enumerate(panel.bars):
        y = top + _TITLE + index * _STEP
        length = max(1.0, room * bar.value / longest)
        x = _MARGIN + _LABELS
        kind = "bar ours" if bar.is_ours else "bar"
        lines += [
            f'<text x="{_MARGIN}" y="{y + _BAR - 1}">{escape(bar.label)}</text>',
            f'<rect class="{kind}" x="{x}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2"/>',
            f'<text x="{x + length + 5:.1f}" y="{y + _BAR - 1}">{bar.value:,.0f}</text>',
        ]
    return lines
