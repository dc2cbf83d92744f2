"""Graphs with a planted signal for layers: who is like whom by homophily, and by the relation's type alone."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.bilinear import Bilinear
from gnn.convolution import Messages
from gnn.model import Model, Shape, seeded
from gnn.tensors import Features, GraphTensors
from tests.test_gnn_convolution import LENDS, SUPPLIES, graph

NODES = 300


def scattered(x: Tensor, z: Tensor, messages: Messages) -> Tensor:
    """The sum of `gathered` in its plain form: a product for each edge, added up edge by edge."""
    flow = x[messages.source] * z[messages.relation] * messages.weight
    return torch.zeros_like(x).index_add(0, messages.target, flow)


def random_messages(nodes: int, edges: int, kinds: int, seed: int = 0) -> Messages:
    draw = torch.Generator().manual_seed(seed)
    source, target = torch.randint(0, nodes, (2, edges), generator=draw)
    relation = torch.randint(0, kinds, (edges,), generator=draw)
    return Messages.of((source, target), relation, torch.rand(edges, generator=draw) + 0.1, nodes, kinds)


def homophilous(homophily: float, seed: int = 0, strength: float = 0.6) -> tuple[GraphTensors, Tensor]:
    """Two classes with weak features; a share of edges joins nodes of one class."""
    draw = torch.Generator().manual_seed(seed)
    label = torch.arange(NODES) % 2
    head = torch.arange(NODES).repeat_interleave(6)
    same = torch.rand(len(head), generator=draw) < homophily
    tail = 2 * torch.randint(0, NODES // 2, (len(head),), generator=draw)
    tail = tail + torch.where(same, label[head], 1 - label[head])
    own = graph(triples_of(head, torch.full_like(head, SUPPLIES), tail), NODES)
    return own.with_features({"numeric": _weak(label, strength, draw)}), label


def typed(seed: int = 0, strength: float = 0.6) -> tuple[GraphTensors, Tensor]:
    """Two classes with weak features: suppliers are of the same class, lenders of the other, as many of each."""
    draw = torch.Generator().manual_seed(seed)
    label = torch.arange(NODES) % 2
    head = torch.arange(NODES).repeat_interleave(8)
    relation = torch.where(torch.arange(len(head)) % 2 == 0, SUPPLIES, LENDS)
    tail = 2 * torch.randint(0, NODES // 2, (len(head),), generator=draw)
    tail = tail + torch.where(relation == SUPPLIES, label[head], 1 - label[head])
    own = graph(triples_of(head, relation, tail), NODES)
    return own.with_features({"numeric": _weak(label, strength, draw)}), label


def triples_of(head: Tensor, relation: Tensor, tail: Tensor) -> list[list[int]]:
    found: list[list[int]] = torch.unique(torch.stack([head, relation, tail], dim=1), dim=0).tolist()
    return found


def _weak(label: Tensor, strength: float, draw: torch.Generator) -> Features:
    values = torch.randn(len(label), 4, generator=draw)
    values[:, 0] += strength * (2.0 * label - 1.0)
    return Features(torch.arange(len(label)), values)


def accuracy(model: Bilinear, own: GraphTensors, label: Tensor, seed: int = 0, epochs: int = 60) -> float:
    """Held-out accuracy of a linear read-out on the model's vectors, both learned on half of the nodes."""
    train = torch.randperm(len(label), generator=torch.Generator().manual_seed(seed)) < len(label) // 2
    with seeded(seed):
        out = nn.Linear(model.embed(own).shape[1], int(label.max()) + 1)
        optimiser = torch.optim.Adam([*model.parameters(), *out.parameters()], lr=0.01, weight_decay=1e-3)
        model.train()
        for _ in range(epochs):
            loss = F.cross_entropy(out(model.embed(own))[train], label[train])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()
    with torch.no_grad():
        return float((out(model.embed(own)).argmax(1) == label)[~train].float().mean())


def built(kind: type[Model], own: GraphTensors, layers: int, seed: int = 0) -> Bilinear:
    """A small inductive network; without layers it is a perceptron on the features."""
    made = kind(Shape.of(own), dim=16, layers=layers, table=False, seed=seed)  # type: ignore[call-arg]
    assert isinstance(made, Bilinear)
    return made
