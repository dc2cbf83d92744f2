"""Law: what is believed of links before a network is drawn, and what disclosed cells say of it.

How dense the network is, how much links and amounts heed the size of both ends, and how unequal amounts are, nobody
knows from sums alone. Each has a wide prior, and disclosed cells, empty ones too, move it (`queries.kernels.links`).
The sums do not: sizes are made of them, so a law that merely repeats the sums would be believed for it, and every
network would come out dense. So the density is drawn first, every one as likely as another, and the network given the
density and the sums.

Beside size, some deal with more others than their size tells, and some kinds with some kinds: chances get effects

    score_ij = level + slope g_ij + spread (a_i + b_j + u_i v_j)

of normal a, b, u, v (Hoff, "Bilinear mixed-effects models for dyadic data", JASA 100(469), 2005), with slope 1 the
fitness model of Cimini, Squartini, Garlaschelli, Gabrielli, "Systemic risk analysis on reconstructed economic and
financial networks", Scientific Reports 5, 2015. Priors over such laws given the sums: Gandy, Veraart, "Adjustable
network reconstruction with applications to CDS exposures", Journal of Multivariate Analysis 172, 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from queries.kernels.links import renew

Floats = NDArray[np.float64]

PRIOR = np.array(
    [
        [0.0, 0.5, np.log(2.0), 0.0, 0.5],  # middle of level, slope, log shape, log scale, pull
        [1.0, 0.5, 1.0, 2.0, 0.5],  # and width: density even from 0 to 1; slope and pull between 0 and 1, most likely
    ]
)
SPREAD = 1.0
"""Width of the prior of `spread`, which is normal from 0 upwards."""
FIRST, BETWEEN = 200, 60
"""Moves of each number before the first law, and between one and the next."""
FAR = 40.0
"""Scores beyond this are certain."""


@dataclass(frozen=True)
class Law:
    """One way links may be."""

    level: float
    slope: float
    shape: float
    pull: float
    spread: float

    def chance(self, g: Floats, free: NDArray[np.bool_], random: np.random.Generator) -> Floats:
        """(rows, columns) of a link, for sizes g; the random effects leave the mean over free cells as it is."""
        lends, borrows, trait, sought = (random.standard_normal(size) for size in (*g.shape, *g.shape))
        fixed = self.level + self.slope * g
        want = float(expit(fixed[free]).mean())
        score = fixed + self.spread * (lends[:, None] + borrows[None, :] + np.outer(trait, sought))
        return self._with_mean(score, free, want)

    @staticmethod
    def _with_mean(score: Floats, free: NDArray[np.bool_], want: float) -> Floats:
        from scipy.optimize import brentq

        if not 0 < want < 1:
            return np.full(score.shape, want)
        middle = float(logit(want) - score[free].mean())
        reach = FAR + float(np.abs(score[free]).max())
        shift = brentq(lambda by: expit(score[free] + by).mean() - want, middle - reach, middle + reach, xtol=1e-9)
        return np.asarray(expit(score + shift), float)


def laws(count: int, known: Floats, known_g: Floats, density: float | None, random: np.random.Generator) -> list[Law]:
    """So many laws given the known amounts (over the mean of a free cell); `density` is one that is certain."""
    numbers, found = PRIOR[0].copy(), []
    for one in range(count):
        renew(numbers, PRIOR, known, known_g, BETWEEN if one else FIRST, random)
        level, slope, shape, _, pull = numbers.tolist()
        found.append(Law(level, slope, float(np.exp(shape)), pull, SPREAD * abs(float(random.standard_normal()))))
    if density is not None:
        sure = float(np.clip(logit(density), -FAR, FAR))
        return [Law(sure, 0.0, law.shape, law.pull, law.spread) for law in found]
    return found


def neighbours(found: list[Law]) -> list[Law]:
    """The same, so that each is near the one before: from the middle to the densest and over the sparsest back."""
    ranked = sorted(found, key=lambda law: law.level)
    circle = ranked[0::2] + ranked[1::2][::-1]
    start = circle.index(ranked[len(ranked) // 2])
    return circle[start:] + circle[:start]
