# SPDX-License-Identifier: MIT
"""Every template of jobs/slurm, submitted to a real Slurm of two virtual nodes: results, preemption, a lost node,
scancel, failure. PGB_PROGRAM is the pgbench to run."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cluster import WAIT, Cluster, why_not  # noqa: E402
from program import PROGRAM, measure, payload, run  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "jobs" / "slurm"
SMALL = ("--quiet", "--progress", "never", "--replicates", "100", "--batch", "1,4")
TWO = ("--ntasks-per-node=1",)  # ranks: one on each of two nodes
# Long enough to be interrupted, with checkpoints from the start on.
LONG = ("--quiet", "--progress", "never", "--env", "cartpole", "--batch", "64", "--replicates", "600000", "--estimator",
        "gpomdp", "--baseline", "none,loo", "--checkpoint-interval", "0.2s")  # fmt: skip

reason = why_not() if PROGRAM else "PGB_PROGRAM names no pgbench"
pytestmark = pytest.mark.skipif(bool(reason), reason=reason)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("slurm")
    if len(str(folder)) > 80:
        pytest.skip("the temporary folder's name is too long for munge's socket")
    it = Cluster(folder, 2)
    it.environment |= {
        "PGB_HOME": str(ROOT),
        "PGB_PROGRAM": PROGRAM,
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "PGB_LAUNCH": "srun --mpi=pmix --cpu-bind=none --kill-on-bad-exit=1",  # two cores play 32
    }
    try:
        it.up()
        yield it
    finally:
        it.down()


def result(folder: Path, job: str) -> Path:
    return folder / "results" / f"pgbench-{job}.h5"


def ranks_of(path: Path) -> list[int]:
    """The processes that measure it: both nodes are this machine."""
    wanted = f"{PROGRAM}\0-o\0{path}\0".encode()
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [int(each.parent.name)] if each.read_bytes().startswith(wanted) else []
        except OSError:  # gone meanwhile
            pass
    return found


def log(folder: Path) -> str:
    return "".join(f"== {path.name}\n{path.read_text()}" for path in sorted(folder.glob("*.log")))


def done(cluster: Cluster, folder: Path, job: str, code: str = "0:0") -> None:
    state = cluster.finish(job)
    assert state.get("ExitCode") == code, (state, log(folder))


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return payload(measure(tmp_path_factory.mktemp("alone") / "long.h5", *LONG))


class TestTemplates:
    def test_study(self, cluster: Cluster, tmp_path: Path) -> None:
        job = cluster.submit(tmp_path, TEMPLATES / "study.sbatch", *SMALL)
        done(cluster, tmp_path, job)
        assert payload(result(tmp_path, job)) == payload(measure(tmp_path / "alone.h5", *SMALL))
        with h5py.File(result(tmp_path, job)) as file:
            assert (file.attrs["ranks"], file.attrs["nodes"], file.attrs["hosts"]) == (8, 2, "n1,n2")
            assert file.attrs["slurm_job_id"] == job
        assert "VALID" in log(tmp_path)

    def test_array_is_merged(self, cluster: Cluster, tmp_path: Path) -> None:
        words = (*SMALL, "--save-gradients")
        job = cluster.submit(tmp_path, TEMPLATES / "array.sbatch", *words)
        join = cluster.submit(tmp_path, TEMPLATES / "merge.sbatch", job, more=(f"--dependency=afterany:{job}",))
        done(cluster, tmp_path, join)
        assert payload(result(tmp_path, job)) == payload(measure(tmp_path / "alone.h5", *words))
        with h5py.File(result(tmp_path, job)) as file:
            assert f"array task {job}_5" in file.attrs["slurm_job_id"]
            assert file.attrs["ranks"] == 10

    def test_seeds(self, cluster: Cluster, tmp_path: Path) -> None:
        job = cluster.submit(tmp_path, TEMPLATES / "seeds.sbatch", *SMALL, "--env", "bandit", more=("--array=1-3",))
        cluster.finish(job)
        seeds = [h5py.File(path).attrs["seed"] for path in sorted((tmp_path / "results").glob("*.h5"))]
        assert seeds == [1, 2, 3], log(tmp_path)

    def test_scaling_ends_in_one_table(self, cluster: Cluster, tmp_path: Path) -> None:
        job = cluster.submit(tmp_path, TEMPLATES / "scaling.sbatch", "--replicates", "64", "--batch", "4", "--repeats", "1",
                             more=("--ntasks-per-node=2",))  # fmt: skip
        done(cluster, tmp_path, job)
        with h5py.File(tmp_path / "results" / f"scaling-{job}.h5") as file:
            rows = zip(file["scaling/mode"].asstr()[()], file["scaling/ranks"][()].astype(int), strict=True)
            assert sorted(rows) == [(mode, ranks) for mode in ("strong", "weak") for ranks in (1, 2, 4)]
            assert file.attrs["slurm_job_id"] == job

    def test_failure_is_told(self, cluster: Cluster, tmp_path: Path) -> None:
        job = cluster.submit(tmp_path, TEMPLATES / "study.sbatch", "--env", "cartpol", more=TWO)
        done(cluster, tmp_path, job, "2:0")
        assert cluster.state(job)["JobState"] == "FAILED"
        assert "did you mean 'cartpole'" in log(tmp_path)
        assert not list((tmp_path / "results").iterdir())

    def test_profile(self, cluster: Cluster, tmp_path: Path) -> None:
        """A profile is a file of the site's own; one that is not there is told."""
        profile = tmp_path / "mine.env"
        profile.write_text('PGB_LAUNCH="mpirun --bind-to none"\n')
        job = cluster.submit(tmp_path, TEMPLATES / "study.sbatch", *SMALL, "--env", "bandit", more=TWO,
                             PGB_SITE=str(profile))  # fmt: skip
        lost = cluster.submit(tmp_path, TEMPLATES / "study.sbatch", more=TWO, PGB_SITE="nowhere")
        done(cluster, tmp_path, job)
        done(cluster, tmp_path, lost, "2:0")
        assert "no such site profile" in log(tmp_path)
        with h5py.File(result(tmp_path, job)) as file:
            assert (file.attrs["ranks"], file.attrs["hosts"]) == (2, "n1,n2")


