# SPDX-License-Identifier: MIT
"""Kool, van Hoof, Welling 2019: leave-one-out is N/(N-1) times the estimate with the batch's own mean."""

from published import Axis, Chart, Curve, Run, compare, main


def make(run: Run) -> Chart:
    means = {int(n): float(run.cells[0].data["variance_trace"].sel(estimator="reinforce", baseline="mean", batch=n))
             for n in run.cells[0].batches}  # fmt: skip
    curves = [Curve("loo over mean", lambda n: (n / (n - 1)) ** 2, lambda r: r.variance_trace / means[r.batch], "reinforce", "loo")]
    return compare(run, curves, lambda _, __, r: float(r.batch), Axis("N"), Axis("ratio of tr Var"), ("(N/(N-1))²", "measured"), (2, 64))


if __name__ == "__main__":
    raise SystemExit(main(make, "loo-against-mean"))
