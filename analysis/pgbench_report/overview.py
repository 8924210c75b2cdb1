# SPDX-License-Identifier: MIT
"""One line per cell: what was measured, what helps most, and how it agrees with theory (the oracle table)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .laws import options
from .load import Cell, Run
from .table import Row, number, rows, shown_batch, z_text


@dataclass(frozen=True)
class Line:
    anchor: str
    title: str
    differs: str  # options that tell it from its neighbours
    oracle: str
    parameters: int
    batch: int
    replicates: int | None
    episodes: float
    none: float  # tr Var without a baseline, of the estimator of `best`
    best: Row | None  # unbiased pair of least variance
    tests: int
    z_bias: float
    z_joint: float
    z_variance: float
    worst: str  # pair of the largest |z|
    bound: float


@dataclass(frozen=True)
class OverviewColumn:
    heading: str
    help: str
    text: Callable[[Line], str]
    key: Callable[[Line], float | str]
    number: bool = True


def _z(heading: str, help_: str, value: Callable[[Line], float]) -> OverviewColumn:
    return OverviewColumn(heading, help_, lambda r: z_text(value(r)), lambda r: abs(value(r)))


OVERVIEW = (
    OverviewColumn("cell", "environment and policy; a link to its figures", lambda r: r.title, lambda r: r.title, False),
    OverviewColumn("options", "what tells cells of the same name apart", lambda r: r.differs, lambda r: r.differs, False),
    OverviewColumn("d", "number of parameters", lambda r: str(r.parameters), lambda r: r.parameters),
    OverviewColumn("N", "batch size shown", lambda r: str(r.batch), lambda r: r.batch),
    OverviewColumn("replicates", "independent batches", lambda r: "–" if r.replicates is None else str(r.replicates),
                   lambda r: math.nan if r.replicates is None else r.replicates),
    OverviewColumn("least tr Var", "of the unbiased pairs, at the batch size shown [(return/parameter)²]",
                   lambda r: number(r.best.variance_trace) if r.best else "–", lambda r: r.best.variance_trace if r.best else math.nan),
    OverviewColumn("by", "that pair", lambda r: f"{r.best.estimator}, {r.best.baseline}" if r.best else "–",
                   lambda r: f"{r.best.estimator}, {r.best.baseline}" if r.best else "", False),
    OverviewColumn("ratio", "its variance over that of the same estimator without a baseline",
                   lambda r: number(r.best.variance_ratio) if r.best else "–", lambda r: r.best.variance_ratio if r.best else math.nan),
    OverviewColumn("oracle", "what knows the exact values", lambda r: r.oracle, lambda r: r.oracle, False),
    OverviewColumn("tests", "z-scores of measured against exact values", lambda r: str(r.tests), lambda r: r.tests),
    _z("z bias", "the largest, measured against exact mean, in standard errors", lambda r: r.z_bias),
    _z("z joint", "the largest, of a bias spread over many parameters", lambda r: r.z_joint),
    _z("z var", "the largest, measured against exact tr Var, in standard errors", lambda r: r.z_variance),
    OverviewColumn("largest |z|", "pair and batch size that hold it", lambda r: r.worst, lambda r: r.worst, False),
    OverviewColumn("bound", "|z| that the number of tests of the file allows", lambda r: number(r.bound, 3), lambda r: r.bound),
)  # fmt: skip


def overview(runs: Iterable[Run], batch: int | None = None) -> list[Line]:
    out: list[Line] = []
    for run in runs:
        found = re.search(r"bound ([0-9.]+)", run.verdict)
        bound = float(found.group(1)) if found else math.nan
        for cell in run:
            out.append(_line(cell, f"cell-{len(out) + 1}", _differs(cell, run.cells), batch, bound))
    return out


def full_title(cell: Cell, run: Run, several: bool) -> str:
    """Environment and policy, what tells the cell from others of that name, and the file where there are several."""
    differs = _differs(cell, run.cells)
    more = f" ({run.path.stem})" if several else ""
    return cell.title + (f", {differs}" if differs else "") + more


def _differs(cell: Cell, cells: Sequence[Cell]) -> str:
    """Options in which the cell is not like the others of its environment; long ones are left to the cell's section."""
    mine = options(cell)
    others = [options(c) for c in cells if c.env == cell.env and c is not cell]
    differing = [n for n in mine if n.split()[-1] != "name" and any(o.get(n) != mine[n] for o in others)]
    return ", ".join(f"{n.split()[-1]} {mine[n]}" for n in differing if len(mine[n]) <= 20)


def _line(cell: Cell, anchor: str, differs: str, batch: int | None, bound: float) -> Line:
    batch = shown_batch(cell, batch)
    table = rows(cell)
    here = [r for r in table if r.batch == batch and r.defined]
    honest = [r for r in here if not r.biased and math.isfinite(r.variance_trace)]
    best = min(honest, key=lambda r: r.variance_trace, default=None)
    none = next((r.variance_trace for r in here if best and r.estimator == best.estimator and r.baseline == "none"), math.nan)
    scores = [(abs(getattr(r, n)), getattr(r, n), r, n) for r in table for n in ("z_bias", "z_joint", "z_variance")
              if not math.isnan(getattr(r, n))]  # fmt: skip
    worst = max(scores, key=lambda s: s[0], default=None)

    def largest(name: str) -> float:
        return max((s for s in scores if s[3] == name), key=lambda s: s[0], default=(0, math.nan))[1]

    return Line(anchor, cell.title, differs, str(cell.data.attrs.get("oracle", "none")), int(cell.data.sizes.get("parameter", 0)), batch,
                cell.replicates(batch), float(cell.data["episodes"].sum()), none, best, len(scores), largest("z_bias"), largest("z_joint"),
                largest("z_variance"), f"{worst[2].estimator}, {worst[2].baseline}, N = {worst[2].batch}" if worst else "–",
                bound if scores else math.nan)  # fmt: skip
