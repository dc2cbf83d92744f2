"""Draws: many scenarios of joint failure from probabilities of default, and the distribution of what they cost.

Firm i fails in a scenario where sqrt(rho) Z + sqrt(1 - rho) e_i < N^-1(PD_i), with one common factor Z (Vasicek, "The
distribution of loan portfolio value", Risk, 2002). Every scenario draws from a stream of its own, named by seed and
number, so the answer does not depend on how many are computed at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.measure import RiskMeasure
from queries.scenario import Shocks

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """What many scenarios cost."""

    ids: tuple[str, ...]
    unit: str
    total: Floats
    """(scenarios,) lost by everyone."""
    failures: NDArray[np.int64]
    """(scenarios,) how many fail at once, before contagion."""
    mean: Floats
    """(n,) mean loss of each."""
    direct: float
    """Mean of what is lost without contagion."""

    def at(self, level: float) -> tuple[float, float]:
        """Value at risk and expected shortfall of the total at a level such as 0.99 (Acerbi, Tasche 2002)."""
        if not 0 < level < 1:
            raise MeasureError(f"a level is a share between 0 and 1, such as 0.99, not {level}")
        ranked, n = np.sort(self.total), len(self.total)
        place = min(int(np.ceil(level * n - 1e-9)), n) - 1
        var, tail = float(ranked[place]), n * (1 - level)
        above = ranked[place + 1 :]
        return var, float((above.sum() + (tail - len(above)) * var) / tail)


def failing(probability: Floats, rho: float, seed: int, numbers: range) -> NDArray[np.bool_]:
    """(scenarios, n) who fails in the scenarios of these numbers."""
    p = np.asarray(probability, float)
    if not ((p >= 0) & (p <= 1)).all():
        raise MeasureError("a probability of default is a number from 0 to 1; look at the scores, or give others")
    if not 0 <= rho < 1:
        raise MeasureError(f"rho is the correlation of firms' fortunes, at least 0 and below 1, not {rho}")
    limit = ndtri(p)
    found = np.zeros((len(numbers), len(p)), bool)
    for row, number in enumerate(numbers):
        drawn = np.random.default_rng([seed, number]).standard_normal(len(p) + 1)
        found[row] = np.sqrt(rho) * drawn[0] + np.sqrt(1 - rho) * drawn[1:] < limit
    return found


def simulate(
    measure: RiskMeasure,
    exposures: Exposures,
    probability: Floats,
    rho: float = 0.2,
    *,
    draws: int = 1_000,
    seed: int = 0,
    block: int = 64,
) -> Distribution:
    """Losses over `draws` scenarios; the same for any block size."""
    if draws < 1 or block < 1:
        raise MeasureError(f"draws and block are numbers of at least 1, not {draws} and {block}")
    loss, own = np.zeros((draws, len(exposures))), np.zeros(draws)
    count, unit = np.zeros(draws, np.int64), exposures.currency
    for start in range(0, draws, block):
        part = range(start, min(start + block, draws))
        failed = failing(probability, rho, seed, part)
        found = measure.spread(exposures, Shocks.of(exposures, failed.astype(float), "default"))
        loss[part.start : part.stop], own[part.start : part.stop] = found.loss, found.direct.sum(axis=1)
        count[part.start : part.stop], unit = failed.sum(axis=1), found.unit
    return Distribution(exposures.ids, unit, loss.sum(axis=1), count, loss.mean(axis=0), float(own.mean()))
