# SPDX-License-Identifier: MIT
"""`pgbench explain` as its users meet it: every figure on the three screens against numpy, and what is refused.

PGB_PROGRAM is the pgbench to run; PGB_MPIEXEC the launcher's words up to the number of ranks, empty without MPI."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess

import numpy as np
import pytest

PROGRAM = os.environ.get("PGB_PROGRAM", "")
MPIEXEC = shlex.split(os.environ.get("PGB_MPIEXEC", ""))
NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?"
SHOWN = 6e-6  # half of the last of five decimals, and a little

pytestmark = pytest.mark.skipif(not PROGRAM, reason="PGB_PROGRAM names no pgbench")


def run(*words: str, ranks: int = 0) -> subprocess.CompletedProcess[str]:
    launch = [*MPIEXEC, str(ranks)] if ranks else []
    return subprocess.run([*launch, PROGRAM, "explain", *words], capture_output=True, text=True, timeout=120, check=False)


def screen(*words: str) -> str:
    done = run(*words)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 50
    return done.stdout


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def sentence(pattern: str, text: str) -> list[float]:
    """The numbers where the pattern has #."""
    found = re.search(re.escape(pattern).replace("\\#", f"({NUMBER})").replace("\\ ", " "), flat(text))
    assert found, f"{pattern!r} is not on the screen"
    return [float(x) for x in found.groups()]


def rows(text: str, bars: int) -> list[list[float]]:
    """Lines of numbers with so many bars between them, headings left out."""
    cut = [line.split("|") for line in text.splitlines() if line.count("|") == bars]
    return [[float(x) for x in re.findall(NUMBER, " ".join(parts))] for parts in cut
            if not re.search("[a-df-z]", " ".join(parts))]  # fmt: skip


def column(table: list[list[float]], at: int) -> np.ndarray:
    return np.array([row[at] for row in table])


def softmax(theta: np.ndarray) -> np.ndarray:
    weight = np.exp(theta - theta.max())
    return weight / weight.sum()


def check_errors(table: list[list[float]], start: int, estimate_to_typical: int, sd: float) -> None:
    """The predicted errors are sd / sqrt(N); the root mean square of 2000 errors is within 15 % of it."""
    n, typical = column(table, 0), column(table, start + estimate_to_typical)
    predicted = column(table, start + estimate_to_typical + 1)
    assert np.allclose(predicted, sd / np.sqrt(n), atol=SHOWN, rtol=1e-5)
    assert np.allclose(typical, predicted, rtol=0.15, atol=SHOWN)
    assert np.all(np.diff(typical) < 0)


def test_bandit() -> None:
    mean, theta, noise, k = np.array([2.0, -1.0, 0.5]), np.array([0.25, 0.5, -1.0]), 0.75, 0
    text = screen("--env", "bandit:mean=[2,-1,0.5],noise=0.75", "--policy", "softmax-tabular:theta=[0.25,0.5,-1]",
                  "--batch", "10,100,1000", "--replicates", "2000")  # fmt: skip
    pi = softmax(theta)
    score = np.eye(3)[k] - pi[k]
    j = pi @ mean
    gradient = pi @ (score * mean)
    terms = rows(text, 1)[:3]
    assert "theta_0" in text
    expected = np.column_stack([range(3), theta, mean, pi, pi * score, pi * score * mean, score, score, pi * score * mean])
    assert np.allclose(terms, expected, atol=SHOWN)
    assert np.allclose([sum(column(terms, 5)), sum(column(terms, 8))], gradient, atol=3 * SHOWN)
    assert abs(sum(column(terms, 4))) < 3 * SHOWN
    assert np.allclose(sentence("slope #. Exact: #.", text), gradient, atol=SHOWN)
    assert np.allclose(sentence("dJ = E[r(a) d log pi(a)] = #.", text), gradient, atol=SHOWN)
    up, low = sentence("J is # at theta_0 + 0.0001 and # at - 0.0001", text)
    assert np.allclose((up - low) / 2e-4, gradient, atol=2e-3)
    sd = [np.sqrt(pi @ (score**2 * ((mean - b) ** 2 + noise**2)) - gradient**2) for b in (0, j)]
    assert np.allclose(sentence("One has standard deviation sd = #;", text), sd[0], atol=SHOWN)
    assert np.allclose(sentence("b = #, the mean reward J (sd = #)", text), [j, sd[1]], atol=SHOWN)
    estimates = rows(text, 2)
    assert column(estimates, 0).tolist() == [10, 100, 1000]
    assert np.allclose(column(estimates, 2), column(estimates, 1) - gradient, atol=2 * SHOWN)
    check_errors(estimates, 1, 2, sd[0])
    check_errors(estimates, 5, 2, sd[1])
    assert np.allclose(sentence("in the last sample: #", text), estimates[-1][1] - estimates[-1][5], atol=3 * SHOWN)
    best = pi @ (score**2 * mean) / (pi @ score**2)
    spread = np.sqrt(pi @ (score**2 * ((mean - best) ** 2 + noise**2)) - gradient**2)
    found = sentence("The best b here, #, has sd = #.", text)
    assert np.allclose(found, [best, spread], rtol=2e-4)


