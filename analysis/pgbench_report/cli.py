# SPDX-License-Identifier: MIT
"""pgbench-report: tables, figures and a page from result files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from .load import ReportError, Run, load

FORMATS = ("html", "png", "svg", "pdf", "csv", "md")
DEFAULT = "html,png,svg"
USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 2 with one message on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["diff"]:
        return _guarded(lambda: _diff(diff_parser().parse_args(given[1:])))
    return _guarded(lambda: _report(parser().parse_intermixed_args(given)))


def _report(options: argparse.Namespace) -> None:
    if options.follow:
        from .follow import follow

        for path in options.files:
            follow(Path(path))
        return
    runs = load(options.files)
    formats = options.formats or ([] if options.summary else _formats(DEFAULT))
    if options.summary:
        from . import summary

        print(summary.text(runs), end="")
    for path in write(runs, formats, options.output, options.batch):
        print(path, file=sys.stderr if options.summary else sys.stdout)


def _diff(options: argparse.Namespace) -> None:
    from . import diff

    print(diff.text(*load([options.before, options.after])), end="")


def _guarded(work: Callable[[], None]) -> int:
    try:
        work()
        sys.stdout.flush()
    except ReportError as error:
        print(f"pgbench-report: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:  # the end of --follow
        return 0
    except BrokenPipeError:  # the reader (less, head) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pgbench-report",
        description="Tables, figures and one self-contained page from pgbench result files.",
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="result file (HDF5) that pgbench wrote")
    parser.add_argument("-o", "--output", type=Path, default=Path("."), metavar="DIR", help="where to write (default: here)")
    parser.add_argument("--format", type=_formats, dest="formats", metavar="F,F",
                        help=f"what to write, of {', '.join(FORMATS)} (default: {DEFAULT}; nothing with --summary)")  # fmt: skip
    parser.add_argument("--batch", type=int, metavar="N", help="batch size that figures show (default: the largest)")
    parser.add_argument("--summary", action="store_true", help="print the tables")
    parser.add_argument("--follow", action="store_true", help="print what is done of a running or interrupted FILE, and what is missing; "
                        "on a terminal again and again until it is complete")  # fmt: skip
    parser.epilog = "pgbench-report diff A B says what changed between two runs: configuration, provenance, figures beyond their errors."
    return parser


def diff_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pgbench-report diff",
        description="What changed between two runs: configuration, provenance, figures by more than their errors.",
        allow_abbrev=False,
    )
    parser.add_argument("before", metavar="A", help="result file")
    parser.add_argument("after", metavar="B", help="result file to compare with it")
    return parser


def _formats(text: str) -> list[str]:
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(f"unknown format {name!r}; choose from {', '.join(FORMATS)}")
    return names


def write(runs: Sequence[Run], formats: Sequence[str], folder: Path, batch: int | None) -> list[Path]:
    """The files of the report, each complete or absent under its name."""
    stem = runs[0].path.stem if len(runs) == 1 else "pgbench-report"
    known = {n for run in runs for cell in run for n in cell.batches}
    if batch is not None and batch not in known:
        raise ReportError(f"--batch {batch}: no cell has it; choose from {', '.join(map(str, sorted(known)))}")
    written: list[Path] = []
    try:
        if formats:
            folder.mkdir(parents=True, exist_ok=True)
        for name in formats:
            written += _write_one(runs, name, folder, stem, batch)
    except OSError as error:
        what = error.filename or folder
        raise ReportError(f"{what}: cannot be written ({error.strerror}); give another folder with -o") from error
    return written


def _write_one(runs: Sequence[Run], name: str, folder: Path, stem: str, batch: int | None) -> list[Path]:
    if name in ("png", "svg"):
        return _write_figures(runs, name, folder, stem, batch)
    path = folder / f"{stem}.{name}"
    if name == "pdf":
        _replace(path, partial(_write_pdf, runs, batch))
        return [path]
    if name == "html":
        from .page import page

        text = page(runs, batch)
    elif name == "csv":
        from . import scaling
        from .table import to_csv

        tables = [run for run in runs if run.scaling is not None]
        if tables and len(tables) < len(runs):
            aside = folder / f"{stem}-scaling.csv"
            _replace(aside, lambda to: to.write_text(scaling.to_csv(tables), encoding="utf-8"))
            text = to_csv(runs)
            _replace(path, lambda to: to.write_text(text, encoding="utf-8"))
            return [path, aside]
        text = scaling.to_csv(tables) if tables else to_csv(runs)
    else:
        from .summary import markdown

        text = markdown(runs)
    _replace(path, lambda to: to.write_text(text, encoding="utf-8"))
    return [path]


def _write_figures(runs: Sequence[Run], suffix: str, folder: Path, stem: str, batch: int | None) -> list[Path]:
    """STEM-variance.SUFFIX; where one picture would be too long, -2, -3 follow."""
    from . import figure

    cells = [(run, cell) for run in runs for cell in run]
    style = figure.styles([cell for _, cell in cells])
    panels = [figure.panel(c, batch, None if len(runs) == 1 else f"{c.title} ({r.path.stem})") for r, c in cells]
    out = []
    for i, some in enumerate(figure.pages(panels)):
        path = folder / f"{stem}-variance{f'-{i + 1}' if i else ''}.{suffix}"
        drawn = figure.draw(some, style)
        _replace(path, partial(figure.save, drawn))
        out.append(path)
    return out + _write_scaling(runs, suffix, folder, stem)


def _write_pdf(runs: Sequence[Run], batch: int | None, path: Path) -> None:
    """All figures of all cells, one document."""
    from matplotlib.backends.backend_pdf import PdfPages

    from . import chart_figure, charts, figure, laws, overview, scaling_figure

    with PdfPages(path, metadata={"CreationDate": None, "Title": "pgbench: " + ", ".join(r.path.stem for r in runs)}) as out:
        for run in runs:
            for title, chart in laws.charts(run.cells, batch):
                out.savefig(chart_figure.draw(chart, title))
            style = figure.styles(run.cells)
            for cell in run:
                title = overview.full_title(cell, run, len(runs) > 1)
                out.savefig(figure.draw([figure.panel(cell, batch, title)], style))
                for chart in charts.of_cell(cell, batch):
                    if chart.key not in ("variance", "ratio"):
                        out.savefig(chart_figure.draw(chart, f"{title}: {chart.title}"))
            if run.scaling is not None:
                out.savefig(scaling_figure.draw(run))


def _write_scaling(runs: Sequence[Run], suffix: str, folder: Path, stem: str) -> list[Path]:
    """STEM-scaling.SUFFIX; -2, -3 where several files hold a table."""
    from . import figure, scaling_figure

    out = []
    for i, run in enumerate(run for run in runs if run.scaling is not None):
        path = folder / f"{stem}-scaling{f'-{i + 1}' if i else ''}.{suffix}"
        drawn = scaling_figure.draw(run, None if len(runs) == 1 else f"Scaling, {run.path.stem}")
        _replace(path, partial(figure.save, drawn))
        out.append(path)
    return out


def _replace(path: Path, write_to: Callable[[Path], object]) -> None:
    """Writes beside the path and renames: a reader sees the old file or the new one."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        write_to(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
