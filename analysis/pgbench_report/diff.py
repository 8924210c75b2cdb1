# SPDX-License-Identifier: MIT
"""What changed between two runs: configuration, provenance, and figures by more than their errors."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

from .load import Cell, ReportError, Run
from .laws import options
from .summary import align
from .table import Row, number, rows, z_text

PROVENANCE = ("version", "git_commit", "seed", "simd", "compiler", "compiler_flags", "mpi_library", "hdf5_library", "cpu", "hosts",
              "nodes", "ranks", "plugins", "command_line", "verdict_text")  # fmt: skip
MOST = 60  # changes that a terminal shows
FAMILY = 1e-3  # chance that a comparison of two equal programs names any figure
Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Change:
    """One figure that moved by more than its errors allow."""

    cell: str
    estimator: str
    baseline: str
    batch: int
    name: str
    before: float
    after: float
    z: float  # of the difference; infinite where a figure is there in one file alone, or an exact one changed


@dataclass(frozen=True)
class Difference:
    config: list[str]  # unified diff of the resolved studies
    provenance: list[tuple[str, str, str]]
    only: tuple[list[str], list[str]]  # cells of the first, of the second file alone
    compared: int  # figures
    same: int  # of them bit for bit
    bound: float  # of |z|
    changes: list[Change]

    @property
    def alike(self) -> bool:
        return not self.changes and not any(self.only)


def compare(a: Run, b: Run) -> Difference:
    if a.scaling is not None or b.scaling is not None:
        which = a if a.scaling is not None else b
        raise ReportError(f"{which.path}: holds a scaling table, and diff compares studies; show it with pgbench-report {which.path}")
    config = [str(run.attrs.get("config", "")).strip().splitlines() for run in (a, b)]
    lines = list(difflib.unified_diff(*config, fromfile=str(a.path), tofile=str(b.path), lineterm="", n=0))
    facts = [(n, str(a.attrs.get(n, "")), str(b.attrs.get(n, ""))) for n in PROVENANCE if a.attrs.get(n, "") != b.attrs.get(n, "")]
    here, there = ({_identity(cell, run): cell for cell in run} for run in (a, b))
    only = ([n for n in here if n not in there], [n for n in there if n not in here])
    scores = [s for n in here if n in there for s in _scores(n, here[n], there[n])]
    judged = [s for s in scores if not math.isnan(s.z)]
    bound = -NormalDist().inv_cdf(FAMILY / (2 * max(len(judged), 1)))
    changes = sorted((s for s in judged if abs(s.z) > bound), key=lambda s: -abs(s.z))
    return Difference(lines, facts, only, len(scores), sum(s.before == s.after for s in scores), bound, changes)


def _identity(cell: Cell, run: Run) -> str:
    """The group, or with options where several cells share environment and policy: their number says nothing."""
    twins = [c for c in run.cells if c.env == cell.env]
    if len(twins) < 2:
        return cell.group
    return cell.group.rsplit("_", 1)[0] + " " + ", ".join(f"{k.split()[-1]} {v}" for k, v in options(cell).items() if not k.endswith("name"))


def _scores(name: str, a: Cell, b: Cell) -> Iterator[Change]:
    other = {(r.estimator, r.baseline, r.batch): r for r in rows(b)}
    for r in rows(a):
        s = other.get((r.estimator, r.baseline, r.batch))
        if s is None or not (r.defined or s.defined):
            continue

        def change(what: str, x: float, y: float, z: float, r: Row = r) -> Change:
            return Change(name, r.estimator, r.baseline, r.batch, what, x, y, z)

        if r.defined != s.defined:
            yield change("tr Var", r.variance_trace, s.variance_trace, math.inf)
            continue
        yield change("tr Var", r.variance_trace, s.variance_trace, _z(_error(r, "trace"), _error(s, "trace"), r.variance_trace, s.variance_trace))
        if r.baseline != "none":
            yield change("ratio", r.variance_ratio, s.variance_ratio, _z(_error(r, "ratio"), _error(s, "ratio"), r.variance_ratio, s.variance_ratio))
        if math.isfinite(r.exact_trace) and math.isfinite(s.exact_trace):
            near = math.isclose(r.exact_trace, s.exact_trace, rel_tol=1e-9, abs_tol=1e-300)
            yield change("exact tr Var", r.exact_trace, s.exact_trace, 0.0 if near else math.copysign(math.inf, s.exact_trace - r.exact_trace))


def _error(r: Row, name: str) -> float:
    """Standard error of the logarithm, from the 95 % interval, which is one on that scale."""
    low, high = getattr(r, f"variance_{name}_low"), getattr(r, f"variance_{name}_high")
    return math.log(high / low) / (2 * Z95) if low > 0 and math.isfinite(high) else math.nan


def _z(a: float, b: float, x: float, y: float) -> float:
    if x == y:
        return 0.0
    if not (x > 0 and y > 0):
        return math.nan
    error = math.hypot(a, b)
    return math.log(y / x) / error if error > 0 else math.nan


def text(a: Run, b: Run) -> str:
    """For a terminal."""
    d = compare(a, b)
    out = [f"{a.path}: {a.verdict}", f"{b.path}: {b.verdict}", ""]
    out += ["configuration: the same"] if not d.config else ["configuration:", *("  " + line for line in d.config)]
    out += ["", "provenance: the same"] if not d.provenance else ["", "provenance:"]
    out += [f"  {n.replace('_', ' ')}: {x or '(nothing)'} -> {y or '(nothing)'}" for n, x, y in d.provenance]
    for run, cells in zip((a, b), d.only, strict=True):
        out += ["", f"only in {run.path}:", *("  " + c for c in cells)] if cells else []
    out.append("")
    if not d.compared:
        out.append("figures: nothing to compare")
    elif d.same == d.compared:
        out.append(f"figures: all {d.compared} the same, bit for bit")
    elif not d.changes:
        out.append(f"figures: {d.compared} compared, {d.same} the same bit for bit, none beyond its errors (|z| below {d.bound:.2f})")
    else:
        out.append(f"figures: {len(d.changes)} of {d.compared} differ by more than their errors (|z| above {d.bound:.2f}):")
        table = [["cell", "estimator", "baseline", "N", "figure", "before", "after", "z"]]
        table += [[c.cell, c.estimator, c.baseline, str(c.batch), c.name, number(c.before), number(c.after), z_text(c.z)] for c in d.changes[:MOST]]
        out += align(table, [False, False, False, True, False, True, True, True])
        out += [f"  and {len(d.changes) - MOST} more"] if len(d.changes) > MOST else []
    if d.compared and a.attrs.get("seed") == b.attrs.get("seed") and d.same != d.compared:
        out.append("The seed is the same: the errors above take the runs for independent, and overstate what may differ.")
    elif d.changes and any(c.name == "exact tr Var" for c in d.changes):
        out.append("Exact values follow the problem and the baseline; value-linear, and constants where no oracle knows them, are fitted to a "
                   "pilot sample, which another seed, policy or pilot size changes.")  # fmt: skip
    return "\n".join(out) + "\n"


