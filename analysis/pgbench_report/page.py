# SPDX-License-Identifier: MIT
"""The page: one HTML file with tables, figures and data inside, that needs no network."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from matplotlib import rc_context

from . import charts, figure, laws, scaling, scaling_figure
from .load import Cell, Run
from .summary import heading, memory, timing, work
from .overview import OVERVIEW, full_title, overview
from .plot import Chart, draw, legend
from .table import COLUMNS, Row, rows, shown_batch, to_csv

# Provenance in the order in which a reader asks for it; other attributes follow in the file's order.
FACTS = ("version", "git_commit", "kind", "command_line", "seed", "started", "finished", "ranks", "nodes", "hosts", "cpu",
         "simd", "compiler", "compiler_flags", "mpi_library", "hdf5_library", "slurm_job_id", "schema")  # fmt: skip
MANY = 12  # cells from which on only the first two charts of each stand open
APART = ("verdict", "verdict_text", "config")


@dataclass(frozen=True)
class GapRow:
    """Neighbouring pairs of one estimator that hold no figures for the same reason, as one line of the table."""

    estimator: str
    batch: int
    reason: str
    baselines: tuple[str, ...]
    all_baselines: bool
    defined: bool = False


@dataclass(frozen=True)
class Section:
    """One cell as the page shows it."""

    anchor: str
    cell: Cell
    title: str
    subtitle: str
    options: list[tuple[str, str]]
    batch: int
    table: list[Row | GapRow]
    charts: list[dict[str, Any]]

    @property
    def biased(self) -> bool:
        return any(isinstance(r, Row) and r.biased for r in self.table)


def page(runs: Sequence[Run], batch: int | None = None) -> str:
    """The whole document."""
    folder = Path(__file__).parent / "templates"
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)  # fmt: skip
    tables = [run for run in runs if run.scaling is not None]
    lines = overview(runs, batch)
    data = to_csv(runs) if len(tables) < len(runs) else scaling.to_csv(runs)
    return environment.get_template("page.html.j2").render(
        title=runs[0].path.stem if len(runs) == 1 else f"{len(runs)} runs",
        runs=[_run(run) for run in runs],
        sections=sections(runs, batch),
        laws=[_law(i, title, chart) for i, (title, chart) in enumerate(c for run in runs for c in laws.charts(run.cells, batch))],
        many=sum(len(run.cells) for run in runs) > MANY,
        overview=[c for c in OVERVIEW if c.heading != "options" or any(line.differs for line in lines)],
        overview_rows=lines,
        tables=[_table(run, f"scaling-{i + 1}") for i, run in enumerate(tables)],
        columns=COLUMNS,
        csv="data:text/csv;charset=utf-8;base64," + base64.b64encode(data.encode()).decode(),
        csv_name="pgbench.csv" if len(runs) > 1 else f"{runs[0].path.stem}.csv",
    )


def _run(run: Run) -> dict[str, Any]:
    names = [n for n in FACTS if n in run.attrs] + [n for n in run.attrs if n not in (*FACTS, *APART)]
    return {
        "name": run.path.name,
        "verdict": run.verdict,
        "kind": verdict_kind(run.verdict),
        "facts": [(n.replace("_", " "), str(run.attrs[n])) for n in names if run.attrs[n] not in ("", None)],
        "config": str(run.attrs.get("config", "")).strip(),
        "timing": timing(run),
        "work": work(run),
        "memory": memory(run),
    }


def _table(run: Run, anchor: str) -> dict[str, Any]:
    """One scaling table as the page shows it."""
    with rc_context(figure.FONT):
        drawn = scaling_figure.draw(run, " ")
    return {
        "anchor": anchor,
        "title": f"Scaling of study {run.attrs.get('study', run.path.stem)}",
        "columns": [(scaling.heading(c), c.help, c.number) for c in scaling.COLUMNS],
        "lines": scaling.lines(run),
        "notes": scaling.notes(run),
        "svg": figure.inline_svg(drawn, anchor, "rate, efficiency and phases over the number of ranks; the table has the numbers"),
        "caption": scaling_figure.caption(run),
        "csv": _download(scaling.to_csv([run])),
        "csv_name": f"{run.path.stem}-scaling.csv",
    }


def verdict_kind(verdict: str) -> str:
    """good, bad or plain: the page says it in words and in colour."""
    word = verdict.strip().upper()
    return "bad" if word.startswith("INVALID") else "good" if word.startswith("VALID") else "plain"


def sections(runs: Sequence[Run], batch: int | None = None) -> list[Section]:
    out: list[Section] = []
    for run in runs:
        for cell in run:
            title = full_title(cell, run, len(runs) > 1)
            out.append(_section(cell, f"cell-{len(out) + 1}", title, batch))
    return out


def _section(cell: Cell, anchor: str, title: str, batch: int | None) -> Section:
    shown = shown_batch(cell, batch)
    options = [(str(k).replace("_", " "), str(v)) for k, v in cell.data.attrs.items() if k not in ("gamma", "oracle")]
    drawn = [show(chart, anchor, cell.title) for chart in charts.of_cell(cell, shown)]
    return Section(anchor, cell, title, heading(cell).split(" (", 1)[1].rstrip(")"), options, shown, _with_gap_rows(cell), drawn)


def show(chart: Chart, anchor: str, where: str) -> dict[str, Any]:
    """A chart as the page shows it."""
    return {
        "anchor": f"{anchor}-{chart.key}",
        "key": chart.key,
        "title": chart.title,
        "svgs": [draw(f, f"{chart.title}, {where}: {f.title}; the data can be downloaded below") for f in chart.facets],
        "legend": legend(chart),
        "caption": chart.caption,
        "csv": _download(chart.csv()),
        "csv_name": f"{re.sub(r'[^a-z0-9]+', '-', where.lower()).strip('-')}-{chart.key}.csv",
    }


def _download(data: str) -> str:
    return "data:text/csv;charset=utf-8," + quote(data, safe="/:,*()[]{}+=\"")


def _law(number: int, title: str, chart: Chart) -> dict[str, Any]:
    return {"anchor": f"law-{number + 1}", "title": title, "chart": show(chart, f"law-{number + 1}", title)}


def _with_gap_rows(cell: Cell) -> list[Row | GapRow]:
    out: list[Row | GapRow] = []
    count = len(cell.labels[1])
    for (_, _, reason), some in groupby(rows(cell), key=lambda r: (r.batch, r.estimator, r.reason)):
        found = list(some)
        if reason:
            baselines = tuple(r.baseline for r in found)
            out.append(GapRow(found[0].estimator, found[0].batch, reason, baselines, len(baselines) == count))
        else:
            out += found
    return out
