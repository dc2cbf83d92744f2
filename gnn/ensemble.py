"""Several models as one: log odds weighed by what they were worth on validation, and how far the members disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from gnn.calibrate import losses
from gnn.evaluate import bootstrap
from kg.errors import ModelError

PULL: Final = 1.0
"""How strongly the weights are drawn to equal shares, in pseudo-observations of squared distance."""


def odds(probability: np.ndarray) -> np.ndarray:
    """Log odds, kept finite."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    found: np.ndarray = np.log(p / (1 - p))
    return found


@dataclass(frozen=True)
class Stack:
    """P = sigmoid(sum_m w_m odds_m), w_m >= 0 (stacking, Wolpert 1992; Breiman 1996 for the sign).

    A member that turned against the rest gets weight 0, never a negative one. The weights need not sum to one: members
    that see different things are surer together, so joining and calibrating is one step. There is no constant: members
    are calibrated, and one more number learned on few outcomes would carry their rate into a time that has another.
    """

    members: tuple[str, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, validation: Mapping[str, np.ndarray], truth: np.ndarray) -> Stack:
        """Weights of least log loss on the members' probabilities ahead of time.

        Equal weights where only one outcome was seen.
        """
        if not validation:
            raise ModelError("an ensemble of no members; give at least one")
        names, x = tuple(validation), np.stack([odds(p) for p in validation.values()])
        equal = np.full(len(names), 1 / len(names))
        if not 0 < truth.sum() < len(truth):
            return cls(names, tuple(equal.tolist()))

        def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
            z, off = weights @ x, weights - equal
            value = np.logaddexp(0, z).sum() - truth @ z + PULL * off @ off / 2
            return float(value), x @ (1 / (1 + np.exp(-z)) - truth) + PULL * off

        found = minimize(loss, equal, jac=True, bounds=[(0.0, None)] * len(names), method="L-BFGS-B").x
        return cls(names, tuple(found.tolist()))

    def __call__(self, probability: Mapping[str, np.ndarray]) -> np.ndarray:
        """Probabilities of the whole from those of its members."""
        x = np.stack([odds(probability[name]) for name in self.members])
        found: np.ndarray = 1 / (1 + np.exp(-(np.array(self.weights) @ x)))
        return found


def disagreement(probability: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n,) standard deviation of the members' probabilities: 0 where all say the same."""
    found: np.ndarray = np.stack(list(probability.values())).std(0)
    return found


def standing(what: str, members: Mapping[str, np.ndarray], whole: np.ndarray, truth: np.ndarray) -> str:
    """The ensemble beside its best member on the test's log loss in words, a loss said as plainly as a win."""
    name, own = min(((name, losses(truth, p)) for name, p in members.items()), key=lambda one: float(one[1].mean()))
    gap = own - losses(truth, whole)
    low, high = bootstrap(gap, 0, 300)
    word = "ties with" if gap.mean() == 0 else "stands beside" if gap.mean() > 0 else "falls behind"
    sure = "" if low > 0 or high < 0 else "; the interval holds 0, so this may be chance"
    return (
        f"{what}: the ensemble of {', '.join(members)} {word} its best member, {name}, by log loss "
        f"({losses(truth, whole).mean():.4f} against {own.mean():.4f}; gain {low:+.4f} to {high:+.4f}){sure}."
    )
