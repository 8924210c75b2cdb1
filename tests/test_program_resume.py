# SPDX-License-Identifier: MIT
"""Interrupted runs: what is on disk is the last checkpoint, and --resume ends where the uninterrupted run ended, bit for bit."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import time
import zlib
from pathlib import Path

import h5py
import pytest
from program import ALL_ENVS, ALONE, BANDIT, MPIEXEC, PROGRAM, WAIT, measure, needs_mpi, needs_program, payload, run, study

pytestmark = needs_program

KILLS = int(os.environ.get("PGB_KILLS", "8"))  # interruptions to survive; PGB_KILLS=50 takes minutes
SEED = int(os.environ.get("PGB_KILLS_SEED", "1"))
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
LONG = ["--save-gradients", "--quiet", "--progress", "never", "--checkpoint-interval", "0.05s"]


def part(out: Path) -> Path:
    return out.with_name(out.name + ".part")


def stop_early(out: Path, *args: str | Path, ranks: int = 0) -> Path:
    """A run whose time is up as it begins: its checkpoint."""
    done = run("-o", out, "--time-limit", "0.001", *args, ranks=ranks)
    assert done.returncode == 75, done.stdout + done.stderr
    assert not out.exists()
    return part(out)


def refused(*args: str | Path, code: int = 2, ranks: int = 0) -> str:
    done = run(*args, ranks=ranks)
    messages = [line for line in done.stderr.splitlines() if line.startswith("pgbench: ")]
    assert done.returncode == code and len(messages) == 1, done.stdout + done.stderr
    return messages[0].removeprefix("pgbench: ")


def resume(out: Path, *args: str | Path, ranks: int = 0) -> Path:
    done = run("--resume", out, "--quiet", *args, ranks=ranks)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(out.parent.glob(out.name + ".*")) == [], "what a run leaves beside its result"
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, float]:
    """A study of every kind of cell, the hash of its result, and how long it takes."""
    folder = tmp_path_factory.mktemp("whole")
    path = study(folder, ALL_ENVS.replace("replicates: 20", "replicates: 1200"))
    start = time.monotonic()
    out = measure(folder / "whole.h5", "--study", path, "--save-gradients")
    return path, payload(out), time.monotonic() - start


class TestStop:
    def test_time_limit_step_by_step(self, tmp_path: Path, whole: tuple[Path, str, float]) -> None:
        out = tmp_path / "x.h5"
        stop_early(out, "--study", whole[0], "--save-gradients")
        for _ in range(3):
            done = run("--resume", out, "--time-limit", f"{0.1 + whole[2] / 5:g}s")
            if done.returncode == 0:
                break
            assert done.returncode == 75, done.stderr
            assert re.fullmatch(rf"pgbench: {out}: stopped by the time limit with [0-9.]+ % of the work done; "
                                rf"go on with: pgbench --resume {out}\n", done.stderr)  # fmt: skip
        if not out.exists():
            resume(out)
        assert payload(out) == whole[1]

    def test_it_says_what_the_whole_run_says(self, tmp_path: Path, whole: tuple[Path, str, float]) -> None:
        """On the screen and in the file, but for what tells of the launch. Ever longer launches, until one gets to the end."""
        x, y = tmp_path / "x.h5", tmp_path / "y.h5"
        stop_early(x, "--study", whole[0])
        launches, seconds = 1, 0.1
        while not x.exists():
            done = run("--resume", x, "--time-limit", f"{seconds:g}s", "--format", "json")
            assert done.returncode in (0, 75), done.stderr
            launches, seconds = launches + 1, 1.2 * seconds
        again = run("--study", whole[0], "-o", y, "--format", "json")
        pages = [json.loads(text) for text in (done.stdout, again.stdout)]
        assert pages[0]["cells"] == pages[1]["cells"] and pages[0]["verdict"] == pages[1]["verdict"]
        with h5py.File(x) as one, h5py.File(y) as two:
            assert (one.attrs["launches"], two.attrs["launches"]) == (launches, 1)
            assert one.attrs["started"] <= two.attrs["started"] and one.attrs["config"] == two.attrs["config"]
        assert payload(tmp_path / "x.h5") == payload(tmp_path / "y.h5")

    @pytest.mark.parametrize("number", SIGNALS)
    @pytest.mark.parametrize("ranks", [0, pytest.param(2, marks=needs_mpi)])
    def test_signals(self, tmp_path: Path, ranks: int, number: signal.Signals) -> None:
        """To the program itself, or to mpirun, which hands TERM and INT on as TERM and returns 1 whatever its ranks return."""
        out = tmp_path / "a name.h5"
        args = ["--env", "cartpole", "--replicates", "100000000", "--batch", "1", "--quiet", "-o", str(out), "--progress", "always"]
        start = [*MPIEXEC, str(ranks)] if ranks else []
        with subprocess.Popen([*start, PROGRAM, *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env=dict(os.environ) if ranks else ALONE) as process:  # fmt: skip
            assert process.stderr is not None
            assert "left" in process.stderr.read(90)
            process.send_signal(number)
            text = process.stderr.read()
            code = process.wait(WAIT)
        name = "SIGTERM" if ranks and number == signal.SIGINT else number.name
        assert re.search(rf"pgbench: {out}: stopped by {name} with .*; go on with: pgbench --resume '{out}'", text), text
        assert text.count("pgbench: ") == 1
        assert code == (1 if ranks and number != signal.SIGUSR1 else 75)
        assert part(out).exists() and not out.exists()

    @needs_mpi
    def test_a_signal_to_one_rank_stops_all(self, tmp_path: Path) -> None:
        out = tmp_path / "x.h5"
        args = [*MPIEXEC, "3", PROGRAM, "--env", "cartpole", "--replicates", "30000000", "--batch", "1", "-o", str(out), "--progress", "always"]
        with subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert "left" in process.stderr.read(90)
            os.kill(ranks_of(process)[2], signal.SIGUSR1)
            text = process.stderr.read()
            assert process.wait(WAIT) == 75
        assert "stopped by SIGUSR1" in text and part(out).exists()


class TestRefused:
    @pytest.fixture
    def out(self, tmp_path: Path) -> Path:
        out = tmp_path / "x.h5"
        stop_early(out, *BANDIT, "--replicates", "300")
        return out

    def test_nothing_to_resume(self, tmp_path: Path, out: Path) -> None:
        assert "is the checkpoint itself" in refused("--resume", part(out))
        resume(out)
        before = out.read_bytes()
        assert "nothing to resume" in refused("--resume", out)
        assert "no such file" in refused("--resume", tmp_path / "y.h5")
        assert "empty" in refused("--resume", "")
        assert out.read_bytes() == before

    def test_damaged(self, out: Path) -> None:
        good = part(out).read_bytes()
        dice = random.Random(SEED)
        for _ in range(30):
            bad = bytearray(good)
            bad[dice.randrange(len(bad))] ^= 1 << dice.randrange(8)
            part(out).write_bytes(bad)
            assert re.search("damaged|no checkpoint of pgbench|another layout", refused("--resume", out))
            assert part(out).read_bytes() == bad
        part(out).write_bytes(b"")
        assert "is empty" in refused("--resume", out)
        for length in (1, 13, 20, 24, 31, 32, len(good) // 2, len(good) - 1):
            part(out).write_bytes(good[:length])
            assert re.search("damaged|no checkpoint of pgbench", refused("--resume", out))
        part(out).write_bytes(good + b"\0")
        assert "damaged" in refused("--resume", out)
        part(out).write_bytes(good)
        resume(out)

    def test_foreign(self, tmp_path: Path, out: Path) -> None:
        good = part(out).read_bytes()
        body = good[:-8]

        def sealed(change: bytes, by: bytes) -> None:
            assert change in body
            text = body.replace(change, by)
            part(out).write_bytes(text + zlib.crc32(text).to_bytes(8, "little"))

        sealed(b"pgbench part 1", b"pgbench part 2")
        assert "another layout" in refused("--resume", out)
        sealed(body[16:24], body[16:24][::-1])
        assert "another byte order" in refused("--resume", out)
        sealed(body[24:37], b"\5\0\0\0\0\0\0\0" + b"9.9.9")
        assert "pgbench 9.9.9" in refused("--resume", out)
        measure(tmp_path / "y.h5", *BANDIT, "--replicates", "20")
        part(out).write_bytes((tmp_path / "y.h5").read_bytes())
        assert "no checkpoint of pgbench" in refused("--resume", out)
        part(out).unlink()
        os.mkfifo(part(out))
        assert "no regular file" in refused("--resume", out)
        part(out).unlink()
        part(out).mkdir()
        assert "no regular file" in refused("--resume", out)

    def test_options_that_contradict(self, tmp_path: Path, out: Path) -> None:
        before = part(out).read_bytes()
        assert "another study" in refused("--resume", out, "--seed", "2")
        assert "another study" in refused("--resume", out, *BANDIT, "--replicates", "301")
        assert "--output" in refused("--resume", out, "-o", tmp_path / "y.h5")
        assert "--save-gradients" in refused("--resume", out, "--save-gradients")
        assert "--simd" in refused("--resume", out, "--simd", "none")
        assert "is no time" in refused("--resume", out, "--time-limit", "soon")
        assert part(out).read_bytes() == before
        resume(out, *BANDIT, "--replicates", "300", "-o", out, "--checkpoint-interval", "5m")

    @pytest.mark.parametrize("text", ["", "s", "-1", "0", "1e3", "1x", "0x10", "1.2.3", "inf", "1 h", "99999999d"])
    def test_times(self, text: str) -> None:
        assert "--checkpoint-interval" in refused("--checkpoint-interval", text)

    def test_a_result_in_the_way(self, out: Path) -> None:
        out.write_text("precious")
        assert "exists already" in refused("--resume", out)
        assert out.read_text() == "precious" and part(out).exists()
        resume(out, "--force")

    def test_a_run_that_may_replace_its_result(self, tmp_path: Path) -> None:
        out = tmp_path / "x.h5"
        out.write_text("old")
        assert run("-o", out, "--time-limit", "0.001", *BANDIT, "--force").returncode == 75
        assert out.read_text() == "old"
        resume(out)

    def test_a_new_run_where_one_waits(self, out: Path) -> None:
        before = part(out).read_bytes()
        assert "--resume" in refused(*BANDIT, "-o", out)
        assert part(out).read_bytes() == before
        part(out).with_name(part(out).name + ".tmp").write_text("of a killed run")
        measure(out, *BANDIT, "--replicates", "20", "--force")
        assert sorted(path.name for path in out.parent.iterdir()) == ["x.h5"]

    def test_two_runs_at_once(self, tmp_path: Path) -> None:
        out = tmp_path / "x.h5"
        args = [PROGRAM, "--env", "cartpole", "--replicates", "100000000", "--batch", "1", "-o", str(out), "--progress", "always"]
        with subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ALONE) as process:
            assert process.stderr is not None
            assert "left" in process.stderr.read(90)
            assert "another run is writing it" in refused(*BANDIT, "-o", out)
            assert "another run is writing it" in refused(*BANDIT, "-o", out, "--force")
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            assert process.wait(WAIT) == 75
        assert "--resume" in refused(*BANDIT, "-o", out)


def ranks_of(launcher: subprocess.Popen[str]) -> list[int]:
    """Process ids of the ranks that an mpirun has started, in no order; itself where there is no launcher."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):  # gone meanwhile
            continue
        if fields[1] == str(launcher.pid) and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return sorted(found)


