# SPDX-License-Identifier: MIT
from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import h5py
import numpy as np
import pytest
import synthetic
from pgbench_report import Run, load
from pgbench_report.cli import main
from pgbench_report.page import page
from pgbench_report.scaling import COLUMNS, launches, notes, to_csv
from pgbench_report.scaling_figure import caption, draw
from pgbench_report.summary import markdown, memory, text, work
from pgbench_report.table import number
from synthetic import array, axis

PHASES = ("rollout", "gradient", "reduce", "io", "wait")
RANKS = (1, 1, 2, 2, 4, 4)
WALL = (8.0, 8.0, 4.1, 8.2, 4.0, 16.0)


def write(path: Path, simd: tuple[str, ...] = ("avx2",) * 6) -> Path:
    """A scaling table as the program writes it: one node of two cores, strong and weak on 1, 2 and 4 ranks."""
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs.update(synthetic.provenance(1, "VALID") | {"kind": "scaling", "study": "scaling"})
        del file.attrs["verdict_text"]
        group = file.create_group("scaling")
        axis(group, "launch", np.arange(6, dtype=np.int64), "launch and mode")
        axis(group, "phase", PHASES, "phase of the run")
        axis(group, "statistic", ("min", "mean", "max"), "over the ranks")
        ranks, wall = np.array(RANKS, dtype=float), np.array(WALL)
        modes = np.array(["strong", "weak"] * 3, dtype=object)
        steps = 1e8 * np.where(modes == "weak", ranks, 1)
        speedup = np.where(modes == "weak", ranks, 1) * wall[0] / wall
        note = np.array(["oversubscribed, 4 ranks | 2 cores" if r > 2 else "" for r in ranks], dtype=object)
        for name, values in {"mode": modes, "started": np.array(["2025-01-02T03:04:05Z"] * 6, dtype=object), "note": note,
                             "hosts": np.array(["node01"] * 6, dtype=object), "simd": np.array(simd, dtype=object),
                             "git_commit": np.array(["abc"] * 6, dtype=object)}.items():  # fmt: skip
            array(group, name, "launch", values, "", name)
        for name, values in {"ranks": ranks, "nodes": 0 * ranks + 1, "cores": 0 * ranks + 2, "repeats": 0 * ranks + 3, "steps": steps,
                             "wall_seconds": wall, "wall_seconds_low": 0.9 * wall, "wall_seconds_high": 1.2 * wall,
                             "steps_per_second": steps / wall, "speedup": speedup, "efficiency": speedup / ranks,
                             "imbalance": 0 * ranks + 1.01, "allreduce_share": 0.002 * ranks, "peak_memory": 2.0**25 + 0 * ranks,
                             }.items():  # fmt: skip
            array(group, name, "launch", values, "1", name)
        share = np.array([0.3, 0.6, 0.01, 0.01, 0.08])
        seconds = wall[:, None, None] * share[:, None] * np.array([0.9, 1.0, 1.1])
        array(group, "phase_seconds", "launch,phase,statistic", seconds, "s", "time of a rank in each phase")
    return path


@pytest.fixture
def table(tmp_path: Path) -> Run:
    return load([write(tmp_path / "table.h5")])[0]


def test_rows(table: Run) -> None:
    rows = launches(table)
    assert [(r.mode, r.ranks) for r in rows] == [(m, n) for n in (1, 2, 4) for m in ("strong", "weak")]
    assert [r.oversubscribed for r in rows] == [False] * 4 + [True] * 2
    assert rows[2].figure("efficiency") == pytest.approx(8 / 4.1 / 2) and rows[3].phase("wait", "max") == pytest.approx(8.2 * 0.088)
    assert table.cells == () and table.verdict == "VALID: 6 launches"
    assert len(notes(table)) == 2


def test_text_and_markdown(table: Run) -> None:
    shown = text([table])
    assert "97.56" in shown and "4*" in shown and "oversubscribed, 4 ranks | 2 cores" in shown
    (head,) = [line for line in markdown([table]).splitlines() if line.startswith("| mode")]
    assert head.count("|") == len(COLUMNS) + 1
    assert "oversubscribed, 4 ranks \\| 2 cores" in markdown([table])


