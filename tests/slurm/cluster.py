# SPDX-License-Identifier: MIT
"""A private Slurm of a few virtual nodes on this machine: munged, slurmctld and a slurmd for each node, in a folder of
its own, stopped by their process ids. Each slurmd has its own UTS and mount namespace, so that nodes have host names
n1, n2, ... and /dev/shm apart (Open MPI would mix up their shared memory otherwise)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

WAIT = 60.0  # seconds that only a hang takes
# Seconds a requeued job waits before it starts again, 120 by default: a node refuses a launch whose credential is not
# younger than the end of the job's last one, and Open MPI's sockets of that one must be gone. Also a credential's
# life, hence not shorter: a launch on a loaded machine takes seconds.
REQUEUE = 10
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "scancel", "srun", "unshare")

CONFIG = """\
ClusterName=pgbench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/run/munge.sock,cred_expire={requeue}
CommunicationParameters=NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
TmpFS={folder}/tmp/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
MailProg=/bin/true
MpiDefault=pmix
ProctrackType=proctrack/linuxproc
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SlurmctldParameters=preempt_send_user_signal
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=10
ReturnToService=2
NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=16 RealMemory=4000
PartitionName=main Nodes=ALL Default=YES PriorityTier=1 GraceTime=20
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF
"""


def why_not() -> str:
    """Why this machine cannot have such a cluster; empty where it can."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed; apt-get install --no-install-recommends slurm-wlm munge util-linux"
    if os.geteuid() != 0:
        return "slurmd and its namespaces need root"
    try_it = ["unshare", "--uts", "--mount", "sh", "-c", "hostname n1 && mount -t tmpfs none /dev/shm"]
    done = subprocess.run(try_it, capture_output=True, text=True, check=False)
    return f"namespaces are not allowed here: {done.stderr.strip()}" if done.returncode != 0 else ""


def free_ports(n: int) -> list[int]:
    """The first of n ports in a row, nobody's now."""
    for first in range(17000 + os.getpid() % 1000 * 10, 60000, n):
        held: list[socket.socket] = []
        try:
            for port in range(first, first + n):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return list(range(first, first + n))
        except OSError:
            continue
        finally:
            for each in held:
                each.close()
    raise RuntimeError("no free ports")


class Cluster:
    def __init__(self, folder: Path, nodes: int) -> None:
        self.folder = folder
        self.nodes = nodes
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def up(self) -> None:
        names = [f"n{i + 1}" for i in range(self.nodes)]
        for sub in ["state", "run", "log", *(f"{kind}/{name}" for kind in ("spool", "tmp") for name in names)]:
            (self.folder / sub).mkdir(parents=True)
        ports = free_ports(self.nodes + 1)
        text = CONFIG.format(host=socket.gethostname().split(".")[0], folder=self.folder, nodes=self.nodes,
                             requeue=REQUEUE, port=ports[0], first=ports[1], last=ports[-1])  # fmt: skip
        (self.folder / "slurm.conf").write_text(text, encoding="utf-8")
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        run = self.folder / "run"
        self.start("munged", "--force", f"--key-file={key}", f"--socket={run}/munge.sock", f"--pid-file={run}/munged.pid",
                   f"--log-file={self.folder}/log/munged.log", f"--seed-file={run}/munge.seed")  # fmt: skip
        self.start("slurmctld", "-i", "-c")
        for name in names:
            apart = f"hostname {name}; mount -t tmpfs none /dev/shm; exec slurmd -N {name}"
            self.start("unshare", "--uts", "--mount", "sh", "-c", apart)
        self.until(lambda: self.idle() == self.nodes, "nodes to be idle")

    def start(self, *command: str) -> None:
        """A daemon, which goes to the background by itself."""
        log = self.folder / "log" / "start.log"
        with log.open("a", encoding="utf-8") as out:
            subprocess.run(command, env=self.environment, check=True, stdout=out, stderr=out, timeout=WAIT)

    def idle(self) -> int:
        text = self.ask("sinfo", "-h", "-p", "main", "-t", "idle", "-o", "%D")
        return int(text) if text else 0

    def down(self) -> None:
        """Ends jobs, then daemons, by their process ids; what does not go is killed."""
        if (self.folder / "run" / "slurmctld.pid").exists():
            self.ask("scancel", "-u", "root")
            self.wait_quietly(lambda: not self.ask("squeue", "-h", "-o", "%i"), 15)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for file in self.pid_files():
                try:
                    os.kill(int(file.read_text()), number)
                except (OSError, ValueError):  # gone meanwhile, or not written yet
                    pass
                if number == signal.SIGKILL:
                    file.unlink(missing_ok=True)
            self.wait_quietly(lambda: not self.pid_files(), 10)

    def pid_files(self) -> list[Path]:
        return sorted((self.folder / "run").glob("*.pid"))

    def ask(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=WAIT)
        return done.stdout.strip()

    @staticmethod
    def wait_quietly(condition, seconds: float) -> bool:  # type: ignore[no-untyped-def]
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def until(self, condition, what: str, seconds: float = WAIT) -> None:  # type: ignore[no-untyped-def]
        assert self.wait_quietly(condition, seconds), f"waited in vain for {what}\n" + self.ask("squeue", "-o", "%all")

    # ---- Jobs ----

    def submit(self, folder: Path, template: Path, *words: str | Path, more: tuple[str, ...] = (), **extra: str) -> str:
        """The job's id. words go to the template, more to sbatch before it."""
        command = ["sbatch", "--parsable", *more, str(template), *map(str, words)]
        done = subprocess.run(command, cwd=folder, env={**self.environment, **extra}, capture_output=True, text=True,
                              check=False, timeout=WAIT)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def state(self, job: str) -> dict[str, str]:
        text = self.ask("scontrol", "show", "job", job, "-o").splitlines()
        return dict(word.split("=", 1) for word in text[0].split() if "=" in word) if text else {}

    def queued(self, job: str) -> bool:
        return bool(self.ask("squeue", "-h", "-j", job, "-t", "PD,R,CG,S", "-o", "%i"))

    def finish(self, job: str, seconds: float = 3 * WAIT) -> dict[str, str]:
        self.until(lambda: not self.queued(job), f"job {job}", seconds)
        return self.state(job)

    def requeued(self, job: str) -> None:
        """Waits until the job is back in the queue; it stays there for REQUEUE seconds."""
        self.until(lambda: self.state(job).get("JobState") == "PENDING", f"job {job} to be requeued")
