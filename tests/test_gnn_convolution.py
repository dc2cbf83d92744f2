"""The relational layer against a dense oracle, another library and the article's formula."""

from datetime import UTC, datetime

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.convolution import Convolution, Messages, both_ways, freshness, unweighted_sum
from gnn.model import Shape, seeded
from gnn.models.relational import Relational
from gnn.tensors import Features, GraphTensors, microseconds
from gnn.vocabulary import LABELS, RELATIONS

CUT = datetime(2023, 1, 1, tzinfo=UTC)
LENDS, SUPPLIES, MENTIONED = (RELATIONS.index(name) for name in ("LENDS_TO", "SUPPLIES", "MENTIONED_IN"))


def graph(edges: list[list[int]], nodes: int, years: float = 0.0) -> GraphTensors:
    """Companies with these edges, all published so many years before the cut."""
    when = torch.full((len(edges),), microseconds(CUT) - int(years * 365.25 * 86_400e6))
    triples = torch.tensor(edges, dtype=torch.int64).reshape(-1, 3)
    labels = torch.full((nodes,), LABELS.index("Company"))
    return GraphTensors(
        tuple(f"reg:{n:03d}" for n in range(nodes)), labels, triples, when, when, torch.ones_like(when), CUT
    )


def some_edges(nodes: int, count: int, seed: int = 0) -> list[list[int]]:
    draw = torch.Generator().manual_seed(seed)
    ends = torch.randint(0, nodes, (count, 2), generator=draw)
    kinds = torch.tensor([LENDS, SUPPLIES, MENTIONED])[torch.randint(0, 3, (count, 1), generator=draw)]
    return torch.unique(torch.cat([ends[:, :1], kinds, ends[:, 1:]], 1), dim=0).tolist()


def dense_oracle(layer: Convolution, x: Tensor, z: Tensor, own: GraphTensors) -> Tensor:
    """The layer written out node by node and edge by edge, with a dense product for each message."""
    out, edges = torch.zeros(len(x), layer.bias.shape[0]), own.edges.tolist()
    for v in range(len(x)):
        out[v] = layer.self_loop(x[v] * z[-1]) + layer.bias
        for r in range(len(RELATIONS)):
            heads = [h for h, q, t in edges if q == r and t == v]
            tails = [t for h, q, t in edges if q == r and h == v]
            for h in heads:
                out[v] = out[v] + layer.out(x[h] * z[r]) / len(heads)
            for t in tails:
                out[v] = out[v] + layer.back(x[t] * z[r + len(RELATIONS)]) / len(tails)
    return out


def test_the_layer_equals_a_dense_oracle() -> None:
    own = graph(some_edges(12, 40), 12)
    x, z = torch.randn(12, 6), torch.randn(2 * len(RELATIONS) + 1, 6)
    layer = Convolution(6, 5)
    mixed, relations = layer(x, z, both_ways(own))
    assert torch.allclose(mixed, dense_oracle(layer, x, z, own), atol=1e-5)
    assert torch.allclose(relations, layer.relation(z))


def test_one_direction_with_diagonal_weights_equals_the_rgcn_layer_of_pyg() -> None:
    conv = pytest.importorskip("torch_geometric.nn").RGCNConv(6, 5, num_relations=len(RELATIONS), aggr="mean")
    own, layer = graph(some_edges(12, 40), 12), Convolution(6, 5)
    z = torch.randn(2 * len(RELATIONS) + 1, 6)
    with torch.no_grad():
        layer.back.weight.zero_()
        conv.weight.copy_(torch.einsum("rd,od->rdo", z[: len(RELATIONS)], layer.out.weight))
        conv.root.copy_((layer.self_loop.weight * z[-1]).T)
        conv.bias.copy_(layer.bias)
    x = torch.randn(12, 6)
    theirs = conv(x, own.edges[:, [0, 2]].T, own.edges[:, 1])
    assert torch.allclose(layer(x, z, both_ways(own))[0], theirs, atol=1e-5)


