# SPDX-License-Identifier: MIT
"""The figure of a scaling table: rate, efficiency and what the time goes to, over the number of ranks."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .figure import FONT, INK, MUTED, PAPER, RULE, STYLES
from .load import Run
from .scale import log_scale
from .scaling import PHASES, Launch, launches

WIDTH, HEIGHT = 7.4, 4.9  # inches
MODES = ("strong", "weak")
SHARES = ("#0072b2", "#56b4e9", "#d55e00", "#7f7f7f", "#e69f00")  # in the order of PHASES


def draw(run: Run, title: str | None = None) -> Figure:
    """Four panels: rate and efficiency of both modes, then the phases of each mode."""
    rows = _latest_program(launches(run))
    by_mode = {m: [r for r in rows if r.mode == m] for m in MODES}
    with matplotlib.rc_context(FONT):
        figure = Figure(figsize=(WIDTH, HEIGHT), facecolor=PAPER)
        axes = figure.subplots(2, 2)
        _rate(axes[0, 0], by_mode)
        _efficiency(axes[0, 1], by_mode)
        for place, mode in zip(axes[1], MODES, strict=True):
            _phases(place, by_mode[mode], mode)
        keys = [Patch(color=colour, label=name) for name, colour in zip(PHASES, SHARES, strict=True)]
        figure.legend(handles=keys, loc="upper right", bbox_to_anchor=(0.985, 0.5), ncol=len(keys), fontsize=7, frameon=False,
                      labelcolor=INK, columnspacing=1.2, handlelength=1, handletextpad=0.4, borderpad=0)  # fmt: skip
        figure.subplots_adjust(left=0.09, right=0.985, top=0.9, bottom=0.1, wspace=0.25, hspace=0.62)
        figure.text(0.012, 0.975, title or f"Scaling of study {run.attrs.get('study', '')}", fontsize=9.5, fontweight="bold",
                    color=INK, va="top")  # fmt: skip
    return figure


def caption(run: Run) -> str:
    """What the figure shows, in words that hold for this file."""
    every = launches(run)
    rows = _latest_program(every)
    repeats = sorted({int(r.figure("repeats")) for r in rows})
    counted = " to ".join(str(n) for n in dict.fromkeys((repeats[0], repeats[-1])))
    text = (
        "Strong: the same study whatever the ranks; weak: its replicates times the ranks. Each mark is one launch, the "
        f"median of {counted} runs; bars span the fastest and the slowest run. Dashed: perfect scaling of the launches with the "
        "fewest ranks. Bars below: share of each phase in the time of all ranks."
    )
    if any(r.oversubscribed for r in rows):
        text += " Open marks: more ranks than cores, which take turns; no measure of scaling."
    if len(rows) < len(every):
        text += f" {len(every) - len(rows)} launches of other builds or instruction sets are in the table alone."
    return text


def _latest_program(rows: Sequence[Launch]) -> list[Launch]:
    """Launches of different programs make no curve: those of the last one."""
    return [r for r in rows if r.program == rows[-1].program] if rows else []


def _frame(axes: Axes, title: str, ranks: Sequence[int], unit: str) -> None:
    axes.set_facecolor("none")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)
        axes.spines[side].set_linewidth(0.6)
    axes.set_title(title, loc="left", fontsize=8.5, fontweight="bold", color=INK, pad=5)
    axes.tick_params(length=2.5, width=0.6, color=MUTED, labelsize=7, labelcolor=INK, pad=2)
    axes.set_ylabel(unit, fontsize=7.5, color=INK, labelpad=3)
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    if ranks:
        axes.set_xscale("log", base=2)
        axes.set_xticks(ranks, [str(r) for r in ranks])
        axes.set_xticks([], minor=True)
        axes.set_xlim(ranks[0] / 1.3, ranks[-1] * 1.3)
    axes.set_xlabel("ranks", fontsize=7.5, color=INK, labelpad=2)


def _ranks(by_mode: dict[str, list[Launch]]) -> list[int]:
    return sorted({r.ranks for rows in by_mode.values() for r in rows})


def _marks(axes: Axes, rows: Sequence[Launch], mode: str, y: str, scale: float) -> None:
    """A line through the medians of each number of ranks, and a mark with its span for each launch."""
    colour, marker = STYLES[MODES.index(mode)]
    middle = {n: median(r.figure(y) for r in rows if r.ranks == n) * scale for n in sorted({r.ranks for r in rows})}
    axes.plot(list(middle), list(middle.values()), color=colour, linewidth=1.3, zorder=3)
    for r in rows:
        value = r.figure(y) * scale
        wall = r.figure("wall_seconds")
        span = [value * wall / r.figure("wall_seconds_high"), value * wall / r.figure("wall_seconds_low")]
        axes.plot([r.ranks, r.ranks], span, color=colour, linewidth=0.9, zorder=3)
        axes.plot([r.ranks], [value], linestyle="none", marker=marker, markersize=4.5, color=colour, zorder=4,
                  markerfacecolor=PAPER if r.oversubscribed else colour, markeredgewidth=1.0)  # fmt: skip
    axes.plot([], [], color=colour, marker=marker, markersize=4.5, linewidth=1.3, label=mode)


def _rate(axes: Axes, by_mode: dict[str, list[Launch]]) -> None:
    ranks = _ranks(by_mode)
    _frame(axes, "Rate", ranks, "M steps/s")
    for mode, rows in by_mode.items():
        if not rows:
            continue
        _marks(axes, rows, mode, "steps_per_second", 1e-6)
        fewest = min(r.ranks for r in rows)
        base = median(r.figure("steps_per_second") for r in rows if r.ranks == fewest) * 1e-6 / fewest
        axes.plot(ranks, [base * n for n in ranks], color=STYLES[MODES.index(mode)][0], linewidth=0.8, dashes=(4, 3), zorder=2)
    values = [v for line in axes.lines for v in line.get_ydata()]
    scale = log_scale([float(v) for v in values])
    axes.set_yscale("log")
    axes.set_ylim(scale.low, scale.high)
    axes.set_yticks(scale.ticks, scale.labels)
    axes.set_yticks([], minor=True)
    axes.legend(fontsize=7, frameon=False, labelcolor=INK, loc="upper left")


def _efficiency(axes: Axes, by_mode: dict[str, list[Launch]]) -> None:
    _frame(axes, "Efficiency", _ranks(by_mode), "%")
    for mode, rows in by_mode.items():
        if rows:
            _marks(axes, rows, mode, "efficiency", 100)
    axes.axhline(100, color=MUTED, linewidth=0.8, dashes=(4, 3), zorder=2)
    axes.set_ylim(bottom=0, top=max(110.0, axes.get_ylim()[1]))


def _phases(axes: Axes, rows: Sequence[Launch], mode: str) -> None:
    """Shares of the phases, one bar per launch."""
    _frame(axes, f"Where the time goes, {mode}", [], "% of all ranks' time")
    axes.set_ylim(0, 100)
    if not rows:
        axes.text(0.5, 0.5, "no launch", transform=axes.transAxes, ha="center", va="center", color=MUTED)
        axes.set_xticks([])
        return
    shown = sorted(rows, key=lambda r: r.ranks)
    bottom = [0.0] * len(shown)
    for name, colour in zip(PHASES, SHARES, strict=True):
        share = [100 * r.phase(name) / sum(r.phase(p) for p in PHASES) for r in shown]
        axes.bar(range(len(shown)), share, bottom=bottom, width=0.62, color=colour, label=name, zorder=3)
        bottom = [a + b for a, b in zip(bottom, share, strict=True)]
    axes.set_xticks(range(len(shown)), [str(r.ranks) for r in shown])
    axes.set_xlim(-0.6, max(len(shown) - 0.4, 2.4))
