# SPDX-License-Identifier: MIT
"""The progress of a run from its checkpoint FILE.part, which its writer replaces as a whole (src/study/checkpoint.c): reading
takes no lock and touches nothing. A checkpoint holds the results of complete batch sizes, in the order of result.h."""

from __future__ import annotations

import re
import struct
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from .load import AXES, FIGURES, PAIR, PER_BATCH, Cell, ReportError, Run, load

MAGIC, ORDER = b"pgbench part 1\n\0", 0x0102030405060708
# Arrays in the order of src/study/result.h: [estimator][baseline][batch], then with [parameter], then [batch].
STORED = ("variance_trace", "variance_trace_low", "variance_trace_high", "variance_ratio", "variance_ratio_low", "variance_ratio_high", "snr",
          "noise_scale", "cosine_pairwise", "cosine_true", "bias_norm", "kurtosis", "exact_trace", "z_bias", "z_joint", "z_variance")  # fmt: skip
VECTORS = ("gradient_mean", "gradient_variance", "exact_gradient_mean", "exact_variance")
ROLLS = ("return_mean", "return_variance", "episode_length_mean", "episodes", "steps")
LONGEST = 4096  # of a text in a result
MOST_PARAMETERS = 1 << 24


@dataclass(frozen=True)
class Progress:
    """What a checkpoint says. Cells before `at_cell` are complete; of that one the batch sizes before `at_batch`."""

    path: Path
    head: dict[str, str]
    cells: list[str]  # env · policy, of the study, or of the share of its cells that the run measures
    batches: list[int]
    replicates: int
    at_cell: int
    at_batch: int
    blocks: int  # done of the batch size under way
    launches: int
    age: float  # seconds since it was written
    run: Run  # what is there, as a run

    @property
    def done(self) -> int:
        """Pairs of cell and batch size."""
        return self.at_cell * len(self.batches) + self.at_batch

    def missing(self) -> list[str]:
        out = [f"{self.cells[self.at_cell]} at N = {', '.join(map(str, self.batches[self.at_batch :]))}"] if self.at_cell < len(self.cells) else []
        return out + self.cells[self.at_cell + 1 :]


class _Reader:
    def __init__(self, path: Path, content: bytes) -> None:
        self.path, self.content, self.at = path, content, 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.content):
            raise ReportError(f"{self.path}: ends too early; it is of another version of pgbench, read it with that version's pgbench-report")
        self.at += count
        return self.content[self.at - count : self.at]

    def text(self) -> str:
        return self.take(struct.unpack("=Q", self.take(8))[0]).decode("utf-8", "replace")

    def numbers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"={count}Q", self.take(8 * count))

    def doubles(self, *shape: int) -> np.ndarray:
        return np.frombuffer(self.take(8 * int(np.prod(shape))), dtype=float).reshape(shape).copy()


def read(path: Path) -> Progress:
    """path: of FILE.part. Raises ReportError for what is no checkpoint, or none that is whole."""
    try:
        content, age = path.read_bytes(), time.time() - path.stat().st_mtime
    except OSError as error:
        raise ReportError(f"{path}: cannot be read ({error.strerror}); see that it is there and that you may read it") from error
    reader = _Reader(path, content[:-8])
    if not content.startswith(MAGIC[:13]):
        raise ReportError(f"{path}: is no checkpoint of pgbench; give the name of the result file, without .part")
    if reader.take(16) != MAGIC or reader.numbers(1)[0] != ORDER:
        raise ReportError(f"{path}: is a checkpoint of another layout or machine; read it with the pgbench-report of the run")
    if zlib.crc32(content[:-8]) != struct.unpack("=Q", content[-8:])[0]:
        raise ReportError(f"{path}: is damaged: its checksum does not fit; take a copy that is whole")
    head = {name: reader.text() for name in ("version", "git_commit", "study", "config", "plugins", "simd", "started")}
    _, gradients, launches, at, at_batch, blocks, share, shares, figures, vectors, rolls, summary = reader.numbers(12)
    if (figures, vectors, rolls) != (len(STORED), len(VECTORS), len(ROLLS)) or summary % 8:
        raise ReportError(f"{path}: was written by pgbench {head['version']} with other figures; read it with that version's pgbench-report")
    study = _study(path, head["config"])
    mine = [k for k in range(len(study.names)) if shares == 0 or k % shares == share - 1]  # --cell k/n
    if at not in mine:
        raise ReportError(f"{path}: stands at a cell that its study does not have; read it with the pgbench-report of the run")
    at_cell = mine.index(at)
    cells = []
    for k in range(at_cell + 1):
        if k == at_cell:
            reader.take(8 * reader.numbers(1)[0])  # the sums of its pilot sample
            if not at_batch and not blocks:
                break
        cells.append(_result(reader, study, study.names[mine[k]], summary))
        if gradients and k < at_cell:
            reader.take(8 * cells[-1].data.sizes["parameter"] * study.pairs * len(study.batches) * study.replicates)
    attrs = {"schema": "pgbench/1", "kind": "variance", "verdict": "not judged yet"} | {k: v for k, v in head.items() if v}
    titles = [" · ".join(study.names[k]) for k in mine]
    return Progress(path, head, titles, study.batches, study.replicates, at_cell, at_batch, blocks, launches, age,
                    Run(path, attrs, tuple(cells), None))  # fmt: skip


@dataclass(frozen=True)
class _Study:
    names: list[tuple[str, str]]
    estimators: list[str]
    baselines: list[str]
    batches: list[int]
    replicates: int

    @property
    def pairs(self) -> int:
        return len(self.estimators) * len(self.baselines)