def last_words(launcher: subprocess.Popen[str]) -> str:
    """Of an mpirun whose job was interrupted. Without ranks it may wait for itself for ever: pthread_mutex_lock in
    PMIx_server_finalize, seen once with Open MPI 4.1.4."""
    try:
        return launcher.communicate(timeout=WAIT)[1]
    except subprocess.TimeoutExpired:
        left = ranks_of(launcher)
        launcher.kill()
        text = launcher.communicate()[1]
        assert not left, f"ranks that do not end: {text}"
        return text


class Interrupter:
    """Launches that end early in a way that the dice choose."""

    def __init__(self, dice: random.Random, seconds: float) -> None:
        self.dice = dice
        self.seconds = seconds
        self.kills: dict[str, int] = {}
        self.lost: list[float] = []

    def launch(self, out: Path, args: list[str]) -> bool:
        """One launch; whether it was interrupted."""
        ranks = self.dice.choice([0, 1, 2, 3, 5]) if MPIEXEC else 0
        command = [*([*MPIEXEC, str(ranks)] if ranks else []), PROGRAM, *args]
        delay = self.dice.uniform(0, 0.9 * self.seconds + (0.5 if ranks else 0))
        ways = ["TERM", "INT", "USR1", "KILL", "KILL", *(["rank KILL"] * 4 if ranks else []), *(["rank USR1"] if ranks else [])]
        way = self.dice.choice(ways)
        begin = time.time()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env=dict(os.environ) if ranks else ALONE) as process:  # fmt: skip
            children: list[int] = []
            try:
                _, text = process.communicate(timeout=delay)
            except subprocess.TimeoutExpired:
                children = ranks_of(process) if ranks else []
                victim = self.dice.choice(children) if children and way.startswith("rank") else process.pid
                number = getattr(signal, "SIG" + way.split()[-1])
                if part(out).exists() and part(out).stat().st_mtime > begin:
                    self.lost.append(time.time() - part(out).stat().st_mtime)
                os.kill(victim, number)
                self.kills[way] = self.kills.get(way, 0) + 1
                text = last_words(process) if ranks else process.communicate(timeout=WAIT)[1]
            code = process.returncode
        for child in children:  # those of a killed mpirun end by themselves, a moment later
            end = time.monotonic() + WAIT
            while Path(f"/proc/{child}").exists() and time.monotonic() < end:
                time.sleep(0.02)
        assert "damaged" not in text and "is complete" not in text, text
        assert code != 2, text
        return code != 0


@needs_mpi
class TestKills:
    def test_any_interruption_at_any_time(self, tmp_path: Path, whole: tuple[Path, str, float]) -> None:
        dice = random.Random(SEED)
        interrupter = Interrupter(dice, whole[2])
        runs = 0
        while sum(interrupter.kills.values()) < KILLS:
            out = tmp_path / f"{runs}.h5"
            begin = ["--study", str(whole[0]), "-o", str(out), *LONG]
            while not out.exists():
                args = ["--resume", str(out), "--quiet", "--checkpoint-interval", "0.05s"] if part(out).exists() else begin
                if sum(interrupter.kills.values()) < KILLS:
                    interrupter.launch(out, args)
                else:
                    assert run(*args, ranks=2).returncode == 0
            assert payload(out) == whole[1]
            runs += 1
        print(f"{sum(interrupter.kills.values())} interruptions {interrupter.kills} in {runs} runs; "
              f"age of the checkpoint at an interruption: at most {max(interrupter.lost, default=0):.2f} s")  # fmt: skip