def test_gaussian() -> None:
    h, c, theta, sigma, noise = 1.5, -1.0, 0.25, 0.8, 0.3
    text = screen("--env", "gaussian:curvature=1.5,target=-1,noise=0.3", "--policy",
                  "gaussian-linear:theta=[0.25],sigma=0.8", "--batch", "20,80", "--replicates", "2000")  # fmt: skip
    a = theta + sigma * np.arange(-3, 4)
    pi = np.exp(-((a - theta) ** 2) / (2 * sigma**2)) / np.sqrt(2 * np.pi)  # density times sigma
    score, r = (a - theta) / sigma**2, -h / 2 * (a - c) ** 2
    terms = rows(text, 1)
    expected = np.column_stack([a, r, pi, pi * score, pi * score * r, score, score, pi * score * r])
    assert np.allclose(terms[:7], expected, atol=SHOWN)
    gradient, j = -h * (theta - c), -h / 2 * ((theta - c) ** 2 + sigma**2)
    assert np.allclose(sentence("slope #. Exact: #.", text), gradient, atol=SHOWN)
    x, w = np.polynomial.hermite_e.hermegauss(20)  # exact for polynomials: another quadrature than the program's
    w, r = w / w.sum(), -h / 2 * (theta + sigma * x - c) ** 2
    sd = [np.sqrt(w @ ((x / sigma) ** 2 * ((r - b) ** 2 + noise**2)) - gradient**2) for b in (0, j)]
    assert np.allclose(w @ (x / sigma * r), gradient)
    assert np.allclose(sentence("One has standard deviation sd = #;", text), sd[0], atol=SHOWN)
    assert np.allclose(sentence("b = #, the mean reward J (sd = #)", text), [j, sd[1]], atol=SHOWN)
    rest = sentence("10 more # # # | #", text)  # what the other grid points add
    assert np.allclose(rest, [1 - pi.sum(), 0, *[gradient - expected[:, 4].sum()] * 2], atol=2 * SHOWN)
    check_errors(rows(text, 2), 1, 2, sd[0])
    check_errors(rows(text, 2), 5, 2, sd[1])