def test_csv_holds_every_column(table: Run) -> None:
    lines = list(csv.DictReader(io.StringIO(to_csv([table]))))
    assert [float(line["wall_seconds"]) for line in lines] == list(WALL)
    assert float(lines[1]["gradient_seconds_max"]) == pytest.approx(8 * 0.66)


def test_figure_shows_every_launch(table: Run) -> None:
    rate, efficiency, strong, weak = draw(table).axes
    for panel, name in ((rate, "steps_per_second"), (efficiency, "efficiency")):
        scale = 1e-6 if panel is rate else 100
        marks = sorted(float(line.get_ydata()[0]) for line in panel.lines if len(line.get_ydata()) == 1)
        assert table.scaling is not None
        assert marks == pytest.approx(sorted(scale * table.scaling[name].values))
    assert len(strong.patches) == len(weak.patches) == 3 * len(PHASES)
    assert sum(p.get_height() for p in strong.patches) == pytest.approx(300)
    assert "Open marks" in caption(table) and "median of 3 runs" in caption(table)


def test_other_programs_are_left_out_of_the_curves(tmp_path: Path) -> None:
    run = load([write(tmp_path / "two.h5", ("sse2", "sse2", "avx2", "avx2", "avx2", "avx2"))])[0]
    assert len(draw(run).axes[2].patches) == 2 * len(PHASES)
    assert caption(run).endswith("2 launches of other builds or instruction sets are in the table alone.")


def test_page_and_files(tmp_path: Path, result: Path) -> None:
    path = write(tmp_path / "table.h5")
    html = page(load([path]))
    assert 'id="scaling-1"' in html and "Scaling of study scaling" in html and html.count("<td") == 6 * len(COLUMNS)
    assert main([str(path), "-o", str(tmp_path / "one"), "--format", "html,png,svg,csv,md"]) == 0
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == sorted(
        ["table.html", "table-scaling.png", "table-scaling.svg", "table.csv", "table.md"])  # fmt: skip
    assert main([str(path), str(result), "-o", str(tmp_path / "both"), "--format", "html,png,csv"]) == 0
    both = {p.name for p in (tmp_path / "both").iterdir()}
    assert {"pgbench-report-scaling.csv", "pgbench-report-scaling.png", "pgbench-report-variance.png"} < both


def test_predicted_beside_measured(result: Path, tmp_path: Path) -> None:
    """Older files hold no prediction; with one, the page shows it cell by cell."""
    assert work(load([result])[0]) == [] and memory(load([result])[0]) == ""
    path = tmp_path / "new.h5"
    path.write_bytes(result.read_bytes())
    with h5py.File(path, "a") as file:
        group = file["timing"]
        names = [g.strip("/") for g, *_ in synthetic.CELLS]
        axis(group, "cell", names, "environment and policy")
        axis(group, "moment", ("before", "peak"), "before the cells, or the most ever")
        steps = np.array([file[n]["steps"][()].sum() for n in names])
        for name, values in {"cell_seconds": steps / 2e6, "cell_predicted_seconds": steps / 2e6, "cell_predicted_steps": 1.1 * steps,
                             "flops_per_step": 0 * steps + 500, "bytes_per_step": 0 * steps + 2000,
                             "words_per_step": 0 * steps + 3}.items():  # fmt: skip
            array(group, name, "cell", values, "1", name)
        array(group, "memory", "rank,moment", np.array([[1.0, 32], [1, 48]]) * 2**20, "B", "resident memory")
        group.attrs["estimated_memory_bytes"] = 50 * 2.0**20
    run = load([path])[0]
    assert work(run)[0] == ("bandit/softmax-tabular", "2.000", "2.200", "1.10", "500.0", "2000", "3.000")
    assert memory(run) == "32.00 to 48.00 MiB per rank at the peak; estimated 50.00 MiB"
    assert "predicted / measured" in page([run])
    with h5py.File(path, "a") as file:  # damaged, and a cell that a late launch did not predict
        file[f"{names[0]}/steps"][...] = np.nan
        file["timing/cell_predicted_seconds"][1] = 0
    damaged = load([path])[0]
    assert work(damaged)[0][1:4] == (number(math.nan), "2.200", number(math.nan))
    assert work(damaged)[1][1:4] == ("2.000", number(math.nan), number(math.nan))
    assert "predicted / measured" in page([damaged])
