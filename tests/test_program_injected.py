# SPDX-License-Identifier: MIT
"""One call fails on one rank, or a rank dies in it: the job ends with one message, and what is on disk can be resumed."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
from program import ALONE, MPIEXEC, PROGRAM, WAIT, measure, needs_mpi, needs_program, payload, run

FAULTY = os.environ.get("PGB_FAULTY", "")
pytestmark = [needs_program, pytest.mark.skipif(not FAULTY, reason="PGB_FAULTY names no pgbench with fault injection")]

STUDY = ["--env", "bandit", "--env", "chain:horizon=4", "--replicates", "6", "--batch", "1,5", "--save-gradients"]
LARGE = [*STUDY, "--replicates", "4000"]  # gradients of 1.5 MB
BUSY = ["--checkpoint-interval", "0.000001s"]  # a checkpoint after every round
# Later rounds bring rows of more than one message.
LONG = ["--env", "cartpole:horizon=20", "--policy", "softmax-mlp:hidden=64x64", "--baseline", "none,loo", "--replicates", "70", "--batch", "1,2"]
HERE = ("study_resolve store_create output_cell store_close checkpoint_write").split()  # rank 0 does it alone
EVERYWHERE = "provenance_gather plan_begin plan_end oracle_open measure_create comm_combine comm_bring comm_broadcast comm_barrier comm_gather".split()


def faulty(fault: str, *args: str | Path, ranks: int = 0) -> subprocess.CompletedProcess[str]:
    start = [*MPIEXEC, str(ranks)] if ranks else []
    return subprocess.run([*start, FAULTY, *map(str, args)], env={**(dict(os.environ) if ranks else ALONE), "PGB_FAULT": fault},
                          capture_output=True, text=True, timeout=WAIT, check=False)  # fmt: skip


def told(done: subprocess.CompletedProcess[str]) -> str:
    """The one message of a run that failed in order."""
    messages = [line for line in done.stderr.splitlines() if line.startswith("pgbench: ")]
    assert done.returncode == 1 and len(messages) == 1, (done.returncode, done.stdout, done.stderr)
    return messages[0]


def finish(out: Path, begin: list[str] = STUDY) -> None:
    """Ends what was begun, with the program itself."""
    if not out.exists():
        args = ["--resume", out] if out.with_name(out.name + ".part").exists() else [*begin, "-o", out]
        done = run("--quiet", *args)
        assert done.returncode == 0, done.stderr
    left = {path.name for path in out.parent.glob(out.name + ".*")}
    assert left <= {out.name + ".part"}, left  # where the kill came between taking the name and removing the part


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> str:
    return payload(measure(tmp_path_factory.mktemp("whole") / "x.h5", *STUDY))


@needs_mpi
class TestPhases:
    """A rank that fails must not leave the others waiting."""

    @pytest.mark.parametrize("rank", [0, 1, 2])
    @pytest.mark.parametrize("phase", [*HERE, *EVERYWHERE])
    def test_ends(self, tmp_path: Path, phase: str, rank: int) -> None:
        if phase in HERE and phase != "study_resolve" and rank > 0:
            assert faulty(f"{rank} {phase} 1 fail", "--version", ranks=1).returncode == 0  # never comes there
            return
        message = told(faulty(f"{rank} {phase} 1 fail", *STUDY, *BUSY, "-o", tmp_path / "x.h5", ranks=3))
        assert f"{phase}: failed: injected" in message
        assert not (tmp_path / "x.h5").exists()

    @pytest.mark.parametrize("phase", ["comm_combine", "comm_bring", "comm_broadcast", "comm_barrier", "output_cell", "plan_end", "checkpoint_write"])
    def test_ends_later(self, tmp_path: Path, phase: str) -> None:
        rank = 0 if phase in HERE else 1
        message = told(faulty(f"{rank} {phase} 2 fail", *STUDY, *BUSY, "-o", tmp_path / "x.h5", ranks=2))
        assert f"{phase}: failed: injected" in message

    def test_ends_in_a_pilot_sample(self, tmp_path: Path) -> None:
        fitted = ["--env", "cartpole:horizon=20", "--replicates", "6", "--batch", "1"]
        assert "comm_collect: failed: injected" in told(faulty("1 comm_collect 1 fail", *fitted, "-o", tmp_path / "x.h5", ranks=2))

    def test_ends_where_blocks_are_long(self, tmp_path: Path) -> None:
        for rank in range(3):
            message = told(faulty(f"{rank} comm_bring 1 fail", *LONG, "-o", tmp_path / "x.h5", ranks=3))
            assert "comm_bring: failed: injected" in message

    def test_dies_where_blocks_are_long(self, tmp_path: Path) -> None:
        whole = payload(measure(tmp_path / "whole.h5", *LONG))
        for rank in range(3):
            out = tmp_path / f"{rank}.h5"
            done = faulty(f"{rank} comm_bring 3 kill", *LONG, *BUSY, "-o", out, ranks=3)
            assert done.returncode not in (0, 75) and out.with_name(out.name + ".part").exists()
            finish(out)
            assert payload(out) == whole

    @pytest.mark.parametrize("phase", ["comm_send", "comm_receive", "comm_sent"])
    def test_ends_where_a_block_is_shared(self, tmp_path: Path, phase: str) -> None:
        """Which ranks share one depends on how fast they are."""
        many = ["--env", "bandit", "--replicates", "4096", "--batch", "1", "--quiet"]
        all_done = [faulty(f"{rank} {phase} 1 fail", *many, "-o", tmp_path / "x.h5", "--force", ranks=3) for rank in range(3)]
        failed = [done for done in all_done if done.returncode != 0]
        assert failed, f"no rank comes to {phase}"
        for done in failed:
            assert f"{phase}: failed: injected" in told(done)

    @pytest.mark.parametrize("rank", [0, 1])
    def test_dies_in_a_block(self, tmp_path: Path, wanted: str, rank: int) -> None:
        done = faulty(f"{rank} measure_pieces 3 kill", *STUDY, *BUSY, "-o", tmp_path / "x.h5", ranks=2)
        assert done.returncode not in (0, 75)
        finish(tmp_path / "x.h5")
        assert payload(tmp_path / "x.h5") == wanted


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls of a run change a file, by halving."""
    out = tmp_path_factory.mktemp("count") / "x.h5"
    low, high = 1, 1 << 14
    while low + 1 < high:
        middle = (low + high) // 2
        dies = faulty(f"0 file {middle} kill", *STUDY, *BUSY, "-o", out, "--force").returncode < 0
        low, high = (middle, high) if dies else (low, middle)
    return low


