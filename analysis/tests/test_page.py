# SPDX-License-Identifier: MIT
from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import synthetic
from pgbench_report import Run, load
from pgbench_report.page import page, verdict_kind
from pgbench_report.table import to_csv

VOID = {"meta", "link", "br", "input", "img", "hr"}


class Reader(HTMLParser):
    """Elements, links, and whether every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.counts: dict[str, int] = {}
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [v or "" for k, v in attrs if k in ("href", "src", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


@pytest.fixture(scope="module")
def html(run: Run) -> str:
    return page([run])


@pytest.fixture(scope="module")
def reader(html: str) -> Reader:
    out = Reader()
    out.feed(html)
    return out


def test_it_is_well_formed(reader: Reader) -> None:
    assert reader.faults == [] and reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.counts["figure"] == 4 * 6
    assert reader.counts["main"] == reader.counts["h1"] == 1


def test_it_needs_no_network(html: str, reader: Reader) -> None:
    assert [link for link in reader.links if not link.startswith(("#", "data:"))] == []
    inside = {link[1:] for link in reader.links if link.startswith("#")}
    assert inside <= set(reader.ids)
    assert not re.search(r"@import|url\((?!#)", html)


def test_it_tells_verdict_provenance_and_reasons(html: str, run: Run) -> None:
    assert '<p class="verdict good"><b>VALID</b>' in html
    assert "0123456789abcdef0123456789abcdef01234567" in html
    assert "Example CPU &lt;8 cores&gt;" in html  # escaped
    assert "no oracle knows V here" in html
    assert "replicates: 10000" in html
    assert "<svg" in html and "&lt;svg" not in html
    assert "10 000 independent batches" in html


def test_it_carries_its_data(reader: Reader, run: Run) -> None:
    link = next(x for x in reader.links if x.startswith("data:text/csv"))
    assert base64.b64decode(link.split(",", 1)[1]).decode() == to_csv([run])


def test_several_files_share_a_page(tmp_path: Path, result: Path) -> None:
    other = synthetic.write(tmp_path / "second.h5", seed=2, verdict="INVALID: /bandit/softmax-tabular", cells=synthetic.CELLS[:1])
    html = page(load([result, other]))
    assert '<p class="verdict bad"><b>INVALID: /bandit/softmax-tabular</b>' in html
    assert "bandit · softmax-tabular (second)" in html


def test_verdicts() -> None:
    assert [verdict_kind(v) for v in ("VALID", "INVALID: x", "not judged", "nothing to judge")] == ["good", "bad", "plain", "plain"]
