# SPDX-License-Identifier: MIT
"""Wrong input and a failing machine: one message, the right exit code, nothing left behind."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest
from program import ALONE, BANDIT, EXAMPLE, MPIEXEC, PROGRAM, WAIT, measure, needs_mpi, needs_program, run, study

pytestmark = needs_program


WRONG_STUDIES = {  # what in the example becomes what, and the message after the file's name
    "key": ("gamma: 0.9", "gama: 0.9", r"2:1: .*'gama'.*did you mean 'gamma'"),
    "env": ("name: mdp", "name: mpd", r"4:9: .*'mpd'.*did you mean 'mdp'"),
    "policy": ("softmax-tabular", "softmax-tabula", r"10:16: .*did you mean 'softmax-tabular'"),
    "estimator": ("[reinforce", "[reinforced", r"11:14: .*did you mean 'reinforce'"),
    "baseline": ("optimal", "optmal", r"12:30: .*did you mean 'optimal'"),
    "option": ("horizon: 3", "horizn: 3", r"5:3: .*did you mean 'horizon'"),
    "row sum": ("[0.3, 0.7]", "[0.3, 0.8]", r"6:\d+: .*transition.*sum"),
    "start sum": ("start: [0.6", "start: [0.5", r"9:\d+: .*start.*sum"),
    "theta length": ("0.5, 0.0]", "0.5]", r"10:\d+: .*theta: 3 values for the 4 parameters"),
    "duplicate key": ("seed: 7", "seed: 7\nseed: 8", r"2:1: .*duplicate.*seed"),
    "mistyped": ("gamma: 0.9", "gamma: high", r"2:8: .*gamma.*'high' is not a number"),
    "out of range": ("gamma: 0.9", "gamma: 2", r"2:8: .*gamma.*2 is out of range"),
    "batch": ("[1, 16, 64]", "[1, 0]", r"13:12: .*batch.*0 is out of range"),
    "replicates": ("10000", "1", r"14:13: .*replicates.*1 is out of range"),
    "seed": ("seed: 7", "seed: 18446744073709551616", r"1:7: .*seed"),
    "not YAML": ("[1, 16, 64]", "[1, 16", r"1[345]:\d+: .*not valid YAML"),
    "missing theta file": ("[0.2, -0.3, 0.5, 0.0]", "nowhere.h5", r"10:\d+: .*nowhere\.h5"),
    "lambda": ("lambda: 0.5", "lambda: 1.5", r"11:\d+: .*lambda.*1\.5 is out of range"),
}
WRONG_OPTIONS: dict[str, tuple[list[str], str]] = {
    "option": (["--replicats", "5"], r"--replicats: .*--replicates"),
    "option after a word": (["list", "--foo"], r"--foo: no such option"),
    "no value": (["--seed"], r"--seed: its value is missing"),
    "a value too many": (["--quiet=3"], r"--quiet=3: takes no value"),
    "ambiguous": (["--b", "3"], r"--b: could be --baseline, --batch"),
    "one dash": (["-env", "bandit"], r"-env: no such option; did you mean --env"),
    "command": (["varaince"], r"varaince: no such command; did you mean variance"),
    "one word more": (["list", "env", "x"], r"x: one word too many"),
    "kind": (["list", "envs"], r"list envs: no such kind; use env, "),
    "name": (["describe", "lop"], r"describe lop: no such name; did you mean loo"),
    "alias of an estimator": (["describe", "reward_to_go"], r"describe reward_to_go: no such name; did you mean reward-to-go"),
    "alias of a baseline": (["describe", "grop"], r"describe grop: no such name; did you mean grpo"),
    "format": (["--format", "jsn"], r"--format jsn: no such choice; use text, json or csv"),
    "simd": (["--simd", "avx3"], r"--simd avx3: no such instruction set; use auto"),
    "env": (["--env", "cartpol"], r".*did you mean 'cartpole'"),
    "key": (["--env", "bandit:mena=[1,2]"], r".*did you mean 'mean'"),
    "duplicate key": (["--env", "bandit:noise=1,noise=2"], r".*duplicate key 'noise'"),
    "estimator": (["--estimator", "gpomd"], r".*did you mean 'gpomdp'"),
    "baseline": (["--baseline", "none,optimel"], r".*did you mean 'optimal'"),
    "baseline alias": (["--baseline", "none,leave_one_out"], r".*did you mean 'leave-one-out'.*; valid: .*, grpo"),
    "estimator alias": (["--estimator", "reward-to_go"], r".*did you mean 'reward-to-go'.*; valid: .*, vpg"),
    "batch": (["--batch", "0"], r"--batch: 0 is out of range"),
    "gamma": (["--gamma", "2"], r"--gamma: 2 is out of range"),
    "seed": (["--seed", "18446744073709551616"], r"--seed: '18446744073709551616' is no whole number in \[0, 18446744073709551615\]"),
    "replicates": (["--replicates", "1"], r"--replicates: 1 is out of range"),
    "covariance": (["--env", "lqr:W=[[1,2],[2,1]]"], r".*W: is not positive definite"),
    "misfit": (["--env", "bandit", "--policy", "gaussian-linear"], r".*the actions are discrete"),
    "no V": (["--env", "cartpole", "--baseline", "value"], r".*value"),
    "batch of one": (["--env", "bandit", "--baseline", "loo", "--batch", "1"], r".*loo"),
    "study": (["--study", "defualt"], r".*did you mean 'default'"),
    "study file": (["--study", "nowhere.yaml"], r"nowhere\.yaml: .*No such file"),
    "study folder": (["--study", "."], r"\.: .*directory"),
    "output folder": (["--env", "bandit", "-o", "."], r"\.: .*directory"),
    "output empty": (["--env", "bandit", "-o", ""], r"output: the file name is empty"),
    "dashes": (["---"], r"---: no such option"),
    "a name of 10000 letters": (["describe", 10000 * "x"], r"describe x{60}: no such name; "),
    "resume a timing": (["scaling", "--resume", "x.h5"], r"--resume: has no meaning for scaling"),
    "limit a timing": (["scaling", "--time-limit", "1h"], r"--time-limit: has no meaning for scaling"),
    "resume a check": (["verify", "--resume", "x.h5"], r"--resume: verify has instances of its own"),
    "resume an example": (["explain", "--resume", "x.h5"], r"explain --resume: this command only shows"),
    "two lines": (["--env", "bandit\nx\x1b[2J"], r"--env bandit\?x\?\[2J: unknown env"),
    "plan as table": (["--dry-run", "--format", "json"], r"--dry-run: "),
}


def refused(folder: Path, ranks: int, *args: str | Path, code: int = 2) -> str:
    """The message of a run that must fail, and leave nothing behind."""
    before = sorted(folder.iterdir())
    out = () if "-o" in args or args[0] in ("list", "describe", "verify", "explain") else ("-o", "x.h5")
    done = run(*out, *args, ranks=ranks, cwd=folder)
    messages = [line for line in done.stderr.splitlines() if line.startswith("pgbench: ")]
    assert done.returncode == code, done.stderr
    assert done.stdout == "" and len(messages) == 1, done.stderr
    assert ranks > 0 or done.stderr == messages[0] + "\n"
    assert not re.search(r"\*\*\*|backtrace|Assertion|Signal|HDF5-DIAG", done.stderr)
    assert re.search(r": .*[;?]", messages[0].removeprefix("pgbench: ")), "no <what>: <why>; <what to do>"
    assert sorted(folder.iterdir()) == before
    return messages[0].removeprefix("pgbench: ")


def refuse_study(folder: Path, case: str, ranks: int) -> None:
    old, new, wanted = WRONG_STUDIES[case]
    text = EXAMPLE.replace(old, new, 1)
    assert text != EXAMPLE
    study(folder, text)
    assert re.match(r"study\.yaml:" + wanted, refused(folder, ranks, "--study", "study.yaml"))


def refuse_option(folder: Path, case: str, ranks: int) -> None:
    args, wanted = WRONG_OPTIONS[case]
    assert re.match(wanted, refused(folder, ranks, *args))


def refuse_output(folder: Path, ranks: int) -> None:
    out = folder / "old.h5"
    out.write_text("precious")
    assert "--force" in refused(folder, ranks, "--env", "bandit", "-o", out)
    assert out.read_text() == "precious"
    assert "no/x.h5: the directory no does not exist; make it" in refused(folder, ranks, "--env", "bandit", "-o", "no/x.h5")
    (folder / "plain").write_text("")
    assert "plain/x.h5: a directory of its path is a file" in refused(folder, ranks, "--env", "bandit", "-o", "plain/x.h5")
    measure(out, *BANDIT, "--replicates", "20", "--force", ranks=ranks)


class TestWrongInput:
    @pytest.mark.parametrize("case", WRONG_STUDIES)
    def test_study(self, tmp_path: Path, case: str) -> None:
        refuse_study(tmp_path, case, 0)

    @pytest.mark.parametrize("case", WRONG_OPTIONS)
    def test_option(self, tmp_path: Path, case: str) -> None:
        refuse_option(tmp_path, case, 0)

    def test_output(self, tmp_path: Path) -> None:
        refuse_output(tmp_path, 0)

    def test_theta_file(self, tmp_path: Path) -> None:
        """A pipe, which would be waited for; and a dataset that is there and no vector is told, not the one that is not."""
        os.mkfifo(tmp_path / "pipe.h5")
        with h5py.File(tmp_path / "square.h5", "w") as file:
            file["theta"] = [[0.0, 0.0], [0.0, 0.0]]
        for name, why in ("pipe.h5", "is no regular file"), ("square.h5", "dataset theta is not a vector of numbers"):
            message = refused(tmp_path, 0, "--env", "bandit", "--policy", f"softmax-tabular:theta={name}")
            assert f"theta: {name}: {why}; " in message


@needs_mpi
class TestRanksWrongInput:
    """Every third: rank 0 alone reads studies and writes, all ranks read options."""

    @pytest.mark.parametrize("case", list(WRONG_STUDIES)[::3])
    def test_study(self, tmp_path: Path, case: str) -> None:
        refuse_study(tmp_path, case, 3)

    @pytest.mark.parametrize("case", [*list(WRONG_OPTIONS)[::3], "no V"])
    def test_option(self, tmp_path: Path, case: str) -> None:
        refuse_option(tmp_path, case, 3)

    def test_output(self, tmp_path: Path) -> None:
        refuse_output(tmp_path, 3)


class TestFaults:
    @pytest.fixture
    def long(self, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
        """A run of hours, caught while it works, with a file begun."""
        args = [PROGRAM, "--env", "cartpole", "--replicates", "10000000", "--batch", "1,1000", "-o", "x.h5", "--progress", "always"]
        start = [*MPIEXEC, "2"] if getattr(request, "param", 0) else []
        with subprocess.Popen([*start, *args], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              start_new_session=True) as process:  # fmt: skip
            assert process.stderr is not None
            assert "left" in process.stderr.read(90)
            yield process
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def test_a_kill_leaves_no_result(self, tmp_path: Path, long: subprocess.Popen[str]) -> None:
        long.kill()
        assert long.wait(WAIT) == -signal.SIGKILL
        assert not (tmp_path / "x.h5").exists()
        measure(tmp_path / "x.h5", *BANDIT, "--replicates", "9")  # what the killed run left is in no one's way

    @needs_mpi
    @pytest.mark.parametrize("long", [2], indirect=True)
    def test_a_killed_rank_ends_the_job(self, tmp_path: Path, long: subprocess.Popen[str]) -> None:
        parents = {p.parent.name: p.read_text().rsplit(")")[-1].split()[1] for p in Path("/proc").glob("[0-9]*/stat")}
        ranks = [int(child) for child, parent in parents.items() if parent == str(long.pid)]
        assert len(ranks) == 2
        os.kill(ranks[1], signal.SIGKILL)
        assert long.wait(WAIT) != 0
        assert not (tmp_path / "x.h5").exists()

    @pytest.mark.parametrize("ranks", [0, pytest.param(2, marks=needs_mpi)])
    def test_a_full_disk(self, tmp_path: Path, ranks: int) -> None:
        command = [PROGRAM, *BANDIT, "--replicates", "9000", "--save-gradients", "--quiet", "-o", "x.h5"]
        start = [*MPIEXEC, str(ranks)] if ranks else []
        line = f"{shlex.join(start)} sh -c 'ulimit -f 2048; exec \"$@\"' sh {shlex.join(command)}"
        done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=ALONE, capture_output=True, text=True, timeout=WAIT, check=False)
        messages = [text for text in done.stderr.splitlines() if text.startswith("pgbench: ")]
        assert done.returncode == 1 and len(messages) == 1, done.stderr
        assert "x.h5" in messages[0] and "HDF5-DIAG" not in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_a_screen_that_takes_nothing(self, tmp_path: Path) -> None:
        for form in ("text", "json", "csv"):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([PROGRAM, *BANDIT, "--format", form, "-o", f"{form}.h5"], cwd=tmp_path, stdout=full, env=ALONE,
                                      stderr=subprocess.PIPE, text=True, timeout=WAIT, check=False)  # fmt: skip
            assert done.returncode == 1 and done.stderr.count("pgbench: ") == 1, (form, done.stderr)
