# SPDX-License-Identifier: MIT
"""The figure of a study: tr Var per estimator and baseline, with intervals and exact values; one panel per cell."""

from __future__ import annotations

import html
import io
import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402

from .load import Cell  # noqa: E402
from .scale import Scale, log_scale  # noqa: E402
from .table import rows, shown_batch  # noqa: E402

# Okabe and Ito's colours for all kinds of colour vision (jfly.uni-koeln.de/color, 2008), without the yellow that
# is lost on white; the marker says the same again without colour.
STYLES = (
    ("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"),
    ("#e69f00", "v"), ("#56b4e9", "P"), ("#7f7f7f", "X"),
)  # fmt: skip
INK, MUTED, RULE, BAND, PAPER = "#1a1a1b", "#5c5f66", "#d9dbe0", "#f4f5f7", "#fefefe"

SIZE = 3.7  # points, of a mark
SLOT = 0.128  # inches per mark
GAP = 0.07  # inches between baselines
RIGHT, HEAD, FOOT = 0.14, 0.30, 0.42  # inches around a panel
PANELS = 8  # per figure file
FONT = {"font.size": 8, "font.family": "DejaVu Sans", "svg.hashsalt": "pgbench", "svg.fonttype": "path"}


@dataclass(frozen=True)
class Mark:
    """One measured pair, and where it stands in its panel (y, in slots from the top)."""

    estimator: str
    baseline: str
    y: float
    value: float
    low: float
    high: float
    exact: float
    biased: bool


@dataclass(frozen=True)
class Panel:
    cell: Cell
    batch: int
    marks: tuple[Mark, ...]
    bands: tuple[tuple[str, float, float], ...]  # baseline, from, to (y)
    missing: int  # pairs of the study without a figure at this batch size
    title: str

    @property
    def height(self) -> float:
        """Inches."""
        return max(3 * SLOT, self.bands[-1][2] * SLOT) if self.bands else 3 * SLOT


def panel(cell: Cell, batch: int | None = None, title: str | None = None) -> Panel:
    """What a panel shows, as data."""
    batch = shown_batch(cell, batch)
    table = [r for r in rows(cell) if r.batch == batch]
    marks: list[Mark] = []
    bands: list[tuple[str, float, float]] = []
    y = 0.0
    for baseline in cell.labels[1]:
        found = [r for r in table if r.baseline == baseline and r.defined]
        if not found:
            continue
        top, y = y, y + GAP / SLOT / 2
        for r in found:
            marks.append(Mark(r.estimator, baseline, y + 0.5, r.variance_trace, r.variance_trace_low,
                              r.variance_trace_high, r.exact_trace, bool(r.biased)))  # fmt: skip
            y += 1
        y += GAP / SLOT / 2
        bands.append((baseline, top, y))
    return Panel(cell, batch, tuple(marks), tuple(bands), len(table) - len(marks), title or cell.title)


