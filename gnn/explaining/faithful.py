"""Whether an attribution is faithful: take away what it calls important, or give only that, and see the score move.

Deletion and insertion curves (Petsiuk et al. 2018; for edges of a graph, Fidelity of Yuan et al. 2022):

    deletion  = mean over k of  f(all) - f(all less the first k)
    insertion = mean over k of  f(none and the first k) - f(none)

of an order, most important first. Both are greater the better the order is, and are compared with random orders of
the same parts, paired by what is explained. An attribution that does not beat chance explains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Final

import numpy as np

from gnn.evaluate import bootstrap
from kg.errors import ModelError

FEW: Final = 10
"""Fewer explained items give no verdict: an interval over a handful is a guess."""
Kept = Callable[[np.ndarray], float]
"""The score when only some parts, (parts,) bool, are there."""


@dataclass(frozen=True)
class Areas:
    """How far the score falls and rises along an order."""

    fall: tuple[float, ...]
    """What the score has lost at each of the shares that were taken away."""
    rise: tuple[float, ...]
    """What it has gained at each of the shares that were given."""

    @property
    def deletion(self) -> float:
        return float(np.mean(self.fall))

    @property
    def insertion(self) -> float:
        return float(np.mean(self.rise))


@dataclass(frozen=True)
class Faithfulness:
    """Areas of an attribution less those of random orders, mean over what was explained with its 95 % interval."""

    deletion: float
    deletion_interval: tuple[float, float]
    insertion: float
    insertion_interval: tuple[float, float]
    count: int
    curve: tuple[Mapping[str, float], ...] = ()
    """Both curves beside those of chance, mean over what was explained: a row for each share of the parts."""

    @property
    def holds(self) -> bool:
        """True where both curves beat chance beyond the interval."""
        return self.deletion_interval[0] > 0 and self.insertion_interval[0] > 0

    @property
    def additive(self) -> bool:
        """True where both curves are the same: the score adds up over the parts, so the second tests nothing new."""
        inner = [row for row in self.curve if row["share"] < 1]
        pairs = [(row["deletion" + by], row["insertion" + by]) for row in inner for by in ("", "_by_chance")]
        return bool(pairs) and all(isclose(one, other, rel_tol=1e-6, abs_tol=1e-6) for one, other in pairs)

    def found(self) -> bool | None:
        """Whether it holds; None where too few were explained to tell."""
        return self.holds if self.count >= FEW else None

    def verdict(self) -> str:
        """The same in words."""
        if self.found() is None:
            return f"Too few to tell: {self.count} explained, a verdict needs {FEW}: give a larger count."
        parts, both = [], "deletion (insertion is the same test, as the score adds up over the parts)"
        for name, mean, (low, high) in (
            (both if self.additive else "deletion", self.deletion, self.deletion_interval),
            ("insertion", self.insertion, self.insertion_interval),
        )[: 1 if self.additive else 2]:
            word = "beats" if low > 0 else "loses to" if high < 0 else "cannot be told from"
            parts.append(f"{name} {word} random orders ({mean:+.3f} log odds, {low:+.3f} to {high:+.3f})")
        told = "Faithful" if self.holds else "NOT shown to be faithful"
        return f"{told}: {' and '.join(parts)}, over {self.count} explained."


def areas(score: Kept, order: np.ndarray, points: int = 10) -> Areas:
    """Both curves of an order of parts, measured at `points` shares of them, rounded to whole parts."""
    count = len(order)
    if not count:
        raise ModelError("a curve needs at least one part to take away; nothing is near what was to be explained")
    steps = steps_of(count, points)
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    full, empty = score(np.ones(count, dtype=bool)), score(np.zeros(count, dtype=bool))
    at: dict[int, tuple[float, float]] = {count: (full - empty, full - empty)}
    for k in sorted({*steps} - {count}):
        at[k] = (full - score(place >= k), score(place < k) - empty)
    return Areas(tuple(at[k][0] for k in steps), tuple(at[k][1] for k in steps))


def steps_of(count: int, points: int) -> list[int]:
    """How many parts are away at each point."""
    steps: list[int] = np.unique(np.linspace(0, count, min(points, count) + 1).round().astype(int))[1:].tolist()
    return steps


def chance(score: Kept, count: int, seed: int, draws: int = 3, points: int = 10) -> Areas:
    """Mean curves of random orders."""
    draw = np.random.default_rng(seed)
    found = [areas(score, draw.permutation(count), points) for _ in range(draws)]
    fall, rise = (np.mean([getattr(one, side) for one in found], axis=0) for side in ("fall", "rise"))
    return Areas(tuple(fall.tolist()), tuple(rise.tolist()))


def faithfulness(
    cases: Sequence[tuple[Kept, np.ndarray]], seed: int = 0, draws: int = 3, points: int = 10
) -> Faithfulness:
    """How far attributions beat chance. A case is a score of kept parts and the attribution (parts,) to be tested."""
    gaps, curves = [], []
    for number, (score, value) in enumerate(cases):
        own = areas(score, np.argsort(-value, kind="stable"), points)
        other = chance(score, len(value), seed + number, draws, points)
        gaps.append((own.deletion - other.deletion, own.insertion - other.insertion))
        curves.append([spread(side, points) for side in (own.fall, other.fall, own.rise, other.rise)])
    table = np.array(gaps).reshape(-1, 2)
    mean = table.mean(0) if len(table) else np.full(2, np.nan)
    drawn = rows(np.mean(curves, axis=0)) if curves else ()
    ends = bootstrap(table[:, 0], seed), bootstrap(table[:, 1], seed)
    return Faithfulness(float(mean[0]), ends[0], float(mean[1]), ends[1], len(table), drawn)


CURVE: Final = ("deletion", "deletion_by_chance", "insertion", "insertion_by_chance")


def spread(values: Sequence[float], points: int) -> np.ndarray:
    """A curve of however many parts at the same shares as all others: straight between its points, from 0."""
    share = np.linspace(0, 1, len(values) + 1)
    found: np.ndarray = np.interp(np.linspace(0, 1, points + 1)[1:], share, [0.0, *values])
    return found


def rows(curves: np.ndarray) -> tuple[Mapping[str, float], ...]:
    """(CURVE, points) as rows with their share."""
    shares = np.linspace(0, 1, curves.shape[1] + 1)[1:].tolist()
    return tuple(
        {"share": share, **dict(zip(CURVE, column, strict=True))}
        for share, column in zip(shares, curves.T.tolist(), strict=True)
    )
