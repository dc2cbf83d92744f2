"""Gradient boosting over the columns of transfers, and what each column says in a score."""

from __future__ import annotations

from collections.abc import Mapping
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
REALS: Final = ("value", "num_threshold")
WHOLES: Final = ("count", "feature_idx", "missing_go_to_left", "left", "right", "is_leaf")
NODE: Final = np.dtype([*((name, "f8") for name in REALS), *((name, "i8") for name in WHOLES)])
"""What is kept of a node of a tree; the names are scikit-learn's."""


@dataclass(frozen=True, eq=False)
class Boost:
    """Histogram gradient boosting (Ke et al. 2017, as in scikit-learn), cut at the round that did best later on.

    The trees themselves, as tables of nodes: kept and read back without pickle, and scored without scikit-learn.
    """

    names: tuple[str, ...]
    start: float
    """Log odds before the first tree."""
    trees: tuple[np.ndarray, ...]
    """Nodes of each tree in NODE, the root first, each before its children."""

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
        return cls.of(model, train.names, EVERY * (int(np.argmax(found)) + 1))

    @classmethod
    def of(cls, model: Any, names: tuple[str, ...], rounds: int) -> Boost:
        """The first rounds of a fitted model of scikit-learn."""
        start = float(np.asarray(model._baseline_prediction).ravel()[0])
        return cls(names, start, tuple(_kept(trees[0].nodes) for trees in model._predictors[:rounds]))

    def arrays(self) -> dict[str, np.ndarray]:
        """The trees as plain arrays: one for each field of a node, and how many nodes each tree has."""
        nodes = np.concatenate(self.trees)
        sizes = np.array([len(tree) for tree in self.trees], dtype=np.int64)
        return {"sizes": sizes} | {name: np.ascontiguousarray(nodes[name]) for name in (*REALS, *WHOLES)}

    @classmethod
    def read(cls, names: tuple[str, ...], start: float, arrays: Mapping[str, np.ndarray]) -> Boost:
        """What `arrays` gave. ModelError where these are no trees over columns of these names."""
        try:
            sizes = arrays["sizes"]
            nodes = np.zeros(int(sizes.sum()), dtype=NODE)
            for name in (*REALS, *WHOLES):
                nodes[name] = arrays[name]
        except (KeyError, ValueError) as error:
            raise ModelError(f"these are no trees of a detector ({error}); train it again") from error
        trees = tuple(np.split(nodes, np.cumsum(sizes)[:-1]))
        if not all(_sound(tree, len(names)) for tree in trees):
            raise ModelError("a tree of the detector leads to no node or column that there is; train it again")
        return cls(names, start, trees)

    @property
    def rounds(self) -> int:
        return len(self.trees)

    def score(self, features: Features) -> np.ndarray:
        """(transfers,) log odds before calibration: sums of leaves, which do not saturate."""
        self._check(features)
        score = np.full(len(features.values), self.start)
        for nodes in self.trees:
            score += nodes["value"][_leaf(nodes, features.values)[-1]]
        return score

    def shares(self, features: Features) -> np.ndarray:
        """(transfers, names) what each column adds to the log odds along the paths through the trees.

        On the way from the root to the leaf each split moves the expected score from that of the node to that of the
        child; the move is the split column's (Saabas 2014). The shares and the mean score add up to the score.
        """
        self._check(features)
        told = np.zeros(features.values.shape)
        for nodes in self.trees:
            expected = _expected(nodes)
            path = _leaf(nodes, features.values)
            for here, there in pairwise(path):
                np.add.at(told, (np.arange(len(told)), nodes["feature_idx"][here]), expected[there] - expected[here])
        return told

    def middle(self) -> float:
        """The mean score of the training transfers: what the shares are counted from."""
        return self.start + sum(float(_expected(nodes)[0]) for nodes in self.trees)

    def _check(self, features: Features) -> None:
        if features.names != self.names:
            raise ModelError(f"boosting learned {len(self.names)} columns in an order of their own; got others")


def _kept(nodes: np.ndarray) -> np.ndarray:
    """The fields of scikit-learn's nodes that are kept."""
    made = np.zeros(len(nodes), dtype=NODE)
    for name in (*REALS, *WHOLES):
        made[name] = nodes[name]
    return made


def _sound(nodes: np.ndarray, columns: int) -> bool:
    """Whether each node that splits leads on to later nodes and asks a column that there is: no walk can go astray."""
    inner, here = nodes["is_leaf"] == 0, np.arange(len(nodes))
    inside = [(nodes[side] > here) & (nodes[side] < len(nodes)) for side in ("left", "right")]
    asks = (nodes["feature_idx"] >= 0) & (nodes["feature_idx"] < columns)
    finite = np.isfinite(nodes["value"])
    return bool(len(nodes) and finite.all() and (inside[0] & inside[1] & asks)[inner].all())


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
