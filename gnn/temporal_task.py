"""Learning one step ahead: every step of the training part is asked from what lies before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from gnn.evaluate import rank
from gnn.model import Model
from gnn.sample import predictable, reciprocal
from gnn.temporal import Chronicle, Timed, ranked, steps_of
from gnn.tensors import GraphTensors
from gnn.triples import Triples
from kg.errors import ModelError


class Learner(Protocol):
    """A model that gives a loss one step ahead."""

    def loss(self, chronicle: Chronicle, now: int, asked: Tensor) -> Tensor: ...


class AheadTask:
    """The steps of the training triples in an order dealt anew each epoch, one optimiser step each.

    The first `warm` share of the steps is history alone, and at most `questions` are asked of a step. Each question
    sees the training triples before its step, so the order of the steps lets nothing of the future through.
    """

    def __init__(self, split: Triples, warm: float = 0.1, questions: int = 512) -> None:
        whole = Chronicle.of(split)
        assert split.times is not None
        self.whole, self.split, self.questions = whole, split, questions
        self.train = Chronicle(split.rows[0], split.times[0], whole.nodes, whole.relations)
        steps = torch.unique(split.times[0])
        self.steps = steps[int(warm * len(steps)) :]
        if len(steps) < 2:
            raise ModelError(f"the training triples have {len(steps)} step; expected two or more to learn one from")
        self.steps = self.steps[-max(1, len(steps) - 1) :]
        """At least the first step is history alone."""

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One step of the optimiser per step of time."""
        learner = cast(Learner, model)
        for step in self.steps[torch.randperm(len(self.steps))].tolist():
            asked = self.train.at(step)
            asked = asked[torch.randperm(len(asked))[: self.questions]]
            yield learner.loss(self.train, step, asked)

    def validate(self, model: nn.Module) -> float | None:
        """MRR one step ahead on the validation triples, of which no more than some thousand are asked."""
        assert isinstance(model, Timed) and self.split.times is not None
        rows, steps = self.split.rows[1], self.split.times[1]
        few = torch.linspace(0, len(rows) - 1, min(len(rows), 2000)).long()
        return ranked(model, self.whole, rows[few], steps[few]).mrr


class MonthsTask:
    """The steps of a graph's past in an order dealt anew each epoch: what was new in one, from what lay before it.

    A step is the model's own `unit`, and an edge is new when it is first published, as it is when links after a cut are
    asked for; that it was published again is history. `questions` bounds the edges asked for in an epoch, `each` those
    of one step. The first step is history alone.
    """

    def __init__(
        self, graph: GraphTensors, unit: int, valid: Tensor | None = None, questions: int | None = None, each: int = 512
    ) -> None:
        asked = predictable(graph)
        if not bool(asked.any()):
            raise ModelError(f"nothing to learn: the graph has no edge of {', '.join(graph.vocabulary.asked)}")
        self.graph, self.valid = graph, valid
        self.past, _ = Chronicle.of_graph(graph, unit)
        self.rows, self.step = graph.edges[asked], steps_of(graph, graph.first[asked], unit)
        self.steps = torch.unique(self.step)
        self.steps = self.steps[self.steps > int(self.past.step.min())]
        if not len(self.steps):
            days = unit / 86_400e6
            raise ModelError(f"all edges were published within {days:.0f} days; time can be learned from two steps on")
        self.each = each if questions is None else max(1, min(each, questions // len(self.steps)))

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One step of the optimiser per step of time."""
        learner, count = cast(Learner, model), len(self.graph.vocabulary.relations)
        for step in self.steps[torch.randperm(len(self.steps))].tolist():
            new = self.rows[self.step == step]
            new = new[torch.randperm(len(new))[: self.each]]
            yield learner.loss(self.past, step, torch.cat([new, reciprocal(new, count)]))

    def validate(self, model: nn.Module) -> float | None:
        """Filtered MRR of the later triples, asked about the step after the cut as any model is."""
        assert isinstance(model, Model)
        return None if self.valid is None or not len(self.valid) else rank(model, self.graph, self.valid).mrr
