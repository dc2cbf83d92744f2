"""Attention beside effect: how far the weight on a modality says what the score would lose without it.

Attention alone is no explanation (Jain and Wallace 2019): a weight says what was looked at, not what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gnn.evaluate import bootstrap
from gnn.explaining.edges import log_odds
from gnn.head import Cohort
from gnn.heads.network import Network
from gnn.missing import log_odds as head_odds
from gnn.passing import Passing
from gnn.tensors import Features, GraphTensors


@dataclass(frozen=True)
class Eye:
    """What looks at the modalities of some nodes: its weights, and what it says of any graph."""

    names: tuple[str, ...]
    graph: GraphTensors
    rows: Tensor
    """(items,) the node that is looked at, of each firm or link."""
    weights: np.ndarray
    """(items, names) attention."""
    odds: Callable[[GraphTensors], np.ndarray]
    """(items,) log odds of a graph."""

    @cached_property
    def has(self) -> np.ndarray:
        """(items, names) bool: which modalities each node has."""
        found: np.ndarray = self.graph.present(self.names)[self.rows].numpy()
        return found

    def without(self, gone: Sequence[str]) -> np.ndarray:
        """(items,) log odds when all of these nodes lose these modalities; documents near them keep theirs."""
        graph = self.graph
        for name in gone:
            graph = bereft(graph, name, self.rows)
        return self.odds(graph)


@torch.no_grad()
def of_firms(head: Network, cohort: Cohort) -> Eye:
    """The eye of a distress head on the firms of a cohort."""
    encoder, read = head.model.encoder, head.model.read
    weights = encoder.eval().fuse(read(cohort.graph))[1][cohort.rows].numpy()

    def odds(graph: GraphTensors) -> np.ndarray:
        found: np.ndarray = head_odds([head], replace(cohort, graph=graph))[0]
        return found

    return Eye(encoder.fusion.names, cohort.graph, cohort.rows, weights, odds)


@torch.no_grad()
def of_links(model: Passing, graph: GraphTensors, triples: Tensor) -> Eye:
    """The eye of a link model on the heads of links (n, 3) and then on their tails."""
    rows = triples[:, [0, 2]].T.flatten()

    def odds(seen: GraphTensors) -> np.ndarray:
        found: np.ndarray = log_odds(model, graph, triples, seen).numpy()
        return np.tile(found, 2)

    return Eye(model.fusion.names, graph, rows, model.eval().fuse(graph)[1][rows].numpy(), odds)


@dataclass(frozen=True)
class Looked:
    """Attention and effect of modalities, a row per item and modality that its node has."""

    modality: np.ndarray
    weight: np.ndarray
    """Attention of the node on the modality."""
    effect: np.ndarray
    """How far the log odds move when the nodes that are looked at lose the modality: absolute."""

    def agreement(self, modality: str | None = None) -> tuple[float, float, float]:
        """Rank correlation (Spearman) of weight and effect, with its 95 % interval; over all modalities or in one."""
        chosen = self.of(modality)
        both = np.stack([self.weight[chosen], self.effect[chosen]], axis=1)
        return correlation(both), *bootstrap(both, 0, 300, correlation)

    def of(self, modality: str | None = None) -> np.ndarray:
        """(rows,) bool: which rows are of a modality, or of any."""
        found: np.ndarray = np.ones(len(self.weight), dtype=bool) if modality is None else self.modality == modality
        return found


def looked(eye: Eye) -> Looked:
    """Attention and effect of every item; all nodes lose the modality at once."""
    before, rows = eye.odds(eye.graph), []
    for place, name in enumerate(eye.names):
        has = eye.has[:, place]
        effect = np.abs(before - eye.without([name]))[has]
        rows.append((np.full(int(has.sum()), name), eye.weights[has, place], effect))
    return Looked(*(np.concatenate(parts) for parts in zip(*rows, strict=True)))


def bereft(graph: GraphTensors, modality: str, nodes: Tensor) -> GraphTensors:
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
