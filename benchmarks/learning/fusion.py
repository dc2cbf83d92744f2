"""The ways to fuse modalities beside each other, on firms whose label is planted in five of them (planted_five.py).

Every way has the same data, budget, length of vectors and choice of epochs on a later cohort. The value of a seed is
the mean over the five worlds in which each modality in turn carries the label; intervals are over seeds (Student).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from benchmarks.figure import Figure
from benchmarks.learning.modalities import interval
from gnn.evaluate import auroc
from gnn.head import Cohort
from gnn.heads.fused import Fused
from kg import plugins
from tests.planted_five import WIDTHS, planted

SEEDS: Final = 3
FIRMS: Final = 1000
"""Firms of each of the three cohorts to learn from; the last one chooses the epochs."""


def cohorts(carrier: str, seed: int, firms: int = FIRMS) -> list[Cohort]:
    """Three to learn from and a larger one to be tested on."""
    return [planted(carrier, firms if part < 3 else 3 * firms, 100 * seed + part) for part in range(4)]


def fitted(train: Sequence[Cohort], seed: int, way: str = "attention") -> Fused:
    torch.set_num_threads(1)
    head = Fused(seed)
    head.way = way
    head.fit(train[:-1], train[-1])
    return head


def scored(way: str, seed: int) -> tuple[float, float]:
    """AUROC and share of the carrier, mean over the carriers."""
    found = []
    for place, carrier in enumerate(WIDTHS):
        *train, now = cohorts(carrier, seed)
        head = fitted(train, seed, way)
        found.append((auroc(now.truth, head.predict(now)), head.shares(now).mean(0)[place]))
    area, share = np.array(found).mean(0)
    return float(area), float(share)


def measure() -> list[Figure]:
    table = {way: np.array([scored(way, seed) for seed in range(SEEDS)]) for way in plugins.names("gnn.fusions")}
    figures = []
    for way, found in sorted(table.items(), key=lambda row: -row[1][:, 0].mean()):
        low, high = interval(found[:, 0])
        note = (
            f"95 % interval {low:.4f} to {high:.4f} over {SEEDS} seeds; share of the carrier {found[:, 1].mean():.3f}"
        )
        figures.append(Figure(f"AUROC of fusion by {way}", float(found[:, 0].mean()), note=note))
    best = max(table, key=lambda way: table[way][:, 0].mean())
    low, high = interval(table[best][:, 0] - table["attention"][:, 0])
    note = f"paired by seed, 95 % interval {low:+.4f} to {high:+.4f}"
    gap = float((table[best] - table["attention"])[:, 0].mean())
    return [*figures, Figure(f"what the best way ({best}) gains over attention", gap, note=note)]
