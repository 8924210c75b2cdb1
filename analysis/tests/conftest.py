# SPDX-License-Identifier: MIT
"""One synthetic result file for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic
from pgbench_report import Run, load


@pytest.fixture(scope="session")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.write(tmp_path_factory.mktemp("results") / "made-up.h5")


@pytest.fixture(scope="session")
def run(result: Path) -> Run:
    return load([result])[0]
