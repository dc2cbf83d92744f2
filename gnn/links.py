"""Link prediction: the task that fit() trains, and probabilities for triples nobody has stated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gnn.balance import weights
from gnn.bilinear import Bilinear
from gnn.calibrate import ByRelation
from gnn.evaluate import answered, rank
from gnn.losses import LOSSES
from gnn.model import Model
from gnn.sample import allowed, codes, predictable, reciprocal
from gnn.softmax import full_softmax
from gnn.tensors import GraphTensors
from gnn.vocabulary import PREDICTABLE, RELATIONS
from kg.errors import ModelError


class LinkTask:
    """Every forecastable edge of a graph as a question in both directions, answered against all nodes of a right label.

    loss = - log softmax over the allowed tails (1-vs-all), summed over the triples of one (head, relation) as
    n logsumexp - sum of scores: the same gradient as triple by triple, for one row of scores. In each of `steps`
    parts of an epoch the edges asked for, and so their reciprocals, are taken out of the graph that passes
    messages: an edge that could see itself would teach the model to copy.

    With `balance` an edge weighs the more the fewer nodes have the rarest modality of its ends (gnn/balance.py); with
    `questions` an epoch asks for that many edges, drawn anew.
    """

    def __init__(
        self,
        graph: GraphTensors,
        valid: Tensor | None = None,
        known: Tensor | None = None,
        steps: int = 4,
        balance: float = 0.0,
        questions: int | None = None,
        loss: str = "softmax",
    ) -> None:
        if questions is not None and questions < 1:
            raise ModelError(f"questions is {questions}; give how many edges an epoch asks for, or none for all")
        self.graph, self.valid, self.known, self.steps = graph, valid, known, steps
        if loss not in ("softmax", *LOSSES):
            raise ModelError(f"loss {loss!r} is unknown; name softmax, {', '.join(LOSSES)}")
        self.questions, self.loss = questions, loss
        self.rows = torch.nonzero(predictable(graph)).squeeze(1)
        self.fits = allowed(graph)
        self.weight = said_by(graph, balance) if balance else None
        self.epoch = 0
        if not len(self.rows):
            names = ", ".join(graph.vocabulary.asked)
            raise ModelError(f"nothing to learn: no edge of {names} was published by {graph.cut:%Y-%m-%d}")

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One step per part of the edges, dealt anew each epoch."""
        assert isinstance(model, Model)
        order = self.rows[torch.randperm(len(self.rows))][: self.questions]
        for part in order.tensor_split(min(self.steps, len(order))):
            hidden = torch.zeros(len(self.graph.edges), dtype=torch.bool).index_fill_(0, part, True)
            weight = None if self.weight is None else self.weight[part]
            yield one_vs_all(model, self.graph.without(hidden), self.graph.edges[part], self.fits, weight, self.loss)

    def validate(self, model: nn.Module) -> float | None:
        """Filtered MRR of the later triples."""
        assert isinstance(model, Model)
        if self.valid is None or not len(self.valid):
            return None
        return rank(model, self.graph, self.valid, self.known).mrr


def said_by(graph: GraphTensors, balance: float) -> Tensor:
    """(edges,) float32 weight of each forecastable edge, of mean one among them; 0 for the others."""
    present, asked = graph.present(sorted(graph.features)), predictable(graph)
    head, _, tail = graph.edges[asked].unbind(1)
    weight = torch.zeros(len(graph.edges))
    weight[asked] = weights(present[head] | present[tail], balance)
    return weight


def one_vs_all(
    model: Model,
    graph: GraphTensors,
    triples: Tensor,
    fits: Tensor,
    weight: Tensor | None = None,
    loss: str = "softmax",
) -> Tensor:
    """Mean negative log probability of the triples, asked for tail and head, among nodes of a right label.

    `weight` (triples,) says how much each counts, 1 if nothing is said. `loss` is another one by name (gnn/losses.py).
    """
    both = torch.cat([triples, reciprocal(triples, len(graph.vocabulary.relations))])
    asked, place = torch.unique(both[:, :2], dim=0, return_inverse=True)
    if loss != "softmax":
        return _by_name(loss, model.score_tails(graph, *asked.T), (place, both[:, 2]), fits[asked[:, 1]], weight)
    if isinstance(model, Bilinear):
        x = model.embed(graph)
        open_ = None if bool(graph.vocabulary.fits.all()) else fits[asked[:, 1]]
        answers = (place, both[:, 2]) if weight is None else (place, both[:, 2], weight.repeat(2))
        return full_softmax(model.ask(x, *asked.T), x, answers, open_) / len(both)
    scores = model.score_tails(graph, asked[:, 0], asked[:, 1]).masked_fill(~fits[asked[:, 1]], -torch.inf)
    say = torch.ones(len(both)) if weight is None else weight.repeat(2)
    each = torch.bincount(place, say, minlength=len(asked)).to(scores.dtype)
    total = (each * torch.logsumexp(scores, dim=1)).sum() - (say * scores[place, both[:, 2]]).sum()
    return total / len(both)


