"""Triples dealt in batches: the task of a table of vectors where each step sees a fair draw of all triples."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

import torch
from torch import Tensor, nn

from gnn.bilinear import Bilinear
from gnn.grouped import GroupedTask
from gnn.tensors import GraphTensors


class DealtTask(GroupedTask):
    """`batch` triples a step, asked both ways, instead of `batch` questions with all their answers.

    A question with a thousand answers then speaks in nearly every step of an epoch and not in one alone, where it would
    outweigh all others of its batch; every triple weighs the same. Triples of one batch that ask the same share a row
    of scores, so the step is still the one of `GroupedTask`, over these triples alone. A small graph is dealt in
    smaller batches, so that an epoch has at least `steps` steps.
    """

    def __init__(self, graph: GraphTensors, *given: Tensor | None, steps: int = 32, **lesson: Any) -> None:
        super().__init__(graph, *given, **lesson)
        self.batch = max(1, min(self.batch, len(self.tails) // steps))

    def portions(self, model: nn.Module, rank: int, size: int) -> Iterator[Tensor]:
        """One step per batch of triples, dealt anew each epoch, or of each only some questions."""
        assert isinstance(model, Bilinear)
        asked = torch.repeat_interleave(torch.arange(len(self.questions)), self.sizes)
        for part in torch.split(torch.randperm(len(asked)), self.batch):
            own = self.only(asked[part], self.tails[part])
            yield own.share(model, torch.arange(len(own.questions)), rank, size)

    def only(self, asked: Tensor, tails: Tensor) -> GroupedTask:
        """The same task over some triples, by the number of their question and their tail."""
        own = copy(self)
        numbers, place = torch.unique(asked, return_inverse=True)
        own.questions, own.tails = self.questions[numbers], tails[torch.argsort(place, stable=True)]
        own.sizes = torch.bincount(place)
        own.starts = own.sizes.cumsum(0) - own.sizes
        return own
