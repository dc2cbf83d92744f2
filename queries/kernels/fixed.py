"""Fixed points x = min(cap, base + gain * (A x)) from above and from below: what clearing, contagion and ranks are.

With A the claims of a network (i on j), one matrix serves all:

    share of debts paid (Eisenberg-Noe): base = outside assets / debts, gain = 1 / debts, cap = 1: the greatest
    linear DebtRank:                     base = shock,            gain = (1 - R) / equity, cap = 1: the least
    PageRank over what each owes:        base = (1 - a) s / owed, gain = a / owed,         cap = infinity: the least

Each sweep updates in place (Gauss-Seidel), so later rows see what earlier ones became. From the cap downwards no sweep
passes the greatest solution, from min(cap, base) upwards none passes the least (Tarski). Where the last two changes
point the same way and shrink by the same factor q, the rest of their geometric series, q / (1 - q), is added in one
leap; sweeps go on from there until they settle.

Why a leap ends at the same solution. Say a row is fed if a row with base > 0 is it, or stands on a path of edges that
leads to it. Rows that are not fed depend on such rows only. Let two solutions differ, x' > x on the rows D: those are
below the cap in x, so x' - x <= G (x' - x) on D with G = gain * A, and some closed part K of D has a G of spectral
radius 1 or more. Weighing x = base + G x on K by its left eigenvector leaves nothing for base and for what comes from
outside K, or x = 0 there: K is not fed. So the fed rows have one solution once the others are given.

* From above, leaps move fed rows alone: the others come down by plain sweeps, to their greatest solution (a closed
  circle of debts without any outside money stays at its cap).
* From below, the others are 0 and stay so: all may leap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.kernels.compiled import compiled
from queries.kernels.rows import Rows, U

Floats = NDArray[Any]

SETTLED = 1e-13
"""Largest change of a sweep, in units of x, after which it is settled."""
SWEEPS = 5_000
ALIKE = 0.99
"""Cosine of two changes that point the same way."""
STEADY = 0.05
"""How much the factors of two sweeps may differ, in units of what the last lacks to 1."""
APART = 3
"""Sweeps between two leaps."""


@dataclass(frozen=True)
class Fixed:
    """A fixed point, by node, with how it was found."""

    x: Floats
    sweeps: int
    leaps: int
    moved: float
    """Largest change in the last sweep."""
    settled: bool


def greatest(
    rows: Rows, base: Floats, gain: Floats, cap: float = 1.0, settled: float = SETTLED, most: int = SWEEPS
) -> Fixed:
    """The greatest x with x = min(cap, base + gain * (A x)), for (nodes,) base and gain of at least 0."""
    line = placed(rows, base, gain)
    x = rows.placed(np.full(rows.nodes, cap, np.float64))
    return _settle(rows, x, line, cap, settled, most, True)


def least(
    rows: Rows, base: Floats, gain: Floats, cap: float = 1.0, settled: float = SETTLED, most: int = SWEEPS
) -> Fixed:
    """The least such x."""
    line = placed(rows, base, gain)
    return _settle(rows, np.minimum(line[0], cap), line, cap, settled, most, False)


def _settle(
    rows: Rows, x: Floats, line: tuple[Floats, Floats], cap: float, settled: float, most: int, falling: bool
) -> Fixed:
    layout = (rows.starts, rows.slices, rows.index, rows.amount)
    change, course, moved = np.zeros_like(x), Course(), np.inf
    free: NDArray[np.bool_] | bool = not falling
    while course.sweeps < most:
        moved, along, square = relax(*layout, *line, cap, x, change)
        course.sweeps += 1
        if moved <= settled or course.sweeps == most:
            break
        if far := course.leap(along, square):
            if free is False:
                free = fed(rows, *line)
            x[:] = np.clip(x + np.where(free, change, 0.0) * far, 0.0, cap)
            change[:] = 0
    return Fixed(rows.by_node(x), course.sweeps, course.leaps, moved, moved <= settled)


class Course:
    """How one solution moves from sweep to sweep, and when it can leap."""

    def __init__(self) -> None:
        self.sweeps = self.leaps = self._since = 0
        self._before = self._ratio = 0.0

    def leap(self, along: float, square: float) -> float:
        """How many of the last changes are still to come, if they shrink evenly, else 0.

        `along` is the product of the last sweep's change with that before, `square` that with itself.
        """
        before, last = self._before, self._ratio
        self._since += 1
        self._before, self._ratio = square, along / before if before else 0.0
        ratio, alike = self._ratio, along > ALIKE * np.sqrt(before * square)
        if not (alike and self._since >= APART and ratio < 1 and abs(ratio - last) < STEADY * (1 - ratio)):
            return 0.0
        self._before = self._ratio = 0.0
        self._since, self.leaps = 0, self.leaps + 1
        return ratio / (1 - ratio)


def placed(rows: Rows, base: Floats, gain: Floats) -> tuple[Floats, Floats]:
    """Both in places; MeasureError if one is below 0 or no number."""
    for name, part in (("base", base), ("gain", gain)):
        if part.shape != (rows.nodes,):
            raise MeasureError(f"{name} has the shape {part.shape}; give one number for each of the {rows.nodes} nodes")
        bad = np.flatnonzero(~(np.isfinite(part) & (part >= 0)))
        if len(bad):
            raise MeasureError(f"{name} of node {bad[0]} is {part[bad[0]]}; expected a finite number of at least 0")
    return rows.placed(base), rows.placed(gain)


def fed(rows: Rows, base: Floats, gain: Floats) -> NDArray[np.bool_]:
    """(places,) whether something from outside reaches the row."""
    found, passes = np.sign(base), np.sign(gain)
    layout, reached = (rows.starts, rows.slices, rows.index, rows.amount), 0
    while reached < (reached := int(np.count_nonzero(found))) < rows.nodes:
        relax(*layout, np.sign(base), passes, 1.0, found, np.zeros_like(found))
        found = np.sign(found)
    return np.asarray(found > 0)


@compiled
def relax(
    starts: Any, slices: Any, index: Any, amount: Any, base: Any, gain: Any, cap: float, x: Any, change: Any
) -> tuple[float, float, float]:  # pragma: no cover - machine code
    """One sweep in place: the largest change, and its product with the change before and with itself."""
    long = U(len(starts) - 1)
    moved, along, square = 0.0, 0.0, 0.0
    for group in range(long + U(len(slices) - 1)):
        alone = group < long
        s = group if alone else group - long
        k, end = (U(starts[s]), U(starts[s + U(1)])) if alone else (U(slices[s]), U(slices[s + U(1)]))
        a = b = c = d = x.dtype.type(0)
        while k + U(4) <= end:
            a += amount[k] * x[index[k]]
            b += amount[k + U(1)] * x[index[k + U(1)]]
            c += amount[k + U(2)] * x[index[k + U(2)]]
            d += amount[k + U(3)] * x[index[k + U(3)]]
            k += U(4)
        while k < end:  # of a row that stands alone
            a += amount[k] * x[index[k]]
            k += U(1)
        i = s if alone else long + U(4) * s
        for total in ((a + b) + (c + d) if alone else a, b, c, d):
            new = min(cap, base[i] + gain[i] * total)
            step = new - x[i]
            moved = max(moved, abs(step))
            along += step * change[i]
            square += step * step
            change[i] = step
            x[i] = new
            i += U(1)
            if alone:
                break
    return moved, along, square