def _by_name(
    loss: str, scores: Tensor, answers: tuple[Tensor, Tensor], open_: Tensor, weight: Tensor | None
) -> Tensor:
    """Mean over answers (row, tail) of another loss; a question counts as its answers do on average."""
    right = torch.zeros(scores.shape, dtype=torch.bool)
    right[answers] = True
    each = LOSSES[loss](scores, right, open_)
    if weight is not None:
        each = each * torch.bincount(answers[0], weight.repeat(2), minlength=len(each)).to(each.dtype) / right.sum(1)
    return each.sum() / len(answers[0])


@torch.no_grad()
def scored(model: Model, graph: GraphTensors, right: Tensor, wrong: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Scores of right and wrong triples, and which is which."""
    model.eval()
    score = centred(model, graph, torch.cat([right, wrong]))
    return score.double().numpy(), np.repeat([1.0, 0.0], [len(right), len(wrong)])


@torch.no_grad()
def centred(model: Model, graph: GraphTensors, triples: Tensor) -> Tensor:
    """Mean of the log odds of the tail given head and relation, and of the head given relation and tail.

    A raw score only ranks within one question. This is log(p / chance), with p the softmax over the nodes of a
    right label that the graph does not hold as an answer already, so it can be compared between questions: 0 is
    what any node would get.
    """
    model.eval()
    fits = allowed(graph)
    count = len(graph.vocabulary.relations)
    held = torch.unique(codes(torch.cat([graph.edges, reciprocal(graph.edges, count)]), len(graph), count))
    parts = []
    for side in (triples, reciprocal(triples, count)):
        asked, place = torch.unique(side[:, :2], dim=0, return_inverse=True)
        open_ = fits[asked[:, 1]] & ~answered(held, asked, graph)
        open_[place, side[:, 2]] = True
        scores = model.score_tails(graph, asked[:, 0], asked[:, 1]).double().masked_fill(~open_, -torch.inf)
        parts.append((scores.log_softmax(1) + open_.sum(1, keepdim=True).log())[place, side[:, 2]])
    return (parts[0] + parts[1]) / 2


@dataclass(frozen=True)
class Links:
    """New triples a model expects, best first within each relation."""

    triples: Tensor
    score: np.ndarray
    """Calibrated: probability that a triple is the true one beside one wrong triple of right types."""


@torch.no_grad()
def best_links(
    model: Model, graph: GraphTensors, calibration: ByRelation, each: int, relations: tuple[str, ...] = PREDICTABLE
) -> Links:
    """The `each` best triples per relation that the graph does not hold, among nodes of right labels that use the
    relation.

    Heads are the nodes that already are a head of the relation, so the work is (heads x nodes) per relation.
    """
    held = torch.unique(codes(graph.edges, len(graph)))
    found = [best_of(model, graph, RELATIONS.index(name), held, each) for name in relations]
    triples = torch.cat(found) if found else torch.zeros(0, 3, dtype=torch.int64)
    if not len(triples):
        return Links(triples, np.zeros(0))
    return Links(triples, calibration(centred(model, graph, triples).numpy(), triples[:, 1].numpy()))


def best_of(model: Model, graph: GraphTensors, relation: int, held: Tensor, each: int) -> Tensor:
    """(at most each, 3) best new triples of one relation, by mean log odds of both directions."""
    own = graph.edges[graph.edges[:, 1] == relation]
    if not len(own):
        return torch.zeros(0, 3, dtype=torch.int64)
    heads, tails = torch.unique(own[:, 0]), torch.unique(own[:, 2])
    pairs = torch.cartesian_prod(heads, tails)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    triples = torch.stack([pairs[:, 0], torch.full((len(pairs),), relation), pairs[:, 1]], dim=1)
    triples = triples[~torch.isin(codes(triples, len(graph)), held)]
    score = centred(model, graph, triples)
    order = torch.sort(score, descending=True, stable=True).indices[:each]
    return triples[order]
