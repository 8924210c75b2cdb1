# SPDX-License-Identifier: MIT
"""Ilyas et al. 2020 (arXiv:1811.02553), figures 1 and 2: agreement of gradient estimates by sample size, here with the law."""

import math

from published import Axis, Chart, Curve, Run, compare, main


def make(run: Run) -> Chart:
    cell = run.cells[0]
    gradient = float((cell.data["exact_gradient"] ** 2).sum())
    one = gradient / (float(cell.data["exact_trace"].sel(estimator="gpomdp", baseline="none", batch=cell.batches[-1])) * cell.batches[-1])
    curves = [Curve("of two estimates", lambda n: n * one / (1 + n * one), lambda r: r.cosine_pairwise, "gpomdp", "none"),
              Curve("with the truth", lambda n: math.sqrt(n * one / (1 + n * one)), lambda r: r.cosine_true, "gpomdp", "none")]  # fmt: skip
    return compare(run, curves, lambda _, __, r: float(r.batch), Axis("N [episodes]"), Axis("mean cosine", False), ("law", "measured"),
                   (cell.batches[0], cell.batches[-1]), cells=[0])  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main(make, "ilyas2018"))
