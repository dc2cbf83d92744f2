"""Ensemble: many networks that all have the margins and the disclosed cells, drawn as chance would make them.

A cell holds nothing with probability 1 - p and an exponential amount of rate lambda otherwise; networks are drawn from
this given the margins, by a Gibbs sampler over cycles (Gandy, Veraart, "A Bayesian methodology for systemic risk
assessment in financial networks", Management Science 63(12), 2017). Along a cycle of 2k cells, amounts go up and down
by one Delta in turn, so every row and column keeps its sum. Delta is even between the ends where some cell reaches 0,
and each end has the weight (1 - p) / (p lambda) of its one empty cell; an end with several empty cells takes all.
lambda = p x free cells / total, so that the mean amount fits the margins.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.reconstruct.entropy import maximum_entropy
from queries.reconstruct.margins import Margins

Floats = NDArray[np.float64]
DENSITY = 0.5
"""Probability of a link before the margins are known. Few networks are sparser than a tree of 2 n - 1 links."""
BURN = 20
"""Sweeps before the first draw; one sweep is as many cycles as there are free cells."""
SWEEPS = 3
"""Sweeps between one draw and the next."""
LONGEST = 6
"""Most rows in a cycle."""
Cells = list[tuple[int, int]]


def networks(
    margins: Margins, draws: int, *, density: float = DENSITY, seed: int = 0, sweeps: int = SWEEPS
) -> Iterator[Floats]:
    """`draws` networks (n, n), `sweeps` sweeps apart; the same seed gives the same ones.

    `density` is the probability p of a link before the margins are known.
    """
    if draws < 1 or sweeps < 1 or not 0 < density <= 1:
        raise MeasureError(
            f"draws {draws}, sweeps {sweeps}, density {density}: expected at least 1, at least 1, above 0 up to 1"
        )
    walk = _Walk(margins, density, seed)
    walk.sweep(BURN)
    for _ in range(draws):
        walk.sweep(sweeps)
        yield walk.claims()


class _Walk:
    """The sampler's state: the free part of the network as it is now."""

    def __init__(self, margins: Margins, density: float, seed: int) -> None:
        self._margins, self._random = margins, np.random.default_rng(seed)
        start = maximum_entropy(margins) - margins.fixed
        self._cells: list[list[float]] = np.where(margins.free, start, 0.0).tolist()
        self._free: list[list[bool]] = margins.free.tolist()
        self._rows, self._columns = (np.flatnonzero(margins.free.any(axis=axis)) for axis in (1, 0))
        count, total = int(margins.free.sum()), float(start.sum())
        self._steps = count
        self._empty = (1 - density) / (density * density * count / total) if count else 0.0
        """Weight of an end at which one cell is empty, beside the length of the way between the ends."""

    def claims(self) -> Floats:
        """The whole network, disclosed cells included."""
        return np.asarray(self._margins.fixed + np.array(self._cells, float).reshape(self._margins.fixed.shape), float)

    def sweep(self, times: int) -> None:
        """As many cycles as there are free cells, so many times."""
        most = min(len(self._rows), len(self._columns), LONGEST)
        if most < 2:
            return
        for size in self._random.integers(2, most + 1, times * self._steps).tolist():
            rows = self._random.permutation(self._rows)[:size].tolist()
            columns = self._random.permutation(self._columns)[:size].tolist()
            up = list(zip(rows, columns, strict=True))
            down = list(zip(rows, columns[1:] + columns[:1], strict=True))
            if all(self._free[i][j] for i, j in up) and all(self._free[i][j] for i, j in down):
                self._turn(up, down)

    def _turn(self, up: Cells, down: Cells) -> None:
        """Draw Delta for one cycle and apply it."""
        cells = self._cells
        low, high = min(cells[i][j] for i, j in up), min(cells[i][j] for i, j in down)
        if low + high <= 0:
            return
        many = sum(cells[i][j] == low for i, j in up), sum(cells[i][j] == high for i, j in down)
        if max(many) > 1:
            ends = (float(many[0] >= many[1]), float(many[1] >= many[0]), 0.0)
        else:
            ends = (self._empty, self._empty, low + high)
        pick = self._random.random() * sum(ends)
        if pick < ends[0]:
            self._shift(up, down, -low)
        elif pick < ends[0] + ends[1]:
            self._shift(up, down, high)
        else:
            self._shift(up, down, self._random.random() * (low + high) - low)

    def _shift(self, up: Cells, down: Cells, delta: float) -> None:
        """Rounding may leave the emptied cell a hair off 0: it is set to 0 outright."""
        cells = self._cells
        for part, change in ((up, delta), (down, -delta)):
            least = min(cells[i][j] for i, j in part) if change < 0 else -1.0
            for i, j in part:
                emptied = change < 0 and cells[i][j] == least and -change >= least
                cells[i][j] = 0.0 if emptied else max(cells[i][j] + change, 0.0)
