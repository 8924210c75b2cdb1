# SPDX-License-Identifier: MIT
"""The examples of the README and the script of each named study, as a reader runs them. PGB_PROGRAM is the pgbench to run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = os.environ.get("PGB_PROGRAM", "")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="PGB_PROGRAM names no program to test")
ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "analysis" / "examples"
# Replicates, and how far the farthest mark may be from the published curve: some five standard errors.
STUDIES = {"mohamed2019": (20000, 20), "snr-optimum": (20000, 15), "horizon-laws": (2000, 30), "wu2018": (1000, 35), "loo-against-mean": (2000, 0.001),
           "ilyas2018": (300, 6), "zero-variance": (5000, 12), "tucker2018": (1000, 35)}  # fmt: skip
FIXED = {"ilyas2018": ["--env", "gaussian:dim=100,target=0.1"]}


def measure(name: str, out: Path, *options: str) -> None:
    done = subprocess.run([PROGRAM, "--study", name, "-o", str(out), "--quiet", "--progress", "never", *options], capture_output=True,
                          text=True, timeout=240, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("examples")
    for seed, name in ((1, "default.h5"), (2, "default-2.h5")):
        measure("default", where / name, "--seed", str(seed), "--replicates", "200")
    return where


def blocks() -> list[str]:
    text = (EXAMPLES / "readme.py").read_text(encoding="utf-8")
    return [b for b in re.split(r"\n\n+", text) if "import" in b]


@pytest.mark.parametrize("number", range(len(blocks())))
def test_the_readme(folder: Path, number: int) -> None:
    block = blocks()[number]
    assert len([line for line in block.splitlines() if not line.startswith("#")]) <= 5
    done = subprocess.run([sys.executable, "-c", block], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout or (folder / "batch.png").stat().st_size > 5000


def test_every_named_study_has_a_script() -> None:
    named = {p.stem for p in (ROOT / "benchmarks" / "studies").glob("*.yaml")} - {"default", "scaling"}  # no published figure
    assert named == set(STUDIES) == {p.stem for p in EXAMPLES.glob("*.py")} - {"readme", "published"}


@pytest.mark.parametrize("name", STUDIES)
def test_the_published_figure(tmp_path: Path, name: str) -> None:
    replicates, allowed = STUDIES[name]
    measure(name, tmp_path / "run.h5", "--replicates", str(replicates), *FIXED.get(name, []))
    picture = Path(os.environ.get("PGB_PICTURES", tmp_path)) / f"{name}.png"
    done = subprocess.run([sys.executable, str(EXAMPLES / f"{name}.py"), str(tmp_path / "run.h5"), str(picture)], capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = re.search(r"farthest mark is ([0-9.]+) %", done.stdout)
    assert found is not None and float(found.group(1)) <= allowed, done.stdout
    assert picture.stat().st_size > 10_000
