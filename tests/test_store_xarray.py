# SPDX-License-Identifier: MIT
"""The sample file of tests/test_store.c as Python users meet it: h5py, h5dump, xarray through h5netcdf.

PGB_TEST_FILE names a file that test_store wrote, or PGB_TEST_STORE the program that writes one."""

import math
import os
import subprocess

import h5py
import numpy as np
import pytest
import xarray

CELL = "/mdp/softmax-tabular"
ESTIMATORS = ["reinforce", "gae:\u03bb=0.5"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    if os.environ.get("PGB_TEST_FILE"):
        return os.environ["PGB_TEST_FILE"]
    if not os.environ.get("PGB_TEST_STORE"):
        pytest.skip("neither PGB_TEST_FILE nor PGB_TEST_STORE is set")
    name = str(tmp_path_factory.mktemp("store") / "sample.h5")
    subprocess.run([os.environ["PGB_TEST_STORE"], name], check=True)
    return name


def test_root_attributes(path):
    with h5py.File(path, "r") as f:
        a = dict(f.attrs)
    assert a["schema"] == "pgbench/1" and type(a["schema"]) is str
    assert a["verdict"] == "VALID"  # written twice, the last holds
    assert a["config"] == "env: {name: mdp}\ngamma: 0.9 # \u03b3\n"
    assert a["slurm_job_id"] == ""
    assert a["command_line"] == "pgbench -o caf\ufffd.h5"
    assert a["seed"] == 2**64 - 1 and a["ranks"] == -(2**63)


def test_order_of_groups_is_kept(path):
    with h5py.File(path, "r") as f:
        assert list(f["/"])[:2] == ["mdp", "bandit"]  # of h5py.File itself the names are sorted
        assert list(f[CELL])[:5] == ["estimator", "baseline", "batch", "replicate", "parameter"]


def test_every_axis_has_a_scale_and_every_number_a_unit(path):
    plain = []

    def visit(name, item):
        if not isinstance(item, h5py.Dataset):
            return
        assert type(item.attrs["long_name"]) is str
        if item.dtype.kind != "O":
            assert type(item.attrs["units"]) is str
        assert item.dtype.kind in "fiO" and item.dtype.names is None
        if not h5py.h5ds.is_scale(item.id):
            plain.append(name)
            for axis in item.dims:
                assert len(axis) == 1, name
        elif item.dtype.kind == "O":
            assert h5py.check_string_dtype(item.dtype) == ("utf-8", None)  # None: variable length

    with h5py.File(path, "r") as f:
        f.visititems(visit)
    assert len(plain) > 10


def test_xarray_labels(path):
    with xarray.open_dataset(path, group=CELL, engine="h5netcdf") as ds:
        assert ds.attrs["gamma"] == 0.99 and ds.attrs["oracle"] == "none"
        assert list(ds.estimator.values) == ESTIMATORS
        assert all(type(x) is str for x in ds.estimator.values)
        assert list(ds.parameter.values) == ["W1[0,0]", "b[0]"]
        variance = ds.gradient_variance
        assert variance.dims == ("estimator", "baseline", "batch", "parameter")
        assert variance.attrs == {"units": "1", "long_name": "variance of one batch gradient"}
        assert float(variance.sel(estimator=ESTIMATORS[1], baseline="loo", batch=16, parameter="b[0]")) == 1 / 20
        assert math.isnan(float(variance.sel(estimator="reinforce", baseline="none", batch=16, parameter="b[0]")))
        assert np.signbit(float(ds.theta[1]))
        assert ds.reason.sel(estimator="reinforce", baseline="optimal").item() == "no oracle"
        assert ds.reason.sel(estimator=ESTIMATORS[1], baseline="none").item() == ""
        assert ds.batch.attrs["long_name"] == "episodes per gradient estimate" and ds.batch.dtype == np.int64
        assert ds.scalar.dims == () and float(ds.scalar) == 0.5


def test_pieces(path):
    with xarray.open_dataset(path, group=CELL, engine="h5netcdf") as ds:
        flat = ds.gradient.values.ravel()
    assert ds.gradient.shape == (2, 3, 2, 3, 2)
    assert list(flat[5:8]) == [7, 8, 9]
    assert np.isnan(flat[:5]).all() and np.isnan(flat[8:]).all()


def test_other_groups(path):
    with xarray.open_dataset(path, group="/timing", engine="h5netcdf") as ds:
        assert float(ds.seconds.sel(rank=0, phase="reduce")) == 1e-300
        assert ds.seconds.attrs["units"] == "s"
    with xarray.open_dataset(path, group="/empty", engine="h5netcdf") as ds:
        assert ds["void"].shape == (0,) and ds.words.shape == (0,)
    with xarray.open_dataset(path, group=CELL + "/more/deep", engine="h5netcdf") as ds:
        assert ds.theta2.dims == ("parameter",)  # the dimension of the parent, without its labels


def test_saves_again(path, tmp_path):
    with xarray.open_dataset(path, group=CELL, engine="h5netcdf") as ds:
        ds.load().to_netcdf(tmp_path / "again.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "again.nc", engine="h5netcdf") as again:
        assert list(again.baseline.values) == ["none", "loo", "optimal"]


def test_h5dump(path):
    out = subprocess.run(["h5dump", "-d", CELL + "/estimator", path], check=True, capture_output=True, text=True)
    assert "H5T_CSET_UTF8" in out.stdout and "H5T_VARIABLE" in out.stdout and '"reinforce"' in out.stdout
    out = subprocess.run(["h5dump", "-pH", path], check=True, capture_output=True, text=True)
    assert 'GROUP "softmax-tabular"' in out.stdout and "MODIFICATION" not in out.stdout.upper()
