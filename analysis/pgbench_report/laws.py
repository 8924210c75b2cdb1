# SPDX-License-Identifier: MIT
"""Charts over cells: where a study varies one number (horizon, dimension, a target), tr Var against that number."""

from __future__ import annotations

import math
import re
import weakref
from collections.abc import Sequence
from itertools import pairwise

from .charts import SQUARE, _between, measured_on
from .figure import interval_kind
from .load import Cell
from .plot import Axis, Chart, Facet, Law, Point, Series
from .table import rows

FEWEST = 3
_options: weakref.WeakKeyDictionary[Cell, dict[str, str]] = weakref.WeakKeyDictionary()


def options(cell: Cell) -> dict[str, str]:
    """Options of the environment and the policy, as text, and the discount."""
    if cell not in _options:
        _options[cell] = _read_options(cell)
    return _options[cell]


def _read_options(cell: Cell) -> dict[str, str]:
    found = {"gamma": str(cell.data.attrs.get("gamma", ""))}
    for owner in ("env", "policy"):
        text = str(cell.data.attrs.get(f"{owner}_options", "")).strip().strip("{}")
        for part in re.findall(r"(\w+): ((?:\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*\]|[^,\[\]])+)", text):
            if part[0] != "name":
                found[f"{owner} {part[0]}"] = part[1].strip()
    return found


def families(cells: Sequence[Cell]) -> list[tuple[str, list[tuple[float, Cell]]]]:
    """(option, [(value, cell)]) for every set of cells that differ in one number alone."""
    by_kind: dict[tuple[str, str], list[tuple[dict[str, str], Cell]]] = {}
    for cell in cells:
        by_kind.setdefault((cell.env, re.sub(r"_\d+$", "", cell.policy)), []).append((options(cell), cell))
    out = []
    for some in by_kind.values():
        names = dict.fromkeys(n for found, _ in some for n in found)
        varied = [n for n in names if len({found.get(n) for found, _ in some}) > 1]
        if len(some) < FEWEST or len(varied) != 1:
            continue
        values = [(_number(found.get(varied[0], "")), cell) for found, cell in some]
        if all(math.isfinite(v) for v, _ in values) and len({v for v, _ in values}) >= FEWEST:
            out.append((varied[0], sorted(values, key=lambda pair: pair[0])))
    return out


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def charts(cells: Sequence[Cell], batch: int | None = None) -> list[tuple[str, Chart]]:
    """(title, chart) of each family."""
    return [(f"{members[0][1].env}: variance against {option.split()[-1]}", _chart(option, members, batch))
            for option, members in families(cells)]  # fmt: skip


def _chart(option: str, members: Sequence[tuple[float, Cell]], batch: int | None) -> Chart:
    first = members[0][1]
    shared = [n for n in first.batches if all(n in c.batches for _, c in members)]
    shown = batch if batch in shared else shared[0] if shared else first.batches[0]
    name = option.split()[-1]
    log = all(v > 0 for v, _ in members)
    estimators, baselines = first.labels
    facets, said, data, every, laws_drawn = [], [], [], [], False
    tables = [(v, [r for r in rows(c) if r.batch == shown and r.defined]) for v, c in members]
    for estimator in estimators:
        series, laws = [], []
        for j, baseline in enumerate(baselines):
            found = [(v, r) for v, table in tables for r in table if (r.estimator, r.baseline) == (estimator, baseline)]
            points = tuple(Point(v, r.variance_trace, r.variance_trace_low, r.variance_trace_high, r.exact_trace, bool(r.biased),
                                 f", {name} = {v:g}") for v, r in found if r.variance_trace > 0)  # fmt: skip
            data += [(estimator, baseline, v, shown, r.variance_trace, r.variance_trace_low, r.variance_trace_high, r.exact_trace)
                     for v, r in found]  # fmt: skip
            if not points:
                continue
            series.append(Series(baseline, j, points, line=not log))
            slope = _slope(points) if log else math.nan
            if math.isfinite(slope) and abs(slope) > 0.25:
                said.append(f"{estimator} {baseline} {slope:.2f}")
                power, end = round(slope), points[-1]
                top = end.exact if math.isfinite(end.exact) else end.y
                if power:
                    laws_drawn = True
                    laws.append(Law(f"{name}^{power}", tuple((x, top * (x / end.x) ** power) for x in _between(points[0].x, end.x)), j))
        every += [p for s in series for p in s.points]
        if series:
            ticks = tuple((v, f"{v:g}") for v, _ in members) if len(members) <= 7 else ()
            facets.append(Facet(estimator, Axis("horizon [steps]" if name == "horizon" else name, log, ticks), Axis(f"tr Var [{SQUARE}]"), tuple(series), tuple(laws)))
    caption = (f"tr Var of one estimate from a batch of N = {shown} episode{'s' if shown != 1 else ''} in {len(members)} cells that differ in {option} alone; "
               f"{measured_on(first, shown)}. Bars: {interval_kind(first)}.")  # fmt: skip
    if said:
        caption += f" Growth at the end, as the exponent of {name} between the last two points: {'; '.join(said)}."
    if laws_drawn:
        caption += " Dashed: the nearest whole power, through the last point."
    used = {s.name for f in facets for s in f.series}
    marks = (*(["exact"] if any(math.isfinite(p.exact) for p in every) else []), *(["open"] if any(p.open for p in every) else []))
    return Chart(f"by-{name}", f"Variance against {name}", tuple(facets), caption, tuple((b, j) for j, b in enumerate(baselines) if b in used),
                 marks, "nearest whole power" if laws_drawn else "",
                 ("estimator", "baseline", name, "batch", "variance_trace", "low", "high", "exact"), tuple(data))  # fmt: skip


def _slope(points: Sequence[Point]) -> float:
    """Exponent between the last two points, by exact values where both are known."""
    for a, b in list(pairwise(points))[-1:]:
        ya, yb = (a.exact, b.exact) if math.isfinite(a.exact) and math.isfinite(b.exact) else (a.y, b.y)
        if ya > 0 and yb > 0 and b.x > a.x:
            return math.log(yb / ya) / math.log(b.x / a.x)
    return math.nan
