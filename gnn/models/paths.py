"""Paths between head and candidate, no table of nodes: scores entities that were never seen in training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from gnn.frontier import Adjacency, Reached, best
from gnn.model import Model, Plan, Shape, seeded
from gnn.tensors import GraphTensors
from kg.errors import ModelError

MessageKind = Literal["distmult", "transe", "rotate"]
Aggregation = Literal["sum", "pna"]
Priority = Literal["learned", "walk"]
CHOICES = {"message": ("distmult", "transe", "rotate"), "aggregate": ("sum", "pna"), "priority": ("learned", "walk")}


@dataclass(frozen=True)
class Step:
    """The edges walked in one layer, for whoever asks what a score rests on."""

    question: Tensor
    source: Tensor
    relation: Tensor
    target: Tensor
    weight: Tensor
    """(walked,) float32, a factor on each message."""


class PathModel(Model):
    """Neural Bellman-Ford (NBFNet, Zhu et al. 2021) on a bounded frontier (A*Net, Zhu et al. 2023).

        h_0(v) = e_q where v is the head, else nothing
        m(v)   = [v is the head] e_q + sum over walked edges (x, r, v) of w s(x) message(h(x), z_q(r))
        h'(v)  = h(v) + relu(LayerNorm(W [h(v), m(v)] + b))
        score  = MLP [h_L(v), e_q] + a_q log(1 + edges of relation q that end at v) + c_q

    with z_q(r) = Z_r e_q + z_r read off the relation asked for, message x * z (DistMult), x + z (TransE) or a turn of
    complex numbers (RotatE), and s(x) a learned priority in (0, 1), or the chance that a random walk is at x. Per layer
    a question walks on from its best `frontier` nodes over at most `edges` edges. What no walk reached is told by the
    last two terms alone. `inductive=True` reads graphs of other nodes; the weights are the same.
    """

    name = "paths"
    plan = Plan(
        lesson={"steps": 1000},
        recipe={"epochs": 3, "rate": 0.005, "schedule": "linear", "weight_decay": 0.0},
        over={"questions": 1000},
    )

    def __init__(
        self,
        shape: Shape,
        dim: int = 32,
        layers: int = 3,
        frontier: int = 32,
        edges: int = 1024,
        message: MessageKind = "distmult",
        aggregate: Aggregation = "sum",
        priority: Priority = "learned",
        inductive: bool = False,
        chunk: int = 64,
        seed: int = 0,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name not in ("self", "shape", "__class__")}
        super().__init__(shape, settings)
        for name, allowed in CHOICES.items():
            if settings[name] not in allowed:
                raise ModelError(f"paths: {name} {settings[name]!r} is unknown; name one of {', '.join(allowed)}")
        if dim % 2 or min(dim, layers, frontier, edges, chunk) < 1:
            raise ModelError("paths: dim must be even, and dim, layers, frontier, edges and chunk at least 1")
        self.frontier, self.edges, self.chunk, self.walker = frontier, edges, chunk, priority
        with seeded(seed):
            self.asked = nn.Embedding(2 * shape.relations, dim)
            self.layers = nn.ModuleList(Layer(dim, 2 * shape.relations, message, aggregate) for _ in range(layers))
            self.out = nn.Sequential(nn.Linear(2 * dim, dim), nn.ReLU(), nn.Linear(dim, 1))
            self.popular = nn.Linear(dim, 1)
            nn.init.normal_(self.asked.weight, std=0.5)

    def check(self, graph: GraphTensors) -> None:
        """Relations must be those it was built for; nodes too, unless it is inductive."""
        if len(graph.vocabulary.relations) != self.shape.relations:
            raise ModelError(
                f"model {self.name} was built for {self.shape.relations} relations, the graph has "
                f"{len(graph.vocabulary.relations)}; build it with Shape.of(graph)"
            )
        if not self.settings["inductive"]:
            super().check(graph)

    def embed(self, graph: GraphTensors) -> Tensor:
        """(nodes, 2 R) log(1 + edges that end at the node), by relation: all that is said of a node unasked."""
        self.check(graph)
        return ending(graph).log1p()

    def score_tails(self, graph: GraphTensors, heads: Tensor, relations: Tensor) -> Tensor:
        """Scores of all nodes, `chunk` questions at a time; in training each chunk is walked again for its gradient."""
        ends, roads = self.embed(graph), Adjacency.of(graph)
        parts = []
        for h, r in zip(torch.split(heads, self.chunk), torch.split(relations, self.chunk), strict=True):
            run = partial(self._scores, graph, roads, ends, h, r)
            again = torch.is_grad_enabled() and len(heads) > self.chunk
            parts.append(_Again.apply(self.asked.weight, run) if again else run())
        return torch.cat(parts) if parts else torch.zeros(0, len(graph))

    def traced(self, graph: GraphTensors, head: int, relation: int, share: float = 1.0) -> tuple[Tensor, list[Step]]:
        """Scores (nodes,) of one question, and the edges it walked with weights that the scores can be derived by;
        `share` weakens all messages alike."""
        ends, roads, steps = self.embed(graph), Adjacency.of(graph), list[Step]()
        roads = replace(roads, weight=roads.weight * share)
        scores = self._scores(graph, roads, ends, torch.tensor([head]), torch.tensor([relation]), steps)
        return scores[0], steps

    def _scores(
        self,
        graph: GraphTensors,
        roads: Adjacency,
        ends: Tensor,
        heads: Tensor,
        relations: Tensor,
        steps: list[Step] | None = None,
    ) -> Tensor:
        q = self.asked(relations)
        reached, h = self._walked(roads, heads, q, steps)
        bare = self.out(torch.cat([torch.zeros_like(q), q], dim=1))
        told = self.out(torch.cat([h, q[reached.question]], dim=1)).squeeze(1) - bare[reached.question, 0]
        scores: Tensor = bare + self.popular(q) * ends.T[relations]
        return scores.index_put((reached.question, reached.node), told, accumulate=True)

    def _walked(self, roads: Adjacency, heads: Tensor, q: Tensor, steps: list[Step] | None) -> tuple[Reached, Tensor]:
        """The pairs that were reached, and their vectors (pairs, dim)."""
        nodes, degree = len(roads.start) - 1, roads.degree
        reached, h, chance = Reached(torch.arange(len(heads)), heads), q, torch.ones(len(heads))
        for layer in self.layers:
            assert isinstance(layer, Layer)
            gate = layer.gate(h, q[reached.question]) if self.walker == "learned" else chance
            rows = best(reached, gate.detach(), degree, self.frontier, self.edges)
            place, edge = roads.leaving(reached.node[rows])
            row = rows[place]
            question, kind = reached.question[row], roads.relation[edge]
            weight = roads.weight[edge]
            if steps is not None:
                weight = weight.clone().requires_grad_()
                steps.append(Step(question, reached.node[row], kind, roads.target[edge], weight))
            flow = layer.message(h[row], layer.relations(q), question, kind) * weight[:, None]
            if self.walker == "learned":
                flow = flow * gate[row, None]
            after, old, new = reached.with_(question, roads.target[edge], nodes)
            chance = moved(chance, row, degree[reached.node[row]], new, len(after))
            carried = h.new_zeros(len(after), h.shape[1]).index_copy(0, old, h)
            here = after.node == heads[after.question]
            start = torch.where(here[:, None], q[after.question], 0.0)
            reached, h = after, layer(carried, flow, new, start)
        return reached, h


class Layer(nn.Module):
    """One step of the walk: messages, what they add up to, and the new vectors."""

    def __init__(self, dim: int, relations: int, message: MessageKind, aggregate: Aggregation) -> None:
        super().__init__()
        self.kind, self.aggregate, self.shape = message, aggregate, (relations, dim)
        self.relation = nn.Linear(dim, relations * dim)
        self.first = nn.Linear(2 * dim, dim)
        self.second = nn.Linear(dim, 1)
        self.mix = nn.Linear((2 if aggregate == "sum" else 14) * dim, dim)
        self.norm = nn.LayerNorm(dim)
        nn.init.normal_(self.relation.weight, std=0.3 / dim**0.5)
        nn.init.normal_(self.relation.bias, mean=1.0 if message == "distmult" else 0.0, std=0.3)

    def gate(self, h: Tensor, q: Tensor) -> Tensor:
        """(pairs,) in (0, 1): how promising it is to walk on from here."""
        score: Tensor = self.second(torch.relu(self.first(torch.cat([h, q], dim=1)))).squeeze(1)
        return torch.sigmoid(score)

    def relations(self, q: Tensor) -> Tensor:
        """(questions, 2 R, dim) the vectors of relations as each question reads them."""
        found: Tensor = self.relation(q).view(len(q), *self.shape)
        return found

    def message(self, h: Tensor, z: Tensor, question: Tensor, kind: Tensor) -> Tensor:
        """(walked, dim) what flows along each edge."""
        own = z.flatten(0, 1)[question * self.shape[0] + kind]
        if self.kind == "distmult":
            return h * own
        if self.kind == "transe":
            return h + own
        real, imag = h.chunk(2, dim=1)
        cos, sin = nn.functional.normalize(torch.stack(own.chunk(2, dim=1)), dim=0).unbind(0)
        return torch.cat([real * cos - imag * sin, real * sin + imag * cos], dim=1)

    def forward(self, h: Tensor, flow: Tensor, to: Tensor, start: Tensor) -> Tensor:
        got = self.gathered(flow, to, start)
        after: Tensor = h + torch.relu(self.norm(self.mix(torch.cat([h, got], dim=1))))
        return after

    def gathered(self, flow: Tensor, to: Tensor, start: Tensor) -> Tensor:
        """What messages add up to at each pair: their sum, or mean, deviation, highest and lowest (PNA, Corso et al.
        2020), each as it is, amplified and dampened by the number of messages."""
        total = start.index_add(0, to, flow)
        if self.aggregate == "sum":
            return total
        count = 1.0 + torch.bincount(to, minlength=len(start)).to(flow.dtype)[:, None]
        mean = total / count
        square = (start * start).index_add(0, to, flow * flow) / count
        deviation = (square - mean * mean).clamp(min=1e-6).sqrt()
        wide = to[:, None].expand_as(flow)
        high, low = (start.scatter_reduce(0, wide, flow, how) for how in ("amax", "amin"))
        parts, size = torch.cat([mean, deviation, high, low], dim=1), count.log1p()
        return torch.cat([total.sign() * total.abs().log1p(), parts, parts * size, parts / size], dim=1)


class _Again(torch.autograd.Function):
    """Runs without keeping what lies between, and once more when the gradient is asked for (Chen et al. 2016)."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, run: Callable[[], Tensor]) -> Tensor:
        ctx.run = run
        return run()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        with torch.enable_grad():
            torch.autograd.backward(ctx.run(), grad)
        return None, None


def moved(chance: Tensor, row: Tensor, degree: Tensor, to: Tensor, size: int) -> Tensor:
    """(pairs,) chance that a walk which leaves a node by any of its edges alike is at each pair now."""
    return torch.zeros(size).index_add(0, to, chance[row] / degree)


def ending(graph: GraphTensors) -> Tensor:
    """(nodes, 2 R) float32, how many edges of each relation, reciprocal ones from R on, end at each node."""
    head, relation, tail = graph.edges.unbind(1)
    count = len(graph.vocabulary.relations)
    node, kind = torch.cat([tail, head]), torch.cat([relation, relation + count])
    table = torch.zeros(len(graph), 2 * count)
    return table.index_put((node, kind), torch.ones(len(node)), accumulate=True)
