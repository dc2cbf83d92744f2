"""Links: how likely a cell of a network is filled and how much it then holds, learnt from cells that are known.

    a cell holds something:  1 / (1 + exp(-(level + slope g)))
    and then x:              exponential, its rate drawn from Gamma(shape, scale exp(pull g)): Pareto's second law

with g the logarithm of what its lender claims times what its borrower owes, less the mean. A network whose links heed
no size has slope = pull = 0, one that is drawn by size has 1; a large shape is exponential amounts, a small one a few
that are far larger than all others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from queries.kernels.compiled import compiled


@compiled
def renew(
    law: Any, prior: Any, x: Any, g: Any, tries: int, random: Any
) -> None:  # pragma: no cover - machine code, as all below
    """Moves (level, slope, log shape, log scale, pull) one at a time (Metropolis), given known amounts x of sizes g.

    `prior` is the middle and the width of each.
    """
    now = believed(law, prior) + told(law, x, g)
    for attempt in range(tries * len(law)):
        one = attempt % len(law)
        before = law[one]
        law[one] += random.standard_normal() * 10.0 ** (-1.5 * random.random())
        then = believed(law, prior) + told(law, x, g)
        if np.log(random.random()) < then - now:
            now = then
        else:
            law[one] = before


@compiled
def believed(law: Any, prior: Any) -> float:  # pragma: no cover
    """Logarithm of the prior: logistic for the level, so that every density is as likely; normal for the others."""
    level = abs(law[0] - prior[0, 0]) / prior[1, 0]
    total = -level - 2 * np.log1p(np.exp(-level))
    for one in range(1, len(law)):
        total -= 0.5 * ((law[one] - prior[0, one]) / prior[1, one]) ** 2
    return float(total)


@compiled
def told(law: Any, x: Any, g: Any) -> float:  # pragma: no cover
    """Logarithm of the likelihood of the known cells, empty ones too."""
    total, shape = 0.0, np.exp(law[2])
    for k in range(len(x)):
        score = law[0] + law[1] * g[k]
        score = score if x[k] > 0 else -score
        total += min(score, 0.0) - np.log1p(np.exp(-abs(score)))
        if x[k] > 0:
            scale = law[3] + law[4] * g[k]
            total += law[2] + shape * scale - (shape + 1) * np.log(np.exp(scale) + x[k])
    return float(total)


@compiled
def rated(board: Any, shape: float, scale: Any, odds: Any, random: Any) -> None:  # pragma: no cover
    """Draw the rate of every free cell given what it holds, and weigh its being empty: `odds` of it over the rate."""
    for i in range(board.x.shape[0]):
        for j in range(board.x.shape[1]):
            if board.free[i, j]:
                x = board.x[i, j]
                drawn = random.standard_gamma(shape + 1.0 if x > 0 else shape) / (scale[i, j] + x)
                board.rate[i, j] = max(drawn, 1e-300)
                board.empty[i, j] = odds[i, j] / board.rate[i, j]