def test_old_events_fade_and_old_states_do_not() -> None:
    fresh, old = graph([[0, LENDS, 1], [0, MENTIONED, 1]], 2), graph([[0, LENDS, 1], [0, MENTIONED, 1]], 2, years=2.0)
    assert torch.equal(freshness(fresh), torch.tensor([1.0, 1.0]))
    assert torch.allclose(freshness(old), torch.tensor([1.0, 0.13533528]), atol=1e-6)


def test_events_of_centuries_ago_still_weigh_one_together() -> None:
    edges = [[0, MENTIONED, 1], [2, MENTIONED, 1]]
    for years in (120.0, 400.0, 5000.0):
        own = graph(edges, 3, years=years)
        assert not freshness(own).any()
        for side in both_ways(own):
            assert torch.isfinite(side.weight).all()
        assert torch.allclose(both_ways(own)[0].weight, torch.full((2, 1), 0.5))
        model = Relational(Shape.of(own), dim=8).eval()
        assert torch.isfinite(model.embed(own)).all()


def test_messages_of_one_relation_at_one_node_weigh_one_together() -> None:
    own = graph(some_edges(12, 60), 12)
    for side in both_ways(own):
        slot = side.target * 100 + side.relation
        for value in torch.unique(slot):
            assert side.weight[slot == value].sum().item() == pytest.approx(1.0, abs=1e-6)


def test_twenty_layers_stay_finite_where_the_articles_sum_explodes() -> None:
    own = graph(some_edges(40, 300), 40)
    model = Relational(Shape.of(own), dim=16, layers=20).eval()
    x = model.embed(own)
    assert torch.isfinite(x).all() and 0.01 < x.norm(dim=1).mean() < 100.0
    plain = torch.randn(40, 16)
    for _ in range(20):
        plain = unweighted_sum(plain, both_ways(own)[0])
    assert plain.norm(dim=1).max() > 1e6


def homophilous(homophily: float, seed: int = 0, nodes: int = 300) -> tuple[GraphTensors, Tensor]:
    """Two classes with weak features; a share of edges joins nodes of one class."""
    draw = torch.Generator().manual_seed(seed)
    label = torch.arange(nodes) % 2
    edges = []
    for node in range(nodes):
        for _ in range(6):
            same = torch.rand(1, generator=draw).item() < homophily
            pick = int(torch.randint(0, nodes // 2, (1,), generator=draw)) * 2
            edges.append([node, SUPPLIES, pick + int(label[node] if same else 1 - label[node])])
    own = graph(torch.unique(torch.tensor(edges), dim=0).tolist(), nodes)
    values = torch.randn(nodes, 4, generator=draw)
    values[:, 0] += 0.6 * (2.0 * label - 1.0)
    return own.with_features({"numeric": Features(torch.arange(nodes), values)}), label


def accuracy(own: GraphTensors, label: Tensor, layers: int) -> float:
    """Held-out accuracy of the relational network with so many layers; none is a perceptron on the features."""
    with seeded(0):
        model = Relational(Shape.of(own), dim=16, layers=layers, table=False, dropout=0.2)
        out = nn.Linear(16, 2)
        optimiser = torch.optim.Adam([*model.parameters(), *out.parameters()], lr=0.01, weight_decay=1e-3)
        for _ in range(80):
            model.train()
            loss = F.cross_entropy(out(model.embed(own))[:150], label[:150])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()
    return float((out(model.embed(own)).argmax(1) == label)[150:].float().mean())


def test_message_passing_beats_a_perceptron_on_a_homophilous_graph() -> None:
    own, label = homophilous(0.9)
    assert accuracy(own, label, 1) > accuracy(own, label, 0) + 0.1


def test_without_homophily_message_passing_gains_nothing() -> None:
    own, label = homophilous(0.5)
    assert accuracy(own, label, 1) < accuracy(own, label, 0) + 0.05


def test_messages_without_edges_are_none() -> None:
    empty = torch.zeros(0, dtype=torch.int64)
    assert Messages.of((empty, empty), empty, torch.zeros(0), 3, 2).weight.shape == (0, 1)