def test_chain() -> None:
    mean, theta, gamma, steps, noise, k = np.array([0.5, 2.0]), np.array([0.1, -0.3]), 0.9, 3, 0.4, 1
    text = screen("--env", "chain:mean=[0.5,2],noise=0.4,horizon=3", "--policy", "softmax-tabular:theta=[0.1,-0.3]",
                  "--gamma", "0.9", "--batch", "20,80", "--replicates", "2000")  # fmt: skip
    pi, score = softmax(theta), np.eye(2)[k] - softmax(theta)[k]
    discount = gamma ** np.arange(steps)
    paths = np.array(list(itertools.product(range(2), repeat=steps)))
    p, s, r = pi[paths].prod(1), score[paths], mean[paths] * discount
    full, total = s.sum(1), r.sum(1)
    gradient = p @ (full * total)
    assert "theta_1" in text
    assert np.allclose([row[1:] for row in rows(text, 1)[:8]],
                       np.column_stack([total, p, p * full, p * full * total, full, full, p * full * total]), atol=SHOWN)  # fmt: skip
    assert np.allclose(sentence("slope #. Exact: #.", text), gradient, atol=SHOWN)
    for at in range(steps):
        found = sentence(f"E[r_{at} d log pi(a_t)], t = 0, 1, ...: # # #", text)
        assert np.allclose(found, [p @ (r[:, at] * s[:, t]) for t in range(steps)], atol=SHOWN)
    togo = np.cumsum(r[:, ::-1], 1)[:, ::-1]  # discounted to the start
    value = p @ togo

    def spread(weight: np.ndarray, late: bool) -> float:
        heard = s.cumsum(1) if late else np.repeat(full[:, None], steps, 1)  # what the noise of each step multiplies
        return float(np.sqrt(p @ (s * weight).sum(1) ** 2 + p @ (heard**2) @ (noise * discount) ** 2 - gradient**2))

    sd = [spread(total[:, None], False), spread(togo, True), spread(togo - value, True)]
    assert np.allclose(sentence("One has standard deviation sd = #;", text), sd[0], atol=SHOWN)
    assert np.allclose(sentence("reward-to-go (sd = #),", text), sd[1], atol=SHOWN)
    b = value / discount
    assert np.allclose(sentence("b_t = #, #, # (sd = #)", text), [*b, sd[2]], rtol=2e-4)
    product = sentence("P = # * # * # = #", text)
    assert np.isclose(np.prod(product[:3]), product[3], atol=3 * SHOWN)
    for way in range(3):
        check_errors(rows(text, 3), 1 + 3 * way, 1, sd[way])


def test_three_screens_and_json_agree() -> None:
    text, document = run(), json.loads(run("--format", "json").stdout)
    assert [x["problem"] for x in document["explanations"]] == ["bandit", "gaussian", "chain"]
    parts = text.stdout.split("WHY THE LOG?")[1:]
    for part, x in zip(parts, document["explanations"], strict=True):
        assert np.allclose(sentence("Exact: #.", part), x["gradient"], atol=SHOWN)
        for name in ("gradient_direct", "gradient_difference", "gradient_expectation"):
            assert np.isclose(x[name], x["gradient"], rtol=1e-6)
        plain = [e for e in x["estimates"] if e["estimator"] == "plain"]
        less = [e for e in x["estimates"] if e["estimator"] == "baseline"]
        assert all(b["predicted_error"] < a["predicted_error"] for a, b in zip(plain, less, strict=True))
        assert all(abs(e["typical_error"] / e["predicted_error"] - 1) < 0.4 for e in plain + less)


@pytest.mark.skipif(not MPIEXEC, reason="PGB_MPIEXEC names no launcher")
def test_ranks_change_nothing() -> None:
    alone = run("chain").stdout
    assert run("chain", ranks=3).stdout == alone
    assert run("chain", "--seed", "2").stdout != alone


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["chains"], "did you mean chain"),
        (["--env", "cartpole"], "bandit, gaussian or chain"),
        (["--policy", "softmax-tabular"], "pgbench explain bandit"),
        (["bandit", "--env", "chain"], "another problem"),
        (["bandit", "--baseline", "loo"], "optimal-component"),
        (["gaussian", "--env", "gaussian:dim=2"], "leave dim at 1"),
        (["chain", "--env", "chain:horizon=30"], "smaller horizon"),
        (["--study", "default"], "leave the option out"),
        (["--format", "csv"], "text or json"),
        (["bandit", "--policy", "gaussian-linear"], "actions are discrete"),
    ],
)
def test_refused(words: list[str], advice: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("pgbench: ")
    assert done.stderr.count("\n") == 1
    assert advice in done.stderr
