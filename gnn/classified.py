"""Figures of what was predicted, each with an interval: outcomes that happen or not, and amounts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from gnn.calibrate import expected_error, losses
from gnn.evaluate import auprc, auroc, bootstrap, brier

Figure = tuple[str, float, float, float]
"""Metric, value, and the ends of its 95 % bootstrap interval."""
ROUNDS: Final = 300


def log_loss(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean negative log likelihood."""
    return float(losses(truth, probability).mean()) if len(truth) else float("nan")


def ece(truth: np.ndarray, probability: np.ndarray) -> float:
    """Expected calibration error in ten bins."""
    return expected_error(probability, truth)


def accuracy(truth: np.ndarray, probability: np.ndarray, threshold: float) -> float:
    """Share of outcomes on the right side of the threshold."""
    return float(((probability >= threshold) == (truth > 0)).mean()) if len(truth) else float("nan")


def recall(truth: np.ndarray, probability: np.ndarray, threshold: float) -> float:
    """Share of what happened that was called."""
    return float((probability[truth > 0] >= threshold).mean()) if (truth > 0).any() else float("nan")


def precision(truth: np.ndarray, probability: np.ndarray, threshold: float) -> float:
    """Share of what was called that happened; 0 where nothing was called."""
    called = probability >= threshold
    return float((truth[called] > 0).mean()) if called.any() else 0.0


def f1(truth: np.ndarray, probability: np.ndarray, threshold: float) -> float:
    """2 TP / (2 TP + FP + FN)."""
    called, real = probability >= threshold, truth > 0
    total = int(called.sum() + real.sum())
    return 2.0 * float((called & real).sum()) / total if total else float("nan")


def threshold(truth: np.ndarray, probability: np.ndarray) -> float:
    """The probability from which calling gives the best F1 on these outcomes; 0.5 where nothing happened."""
    if not (truth > 0).any():
        return 0.5
    order = np.argsort(-probability, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    hits = np.cumsum(truth[order] > 0)[ends]
    return float(probability[order][ends[np.argmax(2 * hits / (ends + 1 + (truth > 0).sum()))]])


def figures(truth: np.ndarray, probability: np.ndarray, seed: int, at: float = 0.5) -> list[Figure]:
    """Every figure of a yes or no, calls made from `at` on; intervals by drawing the rows anew (Efron 1979)."""
    tells: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
        "brier": brier,
        "auprc": auprc,
        "auroc": auroc,
        "log_loss": log_loss,
        "ece": ece,
    }
    tells |= {tell.__name__: partial(tell, threshold=at) for tell in (accuracy, precision, recall, f1)}
    return [told(name, tell, truth, probability, seed) for name, tell in tells.items()]


def rmse(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean((predicted - truth) ** 2))) if len(truth) else float("nan")


def told(
    name: str, tell: Callable[[np.ndarray, np.ndarray], float], truth: np.ndarray, predicted: np.ndarray, seed: int
) -> Figure:
    """One figure with its interval."""
    value, rows = tell(truth, predicted), np.stack([truth, predicted], axis=1)
    if np.isnan(value):
        return name, value, value, value
    low, high = bootstrap(rows, seed, ROUNDS, lambda drawn: tell(drawn[:, 0], drawn[:, 1]))
    return name, value, low, high
