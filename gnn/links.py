"""Link prediction: the task that fit() trains, and probabilities for triples nobody has stated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gnn.balance import weights
from gnn.bilinear import Bilinear
from gnn.bound import blocks, held
from gnn.calibrate import ByRelation
from gnn.distributed import portion
from gnn.evaluate import Scorer, rank
from gnn.losses import LOSSES
from gnn.model import Model
from gnn.odds import best, centred
from gnn.sample import allowed, predictable, reciprocal
from gnn.softmax import SCORES, full_softmax
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
            raise ModelError(
                f"nothing to learn: no edge of {names} was published by {graph.cut:%Y-%m-%d}; read more with "
                "`kgrisk ingest`, or name a later cut"
            )

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One step per part of the edges, dealt anew each epoch."""
        return self.portions(model, 0, 1)

    def portions(self, model: nn.Module, rank: int, size: int) -> Iterator[Tensor]:
        """The same, of each step only some edges: those of one relation and head together, as they share scores.

        Under another loss than softmax the answers of a question belong together, and each rank does the whole step.
        """
        assert isinstance(model, Model)
        order = self.rows[torch.randperm(len(self.rows))][: self.questions]
        for part in order.tensor_split(min(self.steps, len(order))):
            hidden = torch.zeros(len(self.graph.edges), dtype=torch.bool).index_fill_(0, part, True)
            mine, share = portion(len(part), rank, size) if self.loss == "softmax" else (slice(None), 1.0 / size)
            own = part if size == 1 else part.sort().values[mine]
            weight = None if self.weight is None else self.weight[own]
            lost = one_vs_all(model, self.graph.without(hidden), self.graph.edges[own], self.fits, weight, self.loss)
            yield lost if size == 1 else lost * share

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
    Beyond the bound of scores (gnn/bound.py) questions are asked in blocks, whose scores are not kept for the gradient.
    """
    both = torch.cat([triples, reciprocal(triples, len(graph.vocabulary.relations))])
    asked, place = torch.unique(both[:, :2], dim=0, return_inverse=True)
    say = None if weight is None else weight.repeat(2)
    if isinstance(model, Bilinear) and loss == "softmax":
        x = model.embed(graph)
        open_ = None if bool(graph.vocabulary.fits.all()) else (fits, asked[:, 1])
        answers = (place, both[:, 2]) if say is None else (place, both[:, 2], say)
        return full_softmax(model.ask(x, *asked.T), x, answers, open_) / len(both)
    score = Scorer(model, graph)

    def lost(part: slice) -> Tensor:
        mine = (place >= part.start) & (place < part.stop)
        answers = place[mine] - part.start, both[mine, 2]
        scores, open_ = score(*asked[part].T), fits[asked[part, 1]]
        return (_softmax if loss == "softmax" else partial(_by_name, loss))(
            scores, answers, open_, None if say is None else say[mine]
        )

    parts = list(blocks(len(asked), len(graph), held(SCORES)))
    if len(parts) == 1:
        return lost(parts[0]) / len(both)
    return torch.stack([checkpoint(lost, part, use_reentrant=False) for part in parts]).sum() / len(both)


def _softmax(scores: Tensor, answers: tuple[Tensor, Tensor], open_: Tensor, say: Tensor | None) -> Tensor:
    """Summed negative log probability of answers (row, tail), by weight."""
    scores = scores.masked_fill(~open_, -torch.inf)
    say = scores.new_ones(len(answers[0])) if say is None else say
    each = torch.bincount(answers[0], say, minlength=len(scores)).to(scores.dtype)
    return (each * torch.logsumexp(scores, dim=1)).sum() - (say * scores[answers]).sum()


def _by_name(loss: str, scores: Tensor, answers: tuple[Tensor, Tensor], open_: Tensor, say: Tensor | None) -> Tensor:
    """Another loss summed over answers (row, tail); a question counts as its answers do on average."""
    right = torch.zeros_like(scores, dtype=torch.bool)
    right[answers] = True
    each = LOSSES[loss](scores, right, open_)
    if say is not None:
        each = each * torch.bincount(answers[0], say, minlength=len(each)).to(each.dtype) / right.sum(1)
    return each.sum()


@torch.no_grad()
def scored(model: Model, graph: GraphTensors, right: Tensor, wrong: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Scores of right and wrong triples, and which is which."""
    model.eval()
    score = centred(model, graph, torch.cat([right, wrong]))
    return score.double().numpy(), np.repeat([1.0, 0.0], [len(right), len(wrong)])


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

    Heads and tails are nodes that already are one of the relation, so the work is (heads + tails) x nodes of a right
    label per relation; memory is bounded (gnn/bound.py).
    """
    triples = best(model, graph, [RELATIONS.index(name) for name in relations], each)
    if not len(triples):
        return Links(triples, np.zeros(0))
    return Links(triples, calibration(centred(model, graph, triples).numpy(), triples[:, 1].numpy()))
