"""Filtered ranking with mean ties, classification figures, and intervals for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gnn.model import Model
from gnn.sample import allowed, codes, reciprocal
from gnn.tensors import RELATIONS, GraphTensors

BATCH = 512
"""Queries scored at once: memory is BATCH x nodes numbers, whatever the number of triples."""


@dataclass(frozen=True)
class Ranking:
    """Ranks of true triples among all nodes of a right label."""

    triples: Tensor
    """(triples, 3) int64."""
    tails: Tensor
    """(triples,) rank of the true tail; half a rank for each tie."""
    heads: Tensor
    """(triples,) rank of the true head."""

    @property
    def reciprocals(self) -> np.ndarray:
        """(triples,) mean of 1 / rank over both sides."""
        mean: np.ndarray = ((1.0 / self.tails + 1.0 / self.heads) / 2).numpy()
        return mean

    @property
    def mrr(self) -> float:
        return float(self.reciprocals.mean()) if len(self.triples) else float("nan")

    def hits(self, k: int) -> float:
        """Share of ranks that are at most k."""
        both = torch.cat([self.tails, self.heads])
        return float((both <= k).double().mean()) if len(both) else float("nan")

    def of(self, relation: str) -> Ranking:
        """The triples of one relation."""
        own = self.triples[:, 1] == RELATIONS.index(relation)
        return Ranking(self.triples[own], self.tails[own], self.heads[own])


def rank(model: Model, graph: GraphTensors, triples: Tensor, known: Tensor | None = None) -> Ranking:
    """Rank each triple's tail and head against every node of a right label.

    Filtered (Bordes et al. 2013): other true answers, in the graph, in `triples` or in `known`, are left out. A tie
    counts half: a model that gives every node one score ranks at the middle and gets an MRR near 0, not 1.
    """
    true = torch.cat([graph.edges, triples, *([known] if known is not None else [])])
    both = torch.cat([triples, reciprocal(triples)])
    ranks = _ranks(model, graph, both, torch.cat([true, reciprocal(true)]))
    return Ranking(triples, ranks[: len(triples)], ranks[len(triples) :])


@torch.no_grad()
def _ranks(model: Model, graph: GraphTensors, asked: Tensor, true: Tensor) -> Tensor:
    model.eval()
    fits, nodes = allowed(graph), len(graph)
    answers = torch.unique(codes(true, nodes))
    ranks = []
    for batch in torch.split(asked, BATCH):
        scores = model.score_tails(graph, batch[:, 0], batch[:, 1])
        target = scores.gather(1, batch[:, 2:])
        rivals = fits[batch[:, 1]] & ~answered(answers, batch, nodes)
        rivals.scatter_(1, batch[:, 2:], False)
        above = ((scores > target) & rivals).sum(1)
        equal = ((scores == target) & rivals).sum(1)
        ranks.append(1.0 + above.double() + equal.double() / 2)
    return torch.cat(ranks) if ranks else torch.zeros(0, dtype=torch.float64)


def answered(true: Tensor, asked: Tensor, nodes: int) -> Tensor:
    """(batch, nodes) bool: which tails of each (head, relation) are among the true triples, given as sorted codes."""
    start = (asked[:, 0] * (2 * len(RELATIONS)) + asked[:, 1]) * nodes
    low, high = torch.searchsorted(true, start), torch.searchsorted(true, start + nodes)
    sizes = high - low
    row = torch.repeat_interleave(torch.arange(len(start)), sizes)
    offset = torch.arange(int(sizes.sum())) - torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)
    mask = torch.zeros(len(start), nodes, dtype=torch.bool)
    mask[row, true[low[row] + offset] - start[row]] = True
    return mask


def bootstrap(
    values: np.ndarray, seed: int = 0, rounds: int = 1000, figure: Callable[[np.ndarray], float] | None = None
) -> tuple[float, float]:
    """95 % percentile interval of a figure (the mean, if none is given) over resampled rows (Efron 1979)."""
    if not len(values):
        return float("nan"), float("nan")
    draw = np.random.default_rng(seed)
    tell = figure or (lambda rows: float(rows.mean()))
    found = [tell(values[draw.integers(0, len(values), len(values))]) for _ in range(rounds)]
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def auprc(truth: np.ndarray, score: np.ndarray) -> float:
    """Average precision: sum over thresholds of precision times the gain in recall; ties are one threshold."""
    positives = truth.sum()
    if not positives:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(truth[order])[ends]
    precision, recall = hits / (ends + 1), hits / positives
    return float(np.sum(precision * np.diff(recall, prepend=0.0)))


def auroc(truth: np.ndarray, score: np.ndarray) -> float:
    """Probability that a positive scores above a negative, ties counted half (Mann and Whitney 1947)."""
    positive, negative = score[truth > 0], score[truth == 0]
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    below, upto = np.searchsorted(ordered, positive, "left"), np.searchsorted(ordered, positive, "right")
    return float((below + upto).mean() / 2 / len(negative))


def brier(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean squared difference between probability and outcome (Brier 1950)."""
    return float(np.mean((probability - truth) ** 2)) if len(truth) else float("nan")
