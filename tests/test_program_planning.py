# SPDX-License-Identifier: MIT
"""Stopped while a cell is planned (pilot sample, exact figures, prediction): soon, on all ranks, and never in vain."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from program import ALONE, MPIEXEC, PROGRAM, WAIT, measure, needs_mpi, needs_program, payload, run
from test_program_resume import part, ranks_of

pytestmark = needs_program

# A pilot sample of seconds before a measurement of moments.
SLOW = ["--env", "cartpole", "--policy", "softmax-mlp:hidden=96x96", "--estimator", "reinforce,gpomdp", "--baseline",
        "none,optimal,value-linear", "--batch", "1", "--replicates", "16", "--progress", "never"]  # fmt: skip
SOON = 5.0  # seconds, with the start and the end of the ranks on a busy machine; the sample takes longer


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], str]:
    folder = tmp_path_factory.mktemp("planning")
    path = folder / "slow.yaml"
    path.write_text("env: cartpole\npilot: 20000\n", encoding="utf-8")
    args = ["--study", str(path), *SLOW]
    return args, payload(measure(folder / "whole.h5", *args))


RANKS = [0, pytest.param(2, marks=needs_mpi)]


@pytest.mark.parametrize("ranks", RANKS)
def test_limits_too_short_for_it(tmp_path: Path, whole: tuple[list[str], str], ranks: int) -> None:
    """Every launch gets further."""
    out = tmp_path / "x.h5"
    begin = time.monotonic()
    done = run("-o", out, "--time-limit", "0.3s", *whole[0], ranks=ranks)
    assert time.monotonic() - begin < SOON
    seen: set[bytes] = set()
    for launches in range(1, 4):
        line = rf"pgbench: {out}: stopped by the time limit with 0.0 % of the work done; go on with: pgbench --resume {out}"
        assert done.returncode == 75 and re.search(line, done.stderr), done.stderr
        seen.add(sums(out))
        assert len(seen) == launches
        done = run("--resume", out, "--time-limit", "0.3s" if launches < 3 else "1h", ranks=ranks)
    assert done.returncode == 0, done.stderr
    assert payload(out) == whole[1]


def sums(out: Path) -> bytes:
    """What the checkpoint holds at its end: of the pilot sample a counter, the sums of twelve features, and two of each parameter
    for each estimator."""
    parameters = 4 * 96 + 96 + 96 * 96 + 96 + 96 * 2 + 2
    return part(out).read_bytes()[-8 * (1 + 12 * 12 + 12 + 2 * 2 * parameters) - 8 : -8]


@pytest.mark.parametrize(("ranks", "one"), [(0, False), pytest.param(2, False, marks=needs_mpi), pytest.param(2, True, marks=needs_mpi)])
def test_signals(tmp_path: Path, whole: tuple[list[str], str], ranks: int, one: bool) -> None:
    """To all ranks or to one of them."""
    out = tmp_path / "x.h5"
    start = [*MPIEXEC, str(ranks)] if ranks else []
    with subprocess.Popen([*start, PROGRAM, "-o", str(out), *whole[0]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ) if ranks else ALONE) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().startswith("pgbench")  # from here on it is planning
        time.sleep(0.5)
        begin = time.monotonic()
        os.kill(ranks_of(process)[-1] if one and ranks else process.pid, signal.SIGUSR1)
        text = process.communicate(timeout=WAIT)[1]
        assert time.monotonic() - begin < SOON
    assert process.returncode == 75
    assert f"{out}: stopped by SIGUSR1 with 0.0 % of the work done; go on with: pgbench --resume {out}" in text
    assert part(out).exists() and not out.exists()
    assert run("--resume", out, "--progress", "never").returncode == 0
    assert payload(out) == whole[1]
