"""Thresholds: from which score on a triple is called true, told relation by relation from validation triples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kg.errors import ModelError


@dataclass(frozen=True)
class Thresholds:
    """The cut of each relation that calls most validation triples rightly (Socher et al. 2013)."""

    overall: float
    """For relations that validation does not have."""
    each: dict[int, float]

    @classmethod
    def fit(cls, relations: np.ndarray, score: np.ndarray, truth: np.ndarray) -> Thresholds:
        """Learn from scored triples. ModelError if they are all true or all wrong: that tells no threshold."""
        if not len(truth) or truth.min() == truth.max():
            raise ModelError("thresholds need validation triples of both kinds; expected true ones and wrong ones")
        if not np.isfinite(score).all():
            raise ModelError("thresholds need finite scores; the model gave some that are no numbers: train it again")
        own = {int(r): best(score[relations == r], truth[relations == r]) for r in np.unique(relations)}
        return cls(best(score, truth), own)

    def __call__(self, relations: np.ndarray, score: np.ndarray) -> np.ndarray:
        """(triples,) bool: which are called true."""
        found: np.ndarray = score > np.array([self.each.get(int(r), self.overall) for r in relations])
        return found


def best(score: np.ndarray, truth: np.ndarray) -> float:
    """The cut with most right calls, halfway between two scores; of equal ones the lowest."""
    order = np.argsort(score, kind="stable")
    values, right = score[order], truth[order] > 0
    # cut k calls the k lowest wrong: what is right then is the wrong ones below and the true ones above
    calls = np.append(0, np.cumsum(~right)) + right.sum() - np.append(0, np.cumsum(right))
    between = np.append(True, np.append(values[1:] > values[:-1], True))
    cut = int(np.argmax(np.where(between, calls, -1)))
    if cut == 0:
        return float(values[0]) - 1.0
    return float(values[-1]) + 1.0 if cut == len(values) else float(values[cut - 1] + values[cut]) / 2


def verdict(truth: np.ndarray, called: np.ndarray) -> dict[str, float]:
    """Accuracy, precision, recall and F1 of calls; a figure that divides by nothing is NaN."""
    truth = truth > 0
    hits, named, true = float((truth & called).sum()), float(called.sum()), float(truth.sum())
    return {
        "accuracy": float((truth == called).mean()) if len(truth) else float("nan"),
        "precision": hits / named if named else float("nan"),
        "recall": hits / true if true else float("nan"),
        "f1": 2 * hits / (named + true) if named + true else float("nan"),
    }
