# SPDX-License-Identifier: MIT
"""Tucker et al. 2018 (arXiv:1802.10031), section 3.1, with feedback: what the value leaves of the variance, exact and measured."""

from published import Axis, Chart, Curve, Run, compare, main


def make(run: Run) -> Chart:
    exact = run.cells[0].data["exact_trace"].sel(estimator="gpomdp")
    one = {b: float(exact.sel(baseline=b, batch=1)) for b in ("none", "value")}
    curves = [Curve(b, lambda n, b=b: one[b] / n, lambda r: r.variance_trace, "gpomdp", b) for b in one]
    return compare(run, curves, lambda _, __, r: float(r.batch), Axis("N [episodes]"), Axis("tr Var"), ("exact", "measured"), (1, 16))


if __name__ == "__main__":
    raise SystemExit(main(make, "tucker2018"))
