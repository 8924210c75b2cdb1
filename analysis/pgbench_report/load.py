# SPDX-License-Identifier: MIT
"""Result files as labelled arrays: one Run per file, one Cell per environment and policy, provenance with both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from .lazy import arrays, attributes, dataset

SCHEMA = "pgbench/1"
AXES = ("estimator", "baseline", "batch")
PAIR = ("estimator", "baseline")

# Figures per estimator, baseline and batch: read at once, and a gap (NaN) where a file does not hold them.
# Everything else stays on disk until someone asks for it.
FIGURES = (
    "variance_trace", "variance_trace_low", "variance_trace_high",
    "variance_ratio", "variance_ratio_low", "variance_ratio_high",
    "snr", "noise_scale", "cosine_pairwise", "cosine_true", "bias_norm", "kurtosis",
    "exact_trace", "z_bias", "z_joint", "z_variance",
)  # fmt: skip
PER_BATCH = ("return_mean", "return_variance", "episode_length_mean", "episodes", "steps")
SHOWN: dict[str, tuple[tuple[str, ...], float | str]] = {
    **{name: (AXES, np.nan) for name in FIGURES},
    **{name: (AXES[2:], np.nan) for name in PER_BATCH},
    "biased": (PAIR, np.nan),
    "reason": (PAIR, ""),
}


class ReportError(Exception):
    """What a user must be told: "<what>: <why>; <what to do>"."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One environment with one policy. `data` holds the file's datasets; its attrs are those of the group."""

    group: str
    env: str
    policy: str
    data: xr.Dataset

    @property
    def title(self) -> str:
        return f"{self.env} · {self.policy}"

    @property
    def batches(self) -> list[int]:
        return [int(n) for n in self.data.variables["batch"].values]

    @property
    def labels(self) -> tuple[list[str], list[str]]:
        """Estimators and baselines."""
        return [str(e) for e in self.data["estimator"].values], [str(b) for b in self.data["baseline"].values]

    def replicates(self, batch: int) -> int | None:
        """Independent batches that a figure of this batch size was measured on."""
        episodes = float(self.data.variables["episodes"].values[self.batches.index(batch)])
        return round(episodes / batch) if np.isfinite(episodes) else None


@dataclass(frozen=True)
class Run:
    """One file: `attrs` is its provenance (root attributes), in the order in which they are shown."""

    path: Path
    attrs: dict[str, Any]
    cells: tuple[Cell, ...]
    timing: xr.DataArray | None  # seconds [rank, phase]
    work: xr.Dataset | None = None  # group timing: predicted and measured, memory; attrs hold the totals
    scaling: xr.Dataset | None = None  # a table of launches instead of cells

    @property
    def verdict(self) -> str:
        """VALID or INVALID and why, in the words of the run."""
        if self.scaling is not None:
            return f"{self.attrs.get('verdict', 'not judged')}: {self.scaling.sizes['launch']} launches"
        return str(self.attrs.get("verdict_text") or self.attrs.get("verdict") or "not judged")

    def __getitem__(self, group: str) -> Cell:
        for cell in self.cells:
            if cell.group == "/" + group.strip("/"):
                return cell
        raise KeyError(f"{self.path} has no cell {group}; it has {', '.join(c.group for c in self.cells)}")

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.cells)


def load(files: Iterable[str | os.PathLike[str]]) -> list[Run]:
    """All files, in the order given. Raises ReportError for the first that is not a sound pgbench/1 file."""
    return [_load_one(Path(f)) for f in files]


def _load_one(path: Path) -> Run:
    if not path.exists():
        raise ReportError(f"{path}: no such file; check the name, pgbench prints it on its last line")
    if path.is_dir():
        raise ReportError(f"{path}: is a directory; give the result files in it, as in {path}/*.h5")
    if not os.access(path, os.R_OK):
        raise ReportError(f"{path}: may not be read; ask its owner for read permission")
    try:
        with h5py.File(path, "r") as file:
            attrs = attributes(file)
            _check_schema(path, attrs)
            cells = tuple(_load_cell(path, file[group]) for group in _cell_groups(file))
            work = dataset(path, file["timing"]).load() if "timing/seconds" in file else None
            scaling = dataset(path, file["scaling"]).load() if "scaling/phase_seconds" in file else None
    except ReportError:
        raise
    except BlockingIOError as error:  # HDF5's file lock: a writer has it open
        raise ReportError(f"{path}: is being written ({error}); wait for pgbench to finish") from error
    except Exception as error:  # a damaged file makes the libraries fail anywhere and anyhow
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ReportError(
            f"{path}: is not a readable HDF5 result file, or is damaged ({why}); "
            "copy it again from where it was written, or run the study again"
        ) from error
    if not cells and scaling is None:
        raise ReportError(f"{path}: holds no cell (kind: {attrs.get('kind', 'not stated')}); nothing to report")
    return Run(path, attrs, cells, None if work is None else work["seconds"], work, scaling)


def _check_schema(path: Path, attrs: dict[str, Any]) -> None:
    schema = attrs.get("schema")
    if schema is None:
        raise ReportError(f"{path}: is an HDF5 file, but not of pgbench (no attribute `schema`); give a file that pgbench wrote")
    if schema != SCHEMA:
        raise ReportError(
            f"{path}: has schema {schema}, and this program reads {SCHEMA}; use the pgbench-report that came "
            "with the pgbench that wrote it"
        )


def _cell_groups(file: h5py.File) -> list[str]:
    """Groups /<env>/<policy> of a study: by their axes, for a figure may be missing."""
    return [
        f"/{env}/{policy}"
        for env in _names(file["/"])
        if isinstance(file[env], h5py.Group) and env not in ("timing", "scaling")
        for policy in _names(file[env])
        if isinstance(file[env][policy], h5py.Group) and any(axis in file[env][policy] for axis in AXES)
    ]


def _names(group: h5py.Group) -> list[str]:
    """Members in the order of the study, where the file keeps the order of creation; else by name."""
    names: list[bytes] = []
    tracked = group.id.get_create_plist().get_link_creation_order() & h5py.h5p.CRT_ORDER_TRACKED
    by = h5py.h5.INDEX_CRT_ORDER if tracked else h5py.h5.INDEX_NAME
    group.id.links.iterate(names.append, idx_type=by)
    return [name.decode("utf-8") for name in names]


def _load_cell(path: Path, node: h5py.Group) -> Cell:
    group = str(node.name)
    variables, axes = arrays(path, node, SHOWN)
    for name in AXES:
        if name not in axes:
            raise ReportError(f"{path}: {group} has no labelled axis `{name}`; run the study again with this pgbench")
    shown = {name: _shown(path, f"{group}/{name}", variables.get(name), axes, *of) for name, of in SHOWN.items()}
    _, env, policy = group.split("/", 2)
    return Cell(group, env, policy, xr.Dataset(variables | shown, coords=axes, attrs=attributes(node)))


def _shown(path: Path, name: str, found: xr.Variable | None, scales: dict[str, xr.Variable], axes: tuple[str, ...], gap: float | str) -> xr.Variable:
    """A figure that is shown, in a fixed order of axes; a gap where the file does not hold it."""
    if found is None:
        shape = tuple(scales[a].size for a in axes)
        return xr.Variable(axes, np.full(shape, gap, dtype=object if isinstance(gap, str) else float))
    if set(found.dims) != set(axes):
        has = ", ".join(str(d) for d in found.dims)
        raise ReportError(f"{path}: {name} has the axes ({has}) instead of ({', '.join(axes)}); run the study again with this pgbench")
    return found if found.dims == axes else found.transpose(*axes)
