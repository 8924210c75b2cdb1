# SPDX-License-Identifier: MIT
from __future__ import annotations

import math
from pathlib import Path

import h5py
import numpy as np
import pytest
import synthetic
from pgbench_report import ReportError, Run, load
from pgbench_report.summary import text


def test_cells_are_labelled(run: Run) -> None:
    assert [c.group for c in run] == [c[0] for c in synthetic.CELLS]  # the order of the study, not of the alphabet
    cell = run["/mdp/softmax-tabular"]
    assert (cell.env, cell.policy) == ("mdp", "softmax-tabular")
    assert cell.data["variance_trace"].dims == ("estimator", "baseline", "batch")
    assert cell.labels == (list(synthetic.ESTIMATORS), list(synthetic.BASELINES))
    assert cell.batches == [1, 16, 64]
    assert cell.replicates(16) == synthetic.REPLICATES
    assert float(cell.data["variance_trace"].sel(estimator="gpomdp", baseline="none", batch=16)) > 0
    assert cell.data.attrs["gamma"] == 0.99


def test_provenance_is_kept(run: Run) -> None:
    assert run.verdict == "VALID"
    assert run.attrs["seed"] == 1
    assert run.attrs["mpi_library"] == "Open MPI v4.1.4"
    assert run.timing is not None and run.timing.dims == ("rank", "phase")


def test_gaps_are_nan_with_a_reason(run: Run) -> None:
    cell = run["/cartpole/softmax-linear"]
    at = {"estimator": "reinforce", "baseline": "value"}
    assert np.isnan(cell.data["variance_trace"].sel(at)).all()
    assert cell.data["reason"].sel(at).item() == "no oracle knows V here; use value-linear"
    assert math.isnan(float(cell.data["biased"].sel(at)))


def test_large_arrays_stay_on_disk(run: Run) -> None:
    data = run["/mdp/softmax-tabular"].data
    assert data["variance_trace"].variable._in_memory
    assert not data["gradient_variance"].variable._in_memory


def test_a_file_without_some_figures_has_gaps(tmp_path: Path) -> None:
    path = synthetic.write(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        for name in ("snr", "reason", "biased", "episodes"):
            del file[f"/mdp/softmax-tabular/{name}"]
    cell = load([path])[0]["/mdp/softmax-tabular"]
    assert np.isnan(cell.data["snr"]).all()
    assert cell.replicates(16) is None


def damaged(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "bad.h5"
    if kind == "absent":
        return path
    if kind == "directory":
        path.mkdir()
        return path
    if kind == "text":
        path.write_text("not HDF5 at all")
        return path
    if kind == "empty":
        path.touch()
        return path
    synthetic.write(path)
    if kind == "truncated":
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        return path
    with h5py.File(path, "r+") as file:
        if kind == "foreign":
            del file.attrs["schema"]
        elif kind == "older":
            file.attrs["schema"] = "pgbench/0"
        elif kind == "no cell":
            for cell in synthetic.CELLS:
                del file[cell[0]]
        elif kind == "no axis":
            del file["/mdp/softmax-tabular/batch"]
        elif kind == "other axes":
            del file["/mdp/softmax-tabular/snr"]
            synthetic.array(file["/mdp/softmax-tabular"], "snr", "estimator", np.zeros(4), "1", "wrong")
    return path


@pytest.mark.parametrize(
    ("kind", "word"),
    [("absent", "no such file"), ("directory", "directory"), ("text", "not a readable HDF5"), ("empty", "not a readable HDF5"),
     ("truncated", "damaged"), ("foreign", "not of pgbench"), ("older", "pgbench/0"), ("no cell", "no cell"),
     ("no axis", "`batch`"), ("other axes", "instead of (estimator, baseline, batch)")],
)  # fmt: skip
def test_bad_files_are_refused(tmp_path: Path, kind: str, word: str) -> None:
    path = damaged(tmp_path, kind)
    with pytest.raises(ReportError, match="^[^\n]+$") as error:
        load([path])
    assert word in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "; " in str(error.value)  # what to do


def test_a_cell_without_its_main_figure_is_a_marked_gap(tmp_path: Path) -> None:
    path = synthetic.write(tmp_path / "gap.h5")
    with h5py.File(path, "r+") as file:
        del file["/bandit/softmax-tabular/variance_trace"]
    run = load([path])[0]
    assert np.isnan(run["/bandit/softmax-tabular"].data["variance_trace"]).all()
    assert "no finite figure in this cell" in text([run])
