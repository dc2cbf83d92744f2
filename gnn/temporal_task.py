"""Learning one step ahead: every step of the training part is asked from what lies before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from gnn.temporal import Chronicle, Timed, ranked
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
