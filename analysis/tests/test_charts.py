# SPDX-License-Identifier: MIT
"""Charts by their data: what is drawn is what the file holds, and the laws are the laws."""

from __future__ import annotations

import csv
import io
import math
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import synthetic
from pgbench_report import Run, chart_figure, charts, laws, load
from pgbench_report.overview import full_title, overview
from pgbench_report.page import page
from pgbench_report.plot import Chart, Facet, Strip, draw
from pgbench_report.table import rows


def chart(run: Run, group: str, key: str) -> Chart:
    return next(c for c in charts.of_cell(run[group]) if c.key == key)


def facet(found: Chart, k: int = 0) -> Facet:
    one = found.facets[k]
    assert isinstance(one, Facet)
    return one


def test_ratios_are_those_of_the_file(run: Run) -> None:
    found = chart(run, "/mdp/softmax-tabular", "ratio")
    strip = found.facets[0]
    assert isinstance(strip, Strip) and strip.rule == 1.0
    shown = {(b, e): p for b, marks in strip.bands for _, e, p in marks}
    assert not any(b == "none" for b, _ in shown)
    for (b, e), p in shown.items():
        at = {"estimator": e, "baseline": b, "batch": 64}
        data = run["/mdp/softmax-tabular"].data
        assert (p.x, p.low, p.high) == tuple(float(data[f"variance_ratio{end}"].sel(at)) for end in ("", "_low", "_high"))
    assert len(shown) == sum(1 for r in rows(run["/mdp/softmax-tabular"]) if r.batch == 64 and r.defined and r.baseline != "none")
    assert "10 000 independent batches of 64 episodes" in found.caption and "paired" in found.caption


def test_the_law_of_the_batch_is_one_over_n(run: Run) -> None:
    found = chart(run, "/bandit/softmax-tabular", "batch")
    for f in found.facets:
        assert isinstance(f, Facet) and f.x.log and f.y.log
        for series, law in zip(f.series, f.laws, strict=True):
            products = [x * y for x, y in law.points]
            np.testing.assert_allclose(products, series.points[-1].x * series.points[-1].exact, rtol=1e-12)
    lines = list(csv.DictReader(io.StringIO(found.csv())))
    line = next(x for x in lines if (x["estimator"], x["baseline"], x["batch"]) == ("gpomdp", "optimal", "16"))
    at = {"estimator": "gpomdp", "baseline": "optimal", "batch": 16}
    assert float(line["variance_trace"]) == float(run["/bandit/softmax-tabular"].data["variance_trace"].sel(at))


def test_bias_stands_over_its_standard_error(run: Run) -> None:
    f = facet(chart(run, "/bandit/softmax-tabular", "bias"))
    table = {(r.estimator, r.batch, r.bias_norm): r for r in rows(run["/bandit/softmax-tabular"])}
    assert sum(len(s.points) for s in f.series) == sum(r.defined for r in table.values())
    for s in f.series:
        for p in s.points:
            r = next(r for (e, _, b), r in table.items() if e == s.name and b == p.y)
            assert p.x == pytest.approx(math.sqrt(r.variance_trace / synthetic.REPLICATES))
    assert all(x == y for x, y in f.laws[0].points)


def test_cosines_stand_over_snr_with_their_laws(run: Run) -> None:
    found = chart(run, "/mdp/softmax-tabular", "cosine")
    for k, power in ((0, 0.5), (1, 1.0)):
        f = facet(found, k)
        assert all(y == pytest.approx((x / (1 + x)) ** power) for x, y in f.laws[0].points)
        assert all(p.y == pytest.approx((p.x / (1 + p.x)) ** power) for s in f.series for p in s.points)  # the made-up file obeys them


def test_parameters_have_their_variances(run: Run) -> None:
    f = facet(chart(run, "/gaussian/gaussian-linear", "parameters"))
    data = run["/gaussian/gaussian-linear"].data["gradient_variance"]
    for s in f.series:
        np.testing.assert_array_equal([p.y for p in s.points], data.sel(estimator=f.title.split(",")[0], baseline=s.name, batch=64).values)
    assert [n for _, n in f.x.ticks] == ["theta[0,0]", "log_sigma[0]"]


def test_what_is_missing_makes_no_chart(tmp_path: Path) -> None:
    path = synthetic.write(tmp_path / "nan.h5")
    with h5py.File(path, "r+") as file:
        cell = file["/bandit/softmax-tabular"]
        for name, node in cell.items():
            if isinstance(node, h5py.Dataset) and node.ndim >= 3:
                node[...] = np.nan
        del file["/mdp/softmax-tabular/gradient_variance"], file["/mdp/softmax-tabular/bias_norm"]
    run = load([path])[0]
    found = charts.of_cell(run["/bandit/softmax-tabular"])
    assert [c.key for c in found] == ["variance"]
    assert "no finite figure" in draw(found[0].facets[0], "x")
    assert {"bias", "parameters"}.isdisjoint(c.key for c in charts.of_cell(run["/mdp/softmax-tabular"]))
    assert "no finite figure" in page([run])