class TestFiles:
    """Every call that changes a file in turn, until a run comes through."""

    @pytest.mark.parametrize("how", ["fail", "kill"])
    def test_each(self, tmp_path: Path, wanted: str, calls: int, how: str) -> None:
        n = calls
        assert 50 < n < (1 << 14) - 1
        dice = random.Random(1)
        for count in sorted({*range(1, n + 1, max(1, n // 12)), *dice.sample(range(max(1, n - 12), n + 1), 6)}):
            folder = tmp_path / str(count)
            folder.mkdir()
            out = folder / "x.h5"
            done = faulty(f"0 file {count} {how}", *STUDY, *BUSY, "-o", out)
            if how == "kill":  # how many checkpoints a prediction leaves time for is the clock's, so the last may not come
                assert done.returncode < 0 or (done.returncode == 0 and count > n - n // 8), (count, n, done.stderr)
            elif done.returncode != 0:  # a name that cannot be linked is taken in another way
                message = told(done)
                assert ("--resume" in message) == (folder / "x.h5.part").exists(), message
            finish(out)
            assert payload(out) == wanted, count


class TestMemory:
    def test_any_allocation(self, tmp_path: Path, wanted: str) -> None:
        dice = random.Random(2)
        failed = 0
        for count in [*range(1, 400, 25), *dice.sample(range(400, 4000), 12)]:
            out = tmp_path / f"{count}.h5"
            done = faulty(f"0 memory {count} fail", *STUDY, *BUSY, "-o", out)
            assert done.returncode in (0, 1), (count, done.stderr)
            if done.returncode == 0:
                assert payload(out) == wanted
                continue
            failed += 1
            assert "memory" in told(done)
            assert not out.exists() and not out.with_name(out.name + ".tmp").exists()
        assert failed > 10

    def test_a_limit(self, tmp_path: Path) -> None:
        line = f"ulimit -v 300000; exec {PROGRAM} --env bandit --replicates 60000 --batch 1 --save-gradients -o {tmp_path}/x.h5"
        done = subprocess.run(["sh", "-c", line], env=ALONE, capture_output=True, text=True, timeout=WAIT, check=False)
        assert done.returncode in (0, 1), done.stderr
        assert done.returncode == 0 or "memory" in told(done)


class TestDisk:
    @pytest.fixture
    def small(self, tmp_path: Path) -> Path:
        """A disk of 1 MiB."""
        folder = tmp_path / "small"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("mounting a tmpfs is not allowed here")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)

    @pytest.mark.parametrize("ranks", [0, pytest.param(2, marks=needs_mpi)])
    def test_a_full_disk(self, small: Path, ranks: int) -> None:
        out = small / "x.h5"
        filler = small / "filler"
        begun = run("--quiet", *LARGE, "-o", out, "--time-limit", "0.001", ranks=ranks)
        assert begun.returncode == 75, begun.stderr
        good = (small / "x.h5.part").read_bytes()
        filler.write_bytes(bytes(900_000 - len(good)))
        message = told(run("--quiet", "--resume", out, "--checkpoint-interval", "0.01s", ranks=ranks))
        assert "No space left on device" in message and "--resume" in message
        assert sorted(path.name for path in small.iterdir()) == ["filler", "x.h5.part"]
        assert (small / "x.h5.part").read_bytes()[:200] == good[:200]
        filler.unlink()
        # The result needs more than the disk has: finish elsewhere.
        elsewhere = small.parent / "y.h5"
        elsewhere.with_name("y.h5.part").write_bytes((small / "x.h5.part").read_bytes())
        finish(elsewhere)
        assert payload(elsewhere) == payload(measure(small.parent / "z.h5", *LARGE))

    def test_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        done = run(*STUDY, "-o", tmp_path / "file" / "x.h5")
        assert done.returncode == 2 and "a directory of its path is a file" in done.stderr

    def test_a_folder_that_takes_nothing(self, small: Path) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        assert "Read-only file system" in told(run(*STUDY, "-o", small / "x.h5"))
