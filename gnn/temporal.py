"""Time: triples in the order in which they happened, and models that are asked one step ahead.

A question is (head, relation, step). What a model may see are the triples of all steps before it, those of the asked
step and later ones never: `Chronicle.past` gives no others. The ranking is filtered by time (Garcia-Duran et al. 2018):
another answer is left out only if it is true at the asked step, because what was true last year may well be wrong now.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

import torch
from torch import Tensor

from gnn.evaluate import SCORES, Ranking
from gnn.model import Model
from gnn.sample import allowed, codes, reciprocal
from gnn.sampler import Timeline
from gnn.tensors import GraphTensors, microseconds
from gnn.triples import Triples
from kg.errors import ModelError

AHEAD: Final = "one step ahead: history up to but without the asked step, time-aware filter, mean ties, both sides"
STATIC: Final = "static: filtered over all three files, mean ties, both sides"
NEVER: Final = 1 << 60


class Chronicle:
    """Timed triples in both directions: places are ordered by head and, for one head, by step."""

    def __init__(
        self, rows: Tensor, steps: Tensor, nodes: int, relations: int, fits: Tensor | None = None, reach: int = 512
    ) -> None:
        """`rows` (triples, 3) and their `steps` (triples,), whole numbers; a triple counts once a step.

        `fits` (2 R, nodes) bool says which nodes can answer, None that all can. Of each head no more than the `reach`
        latest triples before a moment are looked at.
        """
        once = torch.unique(torch.cat([rows, steps[:, None]], dim=1), dim=0)
        both = torch.cat([once[:, :3], reciprocal(once[:, :3], relations)])
        when = torch.cat([once[:, 3], once[:, 3]])
        self.nodes, self.relations, self.fits, self.reach = nodes, relations, fits, reach
        self.line = Timeline(both[:, 0], when, nodes)
        self.head, self.relation, self.tail = (column.contiguous() for column in both[self.line.order].unbind(1))
        self.step = when[self.line.order]
        self.again = _again(codes(both, nodes, relations)[self.line.order], self.step)
        """Step at which the same triple comes next; NEVER if it does not."""
        self.by_step = torch.argsort(self.step, stable=True)
        """Places ordered by step alone."""
        self._steps = self.step[self.by_step]

    @classmethod
    def of(cls, split: Triples) -> Chronicle:
        """Everything a folder of triples tells, of all three files. ModelError if it has no times."""
        if split.times is None:
            raise ModelError("the triples have no times; expected a fourth column with a number or an ISO date")
        rows, steps = torch.cat(split.rows), torch.cat(split.times)
        return cls(rows, steps, len(split.graph), len(split.graph.vocabulary.relations))

    @classmethod
    def of_graph(cls, graph: GraphTensors, unit: int) -> tuple[Chronicle, int]:
        """The first and the last publication of each edge, in steps of `unit` microseconds; and the step after all."""
        steps = steps_of(graph, torch.cat([graph.first, graph.last]), unit)
        every = bool(graph.vocabulary.fits.all())
        fits = None if every else allowed(graph)
        rows = torch.cat([graph.edges, graph.edges])
        return cls(rows, steps, len(graph), len(graph.vocabulary.relations), fits), 1

    def past(self, heads: Tensor, now: int) -> tuple[Tensor, Tensor]:
        """Rows of `heads`, and the places of what had happened to them before step `now`."""
        rank = self.line.rank(torch.tensor([now])).expand(len(heads))
        low, high = self.line.before(heads, rank)
        low = torch.maximum(low, high - self.reach)
        size = high - low
        row = torch.repeat_interleave(torch.arange(len(heads)), size)
        offset = torch.arange(len(row)) - torch.repeat_interleave(size.cumsum(0) - size, size)
        return row, low[row] + offset

    def between(self, start: int, end: int) -> Tensor:
        """Places of what happened from step `start` up to but without step `end`."""
        low, high = torch.searchsorted(self._steps, torch.tensor([start, end])).tolist()
        return self.by_step[low:high]

    def at(self, step: int) -> Tensor:
        """(triples, 3) what happened at a step, both directions."""
        place = self.between(step, step + 1)
        return torch.stack([self.head[place], self.relation[place], self.tail[place]], dim=1)

    def popular(self, now: int, fade: float) -> Tensor:
        """(2 R, nodes) share of each relation's triples before `now` that end at a node, by exp(-age / fade)."""
        place = self.between(-NEVER, now)
        weight = torch.exp((self.step[place] - now + 1) / fade).float()
        slot = self.relation[place] * self.nodes + self.tail[place]
        table = torch.zeros(2 * self.relations * self.nodes).index_add_(0, slot, weight).view(-1, self.nodes)
        return table / table.sum(1, keepdim=True).clamp(min=1e-30)


