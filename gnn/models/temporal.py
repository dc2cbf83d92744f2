"""Time: past events call up new ones, popularity fades, and node vectors follow what reached the node lately."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.decoder import query
from gnn.model import Plan, Shape, seeded
from gnn.temporal import NEVER, Chronicle, Timed
from gnn.tensors import GraphTensors

EXACT, BINS = 32, 48
"""Ages up to EXACT steps have a weight of their own; beyond, BINS in all share them out on a logarithmic scale."""
FADES: Final = (4.0, 32.0, 1e9)
"""Steps over which popularity fades: lately, for a while, ever."""
WINDOW: Final = 32
"""Steps back from which messages come."""
APART: Final = 512
"""Up to so many relations, both directions counted, each pair of them has a kernel; beyond, own and others."""
PERIODS: Final = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 48, 64, 128, 256)
UNSEEN: Final = 1e-6
MONTH: Final = 30 * 86_400_000_000
"""Microseconds of a step over a graph."""


class Temporal(Timed):
    """Intensity of a marked Hawkes process (Hawkes 1971) with a bilinear ground rate, asked one step ahead:

        score(h, r, t | s) = log( sum_{(h, r', t, s') , s' < s} k_rr'(s - s') + sum_j p_rj pop_j(r, t, s)
                                  + g_r softmax_t( q . x_t(s) ) )
        q      = (x_h(s) o (w_r + v_r o T(s)))     complex product (Lacroix et al. 2020), x_t conjugate as in ComplEx
        T(s)   = Time2Vec of the step: a line and waves of learned periods (Kazemi et al. 2019)
        x_v(s) = e_v + W sum_{(u, r, s') to v} exp(-c_r (s - s')) (e_u o m_r) / (1 + sum exp(-c_r (s - s')))

    Kernels k are free at every age, one for any event and one more for the latest of its triple, so they hold decay,
    periods and rules ("r' brings r after three steps"). They start as the recurrency baseline (gnn/models/frequency.py)
    with `fade`, popularity as its third term: what is learned is added to that floor. Scores are logarithms of shares
    that add up to a known sum, so the loss -log(share of the right answer) needs no scores but those of the bilinear
    part. Over a graph, a step is `unit` microseconds and the question is about the step after the cut.
    """

    name = "temporal"
    plan = Plan(recipe={"epochs": 12, "rate": 0.02, "schedule": "linear", "weight_decay": 0.0, "patience": 3})

    def __init__(
        self, shape: Shape, dim: int = 32, fade: float = 32.0, dropout: float = 0.5, unit: int = MONTH, seed: int = 0
    ) -> None:
        super().__init__(shape, {"dim": dim, "fade": fade, "dropout": dropout, "unit": unit, "seed": seed})
        self.unit, self.dropout, kinds = unit, dropout, 2 * shape.relations
        self.paired = kinds <= APART
        with seeded(seed):
            self.rows = nn.Parameter(0.1 * torch.randn(shape.nodes, dim))
            self.relation = nn.Parameter(0.3 * torch.randn(kinds, dim))
            self.moving = nn.Parameter(0.03 * torch.randn(kinds, dim))
            self.message = nn.Parameter(1 + 0.1 * torch.randn(kinds, dim))
            self.fading = nn.Parameter(torch.full((kinds,), -1.5))
            self.periods = nn.Parameter(torch.tensor([2 * math.pi / period for period in PERIODS]))
            self.clock = nn.Linear(2 * len(PERIODS) + 1, dim)
            self.mix = nn.Linear(dim, dim, bias=False)
        nn.init.zeros_(self.mix.weight)
        self.any, self.latest = (nn.Parameter(start) for start in self._kernels(kinds, fade))
        near = min(range(len(FADES)), key=lambda place: abs(math.log(FADES[place] / fade)))
        self.popular = nn.Parameter(torch.full((kinds, len(FADES)), math.log(1e-3)))
        self.popular.data[:, near] = math.log(1e-2)
        self.ground = nn.Parameter(torch.full((kinds,), math.log(0.01)))

    def _kernels(self, kinds: int, fade: float) -> tuple[Tensor, Tensor]:
        """(2 R, 2 R, BINS) logarithms: the baseline for any event, nearly nothing for the latest one."""
        ages = torch.arange(1, BINS + 1).double()
        ages[EXACT:] = EXACT * 1.5 ** (ages[EXACT:] - EXACT)
        decay = (-(ages - 1) / fade).clamp(min=-12).float()
        if self.paired:
            start = math.log(0.1) + decay.expand(kinds, kinds, -1).clone()
            start[torch.arange(kinds), torch.arange(kinds)] = math.log(1.1) + decay
        else:
            start = torch.stack([math.log(1.1) + decay, math.log(0.1) + decay]).expand(kinds, -1, -1).clone()
        return start, torch.full_like(start, -7.0)

    def embed(self, graph: GraphTensors) -> Tensor:
        """Vectors at the step after the cut."""
        self.check(graph)
        return self.vectors(*Chronicle.of_graph(graph, self.unit))

    def score_tails(self, graph: GraphTensors, heads: Tensor, relations: Tensor) -> Tensor:
        self.check(graph)
        return self.ahead(*Chronicle.of_graph(graph, self.unit), heads, relations)

    def vectors(self, chronicle: Chronicle, now: int) -> Tensor:
        """(nodes, dim) at step `now`: rows of the table with the messages of the last WINDOW steps."""
        place = chronicle.between(now - WINDOW, now)
        relation, target = chronicle.relation[place], chronicle.tail[place]
        age = (now - chronicle.step[place]).float()
        weight = torch.exp(-F.softplus(self.fading)[relation] * age)[:, None]
        flow = self.rows[chronicle.head[place]] * self.message[relation] * weight
        total = torch.ones(len(self.rows), 1).index_add(0, target, weight)
        heard = torch.zeros_like(self.rows).index_add(0, target, flow) / total
        return F.dropout(self.rows + self.mix(heard), self.dropout, self.training)

    def ahead(self, chronicle: Chronicle, now: int, heads: Tensor, relations: Tensor) -> Tensor:
        """(batch, nodes) logarithm of the intensity of every tail at step `now`."""
        row, tail, rate = self.called(chronicle, now, heads, relations)
        share = torch.softmax(self.bilinear(chronicle, now, heads, relations), dim=1)
        rates = self.ground[relations].exp()[:, None] * share + UNSEEN / self.shape.nodes
        for weight, fade in zip(self.popular.unbind(1), FADES, strict=True):
            rates = rates + weight[relations].exp()[:, None] * chronicle.popular(now, fade)[relations]
        return rates.index_put((row, tail), rate, accumulate=True).log()

    def loss(self, chronicle: Chronicle, now: int, asked: Tensor) -> Tensor:
        """Mean over (questions, 3) of -log share of the right tail."""
        heads, relations, tails = asked.unbind(1)
        row, tail, rate = self.called(chronicle, now, heads, relations)
        hit = rate * (tail == tails[row])
        right, every = (torch.zeros(len(asked)).index_add(0, row, part) for part in (hit, rate))
        share = -F.cross_entropy(self.bilinear(chronicle, now, heads, relations), tails, reduction="none")
        ground = self.ground[relations].exp()
        right, every = right + ground * share.exp() + UNSEEN / self.shape.nodes, every + ground + UNSEEN
        for weight, fade in zip(self.popular.unbind(1), FADES, strict=True):
            table, force = chronicle.popular(now, fade), weight[relations].exp()
            right, every = right + force * table[relations, tails], every + force * table.sum(1)[relations]
        return (every.log() - right.log()).mean()

    def called(self, chronicle: Chronicle, now: int, heads: Tensor, relations: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of questions, tails and rates that past events call up."""
        row, place = chronicle.past(heads, now)
        asked, other = relations[row], chronicle.relation[place]
        kind = other if self.paired else (other != asked).long()
        age = _bin(now - chronicle.step[place])
        latest = chronicle.again[place] >= now
        rate = self.any[asked, kind, age].exp() + self.latest[asked, kind, age].exp() * latest
        return row, chronicle.tail[place], rate

    def bilinear(self, chronicle: Chronicle, now: int, heads: Tensor, relations: Tensor) -> Tensor:
        """(batch, nodes) scores of ComplEx with a relation that moves in time."""
        x = self.vectors(chronicle, now)
        relation = self.relation[relations] + self.moving[relations] * self.time(now)
        return query(x[heads], relation) @ x.T

    def time(self, now: int) -> Tensor:
        """(dim,) Time2Vec of a step."""
        waves = self.periods * now
        code: Tensor = self.clock(torch.cat([torch.tensor([now / 256]), waves.sin(), waves.cos()]))
        return code


def _bin(age: Tensor) -> Tensor:
    """Place in a kernel of each age in steps, from 1."""
    far = EXACT + (age.clamp(min=EXACT, max=NEVER).double() / EXACT).log().div(math.log(1.5)).floor().long()
    return torch.where(age <= EXACT, age - 1, far.clamp(max=BINS - 1))
