# SPDX-License-Identifier: MIT
"""What the tests of the program share: running it, and reading what it wrote.

PGB_PROGRAM is the pgbench to run; PGB_MPIEXEC the launcher's words up to the number of ranks
("mpirun --oversubscribe --bind-to none -n"), empty in a build without MPI."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

PROGRAM = os.environ.get("PGB_PROGRAM", "")
MPIEXEC = shlex.split(os.environ.get("PGB_MPIEXEC", ""))
ALONE = {**os.environ, "OMPI_MCA_ess_singleton_isolated": "1"}
WAIT = 120  # seconds that only a hang takes
ROOT = ("schema kind verdict version git_commit command_line config seed ranks nodes hosts cpu simd compiler "
        "compiler_flags mpi_library hdf5_library started finished slurm_job_id").split()  # fmt: skip
ROW = ("estimator baseline batch return_mean gradient_norm variance_trace low high ratio snr cosine_true z_bias "
       "z_variance biased").split()  # fmt: skip
VECTORS = "gradient_mean gradient_variance exact_gradient_mean exact_variance".split()
FIGURES = ("variance_trace variance_trace_low variance_trace_high variance_ratio variance_ratio_low "
           "variance_ratio_high snr noise_scale cosine_pairwise cosine_true bias_norm kurtosis exact_trace z_bias "
           "z_variance").split()  # fmt: skip
ROLLS = "return_mean return_variance episode_length_mean episodes steps".split()
BANDIT = ["--env", "bandit:mean=[1,2,3,5],noise=[0.5,0,1,0.25]", "--policy", "softmax-tabular:theta=[0,0.5,1,1.5]"]
MDP = """\
  name: mdp
  horizon: 3
  transition: [[[0.8, 0.2], [0.3, 0.7]], [[0.5, 0.5], [0.1, 0.9]]]
  reward: [[1, 0], [-1, 2]]
  noise: 0.5
  start: [0.6, 0.4]
"""
EXAMPLE = f"""\
seed: 7
gamma: 0.9
env:
{MDP}policy: {{name: softmax-tabular, theta: [0.2, -0.3, 0.5, 0.0]}}
estimators: [reinforce, gpomdp, {{name: gae, lambda: 0.5}}]
baselines: [none, mean, loo, optimal, value]
batch: [1, 16, 64]
replicates: 10000
"""
LQR = """\
seed: 1
gamma: 0.95
env: {name: lqr, horizon: 4, A: [[1, 0.2], [0, 0.9]], B: [[0.1], [0.5]], Q: [[1, 0], [0, 0.3]], R: [[0.2]],
      W: [[0.02, 0], [0, 0.05]], S0: [[1, 0.2], [0.2, 0.5]]}
policy: {name: gaussian-linear, theta: [[0.4, 0.6]], sigma: 0.5477225575051661}
"""
ORACLES = ("bandit", "gaussian", "mdp", "chain", "lqr")
GYMNASIUM = ("cartpole", "pendulum", "acrobot", "mountaincar")
ALL_ENVS = """\
seed: 3
env: [bandit, {name: gaussian, context: normal, noise: 0.3}, {name: mdp, noise: 0.5}, {name: chain, horizon: 5}, lqr,
      {name: cartpole, horizon: 20}, {name: pendulum, horizon: 20}, {name: acrobot, horizon: 20},
      {name: mountaincar, horizon: 20}]
batch: [1, 3]
replicates: 20
pilot: 64
"""

EVERYTHING = ALL_ENVS.replace("replicates: 20", "replicates: 12") + """\
policy: [softmax-tabular, softmax-linear, gaussian-linear, {name: softmax-mlp, hidden: 5},
         {name: gaussian-mlp, hidden: 5, learn_sigma: true}]
estimators: [reinforce, gpomdp, gpomdp-undiscounted, gae]
baselines: [none, mean, loo, optimal, optimal-component, time-mean, value, value-linear, optimal-state,
            optimal-state-time, normalised]
"""

needs_program = pytest.mark.skipif(not PROGRAM, reason="PGB_PROGRAM names no pgbench")
needs_mpi = pytest.mark.skipif(not MPIEXEC, reason="PGB_MPIEXEC is empty: this build has no MPI")


def run(*args: str | Path, ranks: int = 0, mca: tuple[str, ...] = (), program: str = PROGRAM,
        **more: Any) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Without ranks: a plain start, which Open MPI makes quicker if it need not be ready to spawn more."""
    start = [] if ranks == 0 else [MPIEXEC[0], *mca, *MPIEXEC[1:], str(ranks)]
    command = [*start, program, *map(str, args)]
    environment = dict(os.environ) if ranks else ALONE
    return subprocess.run(command, **{"env": environment, "capture_output": True, "text": True, "timeout": WAIT} | more)


def measure(out: Path, *args: str | Path, **more: Any) -> Path:
    """A run that must be VALID."""
    done = run("--progress", "never", "--quiet", "-o", out, *args, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return out


def study(folder: Path, text: str, name: str = "study.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def payload(path: Path) -> str:
    """Hash of every bit that a result promises to repeat: all datasets outside /timing, with their attributes."""
    total = hashlib.sha256()

    def look(name: str, node: h5py.Group | h5py.Dataset) -> None:
        if name.startswith("timing"):
            return
        scales = ("DIMENSION_LIST", "REFERENCE_LIST")  # hold addresses in the file
        attributes = [(k, np.asarray(node.attrs[k]).tolist()) for k in sorted(node.attrs) if k not in scales]
        total.update(repr((name, attributes)).encode())
        if isinstance(node, h5py.Dataset):
            values = node[()]
            text = h5py.check_string_dtype(node.dtype) is not None
            total.update(repr((node.shape, values.tolist())).encode() if text else values.tobytes())

    with h5py.File(path) as file:
        file.visititems(look)
    return total.hexdigest()


def cell(path: Path, group: str) -> xr.Dataset:
    with xr.open_dataset(path, group=group, engine="h5netcdf") as data:
        return data.load()


def at(data: xr.Dataset, name: str, estimator: str, baseline: str, batch: int = 1) -> Any:
    return data[name].sel(estimator=estimator, baseline=baseline, batch=batch).values


def groups(path: Path) -> list[str]:
    with h5py.File(path) as file:
        return [f"/{env}/{policy}" for env in file if env != "timing" for policy in file[env]]
