# SPDX-License-Identifier: MIT
"""The page of a real run in headless Chromium. PGB_PROGRAM is the pgbench to run; PGB_PICTURES a folder to keep pictures in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser, program
from pgbench_report.cli import main

PROGRAM = os.environ.get("PGB_PROGRAM", "")
NOTHING = "no Chromium is installed; apt-get install chromium"
pytestmark = [pytest.mark.skipif(not PROGRAM, reason="PGB_PROGRAM names no program to test"),
              pytest.mark.skipif(program() is None, reason=NOTHING)]  # fmt: skip
LEAST_TEXT, LEAST_MARK = 4.5, 3.0  # contrast that WCAG 2.2 asks for: text; graphics

# Contrast (WCAG 2.2) of each kind of text, line and mark against what is behind it; colours as the browser computes them.
CONTRAST = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true}), known = new Map();
const rgb = (text) => { if (!known.has(text)) { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
  known.set(text, [...canvas.getImageData(0, 0, 1, 1).data]); } return known.get(text); };
const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (node) => { for (let n = node; n; n = n.parentElement) { const c = rgb(getComputedStyle(n).backgroundColor);
  if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
const out = {};
const kinds = {"p": "color", "td": "color", "th": "color", "dd": "color", "dt": "color", "a": "color", "h1": "color", "h2": "color",
  "summary": "color", "figcaption": "color", ".facts": "color", ".verdict b": "color", ".verdict span": "color", ".why": "color",
  ".facets text": "fill", ".facets .s": "fill", ".bar": "stroke", ".m": "stroke", ".x": "stroke", ".law": "stroke"};
for (const [kind, property] of Object.entries(kinds))
  for (const node of document.querySelectorAll(kind))
    out[kind] = Math.min(out[kind] ?? 99, ratio(rgb(getComputedStyle(node)[property]), behind(node)));
return out;
"""
BODY = "document.querySelector('section.cell table.data tbody')"
COLUMN = f"[...{BODY}.rows].filter(r => !r.hidden && !r.classList.contains('gap')).map(r => r.cells[5].textContent)"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    done = subprocess.run([PROGRAM, "--replicates", "300", "-o", str(folder / "run.h5"), "--quiet", "--progress", "never"],
                          capture_output=True, text=True, timeout=240, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert main([str(folder / "run.h5"), "-o", str(folder), "--format", "html"]) == 0
    return folder / "run.html"


@pytest.fixture(scope="module")
def browser(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as found:
        found.size(1300, 900)
        found.open(page)
        yield found


def keep(browser: Browser, name: str, whole: bool = True) -> None:
    if "PGB_PICTURES" in os.environ:
        browser.picture(Path(os.environ["PGB_PICTURES"]) / name, whole)


@pytest.fixture(autouse=True)
def fresh(browser: Browser, page: Path) -> None:
    browser.size(1300, 900)
    browser.media("light")
    browser.open(page)


def test_nothing_complains_and_nothing_is_fetched(browser: Browser) -> None:
    keep(browser, "light.png")
    assert browser.complaints == []
    assert browser.run("performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).map(e => e.name)") == []


def test_every_figure_is_seen(browser: Browser) -> None:
    sizes = browser.run("""for (const d of document.querySelectorAll("details")) d.open = true;
        return [...document.querySelectorAll(".facets svg")].map((s) => { s.scrollIntoView(); const b = s.getBoundingClientRect();
          return [s.getAttribute("aria-label"), b.width, b.height, s.querySelectorAll(".m").length]; });""")
    assert len(sizes) >= 5 * 5
    assert [label for label, width, height, marks in sizes if width < 200 or height < 80 or marks < 1] == []
    outside = browser.run("""return [...document.querySelectorAll(".facets svg")].flatMap((s) => { s.scrollIntoView();
        const b = s.getBoundingClientRect(); return [...s.querySelectorAll("text, .m")].filter((t) => { const r = t.getBoundingClientRect();
          return r.left < b.left - 1 || r.right > b.right + 1 || r.top < b.top - 1 || r.bottom > b.bottom + 1; })
          .map((t) => `${s.getAttribute("aria-label")}: ${t.textContent}`); });""")
    assert outside == []


def test_texts_of_a_figure_do_not_overlap(browser: Browser) -> None:
    pairs = browser.run("""return [...document.querySelectorAll(".facets svg")].flatMap((s) => { s.scrollIntoView();
        const boxes = [...s.querySelectorAll("text")].map((t) => [t.textContent, t.getBoundingClientRect()]); const out = [];
        boxes.forEach(([a, x], i) => boxes.slice(i + 1).forEach(([b, y]) => {
          if (x.left < y.right - 1 && y.left < x.right - 1 && x.top < y.bottom - 2 && y.top < x.bottom - 2) out.push(`${s.ariaLabel}: ${a} / ${b}`);
        })); return out; });""")
    assert pairs == []


def test_a_click_sorts(browser: Browser) -> None:
    press = "document.querySelectorAll('section.cell table.data thead button')[5].click()"
    browser.run(press)
    up = [float(v) for v in browser.run(COLUMN)]
    assert len(up) > 10 and up == sorted(up)
    browser.run(press)
    assert [float(v) for v in browser.run(COLUMN)] == up[::-1]
    assert browser.run("document.querySelectorAll('section.cell table.data thead th')[5].getAttribute('aria-sort')") == "descending"


def test_filters_hide_rows_and_cells(browser: Browser) -> None:
    choose = "const f = document.querySelector('section.cell form'); f.elements.{0}.value = '{1}'; f.dispatchEvent(new Event('input'));"
    all_rows = len(browser.run(COLUMN))
    browser.run(choose.format("baseline", "optimal") + "return 0")
    shown = browser.run(f"[...{BODY}.rows].filter(r => !r.hidden).map(r => r.dataset.baseline.split(' '))")
    assert 0 < len(shown) < all_rows and all("optimal" in names for names in shown)
    browser.run("const f = document.querySelector('.overview form'); f.elements.words.value = 'cartpole'; f.dispatchEvent(new Event('input')); return 0")
    assert browser.run("[...document.querySelectorAll('section.cell')].filter(s => !s.hidden).length") == 1
    assert browser.run("document.querySelector('.overview output').value") == "1 of 5"


def test_a_row_leads_to_its_figure(browser: Browser) -> None:
    links = browser.run("[...document.querySelectorAll('table.data a')].map(a => !!document.getElementById(a.hash.slice(1)))")
    assert len(links) > 50 and all(links)
    browser.run("document.querySelector('.overview tbody tr:last-child a').click()")
    top = browser.run("""return new Promise((done) => { let tries = 0; const look = () => {
          const top = document.getElementById(location.hash.slice(1)).getBoundingClientRect().top;
          if (Math.abs(top) < 900 || ++tries > 100) done(top); else setTimeout(look, 50); }; look(); });""")
    assert -900 < top < 900


def test_downloads_hold_the_data(browser: Browser) -> None:
    texts = browser.run("[...document.querySelectorAll('a[download]')].slice(1).map(a => decodeURIComponent(a.href.split(',').slice(1).join(',')))")
    assert len(texts) > 20
    assert all(t.startswith("estimator,") and t.count("\n") > 3 for t in texts)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible(browser: Browser, scheme: str) -> None:
    browser.media(scheme)
    dark = browser.run("getComputedStyle(document.body).backgroundColor") != "rgb(254, 254, 254)"
    assert dark == (scheme == "dark")
    found = browser.run(CONTRAST)
    keep(browser, f"{scheme}-scheme.png")
    graphics = (".bar", ".m", ".x", ".law")
    assert len(found) >= 18
    assert {k: v for k, v in found.items() if v < (LEAST_MARK if k in graphics else LEAST_TEXT)} == {}


def test_a_narrow_window_is_usable(browser: Browser) -> None:
    browser.size(360, 800)
    keep(browser, "narrow.png")
    width = browser.run("document.documentElement.scrollWidth")
    assert width <= 360
    small = browser.run("""return [...document.querySelectorAll(".facets text")].map((t) => { t.scrollIntoView(); return t.getBoundingClientRect().height; })
        .filter((h) => h > 0 && h < 9).length;""")
    assert small == 0
    assert browser.run("document.querySelector('section.cell form select').getBoundingClientRect().width") > 30


def test_it_prints(browser: Browser, tmp_path: Path) -> None:
    browser.media("dark", "print")
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(254, 254, 254)"  # ink on paper
    browser.media("light", "")
    folder = Path(os.environ.get("PGB_PICTURES", tmp_path))
    browser.print(folder / "print.pdf")
    assert (folder / "print.pdf").stat().st_size > 20_000
