# SPDX-License-Identifier: MIT
"""What a run measures and stores as exact, against golden figures; the same bits however it is run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from program import (
    ALL_ENVS,
    BANDIT,
    EVERYTHING,
    EXAMPLE,
    LQR,
    MDP,
    MPIEXEC,
    at,
    cell,
    groups,
    measure,
    needs_mpi,
    needs_program,
    payload,
    run,
    study,
)

pytestmark = needs_program


class TestExact:
    """Stored exact figures against ESTIMATORS' golden ones, and measured against exact. 1e-6: theta is float32."""

    def judge(self, data: xr.Dataset, golden: dict[tuple[str, str, int], float], tolerance: float) -> None:
        for place, value in golden.items():
            assert float(at(data, "exact_trace", *place)) == pytest.approx(value, rel=tolerance), place
            trace = float(at(data, "variance_trace", *place))
            assert trace == pytest.approx(value, rel=0.2), place
            assert abs(float(at(data, "z_variance", *place))) < 5, place
        assert not (np.abs(data["z_bias"]) >= 5).any()
        np.testing.assert_allclose(data["exact_variance"].sum("parameter", skipna=False), data["exact_trace"], rtol=1e-12)

    def test_bandit(self, tmp_path: Path) -> None:
        data = cell(measure(tmp_path / "a.h5", *BANDIT, "--batch", "1,8", "--replicates", "200000"),
                    "/bandit/softmax-tabular")  # fmt: skip
        gradient = [-0.2578647681009732, -0.25774203085378705, -0.1489404239154938, 0.6645472228702538]
        self.judge(data, {("reinforce", "none", 1): 7.022892996121757, ("gpomdp", "value", 1): 1.2410314026789726,
                          ("reinforce", "optimal", 1): 1.023752168736991, ("reinforce", "loo", 8): 0.19525214749903957,
                          ("reinforce", "optimal-component", 1): 0.5305564102750169,
                          ("reinforce", "value", 8): 0.15512892533487158,
                          ("reinforce", "mean", 8): 0.19525214749903957 * (7 / 8) ** 2}, 1e-9)  # fmt: skip
        assert data.attrs["exact_return"] == pytest.approx(3.539630722385276, rel=1e-9)
        np.testing.assert_allclose(data["exact_gradient"], gradient, rtol=1e-9)
        np.testing.assert_allclose(at(data, "exact_gradient_mean", "reinforce", "loo", 8), gradient, rtol=1e-9)
        shrunk = at(data, "exact_gradient_mean", "reinforce", "mean", 8)
        np.testing.assert_allclose(shrunk, np.multiply(gradient, 7 / 8), rtol=1e-9)
        np.testing.assert_allclose(at(data, "gradient_mean", "reinforce", "mean", 8), shrunk, atol=0.01)
        assert data["biased"].sel(estimator="reinforce", baseline="mean") == 1
        assert data["biased"].sel(estimator="reinforce", baseline="loo") == 0

    def test_gaussian(self, tmp_path: Path) -> None:
        env = "gaussian:curvature=1.7,noise=0.4"
        data = cell(measure(tmp_path / "b.h5", "--env", env, "--policy",
                            "gaussian-linear:theta=[0.8],sigma=0.6,learn_sigma=true", "--batch", "1", "--replicates",
                            "200000"), "/gaussian/gaussian-linear")  # fmt: skip
        np.testing.assert_allclose(data["exact_gradient"], [-1.36, -0.612], rtol=1e-6)
        for baseline, wanted in {"value": [6.744644444444, 12.222176], "optimal-component": [5.704244444444, 9.225824]}.items():
            np.testing.assert_allclose(at(data, "exact_variance", "reinforce", baseline), wanted, rtol=1e-6)
        self.judge(data, {("reinforce", "value", 1): 18.966820444444}, 1e-6)
        policy = "gaussian-linear:theta=[0.8],sigma=0.6"
        plain = cell(measure(tmp_path / "c.h5", "--env", env, "--policy", policy, "--batch", "1", "--replicates",
                             "200000"), "/gaussian/gaussian-linear")  # fmt: skip
        self.judge(plain, {("reinforce", "none", 1): 11.641588888889, ("reinforce", "value", 1): 6.744644444444,
                           ("reinforce", "optimal", 1): 5.704244444444}, 1e-6)  # fmt: skip
        context = cell(measure(tmp_path / "d.h5", "--env", env + ",context=normal,target=0.3", "--policy", policy,
                               "--batch", "1", "--replicates", "200000"), "/gaussian/gaussian-linear")  # fmt: skip
        self.judge(context, {("reinforce", "optimal", 1): 8.537648611111, ("gpomdp", "value", 1): 8.825444444444}, 1e-6)

    def test_mdp(self, tmp_path: Path) -> None:
        data = cell(measure(tmp_path / "c.h5", "--study", study(tmp_path, EXAMPLE), "--batch", "1", "--replicates",
                            "200000", "--estimator", "reinforce,gpomdp,gae:lambda=0,gae:lambda=0.5", "--baseline",
                            "none,optimal,value,optimal-state,optimal-state-time"), "/mdp/softmax-tabular")  # fmt: skip
        self.judge(data, {("reinforce", "none", 1): 9.301641922866459, ("reinforce", "optimal", 1): 6.243293848270433,
                          ("gpomdp", "none", 1): 4.5759755678057115, ("gpomdp", "value", 1): 3.3728626336007803,
                          ("gpomdp", "optimal-state", 1): 2.851590249346235,
                          ("gpomdp", "optimal-state-time", 1): 2.751301928566925,
                          ("gae:lambda=0", "value", 1): 1.6709199230624159,
                          ("gae:lambda=0.5", "value", 1): 2.046690247651093}, 1e-6)  # fmt: skip
        c = 0.40182083831070003
        np.testing.assert_allclose(data["exact_gradient"], [c, -c, -0.8522828004083968, 0.8522828004083968], rtol=1e-6)
        assert data["biased"].sel(estimator="gae:lambda=0.5", baseline="value") == 0
        assert data["biased"].sel(estimator="gae:lambda=0.5", baseline="none") == 1

    def test_lqr(self, tmp_path: Path) -> None:
        data = cell(measure(tmp_path / "d.h5", "--study", study(tmp_path, LQR), "--batch", "1,4", "--replicates",
                            "100000"), "/lqr/gaussian-linear")  # fmt: skip
        self.judge(data, {("reinforce", "none", 1): 3086.82345, ("reinforce", "optimal", 1): 1306.24513,
                          ("gpomdp", "none", 1): 1436.47429, ("gpomdp", "value", 1): 20.20879,
                          ("gpomdp-undiscounted", "value", 1): 20.8835, ("reinforce", "loo", 4): 509.9007}, 3e-6)  # fmt: skip
        biased = at(data, "exact_gradient_mean", "gpomdp-undiscounted", "value")
        np.testing.assert_allclose(biased, [0.6932, 0.2357], atol=6e-5)

    def test_one_step_chain_is_the_bandit(self, tmp_path: Path) -> None:
        chain = ["--env", "chain:mean=[1,2,3,5],noise=[0.5,0,1,0.25],horizon=1", *BANDIT[2:]]
        data = cell(measure(tmp_path / "e.h5", *chain, "--batch", "1"), "/chain/softmax-tabular")
        assert float(at(data, "exact_trace", "reinforce", "optimal")) == pytest.approx(1.023752168736991, rel=1e-9)
        assert float(at(data, "exact_trace", "gae", "value")) == pytest.approx(1.2410314026789726, rel=1e-9)

    def test_intervals_cover_and_z_stays_small(self, tmp_path: Path) -> None:
        cells, inside = 20, np.zeros(3)
        for seed in ("1", "2"):
            out = measure(tmp_path / f"{seed}.h5", *BANDIT[:2] * cells, *BANDIT[2:], "--estimator", "reinforce", "--baseline",
                          "none,loo,optimal", "--batch", "4", "--replicates", "500", "--seed", seed)  # fmt: skip
            assert len(groups(out)) == cells
            with h5py.File(out) as file:
                for data in (file[group] for group in groups(out)):
                    low, exact, high, z, z_bias = (data[name][()].ravel() for name in (
                        "variance_trace_low", "exact_trace", "variance_trace_high", "z_variance", "z_bias"))  # fmt: skip
                    inside += (low <= exact) & (exact <= high)
                    assert (np.abs(z) < 6).all() and (np.abs(z_bias) < 6).all()
        assert (inside >= 33).all(), inside  # of 40; below 33 happens once in 1000 where each covers 95 %

    @pytest.mark.parametrize("more", [
        ["--env", "bandit:mean=[1e6,-1e6,999999]"], ["--env", "bandit:mean=[1e6,999999,999998.5]"],
        ["--env", "bandit:mean=[3,3,3]"], ["--env", "bandit:mean=[0,0]"], ["--env", "gaussian:curvature=0"],
        ["--env", "gaussian:noise=1e6"], ["--env", "gaussian", "--policy", "gaussian-linear:sigma=1e-6"],
        ["--env", "mdp:noise=1e6"], ["--env", "mdp:horizon=1"], ["--env", "lqr:horizon=1"],
        ["--env", "cartpole:horizon=1"], ["--env", "pendulum:horizon=1"], ["--env", "acrobot:horizon=30"],
        ["--env", "mountaincar", "--policy", "gaussian-linear:sigma=1e-6"], ["--env", "pendulum:g=0", "--gamma", "1"],
        ["--env", "bandit", "--batch", "1"], ["--env", "mdp", "--gamma", "1e-300"],
        ["--env", "bandit:mean=[1e6,-1e6,1e6],noise=1e6", "--policy", "softmax-tabular:theta=[0,9000,5000]"],
        ["--env", "chain:mean=[1e6,-1e6],noise=1e6", "--policy", "softmax-tabular:theta=[0,100]"],
    ], ids=lambda more: " ".join(more[1:]))  # fmt: skip
    @pytest.mark.parametrize("replicates", ["2", "500"])
    def test_extremes_are_valid_and_gaps_have_reasons(self, tmp_path: Path, more: list[str], replicates: str) -> None:
        path = measure(tmp_path / "x.h5", *more, "--replicates", replicates)
        (group,) = groups(path)
        data = cell(path, group)
        assert not np.isinf(data["z_bias"]).any() and not np.isinf(data["z_variance"]).any()
        gaps = np.isnan(data["variance_trace"]).any("batch")
        assert (data["reason"].where(gaps, "none missing") != "").all()
        assert np.isfinite(data["return_mean"]).all()

    @pytest.mark.parametrize(("env", "batch"), [
        ("lqr:A=[[1000]],B=[[1]],Q=[[1]],R=[[1]],W=[[1]],S0=[[1]],horizon=30", "1,16"),
        ("lqr:A=[[1.8e5]],B=[[1]],Q=[[1]],R=[[0]],S0=[[1e6]],horizon=4", "64,2"),  # some of 2560 episodes, none of 80
        ("gaussian:curvature=1e6,noise=1e6,target=[1e6],dim=1", "1,16"),
    ])  # fmt: skip
    def test_overflow_is_told(self, tmp_path: Path, env: str, batch: str) -> None:
        """Returns beyond float32: a gap with its reason and INVALID, or sound figures; never a silent gap."""
        out = tmp_path / "x.h5"
        done = run("--quiet", "-o", out, "--env", env, "--batch", batch, "--replicates", "40")
        assert done.returncode in (0, 3), done.stderr
        (group,) = groups(out)
        data = cell(out, group)
        gaps = np.isnan(data["variance_trace"]).any("batch")
        assert (data["reason"].where(gaps, "none missing") != "").all()
        assert not np.isinf(data["variance_trace"]).any()
        if done.returncode == 3:
            assert "INVALID" in done.stdout and gaps.any()
        if np.isnan(data["return_variance"]).any():  # normalised divides by it: 0 would look like a measurement
            assert np.isnan(data["gradient_mean"].sel(estimator="gpomdp", baseline="normalised")).all()

    def test_variance_below_rounding_is_told(self, tmp_path: Path) -> None:
        """An unstable loop: of V = 1e27 float32 keeps 1e20, noise changes 1e19. The exact figure stands, the other is named."""
        data = cell(measure(tmp_path / "x.h5", "--env", "lqr:A=[[3]],B=[[1]],Q=[[1]],R=[[1]],S0=[[1]],horizon=20",
                            "--estimator", "gpomdp", "--batch", "4", "--replicates", "300"), "/lqr/gaussian-linear")  # fmt: skip
        place = ("gpomdp", "value", 4)
        assert 1e38 < float(at(data, "exact_trace", *place)) < 0.1 * float(at(data, "variance_trace", *place))
        assert np.isnan(at(data, "variance_trace_low", *place)) and np.isnan(at(data, "variance_trace_high", *place))
        assert "rounding" in str(data["reason"].sel(estimator="gpomdp", baseline="value").values)
        assert str(data["reason"].sel(estimator="gpomdp", baseline="none").values) == ""

    def test_no_variance_is_left(self, tmp_path: Path) -> None:
        path = measure(tmp_path / "x.h5", "--env", "bandit:mean=[2,5]", "--policy",
                       "softmax-tabular:theta=[0,0.8472978603872036]", "--batch", "1", "--replicates", "2000")  # fmt: skip
        data = cell(path, "/bandit/softmax-tabular")
        assert float(at(data, "exact_trace", "reinforce", "value")) == pytest.approx(0.6048, rel=1e-6)
        assert abs(float(at(data, "exact_trace", "reinforce", "optimal"))) < 1e-12
        assert float(at(data, "variance_trace", "reinforce", "optimal")) < 1e-10


