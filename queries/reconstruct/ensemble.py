"""Ensemble: many networks that all have the margins and the disclosed cells, drawn as chance would make them.

Each network is drawn by a law of links of its own (`queries.reconstruct.law`): with p_ij the chance of a link and an
exponential amount of rate lambda_ij otherwise, the network is drawn given the margins by a Gibbs sampler over cycles
(Gandy, Veraart, "A Bayesian methodology for systemic risk assessment in financial networks", Management Science 63(12),
2017; `queries.kernels.cycles`). The number of links is drawn first, as the law of p_ij tells it, sum p_ij with variance
sum p_ij (1 - p_ij), and asked for: margins alone would nearly always have more, for there are more ways to place many.
As few as are asked for there may not be: few margins can be had with less than 2 n - 1 links. Rates are
drawn anew as amounts move, lambda_ij ~ Gamma(shape + 1, scale_ij + x_ij), so that amounts have a heavy tail; the scale
is such that amounts of so many links make up the margins.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.kernels.cycles import Board, turns
from queries.kernels.links import rated
from queries.reconstruct.entropy import maximum_entropy
from queries.reconstruct.law import Law, laws, neighbours
from queries.reconstruct.margins import Margins

Floats = NDArray[np.float64]
SWEEPS = 30
"""Sweeps from one network to the next, each with new rates."""
CYCLES = 3
"""Cycles of a sweep, in free cells."""
BURN = 3
"""As many times more before the first network."""
NEAR = 0.5
"""Variance of the number of links about the one that is asked for."""
FOLLOWING = 0.5
"""Share of the cycles that follow links."""


def networks(
    margins: Margins, draws: int, *, density: float | None = None, seed: int = 0, sweeps: int = SWEEPS
) -> Iterator[Floats]:
    """`draws` networks (n, n); the same seed gives the same ones.

    `density` is the share of cells that are links, where that is known; None: any.
    """
    if not (density is None or 0 < density <= 1):
        raise MeasureError(f"density {density}: expected the share of pairs that are links, above 0 up to 1")
    if draws < 1 or sweeps < 1:
        raise MeasureError(f"draws {draws}, sweeps {sweeps}: expected at least 1 of each")
    walk = _Walk(margins, seed)
    for place, law in enumerate(neighbours(walk.laws(draws, density))):
        walk.under(law, sweeps if place else BURN * sweeps)
        yield walk.claims()


class _Walk:
    """The sampler's state: the free part of the network as it is now, in units of the mean of a free cell."""

    def __init__(self, margins: Margins, seed: int) -> None:
        self._margins, self._random = margins, np.random.default_rng(seed)
        start = np.where(margins.free, maximum_entropy(margins) - margins.fixed, 0.0)
        rows, columns = (np.flatnonzero(margins.free.any(axis=axis)) for axis in (1, 0))
        self._part = np.ix_(rows, columns)
        self._free = np.ascontiguousarray(margins.free[self._part])
        self._count = int(self._free.sum())
        self._unit = float(start.sum()) / self._count if start.any() else 1.0
        self._board = Board.of(start[self._part] / self._unit, self._free)
        with np.errstate(divide="ignore"):
            sizes = np.log(margins.assets)[:, None] + np.log(margins.liabilities)[None, :]
        others = ~np.eye(len(margins), dtype=bool) & np.isfinite(sizes)
        self._known = others & ~np.isnan(margins.known)
        self._sizes = sizes - (sizes[others].mean() if others.any() else 0.0)

    def laws(self, count: int, density: float | None) -> list[Law]:
        """Laws of links as the disclosed cells have them."""
        known = np.asarray(self._margins.fixed[self._known] / self._unit, float)
        return laws(count, known, self._sizes[self._known], density, self._random)

    def claims(self) -> Floats:
        """The whole network, disclosed cells included."""
        made = self._margins.fixed.copy()
        made[self._part] += self._board.x * self._unit
        return made

    def under(self, law: Law, sweeps: int) -> None:
        """Walk so many sweeps under the law."""
        if not self._count:
            return
        g, free, board = self._sizes[self._part], self._free, self._board
        chance = law.chance(g, free, self._random)
        sure = np.where(free, chance, 0.0)
        deviation = float(np.sqrt((sure * (1 - sure)).sum()))
        links = sure.sum() + deviation * self._random.standard_normal()
        board.aim[:] = np.clip(links, 0, self._count), NEAR
        weight = np.exp(law.pull * np.where(free, g, 0.0))
        mean = self._count / max(float((sure * weight).sum()), 1e-300)
        scale = np.maximum(weight * mean * max(law.shape - 1, 0.5), 1e-300)
        odds = (1 - chance) / np.maximum(chance, 1e-300)
        for _ in range(sweeps):
            rated(board, law.shape, scale, odds, self._random)
            turns(board, CYCLES * self._count, FOLLOWING, self._random)
