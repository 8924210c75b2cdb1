# SPDX-License-Identifier: MIT
"""Checkpoints as src/study/checkpoint.c writes them, made here byte by byte; tests/test_report.py reads a real one."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from pgbench_report import ReportError
from pgbench_report.cli import main
from pgbench_report.follow import MAGIC, ORDER, ROLLS, STORED, VECTORS, follow, read

SOURCE = Path(__file__).parents[2] / "src" / "study" / "result.h"
CONFIG = """\
seed: 1
gamma: 0.99
env:
  - {name: bandit, mean: [1, 2]}
  - {name: mdp, horizon: 3}
policy:
  - {name: softmax-tabular, env: bandit, theta: [0, 0]}
  - {name: softmax-tabular, env: mdp, theta: [0, 0, 0]}
estimators: [reinforce, {name: gae, lambda: 0.95}]
baselines: [none, loo]
batch: [1, 16]
replicates: 100
pilot: 4096
"""


def text(value: str) -> bytes:
    return struct.pack("=Q", len(value.encode())) + value.encode()


def result(parameters: int, batches_done: int, start: float) -> bytes:
    e, b, n = 2, 2, 2
    done = np.where(np.arange(n) < batches_done, 1.0, np.nan)
    out = b"".join((np.full((e, b, n), start + k) * done).tobytes() for k in range(len(STORED)))
    out += b"".join((np.full((e, b, n, parameters), 1.0) * done[:, None]).tobytes() for _ in VECTORS)
    out += b"".join((np.array([100.0, 1600.0]) * done).tobytes() for _ in ROLLS)
    out += np.zeros(parameters).tobytes() + np.zeros((e, b)).tobytes() + bytes(e * b * n * 96) + struct.pack("=d", 3.5)
    return out + text("bandit") + b"".join(text(r) for r in ("", "", "", "no constant here"))


def part(path: Path, cell: int = 1, batch: int = 1, share: tuple[int, int] = (0, 0)) -> Path:
    content = MAGIC + struct.pack("=Q", ORDER)
    for value in ("0.1.0", "abc", "made-up", CONFIG, "", "avx2", "2025-01-02T03:04:05Z"):
        content += text(value)
    content += struct.pack("=12Q", 0, 0, 2, cell, batch, 3, *share, len(STORED), len(VECTORS), len(ROLLS), 96)
    for k in range(cell + 1):
        if share[1] == 0 or k % share[1] == share[0] - 1:
            pilot = struct.pack("=Q", 5) + bytes(40) if k == cell else b""
            content += pilot + result(2 + k, 2 if k < cell else batch, 10.0 * (k + 1))
    content += bytes(800)
    path.write_bytes(content + struct.pack("=Q", zlib.crc32(content)))
    return path


def test_the_list_of_figures_is_that_of_the_program() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    for macro, names in (("FIGURES", STORED), ("VECTORS", VECTORS), ("ROLLS", ROLLS)):
        found = re.search(rf"#define PGB_{macro}\(X\)(.*?)\n\n", source, re.DOTALL)
        assert found is not None
        assert tuple(re.findall(r'X\(\w+, "(\w+)"', found.group(1))) == names


def test_a_checkpoint_is_read(tmp_path: Path) -> None:
    progress = read(part(tmp_path / "a.h5.part"))
    assert progress.cells == ["bandit · softmax-tabular", "mdp · softmax-tabular"]
    assert (progress.done, progress.launches, progress.batches) == (3, 2, [1, 16])
    assert progress.missing() == ["mdp · softmax-tabular at N = 16"]
    bandit, mdp = progress.run.cells
    assert bandit.labels == (["reinforce", "gae"], ["none", "loo"])
    assert float(bandit.data["variance_trace"].sel(estimator="gae", baseline="loo", batch=16)) == 10.0
    assert mdp.data["variance_trace"].sel(batch=1).values.tolist() == [[20.0, 20.0], [20.0, 20.0]]
    assert np.isnan(mdp.data["variance_trace"].sel(batch=16)).all()
    assert mdp.data.sizes["parameter"] == 3
    assert mdp.replicates(1) == 100 and mdp.replicates(16) is None
    assert str(bandit.data["reason"].values[1, 1]) == "no constant here"


def test_a_share_of_the_cells_is_all_that_is_awaited(tmp_path: Path) -> None:
    progress = read(part(tmp_path / "a.h5.part", share=(2, 2)))
    assert progress.cells == ["mdp · softmax-tabular"] and progress.done == 1
    assert [c.env for c in progress.run.cells] == ["mdp"] and progress.run.cells[0].data.sizes["parameter"] == 3


def test_follow_prints_and_leaves_it_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = part(tmp_path / "a.h5.part")
    before = (found.read_bytes(), found.stat().st_mtime_ns)
    assert main(["--follow", str(tmp_path / "a.h5")]) == 0
    out = capsys.readouterr().out
    assert "3 of 4 cells and batch sizes done (75 %)" in out
    assert "still missing: mdp · softmax-tabular at N = 16" in out
    assert "pgbench --resume" in out
    assert (found.read_bytes(), found.stat().st_mtime_ns) == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5.part"]


@pytest.mark.parametrize(("kind", "word"), [("absent", "neither"), ("flipped", "checksum"), ("short", "checksum"), ("text", "no checkpoint"),
                                            ("layout", "another layout"), ("empty", "no checkpoint")])  # fmt: skip
def test_bad_checkpoints(tmp_path: Path, kind: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.h5.part"
    if kind != "absent":
        content = bytearray(part(path).read_bytes())
        if kind == "flipped":
            content[500] ^= 1
        path.write_bytes({"short": content[:-900], "text": b"not one at all, but longer than a head", "empty": b"",
                          "layout": content.replace(b"part 1", b"part 2")}.get(kind, bytes(content)))  # fmt: skip
    assert main(["--follow", str(tmp_path / "a.h5")]) == 2
    said = capsys.readouterr().err
    assert word in said and said.count("\n") == 1 and "; " in said


def test_a_checkpoint_that_lies_about_its_length_is_refused(tmp_path: Path) -> None:
    path = part(tmp_path / "a.h5.part")
    content = path.read_bytes()[:-8][:2000]
    path.write_bytes(content + struct.pack("=Q", zlib.crc32(content)))
    with pytest.raises(ReportError, match="pgbench"):
        read(path)


def test_follow_leaves_an_unchanged_screen_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is shown three times over is drawn once; then comes what is new."""
    shown = iter([("one\n", False)] * 3 + [("two\n", False)] * 2 + [("three\n", True)])
    monkeypatch.setattr("pgbench_report.follow.text", lambda path: next(shown))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    follow(Path("a.h5"), 0.0)
    assert capsys.readouterr().out == "".join(f"\x1b[H\x1b[2J{text}\n" for text in ("one", "two", "three"))
    assert next(shown, None) is None


