# SPDX-License-Identifier: MIT
"""A group of an HDF5 file as an xarray dataset whose arrays are read when they are used.

The same labelled arrays as xarray.open_dataset(engine="h5netcdf") gives; that looks up the path of every axis of every
dataset, which HDF5 answers by searching the file, and takes minutes for two hundred cells.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

# What belongs to the axes themselves, not to the reader.
HIDDEN = {"DIMENSION_LIST", "DIMENSION_LABELS", "REFERENCE_LIST", "CLASS", "NAME"}


class _OnDisk(BackendArray):
    """One dataset; opens the file for each read, so that nothing stays open."""

    def __init__(self, path: Path, data: h5py.Dataset) -> None:
        self.path, self.name = path, str(data.name)
        self.shape, self.dtype = data.shape, np.dtype(object) if h5py.check_string_dtype(data.dtype) else data.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[int | slice, ...]) -> Any:
        with h5py.File(self.path, "r") as file:
            return _contents(file[self.name], key)


def dataset(path: Path, group: h5py.Group) -> xr.Dataset:
    """All datasets of the group, by the dimension scales of the same group."""
    variables, coordinates = arrays(path, group)
    return xr.Dataset(variables, coords=coordinates, attrs=attributes(group))


def arrays(path: Path, group: h5py.Group, now: Collection[str] = ()) -> tuple[dict[str, xr.Variable], dict[str, xr.Variable]]:
    """(datasets, axes) of the group; the axes and those named in `now` are read while the file is open."""
    found = {name: node for name, node in group.items() if isinstance(node, h5py.Dataset)}
    scales = {_address(node): name for name, node in found.items() if h5py.h5ds.is_scale(node.id)}
    axes = set(scales.values())
    variables, coordinates = {}, {}
    for name, node in found.items():
        kept = _contents(node, ...) if name in axes or name in now else indexing.LazilyIndexedArray(_OnDisk(path, node))
        dims = (name,) if name in axes else _axes(name, node, scales)
        (coordinates if name in axes else variables)[name] = xr.Variable(dims, kept, attributes(node))
    return variables, coordinates


def _contents(node: h5py.Dataset, key: Any) -> Any:
    return node.asstr()[key] if h5py.check_string_dtype(node.dtype) else node[key]


def _address(node: h5py.Dataset) -> int:
    return int(h5py.h5o.get_info(node.id).addr)


def _axes(name: str, node: h5py.Dataset, scales: dict[int, str]) -> tuple[str, ...]:
    """Names of the axes; one of its own for an axis that no scale of the group labels."""
    references = node.attrs.get("DIMENSION_LIST", [()] * node.ndim)
    return tuple(
        scales.get(_address(node.file[some[0]]), f"{name}_{k}") if len(some) else f"{name}_{k}"
        for k, some in enumerate(references)
    )


def attributes(node: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """As plain Python values."""
    return {str(name): _plain(value) for name, value in node.attrs.items() if name not in HIDDEN}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return _plain(value.item()) if value.size == 1 else value.tolist()
    return value.item() if isinstance(value, np.generic) else value
