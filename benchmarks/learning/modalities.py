"""Scarce, missing and mis-scaled modalities on firms whose distress is planted in vectors (tests/planted_rows.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.stats import spearmanr
from scipy.stats import t as student

from benchmarks.figure import Figure
from gnn.evaluate import auroc
from gnn.head import Head
from gnn.heads.network import Network
from gnn.missing import Margins, log_odds, shown, subsets
from tests.planted_rows import layered, scaled, scarce

SEEDS: Final = 10
STRENGTHS: Final = {"image": 0.7, "numeric": 1.4, "text": 2.8}
NAMES: Final = sorted(STRENGTHS)


def measure() -> list[Figure]:
    return [*_balance(), *_missing(), *_scale()]


def network(seed: int, train: Sequence[object], balance: float = 0.0) -> Network:
    """The head as it ships, fitted on cohorts of which the last one chooses the epochs."""
    head = Network(seed)
    head.balance = balance
    head.fit(train[:-1], train[-1])  # type: ignore[arg-type]
    return head


def slices(seed: int, balances: Sequence[float]) -> np.ndarray:
    """(balances, 2) AUROC on later firms with the modality that one in twenty has, and on those without."""
    train, now = [scarce(800, 0.05, 100 * seed + part) for part in range(4)], scarce(4000, 0.5, 100 * seed + 99)
    own = now.graph.present(["image"])[:, 0].numpy()
    scores = [network(seed, train, balance).predict(now) for balance in balances]
    return np.array([[auroc(now.truth[part], score[part]) for part in (own, ~own)] for score in scores])


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean over seeds (Student)."""
    half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()) - half, float(values.mean()) + half


def _balance() -> list[Figure]:
    balances, figures = (0.0, 1.0), []
    found = np.stack([slices(seed, balances) for seed in range(SEEDS)])
    for place, balance in enumerate(balances):
        scarce_one, others = found[:, place].mean(0)
        note = f"of the 95 % without it {others:.3f}; mean of {SEEDS} seeds"
        figures.append(Figure(f"AUROC of firms with the scarce modality, balance {balance:g}", scarce_one, note=note))
    gain = found[:, 1] - found[:, 0]
    (low, high), lost = interval(gain[:, 0]), interval(gain[:, 1])
    note = f"mean {gain[:, 0].mean():+.3f} up to {high:+.3f}; the others {lost[0]:+.3f} to {lost[1]:+.3f}"
    return [*figures, Figure("low end of what balance 1 gains there", low, 0.0, note=note)]


def _missing() -> list[Figure]:
    train = [layered(500, STRENGTHS, seed, missing=0.2) for seed in (1, 2, 3, 4)]
    heads: list[Head] = [network(seed, train) for seed in range(3)]
    margins = Margins.of(heads, layered(1000, STRENGTHS, 60), NAMES, coverage=0.9)
    later = layered(4000, STRENGTHS, 99)
    full, figures = log_odds(heads, later), []
    for pattern in subsets(NAMES):
        odds = log_odds(heads, shown(later, pattern))
        held = float((np.abs(odds.mean(0) - full).max(0) <= margins.width[pattern]).mean())
        area = float(np.mean([auroc(later.truth, one) for one in odds]))
        note = f"in the margin of {margins.width[pattern]:.2f} log odds: {held:.3f} of firms, promised 0.9"
        figures.append(Figure(f"AUROC with {' + '.join(sorted(pattern)) or 'nothing'}", area, note=note))
    return figures


def _scale() -> list[Figure]:
    train, now = [layered(500, STRENGTHS, seed, missing=0.2) for seed in (1, 2, 3, 4)], layered(2000, STRENGTHS, 9)
    before, figures = network(0, train).predict(now), []
    for name in NAMES:
        again = network(0, [scaled(own, name, 1000.0) for own in train]).predict(scaled(now, name, 1000.0))
        gap = auroc(now.truth, again) - auroc(now.truth, before)
        note = f"AUROC {gap:+.5f}"
        like = float(spearmanr(again, before).statistic)
        figures.append(Figure(f"rank correlation with {name} a thousand times as large", like, 0.999, note=note))
    other = float(spearmanr(network(1, train).predict(now), before).statistic)
    return [*figures, Figure("the same with another seed instead", other)]
