# SPDX-License-Identifier: MIT
"""Charts drawn by matplotlib, for files and notebooks: the same data as on the page."""

from __future__ import annotations

import math
import textwrap

import matplotlib
import matplotlib.lines
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figure import FONT, INK, MUTED, PAPER, RULE, STYLES
from .plot import COLOURS, SHAPES, Axis, Chart, Facet, Strip
from .scale import Scale

WIDTH, HEIGHT, LEGEND, LINE = 3.4, 2.6, 0.2, 0.125  # inches of a facet, of a line of the legend, of the caption
LETTER, GLYPH = 0.062, 0.45  # inches of an entry of the legend: a letter, all else


def draw(chart: Chart, title: str | None = None) -> Figure:
    """All facets of a chart beside each other. Strips are figure.draw's."""
    facets = [f for f in chart.facets if isinstance(f, Facet)]
    if not facets or any(isinstance(f, Strip) for f in chart.facets):
        raise ValueError(f"chart {chart.key} is a strip; figure.draw draws it")
    width = WIDTH * len(facets)
    text = textwrap.fill(title or chart.title, 42 * len(facets))
    caption = textwrap.fill(chart.caption, 65 * len(facets))
    lines, foot = text.count("\n"), 0.1 + LINE * (caption.count("\n") + 1)
    with matplotlib.rc_context(FONT):
        keys = _keys(chart)
        per_row = max(1, int(width / max(GLYPH + LETTER * len(str(k.get_label())) for k in keys)))
        head = 0.34 + 0.15 * lines + LEGEND * -(-len(keys) // per_row)
        height = foot + HEIGHT + head
        figure = Figure(figsize=(width, height), facecolor=PAPER)
        for k, facet in enumerate(facets):
            box = ((k + 0.2) / len(facets), (foot + 0.42) / height, 0.76 / len(facets), (HEIGHT - 0.66) / height)
            _facet(figure.add_axes(box), facet)
        figure.text(0.04 / width, 1 - 0.06 / height, text, fontsize=9.5, fontweight="bold", color=INK, va="top")
        figure.text(0.04 / width, 0.06 / height, caption, fontsize=6.5, color=MUTED, va="bottom", linespacing=1.25)
        figure.legend(handles=keys, loc="upper left", bbox_to_anchor=(0.004, 1 - (0.24 + 0.15 * lines) / height), ncol=per_row, fontsize=7,
                      frameon=False, labelcolor=INK, columnspacing=1.1, handletextpad=0.4)  # fmt: skip
    return figure


def _keys(chart: Chart) -> list[matplotlib.lines.Line2D]:
    """The same entries as plot.legend."""
    keys = [_key(name, style) for name, style in chart.legend]
    if "exact" in chart.marks:
        keys.append(matplotlib.lines.Line2D([], [], color=INK, linestyle="none", marker="_", markersize=8, label="exact"))
    if "open" in chart.marks:
        keys.append(matplotlib.lines.Line2D([], [], color=MUTED, linestyle="none", marker="o", markersize=4, markerfacecolor=PAPER, label="open: biased"))
    if chart.law:
        keys.append(matplotlib.lines.Line2D([], [], color=INK, linewidth=0.9, dashes=(4, 3), label=chart.law))
    return keys


def _style(style: int) -> tuple[str, str]:
    shape = (style + style // COLOURS * 3) % SHAPES
    return STYLES[style % COLOURS][0], STYLES[shape][1]


def _key(name: str, style: int) -> matplotlib.lines.Line2D:
    colour, marker = _style(style)
    return matplotlib.lines.Line2D([], [], color=colour, marker=marker, markersize=4, linewidth=1.1, label=name)


def _facet(axes: Axes, facet: Facet) -> None:
    scales = facet.scales()
    for which, axis, scale in zip("xy", (facet.x, facet.y), scales, strict=True):
        _axis(axes, which, axis, scale)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_title(facet.title, loc="left", fontsize=8, fontweight="bold", color=INK, pad=4)
    for law in facet.laws:
        colour = _style(law.style)[0] if law.style >= 0 else INK
        axes.plot(*zip(*law.points, strict=True), color=colour, linewidth=0.9, dashes=(4, 3), zorder=2, scalex=False, scaley=False)
    for series in facet.series:
        colour, marker = _style(series.style)
        shown = [p for p in series.points if math.isfinite(p.x) and math.isfinite(p.y)]
        if series.line:
            axes.plot([p.x for p in shown], [p.y for p in shown], color=colour, linewidth=1.1, zorder=2.5)
        for p in shown:
            if math.isfinite(p.low) and math.isfinite(p.high):
                axes.plot([p.x, p.x], [p.low, p.high], color=colour, linewidth=1.3, zorder=3)
            if math.isfinite(p.exact):
                axes.plot([p.x], [p.exact], linestyle="none", marker="_", markersize=8, color=INK, zorder=3.5)
            axes.plot([p.x], [p.y], linestyle="none", marker=marker, markersize=4, color=colour, zorder=4,
                      markerfacecolor=PAPER if p.open else colour)  # fmt: skip


def _axis(axes: Axes, which: str, axis: Axis, scale: Scale) -> None:
    setters = {name: getattr(axes, f"set_{which}{name}") for name in ("scale", "lim", "ticks", "label")}
    setters["scale"]("log" if axis.log else "linear")
    setters["lim"](scale.low, scale.high)
    inside = [(t, n) for t, n in zip(scale.ticks, scale.labels, strict=True) if scale.low <= t <= scale.high]
    setters["ticks"]([], minor=True)
    setters["ticks"]([t for t, _ in inside], [n for _, n in inside], fontsize=7, color=INK)
    setters["label"](axis.label, fontsize=7.5, color=INK, labelpad=2)
    axes.tick_params(axis=which, length=2.5, width=0.6, color=MUTED, pad=2)
