# SPDX-License-Identifier: MIT
"""Environments in shared objects, built against an installed tree: the good one runs, each faulty one is refused."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import h5py
import pytest
from installed import CC, HERE, call, cmake_project, made, needs_build, needs_pkg_config, pkg_config, prefix
from program import MPIEXEC, PROGRAM, measure, needs_mpi, needs_program, payload, run, study

pytestmark = [needs_program, needs_build, needs_pkg_config]
__all__ = ["prefix"]  # a fixture
SMALL = ("--env", "pointmass", "--replicates", "40", "--batch", "1,4")


def compiled(prefix: Path, source: str, out: Path, *flags: str) -> Path:
    made(CC, "-O1", *flags, "-shared", "-fPIC", *pkg_config(prefix, "--cflags"), HERE / "plugin" / source, "-o", out)
    return out


@pytest.fixture(scope="session")
def pointmass(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(prefix, "pointmass.c", tmp_path_factory.mktemp("plugin") / "pointmass.so")


class TestPlugin:
    def test_is_listed_and_described(self, pointmass: Path) -> None:
        listed = run("list", "env", "--plugin", pointmass)
        assert (listed.returncode, listed.stderr) == (0, "")
        assert listed.stdout.startswith(run("list", "env").stdout)
        assert re.search(r"^  pointmass +mass on a line.* \(plugin\)$", listed.stdout, re.MULTILINE)
        text = run("describe", "pointmass", "--plugin", pointmass).stdout
        assert hashlib.sha256(pointmass.read_bytes()).hexdigest() in text
        assert "position" in text and re.search(r"limit +where the line ends\n +unit m, number 0.1 to 100, default 3", text)

    def test_same_bits_for_ranks_and_builds(self, prefix: Path, pointmass: Path, tmp_path: Path) -> None:
        alone = measure(tmp_path / "1.h5", "--plugin", pointmass, *SMALL)
        with h5py.File(alone) as file:
            assert list(file["pointmass"]) == ["gaussian-linear"]
            assert file.attrs["plugins"] == (f"[{{file: '{pointmass}', sha256: "
                                             f"{hashlib.sha256(pointmass.read_bytes()).hexdigest()}, envs: [pointmass]}}]")  # fmt: skip
            config = file.attrs["config"]
        wanted = payload(alone)
        if MPIEXEC:
            assert payload(measure(tmp_path / "2.h5", "--plugin", pointmass, *SMALL, ranks=2)) == wanted
        other = cmake_project(HERE / "plugin", prefix, tmp_path / "build") / "pointmass.so"
        assert other.read_bytes() != pointmass.read_bytes()
        assert payload(measure(tmp_path / "3.h5", "--plugin", other, "--simd", "none", *SMALL)) == wanted
        again = study(tmp_path, config)
        assert payload(measure(tmp_path / "4.h5", "--plugin", pointmass, "--study", again)) == wanted

    def test_a_run_goes_on_with_a_moved_plugin(self, prefix: Path, pointmass: Path, tmp_path: Path) -> None:
        wanted = payload(measure(tmp_path / "1.h5", "--plugin", pointmass, *SMALL))
        out, moved = tmp_path / "2.h5", tmp_path / "it's elsewhere.so"
        assert run("--plugin", pointmass, *SMALL, "-o", out, "--time-limit", "0.001").returncode == 75
        other = compiled(prefix, "pointmass.c", tmp_path / "other.so", "-DNDEBUG", "-g")
        done = run("--resume", out, "--plugin", other)
        assert done.returncode == 2 and "was begun with other plugins" in done.stderr
        moved.write_bytes(pointmass.read_bytes())
        assert run("--resume", out, "--plugin", moved).returncode == 0
        assert payload(out) == wanted

    def test_a_study_without_its_plugin(self, pointmass: Path, tmp_path: Path) -> None:
        config = run("--dry-run", "--plugin", pointmass, *SMALL).stdout.split("resolved study\n")[1]
        sha256 = hashlib.sha256(pointmass.read_bytes()).hexdigest()
        assert f"- {{name: pointmass, horizon: 50, limit: 3, noise: 0.1}} # plugin, sha256 {sha256}\n" in config
        done = run("--study", study(tmp_path, config), "-o", tmp_path / "out.h5")
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(r"pgbench: .*study\.yaml:4:12: unknown env 'pointmass'.*; or load .* with --plugin FILE\.so\n",
                            done.stderr)  # fmt: skip
        assert not (tmp_path / "out.h5").exists()

    def test_options_of_a_plugin_are_checked(self, pointmass: Path) -> None:
        done = run("--plugin", pointmass, "--env", "pointmass:limti=3")
        assert done.returncode == 2 and "did you mean 'limit'" in done.stderr
        done = run("--plugin", pointmass, "--env", "pointmas")
        assert done.returncode == 2 and "did you mean 'pointmass'" in done.stderr

    def test_commands_without_use_for_it(self, pointmass: Path) -> None:
        for command in ("verify", "explain"):
            done = run(command, "--plugin", pointmass)
            assert done.returncode == 2 and "--plugin" in done.stderr

    def test_a_path_with_odd_letters(self, pointmass: Path, tmp_path: Path) -> None:
        odd = tmp_path / "it's, a [plugin].so"
        odd.write_bytes(pointmass.read_bytes())
        with h5py.File(measure(tmp_path / "out.h5", "--plugin", odd, *SMALL)) as file:
            assert file.attrs["plugins"].startswith("[{file: '" + str(odd).replace("'", "''") + "', sha256: ")


REFUSED = {  # flags of the compiler, the reason
    "ABI": (["-DFAULT_ABI"], r"was built for plugin interface 99, this pgbench has \d+; build it again"),
    "size": (["-DFAULT_SIZE"], r"was built with pgb_env_class of size \d+, this pgbench has \d+; build it again"),
    "lanes": (["-DFAULT_LANES"], r"was built with PGB_LANES of size 32"),
    "no class": (["-DFAULT_EMPTY"], r"holds 0 classes"),
    "class NULL": (["-DFAULT_NULL"], r"its class 1 is NULL"),
    "no symbol": (["-DFAULT_SYMBOL"], r"has no symbol pgb_plugin_entry; end its source with PGB_PLUGIN"),
    "lacks a function": (["-DFAULT_UNDEFINED"], r"cannot be loaded \(.*pgb_no_such_function\)"),
    "flush to zero": (["-ffast-math"], r"turns on flush-to-zero for the whole program"),
    "same class twice": (["-DFAULT_TWICE"], r"env walk: the name is taken by .*faulty\.so"),
    "name taken": (['-DNAME="cartpole"'], r"env cartpole: the name is taken by one of pgbench itself"),
    "name": (['-DNAME="My walk"'], r"env: name 'My walk' is not a word"),
    "empty name": (['-DNAME=""'], r"env: name '' is not a word"),
    "name NULL": (["-DNAME=NULL"], r"env: name '\(NULL\)' is not a word"),
    "source": (["-DFAULT_SOURCE"], r"env walk: source is empty"),
    "step NULL": (["-DFAULT_STEP"], r"env walk: step is empty"),
    "option name": (['-DOPTION="a:b"'], r"env walk: option 2: name 'a:b' is not a word"),
    "option called name": (['-DOPTION="name"'], r"env walk: option name: is the key that names"),
    "option twice": (['-DOPTION="horizon"'], r"env walk: option horizon: stands there twice"),
    "default out of range": (['-DDEFAULT="3"'], r"env walk: option gain: its default is refused: .*out of range"),
    "default is no number": (['-DDEFAULT="x"'], r"env walk: option gain: its default is refused: .*not a number"),
    "no default": (["-DDEFAULT=NULL"], r"env walk: option gain: has no default"),
    "options overlap": (["-DPLACE=0"], r"env walk: option gain: shares bytes of params with horizon"),
    "option outside": (["-DPLACE=16"], r"env walk: option gain: lies outside params"),
    "option not aligned": (["-DPLACE=12"], r"env walk: option gain: .*not aligned"),
    "prepare": (["-DFAULT_PREPARE"], r"env walk: prepare refuses the defaults: gain: is odd"),
    "horizon": (["-DFAULT_HORIZON"], r"env walk: prepare set horizon 0"),
    "NaN": (["-DFAULT_NAN"], r"env walk: reward of lane 5 at step 3 is -?nan; set a finite one"),
    "infinite observation": (["-DFAULT_OBS"], r"env walk: obs\[0\] of lane 9 at step 0 is inf"),
    "end": (["-DFAULT_END"], r"env walk: end of lane 63 at step 0 is 2; set PGB_LIVE or PGB_TERMINAL"),
    "beyond its rows": (["-DFAULT_BEYOND"], r"env walk: step wrote beyond its obs rows"),
    "before its rows": (["-DFAULT_BEFORE"], r"env walk: step wrote beyond its state rows"),
    "actions": (["-DFAULT_ACT"], r"env walk: step changed act, words or step"),
    "params": (["-DFAULT_PARAMS"], r"env walk: step changed params"),
    "pointers": (["-DFAULT_POINTER"], r"env walk: step changed the pointers of its batch"),
    "reset from another lane": (["-DFAULT_RESET_NEIGHBOUR"], r"env walk: the same episode gives another result beside other"),
    "state kept at reset": (["-DFAULT_STATE_KEPT"], r"env walk: the same episode gives another result beside other"),
    "lane matters": (["-DFAULT_LANE"], r"env walk: the same episode gives another result in lane 37 than in lane 0"),
    "neighbour matters": (["-DFAULT_NEIGHBOUR"], r"env walk: the same episode gives another result beside other"),
    "past matters": (["-DFAULT_MEMORY"], r"env walk: the same episode gives another result when it is run again"),
}


class TestRefused:
    def refused(self, file: Path | str, reason: str, folder: Path, ranks: int = 0) -> None:
        done = run("--plugin", file, "--env", "walk", "-o", folder / "out.h5", ranks=ranks)
        assert done.returncode == 2, done.stdout + done.stderr
        message = [line for line in done.stderr.splitlines() if line.startswith("pgbench: ")]
        assert len(message) == 1 and done.stdout == ""
        assert re.search(rf"^pgbench: --plugin {re.escape(str(file))}: .*{reason}", message[0]), message[0]
        assert ";" in message[0].split(": ", 2)[2], "says not what to do"
        assert not (folder / "out.h5").exists()

    def test_without_its_faults_it_runs(self, prefix: Path, tmp_path: Path) -> None:
        good = compiled(prefix, "faulty.c", tmp_path / "faulty.so", "-Wall", "-Wextra", "-Werror")
        measure(tmp_path / "out.h5", "--plugin", good, "--env", "walk", "--replicates", "20")

    @pytest.mark.parametrize("fault", REFUSED)
    def test_faulty(self, prefix: Path, tmp_path: Path, fault: str) -> None:
        flags, reason = REFUSED[fault]
        self.refused(compiled(prefix, "faulty.c", tmp_path / "faulty.so", *flags), reason, tmp_path)

    @needs_mpi
    def test_one_message_from_two_ranks(self, prefix: Path, tmp_path: Path) -> None:
        bad = compiled(prefix, "faulty.c", tmp_path / "faulty.so", "-DFAULT_NAN")
        self.refused(bad, "reward of lane 5", tmp_path, ranks=2)

    def test_no_shared_object(self, pointmass: Path, tmp_path: Path) -> None:
        text = tmp_path / "text.so"
        text.write_text("int main(void) { return 0; }\n", encoding="utf-8")
        data = pointmass.read_bytes()
        for size in (10, 64, 200, 1000, len(data) // 2, len(data) - 1):
            cut = tmp_path / f"cut{size}.so"
            cut.write_bytes(data[:size])
            self.refused(cut, "is not a shared object" if size < 64 else "is cut short; copy it again", tmp_path)
        foreign = bytearray(data)
        foreign[18:20] = b"\xf7\xf7"  # the machine it is for
        (tmp_path / "foreign.so").write_bytes(foreign)
        self.refused(tmp_path / "foreign.so", "cannot be loaded", tmp_path)
        os.mkfifo(tmp_path / "pipe.so")
        self.refused(text, "is not a shared object of this machine; build it here", tmp_path)
        self.refused(PROGRAM, "cannot be loaded", tmp_path)
        self.refused(tmp_path, "is no file", tmp_path)
        self.refused(tmp_path / "pipe.so", "is no file", tmp_path)
        self.refused(tmp_path / "none.so", r"cannot be found \(No such file or directory\)", tmp_path)
        self.refused("", "the name is empty", tmp_path)

    def test_two_of_one_name(self, prefix: Path, pointmass: Path, tmp_path: Path) -> None:
        other = compiled(prefix, "pointmass.c", tmp_path / "other.so", "-DOTHER")
        done = run("--plugin", pointmass, "--plugin", other, "list")
        assert done.returncode == 2
        assert f"--plugin {other}: env pointmass: the name is taken by {pointmass}" in done.stderr

    @needs_mpi
    def test_other_bytes_on_another_rank(self, prefix: Path, pointmass: Path, tmp_path: Path) -> None:
        other = compiled(prefix, "pointmass.c", tmp_path / "other.so", "-O3")
        start, count = MPIEXEC[:-1], MPIEXEC[-1]
        done = call(*start, count, "1", PROGRAM, "--plugin", pointmass, "list", ":",
                    count, "1", PROGRAM, "--plugin", other, "list", env=dict(os.environ))  # fmt: skip
        assert done.returncode == 2
        assert "--plugin: rank 1 loaded other bytes than rank 0" in done.stderr
