"""Fixed points of many scenarios at a time: eight stand side by side, so that an edge is read once for all of them.

Each of the eight is swept, leaps and settles by itself as one alone does (queries/kernels/fixed.py), operation by
operation, so it has the same bits whoever stands beside it. Where one has settled, the next takes its lane.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from queries.kernels.compiled import compiled
from queries.kernels.fixed import SETTLED, SWEEPS, Course, Fixed, Floats, fed, greatest, least, placed
from queries.kernels.rows import Rows
from queries.kernels.vector import relax_kernel

LANES = 8
"""Scenarios side by side: as many float64 as fill a vector of the processor and a line of its cache."""


def least_each(
    rows: Rows, bases: Floats, gain: Floats, cap: float = 1.0, settled: float = SETTLED, most: int = SWEEPS
) -> list[Fixed]:
    """What `least` gives for each of the (scenarios, nodes) bases, to the bit."""
    if len(bases) == 1 or rows.amount.dtype != np.float64:
        return [least(rows, base, gain, cap, settled, most) for base in bases]
    return _Lanes(rows, gain, cap, False).run(bases, settled, most)


def greatest_each(
    rows: Rows, bases: Floats, gain: Floats, cap: float = 1.0, settled: float = SETTLED, most: int = SWEEPS
) -> list[Fixed]:
    """What `greatest` gives for each of the (scenarios, nodes) bases, to the bit."""
    if len(bases) == 1 or rows.amount.dtype != np.float64:
        return [greatest(rows, base, gain, cap, settled, most) for base in bases]
    return _Lanes(rows, gain, cap, True).run(bases, settled, most)


class _Lanes:
    """Eight scenarios side by side, from the cap downwards or from the base upwards."""

    def __init__(self, rows: Rows, gain: Floats, cap: float, falling: bool) -> None:
        self.rows, self.cap, self.falling, self.given = rows, cap, falling, gain
        self.gain = rows.placed(gain)
        shape = (rows.places, LANES)
        self.base, self.x, self.change = (np.zeros(shape, self.gain.dtype) for _ in range(3))
        self.top = rows.placed(np.full(rows.nodes, cap))
        self.courses: dict[int, tuple[int, Course]] = {}
        """Number of the scenario in each lane that is taken, and how it moves."""
        self.free: dict[int, NDArray[np.bool_]] = {}
        """Who may leap, in lanes that fall and have leapt."""
        self.all = np.ones(rows.places, bool)
        self.based = np.zeros(rows.places, np.uint8)
        """Lanes with a base above 0: a shock hits few, and where it hits nobody no base is read."""
        self.hit = [np.empty(0, np.int64)] * LANES
        """Places with a base above 0, by lane."""

    def run(self, bases: Floats, settled: float, most: int) -> list[Fixed]:
        """Each to its end; the next waiting one takes the lane of one that is done."""
        found: dict[int, Fixed] = {}
        waiting = iter(range(len(bases)))
        for lane in range(LANES):
            self._enter(lane, waiting, bases)
        while self.courses:
            moved, along, square = self._sweep()
            for lane, (scenario, course) in list(self.courses.items()):
                course.sweeps += 1
                rest = float(moved[lane])
                if rest <= settled or course.sweeps == most:
                    x = self.rows.by_node(self.x[:, lane])
                    found[scenario] = Fixed(x, course.sweeps, course.leaps, rest, rest <= settled)
                    self._enter(lane, waiting, bases)
                elif far := course.leap(float(along[lane]), float(square[lane])):
                    self._leap(lane, far)
        return [found[scenario] for scenario in range(len(bases))]

    def _enter(self, lane: int, waiting: Iterator[int], bases: Floats) -> None:
        """The next scenario takes a lane; if none waits, zeros do, which stay so."""
        self.courses.pop(lane, None)
        self.free.pop(lane, None)
        scenario = next(waiting, None)
        if scenario is None:
            base = start = np.zeros(self.rows.places)
        else:
            base, _ = placed(self.rows, bases[scenario], self.given)
            start = self.top if self.falling else base
            self.courses[lane] = scenario, Course()
        self.base[self.hit[lane], lane] = 0
        self.based[self.hit[lane]] -= 1
        hit = self.hit[lane] = np.flatnonzero(base)
        self.base[hit, lane] = base[hit]
        self.based[hit] += 1
        _begin(start, self.cap, self.x, self.change, lane)

    def _leap(self, lane: int, far: float) -> None:
        if self.falling and lane not in self.free:
            self.free[lane] = fed(self.rows, np.ascontiguousarray(self.base[:, lane]), self.gain)
        _leap(self.x, self.change, self.free.get(lane, self.all), far, self.cap, lane)

    def _sweep(self) -> tuple[Floats, Floats, Floats]:
        """Largest change of each lane, and its product with the change before and with itself."""
        rows, told = self.rows, np.zeros((3, LANES), self.x.dtype)
        layout = (rows.starts, rows.slices, rows.index, rows.amount)
        relax_kernel(LANES)(*layout, self.base, self.based, self.gain, self.cap, self.x, self.change, told)
        return told[0], told[1], told[2]


@compiled
def _begin(start: Any, cap: float, x: Any, change: Any, lane: int) -> None:  # pragma: no cover - machine code
    for place in range(len(start)):
        x[place, lane] = min(start[place], cap)
        change[place, lane] = 0


@compiled
def _leap(x: Any, change: Any, free: Any, far: float, cap: float, lane: int) -> None:  # pragma: no cover - machine code
    """What a leap adds to one lane, in place."""
    for place in range(len(free)):
        step = change[place, lane] if free[place] else 0.0
        x[place, lane] = min(max(x[place, lane] + step * far, 0.0), cap)
        change[place, lane] = 0
