# SPDX-License-Identifier: MIT
"""Mohamed, Rosca, Figurnov, Mnih 2020 (JMLR 21:132), figure 2, score function: variance of the gradient by the mean against k."""

from published import Axis, Chart, Curve, Run, compare, main


def mean_alone(run: Run, baseline: str) -> dict[float, float]:
    """exact or measured variance of the first parameter, by cell; the figure has no second one."""
    return {float(i): float(c.data["gradient_variance"].sel(estimator="reinforce", baseline=baseline, batch=1)[0]) for i, c in enumerate(run)}


def make(run: Run) -> Chart:
    formulas = {"none": lambda k: (1 - k) ** 4 + 14 * (1 - k) ** 2 + 15, "value": lambda k: 8 * (1 - k) ** 2 + 10,
                "optimal-component": lambda k: 8 * (1 - k) ** 2 + 6}  # fmt: skip
    by_trace = {float(c.data["variance_trace"].sel(estimator="reinforce", baseline=b, batch=1)): mean_alone(run, b)[float(i)]
                for b in formulas for i, c in enumerate(run)}  # fmt: skip
    curves = [Curve(name, f, lambda r: by_trace[r.variance_trace], "reinforce", name, 1) for name, f in formulas.items()]
    return compare(run, curves, lambda _, o, __: float(o["env target"]), Axis("k", False), Axis("Var of the gradient by the mean"),
                   ("Fig. 2, score function", "measured"), (-3, 3))  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main(make, "mohamed2019"))
