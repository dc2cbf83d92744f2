"""Whether an attribution is faithful: take away what it calls important, or give only that, and see the score move.

Deletion and insertion curves (Petsiuk et al. 2018; for edges of a graph, Fidelity of Yuan et al. 2022):

    deletion  = mean over k of  f(all) - f(all less the first k)
    insertion = mean over k of  f(none and the first k) - f(none)

of an order, most important first. Both are greater the better the order is, and are compared with random orders of
the same parts, paired by what is explained. An attribution that does not beat chance explains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gnn.evaluate import bootstrap
from kg.errors import ModelError

Kept = Callable[[np.ndarray], float]
"""The score when only some parts, (parts,) bool, are there."""


@dataclass(frozen=True)
class Areas:
    """How far the score falls and rises along an order."""

    deletion: float
    insertion: float


@dataclass(frozen=True)
class Faithfulness:
    """Areas of an attribution less those of random orders, mean over what was explained with its 95 % interval."""

    deletion: float
    deletion_interval: tuple[float, float]
    insertion: float
    insertion_interval: tuple[float, float]
    count: int

    @property
    def holds(self) -> bool:
        """True where both curves beat chance beyond the interval."""
        return self.deletion_interval[0] > 0 and self.insertion_interval[0] > 0


def areas(score: Kept, order: np.ndarray, points: int = 10) -> Areas:
    """Both areas of an order of parts, measured at up to `points` shares of them."""
    count = len(order)
    if not count:
        raise ModelError("a curve needs at least one part to take away; nothing is near what was to be explained")
    steps = np.unique(np.linspace(0, count, min(points, count) + 1).round().astype(int))[1:]
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    full, empty = score(np.ones(count, dtype=bool)), score(np.zeros(count, dtype=bool))
    fall = [full - score(place >= k) if k < count else full - empty for k in steps]
    rise = [score(place < k) - empty if k < count else full - empty for k in steps]
    return Areas(float(np.mean(fall)), float(np.mean(rise)))


def chance(score: Kept, count: int, seed: int, draws: int = 3, points: int = 10) -> Areas:
    """Mean areas of random orders."""
    draw = np.random.default_rng(seed)
    found = [areas(score, draw.permutation(count), points) for _ in range(draws)]
    return Areas(float(np.mean([one.deletion for one in found])), float(np.mean([one.insertion for one in found])))


def faithfulness(
    cases: Sequence[tuple[Kept, np.ndarray]], seed: int = 0, draws: int = 3, points: int = 10
) -> Faithfulness:
    """How far attributions beat chance. A case is a score of kept parts and the attribution (parts,) to be tested."""
    gaps = []
    for number, (score, value) in enumerate(cases):
        own = areas(score, np.argsort(-value, kind="stable"), points)
        other = chance(score, len(value), seed + number, draws, points)
        gaps.append((own.deletion - other.deletion, own.insertion - other.insertion))
    table = np.array(gaps).reshape(-1, 2)
    mean = table.mean(0) if len(table) else np.full(2, np.nan)
    return Faithfulness(
        float(mean[0]), bootstrap(table[:, 0], seed), float(mean[1]), bootstrap(table[:, 1], seed), len(table)
    )
