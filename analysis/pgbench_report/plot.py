# SPDX-License-Identifier: MIT
"""Charts as data, and as SVG that follows the page's theme: a page of two hundred cells holds a thousand of them, which
matplotlib would draw for minutes. chart_figure draws the same charts for files and notebooks."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .scale import Scale, linear_scale, log_scale
from .table import number

COLOURS = 7  # styles 0..6; from 7 on they repeat with another marker and a dash
SHAPES = 7
WIDTH, HEIGHT = 350, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 24, 40
LABELS, SLOT = 134, 11  # of a strip: room for names, height of a mark
NAN = math.nan


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    low: float = NAN
    high: float = NAN
    exact: float = NAN
    open: bool = False  # biased
    note: str = ""


@dataclass(frozen=True)
class Series:
    name: str
    style: int
    points: tuple[Point, ...]
    line: bool = False


@dataclass(frozen=True)
class Law:
    """A curve that theory demands, dashed."""

    name: str
    points: tuple[tuple[float, float], ...]
    style: int = -1  # ink


@dataclass(frozen=True)
class Axis:
    label: str
    log: bool = True
    ticks: tuple[tuple[float, str], ...] = ()  # instead of computed ones
    room: float = 0.0  # beyond the first and the last value, where the axis counts things

    def scale(self, values: Iterable[float]) -> Scale:
        finite = [v for v in values if math.isfinite(v)]
        scale = log_scale(finite or [1.0]) if self.log else linear_scale(finite or [0.0, 1.0])
        if self.room and finite:
            low, high = min(finite), max(finite)
            wide = linear_scale([low - self.room, high + self.room])
            inside = [(t, n) for t, n in zip(wide.ticks, wide.labels, strict=True) if low <= t <= high]
            scale = Scale(wide.low, wide.high, tuple(t for t, _ in inside), tuple(n for _, n in inside))
        if self.ticks:
            return Scale(scale.low, scale.high, tuple(t for t, _ in self.ticks), tuple(n for _, n in self.ticks))
        return scale


@dataclass(frozen=True)
class Facet:
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    laws: tuple[Law, ...] = ()

    def scales(self) -> tuple[Scale, Scale]:
        points = [p for s in self.series for p in s.points]
        return self.x.scale(p.x for p in points), self.y.scale(v for p in points for v in (p.y, p.low, p.high, p.exact))


@dataclass(frozen=True)
class Strip:
    """One line per mark in bands of one baseline each: x is the figure, y only a place."""

    title: str
    x: Axis
    bands: tuple[tuple[str, tuple[tuple[int, str, Point], ...]], ...]  # baseline, marks (style, estimator, point)
    rule: float = NAN  # a line across, such as ratio 1

    def scale(self) -> Scale:
        return self.x.scale([self.rule, *(v for _, marks in self.bands for _, _, p in marks for v in (p.x, p.low, p.high, p.exact))])


@dataclass(frozen=True)
class Chart:
    key: str  # short name, unique in a cell
    title: str
    facets: tuple[Facet | Strip, ...]
    caption: str
    legend: tuple[tuple[str, int], ...]  # name, style
    marks: tuple[str, ...] = ()  # exact, open, law: what else the legend must name
    law: str = ""
    columns: tuple[str, ...] = ()  # of the data behind it
    data: tuple[tuple[object, ...], ...] = field(default=(), repr=False)

    def csv(self) -> str:
        return "\n".join([",".join(self.columns), *(",".join(_cell(v) for v in row) for row in self.data)]) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


# ---- SVG ----


def legend(chart: Chart) -> list[tuple[str, str]]:
    """(glyph as SVG, name) of everything that a reader must tell apart."""
    out = [(_svg(22, 12, "", _line([(1, 6), (21, 6)], style, "thin") + _mark(11, 6, style, False)), name) for name, style in chart.legend]
    if "exact" in chart.marks:
        stroke = "M6 1V11" if isinstance(chart.facets[0], Strip) else "M1 6H11"
        out.append((_svg(12, 12, "", f'<path class="x" d="{stroke}"/>'), "exact"))
    if "open" in chart.marks:
        out.append((_svg(12, 12, "", '<circle class="k o" cx="6" cy="6" r="3.2"/>'), "open: biased"))
    if chart.law:
        out.append((_svg(22, 12, "", '<path class="law" d="M1 6H21"/>'), chart.law))
    return out


def draw(facet: Facet | Strip, label: str) -> str:
    return _draw_strip(facet, label) if isinstance(facet, Strip) else _draw_facet(facet, label)


def _svg(width: float, height: float, label: str, body: str) -> str:
    role = f'role="img" aria-label="{html.escape(label)}"' if label else 'aria-hidden="true"'
    return f'<svg {role} width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">{body}</svg>'


def _draw_facet(f: Facet, label: str) -> str:
    sx, sy = f.scales()
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    out = [_text(LEFT, 14, f.title, "t")]
    out += [_line([(LEFT, y), (right, y)], -1, "grid") + _text(LEFT - 5, y + 3.5, name, "e")
            for y, name in _ticks(sy, f.y.log, bottom, TOP)]  # fmt: skip
    out += [_line([(x, bottom), (x, bottom + 3)], -1, "axis") + _text(x, bottom + 14, name, "c")
            for x, name in _ticks(sx, f.x.log, LEFT, right)]  # fmt: skip
    out.append(_line([(LEFT, bottom), (right, bottom)], -1, "axis"))
    out.append(_text((LEFT + right) / 2, HEIGHT - 6, f.x.label, "c"))
    out.append(f'<text class="c" transform="translate(12 {(TOP + bottom) / 2:g}) rotate(-90)">{html.escape(f.y.label)}</text>')
    for law in f.laws:
        for part in _inside(law.points, sx, sy):
            out.append(_line([(_at(x, sx, f.x.log, LEFT, right), _at(y, sy, f.y.log, bottom, TOP)) for x, y in part], law.style, "law"))
    for s in f.series:
        shown = [(p, _at(p.x, sx, f.x.log, LEFT, right), _at(p.y, sy, f.y.log, bottom, TOP)) for p in s.points
                 if math.isfinite(p.x) and math.isfinite(p.y) and (p.x > 0 or not f.x.log)]  # fmt: skip
        if s.line:
            out.append(_line([(x, y) for _, x, y in shown], s.style, "thin"))
        for p, x, y in shown:
            if math.isfinite(p.low) and math.isfinite(p.high):
                ends = [_at(v, sy, f.y.log, bottom, TOP) for v in (p.low, p.high)]
                out.append(_line([(x, ends[0]), (x, ends[1])], s.style, "bar"))
            if math.isfinite(p.exact):
                e = _at(p.exact, sy, f.y.log, bottom, TOP)
                out.append(f'<path class="x" d="M{x - 5:.1f} {e:.1f}H{x + 5:.1f}"/>')
            out.append(_mark(x, y, s.style, p.open, f"{s.name}{p.note}: {number(p.y)}"))
    if not any(s.points for s in f.series):
        out.append(_text((LEFT + right) / 2, (TOP + bottom) / 2, "no finite figure", "c"))
    return _svg(WIDTH, HEIGHT, label, "".join(out))


def _draw_strip(f: Strip, label: str) -> str:
    scale, right = f.scale(), LABELS + 330.0
    width = right + RIGHT
    depth = sum(max(len(marks), 1) * SLOT + 8 for _, marks in f.bands)
    bottom = TOP + max(depth, 40)
    out, y = [_text(LABELS, 14, f.title, "t")], float(TOP)
    ticks = _ticks(scale, f.x.log, LABELS, right)
    body = []
    for i, (name, marks) in enumerate(f.bands):
        height = max(len(marks), 1) * SLOT + 8
        if i % 2 == 0:
            out.append(f'<rect class="band" x="{LABELS}" y="{y:g}" width="{right - LABELS:g}" height="{height}"/>')
        out.append(_text(LABELS - 6, y + height / 2 + 3.5, name, "e"))
        for k, (style, estimator, p) in enumerate(marks):
            body.append(_strip_mark(p, y + 4 + SLOT * (k + 0.5), style, f"{estimator}, {name}", scale, f.x.log, right))
        y += height
    out += [_line([(x, TOP), (x, bottom)], -1, "grid") + _text(x, bottom + 14, name, "c") for x, name in ticks]
    out.append(_line([(LABELS, bottom), (right, bottom)], -1, "axis"))
    out.append(_text((LABELS + right) / 2, bottom + 30, f.x.label, "c"))
    if math.isfinite(f.rule):
        x = _at(f.rule, scale, f.x.log, LABELS, right)
        out.append(_line([(x, TOP), (x, bottom)], -1, "law"))
    if not f.bands:
        out.append(_text((LABELS + right) / 2, (TOP + bottom) / 2 + 4, "no finite figure", "c"))
    return _svg(width, bottom + 36, label, "".join(out + body))


def _strip_mark(p: Point, y: float, style: int, name: str, scale: Scale, log: bool, right: float) -> str:
    def at(value: float) -> float:
        return _at(value, scale, log, LABELS, right)

    out, said = "", number(p.x)
    if math.isfinite(p.low) and math.isfinite(p.high):
        out += _line([(at(p.low), y), (at(p.high), y)], style, "bar")
        said += f" [{number(p.low)}, {number(p.high)}]"
    if math.isfinite(p.exact):
        out += f'<path class="x" d="M{at(p.exact):.1f} {y - SLOT / 2:.1f}v{SLOT}"/>'
        said += f", exact {number(p.exact)}"
    out += _mark(at(p.x), y, style, p.open, f"{name}: {said}")
    if p.x < scale.low:
        out += _text(LABELS + 9, y + 3.5, f"← {'zero' if p.x == 0 else f'{p.x:.0e}'}", "s")
    return out


def _at(value: float, scale: Scale, log: bool, start: float, end: float) -> float:
    value = scale.clip(value)
    if log:
        share = math.log(value / scale.low) / math.log(scale.high / scale.low)
    else:
        share = (value - scale.low) / (scale.high - scale.low)
    return start + share * (end - start)


def _ticks(scale: Scale, log: bool, start: float, end: float) -> list[tuple[float, str]]:
    pairs = zip(scale.ticks, scale.labels, strict=True)
    return [(_at(t, scale, log, start, end), name) for t, name in pairs if scale.low <= t <= scale.high]


def _inside(points: Sequence[tuple[float, float]], sx: Scale, sy: Scale) -> list[list[tuple[float, float]]]:
    """The parts of a curve within the frame, cut at its borders (to a sample of the curve)."""
    out: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if sx.low <= x <= sx.high and sy.low <= y <= sy.high:
            out[-1].append((x, y))
        elif out[-1]:
            out.append([])
    return [part for part in out if len(part) > 1]


def _line(points: Sequence[tuple[float, float]], style: int, kind: str) -> str:
    if len(points) < 2:
        return ""
    colour = f" s{style % COLOURS}" if style >= 0 else ""
    dash = " dash" if style >= COLOURS and kind == "thin" else ""
    return f'<path class="{kind}{colour}{dash}" d="M' + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + '"/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{html.escape(text)}</text>'


def _mark(x: float, y: float, style: int, hollow: bool, title: str = "") -> str:
    kind = f"m s{style % COLOURS}{' o' if hollow else ''}"
    said = f"<title>{html.escape(title)}</title>" if title else ""
    shape = (style + style // COLOURS * 3) % SHAPES
    r = 3.2
    if shape == 0:
        return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{r}">{said}</circle>'
    d = {
        1: f"m{-r} {-r}h{2 * r}v{2 * r}h{-2 * r}z",
        2: f"m0 {-r - 0.6}l{r + 0.6} {2 * r}h{-2 * r - 1.2}z",
        3: f"m0 {-r - 1}l{r + 1} {r + 1}l{-r - 1} {r + 1}l{-r - 1} {-r - 1}z",
        4: f"m0 {r + 0.6}l{r + 0.6} {-2 * r}h{-2 * r - 1.2}z",
        5: "m-1.2 -3.6h2.4v2.4h2.4v2.4h-2.4v2.4h-2.4v-2.4h-2.4v-2.4h2.4z",
        6: f"m{r} 0l{-1.5 * r} {r}v{-2 * r}z",
    }[shape]  # fmt: skip
    return f'<path class="{kind}" d="M{x:.1f} {y:.1f}{d}">{said}</path>'
