# SPDX-License-Identifier: MIT
"""The scaling table (kind "scaling"): one row per launch and mode, as text, Markdown, CSV and for the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import xarray as xr

from .load import Run
from .table import number

MIB = 2.0**20
PHASES = ("rollout", "gradient", "reduce", "io", "wait")


@dataclass(frozen=True)
class Launch:
    """One row: everything that the file holds of a launch."""

    data: xr.Dataset  # of one launch

    def text(self, name: str) -> str:
        return str(self.data[name].item()) if name in self.data else ""

    def figure(self, name: str) -> float:
        return float(self.data[name]) if name in self.data else float("nan")

    def phase(self, name: str, statistic: str = "mean") -> float:
        return float(self.data["phase_seconds"].sel(phase=name, statistic=statistic))

    @property
    def mode(self) -> str:
        return self.text("mode")

    @property
    def ranks(self) -> int:
        return int(self.figure("ranks"))

    @property
    def oversubscribed(self) -> bool:
        return self.figure("ranks") > self.figure("cores")

    @property
    def program(self) -> tuple[str, str]:
        """What efficiencies are compared within."""
        return self.text("simd"), self.text("git_commit")


@dataclass(frozen=True)
class ScalingColumn:
    heading: str
    unit: str
    help: str
    text: Callable[[Launch], str]
    number: bool = True


def _figure(heading: str, unit: str, help_: str, name: str, scale: float = 1.0) -> ScalingColumn:
    return ScalingColumn(heading, unit, help_, lambda r: number(r.figure(name) * scale))


def _phase(name: str) -> ScalingColumn:
    return ScalingColumn(name, "s", f"time in {name}, mean over ranks", lambda r: number(r.phase(name), 3))


COLUMNS = (
    ScalingColumn("mode", "", "strong: the same study whatever the ranks; weak: the study's replicates times the ranks",
                  lambda r: r.mode, False),
    ScalingColumn("ranks", "", "MPI ranks; * marks more ranks than cores", lambda r: f"{r.ranks}{'*' if r.oversubscribed else ''}"),
    ScalingColumn("nodes", "", "nodes that the ranks run on", lambda r: f"{r.figure('nodes'):.0f}"),
    ScalingColumn("cores", "", "processors of these nodes", lambda r: f"{r.figure('cores'):.0f}"),
    _figure("wall", "s", "wall time of a run, median over the repeats", "wall_seconds"),
    _figure("rate", "M steps/s", "environment steps of all ranks per second", "steps_per_second", 1e-6),
    _figure("speed-up", "", "against the launches with the fewest ranks, per rank of them", "speedup"),
    _figure("efficiency", "%", "speed-up per rank", "efficiency", 100),
    _figure("imbalance", "", "work of the busiest rank over the mean", "imbalance"),
    _figure("allreduce", "%", "share of the time in sums over ranks", "allreduce_share", 100),
    *(_phase(p) for p in PHASES),
    _figure("memory", "MiB", "resident memory at its peak, largest of the ranks", "peak_memory", 1 / MIB),
    ScalingColumn("SIMD", "", "instruction set of the kernels", lambda r: r.text("simd"), False),
    ScalingColumn("started", "UTC", "start of the launch", lambda r: r.text("started"), False),
    ScalingColumn("hosts", "", "nodes by name", lambda r: r.text("hosts"), False),
)  # fmt: skip


def launches(run: Run) -> list[Launch]:
    """All rows in the order in which they were added."""
    if run.scaling is None:
        return []
    return [Launch(run.scaling.isel(launch=i)) for i in range(run.scaling.sizes["launch"])]


def lines(run: Run) -> list[list[str]]:
    return [[c.text(r) for c in COLUMNS] for r in launches(run)]


def notes(run: Run) -> list[str]:
    """What a reader must know of single rows."""
    return [f"{r.mode}, {r.ranks} ranks: {r.text('note')}" for r in launches(run) if r.text("note")]


def heading(column: ScalingColumn) -> str:
    return f"{column.heading} [{column.unit}]" if column.unit else column.heading


def to_csv(runs: Iterable[Run]) -> str:
    """All columns of the files, in full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    first = True
    for run in runs:
        if run.scaling is None:
            continue
        names = [str(n) for n in run.scaling.data_vars if run.scaling[n].ndim == 1]
        parts = [(str(p), str(s)) for p in run.scaling["phase"].values for s in run.scaling["statistic"].values]
        if first:
            writer.writerow(["file", "launch", *names, *(f"{p}_seconds_{s}" for p, s in parts)])
            first = False
        for i, row in enumerate(launches(run)):
            values = [row.data[n].item() for n in names] + [row.phase(p, s) for p, s in parts]
            writer.writerow([run.path.name, i, *(repr(v) if isinstance(v, float) else v for v in values)])
    return out.getvalue()