class TestSameBits:
    def test_resolved_config_repeats_the_file(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "theta.h5", "w") as file:
            file["theta"] = [0.1, 0.7, -0.3, 0.25]
        text = f"""\
env: [bandit, {{{", ".join(MDP.split(chr(10)))[:-2].replace("  ", "")}}}, cartpole,
      {{name: pendulum, g: 3.711, horizon: 17}}, acrobot, {{name: mountaincar, goal_velocity: 0.01, horizon: 50}}]
policy:
  - {{name: softmax-tabular, env: bandit, theta: random:0.7}}
  - {{name: softmax-tabular, env: mdp, theta: theta.h5}}
  - {{name: softmax-linear, env: cartpole, theta: random:0.1}}
  - {{name: gaussian-linear, env: pendulum, sigma: 0.7, learn_sigma: true}}
  - {{name: softmax-linear, env: acrobot, theta: random:0.1}}
  - {{name: gaussian-linear, env: mountaincar, theta: [0.125, 7]}}
estimators: [reinforce, gpomdp, {{name: gae, lambda: 0.5}}, {{name: gae, lambda: 0.25}}]
batch: [1, 3]
replicates: 30
pilot: 64
"""
        first = measure(tmp_path / "1.h5", "--study", study(tmp_path, text), "--seed", "18446744073709551615")
        with h5py.File(first) as file:
            config = file.attrs["config"]
            assert (file["mdp/softmax-tabular/theta"][()] == np.float32([0.1, 0.7, -0.3, 0.25])).all()
            assert len(set(file["bandit/softmax-tabular/theta"][()])) == 4
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        again = measure(elsewhere / "2.h5", "--study", study(elsewhere, config), cwd=elsewhere)
        assert payload(again) == payload(first)
        with h5py.File(again) as file:
            assert file.attrs["config"] == config
        other = measure(tmp_path / "3.h5", "--study", study(elsewhere, config), "--seed", "1")
        assert payload(other) != payload(first)

    def test_any_instruction_set(self, tmp_path: Path) -> None:
        path = study(tmp_path, ALL_ENVS)
        names = run("--version").stdout.split("SIMD")[1].split()
        hashes = {n: payload(measure(tmp_path / f"{n}.h5", "--study", path, "--simd", n)) for n in (*names, "auto")}
        assert len(set(hashes.values())) == 1, hashes

    def test_more_replicates_and_saving_change_nothing_else(self, tmp_path: Path) -> None:
        plain = measure(tmp_path / "1.h5", *BANDIT, "--replicates", "50")
        saved = measure(tmp_path / "2.h5", *BANDIT, "--replicates", "50", "--save-gradients")
        xr.testing.assert_identical(cell(plain, "/bandit/softmax-tabular"),
                                    cell(saved, "/bandit/softmax-tabular").drop_vars(["gradient", "replicate"]))  # fmt: skip


