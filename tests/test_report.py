# SPDX-License-Identifier: MIT
"""A real run, read back by the tools a user has: plain xarray, and the report. PGB_PROGRAM is the pgbench to run."""

from __future__ import annotations

import csv
import os
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from pgbench_report import load
from pgbench_report.cli import main
from pgbench_report.follow import read

PROGRAM = os.environ.get("PGB_PROGRAM", "")
AXES = ("estimator", "baseline", "batch")
ROOT = ("schema kind verdict version git_commit command_line config seed ranks nodes hosts cpu simd compiler "
        "compiler_flags mpi_library hdf5_library started finished slurm_job_id").split()  # fmt: skip
FIGURES = ("variance_trace variance_trace_low variance_trace_high variance_ratio variance_ratio_low "
           "variance_ratio_high snr noise_scale cosine_pairwise cosine_true bias_norm kurtosis exact_trace z_bias "
           "z_variance").split()  # fmt: skip
STUDY = """\
seed: 5
gamma: 0.9
env:
  - {name: bandit, mean: [1, 2, 3, 5], noise: [0.5, 0, 1, 0.25]}
  - name: mdp
    horizon: 3
    transition: [[[0.8, 0.2], [0.3, 0.7]], [[0.5, 0.5], [0.1, 0.9]]]
    reward: [[1, 0], [-1, 2]]
    noise: 0.5
    start: [0.6, 0.4]
policy: {name: softmax-tabular}
estimators: [reinforce, gpomdp, {name: gae, lambda: 0.5}]
baselines: [none, mean, loo, optimal, value-linear]
batch: [1, 4]
replicates: 400
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not PROGRAM:
        pytest.skip("PGB_PROGRAM names no pgbench")
    folder = tmp_path_factory.mktemp("run")
    (folder / "small.yaml").write_text(STUDY, encoding="utf-8")
    out = folder / "small.h5"
    done = subprocess.run([PROGRAM, "--study", str(folder / "small.yaml"), "-o", str(out), "--progress", "never"],
                          capture_output=True, text=True, timeout=240, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out


def test_provenance_is_complete(result: Path) -> None:
    with h5py.File(result) as file:
        assert [name for name in ROOT if name not in file.attrs] == []
        assert file.attrs["schema"] == "pgbench/1"
        assert isinstance(file.attrs["config"], str)


def test_every_dataset_is_labelled_and_has_units(result: Path) -> None:
    faults: list[str] = []

    def look(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset):
            if "long_name" not in node.attrs:
                faults.append(f"{name}: no long_name")
            if h5py.check_string_dtype(node.dtype) is None and "units" not in node.attrs:
                faults.append(f"{name}: no units")
            if not h5py.h5ds.is_scale(node.id) and not all(len(dim) for dim in node.dims):
                faults.append(f"{name}: an axis without a scale")

    with h5py.File(result) as file:
        file.visititems(look)
    assert faults == []


def test_plain_xarray_opens_labelled_arrays(result: Path) -> None:
    data = xr.open_dataset(result, group="/mdp/softmax-tabular", engine="h5netcdf")
    for name in FIGURES:
        assert data[name].dims == AXES, name
        assert data[name].dtype == np.float64
    assert data["gradient_mean"].dims == (*AXES, "parameter")
    assert [type(v) for v in data["estimator"].values] == [str] * 3
    assert data["batch"].values.tolist() == [1, 4]
    one = data.sel(estimator="reinforce", baseline="none", batch=4)
    assert float(one["variance_trace_low"]) < float(one["variance_trace"]) < float(one["variance_trace_high"])
    assert float(data["episodes"].sel(batch=4)) == 1600
    per_parameter = data["gradient_variance"].sum("parameter", skipna=False)
    np.testing.assert_allclose(per_parameter, data["variance_trace"], rtol=1e-12)


def test_gaps_have_reasons(result: Path) -> None:
    for cell in load([result])[0]:
        nothing = np.isnan(cell.data["variance_trace"].values).all(axis=2)
        reasons = cell.data["reason"].values
        assert all(bool(reasons[i, j]) for i, j in np.argwhere(nothing))
        assert np.isfinite(cell.data["biased"].values[~nothing]).all()
    bandit = load([result])[0]["/bandit/softmax-tabular"]
    assert bandit.replicates(4) == 400
    assert np.isnan(float(bandit.data["variance_trace"].sel(estimator="reinforce", baseline="loo", batch=1)))


def test_the_report_of_it(result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(result), "-o", str(tmp_path), "--format", "html,png,svg,csv,md", "--summary"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("small.h5: ")
    assert "/bandit/softmax-tabular" in text
    assert {p.name for p in tmp_path.iterdir()} == {"small.html", "small-variance.png", "small-variance.svg", "small.csv", "small.md"}
    with (tmp_path / "small.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * 3 * 5 * 2
    data = load([result])[0]["/bandit/softmax-tabular"].data
    for line in lines:
        if line["cell"] == "/bandit/softmax-tabular" and line["variance_trace"]:
            at = {name: line[name] for name in ("estimator", "baseline")} | {"batch": int(line["batch"])}
            assert float(line["variance_trace"]) == float(data["variance_trace"].sel(at))


def test_the_checkpoint_of_a_real_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not PROGRAM:
        pytest.skip("PGB_PROGRAM names no pgbench")
    (tmp_path / "long.yaml").write_text(STUDY.replace("replicates: 400", "replicates: 20000000"), encoding="utf-8")
    out, part = tmp_path / "long.h5", tmp_path / "long.h5.part"
    run = subprocess.Popen([PROGRAM, "--study", str(tmp_path / "long.yaml"), "-o", str(out), "--quiet", "--progress", "never",
                            "--checkpoint-interval", "1s"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        for _ in range(600):
            if part.exists() or run.poll() is not None:
                break
            time.sleep(0.1)
        assert run.poll() is None
        assert main(["--follow", str(out)]) == 0  # while it is written
        text = capsys.readouterr().out
        assert "of 4 cells and batch sizes done" in text and "mdp \u00b7 softmax-tabular" in text.split("still missing", 1)[1]
    finally:
        run.terminate()
        run.wait(60)
    assert run.returncode == 75
    assert main(["--follow", str(out)]) == 0
    assert "pgbench --resume" in capsys.readouterr().out
    progress = read(part)
    assert progress.head["study"] == "long" and progress.replicates == 20000000 and progress.batches == [1, 4]
    assert progress.run.cells[0].data.sizes["parameter"] == 4
