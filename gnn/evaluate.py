"""Filtered ranking with mean ties, classification figures, and intervals for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gnn.bilinear import Bilinear
from gnn.bound import blocks, held
from gnn.device import at, beside, moved, where
from gnn.model import Model
from gnn.sample import allowed, codes, reciprocal
from gnn.tensors import GraphTensors
from gnn.vocabulary import RELATIONS
from kg.errors import ModelError

SCORES = 1 << 22
"""Scores held at once by default: memory is this many numbers, whatever the number of triples."""


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
        """The triples of one relation of the ontology."""
        return self.where(self.triples[:, 1] == RELATIONS.index(relation))

    def where(self, chosen: Tensor) -> Ranking:
        """The triples where `chosen` (triples,) is true."""
        return Ranking(self.triples[chosen], self.tails[chosen], self.heads[chosen])


def rank(
    model: Model, graph: GraphTensors, triples: Tensor, known: Tensor | None = None, scores: int | None = None
) -> Ranking:
    """Rank each triple's tail and head against every node of a right label.

    Filtered (Bordes et al. 2013): other true answers, in the graph, in `triples` or in `known`, are left out. A tie
    counts half: a model that gives every node one score ranks at the middle and gets an MRR near 0, not 1. Triples
    that ask one question are scored once; at most `scores` scores are in memory at a time. ModelError if a score is
    not a number, or if a triple names a node or relation that the graph does not have.
    """
    return _ranked(model, graph, triples, known, scores)


@beside
def _ranked(
    model: Model, graph: GraphTensors, triples: Tensor, known: Tensor | None = None, scores: int | None = None
) -> Ranking:
    inside(graph, triples)
    count = len(graph.vocabulary.relations)
    true = torch.cat([graph.edges, triples, *([known] if known is not None else [])])
    both = torch.cat([triples, reciprocal(triples, count)])
    ranks = _ranks(model, graph, both, torch.cat([true, reciprocal(true, count)]), held(SCORES, scores))
    return Ranking(triples, ranks[: len(triples)], ranks[len(triples) :])


@torch.no_grad()
def _ranks(model: Model, graph: GraphTensors, asked: Tensor, true: Tensor, scores: int) -> Tensor:
    model.eval()
    ranks = torch.ones(len(asked), dtype=torch.float64)
    if not len(asked):
        return ranks
    fits, every = allowed(graph), bool(graph.vocabulary.fits.all())
    answers = torch.unique(codes(true, len(graph), len(graph.vocabulary.relations)))
    questions, place = torch.unique(asked[:, :2], dim=0, return_inverse=True)
    order = torch.argsort(place, stable=True)
    ends = torch.bincount(place, minlength=len(questions)).cumsum(0)
    score = Scorer(model, graph)
    for block in blocks(len(questions), len(graph), scores):
        start, part = block.start, questions[block]
        found = score(part[:, 0], part[:, 1])
        mine = order[(ends[start - 1] if start else 0) : ends[start + len(part) - 1]]
        row = place[mine] - start
        target = found[row, asked[mine, 2]]
        if bool(torch.isnan(found.sum())) and bool(torch.isnan(found).any()):
            raise ModelError(f"model {model.name} gives scores that are no numbers; train it again at a smaller rate")
        if bool(torch.isneginf(target).any()):  # what a model rules out still ranks before what is left out
            found, target = (scores.clamp_(min=torch.finfo(scores.dtype).min) for scores in (found, target))
        if not every:
            found.masked_fill_(~fits[part[:, 1]], -torch.inf)
        found[listed(answers, part, graph)] = -torch.inf
        ranks[mine] += _beaten(found, row, target)
    return ranks


def inside(graph: GraphTensors, triples: Tensor) -> None:
    """ModelError unless every row is a head, relation and tail of the graph."""
    nodes, count = len(graph), len(graph.vocabulary.relations)
    wrong = (triples < 0).any(1) | (triples >= torch.tensor([nodes, count, nodes])).any(1)
    if bool(wrong.any()):
        raise ModelError(
            f"triple {triples[wrong][0].tolist()} has a node or relation that the graph does not have; expected head "
            f"and tail below {nodes}, relation below {count}: what was never read cannot be scored"
        )


class Scorer:
    """Scores of questions by a model over a graph; what does not depend on the questions is computed once."""

    def __init__(self, model: Model, graph: GraphTensors) -> None:
        self.device = where(model)
        self.model, self.graph = model, moved(graph, self.device)
        with at(self.device):
            self.x = model.embed(self.graph) if isinstance(model, Bilinear) else None

    def __call__(self, heads: Tensor, relations: Tensor) -> Tensor:
        """(batch, nodes) of every node as the tail of head and relation."""
        return self.among(None)(heads, relations)

    def among(self, nodes: Tensor | None) -> Callable[[Tensor, Tensor], Tensor]:
        """The same (batch, some nodes) of these nodes alone; a factorisation then scores no other."""
        nodes = moved(nodes, self.device)
        ends = self.x if self.x is None or nodes is None else self.x[nodes]

        def asked(heads: Tensor, relations: Tensor) -> Tensor:
            own = moved((heads, relations), self.device)
            with at(self.device):
                if self.x is None or ends is None:
                    return self._some(*own, nodes).to(heads.device)
                assert isinstance(self.model, Bilinear)
                return (self.model.ask(self.x, *own) @ ends.T).to(heads.device)

        return asked

    def _some(self, heads: Tensor, relations: Tensor, nodes: Tensor | None) -> Tensor:
        if nodes is None:
            return self.model.score_tails(self.graph, heads, relations)
        found = torch.empty(len(heads), len(nodes), device=heads.device)
        for part in blocks(len(heads), len(self.graph), held(SCORES)):
            found[part] = self.model.score_tails(self.graph, heads[part], relations[part])[:, nodes]
        return found


def _beaten(found: Tensor, row: Tensor, target: Tensor) -> Tensor:
    """(answers,) how many scores of the row lie above each target, ties counted half; rows ascend.

    The first answer of each row is compared with the scores as they lie, and so on: no row of scores is copied but
    for the questions with several answers.
    """
    beaten = torch.empty(len(row), dtype=torch.float64)
    starts = torch.searchsorted(row, row)
    turn = torch.arange(len(row)) - starts
    for k in range(int(turn.max()) + 1):
        now = turn == k
        scores = found if bool(now.sum() == len(found)) else found[row[now]]
        mark = target[now][:, None]
        above, upto = (beats.sum(1, dtype=torch.int32) for beats in (scores > mark, scores >= mark))
        beaten[now] = (above + upto).double() / 2
    return beaten


def listed(true: Tensor, asked: Tensor, graph: GraphTensors) -> tuple[Tensor, Tensor]:
    """Rows of `asked` and nodes: the tails of each (head, relation) among the true triples, given as sorted codes."""
    start = (asked[:, 0] * (2 * len(graph.vocabulary.relations)) + asked[:, 1]) * len(graph)
    low, high = torch.searchsorted(true, start), torch.searchsorted(true, start + len(graph))
    sizes = high - low
    row = torch.repeat_interleave(torch.arange(len(start)), sizes)
    offset = torch.arange(int(sizes.sum())) - torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)
    return row, true[low[row] + offset] - start[row]


def answered(true: Tensor, asked: Tensor, graph: GraphTensors) -> Tensor:
    """(batch, nodes) bool: the same as a mask."""
    mask = torch.zeros(len(asked), len(graph), dtype=torch.bool)
    mask[listed(true, asked, graph)] = True
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
