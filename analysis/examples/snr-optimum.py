# SPDX-License-Identifier: MIT
"""Exact noise-to-signal ratio of REINFORCE (arXiv:2602.01460): the SNR of one sample falls to zero on the way to the optimum."""

from published import Axis, Chart, Curve, Run, compare, main, option


def make(run: Run) -> Chart:
    curves = [Curve("value", lambda m: 1 / (2 + 2.5 * 0.25 / m**2), lambda r: r.snr, "reinforce", "value", 1)]
    return compare(run, curves, option("target"), Axis("distance to the optimum"), Axis("SNR of one sample"), ("law", "measured"), (0.05, 2))


if __name__ == "__main__":
    raise SystemExit(main(make, "snr-optimum"))
