"""Gradient boosting over the columns of transfers, and what each column says in a score."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from gnn.evaluate import auprc
from gnn.model import exact
from gnn.payments.features import Features
from kg.errors import MissingExtraError, ModelError

HINT = "boosting needs scikit-learn; run: pip install 'kgrisk[learn]' (or: pip install scikit-learn)"
ROUNDS: Final = 160
EVERY: Final = 10


@dataclass(frozen=True)
class Boost:
    """Histogram gradient boosting (Ke et al. 2017, as in scikit-learn), cut at the round that did best later on."""

    model: Any
    names: tuple[str, ...]
    rounds: int

    @classmethod
    def fit(cls, train: Features, truth: np.ndarray, valid: Features, later: np.ndarray, seed: int = 0) -> Boost:
        """Classes weigh alike; the number of rounds is the one with the best AUPRC on `valid`, a later part."""
        try:
            from sklearn.ensemble import HistGradientBoostingClassifier
        except ImportError as error:
            raise MissingExtraError(HINT) from error
        model = HistGradientBoostingClassifier(
            max_iter=ROUNDS, learning_rate=0.08, max_leaf_nodes=24, min_samples_leaf=30, l2_regularization=5.0,
            class_weight="balanced", early_stopping=False, random_state=seed,
        )  # fmt: skip
        with exact(1):
            dead = np.isnan(train.values).all(0)  # a column without any value cannot be binned, nor ever split
            model.fit(np.where(dead, 0.0, train.values), truth)
            staged = list(model.staged_decision_function(valid.values))[EVERY - 1 :: EVERY]
        found = [auprc(later, np.asarray(score).ravel()) for score in staged]
        return cls(model, train.names, EVERY * (int(np.argmax(found)) + 1))

    def score(self, features: Features) -> np.ndarray:
        """(transfers,) log odds before calibration: sums of leaves, which do not saturate."""
        self._check(features)
        score = np.full(len(features.values), self._start())
        for nodes in self._trees():
            score += nodes["value"][_leaf(nodes, features.values)[-1]]
        return score

    def shares(self, features: Features) -> np.ndarray:
        """(transfers, names) what each column adds to the log odds along the paths through the trees.

        On the way from the root to the leaf each split moves the expected score from that of the node to that of the
        child; the move is the split column's (Saabas 2014). The shares and the mean score add up to the score.
        """
        self._check(features)
        told = np.zeros(features.values.shape)
        for nodes in self._trees():
            expected = _expected(nodes)
            path = _leaf(nodes, features.values)
            for here, there in pairwise(path):
                np.add.at(told, (np.arange(len(told)), nodes["feature_idx"][here]), expected[there] - expected[here])
        return told

    def middle(self) -> float:
        """The mean score of the training transfers: what the shares are counted from."""
        return self._start() + sum(float(_expected(nodes)[0]) for nodes in self._trees())

    def _start(self) -> float:
        return float(np.asarray(self.model._baseline_prediction).ravel()[0])

    def _trees(self) -> list[np.ndarray]:
        return [trees[0].nodes for trees in self.model._predictors[: self.rounds]]

    def _check(self, features: Features) -> None:
        if features.names != self.names:
            raise ModelError(f"boosting learned {len(self.names)} columns in an order of their own; got others")


def _leaf(nodes: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
    """The node each row stands at, step by step from the root down; those at a leaf stay there."""
    path, rows = [np.zeros(len(values), dtype=np.int64)], np.arange(len(values))
    while not nodes["is_leaf"][path[-1]].all():
        here = path[-1]
        value = values[rows, nodes["feature_idx"][here]]
        left = np.where(np.isnan(value), nodes["missing_go_to_left"][here] > 0, value <= nodes["num_threshold"][here])
        below = np.where(left, nodes["left"][here], nodes["right"][here])
        path.append(np.where(nodes["is_leaf"][here] > 0, here, below).astype(np.int64))
    return path


def _expected(nodes: np.ndarray) -> np.ndarray:
    """(nodes,) mean leaf value of the training transfers that came through each node."""
    value = nodes["value"].astype(np.float64).copy()
    for k in range(len(nodes) - 1, -1, -1):
        if not nodes["is_leaf"][k]:
            left, right = nodes["left"][k], nodes["right"][k]
            of = nodes["count"][left], nodes["count"][right]
            value[k] = (of[0] * value[left] + of[1] * value[right]) / (int(of[0]) + int(of[1]))
    return value
