# SPDX-License-Identifier: MIT
"""An installed tree, as a package would hold it: put under DESTDIR, then moved away from where it was made for.

PGB_BUILD is the build folder; PGB_CC and PGB_CXX its compilers."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import ALONE, MPIEXEC, WAIT

BUILD = os.environ.get("PGB_BUILD", "")
CC = os.environ.get("PGB_CC", "cc")
CXX = os.environ.get("PGB_CXX", "c++")
HERE = Path(__file__).resolve().parent
PREFIX = "/opt/made/for"  # in DESTDIR alone

needs_build = pytest.mark.skipif(not BUILD, reason="PGB_BUILD names no build folder")
needs_pkg_config = pytest.mark.skipif(not shutil.which("pkg-config"), reason="pkg-config is not installed")


@pytest.fixture(scope="session")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("installed")
    done = call("cmake", "--install", BUILD, "--prefix", PREFIX, env=os.environ | {"DESTDIR": str(folder / "stage")})
    assert done.returncode == 0, done.stdout + done.stderr
    assert not Path(PREFIX).exists()
    (folder / "stage" / PREFIX.strip("/")).rename(folder / "moved")
    shutil.rmtree(folder / "stage")
    yield folder / "moved"
    shutil.rmtree(folder)


def call(*words: str | Path, ranks: int = 0, **more: object) -> subprocess.CompletedProcess[str]:
    start = [*MPIEXEC, str(ranks)] if ranks else []
    options: dict[str, object] = {"env": dict(os.environ) if ranks else ALONE, "capture_output": True, "text": True,
                                  "timeout": WAIT}  # fmt: skip
    return subprocess.run([*start, *map(str, words)], **(options | more))  # type: ignore[call-overload, no-any-return]


def made(*words: str | Path, **more: object) -> str:
    """What a command that must work says."""
    done = call(*words, **more)
    assert done.returncode == 0, f"{shlex.join(map(str, words))}\n{done.stdout}{done.stderr}"
    return done.stdout


def pkg_config(prefix: Path, *words: str) -> list[str]:
    (file,) = prefix.rglob("pgbench.pc")
    return shlex.split(made("pkg-config", *words, "pgbench", env=os.environ | {"PKG_CONFIG_PATH": str(file.parent)}))


def cmake_project(source: Path, prefix: Path, build: Path) -> Path:
    made("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={CC}")
    made("cmake", "--build", build)
    return build