@needs_mpi
class TestRanks:
    @pytest.fixture(scope="class")
    def plain(self, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
        """All there is: the lists of the program must be those of the study."""
        folder = tmp_path_factory.mktemp("plain")
        path = study(folder, EVERYTHING)
        out = measure(folder / "plain.h5", "--study", path, "--save-gradients")
        known = {kind: {line.split()[0] for line in run("list", kind).stdout.splitlines() if line.startswith("  ")}
                 for kind in ("env", "policy", "estimator", "baseline")}  # fmt: skip
        cells = [group.split("/")[1:] for group in groups(out)]
        assert {env for env, _ in cells} == known["env"] and {policy for _, policy in cells} == known["policy"]
        data = cell(out, "/mdp/softmax-tabular")
        assert set(data["estimator"].values) == known["estimator"] and set(data["baseline"].values) == known["baseline"]
        return path, payload(out)

    @pytest.mark.parametrize("ranks", map(int, os.environ.get("PGB_TEST_RANKS", "1 2 3 5 7").split()))
    def test_same_bits(self, tmp_path: Path, plain: tuple[Path, str], ranks: int) -> None:
        out = measure(tmp_path / "x.h5", "--study", plain[0], "--save-gradients", ranks=ranks)
        assert payload(out) == plain[1]
        with h5py.File(out) as file:
            assert file.attrs["ranks"] == ranks and file["timing/seconds"].shape == (ranks, 5)

    @pytest.mark.parametrize("seed", ["1", "2"])
    def test_same_bits_however_blocks_are_dealt(self, tmp_path: Path, plain: tuple[Path, str], seed: str) -> None:
        out = measure(tmp_path / "x.h5", "--study", plain[0], "--save-gradients", ranks=3, program=os.environ["PGB_FAULTY"],
                      env={**os.environ, "PGB_DEAL": seed})  # fmt: skip
        assert payload(out) == plain[1]

    @pytest.mark.parametrize("algorithm", [1, 3, 4, 6])
    def test_same_bits_for_any_allreduce(self, tmp_path: Path, plain: tuple[Path, str], algorithm: int) -> None:
        version = subprocess.run([MPIEXEC[0], "--version"], capture_output=True, text=True, check=False).stdout
        if "Open MPI" not in version and "OpenRTE" not in version:
            pytest.skip("only Open MPI's allreduce can be chosen by --mca")
        mca = ("--mca", "coll_tuned_use_dynamic_rules", "1", "--mca", "coll_tuned_allreduce_algorithm", str(algorithm))
        out = measure(tmp_path / "x.h5", "--study", plain[0], "--save-gradients", ranks=3, mca=mca)
        assert payload(out) == plain[1]

    def test_networks(self, tmp_path: Path) -> None:
        """Any number of ranks; instruction sets with fused multiply-add agree, and so do those without it."""
        net = ["--env", "cartpole", "--env", "lqr", "--policy", "softmax-mlp:hidden=17x5", "--policy",
               "gaussian-mlp:hidden=20,learn_sigma=true,activation=relu", "--batch", "1,3", "--replicates", "40"]  # fmt: skip
        alone = payload(measure(tmp_path / "1.h5", *net))
        assert payload(measure(tmp_path / "3.h5", *net, ranks=3)) == alone
        sets = run("--version").stdout.split("SIMD")[1].split()
        for family in (("none", "sse2"), ("avx2", "avx512")):
            bits = {payload(measure(tmp_path / f"{n}.h5", *net, "--simd", n)) for n in family if n in sets}
            assert len(bits) <= 1

    def test_blocks_of_more_than_one_message(self, tmp_path: Path) -> None:
        """15 MB, which go straight to rank 0."""
        large = ["--env", "cartpole:horizon=20", "--policy", "softmax-mlp:hidden=64x64", "--replicates", "7", "--batch", "1"]
        alone = payload(measure(tmp_path / "1.h5", *large))
        assert payload(measure(tmp_path / "2.h5", *large, ranks=2)) == alone
        assert payload(measure(tmp_path / "5.h5", *large, ranks=5)) == alone

    def test_more_ranks_than_work(self, tmp_path: Path, plain: tuple[Path, str]) -> None:
        few = ["--study", plain[0], "--replicates", "3"]
        alone = measure(tmp_path / "1.h5", *few)
        assert payload(measure(tmp_path / "8.h5", *few, ranks=8)) == payload(alone)

    def test_one_rank_speaks(self, tmp_path: Path) -> None:
        alone = run("list", "env").stdout
        assert run("list", "env", ranks=3).stdout == alone
        assert run("describe", "gae", ranks=2).stdout == run("describe", "gae").stdout
        done = run(*BANDIT, "--replicates", "9", "--format", "json", "-o", tmp_path / "x.h5", ranks=3)
        page = json.loads(done.stdout)
        assert page["ranks"] == 3
        assert page["throughput"]["steps_per_second_per_rank"] == pytest.approx(page["throughput"]["steps_per_second"] / 3)
