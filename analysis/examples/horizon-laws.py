# SPDX-License-Identifier: MIT
"""Growth of variance with the horizon (Weaver and Tao 2001; Greensmith, Bartlett, Baxter 2004): T^3, T^2, T^2/2, T."""

import math

from published import Axis, Chart, Curve, Run, compare, main, option

WEIGHTS = [math.exp(0.5 * a) for a in range(4)]
P = [w / sum(WEIGHTS) for w in WEIGHTS]
R = (1, 2, 3, 5)
MU = sum(p * r for p, r in zip(P, R, strict=True))
SCORE = [sum(((a == k) - P[k]) ** 2 for k in range(4)) for a in range(4)]  # |s|^2
F = sum(p * s for p, s in zip(P, SCORE, strict=True))
C2 = sum((p * (r - MU)) ** 2 for p, r in zip(P, R, strict=True))
ZETA = sum(p * s * ((r - MU) ** 2 + 0.25) for p, s, r in zip(P, SCORE, R, strict=True))
E3 = sum(p * s * (r - MU) for p, s, r in zip(P, SCORE, R, strict=True))
V = sum(p * ((r - MU) ** 2 + 0.25) for p, r in zip(P, R, strict=True))


def constant(t: float) -> float:
    return t * ZETA + t * (t - 1) * F * V + (t * t - 2 * t) * C2


def make(run: Run) -> Chart:
    formulas = {("reinforce", "none"): lambda t: constant(t) + t**3 * MU**2 * F + 2 * t**2 * MU * E3, ("reinforce", "value"): constant,
                ("gpomdp", "value"): lambda t: t * ZETA + t * (t - 1) / 2 * F * V - t * C2, ("gae", "value"): lambda t: t * (ZETA - C2)}  # fmt: skip
    curves = [Curve(f"{e}, {b}", f, lambda r: r.variance_trace, e, b, 1) for (e, b), f in formulas.items()]
    return compare(run, curves, option("horizon"), Axis("horizon T"), Axis("tr Var"), ("theory", "measured"), (1, 256))


if __name__ == "__main__":
    raise SystemExit(main(make, "horizon-laws"))
