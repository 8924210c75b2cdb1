# SPDX-License-Identifier: MIT
"""The named studies against the published figures they reproduce: exact values by formula, and the verdict."""
import os
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

PROGRAM = os.environ.get("PGB_PROGRAM", "")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="PGB_PROGRAM names no program to test")


class Result:
    """Cells of a result file in the order of the study."""

    def __init__(self, name: str, folder: Path, *options: str) -> None:
        path = folder / f"{name}.h5"
        done = subprocess.run([PROGRAM, "--study", name, "-o", str(path), "--quiet", *options],
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        self.file = h5py.File(path)
        assert self.file.attrs["verdict"] == "VALID"
        self.cells = [self.file[f"{env}/{policy}"] for env in self.file if env != "timing"
                      for policy in sorted(self.file[env], key=lambda p: (len(p), p))]

    def get(self, cell: int, name: str, estimator: str, baseline: str, batch: int = 1) -> np.ndarray:
        group = self.cells[cell]
        at = (list(group["estimator"].asstr()).index(estimator), list(group["baseline"].asstr()).index(baseline),
              list(group["batch"][()]).index(batch))
        return np.asarray(group[name][at])


def test_mohamed_figure_2(tmp_path: Path) -> None:
    result = Result("mohamed2019", tmp_path, "--replicates", "20000")
    for cell, k in enumerate((-3.0, -1.0, 0.0, 1.0, 3.0)):
        m = 1 - k
        want = {"none": (m**4 + 14 * m**2 + 15, 2 * m**4 + 60 * m**2 + 74),
                "optimal-component": (8 * m**2 + 6, 40 * m**2 + 24)}
        for baseline, figures in want.items():
            np.testing.assert_allclose(result.get(cell, "exact_variance", "reinforce", baseline), figures, rtol=1e-12)
        assert result.get(cell, "exact_variance", "reinforce", "value")[0] == pytest.approx(8 * m**2 + 10, rel=1e-12)


def test_horizon_laws(tmp_path: Path) -> None:
    result = Result("horizon-laws", tmp_path, "--replicates", "1000")
    p = np.exp([0, 0.5, 1, 1.5])
    p /= p.sum()
    r = np.array([1.0, 2, 3, 5])
    mu = p @ r
    score2 = np.array([np.sum((np.eye(4)[a] - p) ** 2) for a in range(4)])
    fisher = p @ score2
    c2 = float(np.sum((p * (r - mu)) ** 2))
    zeta = p @ (score2 * ((r - mu) ** 2 + 0.25))
    e3 = p @ (score2 * (r - mu))
    v = p @ ((r - mu) ** 2 + 0.25)
    for cell, t in enumerate((1, 4, 16, 64, 256)):
        constant = t * zeta + t * (t - 1) * fisher * v + (t * t - 2 * t) * c2
        want = {("reinforce", "none"): constant + t**3 * mu**2 * fisher + 2 * t**2 * mu * e3,
                ("reinforce", "value"): constant,
                ("gpomdp", "value"): t * zeta + t * (t - 1) / 2 * fisher * v - t * c2,
                ("gae", "value"): t * (zeta - c2)}
        for pair, figure in want.items():
            assert result.get(cell, "exact_trace", *pair) == pytest.approx(figure, rel=1e-9)


def test_wu_ratio(tmp_path: Path) -> None:
    result = Result("wu2018", tmp_path, "--replicates", "300")
    for cell, m in enumerate((6, 50, 200, 1000)):
        ratio = result.get(cell, "exact_trace", "reinforce", "value") / result.get(cell, "exact_trace", "reinforce", "optimal")
        assert ratio == pytest.approx((m + 4) / (m + 2), rel=1e-10)


def test_leave_one_out(tmp_path: Path) -> None:
    result = Result("loo-against-mean", tmp_path, "--replicates", "5000")
    gradient = result.cells[0]["exact_gradient"][()]
    for n in (2, 3, 4, 8, 16, 64):
        for name in ("exact_trace", "variance_trace"):
            loo = result.get(0, name, "reinforce", "loo", n)
            assert loo / result.get(0, name, "reinforce", "mean", n) == pytest.approx((n / (n - 1)) ** 2, rel=1e-9)
        np.testing.assert_allclose(result.get(0, "exact_gradient_mean", "reinforce", "mean", n), (1 - 1 / n) * gradient, rtol=1e-10)


def test_zero_variance(tmp_path: Path) -> None:
    result = Result("zero-variance", tmp_path, "--replicates", "2000")
    assert result.get(0, "exact_trace", "reinforce", "value") == pytest.approx(0.6048, rel=1e-6)
    assert result.get(0, "exact_trace", "reinforce", "optimal") < 1e-12
    assert result.get(0, "variance_trace", "reinforce", "optimal") < 1e-10


def test_snr_falls_towards_the_optimum(tmp_path: Path) -> None:
    result = Result("snr-optimum", tmp_path, "--replicates", "5000")
    for cell, m in enumerate((2, 1, 0.5, 0.25, 0.1, 0.05)):
        exact = result.get(cell, "exact_trace", "reinforce", "value")
        signal = np.sum(result.cells[cell]["exact_gradient"][()] ** 2)
        assert signal / exact == pytest.approx(1 / (2 + 2.5 * 0.25 / m**2), rel=1e-6)


def test_cosine_law(tmp_path: Path) -> None:
    result = Result("ilyas2018", tmp_path, "--env", "gaussian:dim=100,target=0.1", "--replicates", "400")
    for n in (128, 512, 2048):
        snr = float(result.get(0, "snr", "gpomdp", "loo", n))
        assert result.get(0, "cosine_pairwise", "gpomdp", "loo", n) == pytest.approx(snr / (1 + snr), abs=0.01)
        assert result.get(0, "cosine_true", "gpomdp", "loo", n) == pytest.approx(np.sqrt(snr / (1 + snr)), abs=0.02)


def test_point_mass_value_takes_nearly_all(tmp_path: Path) -> None:
    result = Result("tucker2018", tmp_path, "--replicates", "300")
    ratio = result.get(0, "exact_trace", "gpomdp", "value") / result.get(0, "exact_trace", "gpomdp", "none")
    assert 0 < ratio < 1e-3


@pytest.mark.parametrize("seed", (1, 2, 3))
@pytest.mark.parametrize("problem", ("bandit:mean=[1,2,3,5],noise=0.1", "chain:mean=[1,2,3],horizon=8", "mdp:horizon=5"))
def test_peaked_policies_are_not_convicted(tmp_path: Path, problem: str, seed: int) -> None:
    """Actions of probability 1e-3 to 1e-20: their variance may not be seen, and that is no fault of the program."""
    for scale in (3, 6, 10):
        done = subprocess.run([PROGRAM, "--env", problem, "--policy", f"softmax-tabular:theta=random:{scale}", "--seed",
                               str(seed), "--replicates", "10000", "--batch", "1,16", "-o", str(tmp_path / f"{scale}.h5"),
                               "--quiet"], capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
        assert done.returncode == 0, f"scale {scale}: {done.stdout}{done.stderr}"


def test_nearly_deterministic_bandit(tmp_path: Path) -> None:
    for theta in (5, 10, 15, 20, 30, 100, 1e30):
        done = subprocess.run([PROGRAM, "--env", "bandit:mean=[1,2]", "--policy", f"softmax-tabular:theta=[{theta},0]", "-o",
                               str(tmp_path / f"{theta}.h5"), "--quiet"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"theta {theta}: {done.stdout}{done.stderr}"
