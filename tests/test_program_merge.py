# SPDX-License-Identifier: MIT
"""Shares of a study (--cell) and their joining (merge): the file of a single run, bit for bit, or a refusal with its
reason and nothing written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from program import ALL_ENVS, ALONE, PROGRAM, WAIT, measure, needs_mpi, needs_program, payload, run, study

pytestmark = needs_program

# Two cells of the same names, cells without an oracle, gradients kept.
THREE = """\
seed: 5
env: [{name: bandit, mean: [1, 2]}, {name: bandit, mean: [0, 1, 3]}, {name: cartpole, horizon: 10}]
batch: [1, 3]
replicates: 40
pilot: 64
"""
MUST_DIFFER = {"command_line", "finished", "started", "ranks", "nodes", "hosts", "launches", "cpu", "slurm_job_id"}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """A study, and its three shares."""
    folder = tmp_path_factory.mktemp("parts")
    text = study(folder, THREE)
    return text, [measure(folder / f"p{k}.h5", "--study", text, "--cell", f"{k}/3") for k in (1, 2, 3)]


def merge(out: Path, *files: Path | str, code: int = 0) -> str:
    done = run("merge", "--quiet", out, *files)
    assert done.returncode == code, done.stdout + done.stderr
    if code not in (0, 3):
        assert not out.exists() and not list(out.parent.glob(f"{out.name}.tmp*"))
        assert done.stderr.count("\n") == 1, done.stderr
    return done.stdout + done.stderr


def attributes(path: Path) -> dict[str, object]:
    with h5py.File(path) as file:
        return {name: value for name, value in file.attrs.items() if name not in MUST_DIFFER}


class TestMerge:
    @pytest.mark.parametrize(("text", "more"), [(THREE, ["--save-gradients"]), (ALL_ENVS, [])])
    @pytest.mark.parametrize("n", [2, 12])
    def test_is_the_single_run(self, text: str, more: list[str], n: int, tmp_path: Path) -> None:
        """With empty shares too, in any order, and judged over all cells."""
        words = ["--study", study(tmp_path, text), *more]
        files = [measure(tmp_path / f"{k}.h5", *words, "--cell", f"{k}/{n}") for k in range(n, 0, -1)]
        out = tmp_path / "all.h5"
        merge(out, *files)
        single = measure(tmp_path / "single.h5", *words)
        assert payload(out) == payload(single)
        assert attributes(out) == attributes(single)
        with h5py.File(out) as file:
            assert file.attrs["ranks"] == n and len(file["timing/seconds"]) == n
            assert len(file.attrs["command_line"].splitlines()) == n

    @needs_mpi
    def test_of_many_ranks(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        text, files = parts
        mine = measure(tmp_path / "2.h5", "--study", text, "--cell", "2/3", ranks=3)
        merge(tmp_path / "all.h5", files[0], mine, files[2])
        assert payload(tmp_path / "all.h5") == payload(measure(tmp_path / "single.h5", "--study", text))

    def test_mixed_shares_and_a_whole_file(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        """3 cells as 1/1, or as 1/2 and 2/2 of which the first is 1/4 and 3/4."""
        text, _ = parts
        single = measure(tmp_path / "single.h5", "--study", text)
        merge(tmp_path / "copy.h5", single)
        shares = [measure(tmp_path / f"{k}{n}.h5", "--study", text, "--cell", f"{k}/{n}")
                  for k, n in ((3, 4), (2, 2), (1, 4))]  # fmt: skip
        merge(tmp_path / "all.h5", *shares)
        assert payload(single) == payload(tmp_path / "copy.h5") == payload(tmp_path / "all.h5")
        assert attributes(single) == attributes(tmp_path / "copy.h5")

    def test_a_share_is_resumed(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        text, files = parts
        again = tmp_path / "again.h5"
        words = ["--study", text, "--cell", "3/3", "--save-gradients", "--replicates", "5000"]
        early = run(*words, "--time-limit", "0.001", "-o", again)
        assert early.returncode == 75, early.stderr
        refusal = run("--resume", again, "--cell", "2/3")
        assert refusal.returncode == 2 and "--cell 2/3" in refusal.stderr
        assert "its run is not complete" in merge(tmp_path / "no.h5", *files[:2], again, code=2)
        assert run("--resume", again, "--quiet").returncode == 0
        assert payload(again) == payload(measure(tmp_path / "whole.h5", *words))
        with h5py.File(again) as file:
            assert file.attrs["share"] == "3/3" and [*file] == ["cartpole", "timing"]

    def test_verdict_is_of_all_cells(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        """A z-score beyond the bound in one part convicts the whole."""
        _, files = parts
        bad = Path(shutil.copy(files[1], tmp_path / "bad.h5"))
        with h5py.File(bad, "r+") as file:
            file["bandit/softmax-tabular_2/z_bias"][0, 0, 0] = 50.0
        said = merge(tmp_path / "all.h5", files[0], bad, files[2], code=3)
        assert "INVALID: bandit/softmax-tabular_2 reinforce none batch 1: z_bias = 50.00" in said
        with h5py.File(tmp_path / "all.h5") as file:
            assert file.attrs["verdict"] == "INVALID"


class TestRefusals:
    def test_output_is_kept(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        _, files = parts
        out = tmp_path / "all.h5"
        merge(out, *files)
        before = out.read_bytes()
        again = run("merge", out, *files)
        assert again.returncode == 2 and "--force" in again.stderr and out.read_bytes() == before
        assert run("merge", "--force", "--quiet", out, *files).returncode == 0
        own = run("merge", "--force", files[0], *files)
        assert own.returncode == 2 and "one of the parts" in own.stderr and files[0].exists()

    def test_cells(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        _, files = parts
        out = tmp_path / "all.h5"
        assert "no part holds cell 2, bandit/softmax-tabular_2" in merge(out, files[0], files[2], code=2)
        assert "name each share once" in merge(out, *files, files[1], code=2)

    def test_other_study(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        text, files = parts
        out = tmp_path / "all.h5"
        other = measure(tmp_path / "other.h5", "--study", text, "--cell", "2/3", "--seed", "6")
        assert "is of another study" in merge(out, files[0], other, files[2], code=2)
        kept = measure(tmp_path / "kept.h5", "--study", text, "--cell", "2/3", "--save-gradients")
        assert "--save-gradients" in merge(out, files[0], kept, files[2], code=2)

    def test_gradients_of_another_size(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        text, _ = parts
        files = [measure(tmp_path / f"{k}.h5", "--study", text, "--cell", f"{k}/3", "--save-gradients") for k in (1, 2, 3)]
        with h5py.File(files[1], "r+") as file:
            del file["bandit/softmax-tabular_2/gradient"]
            file["bandit/softmax-tabular_2/gradient"] = np.zeros((1, 2, 3, 4, 5))
        said = merge(tmp_path / "all.h5", *files, code=2)
        assert "2.h5: /bandit/softmax-tabular_2/gradient: " in said and "size" in said

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda f: f.attrs.modify("git_commit", "0" * 40), "another build"),
            (lambda f: f.attrs.modify("version", "9.9"), "another build"),
            (lambda f: f.attrs.modify("schema", "pgbench/2"), "schema"),
            (lambda f: f.attrs.modify("kind", "scaling"), "kind"),
            (lambda f: f.attrs.modify("simd", "none" if "avx" in f.attrs["simd"] else "avx2"), "last bit"),
            (lambda f: f.attrs.modify("share", "0/3"), "do not make sense"),
            (lambda f: f.attrs.modify("share", "3/3"), "not those of its share"),
            (lambda f: f.attrs.modify("ranks", 2**40), "do not make sense"),
            (lambda f: f.attrs.__delitem__("hosts"), "no such attribute"),
            (lambda f: f.attrs.__setitem__("hosts", 3.0), "is no text"),
            (lambda f: f["bandit/softmax-tabular_2/theta"].write_direct(np.ones(3)), "theta"),
            (lambda f: f.__delitem__("bandit/softmax-tabular_2/snr"), "snr"),
            (lambda f: f.__delitem__("bandit/softmax-tabular_2"), "not those of its share"),
            (lambda f: f["bandit/softmax-tabular_2"].move("z_bias", "snr2"), "z_bias"),
            (lambda f: f.attrs.modify("config", "env: bandit\n"), "another study"),
        ],
    )
    def test_changed(self, change: Callable[[h5py.File], None], why: str, parts: tuple[Path, list[Path]],
                     tmp_path: Path) -> None:  # fmt: skip
        _, files = parts
        bad = Path(shutil.copy(files[1], tmp_path / "bad.h5"))
        with h5py.File(bad, "r+") as file:
            change(file)
        said = merge(tmp_path / "all.h5", files[0], bad, files[2], code=2)
        assert why in said and "bad.h5" in said

    def test_damaged(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        """Cut short, or with bytes of its metadata changed: a reason or the right file, never a crash."""
        text, files = parts
        whole = files[1].read_bytes()
        bad = tmp_path / "bad.h5"
        random = np.random.default_rng(1)
        for _ in range(int(os.environ.get("PGB_DAMAGES", "12"))):
            content = bytearray(whole[: random.integers(1, len(whole))] if random.random() < 0.3 else whole)
            for at in random.integers(0, min(len(content), 6000), 8):
                content[at] = random.integers(0, 256)
            bad.write_bytes(content)
            out = tmp_path / "all.h5"
            done = run("merge", "--quiet", "--force", out, files[0], bad, files[2])
            assert done.returncode in (0, 2, 3), done.stderr
            assert "Caught signal" not in done.stderr and "HDF5-DIAG" not in done.stderr

    def test_words(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        _, files = parts
        out = tmp_path / "all.h5"
        for words, why in [
            ([out], "files are missing"),
            ([], "files are missing"),
            ([out, *files, "--seed", "1"], "say what to measure"),
            ([out, *files, "-o", out], "--output"),
            ([out, *files, "--format", "json"], "--format"),
            ([out, tmp_path / "none.h5"], "cannot be read"),
            ([out, tmp_path], "no regular file"),
            ([out, __file__], "no HDF5 file"),
        ]:
            done = run("merge", *words)
            assert done.returncode == 2 and why in done.stderr, (words, done.stderr)
        for word in ("0/3", "4/3", "1", "1/", "/2", "1/2/3", "-1/2", "a/b", "1/0", "99999999999999999999999/3"):
            done = run("--cell", word)
            assert done.returncode == 2 and f"--cell {word}" in done.stderr, done.stderr

    def test_killed(self, parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
        """A merge that is killed leaves no file under the name."""
        _, files = parts
        out = tmp_path / "all.h5"
        with subprocess.Popen([PROGRAM, "merge", out, *files], env=ALONE, stdout=subprocess.DEVNULL) as started:
            started.send_signal(signal.SIGKILL)
            started.wait(WAIT)
        assert not out.exists()
        merge(out, *files)
