# SPDX-License-Identifier: MIT
"""Wu et al. 2018 (arXiv:1803.07246), section 5, in its quadratic form: value against optimal baseline as the action grows."""

from published import Axis, Chart, Curve, Run, compare, main, option


def make(run: Run) -> Chart:
    curves = [Curve("value", lambda m: 2 * m * (m + 4) / 4, lambda r: r.variance_trace, "reinforce", "value", 1),
              Curve("optimal", lambda m: 2 * m * (m + 2) / 4, lambda r: r.variance_trace, "reinforce", "optimal", 1)]  # fmt: skip
    return compare(run, curves, option("dim"), Axis("action dimension m"), Axis("tr Var"), ("closed form", "measured"), (6, 1000))


if __name__ == "__main__":
    raise SystemExit(main(make, "wu2018"))