def _study(path: Path, config: str) -> _Study:
    """The resolved study, in the one form in which pgbench writes it."""
    parts = re.search(r"^env:\n(.*?)^policy:\n((?:  - [^\n]*\n)+)", config, re.DOTALL | re.MULTILINE)
    lists = [re.search(rf"^{name}: \[(.*)\]$", config, re.MULTILINE) for name in ("estimators", "baselines", "batch")]
    count = re.search(r"^replicates: (\d+)$", config, re.MULTILINE)
    if parts is None or count is None or not all(lists):
        raise ReportError(f"{path}: its study is not as pgbench writes it; read it with the pgbench-report of the run")
    envs = re.findall(r"^  - \{?(?:name: )?(\w+)", parts.group(1), re.MULTILINE)
    names = []
    for line in parts.group(2).splitlines():
        policy, env = re.search(r"name: ([\w-]+)", line), re.search(r", env: (\w+)", line)
        where = env.group(1) if env else envs[0]
        names.append((envs[int(where) - 1] if where.isdigit() else where, policy.group(1) if policy else "policy"))
    estimators = [re.sub(r".*name: ([\w-]+).*", r"\1", e.strip()) for e in re.findall(r"\{[^}]*\}|[^,{}]+", lists[0].group(1)) if e.strip()]
    baselines, batches = ([x.strip() for x in m.group(1).split(",")] for m in lists[1:])
    return _Study(_numbered(names), estimators, baselines, [int(n) for n in batches], int(count.group(1)))


def _numbered(names: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """As in the result file: the second cell of the same name is called _2."""
    out = []
    for k, (env, policy) in enumerate(names):
        before = names[:k].count((env, policy))
        out.append((env, f"{policy}_{before + 1}" if before else policy))
    return out


def _result(reader: _Reader, study: _Study, name: tuple[str, str], summary: int) -> Cell:
    e, b, n = len(study.estimators), len(study.baselines), len(study.batches)
    p = _parameters(reader, study, summary)
    figures = {f: (AXES, reader.doubles(e, b, n)) for f in STORED}
    vectors = {f: ((*AXES, "parameter"), reader.doubles(e, b, n, p)) for f in VECTORS}
    rolls = {f: (AXES[2:], reader.doubles(n)) for f in ROLLS}
    reader.take(8 * p)
    biased = reader.doubles(e, b)
    reader.take(e * b * n * summary + 8)
    oracle = reader.text()
    reasons = np.array([reader.text() for _ in range(e * b)], dtype=object).reshape(e, b)
    done = np.isfinite(rolls["episodes"][1])
    reasons = np.where((reasons == "") & ~done.all(), "not measured yet at every batch size", reasons)
    data = xr.Dataset({**figures, **vectors, **rolls, "biased": (PAIR, biased), "reason": (PAIR, reasons)},
                      {"estimator": study.estimators, "baseline": study.baselines, "batch": study.batches}, {"oracle": oracle})  # fmt: skip
    assert set(FIGURES) | set(PER_BATCH) <= set(data.data_vars)
    return Cell(f"/{name[0]}/{name[1]}", *name, data)


def _parameters(reader: _Reader, study: _Study, summary: int) -> int:
    """The number of parameters, which no field states: the one at which the texts behind the arrays are texts."""
    triples, n = study.pairs * len(study.batches), len(study.batches)
    fixed = 8 * (len(STORED) * triples + len(ROLLS) * n + study.pairs) + triples * summary + 8
    for p in range(1, MOST_PARAMETERS):
        at = reader.at + fixed + 8 * p * (len(VECTORS) * triples + 1)
        if at + 8 > len(reader.content):
            break
        if _texts(reader.content, at, 1 + study.pairs):
            return p
    raise ReportError(f"{reader.path}: its results are not laid out as this program knows; read it with the pgbench-report of the run")


def _texts(content: bytes, at: int, count: int) -> bool:
    for k in range(count):
        if at + 8 > len(content):
            return False
        (length,) = struct.unpack_from("=Q", content, at)
        if length > LONGEST or at + 8 + length > len(content) or (k == 0 and length == 0):
            return False
        if not content[at + 8 : at + 8 + length].decode("utf-8", "replace").isprintable():
            return False
        at += 8 + length
    return True


# ---- On the terminal ----


def text(path: Path) -> tuple[str, bool]:
    """(what there is of the result file `path` and what is missing, whether it is complete)."""
    from . import summary

    part = path.with_name(path.name + ".part")
    if path.exists() and not part.exists():
        return f"complete: {path}\n\n" + summary.text(load([path])), True
    if not part.exists():
        if path.with_name(path.name + ".tmp").exists():
            return f"{path}: begun, no checkpoint yet (pgbench writes one every --checkpoint-interval)\n", False
        raise ReportError(f"{path}: neither the result nor its checkpoint {part.name} is there; check the name")
    progress = read(part)
    total = len(progress.cells) * len(progress.batches)
    begun = f", {progress.blocks} blocks of replicates (of 256 at the most) of the next" if progress.blocks else ""
    lines = [
        f"{path}: {progress.done} of {total} cells and batch sizes done ({100 * progress.done / total:.0f} %){begun}, launch {progress.launches}",
        f"checkpoint of {progress.age:.0f} s ago; where no pgbench is running, go on with: pgbench --resume {path}",
        "still missing: " + "; ".join(progress.missing()),
    ]
    return "\n".join(lines) + "\n\n" + summary.text([progress.run]), False


def follow(path: Path, seconds: float = 2.0) -> None:
    """Redraws on a terminal until the result is complete or the user has seen enough; elsewhere prints once."""
    before = ""
    while True:
        shown, complete = text(path)
        if sys.stdout.isatty() and shown != before:
            print("\x1b[H\x1b[2J", end="")
        if shown != before:
            print(shown, end="", flush=True)
        if complete or not sys.stdout.isatty():
            return
        before = shown
        time.sleep(seconds)