def steps_of(graph: GraphTensors, moments: Tensor, unit: int) -> Tensor:
    """The step of each moment of a graph, in steps of `unit` microseconds of which the last one, 0, ends at the cut."""
    end = max(microseconds(graph.cut), int(graph.last.max()) if len(graph.last) else 0)
    return -(end - moments).div(unit, rounding_mode="floor")


def _again(triple: Tensor, step: Tensor) -> Tensor:
    """(events,) step of the next event of the same triple."""
    number = torch.unique(triple, return_inverse=True)[1]
    first = int(step.min()) if len(step) else 0
    width = int(step.max()) - first + 1 if len(step) else 1
    order = torch.argsort(number * width + step - first, stable=True)
    following = torch.full_like(step, NEVER)
    same = number[order[1:]] == number[order[:-1]]
    following[order[:-1]] = torch.where(same, step[order[1:]], NEVER)
    return following


class Timed(Model):
    """A model that can be asked one step ahead of a chronicle."""

    @abstractmethod
    def ahead(self, chronicle: Chronicle, now: int, heads: Tensor, relations: Tensor) -> Tensor:
        """Scores (batch, nodes) at step `now`, from what the chronicle has before it."""


def timed(kind: type[Model], split: Triples) -> bool:
    """Whether a model is asked one step ahead on these triples: it knows time, and they have it."""
    return issubclass(kind, Timed) and split.times is not None


def placed(kind: type[Model], device: torch.device) -> None:
    """ModelError for a model that learns step by step and is to do so elsewhere than on the processor."""
    if issubclass(kind, Timed) and kind.trained and device.type != "cpu":
        raise ModelError(
            f"model {kind.name} learns step by step on the processor only, not on {device}; run it with device cpu, or "
            "name another model"
        )


def rank_ahead(model: Model, split: Triples, part: int = 2, scores: int = SCORES) -> Ranking:
    """Rank one part of a folder (0 train, 1 valid, 2 test), each step from all that lies before it in any part."""
    chronicle = Chronicle.of(split)
    assert split.times is not None and isinstance(model, Timed)
    return ranked(model, chronicle, split.rows[part], split.times[part], scores)


@torch.no_grad()
def ranked(model: Timed, chronicle: Chronicle, rows: Tensor, steps: Tensor, scores: int = SCORES) -> Ranking:
    """Time-aware filtered ranks of both ends of triples at their steps; a triple counts once a step."""
    model.eval()
    once = torch.unique(torch.cat([steps[:, None], rows], dim=1), dim=0)
    parts = []
    for step in torch.unique(once[:, 0]).tolist():
        asked = once[once[:, 0] == step][:, 1:]
        both = torch.cat([asked, reciprocal(asked, chronicle.relations)])
        parts.append(_ranks(model, chronicle, step, both, scores).view(2, -1))
    ranks = torch.cat(parts, dim=1) if parts else torch.zeros(2, 0, dtype=torch.float64)
    return Ranking(once[:, 1:], ranks[0], ranks[1])


def _ranks(model: Timed, chronicle: Chronicle, step: int, asked: Tensor, scores: int) -> Tensor:
    """(asked,) ranks of the tails among nodes that are no other answer at this step."""
    true, count = chronicle.at(step), 2 * chronicle.relations
    key = true[:, 0] * count + true[:, 1]
    order = torch.argsort(key)
    key, tails = key[order], true[order, 2]
    size, ranks = max(1, scores // chronicle.nodes), []
    for part in torch.split(asked, size):
        found = model.ahead(chronicle, step, part[:, 0], part[:, 1])
        target = found.gather(1, part[:, 2:])
        if bool(torch.isnan(target).any()):
            raise ModelError(f"model {model.name} gives scores that are no numbers; train it again at a smaller rate")
        if chronicle.fits is not None:
            found = found.masked_fill(~chronicle.fits[part[:, 1]], -torch.inf)
        own = part[:, 0] * count + part[:, 1]
        low, high = torch.searchsorted(key, own), torch.searchsorted(key, own, right=True)
        row = torch.repeat_interleave(torch.arange(len(part)), high - low)
        offset = torch.arange(len(row)) - torch.repeat_interleave((high - low).cumsum(0) - (high - low), high - low)
        found[row, tails[low[row] + offset]] = -torch.inf
        above, upto = (found > target).sum(1), (found >= target).sum(1)
        ranks.append(1 + (above + upto).double() / 2)
    return torch.cat(ranks)
