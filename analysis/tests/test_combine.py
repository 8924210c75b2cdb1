# SPDX-License-Identifier: MIT
"""Pooling files and comparing them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import synthetic
from pgbench_report import ReportError, aggregate, bootstrap, combine, iqm, load, replicates, trace
from pgbench_report.cli import main
from pgbench_report.diff import compare

GROUP = "/mdp/softmax-tabular"


def with_gradients(path: Path, seed: int, count: int) -> tuple[Path, np.ndarray]:
    """A file whose means and variances are those of `count` replicates that it holds."""
    synthetic.write(path, seed=seed, cells=(synthetic.CELLS[2],))
    g = np.random.default_rng(seed).normal(loc=seed, scale=2.0, size=(4, 9, 3, count, 4))
    with h5py.File(path, "r+") as file:
        cell = file[GROUP]
        synthetic.axis(cell, "replicate", np.arange(count), "replicate")
        synthetic.array(cell, "gradient", "estimator,baseline,batch,replicate,parameter", g, "1", "batch estimates")
        cell["gradient_mean"][...] = g.mean(axis=3)
        cell["gradient_variance"][...] = g.var(axis=3, ddof=1)
        cell["episodes"][...] = np.array(synthetic.BATCHES) * float(count)
        cell["theta"][...] = 0.5
    return path, g


def test_pooled_moments_are_those_of_all_replicates(tmp_path: Path) -> None:
    a, x = with_gradients(tmp_path / "a.h5", 1, 40)
    b, y = with_gradients(tmp_path / "b.h5", 2, 25)
    both = combine(load([a, b]), GROUP)
    every = np.concatenate([x, y], axis=3)
    np.testing.assert_allclose(both["gradient_mean"], every.mean(axis=3), rtol=1e-12)
    np.testing.assert_allclose(both["gradient_variance"], every.var(axis=3, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(both["variance_trace"], every.var(axis=3, ddof=1).sum(axis=-1), rtol=1e-12)
    assert both["replicates"].values.tolist() == [65, 65, 65]
    assert [f.split(" (")[1][:6] for f in both.attrs["files"]] == ["seed 1", "seed 2"]
    assert both["variance_trace"].attrs["units"] == "(return/parameter)^2"


@pytest.mark.parametrize(("change", "word"), [("seed", "same replicates"), ("theta", "other theta"), ("options", "other options"),
                                              ("episodes", "how many episodes")])  # fmt: skip
def test_what_does_not_fit_is_refused(tmp_path: Path, change: str, word: str) -> None:
    a, _ = with_gradients(tmp_path / "a.h5", 1, 5)
    b, _ = with_gradients(tmp_path / "b.h5", 2, 5)
    with h5py.File(b, "r+") as file:
        if change == "seed":
            file.attrs["seed"] = 1
        elif change == "theta":
            file[GROUP]["theta"][0] = 7
        elif change == "options":
            file[GROUP].attrs["env_options"] = "{name: mdp, horizon: 9}"
        else:
            del file[GROUP]["episodes"]
    with pytest.raises(ReportError, match=word) as error:
        combine(load([a, b]), GROUP)
    assert "; " in str(error.value)


def test_the_bootstrap_resamples_replicates_within_files(tmp_path: Path) -> None:
    a, x = with_gradients(tmp_path / "a.h5", 1, 200)
    b, y = with_gradients(tmp_path / "b.h5", 5, 300)
    runs = load([a, b])
    strata = replicates(runs, GROUP, estimator="gpomdp", baseline="none", batch=16)
    np.testing.assert_array_equal(strata[0], x[1, 0, 1])
    found = bootstrap(strata, trace, np.random.default_rng(7), resamples=400)
    assert found == bootstrap(strata, trace, np.random.default_rng(7), resamples=400)
    assert found.value == pytest.approx(trace(np.concatenate([x[1, 0, 1], y[1, 0, 1]])))
    assert found.low < found.value < found.high
    shares: set[float] = set()  # each stratum keeps its size: the share of rows near 5 never changes
    flat = [np.full((4, 1), 1.0), np.full((6, 1), 5.0)]
    bootstrap(flat, lambda g: shares.add(float(g.mean())) or 0.0, np.random.default_rng(1), resamples=50)
    assert shares == {3.4}


def test_the_bootstrap_covers() -> None:
    """95 % intervals of a mean of 60 normal replicates hold the truth about that often."""
    generator, hits = np.random.default_rng(11), 0
    for _ in range(200):
        data = [generator.normal(size=30), generator.normal(size=30)]
        found = bootstrap(data, lambda g: float(g.mean()), generator, resamples=200)
        hits += found.low <= 0 <= found.high
    assert 175 <= hits <= 199


def test_iqm() -> None:
    assert iqm(np.arange(8.0)) == 3.5
    assert iqm(np.array([0.0, 1, 2, 1e9])) == 1.5
    assert iqm(np.array([1.0, 2, 30])) == pytest.approx((0.25 * 1 + 2 + 0.25 * 30) / 1.5)
    assert np.isnan(iqm(np.array([1.0, np.nan])))


def test_cells_are_aggregated_over_seeds() -> None:
    table = np.array([[1.0, 2, 3, 100], [1.2, 2.2, 3.2, 90]])
    found = aggregate(table, np.random.default_rng(1), resamples=200)
    assert found.value == pytest.approx(iqm(table)) and found.low <= found.value <= found.high
    with pytest.raises(ReportError, match="not finite"):
        aggregate(np.array([[1.0, np.nan], [1, 2]]), np.random.default_rng(1))
    with pytest.raises(ReportError, match="two seeds"):
        aggregate(np.array([[1.0, 2]]), np.random.default_rng(1))


def test_diff_of_a_file_with_itself(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(result), str(result)]) == 0
    out = capsys.readouterr().out
    assert "configuration: the same" in out and "provenance: the same" in out and "the same, bit for bit" in out


def test_diff_names_what_moved_and_no_more(result: Path, tmp_path: Path) -> None:
    other = synthetic.write(tmp_path / "other.h5", seed=1)
    with h5py.File(other, "r+") as file:
        cell = file[GROUP]
        for end in ("", "_low", "_high"):
            cell[f"variance_trace{end}"][1, 3, 2] *= 1.5  # gpomdp, optimal, N = 64: ten standard errors
            cell[f"variance_trace{end}"][0, 0, 0] *= 1.01  # within the errors
        file.attrs["compiler"] = "clang 14"
        file.attrs["config"] = str(file.attrs["config"]).replace("gamma: 0.99", "gamma: 0.9")
        del file["/cartpole"]
    d = compare(*load([result, other]))
    assert [(c.cell, c.estimator, c.baseline, c.batch, c.name) for c in d.changes] == [(GROUP, "gpomdp", "optimal", 64, "tr Var")]
    assert d.compared - d.same == 2
    assert ("compiler", "gcc 12.2.0", "clang 14") in d.provenance
    assert "-gamma: 0.99" in d.config and "+gamma: 0.9" in d.config
    assert d.only == (["/cartpole/softmax-linear"], []) and not d.alike


def test_two_seeds_do_not_differ(result: Path, tmp_path: Path) -> None:
    other = synthetic.write(tmp_path / "other.h5", seed=2)
    d = compare(*load([result, other]))
    assert [c for c in d.changes if c.name == "tr Var"] == []
    assert d.compared > 300 and d.same < d.compared


def test_diff_of_a_bad_file(result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(result), str(tmp_path / "none.h5")]) == 2
    assert "no such file" in capsys.readouterr().err