class TestInterrupted:
    def begin(self, cluster: Cluster, folder: Path) -> tuple[str, Path]:
        """A long job with a checkpoint on disk."""
        job = cluster.submit(folder, TEMPLATES / "requeue.sbatch", *LONG, more=("--ntasks-per-node=1",))
        part = Path(f"{result(folder, job)}.part")
        running = cluster.wait_quietly(lambda: part.exists() or not cluster.queued(job), WAIT) and part.exists()
        assert running, ("no checkpoint", cluster.state(job), log(folder))
        return job, part

    def finished(self, cluster: Cluster, folder: Path, job: str, expected: str) -> None:
        done(cluster, folder, job)
        assert payload(result(folder, job)) == expected
        with h5py.File(result(folder, job)) as file:
            assert file.attrs["launches"] >= 2
        assert int(cluster.state(job)["Restarts"]) >= 1
        assert sorted(path.name for path in (folder / "results").iterdir()) == [result(folder, job).name]

    def test_preempted(self, cluster: Cluster, tmp_path: Path, long_run: str) -> None:
        job, _ = self.begin(cluster, tmp_path)
        other = cluster.submit(tmp_path, TEMPLATES / "study.sbatch", *SMALL, "--env", "bandit",
                               more=("-p", "high", "--exclusive", *TWO))  # fmt: skip
        done(cluster, tmp_path, other)
        result(tmp_path, other).unlink()
        self.finished(cluster, tmp_path, job, long_run)
        assert "stopped by SIG" in log(tmp_path)

    def test_time_limit(self, cluster: Cluster, tmp_path: Path, long_run: str) -> None:
        """The signal that Slurm sends before the limit, sent at once."""
        job, part = self.begin(cluster, tmp_path)
        cluster.ask("scancel", "-b", "-s", "USR1", job)
        cluster.requeued(job)
        assert part.exists()
        self.finished(cluster, tmp_path, job, long_run)
        assert "stopped by SIGUSR1" in log(tmp_path)

    def test_node_lost(self, cluster: Cluster, tmp_path: Path, long_run: str) -> None:
        job, _ = self.begin(cluster, tmp_path)
        cluster.ask("scontrol", "update", "NodeName=n2", "State=DOWN", "Reason=test")
        cluster.requeued(job)
        cluster.ask("scontrol", "update", "NodeName=n2", "State=RESUME")
        self.finished(cluster, tmp_path, job, long_run)

    def test_rank_killed(self, cluster: Cluster, tmp_path: Path, long_run: str) -> None:
        """As the kernel does where memory runs out."""
        job, _ = self.begin(cluster, tmp_path)
        os.kill(ranks_of(result(tmp_path, job))[0], signal.SIGKILL)
        cluster.requeued(job)
        self.finished(cluster, tmp_path, job, long_run)

    def test_cancelled(self, cluster: Cluster, tmp_path: Path, long_run: str) -> None:
        job, part = self.begin(cluster, tmp_path)
        cluster.ask("scancel", job)
        assert cluster.finish(job)["JobState"] == "CANCELLED"
        end = time.monotonic() + WAIT
        while os.path.exists(f"{result(tmp_path, job)}.tmp") and time.monotonic() < end:
            time.sleep(0.05)  # ranks may outlive the job for a moment
        assert part.exists() and not result(tmp_path, job).exists()
        again = run("--quiet", "--progress", "never", "--resume", result(tmp_path, job))
        assert again.returncode == 0, again.stderr
        assert payload(result(tmp_path, job)) == long_run
