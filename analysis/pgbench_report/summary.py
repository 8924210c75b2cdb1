# SPDX-License-Identifier: MIT
"""The tables as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import scaling
from .load import Cell, Run
from .table import COLUMNS, Row, gaps, number, rows

# One line per run; the page shows all attributes.
FACTS = ("version", "git_commit", "seed", "ranks", "nodes", "simd", "mpi_library", "finished")


def text(runs: Iterable[Run]) -> str:
    """For a terminal or a .txt beside the result file."""
    return "\n".join(_run_text(run) for run in runs)


def _run_text(run: Run) -> str:
    facts = ", ".join(f"{name} {run.attrs[name]}" for name in FACTS if run.attrs.get(name) not in (None, ""))
    parts = [f"{run.path.name}: {run.verdict}", facts]
    if run.scaling is not None:
        table = [[scaling.heading(c) for c in scaling.COLUMNS], *scaling.lines(run)]
        parts += ["", *align(table, [c.number for c in scaling.COLUMNS]), *("  " + note for note in scaling.notes(run))]
    for cell in run:
        parts += ["", *_cell_text(cell)]
    if any(r.biased for cell in run for r in rows(cell)):
        parts += ["", "* biased: the expectation of the estimate is not the gradient"]
    return "\n".join(parts) + "\n"


def _cell_text(cell: Cell) -> list[str]:
    table = rows(cell)
    lines = [heading(cell)]
    shown = [r for r in table if r.defined]
    if shown:
        body = align([[c.heading for c in COLUMNS], *([c.text(r) for c in COLUMNS] for r in shown)], [c.number for c in COLUMNS])
        lines += body[:2]
        for i, (row, line) in enumerate(zip(shown, body[2:], strict=True)):
            lines += ["", line] if i and row.batch != shown[i - 1].batch else [line]
    else:
        lines.append("  no finite figure in this cell")
    return lines + ["  not shown: " + line for line in gap_lines(cell, table)]


def heading(cell: Cell) -> str:
    """Cell, oracle and number of replicates, in one line."""
    counts = {n: cell.replicates(n) for n in cell.batches}
    same = set(counts.values())
    facts = [f"gamma {cell.data.attrs['gamma']}" if "gamma" in cell.data.attrs else "",
             f"oracle {cell.data.attrs.get('oracle', 'none')}",
             f"{same.pop()} replicates" if len(same) == 1 and None not in same else ""]  # fmt: skip
    return f"{cell.group} ({', '.join(f for f in facts if f)})"


def align(lines: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    widths = [max(len(line[i]) for line in lines) for i in range(len(right))]
    out = ["  " + "  ".join(t.rjust(w) if r else t.ljust(w) for t, w, r in zip(line, widths, right, strict=True)).rstrip()
           for line in lines]  # fmt: skip
    return [out[0], "  " + "  ".join("-" * w for w in widths), *out[1:]]


def gap_lines(cell: Cell, table: Iterable[Row]) -> list[str]:
    """One line per reason: "reinforce, gpomdp with loo at N = 1: reason"."""
    lines = []
    for gap in gaps(table):
        every = len(gap.baselines) == len(cell.labels[1])
        baselines = "every baseline" if every else ", ".join(gap.baselines)
        where = "" if len(gap.batches) == len(cell.batches) else " at N = " + ", ".join(map(str, gap.batches))
        lines.append(f"{', '.join(gap.estimators)} with {baselines}{where}: {gap.reason}")
    return lines


def markdown(runs: Iterable[Run]) -> str:
    """For an issue, a wiki or a paper's appendix."""
    out = []
    for run in runs:
        out += [f"## {run.path.name}: {run.verdict}", ""]
        if run.scaling is not None:
            out += _scaling_markdown(run)
        for cell in run:
            table = rows(cell)
            out += [f"### {heading(cell)}", ""]
            out.append("| " + " | ".join(_escape(c.heading) for c in COLUMNS) + " |")
            out.append("|" + "|".join("--:" if c.number else ":--" for c in COLUMNS) + "|")
            out += ["| " + " | ".join(_escape(c.text(r)) for c in COLUMNS) + " |" for r in table if r.defined]
            out += ["", *(f"- not shown: {_escape(line)}" for line in gap_lines(cell, table)), ""]
    return "\n".join(out)


def _scaling_markdown(run: Run) -> list[str]:
    columns = scaling.COLUMNS
    return ["| " + " | ".join(_escape(scaling.heading(c)) for c in columns) + " |",
            "|" + "|".join("--:" if c.number else ":--" for c in columns) + "|",
            *("| " + " | ".join(map(_escape, line)) + " |" for line in scaling.lines(run)),
            "", *(f"- {_escape(note)}" for note in scaling.notes(run)), ""]  # fmt: skip


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def timing(run: Run) -> list[tuple[str, str, str]]:
    """(phase, mean seconds, largest over ranks)."""
    if run.timing is None:
        return []
    seconds = run.timing.transpose("rank", "phase")
    return [(str(p), number(float(column.mean())), number(float(column.max())))
            for p, column in zip(seconds["phase"].values, seconds.values.T, strict=True)]  # fmt: skip


def _ratio(a: float, b: float) -> float:
    """Nothing where nothing was counted: a cell that is missing, damaged, or was not predicted."""
    return a / b if b > 0 else float("nan")


def work(run: Run) -> list[tuple[str, ...]]:
    """(cell, M steps/s measured, predicted, predicted over measured, flop, bytes and random words per step)."""
    if run.work is None or "cell_predicted_steps" not in run.work:
        return []
    out = []
    for name in run.work["cell"].values:
        at = run.work.sel(cell=name)
        steps = next((float(c.data["steps"].sum(skipna=False)) for c in run if c.group == f"/{name}"), float("nan"))
        measured = _ratio(1e-6 * steps, float(at["cell_seconds"]))
        predicted = _ratio(1e-6 * float(at["cell_predicted_steps"]), float(at["cell_predicted_seconds"]))
        counts = (float(at[n]) for n in ("flops_per_step", "bytes_per_step", "words_per_step"))
        out.append((str(name), number(measured), number(predicted), number(_ratio(predicted, measured), 3), *map(number, counts)))
    return out


def memory(run: Run) -> str:
    """Peak of a rank beside the estimate, or nothing."""
    if run.work is None or "memory" not in run.work:
        return ""
    peak = run.work["memory"].sel(moment="peak") / 2**20
    estimate = float(run.work.attrs.get("estimated_memory_bytes", float("nan"))) / 2**20
    return f"{number(float(peak.min()))} to {number(float(peak.max()))} MiB per rank at the peak; estimated {number(estimate)} MiB"
