# SPDX-License-Identifier: MIT
"""The program on itself: `pgbench scaling`, what --dry-run and a run predict, and memory. No test judges speed."""

from __future__ import annotations

import csv
import json
import math
import re
import signal
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from program import ALONE, MDP, PROGRAM, cell, groups, measure, needs_mpi, needs_program, payload, run, study

pytestmark = needs_program
WORK = ["--env", "chain", "--batch", "4", "--replicates", "300", "--baseline", "none,loo"]


def scaling(out: Path, *args: str, ranks: int = 0) -> subprocess.CompletedProcess[str]:
    done = run("scaling", *WORK, "-o", out, *args, ranks=ranks)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done


def table(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, group="scaling", engine="h5netcdf") as data:
        return data.load()


class TestScaling:
    @needs_mpi
    def test_launches_fill_one_table(self, tmp_path: Path) -> None:
        out = tmp_path / "table.h5"
        for ranks in (1, 2, 4):
            last = scaling(out, ranks=ranks)
        data = table(out)
        assert data["mode"].values.tolist() == ["strong", "weak"] * 3
        ranks = data["ranks"].values
        assert ranks.tolist() == [1, 1, 2, 2, 4, 4]
        assert data["replicates"].values.tolist() == [300, 300, 300, 600, 300, 1200]
        assert data["steps"].values.tolist() == [12000 * n for n in (1, 1, 1, 2, 1, 4)]
        weak = data["mode"].values == "weak"
        wall = data["wall_seconds"].values
        base = np.where(weak, wall[1], wall[0])
        np.testing.assert_allclose(data["efficiency"], base / wall / np.where(weak, 1, ranks), rtol=1e-12)
        np.testing.assert_allclose(data["speedup"], data["efficiency"] * ranks, rtol=1e-12)
        np.testing.assert_allclose(data["steps_per_second"], data["steps"] / wall, rtol=1e-12)
        assert (data["wall_seconds_low"] <= wall).all() and (data["wall_seconds_high"] >= wall).all()
        phases = data["phase_seconds"]
        assert phases.dims == ("launch", "phase", "statistic")
        assert phases["phase"].values.tolist() == ["rollout", "gradient", "reduce", "io", "wait"]
        assert (phases.sel(statistic="min") <= phases.sel(statistic="mean") * (1 + 1e-12)).all()
        assert (phases.sel(statistic="mean").sum("phase") <= 1.01 * wall).all()
        assert (data["imbalance"] >= 1 - 1e-12).all() and (data["valid"] == 1).all()
        cores = int(data["cores"][0])
        assert ["oversubscribed" in text for text in data["note"].values] == [n > cores for n in ranks]
        marked = [line for line in last.stdout.splitlines() if re.match(r"\+ (strong|weak) +4 ", line)]
        assert len(marked) == 2 and len(re.findall(r"^  (strong|weak) ", last.stdout, re.MULTILINE)) == 4

    def test_columns_have_units_and_the_file_its_provenance(self, tmp_path: Path) -> None:
        out = tmp_path / "table.h5"
        scaling(out, "--scaling", "weak", "--repeats", "1")
        faults: list[str] = []

        def look(name: str, node: h5py.Group | h5py.Dataset) -> None:
            if isinstance(node, h5py.Dataset):
                keys = ("long_name",) if h5py.check_string_dtype(node.dtype) is not None else ("long_name", "units")
                faults.extend(f"{name}: {key}" for key in keys if not node.attrs.get(key))
                if not h5py.h5ds.is_scale(node.id) and not all(len(dim) for dim in node.dims):
                    faults.append(f"{name}: an axis without a scale")

        with h5py.File(out) as file:
            file.visititems(look)
            assert (file.attrs["schema"], file.attrs["kind"], file.attrs["verdict"]) == ("pgbench/1", "scaling", "VALID")
            assert "replicates: 300" in file.attrs["config"]
        assert faults == [] and table(out)["repeats"].values.tolist() == [1]

    def test_formats(self, tmp_path: Path) -> None:
        out = tmp_path / "table.h5"
        scaling(out, "--scaling", "strong", "--quiet")
        page = json.loads(scaling(out, "--scaling", "strong", "--format", "json").stdout)
        assert [row["added"] for row in page["rows"]] == [False, True] and page["output"] == str(out)
        assert set(page["rows"][0]["phase_seconds"]) == {"rollout", "gradient", "reduce", "io", "wait"}
        lines = list(csv.DictReader(scaling(out, "--scaling", "strong", "--format", "csv").stdout.splitlines()))
        data = table(out)
        assert [line["added"] for line in lines] == ["0", "0", "1"]
        for name in ("wall_seconds", "efficiency", "peak_memory"):
            assert [float(line[name]) for line in lines] == data[name].values.tolist()

    def test_other_files_and_options_are_refused(self, tmp_path: Path) -> None:
        out = tmp_path / "table.h5"
        scaling(out, "--scaling", "strong", "--repeats", "1")
        before = out.read_bytes()
        other = measure(tmp_path / "other.h5", *WORK)
        for args, why in (
            (["scaling", *WORK, "--seed", "9", "-o", out], "another workload"),
            (["scaling", *WORK, "-o", other], "kind 'variance'"),
            (["scaling", *WORK, "-o", out, "--force"], "--force: has no meaning"),
            (["scaling", *WORK, "-o", out, "--repeats", "0"], "--repeats 0: is not a whole number from 1"),
            (["scaling", *WORK, "-o", out, "--scaling", "string"], "use strong, weak or both"),
            (["variance", *WORK, "-o", tmp_path / "x.h5", "--repeats", "3"], "belongs to the command scaling"),
        ):
            done = run(*args)
            assert done.returncode == 2 and done.stdout == "" and why in done.stderr, done.stderr
            assert done.stderr.startswith("pgbench: ") and done.stderr.count("\n") == 1
        assert out.read_bytes() == before

    def test_a_kill_leaves_the_table_whole(self, tmp_path: Path) -> None:
        out = tmp_path / "table.h5"
        scaling(out, "--scaling", "strong", "--repeats", "1")
        before = out.read_bytes()
        command = [PROGRAM, "scaling", *WORK, "--repeats", "1000", "-o", str(out)]
        with subprocess.Popen(command, env=ALONE, stdout=subprocess.DEVNULL) as process:
            time.sleep(0.5)
            process.send_signal(signal.SIGKILL)
        assert out.read_bytes() == before
        scaling(out, "--scaling", "strong", "--repeats", "1")
        assert table(out).sizes["launch"] == 2


