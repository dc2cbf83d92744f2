"""Odds: log odds of triples that compare between questions, and the best new triples of a relation by them.

A raw score only ranks within one question. Measured against its level, the log of the mean of exp(score) over the nodes
that can still answer, it is log(p / chance) with p the softmax over those nodes: 0 is what any node would get.

    odds(h, r, t) = ( s(h, r, t) - level(h, r)  +  s(t, r', h) - level(t, r') ) / 2         r' the reciprocal of r

Levels are one number a question. So questions are scored in blocks, of which nothing else stays, and the best of
heads x tails are found in tiles: no table of questions x nodes is ever whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from gnn.bound import blocks, held
from gnn.device import beside
from gnn.evaluate import SCORES, Scorer, answered, listed
from gnn.model import Model
from gnn.sample import allowed, codes, reciprocal
from gnn.tensors import GraphTensors


@beside
@torch.no_grad()
def centred(model: Model, graph: GraphTensors, triples: Tensor) -> Tensor:
    """(triples,) float64 log odds: the mean of those of the tail given the rest and of the head given the rest.

    A triple that is asked for counts as open even if the graph holds it. At most as many scores as the bound of the run
    allows (gnn/bound.py) are in memory at a time.
    """
    odds, count = Odds(model, graph), len(graph.vocabulary.relations)
    return (odds.asked(triples) + odds.asked(reciprocal(triples, count))) / 2


@beside
@torch.no_grad()
def best(model: Model, graph: GraphTensors, relations: Sequence[int], each: int) -> Tensor:
    """(triples, 3) the `each` best new triples of each of these relations, one relation after the other."""
    odds = Odds(model, graph)
    return torch.cat([graph.edges[:0], *(odds.best(relation, each) for relation in relations)])


class Odds:
    """Log odds by a model over a graph; what does not depend on the questions is computed once."""

    def __init__(self, model: Model, graph: GraphTensors) -> None:
        self.graph, self.score = graph, Scorer(model.eval(), graph)
        self.fits, self.relations = allowed(graph), len(graph.vocabulary.relations)
        both = torch.cat([graph.edges, reciprocal(graph.edges, self.relations)])
        self.held = torch.unique(codes(both, len(graph), self.relations))

    def asked(self, triples: Tensor) -> Tensor:
        """(triples,) log odds of the tail given head and relation."""
        found = torch.empty(len(triples), dtype=torch.float64, device=triples.device)
        questions, place = torch.unique(triples[:, :2], dim=0, return_inverse=True)
        order = torch.argsort(place, stable=True)
        ends = torch.bincount(place, minlength=len(questions)).cumsum(0).tolist()
        for part in blocks(len(questions), len(self.graph), held(SCORES)):
            mine = order[(ends[part.start - 1] if part.start else 0) : ends[part.stop - 1]]
            row, tail, own = place[mine] - part.start, triples[mine, 2], questions[part]
            open_ = self.fits[own[:, 1]] & ~answered(self.held, own, self.graph)
            open_[row, tail] = True
            scores = self.score(own[:, 0], own[:, 1]).double().masked_fill_(~open_, -torch.inf)
            found[mine] = (scores.log_softmax(1) + open_.sum(1, keepdim=True).log())[row, tail]
        return found

    def levels(self, nodes: Tensor, relation: int) -> Tensor:
        """(nodes,) float64 level of each node's question by one relation, over the nodes that can still answer it."""
        able = torch.nonzero(self.fits[relation]).squeeze(1)
        place = torch.full((len(self.graph),), -1, device=nodes.device)
        place[able] = torch.arange(len(able), device=nodes.device)
        score, found = self.score.among(able), torch.empty(len(nodes), dtype=torch.float64, device=nodes.device)
        kind = torch.full_like(nodes, relation)
        for part in blocks(len(nodes), len(able), held(SCORES)):
            scores = score(nodes[part], kind[part])
            row, known = listed(self.held, torch.stack([nodes[part], kind[part]], dim=1), self.graph)
            row, known = row[place[known] >= 0], place[known][place[known] >= 0]
            scores[row, known] = -torch.inf
            count = len(able) - torch.bincount(row, minlength=len(scores))
            top = scores.amax(dim=1, keepdim=True).nan_to_num(neginf=0.0)
            total = scores.sub_(top).exp_().sum(dim=1, dtype=torch.float64)
            found[part] = total.log() + top[:, 0] - count.log()
        return found

    def best(self, relation: int, each: int) -> Tensor:
        """(at most each, 3) best triples of one relation that the graph does not hold, best first, then by numbers.

        Heads and tails are the nodes that already are a head or a tail of the relation.
        """
        own = self.graph.edges[self.graph.edges[:, 1] == relation]
        heads, tails = torch.unique(own[:, 0]), torch.unique(own[:, 2])
        found, worth = own[:0], self.levels(heads[:0], relation)
        for pairs, score in self._tiles(relation, own, heads, tails, each):
            triples = torch.stack([pairs[:, 0], torch.full_like(pairs[:, 0], relation), pairs[:, 1]], dim=1)
            found, worth = torch.cat([found, triples]), torch.cat([worth, score])
            order = torch.sort(worth, descending=True, stable=True).indices[:each]
            found, worth = found[order], worth[order]
        return found

    def _tiles(
        self, relation: int, own: Tensor, heads: Tensor, tails: Tensor, each: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Of some heads at a time the pairs that may be among the `each` best, in order of numbers, and their odds."""
        forth, back = self.levels(heads, relation), self.levels(tails, relation + self.relations)
        row, column = (
            torch.searchsorted(heads, own[:, 0].contiguous()),
            torch.searchsorted(tails, own[:, 2].contiguous()),
        )
        same = torch.searchsorted(tails, heads).clamp_(max=max(len(tails) - 1, 0))
        to_tails = self.score.among(tails)
        for part in blocks(len(heads), len(tails), held(SCORES) // 2):
            some = heads[part]
            odds = to_tails(some, torch.full_like(some, relation)).double().sub_(forth[part, None])
            turned = self.score.among(some)(tails, torch.full_like(tails, relation + self.relations)).T
            odds.add_(turned).sub_(back).div_(2)
            mine = (row >= part.start) & (row < part.stop)
            odds[row[mine] - part.start, column[mine]] = -torch.inf
            self_pair = torch.nonzero(tails[same[part]] == some).squeeze(1)
            odds[self_pair, same[part][self_pair]] = -torch.inf
            odds.nan_to_num_(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
            least = odds.flatten().topk(min(each, odds.numel())).values[-1]
            place = torch.nonzero((odds >= least) & (odds > -torch.inf))
            yield torch.stack([some[place[:, 0]], tails[place[:, 1]]], dim=1), odds[place[:, 0], place[:, 1]]
