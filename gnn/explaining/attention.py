"""Attention beside effect: how far the weight on a modality says what the score would lose without it.

Attention alone is no explanation (Jain and Wallace 2019): a weight says what was looked at, not what it did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from gnn.evaluate import bootstrap
from gnn.head import Cohort
from gnn.heads.network import Network
from gnn.missing import log_odds
from gnn.tensors import Features, GraphTensors


@dataclass(frozen=True)
class Looked:
    """Attention and effect of modalities, a row per firm and modality that it has."""

    modality: np.ndarray
    weight: np.ndarray
    """Attention of the firm on the modality."""
    effect: np.ndarray
    """How far the log odds move when the firms of the cohort lose the modality: absolute."""

    def agreement(self, modality: str | None = None) -> tuple[float, float, float]:
        """Rank correlation (Spearman) of weight and effect, with its 95 % interval; over all modalities or in one."""
        chosen = np.ones(len(self.weight), dtype=bool) if modality is None else self.modality == modality
        both = np.stack([self.weight[chosen], self.effect[chosen]], axis=1)
        return correlation(both), *bootstrap(both, 0, 300, correlation)


def looked(head: Network, cohort: Cohort) -> Looked:
    """Attention and effect for every firm of a cohort; all lose the modality at once, documents near them keep it."""
    encoder = head.model.encoder
    with torch.no_grad():
        weights = encoder.fuse(cohort.graph)[1][cohort.rows].numpy()
    before, rows = log_odds([head], cohort)[0], []
    for place, name in enumerate(encoder.fusion.names):
        has = cohort.graph.present([name])[cohort.rows, 0].numpy()
        after = log_odds([head], replace(cohort, graph=bereft(cohort.graph, name, cohort.rows)))[0]
        rows.append((np.full(int(has.sum()), name), weights[has, place], np.abs(before - after)[has]))
    return Looked(*(np.concatenate(parts) for parts in zip(*rows, strict=True)))


def bereft(graph: GraphTensors, modality: str, nodes: torch.Tensor) -> GraphTensors:
    """The graph where these nodes lack a modality."""
    if modality not in graph.features:
        return graph
    own = graph.features[modality]
    stay = ~torch.isin(own.rows, nodes)
    return graph.with_features({**graph.features, modality: Features(own.rows[stay], own.values[stay])})


def correlation(both: np.ndarray) -> float:
    """Spearman's rank correlation of two columns; 0 where one of them does not vary."""
    from scipy.stats import spearmanr

    if len(both) < 2 or not np.ptp(both, axis=0).all():
        return 0.0
    return float(spearmanr(both[:, 0], both[:, 1]).statistic)
