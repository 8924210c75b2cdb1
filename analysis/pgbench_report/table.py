# SPDX-License-Identifier: MIT
"""The rows that every output shows (terminal, page, CSV, Markdown), and the columns: one table describes them all."""

from __future__ import annotations

import csv
import io
import math
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .load import Cell, Run

NOT_FINITE = "no finite figure was measured"
MOST_READ = 1 << 22  # numbers of gradient_mean that are read for |g|: a table is not worth minutes of reading
_tables: weakref.WeakKeyDictionary[Cell, list[Row]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Row:
    """One estimator with one baseline at one batch size. NaN: not defined or not known."""

    estimator: str
    baseline: str
    batch: int
    biased: bool | None  # None: the pair is not defined in this cell
    return_mean: float
    gradient_norm: float
    variance_trace: float
    variance_trace_low: float
    variance_trace_high: float
    exact_trace: float
    variance_ratio: float
    variance_ratio_low: float
    variance_ratio_high: float
    snr: float
    noise_scale: float
    cosine_pairwise: float
    cosine_true: float
    bias_norm: float
    kurtosis: float
    z_bias: float
    z_joint: float
    z_variance: float
    reason: str  # why there are no figures; empty where there are

    @property
    def defined(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class Column:
    heading: str
    unit: str  # empty: none
    help: str
    text: Callable[[Row], str]
    key: Callable[[Row], float | str]  # what the column sorts by
    number: bool = True


def number(value: float, digits: int = 4) -> str:
    """Four significant digits; powers of ten where zeros would have to be counted; an em dash for a gap."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e6:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        return f"{value:.{decimals}f}"
    return f"{value:.{digits - 1}e}"


def interval(low: float, high: float) -> str:
    return "–" if math.isnan(low) and math.isnan(high) else f"[{number(low)}, {number(high)}]"


def z_text(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.2f}" if math.isfinite(value) else number(value)


def _figure(heading: str, unit: str, help_: str, name: str, text: Callable[[float], str] = number) -> Column:
    return Column(heading, unit, help_, lambda r: text(getattr(r, name)), lambda r: float(getattr(r, name)))


COLUMNS = (
    Column("estimator", "", "how the scores are weighted (pgbench describe NAME has the formula)", lambda r: r.estimator,
           lambda r: r.estimator, False),
    Column("baseline", "", "what is subtracted from the return; * marks a biased pair",
           lambda r: r.baseline + ("*" if r.biased else ""), lambda r: r.baseline, False),
    Column("N", "episodes", "batch: episodes per gradient estimate", lambda r: str(r.batch), lambda r: r.batch),
    _figure("J", "return", "mean discounted return of the episodes", "return_mean"),
    _figure("|g|", "return/parameter", "length of the mean of the gradient estimates", "gradient_norm"),
    _figure("tr Var", "(return/parameter)²", "variance of one batch estimate, summed over the parameters", "variance_trace"),
    Column("95 % interval", "(return/parameter)²", "of tr Var", lambda r: interval(r.variance_trace_low, r.variance_trace_high),
           lambda r: r.variance_trace_low),
    _figure("exact", "(return/parameter)²", "tr Var from theory, where an oracle knows it", "exact_trace"),
    _figure("ratio", "", "tr Var against that of baseline none, same estimator, same episodes", "variance_ratio"),
    Column("95 % interval", "", "of the ratio, paired", lambda r: interval(r.variance_ratio_low, r.variance_ratio_high),
           lambda r: r.variance_ratio_low),
    _figure("SNR", "", "signal-to-noise ratio: squared length of the gradient over tr Var", "snr"),
    _figure("cos", "", "mean cosine of one estimate with the true gradient", "cosine_true"),
    _figure("z bias", "", "measured against exact mean, in standard errors (the farthest parameter)", "z_bias", z_text),
    _figure("z var", "", "measured against exact tr Var, in standard errors", "z_variance", z_text),
)  # fmt: skip


def rows(cell: Cell) -> list[Row]:
    """Every pair at every batch size, by batch, then in the order of the file. Made once per cell."""
    if cell not in _tables:
        _tables[cell] = _rows(cell)
    return _tables[cell]


def _rows(cell: Cell) -> list[Row]:
    estimators, baselines = cell.labels
    norm = gradient_norm(cell)
    shared = [f.name for f in fields(Row) if f.name in cell.data and cell.data[f.name].ndim == 3]
    figures = {name: cell.data[name].values for name in shared}
    known, returns, reasons = (cell.data[name].values for name in ("biased", "return_mean", "reason"))
    out: list[Row] = []
    for k, batch in enumerate(cell.batches):
        for i, estimator in enumerate(estimators):
            for j, baseline in enumerate(baselines):
                at = {name: float(values[i, j, k]) for name, values in figures.items()}
                biased = float(known[i, j])
                reason = "" if math.isfinite(at["variance_trace"]) else str(reasons[i, j] or "").strip() or NOT_FINITE
                out.append(Row(
                    estimator=estimator, baseline=baseline, batch=batch, reason=reason,
                    biased=None if math.isnan(biased) else biased != 0,
                    return_mean=float(returns[k]), gradient_norm=float(norm[i, j, k]), **at,
                ))  # fmt: skip
    return out


def gradient_norm(cell: Cell) -> NDArray[np.float64]:
    """|mean estimate| [estimator, baseline, batch], one estimator at a time; NaN where there is too much to read."""
    shape = cell.data["variance_trace"].shape
    if "gradient_mean" not in cell.data or cell.data["gradient_mean"].size > MOST_READ:
        return np.full(shape, np.nan)
    mean = cell.data["gradient_mean"].transpose("estimator", "baseline", "batch", ...)
    return np.stack([np.linalg.norm(mean.isel(estimator=i).values, axis=-1) for i in range(shape[0])])


@dataclass(frozen=True)
class Gap:
    """Pairs without figures for one reason: each of the estimators with each of the baselines."""

    estimators: tuple[str, ...]
    baselines: tuple[str, ...]
    batches: tuple[int, ...]
    reason: str


def gaps(table: Iterable[Row]) -> list[Gap]:
    """What a table does not show, in as few entries as the reasons allow."""
    pairs: dict[tuple[str, str, str], list[int]] = {}
    for row in table:
        if not row.defined:
            pairs.setdefault((row.reason, row.estimator, row.baseline), []).append(row.batch)
    by_estimator: dict[tuple[str, str, tuple[int, ...]], list[str]] = {}
    for (reason, estimator, baseline), batches in pairs.items():
        by_estimator.setdefault((reason, estimator, tuple(batches)), []).append(baseline)
    by_baselines: dict[tuple[str, tuple[str, ...], tuple[int, ...]], list[str]] = {}
    for (reason, estimator, batch), baselines in by_estimator.items():
        by_baselines.setdefault((reason, tuple(baselines), batch), []).append(estimator)
    return [Gap(tuple(e), b, n, reason) for (reason, b, n), e in by_baselines.items()]


def shown_batch(cell: Cell, wanted: int | None = None) -> int:
    """The batch size to show where only one can be: the largest of those with the most pairs defined."""
    if wanted is not None and wanted in cell.batches:
        return wanted
    finite = np.isfinite(cell.data["variance_trace"].values).sum(axis=(0, 1))
    return max(zip(finite.tolist(), cell.batches, strict=True))[1]


def to_csv(runs: Iterable[Run]) -> str:
    """All rows of all cells, in full precision; a gap is an empty field."""
    names = [f.name for f in fields(Row)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "cell", *names])
    for run in runs:
        for cell in run:
            for row in rows(cell):
                writer.writerow([run.path.name, cell.group, *(_field(getattr(row, n)) for n in names)])
    return out.getvalue()


def _field(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)
