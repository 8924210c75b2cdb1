# SPDX-License-Identifier: MIT
# The examples of the README, as they stand there: each block between blank lines runs by itself in a folder with
# default.h5 (seed 1) and default-2.h5 (seed 2). tests/test_examples.py runs them.

# Labelled arrays
from pgbench_report import load
run = load(["default.h5"])[0]
print(run.verdict, run.attrs["git_commit"])
print(run["/bandit/softmax-tabular"].data["variance_trace"].sel(estimator="reinforce", batch=16).to_series())

# A figure, in a notebook or a file
from pgbench_report import load
from pgbench_report import chart_figure, charts
cell = load(["default.h5"])[0]["/mdp/softmax-tabular"]
chart = next(c for c in charts.of_cell(cell) if c.key == "batch")
chart_figure.draw(chart).savefig("batch.png", dpi=150)

# Two seeds as one, by their replicates
from pgbench_report import combine, load
both = combine(load(["default.h5", "default-2.h5"]), "/lqr/gaussian-linear")
print(both.attrs["files"])
print(both["variance_trace"].sel(estimator="gpomdp", baseline="value"))

# How much a baseline helps over many problems: interquartile mean, seeds resampled within each cell
import numpy as np
from pgbench_report import aggregate, load
runs = load(["default.h5", "default-2.h5"])
ratios = [[float(c.data["variance_ratio"].sel(estimator="gpomdp", baseline="loo", batch=16)) for c in r] for r in runs]
print(aggregate(np.array(ratios), np.random.default_rng(1)))