class TestPredictions:
    def test_dry_run_tells_counts_and_time(self, tmp_path: Path) -> None:
        done = run("--env", "cartpole", "--env", "mdp", "--replicates", "400", "--dry-run", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "") and list(tmp_path.iterdir()) == []
        lines = done.stdout.splitlines()
        (env, other) = [line.split() for line in lines if line.startswith("      environment")]
        assert env[1:] == ["52", "33", "0"] and other[3] == "1"
        assert len([line for line in lines if re.match(r"    predicted  .* steps/s, .* steps in ", line)]) == 2
        assert any(re.match(r"  rate    .* environment steps/s predicted on 1 rank for ", line) for line in lines)
        assert any("assumed: " in line for line in lines) and any(line.startswith("  memory  ") for line in lines)

    @pytest.mark.parametrize("ranks", [0, pytest.param(2, marks=needs_mpi)])
    def test_predicted_beside_measured(self, tmp_path: Path, ranks: int) -> None:
        """Within a factor that only a mistake reaches: the machine may be busy."""
        out = tmp_path / "x.h5"
        done = run("--env", "cartpole", "--env", "lqr", "--batch", "16", "--replicates", "6000", "-o", out, "--format", "json",
                   ranks=ranks)  # fmt: skip
        speed = json.loads(done.stdout)["throughput"]
        per_core = speed["steps_per_second"] / speed["core_share"]
        assert 0.2 < speed["predicted_steps_per_second"] / per_core < 5
        with xr.open_dataset(out, group="timing", engine="h5netcdf") as data:
            timing = data.load()
        assert timing["cell"].values.tolist() == [group.strip("/") for group in groups(out)]
        steps = [float(cell(out, group)["steps"].sum()) for group in timing["cell"].values]
        np.testing.assert_allclose(timing["cell_predicted_steps"], steps, rtol=0.2)
        share = timing["processor_seconds"].values.mean() / timing.attrs["elapsed_seconds"]
        ratio = timing["cell_predicted_seconds"] / (timing["cell_seconds"] * share)
        assert ((ratio > 0.1) & (ratio < 10)).all(), ratio.values
        assert timing["words_per_step"].values[0] == pytest.approx(1 + 4 / float(cell(out, "cartpole/softmax-linear")["episode_length_mean"][0]), rel=0.2)
        assert np.isfinite(timing["flops_per_step"]).all() and timing.attrs["predicted_steps_per_second"] > 0

    def test_predicting_changes_no_figure(self, tmp_path: Path) -> None:
        """Large batches are sampled by parts of them, and figures stay those of the study."""
        args = ["--env", "cartpole:horizon=30", "--batch", "2,700", "--replicates", "8", "--baseline", "none,time-mean,value-linear"]
        assert payload(measure(tmp_path / "a.h5", *args)) == payload(measure(tmp_path / "b.h5", *args))


class TestMemory:
    def peak(self, out: Path) -> tuple[float, float, float]:
        with h5py.File(out) as file:
            before, peak = file["timing/memory"][0]
            return float(before), float(peak), float(file["timing"].attrs["estimated_memory_bytes"])

    def test_independent_of_replicates(self, tmp_path: Path) -> None:
        args = ["--env", "chain:horizon=3", "--env", "lqr", "--batch", "1,4"]
        few = self.peak(measure(tmp_path / "few.h5", *args, "--replicates", "1000"))
        many = self.peak(measure(tmp_path / "many.h5", *args, "--replicates", "100000"))
        assert many[1] - many[0] < 1.1 * (few[1] - few[0]) + 2**20

    @pytest.mark.parametrize("what", ["default", "mdp", "gradients"])
    def test_the_estimate_holds(self, tmp_path: Path, what: str) -> None:
        args: list[str | Path] = ["--replicates", "2000"]
        if what == "mdp":
            rng = np.random.default_rng(1)
            rows = rng.dirichlet(np.ones(30), (30, 4)).round(6)
            rows[..., -1] += 1 - rows.sum(axis=-1)
            text = f"env: {{name: mdp, horizon: 50, transition: {np.abs(rows).tolist()}, reward: {rng.normal(size=(30, 4)).tolist()}}}\n"
            args += ["--study", study(tmp_path, text + "batch: [1, 8]\nestimators: [reinforce, gpomdp]\nbaselines: [none, loo, value]\n")]
        if what == "gradients":
            args = ["--study", study(tmp_path, f"env:\n{MDP}batch: [1, 4]\nreplicates: 40000\n"), "--save-gradients"]
        _, peak, estimate = self.peak(measure(tmp_path / "x.h5", *args))
        assert peak < 1.5 * estimate and math.isfinite(estimate)
