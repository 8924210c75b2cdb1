# SPDX-License-Identifier: MIT
"""A logarithmic axis that a reader can read: few ticks, plain numbers, and a place for zero."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# Values this far below the largest are rounding noise of something that is zero; they would squeeze all others.
FLOOR = 1e-12
MOST_TICKS = 6


@dataclass(frozen=True)
class Scale:
    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]

    def clip(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    def below(self, value: float) -> bool:
        return value < self.low


def log_scale(values: Iterable[float]) -> Scale:
    """The scale that holds all finite positive values, with room at the ends. At least one value must be given."""
    positive = [v for v in values if math.isfinite(v) and v > 0]
    top = max(positive, default=1.0)
    bottom = min(v for v in (*positive, top) if v >= top * FLOOR)
    low, high = math.log10(bottom), math.log10(top)
    room = max(0.04 * (high - low), 0.06)
    low, high = low - room, high + room
    ticks = _ticks(low, high)
    return Scale(10**low, 10**high, ticks, tuple(plain(t) for t in ticks))


def _ticks(low: float, high: float) -> tuple[float, ...]:
    """Powers of ten, every second or third one over many decades, or 1-2-5 (finally even) steps over few."""
    for every in range(1, 40):
        powers = [10.0**e for e in range(math.ceil(low), math.floor(high) + 1) if e % every == 0]
        if len(powers) <= MOST_TICKS:
            break
    if len(powers) >= 3:
        return tuple(powers)
    for mantissas in ((1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        fine = [m * 10.0**e for e in range(math.floor(low), math.ceil(high) + 1) for m in mantissas]
        inside = [t for t in fine if low <= math.log10(t) <= high]
        if 3 <= len(inside) <= MOST_TICKS:
            return tuple(inside)
    return _even(10**low, 10**high)


def _even(low: float, high: float) -> tuple[float, ...]:
    """Evenly spaced round numbers: for less than about a factor of three."""
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw)
    first = math.ceil(low / step)
    return tuple(round(k * step, 12) for k in range(first, math.floor(high / step) + 1))


def plain(value: float) -> str:
    """0.001 to 10000 in full, else a power of ten."""
    if 1e-3 <= value < 1e5:
        return f"{value:.6g}"
    exponent = math.floor(math.log10(value) + 1e-12)
    mantissa = value / 10.0**exponent
    power = "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if abs(mantissa - 1) < 1e-9 else f"{mantissa:.3g}·{power}"


def linear_scale(values: Iterable[float]) -> Scale:
    """The same for an axis on which differences count, zero and negative numbers too."""
    finite = [v for v in values if math.isfinite(v)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    room = 0.06 * (high - low) or 0.5 * (abs(high) or 1.0)
    low, high = low - room, high + room
    ticks = _even(low, high)
    return Scale(low, high, ticks, tuple(f"{t:.6g}" for t in ticks))
