"""How far a score may still move when the modalities that a firm lacks come in.

A head answers for any subset of modalities, but it says less with less. The margin around its log odds is Mondrian
split conformal (Vovk, Gammerman and Shafer 2005; Lei et al. 2018), calibrated for each pattern of present modalities on
firms that have all of them, with the others hidden:

    miss_i(S) = max_m | mean_m' l_m'(x_i | S) - l_m(x_i | all) |      members m of an ensemble, log odds l
    width(S)  = the ceil((n + 1) coverage)-th smallest miss of pattern S, and no less than that of any pattern with more

So the interval holds what every member would say with everything known for `coverage` of the firms, for each pattern
by itself. With all modalities it is the disagreement of the members; each one missing adds what was lost with it. It is
about what is not known of the firm, not about chance: an outcome is still a draw with the probability it speaks of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil

import numpy as np

from gnn.head import Cohort, Head, logit
from kg.errors import ModelError

Pattern = frozenset[str]
"""The modalities that are there."""


def subsets(names: Sequence[str]) -> list[Pattern]:
    """Every subset, those with more modalities first."""
    return [frozenset(some) for size in range(len(names), -1, -1) for some in combinations(sorted(names), size)]


def shown(cohort: Cohort, modalities: Pattern) -> Cohort:
    """The same firms with all other modalities hidden."""
    kept = [name for name in cohort.graph.features if name in modalities]
    return replace(cohort, graph=cohort.graph.only(kept))


def log_odds(heads: Sequence[Head], cohort: Cohort) -> np.ndarray:
    """(heads, firms) log odds of the members of an ensemble."""
    p = np.clip(np.stack([head.predict(cohort) for head in heads]), 1e-9, 1 - 1e-9)
    odds: np.ndarray = np.log(p / (1 - p))
    return odds


@dataclass(frozen=True)
class Margins:
    """Half the width of the interval around the mean log odds of an ensemble, by pattern."""

    names: tuple[str, ...]
    coverage: float
    width: Mapping[Pattern, float]
    """Infinite where there were too few firms to promise the coverage."""

    @classmethod
    def of(cls, heads: Sequence[Head], cohort: Cohort, names: Sequence[str], coverage: float = 0.9) -> Margins:
        """Calibrated on the firms of a cohort, none of them learned from, that have all modalities `names`."""
        if not 0.0 < coverage < 1.0 or not heads or not names:
            raise ModelError(
                f"margins of {len(heads)} heads, {len(names)} modalities and coverage {coverage}: "
                "give at least one of each, and a coverage between 0 and 1"
            )
        whole = cohort.graph.present(names)[cohort.rows].all(1).numpy()
        target = log_odds(heads, cohort)[:, whole]
        raw: dict[Pattern, float] = {}
        for pattern in subsets(names):
            seen = log_odds(heads, shown(cohort, pattern))[:, whole].mean(0)
            raw[pattern] = quantile(np.abs(seen - target).max(0), coverage)
        return cls(tuple(sorted(names)), coverage, widened(raw))

    def interval(self, heads: Sequence[Head], cohort: Cohort) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(firms,) probability and the low and high end of its interval, each firm with the modalities it has."""
        middle = log_odds(heads, cohort).mean(0)
        present = cohort.graph.present(self.names)[cohort.rows].numpy()
        width = np.array([self.width[frozenset(np.array(self.names)[row].tolist())] for row in present])
        return _probability(middle), _probability(middle - width), _probability(middle + width)


@dataclass(frozen=True)
class Span:
    """What gives a published score its range: the members of the ensemble, as fitted on everything, and the margins."""

    heads: tuple[Head, ...]
    margins: Margins

    def ends(self, scale: Callable[[np.ndarray], np.ndarray], cohort: Cohort, said: np.ndarray) -> list[np.ndarray]:
        """(firms,) low and high end as calibrated; the score itself always lies between them."""
        _, low, high = (scale(logit(p)) for p in self.margins.interval(self.heads, cohort))
        return [np.minimum(low, said), np.maximum(high, said)]


def quantile(misses: np.ndarray, coverage: float) -> float:
    """The ceil((n + 1) coverage)-th smallest; infinite where n is too small for that rank to exist."""
    rank = ceil((len(misses) + 1) * coverage)
    return float(np.sort(misses)[rank - 1]) if rank <= len(misses) else float("inf")


def widened(raw: Mapping[Pattern, float]) -> dict[Pattern, float]:
    """No pattern is narrower than one that holds more: to know less is never to be surer."""
    return {own: max(width for other, width in raw.items() if other >= own) for own in raw}


def _probability(odds: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0)))  # type: ignore[no-any-return]  # numpy
