"""Counting, without training: what happened before happens again, and what is popular stays popular."""

from __future__ import annotations

from weakref import ref

import torch
from torch import Tensor

from gnn.model import Shape
from gnn.temporal import Chronicle, Timed
from gnn.tensors import YEAR, GraphTensors, microseconds


class Frequency(Timed):
    """Recurrency baseline, after Gastinger et al. 2024 ("History repeats itself"):

        score(h, r, t) = c(h, r, t) + 0.1 c(h, t) + 0.01 p(r, t)

    with c decayed counts exp(-age / decay) of the triple and of the pair under any relation in either direction,
    and p the decayed share of r's edges that end at t. Any learned model has to be shown beside it. Over a graph ages
    are in years and `decay` fades them; over a chronicle ages are in steps and `fade` does.
    """

    name = "frequency"
    trained = False

    def __init__(self, shape: Shape, decay: float = 1.0, fade: float = 32.0) -> None:
        super().__init__(shape, {"decay": decay, "fade": fade})
        self.decay, self.fade = decay, fade
        self._kept: tuple[ref[GraphTensors], tuple[Tensor, ...]] | None = None

    def embed(self, graph: GraphTensors) -> Tensor:
        """(nodes, 2 R) decayed degree of each node by relation and direction."""
        _, relation, tail, weight = self._events(graph)
        table = torch.zeros(len(graph), 2 * len(graph.vocabulary.relations))
        return table.index_put((tail, relation), weight, accumulate=True)

    def score_tails(self, graph: GraphTensors, heads: Tensor, relations: Tensor) -> Tensor:
        """The formula above; with a reciprocal relation it counts heads."""
        _, relation, tail, weight, popular, order, start, count = self._counts(graph)
        size = count[heads]
        row = torch.repeat_interleave(torch.arange(len(heads)), size)
        offset = torch.arange(len(row)) - torch.repeat_interleave(size.cumsum(0) - size, size)
        event = order[start[heads][row] + offset]
        return _counted(0.01 * popular.T[relations], row, tail[event], relation[event] == relations[row], weight[event])

    def _counts(self, graph: GraphTensors) -> tuple[Tensor, ...]:
        """What hangs on no question, found once for as long as the same graph is asked: events, popularity, order."""
        if self._kept is None or self._kept[0]() is not graph:
            events, degree = self._events(graph), self.embed(graph)
            count = torch.bincount(events[0], minlength=len(graph))
            popular = degree / degree.sum(0).clamp(min=1e-9)
            order = torch.argsort(events[0], stable=True)
            self._kept = ref(graph), (*events, popular, order, count.cumsum(0) - count, count)
        return self._kept[1]

    def ahead(self, chronicle: Chronicle, now: int, heads: Tensor, relations: Tensor) -> Tensor:
        """The formula above with every step that a triple was true at counted, by its age at `now`."""
        row, place = chronicle.past(heads, now)
        weight = torch.exp((chronicle.step[place] - now + 1) / self.fade).float()
        same = chronicle.relation[place] == relations[row]
        popular = chronicle.popular(now, self.fade)[relations]
        return _counted(0.01 * popular, row, chronicle.tail[place], same, weight)

    def _events(self, graph: GraphTensors) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Head, relation, tail and decayed count of every edge in both directions."""
        h, r, t = graph.edges.unbind(1)
        age = (microseconds(graph.cut) - graph.last).to(torch.float32) / (YEAR * self.decay)
        weight = graph.counts.to(torch.float32).log1p() * torch.exp(-age)
        return (
            torch.cat([h, t]),
            torch.cat([r, r + len(graph.vocabulary.relations)]),
            torch.cat([t, h]),
            torch.cat([weight, weight]),
        )


def _counted(scores: Tensor, row: Tensor, tail: Tensor, same: Tensor, weight: Tensor) -> Tensor:
    """Scores (batch, nodes) with the events of each row added: 1.1 of its weight if of the relation asked, else 0.1."""
    gain = torch.where(same, 1.1, 0.1) * weight
    return scores.index_put_((row, tail), gain, accumulate=True)