def test_follow_redraws_on_a_terminal_until_the_result_is_there(tmp_path: Path, result: Path) -> None:
    """A checkpoint, then a later one, then the result: each seen, on a cleared screen."""
    out, clear = tmp_path / "a.h5", b"\x1b[H\x1b[2J"
    part(tmp_path / "a.h5.part", cell=0)
    child, terminal = pty.fork()
    if child == 0:
        code = 1
        try:
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # pytest has another
            follow(out, 0.05)
            code = 0
        finally:
            os._exit(code)
    seen = b""

    def until(text: str | None) -> None:
        """Until the text is seen, or the child is done."""
        nonlocal seen
        end = time.monotonic() + 30
        while text is None or text.encode() not in seen:
            assert select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0], seen
            try:
                seen += os.read(terminal, 1 << 16)
            except OSError:  # EIO: nobody has the other end any more
                assert text is None, seen
                return

    try:
        until("1 of 4 cells and batch sizes done (25 %)")
        part(tmp_path / "next", cell=1).replace(tmp_path / "a.h5.part")
        until("3 of 4 cells and batch sizes done (75 %)")
        shutil.copy(result, tmp_path / "whole")
        (tmp_path / "whole").replace(out)
        (tmp_path / "a.h5.part").unlink()
        until("complete: ")
        until(None)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(terminal)
    pictures = seen.split(clear)
    assert pictures[0] == b"" and 4 <= len(pictures)
    assert [k for k, p in enumerate(pictures) if b"complete: " in p] == [len(pictures) - 1]
