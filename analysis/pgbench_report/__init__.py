# SPDX-License-Identifier: MIT
"""Reads pgbench result files (HDF5, schema pgbench/1) and shows them: labelled arrays, tables, figures, one page.

>>> from pgbench_report import load
>>> run = load(["results/default.h5"])[0]
>>> run["/bandit/softmax-tabular"].data["variance_trace"].sel(estimator="reinforce", baseline="none")
"""

from .combine import aggregate, bootstrap, combine, iqm, replicates, trace
from .load import Cell, ReportError, Run, load

__all__ = ["Cell", "ReportError", "Run", "aggregate", "bootstrap", "combine", "iqm", "load", "replicates", "trace"]
