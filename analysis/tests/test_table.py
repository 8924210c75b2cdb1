# SPDX-License-Identifier: MIT
from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from pgbench_report import Run
from pgbench_report.summary import gap_lines, markdown, text
from pgbench_report.table import COLUMNS, interval, number, rows, shown_batch, to_csv, z_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (7.0229, "7.023"), (0.00123456, "0.001235"), (123456.7, "123457"), (1.5e6, "1.500e+06"), (-0.5, "-0.5000"),
     (2e-5, "2.000e-05"), (math.nan, "–"), (math.inf, "∞")],
)  # fmt: skip
def test_numbers_have_four_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_intervals_and_z() -> None:
    assert interval(1.0, 2.0) == "[1.000, 2.000]"
    assert interval(math.nan, math.nan) == "–"
    assert z_text(1.234) == "+1.23"
    assert z_text(-math.inf) == "-∞"


def test_rows_hold_the_numbers_of_the_file(run: Run) -> None:
    cell = run["/bandit/softmax-tabular"]
    table = rows(cell)
    assert len(table) == 4 * 9 * 3
    row = next(r for r in table if (r.estimator, r.baseline, r.batch) == ("gpomdp", "loo", 16))
    at = {"estimator": "gpomdp", "baseline": "loo", "batch": 16}
    for name in ("variance_trace", "variance_trace_low", "exact_trace", "variance_ratio_high", "snr", "cosine_true", "z_bias"):
        assert getattr(row, name) == float(cell.data[name].sel(at)), name
    assert row.gradient_norm == pytest.approx(float(np.linalg.norm(cell.data["gradient_mean"].sel(at))))
    assert row.biased is False
    assert next(r for r in table if r.baseline == "mean" and r.estimator == "reinforce").biased is True


def test_one_batch_can_be_missing(run: Run) -> None:
    loo = [r for r in rows(run["/bandit/softmax-tabular"]) if (r.estimator, r.baseline) == ("reinforce", "loo")]
    assert [r.defined for r in loo] == [False, True, True]
    assert "at least 2" in loo[0].reason


def test_gaps_are_told_in_few_lines(run: Run) -> None:
    cell = run["/mdp/softmax-tabular"]
    lines = gap_lines(cell, rows(cell))
    assert "reinforce, gpomdp, gpomdp-undiscounted with loo at N = 1: loo needs a batch of at least 2 episodes" in lines
    assert any(line.startswith("gae with mean, loo, optimal") for line in lines)
    assert any("every baseline" in line for line in gap_lines(run["/bandit/softmax-tabular"], rows(run["/bandit/softmax-tabular"])))


def test_the_largest_batch_with_most_pairs_is_shown(run: Run) -> None:
    cell = run["/mdp/softmax-tabular"]
    assert shown_batch(cell) == 64
    assert shown_batch(cell, 16) == 16
    assert shown_batch(cell, 17) == 64


def test_text_has_all_rows_and_lines_up(run: Run) -> None:
    lines = text([run]).splitlines()
    assert lines[0] == "made-up.h5: VALID"
    defined = sum(r.defined for cell in run for r in rows(cell))
    body = [line for line in lines if line.startswith(("  reinforce ", "  gpomdp", "  gae "))]
    assert len(body) == defined
    heads = [line for line in lines if line.startswith("  estimator")]
    assert len(heads) == 4
    assert max(len(line) for line in body) <= 170


def test_csv_reads_back_in_full_precision(run: Run) -> None:
    lines = list(csv.DictReader(io.StringIO(to_csv([run]))))
    assert len(lines) == 4 * 4 * 9 * 3
    line = next(x for x in lines if x["cell"] == "/mdp/softmax-tabular" and x["baseline"] == "optimal" and x["batch"] == "64")
    at = {"estimator": line["estimator"], "baseline": "optimal", "batch": 64}
    assert float(line["variance_trace"]) == float(run["/mdp/softmax-tabular"].data["variance_trace"].sel(at))
    assert line["exact_trace"] == ""  # a gap, not a word
    assert line["biased"] == "0"


def test_markdown_tables_are_whole(run: Run) -> None:
    for line in markdown([run]).splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == len(COLUMNS) + 1, line
