# SPDX-License-Identifier: MIT
"""Two arms without noise (Greensmith, Bartlett, Baxter 2004): with the value 2 p1 p2 (p1 - p2)^2 (r1 - r2)^2 / N is left, with the
optimal baseline nothing, which a logarithmic axis cannot show: the script says it instead."""

from published import Axis, Chart, Curve, Run, compare, main


def make(run: Run) -> Chart:
    left = float(run.cells[0].data["variance_trace"].sel(estimator="reinforce", baseline="optimal", batch=1))
    assert left < 1e-10, f"the optimal baseline leaves {left}"
    p, q = 0.3, 0.7
    formulas = {"none": lambda n: (2 * p * q * (5 * p + 2 * q) ** 2) / n, "value": lambda n: 2 * p * q * (p - q) ** 2 * 9 / n}
    curves = [Curve(b, f, lambda r: r.variance_trace, "reinforce", b) for b, f in formulas.items()]
    return compare(run, curves, lambda _, __, r: float(r.batch), Axis("N [episodes]"), Axis("tr Var"), ("closed form", "measured"), (1, 16))


if __name__ == "__main__":
    raise SystemExit(main(make, "zero-variance"))
