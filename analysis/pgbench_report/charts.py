# SPDX-License-Identifier: MIT
"""What a page shows of one cell, as charts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from .figure import footnote, interval_kind, panel
from .load import Cell
from .plot import NAN, Axis, Chart, Facet, Law, Point, Series, Strip
from .table import Row, number, rows, shown_batch

SQUARE = "(return/parameter)²"
SHOWN_PARAMETERS, MOST_PARAMETERS = 64, 4096  # one by one; at all
CURVE = 240  # points of a law's curve


def of_cell(cell: Cell, batch: int | None = None) -> list[Chart]:
    """Every chart that the cell has figures for; the first is the variance, which every cell has."""
    batch = shown_batch(cell, batch)
    table = rows(cell)
    found = (ratio(cell, table, batch), against_batch(cell, table), bias(cell, table), cosine(cell, table), parameters(cell, batch))
    return [variance(cell, table, batch), *(c for c in found if c is not None)]


def measured_on(cell: Cell, batch: int | None) -> str:
    """Episodes and replicates, in words."""
    if batch is None:
        counts = sorted({n for b in cell.batches if (n := cell.replicates(b)) is not None})
        return f"{_count(counts[0])} independent batches at each N" if len(counts) == 1 else "independent batches"
    count = cell.replicates(batch)
    episodes = f"{_count(batch)} episode{'s' if batch != 1 else ''}"
    return f"{_count(count)} independent batches of {episodes}" if count else f"batches of {episodes}"


def _count(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def _marks(points: Sequence[Point]) -> tuple[str, ...]:
    return (*(["exact"] if any(math.isfinite(p.exact) for p in points) else []), *(["open"] if any(p.open for p in points) else []))


# ---- Strips: one line per pair ----


def _strip(cell: Cell, table: Sequence[Row], batch: int, title: str, axis: str, rule: float,
           point: Callable[[Row], Point]) -> tuple[Strip, tuple[tuple[str, int], ...], list[Row]]:  # fmt: skip
    estimators, baselines = cell.labels
    shown = [r for r in table if r.batch == batch and r.defined and math.isfinite(point(r).x)]
    bands = []
    for baseline in baselines:
        marks = tuple((estimators.index(r.estimator), r.estimator, point(r)) for r in shown if r.baseline == baseline)
        if marks:
            bands.append((baseline, marks))
    used = {r.estimator for r in shown}
    legend = tuple((e, i) for i, e in enumerate(estimators) if e in used)
    return Strip(title, Axis(axis), tuple(bands), rule), legend, shown


def variance(cell: Cell, table: Sequence[Row], batch: int) -> Chart:
    def point(r: Row) -> Point:
        return Point(r.variance_trace, 0, r.variance_trace_low, r.variance_trace_high, r.exact_trace, bool(r.biased))

    strip, legend, shown = _strip(cell, table, batch, f"Variance, N = {batch}", f"tr Var [{SQUARE}]", NAN, point)
    drawn = panel(cell, batch, cell.title)
    caption = footnote([drawn])
    if drawn.missing:
        caption += f" {drawn.missing} {'pair has' if drawn.missing == 1 else 'pairs have'} no figure at N = {batch}; the table says why."
    data = tuple((r.estimator, r.baseline, r.batch, r.variance_trace, r.variance_trace_low, r.variance_trace_high, r.exact_trace,
                  int(bool(r.biased))) for r in shown)  # fmt: skip
    return Chart("variance", "Variance by estimator and baseline", (strip,), caption, legend, _marks([point(r) for r in shown]),
                 columns=("estimator", "baseline", "batch", "variance_trace", "low", "high", "exact", "biased"), data=data)  # fmt: skip


def ratio(cell: Cell, table: Sequence[Row], batch: int) -> Chart | None:
    """tr Var over that of baseline none."""
    exact = {r.estimator: r.exact_trace for r in table if r.batch == batch and r.baseline == "none"}

    def point(r: Row) -> Point:
        none = exact.get(r.estimator, NAN)
        known = r.exact_trace / none if none > 0 else NAN
        return Point(r.variance_ratio, 0, r.variance_ratio_low, r.variance_ratio_high, known, bool(r.biased))

    wanted = [r for r in table if r.baseline != "none"]
    strip, legend, shown = _strip(cell, wanted, batch, f"Ratio to none, N = {batch}", "tr Var over that of baseline none", 1.0, point)
    if not shown:
        return None
    caption = ("tr Var over that of baseline none of the same estimator; left of the dashed line the baseline helps. "
               f"{measured_on(cell, batch).capitalize()}, the same for both. Bars: 95 % intervals of the ratio, paired.")  # fmt: skip
    data = tuple((r.estimator, r.baseline, r.batch, r.variance_ratio, r.variance_ratio_low, r.variance_ratio_high, point(r).exact,
                  int(bool(r.biased))) for r in shown)  # fmt: skip
    marks = _marks([point(r) for r in shown])
    caption += " Strokes: exact values." if "exact" in marks else ""
    caption += " Open marks: the estimate is biased, and a smaller variance may be paid for by bias." if "open" in marks else ""
    return Chart("ratio", "Ratio to no baseline", (strip,), caption, legend, marks, "no effect",
                 ("estimator", "baseline", "batch", "variance_ratio", "low", "high", "exact", "biased"), data)  # fmt: skip


# ---- Laws ----


def against_batch(cell: Cell, table: Sequence[Row]) -> Chart | None:
    """tr Var over N, with c/N through the largest N of each pair."""
    if len(cell.batches) < 2:
        return None
    estimators, baselines = cell.labels
    facets, points, data, seen, same = [], [], [], {}, []
    for estimator in estimators:
        series, laws, lines = [], [], []
        for j, baseline in enumerate(baselines):
            found = sorted((r for r in table if (r.estimator, r.baseline) == (estimator, baseline) and r.variance_trace > 0),
                           key=lambda r: r.batch)  # fmt: skip
            if not found:
                continue
            marks = tuple(Point(r.batch, r.variance_trace, r.variance_trace_low, r.variance_trace_high, r.exact_trace, bool(r.biased),
                                f", N = {r.batch}") for r in found)  # fmt: skip
            last = marks[-1]
            scale = last.x * (last.exact if math.isfinite(last.exact) else last.y)
            series.append(Series(baseline, j, marks))
            laws.append(Law("1/N", tuple((x, scale / x) for x in _between(cell.batches[0], cell.batches[-1])), j))
            lines += [(estimator, baseline, r.batch, r.variance_trace, r.variance_trace_low, r.variance_trace_high, r.exact_trace,
                       scale / r.batch) for r in found]  # fmt: skip
        data += lines
        key = tuple((p.x, p.y) for s in series for p in s.points)
        if key and key in seen:
            same.append(f"{estimator} as {seen[key]}")
        elif key:
            seen[key] = estimator
            points += [p for s in series for p in s.points]
            facets.append(Facet(estimator, _counted(cell.batches), Axis(f"tr Var [{SQUARE}]"), tuple(series), tuple(laws)))
    if not facets:
        return None
    caption = (f"tr Var of one gradient estimate against its batch size N; {measured_on(cell, None)}. Bars: {interval_kind(cell)}. Dashed: "
               "proportional to 1/N, through the (exact, else measured) value at the largest N; what leaves the line at small N pays for a "
               "baseline from the batch itself.")  # fmt: skip
    caption += f" Same figures, not drawn: {', '.join(same)}." if same else ""
    used = {s.name for f in facets for s in f.series}
    return Chart("batch", "Variance against batch size", tuple(facets), caption, tuple((b, j) for j, b in enumerate(baselines) if b in used),
                 _marks(points), "1/N", ("estimator", "baseline", "batch", "variance_trace", "low", "high", "exact", "law"), tuple(data))  # fmt: skip


def _between(low: float, high: float) -> list[float]:
    if low == high:
        return [low]
    return [float(v) for v in np.geomspace(low * 0.9, high * 1.1, 24)]


def _counted(values: Sequence[int]) -> Axis:
    """A log axis with a tick at each of few values."""
    ticks = tuple((float(v), str(v)) for v in values) if len(values) <= 8 and len("".join(map(str, values))) < 34 else ()
    return Axis("N [episodes]", True, ticks)


def bias(cell: Cell, table: Sequence[Row]) -> Chart | None:
    """|bias| over its standard error sqrt(tr Var / R)."""
    estimators = cell.labels[0]
    counts = {n: cell.replicates(n) for n in cell.batches}
    series, data = [], []
    for i, estimator in enumerate(estimators):
        points = []
        for r in table:
            count = counts[r.batch]
            if r.estimator != estimator or not r.defined or count is None or not r.bias_norm > 0 or not r.variance_trace > 0:
                continue
            error = math.sqrt(r.variance_trace / count)
            points.append(Point(error, r.bias_norm, open=bool(r.biased), note=f", {r.baseline}, N = {r.batch}, standard error {number(error)}"))
            data.append((estimator, r.baseline, r.batch, error, r.bias_norm, r.bias_norm / error, int(bool(r.biased))))
        if points:
            series.append(Series(estimator, i, tuple(points)))
    if not series:
        return None
    every = [p for s in series for p in s.points]
    ends = [min(p.x for p in every), max(p.x for p in every)]
    facet = Facet("|bias| against its standard error", Axis("standard error [return/parameter]"), Axis("|bias| [return/parameter]"),
                  tuple(series), (Law("|bias| = standard error", tuple((x, x) for x in _curve(*ends))),))  # fmt: skip
    caption = ("Length of the measured bias (mean of the estimates less the true gradient) of every pair and batch size against its standard "
               f"error, the root of tr Var over the number of batches; {measured_on(cell, None)}. Without bias the two are equal in the mean "
               "square: marks lie about the dashed line. Far above it there is a bias.")  # fmt: skip
    return Chart("bias", "Bias", (facet,), caption, tuple((s.name, s.style) for s in series), _marks(every), "|bias| = standard error",
                 ("estimator", "baseline", "batch", "standard_error", "bias_norm", "ratio", "biased"), tuple(data))  # fmt: skip


def _curve(low: float, high: float) -> list[float]:
    return [float(v) for v in np.geomspace(low * 0.9, high * 1.1, CURVE)]


def cosine(cell: Cell, table: Sequence[Row]) -> Chart | None:
    """cosine_true and cosine_pairwise over SNR."""
    laws = {"cosine_true": ("with the true gradient", "√(SNR/(1 + SNR))", lambda s: math.sqrt(s / (1 + s))),
            "cosine_pairwise": ("of two estimates", "SNR/(1 + SNR)", lambda s: s / (1 + s))}  # fmt: skip
    facets, every, dropped = [], [], 0
    for name, (title, law, value) in laws.items():
        series = []
        for i, estimator in enumerate(cell.labels[0]):
            found = [r for r in table if r.estimator == estimator and math.isfinite(getattr(r, name))]
            points = tuple(Point(r.snr, getattr(r, name), open=bool(r.biased), note=f", {r.baseline}, N = {r.batch}") for r in found
                           if math.isfinite(r.snr) and r.snr > 0)  # fmt: skip
            dropped += len(found) - len(points)
            if points:
                series.append(Series(estimator, i, points))
        if series:
            points = [p for s in series for p in s.points]
            every += points
            ends = (min(p.x for p in points), max(p.x for p in points))
            curve = tuple((s, value(s)) for s in _curve(*ends))
            facets.append(Facet(title, Axis("SNR"), Axis("mean cosine", False), tuple(series), (Law(law, curve),)))
    if not facets:
        return None
    caption = (f"Mean cosine of gradient estimates against the signal-to-noise ratio, every pair and batch size; {measured_on(cell, None)}. "
               f"Dashed: the laws {' and '.join(law for _, law, _ in laws.values())} for noise in many directions; with few parameters or "
               "unequal directions marks leave them.")  # fmt: skip
    caption += f" {dropped} figures at an SNR that is zero, negative or infinite are not drawn." if dropped else ""
    data = tuple((r.estimator, r.baseline, r.batch, r.snr, r.cosine_true, r.cosine_pairwise) for r in table if r.defined)
    names = dict.fromkeys((s.name, s.style) for f in facets for s in f.series)
    return Chart("cosine", "Cosine against signal-to-noise ratio", tuple(facets), caption, tuple(names), _marks(every), "law",
                 ("estimator", "baseline", "batch", "snr", "cosine_true", "cosine_pairwise"), data)  # fmt: skip


# ---- Parameters ----


def parameters(cell: Cell, batch: int) -> Chart | None:
    """Variance of each parameter, of the estimator with the most pairs; nothing is read of a gradient too long to show."""
    if "gradient_variance" not in cell.data or not 1 < cell.data.sizes.get("parameter", 0) <= MOST_PARAMETERS:
        return None
    estimators, baselines = cell.labels
    count = int(cell.data.sizes["parameter"])
    finite = np.isfinite(cell.data["variance_trace"].sel(batch=batch).values).sum(axis=1)
    estimator = estimators[int(np.argmax(finite))]
    at = {"estimator": estimator, "batch": batch}
    values = cell.data["gradient_variance"].sel(at).transpose("baseline", "parameter").values
    exact = cell.data["exact_variance"].sel(at).transpose("baseline", "parameter").values if "exact_variance" in cell.data else values * NAN
    biased = cell.data["biased"].sel(estimator=estimator).values
    names = [str(p) for p in cell.data["parameter"].values]
    series, data = [], []
    for j, baseline in enumerate(baselines):
        if not np.isfinite(values[j]).any():
            continue
        order = np.arange(count) if count <= SHOWN_PARAMETERS else np.argsort(values[j], kind="stable")[::-1]
        picked = range(count) if count <= SHOWN_PARAMETERS else sorted({round(k) for k in np.linspace(0, count - 1, SHOWN_PARAMETERS)})
        points = []
        for k in picked:
            p = order[k]
            if values[j, p] > 0:
                points.append(Point(k + 1.0, float(values[j, p]), exact=float(exact[j, p]), open=biased[j] == 1, note=f", {names[p]}"))
            data.append((estimator, baseline, batch, names[p], float(values[j, p]), float(exact[j, p])))
        series.append(Series(baseline, j, tuple(points), line=count > SHOWN_PARAMETERS))
    if not any(s.points for s in series):
        return None
    short = count <= 8 and sum(len(n) for n in names) < 46
    ordered = count > SHOWN_PARAMETERS
    ticks = tuple((k + 1.0, names[k]) for k in range(count)) if short else ()
    axis = Axis("parameter" if short else "rank of the parameter" if ordered else "parameter, in the order of the file", ordered, ticks,
                0.0 if ordered else 0.45)
    facet = Facet(f"{estimator}, N = {batch}", axis, Axis(f"Var [{SQUARE}]"), tuple(series))
    caption = f"Variance of each parameter's estimate, estimator {estimator}; {measured_on(cell, batch)}."
    caption += " Parameters in descending order of variance, each baseline by its own order." if ordered else ""
    points = [p for s in series for p in s.points]
    marks = _marks(points)
    caption += " Strokes: exact values." if "exact" in marks else ""
    return Chart("parameters", "Variance by parameter", (facet,), caption, tuple((s.name, s.style) for s in series), marks,
                 columns=("estimator", "baseline", "batch", "parameter", "variance", "exact"), data=tuple(data))  # fmt: skip