def styles(cells: Sequence[Cell]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each estimator, the same in every panel of a report."""
    names = list(dict.fromkeys(e for cell in cells for e in cell.labels[0]))
    return {name: STYLES[i % len(STYLES)] for i, name in enumerate(names)}


def draw(panels: Sequence[Panel], style: dict[str, tuple[str, str]], columns: int = 2, note: bool = True) -> Figure:
    """All panels in one figure. Places are counted in inches: labels keep their size, whatever is shown."""
    places, label, plot, depth = _arrange(panels, min(columns, len(panels)))
    width = min(columns, len(panels)) * (label + plot + RIGHT)
    legend = _legend(panels, style)
    legend_rows, per_row = _fold(legend, width)
    top = 0.04 + 0.17 * legend_rows
    text = _fill(footnote(panels), width) if note else ""
    bottom = 0.04 + 0.125 * len(text.splitlines())
    height = top + depth + bottom
    with matplotlib.rc_context(FONT):
        figure = Figure(figsize=(width, height), facecolor=PAPER)
        for p, (column, y) in zip(panels, places, strict=True):
            x = column * (label + plot + RIGHT) + label
            box = (x / width, (height - top - y - p.height) / height, plot / width, p.height / height)
            _draw_panel(figure.add_axes(box), p, style)
        figure.legend(handles=_by_rows(legend, legend_rows, per_row), loc="upper left", ncol=per_row, frameon=False,
                      fontsize=7.5, labelcolor=INK, bbox_to_anchor=(0.06 / width, 1 - 0.06 / height), borderpad=0,
                      borderaxespad=0, columnspacing=1.3, handletextpad=0.5, labelspacing=0.35)  # fmt: skip
        if text:
            figure.text(0.06 / width, 0.05 / height, text, fontsize=6.5, color=MUTED, va="bottom", linespacing=1.25)
    return figure


def _arrange(panels: Sequence[Panel], columns: int) -> tuple[list[tuple[int, float]], float, float, float]:
    """(column, inches from the top) of each panel, width of labels and plots, depth of all. A panel goes where most
    room is left."""
    longest = max((len(b) for p in panels for b, _, _ in p.bands), default=4)
    filled = [0.0] * columns
    places = []
    for p in panels:
        column = filled.index(min(filled))
        places.append((column, filled[column] + HEAD))
        filled[column] += HEAD + p.height + FOOT
    return places, 0.14 + 0.059 * longest, 2.35 if columns > 1 else 3.6, max(filled)


def _draw_panel(axes: Axes, p: Panel, style: dict[str, tuple[str, str]]) -> None:
    depth = p.bands[-1][2] if p.bands else 3.0
    axes.set_ylim(depth, 0)
    axes.set_facecolor("none")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.spines["bottom"].set_linewidth(0.6)
    axes.set_title(p.title, loc="left", fontsize=8.5, fontweight="bold", color=INK, pad=5)
    axes.set_title(f"N = {p.batch}", loc="right", fontsize=7.5, color=MUTED, pad=5)
    axes.set_yticks([(a + b) / 2 for _, a, b in p.bands], [name for name, _, _ in p.bands], fontsize=7.5, color=INK)
    axes.tick_params(axis="y", length=0, pad=3)
    if not p.marks:
        axes.text(0.5, 0.5, "no finite figure", transform=axes.transAxes, ha="center", va="center", color=MUTED)
        axes.set_xticks([])
        return
    scale = log_scale([v for m in p.marks for v in (m.value, m.low, m.high, m.exact)])
    _draw_axis(axes, scale, str(p.cell.data["variance_trace"].attrs.get("units", "1")))
    for i, (_, a, b) in enumerate(p.bands):
        if i % 2 == 0:
            axes.axhspan(a, b, color=BAND, linewidth=0, zorder=0)
    for m in p.marks:
        _draw_mark(axes, m, scale, *style[m.estimator])


def _draw_axis(axes: Axes, scale: Scale, unit: str) -> None:
    axes.set_xscale("log")
    axes.set_xlim(scale.low, scale.high)
    axes.set_xticks(scale.ticks, scale.labels, fontsize=7, color=INK)
    axes.set_xticks([], minor=True)
    axes.tick_params(axis="x", length=2.5, width=0.6, color=MUTED, pad=2)
    axes.grid(axis="x", color=RULE, linewidth=0.5, zorder=0.5)
    axes.set_axisbelow(True)
    named = "" if unit in ("", "1") else f" [{unit.replace('^2', '²')}]"
    axes.set_xlabel(f"tr Var{named}", fontsize=7.5, color=INK, labelpad=2)


def _draw_mark(axes: Axes, m: Mark, scale: Scale, colour: str, marker: str) -> None:
    if math.isfinite(m.low) and math.isfinite(m.high):
        axes.plot([scale.clip(m.low), scale.clip(m.high)], [m.y, m.y], color=colour, linewidth=1.3, zorder=3,
                  solid_capstyle="butt")  # fmt: skip
    if math.isfinite(m.exact):
        x = scale.clip(m.exact)
        axes.plot([x, x], [m.y - 0.5, m.y + 0.5], color=INK, linewidth=1.0, zorder=2.5, solid_capstyle="butt",
                  clip_on=False)  # fmt: skip
    axes.plot([scale.clip(m.value)], [m.y], linestyle="none", marker=marker, markersize=SIZE, color=colour, zorder=4,
              markerfacecolor=PAPER if m.biased else colour, markeredgewidth=1.0, clip_on=False)  # fmt: skip
    if scale.below(m.value):
        text = "zero" if m.value == 0 else f"{m.value:.0e}"
        axes.annotate(f"← {text}", (scale.low, m.y), xytext=(5, 0), textcoords="offset points", va="center",
                      fontsize=6.5, color=MUTED)  # fmt: skip


def _legend(panels: Sequence[Panel], style: dict[str, tuple[str, str]]) -> list[Line2D]:
    marks = [m for p in panels for m in p.marks]
    used = {m.estimator for m in marks}
    line = {"linestyle": "-", "linewidth": 1.3, "markersize": SIZE}
    entries = [Line2D([], [], color=c, marker=k, label=name, **line) for name, (c, k) in style.items() if name in used]
    if any(math.isfinite(m.exact) for m in marks):
        entries.append(Line2D([], [], color=INK, marker="|", markersize=8, linestyle="none", label="exact"))
    if any(m.biased for m in marks):
        entries.append(Line2D([], [], color=MUTED, marker="o", markerfacecolor=PAPER, markersize=SIZE,
                              linestyle="none", label="open: biased"))  # fmt: skip
    return entries


def _fold(entries: Sequence[Line2D], width: float) -> tuple[int, int]:
    """Rows and columns of a legend that fits the width (inches)."""
    widths = [0.47 + 0.058 * len(str(e.get_label())) for e in entries]
    for count in range(1, len(entries) + 1):
        per_row = -(-len(entries) // count)
        if sum(max(widths[c::per_row]) for c in range(per_row)) <= width - 0.1:
            return count, per_row
    return len(entries), 1


def _by_rows(entries: Sequence[Line2D], count: int, per_row: int) -> list[Line2D]:
    """matplotlib fills a legend column by column; this order makes it read row by row."""
    return [entries[r * per_row + c] for c in range(per_row) for r in range(count) if r * per_row + c < len(entries)]


def footnote(panels: Sequence[Panel]) -> str:
    """What was measured, in words that hold for every panel."""
    counts = sorted({n for p in panels if (n := p.cell.replicates(p.batch)) is not None})
    replicates = " to ".join(f"{n:,}".replace(",", " ") for n in dict.fromkeys((counts[:1] + counts[-1:])))
    text = "tr Var: variance, summed over the parameters, of one gradient estimate from a batch of N episodes"
    text += f", measured over {replicates} independent batches." if counts else "."
    text += f" Bars: {interval_kind(panels[0].cell)}."
    if any(math.isfinite(m.exact) for p in panels for m in p.marks):
        text += " Black strokes: exact values."
    if any(m.biased for p in panels for m in p.marks):
        text += " Open marks: the estimate is biased."
    return text


def interval_kind(cell: Cell) -> str:
    """As the file states it (long_name of the lower end), else no more than the schema promises."""
    stated = re.search(r"\(([^)]+)\)", str(cell.data["variance_trace_low"].attrs.get("long_name", "")))
    return "95 % intervals" + (f" ({stated.group(1)})" if stated else "")


def _fill(text: str, width: float) -> str:
    """Lines of at most `width` inches at 6.5 points."""
    return "\n".join(textwrap.wrap(text, max(30, int((width - 0.15) / 0.0505))))


def pages(panels: Sequence[Panel]) -> list[Sequence[Panel]]:
    return [panels[i : i + PANELS] for i in range(0, len(panels), PANELS)]


def save(figure: Figure, path: Path) -> None:
    """PNG at 200 dpi, or SVG; the same input gives the same bytes."""
    with matplotlib.rc_context(FONT):
        metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix, {"Software": None})
        figure.savefig(path, dpi=200, metadata=metadata)


def inline_svg(figure: Figure, prefix: str, title: str) -> str:
    """SVG to stand inside a page: colours follow the page's theme, ids are its own, a title for screen readers."""
    out = io.StringIO()
    with matplotlib.rc_context(FONT):
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=metadata)
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    names = {INK: "ink", MUTED: "muted", RULE: "rule", BAND: "band", PAPER: "paper"}
    names |= {colour: f"series-{i}" for i, (colour, _) in enumerate(STYLES)}
    for colour, name in names.items():
        svg = svg.replace(colour, f"var(--{name})")
    head = f'<svg role="img" aria-label="{html.escape(title)}" class="figure"'
    return svg.replace("<svg", head, 1)