def family(tmp_path: Path, values: tuple[int, ...], power: float) -> Run:
    names = ["/chain/softmax-tabular" + (f"_{i + 1}" if i else "") for i in range(len(values))]
    cells = tuple((n, "chain", ["a", "b"], 2.0 * v**power, 1.0, 1.0, 4) for n, v in zip(names, values, strict=True))
    path = synthetic.write(tmp_path / "family.h5", cells=cells)
    with h5py.File(path, "r+") as file:
        for n, v in zip(names, values, strict=True):
            file[n].attrs["env_options"] = f"{{name: chain, mean: [1, [2, 3]], noise: 0.5, horizon: {v}}}"
    return load([path])[0]


def test_a_varied_option_makes_a_chart_with_its_power(tmp_path: Path) -> None:
    run = family(tmp_path, (1, 4, 16, 64), 3)
    ((title, found),) = laws.charts(run.cells)
    assert title == "chain: variance against horizon"
    f = facet(found)
    assert [p.x for p in f.series[0].points] == [1, 4, 16, 64]
    assert "reinforce none 3.00" in found.caption
    assert f.laws[0].name == "horizon^3"
    x, y = f.laws[0].points[0]
    assert y / f.series[0].points[-1].exact == pytest.approx((x / 64) ** 3)
    assert full_title(run.cells[1], run, False).endswith("horizon 4")


def test_two_options_at_once_make_none(tmp_path: Path) -> None:
    run = family(tmp_path, (1, 4, 16), 2)
    run.cells[1].data.attrs["policy_options"] = "{name: softmax-tabular, temperature: 2}"
    assert laws.charts(run.cells) == []


def test_the_overview_names_the_worst_and_the_best(run: Run) -> None:
    line = overview([run])[0]
    scores = [abs(getattr(r, n)) for r in rows(run.cells[0]) for n in ("z_bias", "z_variance") if math.isfinite(getattr(r, n))]
    assert line.tests == len(scores)
    assert max(abs(line.z_bias), abs(line.z_variance)) == max(scores)
    assert line.best is not None and not line.best.biased
    honest = [r.variance_trace for r in rows(run.cells[0]) if r.batch == 64 and r.defined and not r.biased]
    assert line.best.variance_trace == min(honest)


def test_matplotlib_draws_the_same_data(run: Run) -> None:
    found = chart(run, "/bandit/softmax-tabular", "batch")
    axes = chart_figure.draw(found).axes[0]
    drawn = {(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in axes.lines if len(line.get_xdata()) == 1}
    assert {(p.x, p.y) for s in facet(found).series for p in s.points} <= drawn
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_two_hundred_cells_in_time(tmp_path: Path) -> None:
    """30 s is promised; processor time, so that a busy machine makes no failure."""
    cells = tuple((f"/bandit/softmax-tabular{f'_{k + 1}' if k else ''}", "bandit", [f"theta[{a}]" for a in range(4)], 7.0 + k, 0.8, 3.5, 4)
                  for k in range(200))  # fmt: skip
    path = synthetic.write(tmp_path / "many.h5", cells=cells)
    start = time.process_time()
    text = page(load([path]))
    assert time.process_time() - start < 30
    assert text.count('<section class="cell"') == 200
    assert text.count('<details class="more">') == 200  # closed: a reader of many cells asks for more
    assert len(text) < 60e6


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    """4 estimators, 9 baselines, 3 batch sizes, 10^6 parameters: 864 MB per vector, none of it on disk or in memory."""
    path = synthetic.write(tmp_path / "large.h5", cells=synthetic.CELLS[:1])
    count = 1_000_000
    with h5py.File(path, "r+") as file:
        cell = file["/bandit/softmax-tabular"]
        for name in ("parameter", "theta", "gradient_mean", "gradient_variance"):
            del cell[name]
        parameter = cell.create_dataset("parameter", shape=(count,), dtype="i4", chunks=(1 << 16,))
        parameter.make_scale("parameter")
        for name in ("gradient_mean", "gradient_variance", "gradient"):
            data = cell.create_dataset(name, shape=(4, 9, 3, count), dtype="f8", chunks=(1, 1, 1, 1 << 16), fillvalue=1.0)
            for k, label in enumerate(("estimator", "baseline", "batch", "parameter")):
                data.dims[k].attach_scale(cell[label])
    assert path.stat().st_size < 10e6
    reads: list[str] = []
    original = h5py.Dataset.__getitem__

    def counted(self: h5py.Dataset, key: object, *more: object) -> object:
        got = original(self, key, *more)
        if getattr(got, "nbytes", 0) > 16e6:
            reads.append(f"{self.name}: {got.nbytes}")
        return got

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(h5py.Dataset, "__getitem__", counted)
        run = load([path])[0]
        assert "tr Var" in page([run])
    assert reads == []
    assert math.isnan(rows(run.cells[0])[0].gradient_norm)
    assert float(run.cells[0].data["gradient_variance"][0, 0, 0, 5]) == 1.0  # there for who asks
