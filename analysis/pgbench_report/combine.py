# SPDX-License-Identifier: MIT
"""Replicates and seeds of several files as one: nothing that C computed is computed again, files are pooled.

A replicate is one independent batch; it is what is resampled, never an episode, a rank or a parameter. Files are strata:
each holds replicates of its own seed. See Agarwal et al. 2021 (arXiv:2108.13264) for the stratified bootstrap and the IQM.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .laws import options
from .load import AXES, Cell, ReportError, Run

Array = NDArray[np.float64]
LEVEL, TRIM = 0.95, 0.25


@dataclass(frozen=True)
class Estimate:
    value: float
    low: float
    high: float


def combine(runs: Sequence[Run], group: str) -> xr.Dataset:
    """One cell over files of different seeds: gradient_mean, gradient_variance and variance_trace of all replicates together,
    by Chan, Golub and LeVeque's merge of counts, means and squared deviations; `replicates` [batch] is their number. Its
    attribute `files` says what went in."""
    cells = [run[group] for run in runs]
    check(runs, cells)
    count = [np.asarray([c.replicates(n) or math.nan for n in c.batches]) for c in cells]
    total, mean, m2 = None, None, None
    for n, cell in zip(count, cells, strict=True):
        own = cell.data["gradient_mean"].transpose(*AXES, "parameter").values
        squares = cell.data["gradient_variance"].transpose(*AXES, "parameter").values * (n - 1)[:, None]
        if total is None or mean is None or m2 is None:
            total, mean, m2 = n, own, squares
            continue
        both = total + n
        gap = own - mean
        mean = mean + gap * (n / both)[:, None]
        m2 = m2 + squares + gap**2 * (total * n / both)[:, None]
        total = both
    assert total is not None and mean is not None and m2 is not None
    variance = m2 / (total - 1)[:, None]
    first = cells[0].data
    coords = {name: first[name] for name in (*AXES, "parameter")}
    keep = {name: first[name].attrs for name in ("gradient_mean", "gradient_variance", "variance_trace")}
    return xr.Dataset(
        {
            "gradient_mean": ((*AXES, "parameter"), mean, keep["gradient_mean"]),
            "gradient_variance": ((*AXES, "parameter"), variance, keep["gradient_variance"]),
            "variance_trace": (AXES, variance.sum(axis=-1), keep["variance_trace"]),
            "replicates": (("batch",), total, {"units": "1", "long_name": "independent batches of all files"}),
        },
        coords,
        first.attrs | {"files": [f"{r.path} (seed {r.attrs.get('seed')}, commit {str(r.attrs.get('git_commit'))[:12]})" for r in runs]},
    )


def check(runs: Sequence[Run], cells: Sequence[Cell]) -> None:
    """Files that may be pooled: the same problem, labels and estimators, another seed each."""
    first, seen = cells[0], {}
    for run, cell in zip(runs, cells, strict=True):
        seed = run.attrs.get("seed")
        if seed in seen:
            raise ReportError(f"{run.path}: has seed {seed}, as {seen[seed]} has, so it holds the same replicates; give one of them, or "
                              "run again with another --seed")  # fmt: skip
        seen[seed] = run.path
        for what, mine, theirs in (("options", options(cell), options(first)), ("estimators and baselines", cell.labels, first.labels),
                                   ("batch sizes", cell.batches, first.batches), ("parameters", _parameters(cell), _parameters(first)),
                                   ("theta", _theta(cell), _theta(first))):  # fmt: skip
            if mine != theirs:
                raise ReportError(f"{run.path}: {cell.group} has other {what} than in {runs[0].path}; combine files of one study")
        for n in cell.batches:
            if cell.replicates(n) is None:
                raise ReportError(f"{run.path}: {cell.group} does not say how many episodes were measured; run the study again")


def _parameters(cell: Cell) -> list[str]:
    return [str(p) for p in cell.data["parameter"].values] if "parameter" in cell.data else []


def _theta(cell: Cell) -> list[float]:
    return [float(v) for v in cell.data["theta"].values] if "theta" in cell.data else []


def bootstrap(strata: Sequence[Array], statistic: Callable[[Array], float], generator: np.random.Generator, *, resamples: int = 2000,
              level: float = LEVEL) -> Estimate:  # fmt: skip
    """Percentile interval of a statistic of replicates. strata: one array [replicate, ...] per file; each is resampled within
    itself, with as many replicates as it has."""
    if not strata or any(len(s) < 2 for s in strata):
        raise ReportError("bootstrap: a stratum has fewer than two replicates; run with more --replicates")
    draws = [statistic(np.concatenate([s[generator.integers(len(s), size=len(s))] for s in strata])) for _ in range(resamples)]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(statistic(np.concatenate(list(strata))), float(low), float(high))


def replicates(runs: Sequence[Run], group: str, *, estimator: str, baseline: str, batch: int) -> list[Array]:
    """Batch gradients [replicate, parameter] of one pair, one array per file: only these are read. Needs --save-gradients."""
    check(runs, [run[group] for run in runs])
    out = []
    for run in runs:
        data = run[group].data
        if "gradient" not in data:
            raise ReportError(f"{run.path}: holds no batch gradients; run with --save-gradients")
        one = data["gradient"].sel(estimator=estimator, baseline=baseline, batch=batch)
        out.append(np.asarray(one.transpose("replicate", "parameter").values, dtype=float))
    return out


def trace(gradients: Array) -> float:
    """tr Var of batch gradients [replicate, parameter]: a statistic for bootstrap."""
    return float(gradients.var(axis=0, ddof=1).sum())


def iqm(values: Array) -> float:
    """Interquartile mean: of the middle half, the quarter at either end trimmed (a part of a value counts as a part)."""
    ordered = np.sort(np.asarray(values, dtype=float).ravel())
    if ordered.size == 0 or np.isnan(ordered).any():
        return math.nan
    cut = TRIM * ordered.size
    weight = np.clip(np.arange(1, ordered.size + 1) - cut, 0, 1) * np.clip(ordered.size - cut - np.arange(ordered.size), 0, 1)
    return float(np.sum(weight * ordered) / np.sum(weight))


def aggregate(values: Array, generator: np.random.Generator, *, resamples: int = 2000, level: float = LEVEL) -> Estimate:
    """IQM over cells of figures [seed, cell], such as the ratio to none, with a bootstrap that draws seeds anew within each
    cell (the stratum). A cell without a figure is an error: leave it out by name, not by accident."""
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or table.shape[0] < 2:
        raise ReportError("aggregate: takes figures [seed, cell] of at least two seeds; run the study with more seeds")
    if not np.isfinite(table).all():
        raise ReportError("aggregate: a figure is not finite; leave out that cell, or the pair that it does not define")
    columns = np.arange(table.shape[1])
    draws = [iqm(table[generator.integers(table.shape[0], size=table.shape), columns]) for _ in range(resamples)]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(iqm(table), float(low), float(high))
