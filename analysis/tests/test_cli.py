# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pgbench_report.cli import main


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_default_is_a_page_and_figures(result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(result), "-o", str(tmp_path / "new" / "folder")]) == 0
    found = names(tmp_path / "new" / "folder")
    assert found == {"made-up.html", "made-up-variance.png", "made-up-variance.svg"}
    assert {Path(line).name for line in capsys.readouterr().out.splitlines()} == found


def test_summary_alone_writes_nothing(result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(result), "-o", str(tmp_path / "out"), "--summary"]) == 0
    assert capsys.readouterr().out.startswith("made-up.h5: VALID\n")
    assert not (tmp_path / "out").exists()


def test_chosen_formats_and_batch(result: Path, tmp_path: Path) -> None:
    assert main([str(result), "-o", str(tmp_path), "--format", "csv, md", "--batch", "1"]) == 0
    assert names(tmp_path) == {"made-up.csv", "made-up.md"}


@pytest.mark.parametrize(
    ("more", "word"),
    [(["--batch", "7"], "choose from 1, 16, 64"), (["--format", "pdff"], "unknown format"), (["--colour"], "unrecognized"),
     (["missing.h5"], "no such file")],
)  # fmt: skip
def test_wrong_use_exits_2_with_one_message(result: Path, tmp_path: Path, more: list[str], word: str) -> None:
    package = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-m", "pgbench_report", str(result), "-o", str(tmp_path), *more], text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": str(package)}, check=False)  # fmt: skip
    assert done.returncode == 2
    assert word in done.stderr and "Traceback" not in done.stderr
    assert names(tmp_path) == set()


def test_a_folder_that_cannot_be_written(result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main([str(result), "-o", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
