# SPDX-License-Identifier: MIT
"""Figures by their data and their layout, not by their pixels."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
import synthetic
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from pgbench_report import Run, load
from pgbench_report import figure as fig
from pgbench_report.scale import log_scale, plain


def test_a_panel_holds_the_numbers_of_the_file(run: Run) -> None:
    cell = run["/gaussian/gaussian-linear"]
    panel = fig.panel(cell)
    assert panel.batch == 64
    assert len(panel.marks) == 16 and panel.missing == 20
    for mark in panel.marks:
        at = {"estimator": mark.estimator, "baseline": mark.baseline, "batch": 64}
        assert mark.value == float(cell.data["variance_trace"].sel(at))
        assert (mark.low, mark.high) == (float(cell.data["variance_trace_low"].sel(at)), float(cell.data["variance_trace_high"].sel(at)))
        assert mark.exact == float(cell.data["exact_trace"].sel(at))
        assert mark.biased == (mark.baseline in ("mean", "normalised"))
    assert [m.y for m in panel.marks] == sorted({m.y for m in panel.marks})  # nothing drawn over another


def overlapping(drawn: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that cover one another, and texts that leave the picture."""
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [t for t in drawn.findobj(Text) if t.get_visible() and t.get_text().strip()]
    for axes in drawn.axes:  # ticks beyond the limits are kept by matplotlib, but not drawn
        low, high = sorted(axes.get_xlim())
        hidden = [t.label1 for t in axes.xaxis.get_major_ticks() if not low <= t.get_loc() <= high]
        hidden += [t.label2 for t in axes.xaxis.get_major_ticks()]
        texts = [t for t in texts if t not in hidden]
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in texts]
    out = [(a, b) for (a, x), (b, y) in itertools.combinations(boxes, 2) if x.padded(-0.5).overlaps(y.padded(-0.5))]
    page = drawn.bbox
    return out + [(a, "edge") for a, x in boxes if x.x0 < page.x0 or x.x1 > page.x1 or x.y0 < page.y0 or x.y1 > page.y1]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_no_text_overlaps(run: Run, count: int) -> None:
    panels = [fig.panel(cell) for cell in run.cells[:count]]
    with fig.matplotlib.rc_context(fig.FONT):
        assert overlapping(fig.draw(panels, fig.styles(run.cells))) == []


def test_the_caption_says_what_was_measured(run: Run) -> None:
    note = fig.footnote([fig.panel(run["/bandit/softmax-tabular"])])
    assert "10 000 independent batches" in note
    assert "95 % intervals (jackknife)" in note
    assert "exact" in note and "biased" in note
    assert "exact" not in fig.footnote([fig.panel(run["/cartpole/softmax-linear"])])


def test_zero_variance_has_a_place(tmp_path: Path) -> None:
    path = synthetic.write(tmp_path / "zero.h5")
    with h5py.File(path, "r+") as file:
        for name in ("variance_trace", "variance_trace_low", "variance_trace_high", "exact_trace"):
            values = file[f"/bandit/softmax-tabular/{name}"]
            values[0, 3, :] = 0.0
            values[1, 3, :] = 1e-33
    cell = load([path])[0]["/bandit/softmax-tabular"]
    drawn = fig.draw([fig.panel(cell)], fig.styles([cell]))
    fig.save(drawn, tmp_path / "zero.png")
    labels = [t.get_text() for t in drawn.axes[0].texts]
    assert labels == ["← zero", "← 1e-33"]
    assert drawn.axes[0].get_xlim()[0] > 1e-6


def test_a_cell_without_figures_is_an_empty_panel(tmp_path: Path) -> None:
    path = synthetic.write(tmp_path / "nan.h5")
    with h5py.File(path, "r+") as file:
        file["/bandit/softmax-tabular/variance_trace"][...] = np.nan
    cell = load([path])[0]["/bandit/softmax-tabular"]
    panel = fig.panel(cell)
    assert panel.marks == () and panel.missing == 36
    drawn = fig.draw([panel], fig.styles([cell]))
    assert [t.get_text() for t in drawn.axes[0].texts] == ["no finite figure"]


@pytest.mark.parametrize("span", [1.01, 1.3, 2, 3, 7, 15, 60, 500, 1e4, 1e7, 1e11])
@pytest.mark.parametrize("start", [1e-9, 0.0317, 1.0, 96.0, 3.3e5])
def test_axes_have_few_round_ticks(start: float, span: float) -> None:
    scale = log_scale([start, start * span])
    assert scale.low < start and start * span < scale.high
    assert 2 <= len(scale.ticks) <= 7
    assert all(scale.low <= t <= scale.high for t in scale.ticks)
    assert len(set(scale.labels)) == len(scale.labels)
    assert sum(len(t) for t in scale.labels) < 45


def test_tick_labels_are_plain() -> None:
    assert [plain(v) for v in (0.001, 0.3, 20.0, 10000.0, 1e-7, 3e6)] == ["0.001", "0.3", "20", "10000", "10⁻⁷", "3·10⁶"]


def test_svg_inside_a_page_follows_the_theme(run: Run) -> None:
    cell = run["/bandit/softmax-tabular"]
    svg = fig.inline_svg(fig.draw([fig.panel(cell)], fig.styles([cell]), note=False), "cell-1", 'a "title"')
    tree = ElementTree.fromstring(svg)
    assert tree.attrib["aria-label"] == 'a "title"'
    ids = [e.attrib["id"] for e in tree.iter() if "id" in e.attrib]
    assert len(ids) == len(set(ids)) and all(i.startswith("cell-1-") for i in ids)
    assert "var(--ink)" in svg and "var(--series-0)" in svg
    for colour in (fig.INK, fig.MUTED, fig.RULE, *(c for c, _ in fig.STYLES)):
        assert colour not in svg


def test_same_input_same_bytes(run: Run, tmp_path: Path) -> None:
    for suffix in ("png", "svg"):
        for name in ("a", "b"):
            drawn = fig.draw([fig.panel(c) for c in run], fig.styles(run.cells))
            fig.save(drawn, tmp_path / f"{name}.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert math.isclose(len((tmp_path / "a.png").read_bytes()), 150_000, rel_tol=0.9)
