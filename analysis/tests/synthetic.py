# SPDX-License-Identifier: MIT
"""A result file with exactly the schema of the C program, from numbers that are made up but hang together."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

ESTIMATORS = ("reinforce", "gpomdp", "gpomdp-undiscounted", "gae")
BASELINES = ("none", "mean", "loo", "optimal", "optimal-component", "time-mean", "value", "value-linear", "normalised")
BATCHES = (1, 16, 64)
REPLICATES = 10_000

# group, oracle, parameters, tr Var of one episode without a baseline, |gradient|, J, estimators that fit
CELLS = (
    ("/bandit/softmax-tabular", "bandit", [f"theta[{a}]" for a in range(4)], 7.0229, 0.77, 3.5396, 2),
    ("/gaussian/gaussian-linear", "gaussian", ["theta[0,0]", "log_sigma[0]"], 31.2, 1.49, -0.85, 2),
    ("/mdp/softmax-tabular", "none", [f"theta[{s},{a}]" for s in range(2) for a in range(2)], 9.3016, 1.33, 1.0677, 4),
    ("/cartpole/softmax-linear", "none", [f"W[{i},{a}]" for i in range(4) for a in range(2)], 4.4e5, 28.0, 19.4, 4),
)  # fmt: skip

# tr Var against `none`; what is in-sample is biased
FACTOR = {"none": 1.0, "mean": 0.28, "loo": 0.30, "optimal": 0.21, "optimal-component": 0.14, "time-mean": 0.24,
          "value": 0.16, "value-linear": 0.19, "normalised": 0.05}  # fmt: skip
ESTIMATOR_FACTOR = {"reinforce": 1.0, "gpomdp": 0.49, "gpomdp-undiscounted": 0.55, "gae": 0.2}
TEXT = h5py.string_dtype("utf-8")


def write(path: Path, seed: int = 1, verdict: str = "VALID", cells: tuple = CELLS) -> Path:
    """The whole file. Every axis is a dimension scale, every dataset has units and long_name."""
    rng = np.random.default_rng(seed)
    with h5py.File(path, "w", track_order=True) as file:
        for name, value in provenance(seed, verdict).items():
            file.attrs[name] = value
        for cell in cells:
            _cell(file, rng, *cell)
        _timing(file.create_group("timing"), rng)
    return path


def provenance(seed: int, verdict: str) -> dict[str, str | int]:
    return {
        "schema": "pgbench/1", "kind": "variance", "verdict": verdict.split(":")[0], "verdict_text": verdict, "version": "0.1.0",
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "command_line": "build/pgbench --study default -o results/default.h5 --quiet",
        "config": f"seed: {seed}\ngamma: 0.99\nenv:\n  - {{name: bandit, mean: [1, 2, 3, 5], noise: 0.5}}\n"
                  "  - {name: cartpole}\nbatch: [1, 16, 64]\nreplicates: 10000\n",
        "seed": seed, "ranks": 2, "nodes": 1, "hosts": "node01", "cpu": "Example CPU <8 cores> @ 2.5 GHz", "simd": "avx2",
        "compiler": "gcc 12.2.0", "compiler_flags": "-O3 -fopenmp-simd -ffp-contract=off -fno-math-errno -fno-trapping-math",
        "mpi_library": "Open MPI v4.1.4", "hdf5_library": "HDF5 1.10.8", "started": "2025-01-02T03:04:05Z",
        "finished": "2025-01-02T03:04:47Z", "slurm_job_id": "",
    }  # fmt: skip


def why_not(cell: str, fits: int, estimator: str, baseline: str) -> str:
    """Why a pair is not defined in a cell; empty where it is."""
    if ESTIMATORS.index(estimator) >= fits:
        return f"{estimator}: an episode has one step, so it is gpomdp"
    if estimator == "gae" and baseline not in ("none", "value", "value-linear"):
        return "gae takes a state value, and this baseline is not one"
    if baseline == "value" and not cell.startswith(("/bandit", "/gaussian", "/mdp")):
        return "no oracle knows V here; use value-linear"
    if baseline == "time-mean" and fits == 2:
        return "an episode has one step, so it is loo"
    return ""


def needs(baseline: str) -> int:
    return 2 if baseline in ("mean", "loo", "normalised", "time-mean") else 1


def axis(group: h5py.Group, name: str, values: list | tuple | np.ndarray, long_name: str) -> h5py.Dataset:
    text = isinstance(values[0], str)
    data = group.create_dataset(name, data=list(values) if text else np.asarray(values), dtype=TEXT if text else None)
    data.make_scale(name)
    data.attrs["long_name"] = long_name
    if not text:
        data.attrs["units"] = "1"
    return data


def array(group: h5py.Group, name: str, axes: str, values: np.ndarray, unit: str, long_name: str) -> None:
    text = values.dtype == object
    data = group.create_dataset(name, data=values, dtype=TEXT if text else None)
    for k, label in enumerate(axes.split(",")):
        data.dims[k].attach_scale(group[label])
        data.dims[k].label = label
    data.attrs["long_name"] = long_name
    if not text:
        data.attrs["units"] = unit


def _cell(file: h5py.File, rng: np.random.Generator, name: str, oracle: str, labels: list[str], base: float,
          length: float, value: float, fits: int) -> None:  # fmt: skip
    cell = file.create_group(name)
    env, policy = name.strip("/").split("/")
    cell.attrs.update({"env": env, "env_options": f"{{name: {env}}}", "policy": policy, "gamma": 0.99, "oracle": oracle,
                       "policy_options": f"{{name: {policy}, theta: zero}}"})  # fmt: skip
    axis(cell, "estimator", ESTIMATORS, "gradient estimator")
    axis(cell, "baseline", BASELINES, "baseline")
    axis(cell, "batch", np.array(BATCHES, dtype=np.int64), "episodes per gradient estimate")
    axis(cell, "parameter", labels, "policy parameter")
    d = len(labels)
    reason = np.array([[why_not(name, fits, e, b) for b in BASELINES] for e in ESTIMATORS], dtype=object)
    biased = np.array([[np.nan if reason[i, j] else float(b in ("mean", "normalised") or e == "gpomdp-undiscounted" or e == "gae")
                        for j, b in enumerate(BASELINES)] for i, e in enumerate(ESTIMATORS)])  # fmt: skip
    exact = np.full((4, 9, 3), np.nan)
    for i, e in enumerate(ESTIMATORS):
        for j, b in enumerate(BASELINES):
            for k, n in enumerate(BATCHES):
                if not reason[i, j] and n >= needs(b):
                    exact[i, j, k] = base * FACTOR[b] * ESTIMATOR_FACTOR[e] * (1 + 0.3 * (b == "loo") / n) / n
                    if b in ("mean", "loo", "normalised", "time-mean") and n < 2:
                        exact[i, j, k] = np.nan
    for i, j in np.argwhere(biased == biased):
        if needs(BASELINES[j]) > 1:
            reason[i, j] = f"{BASELINES[j]} needs a batch of at least 2 episodes"
    _figures(cell, rng, exact, length, oracle != "none", d)
    array(cell, "biased", "estimator,baseline", biased, "1", "1 where the expectation is not the gradient")
    array(cell, "reason", "estimator,baseline", reason, "1", "why a pair holds no figures")
    array(cell, "theta", "parameter", rng.normal(size=d), "1", "policy parameters")
    batch = np.array(BATCHES, dtype=float)
    for label, figure in (("return_mean", value + 0 * batch), ("return_variance", 2.5 + 0 * batch),
                          ("episode_length_mean", 20 + 0 * batch), ("episodes", batch * REPLICATES),
                          ("steps", batch * REPLICATES * 20)):  # fmt: skip
        array(cell, label, "batch", figure, "1", label.replace("_", " "))


def _figures(cell: h5py.Group, rng: np.random.Generator, exact: np.ndarray, length: float, known: bool, d: int) -> None:
    axes, deep = "estimator,baseline,batch", "estimator,baseline,batch,parameter"
    error = 0.03
    trace = exact * np.exp(error * rng.normal(size=exact.shape))
    ratio = trace / trace[:, :1, :]
    snr = length**2 / trace
    gap = exact * np.nan
    share = np.full(d, 1 / d)
    mean = np.sqrt(share) * length * np.ones_like(exact)[..., None] + np.where(np.isnan(exact), np.nan, 0)[..., None]
    array(cell, "gradient_mean", deep, mean, "1", "mean of the batch estimates")
    array(cell, "gradient_variance", deep, trace[..., None] * share, "1", "unbiased variance of one batch estimate")
    square, one = "(return/parameter)^2", "1"
    for name, values, unit, text in (
        ("variance_trace", trace, square, "sum over parameters of the variance of one batch estimate"),
        ("variance_trace_low", trace * np.exp(-1.96 * error), square, "lower end of its 95 % interval (jackknife)"),
        ("variance_trace_high", trace * np.exp(1.96 * error), square, "upper end of its 95 % interval (jackknife)"),
        ("variance_ratio", ratio, one, "variance_trace over that of baseline none, same estimator"),
        ("variance_ratio_low", ratio * 0.97, one, "lower end of its 95 % interval, paired"),
        ("variance_ratio_high", ratio * 1.03, one, "upper end of its 95 % interval, paired"),
        ("snr", snr, one, "squared norm of the true gradient over variance_trace"),
        ("noise_scale", 1 / snr, "episode", "episodes at which signal and noise are equal"),
        ("cosine_pairwise", snr / (1 + snr), one, "mean cosine between two batch estimates"),
        ("cosine_true", np.sqrt(snr / (1 + snr)), one, "mean cosine of a batch estimate to the true gradient"),
        ("bias_norm", np.sqrt(trace / REPLICATES), "return/parameter", "norm of gradient_mean less the true gradient"),
        ("kurtosis", 0 * exact + 9.5, one, "kurtosis of one batch estimate"),
        ("exact_trace", exact if known else gap, square, "sum over parameters of exact_variance"),
        ("z_bias", exact * 0 + rng.normal(size=exact.shape) if known else gap, one, "z of the mean"),
        ("z_variance", np.log(trace / exact) / error if known else gap, one, "z of variance_trace against exact_trace"),
    ):  # fmt: skip
        array(cell, name, axes, values, unit, text)


def _timing(group: h5py.Group, rng: np.random.Generator) -> None:
    axis(group, "rank", np.arange(2, dtype=np.int64), "MPI rank")
    axis(group, "phase", ("rollout", "gradient", "reduce", "io", "wait"), "phase of the run")
    seconds = np.array([20.0, 9.0, 0.2, 0.05, 0.4]) * rng.uniform(0.9, 1.1, size=(2, 5))
    array(group, "seconds", "rank,phase", seconds, "s", "time spent")


if __name__ == "__main__":
    import sys

    print(write(Path(sys.argv[1])))
