# SPDX-License-Identifier: MIT
"""What the scripts of this folder share: a result file in, the published figure redrawn beside the measured one out."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pgbench_report import Run, chart_figure, load  # noqa: E402
from pgbench_report.laws import options  # noqa: E402
from pgbench_report.plot import Axis, Chart, Facet, Law, Point, Series  # noqa: E402
from pgbench_report.table import Row, rows  # noqa: E402


@dataclass(frozen=True)
class Curve:
    """One published curve: name, its value at x, and what was measured for it."""

    name: str
    published: Callable[[float], float]
    measured: Callable[[Row], float]
    estimator: str
    baseline: str
    batch: int | None = None  # None: of every batch size, x is then given by `place`


def option(name: str) -> Callable[[int, dict[str, str], Row], float]:
    """x is an option of the environment."""
    return lambda _, found, __: float(found[f"env {name}"])


def compare(run: Run, curves: Sequence[Curve], place: Callable[[int, dict[str, str], Row], float], x: Axis, y: Axis, titles: tuple[str, str],
            span: tuple[float, float], cells: Sequence[int] | None = None) -> Chart:  # fmt: skip
    """Left the published curves, right the same curves dashed under the measured marks."""
    grid = [span[0] + (span[1] - span[0]) * k / 120 for k in range(121)]
    if x.log:
        grid = [span[0] * (span[1] / span[0]) ** (k / 120) for k in range(121)]
    left, right, laws = [], [], []
    for i, curve in enumerate(curves):
        marks = []
        for k, cell in enumerate(run.cells):
            for r in rows(cell):
                fits = (r.estimator, r.baseline) == (curve.estimator, curve.baseline) and curve.batch in (None, r.batch)
                value = curve.measured(r) if fits and (cells is None or k in cells) else math.nan
                if math.isfinite(value):
                    marks.append(Point(place(k, options(cell), r), value))
        published = [(v, curve.published(v)) for v in sorted({*grid, *(p.x for p in marks)})]
        left.append(Series(curve.name, i, tuple(Point(v, curve.published(v)) for v in grid[::20])))
        laws.append(Law(curve.name, tuple(published), i))
        right.append(Series(curve.name, i, tuple(marks)))
    facets = (Facet(titles[0], x, y, tuple(left), tuple(laws)), Facet(titles[1], x, y, tuple(right), tuple(laws)))
    return Chart("published", titles[0], facets, "", tuple((c.name, i) for i, c in enumerate(curves)), law="published")


def worst(chart: Chart) -> float:
    """Largest distance of a mark to its published curve: relative on a logarithmic axis, else in units of the axis."""
    out = 0.0
    right = chart.facets[1]
    assert isinstance(right, Facet)
    for series, law in zip(right.series, right.laws, strict=True):
        assert series.points, f"{series.name}: nothing was measured"
        for p in series.points:
            y = dict(law.points)[p.x]
            out = max(out, abs(p.y / y - 1) if right.y.log else abs(p.y - y))
    return out


def main(make: Callable[[Run], Chart], study: str) -> int:
    if len(sys.argv) not in (2, 3):
        print(f"usage: {sys.argv[0]} FILE.h5 [PICTURE]; FILE.h5 from: pgbench --study {study} -o FILE.h5", file=sys.stderr)
        return 2
    picture = Path(sys.argv[2] if len(sys.argv) == 3 else f"{study}.png")
    chart = make(load([sys.argv[1]])[0])
    chart_figure.draw(chart, f"{study}: published and measured").savefig(picture, dpi=150)
    print(f"{picture}: the farthest mark is {100 * worst(chart):.4f} % from the published curve")
    return 0
