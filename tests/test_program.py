# SPDX-License-Identifier: MIT
"""The program as its users meet it: commands, study files, result files."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from program import (
    ALL_ENVS,
    BANDIT,
    EXAMPLE,
    FIGURES,
    GYMNASIUM,
    ORACLES,
    ROLLS,
    ROOT,
    ROW,
    VECTORS,
    at,
    cell,
    groups,
    measure,
    needs_program,
    run,
    study,
)

pytestmark = needs_program


class TestCommands:
    def test_help_names_every_command_and_option(self) -> None:
        done = run("--help")
        assert (done.returncode, done.stderr) == (0, "")
        for word in ("variance verify explain list describe --study --env --policy --estimator --baseline --batch --replicates --gamma "
                     "--seed --output --force --save-gradients --simd --dry-run --quiet --progress --format").split():  # fmt: skip
            assert word in done.stdout
        assert run("-h").stdout == done.stdout

    def test_version_tells_the_build(self) -> None:
        done = run("--version")
        assert (done.returncode, done.stderr) == (0, "")
        assert re.match(r"pgbench \d+\.\d+\.\d+", done.stdout)
        for word in ("PostgreSQL", "compiler", "flags", "-ffp-contract=off", "MPI", "HDF5", "SIMD"):
            assert word in done.stdout
        assert re.search(r"commit +([0-9a-f]{40}(-dirty-[0-9a-f]{12})?|unknown-[0-9a-f]{12})", done.stdout)
        assert re.search(r"SIMD +none", done.stdout)

    def test_describes_all_that_it_lists(self) -> None:
        wants = {"env": ["what", "source"], "policy": ["what", "formula", "source", "theta"],
                 "estimator": ["what", "formula", "bias", "source"],
                 "baseline": ["what", "formula", "bias", "source"], "study": []}  # fmt: skip
        everything = run("list").stdout
        for kind, lines in wants.items():
            listed = run("list", kind).stdout
            assert listed in everything
            names = re.findall(r"^  (\S+) +\S", listed, re.MULTILINE)
            assert listed.startswith(kind + "\n") and names
            for name in names:
                done = run("describe", name)
                assert (done.returncode, done.stderr) == (0, ""), name
                assert done.stdout.startswith(f"{kind} {name}")
                for word in lines:
                    assert re.search(rf"^ +{word} +\S", done.stdout, re.MULTILINE), f"{name}: no {word}"
                options = done.stdout.split("\n  options\n") if kind in ("env", "policy", "estimator") else []
                for name_and_help, unit in re.findall(r"^    (\S.*)\n(.*)", "".join(options[1:]), re.MULTILINE):
                    assert re.match(r"\S+ +\S", name_and_help)
                    assert re.match(r" +unit \S+, .*default \S", unit), f"{name}: {name_and_help}"
        assert "lambda" in run("describe", "gae").stdout and "transition" in run("describe", "mdp").stdout
        for alias, name in (("rloo", "loo"), ("grpo", "normalised"), ("vpg", "gpomdp"), ("reward-to-go", "gpomdp")):
            text = run("describe", alias).stdout
            assert text == run("describe", name).stdout and re.search(rf"^  aliases .*\b{alias}\b", text, re.MULTILINE)

    def test_dry_run_writes_nothing(self, tmp_path: Path) -> None:
        done = run("--dry-run", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert list(tmp_path.iterdir()) == []
        assert re.search(r"memory +[\d.]+ \S*B per rank", done.stdout)
        assert re.search(r"work +\S+ episodes, at most \S+ environment steps", done.stdout)
        config = study(tmp_path, done.stdout.split("resolved study\n")[1])
        assert run("--dry-run", "--study", config).stdout.split("resolved study\n")[1] == config.read_text()

    def test_default_study_and_file_name(self, tmp_path: Path) -> None:
        done = run("--replicates", "100", cwd=tmp_path, env=dict(os.environ))
        assert (done.returncode, done.stderr) == (0, "")
        (file,) = tmp_path.iterdir()
        assert re.fullmatch(r"pgbench-default-\d{8}T\d{6}Z\.h5", file.name)
        lines = done.stdout.splitlines()
        assert lines[0].startswith("pgbench ") and "1 rank on 1 node" in lines[0]
        assert lines[-1] == f"file: {file.name}" and file.name in "".join(lines[:4])
        assert any(line.startswith("VALID: ") for line in lines)
        assert any(re.match(r"throughput: .* steps/s, .* per rank, allreduce", line) for line in lines)
        titles = [line for line in lines if line.startswith("  estimator")]
        assert len(titles) == len(groups(file)) == 5
        for word in ("baseline", "batch", "J", "|g|", "tr Var", "95% low", "95% high", "ratio", "SNR", "cos", "z "):
            assert word in titles[0]
        assert max(map(len, lines)) < 170

    def test_json_is_the_contract(self, tmp_path: Path) -> None:
        out = tmp_path / "out.h5"
        done = run(*BANDIT, "--batch", "1,4", "--replicates", "300", "-o", out, "--format", "json")
        assert (done.returncode, done.stderr) == (0, "")
        page = json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        assert sorted(page) == ["cells", "memory", "output", "ranks", "throughput", "verdict"]
        assert (page["verdict"], page["output"], page["ranks"]) == ("VALID", str(out), 1)
        assert sorted(page["throughput"]) == ["allreduce_share", "core_share", "predicted_steps_per_second",
                                              "steps_per_second", "steps_per_second_per_rank"]  # fmt: skip
        assert sorted(page["memory"]) == ["estimated_bytes_per_rank", "peak_bytes_per_rank"]
        (only,) = page["cells"]
        assert sorted(only) == ["env", "oracle", "policy", "rows"]
        data = cell(out, "/bandit/softmax-tabular")
        assert len(only["rows"]) == data["variance_trace"].size
        names = {"low": "variance_trace_low", "high": "variance_trace_high", "ratio": "variance_ratio"}
        for row in only["rows"]:
            assert sorted(row) == sorted(ROW)
            place = (row["estimator"], row["baseline"], row["batch"])
            for key in ("variance_trace", "low", "high", "ratio", "snr", "cosine_true", "z_bias", "z_variance"):
                stored = float(at(data, names.get(key, key), *place))
                assert row[key] == (stored if math.isfinite(stored) else None), (place, key)
        (gap,) = [r for r in only["rows"] if (r["estimator"], r["baseline"], r["batch"]) == ("reinforce", "loo", 1)]
        assert gap["variance_trace"] is None and gap["gradient_norm"] is None and gap["return_mean"] is not None

    def test_csv_and_quiet(self, tmp_path: Path) -> None:
        out = tmp_path / "out.h5"
        done = run("--env", "mdp", "--batch", "4", "--estimator", "gpomdp,gae:lambda=0,gae:lambda=1", "-o", out,
                   "--replicates", "300", "--format", "csv")  # fmt: skip
        lines = list(csv.DictReader(done.stdout.splitlines()))
        data = cell(out, "/mdp/softmax-tabular")
        assert {line["estimator"] for line in lines} == {"gpomdp", "gae:lambda=0", "gae:lambda=1"}
        for line in lines:
            for name in FIGURES:
                stored = float(at(data, name, line["estimator"], line["baseline"], 4))
                assert (float(line[name]) if line[name] else None) == (None if math.isnan(stored) else stored)
        done = run("--env", "mdp", "--replicates", "20", "-o", out, "--force", "--quiet")
        assert done.returncode == 0 and len(done.stdout.split("\n")) <= 5 and "VALID" in done.stdout
        done = run("--env", "mdp", "--replicates", "20", "-o", out, "--force", "--progress", "always")
        assert done.returncode == 0 and done.stderr.strip() == ""


class TestStudies:
    def test_the_example_of_the_contract(self, tmp_path: Path) -> None:
        path = study(tmp_path, EXAMPLE)
        data = cell(measure(tmp_path / "x.h5", "--study", path), "/mdp/softmax-tabular")
        assert data["estimator"].values.tolist() == ["reinforce", "gpomdp", "gae"]
        assert data["baseline"].values.tolist() == ["none", "mean", "loo", "optimal", "value"]
        assert data.attrs["gamma"] == 0.9
        more = ["--seed", "8", "--gamma", "1", "--batch", "2", "--replicates", "10", "--baseline", "grpo,rloo",
                "--estimator", "vpg"]  # fmt: skip
        over = cell(measure(tmp_path / "y.h5", "--study", path, *more), "/mdp/softmax-tabular")
        assert over["estimator"].values.tolist() == ["gpomdp"] and over["batch"].values.tolist() == [2]
        assert over["baseline"].values.tolist() == ["normalised", "loo"]
        assert over.attrs["gamma"] == 1 and float(over["episodes"][0]) == 20
        assert (over["theta"].values == data["theta"].values).all()

    def test_cells_of_one_name_get_numbers(self, tmp_path: Path) -> None:
        out = measure(tmp_path / "x.h5", "--env", "bandit", "--env", "bandit:mean=[0,1]", "--replicates", "9")
        assert groups(out) == ["/bandit/softmax-tabular", "/bandit/softmax-tabular_2"]


class TestFile:
    @pytest.fixture(scope="class")
    def saved(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """200 replicates are 200 blocks of one, where the kurtosis is the plain sample one."""
        folder = tmp_path_factory.mktemp("saved")
        return measure(folder / "x.h5", "--study", study(folder, ALL_ENVS), "--replicates", "200", "--save-gradients")

    def test_all_that_the_contract_names_is_there(self, saved: Path) -> None:
        with h5py.File(saved) as file:
            assert sorted(set(ROOT) - set(file.attrs)) == []
            texts = {name: file.attrs[name] for name in ROOT if name not in ("seed", "ranks", "nodes")}
            assert all(type(value) is str for value in texts.values())
            assert (texts["schema"], texts["kind"], texts["verdict"]) == ("pgbench/1", "variance", "VALID")
            assert (file.attrs["seed"], file.attrs["ranks"], file.attrs["nodes"]) == (3, 1, 1)
            for name in ("started", "finished"):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", texts[name])
            assert "--save-gradients" in texts["command_line"] and texts["started"] <= texts["finished"]
            assert file["timing/seconds"].shape == (1, 5) and (file["timing/seconds"][()] >= 0).all()
            assert list(file["timing/phase"].asstr()) == ["rollout", "gradient", "reduce", "io", "wait"]

    def test_xarray_opens_every_cell_with_labels(self, saved: Path) -> None:
        found = groups(saved)
        assert [name.split("/")[1] for name in found] == sorted((*ORACLES, *GYMNASIUM))
        for group in found:
            data = cell(saved, group)
            axes = ("estimator", "baseline", "batch")
            assert {data[name].dims for name in FIGURES} == {axes}
            assert {data[name].dims for name in VECTORS} == {(*axes, "parameter")}
            assert {data[name].dims for name in ROLLS} == {("batch",)}
            assert data["gradient"].dims == (*axes, "replicate", "parameter")
            assert data["theta"].dims == data["exact_gradient"].dims == ("parameter",)
            assert data["reason"].dims == data["biased"].dims == axes[:2]
            for name in ("estimator", "baseline", "parameter", "reason"):
                assert {type(value) for value in data[name].values.ravel()} == {str}
            assert data["batch"].values.tolist() == [1, 3]
            assert float(data["episodes"].sel(batch=3)) == 600
            assert data.attrs["gamma"] == 0.99
            env = group.split("/")[1]
            assert data.attrs["oracle"] == ("none" if env in GYMNASIUM else env)

    def test_every_number_has_unit_and_name(self, saved: Path) -> None:
        faults: list[str] = []

        def look(name: str, node: h5py.Group | h5py.Dataset) -> None:
            if isinstance(node, h5py.Dataset):
                text = h5py.check_string_dtype(node.dtype) is not None
                wanted = ("long_name",) if text else ("long_name", "units")
                faults.extend(f"{name}: {key}" for key in wanted if not node.attrs.get(key))

        with h5py.File(saved) as file:
            file.visititems(look)
        assert faults == []

    @pytest.mark.parametrize("env", (*ORACLES, *GYMNASIUM))
    def test_figures_follow_from_the_gradients(self, saved: Path, env: str) -> None:
        (group,) = [name for name in groups(saved) if name.startswith(f"/{env}/")]
        data = cell(saved, group)
        exact = data["exact_gradient"].values
        some = False
        for place in np.ndindex(data["variance_trace"].shape):
            g = data["gradient"].values[place]
            stored = {name: data[name].values[place] for name in (*FIGURES, *VECTORS)}
            if np.isnan(stored["variance_trace"]):
                continue
            some = True
            variance = g.var(axis=0, ddof=1)
            distance = ((g - g.mean(axis=0)) ** 2).sum(axis=1)
            length = np.linalg.norm(g, axis=1)
            unit = g[length > 0] / length[length > 0, None]
            n = len(unit)
            wanted = {"gradient_mean": g.mean(axis=0), "gradient_variance": variance, "variance_trace": variance.sum(),
                      "kurtosis": (distance**2).mean() / distance.mean() ** 2,
                      "cosine_pairwise": ((unit.sum(axis=0) ** 2).sum() - n) / (n * (n - 1))}  # fmt: skip
            none = data["gradient"].values[place[0], 0, place[2]]
            wanted["variance_ratio"] = variance.sum() / none.var(axis=0, ddof=1).sum()
            if np.linalg.norm(exact) > 0:
                wanted["cosine_true"] = (unit @ exact).mean() / np.linalg.norm(exact)
                wanted["bias_norm"] = np.linalg.norm(g.mean(axis=0) - exact)
                wanted["snr"] = (exact**2).sum() / variance.sum()
                wanted["noise_scale"] = data["batch"].values[place[2]] / wanted["snr"]
            for name, value in wanted.items():
                scale = np.linalg.norm(none, axis=1).max() if name in ("gradient_mean", "bias_norm") else 1
                np.testing.assert_allclose(stored[name], value, rtol=1e-10, atol=1e-12 * scale, err_msg=f"{place} {name}")
        assert some and data["baseline"].values[0] == "none"
