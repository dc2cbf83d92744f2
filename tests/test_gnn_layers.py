"""Layers in CSR form against their plain forms and another library, and the networks built of them."""

import pytest
import torch
from torch import Tensor

from gnn.convolution import BasisConvolution, Messages, both_ways, every_way, gathered
from gnn.edges import edge_vectors
from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.models.gcn import Gcn
from gnn.models.relational import Relational
from gnn.models.rgcn import Rgcn
from gnn.models.sage import Sage
from gnn.neighbours import neighbours
from gnn.spmm import Sparse
from tests.planted_layers import accuracy, built, homophilous, random_messages, scattered, typed
from tests.test_gnn_convolution import LENDS, graph, some_edges

pyg = pytest.importorskip("torch_geometric.nn")


def gradients(result: Tensor, *of: Tensor) -> list[Tensor]:
    """Gradients of a sum in which every entry counts differently."""
    weight = torch.linspace(-1.0, 1.0, result.numel()).reshape(result.shape)
    return list(torch.autograd.grad((result * weight).sum(), of))


def test_a_sparse_product_is_the_dense_one_and_its_gradient_too() -> None:
    rows, columns = torch.tensor([3, 0, 3, 1]), torch.tensor([1, 2, 0, 1])
    matrix = Sparse(rows, columns, torch.tensor([1.0, 2.0, -3.0, 0.5], dtype=torch.float64), (5, 3))
    dense = torch.zeros(5, 3, dtype=torch.float64).index_put((rows, columns), matrix.weight)
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.allclose(matrix @ x, dense @ x)
    assert torch.autograd.gradcheck(lambda own: matrix @ own, [x])


def test_a_sparse_product_without_entries_is_zero() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    x = torch.randn(3, 4, requires_grad=True)
    assert torch.equal(Sparse(none, none, torch.zeros(0), (2, 3)) @ x, torch.zeros(2, 4))


def test_compgcn_sums_equal_the_plain_gather_and_scatter_with_gradients() -> None:
    messages = random_messages(50, 400, 6)
    x, z = torch.randn(50, 8, requires_grad=True), torch.randn(7, 8, requires_grad=True)
    ours, theirs = gathered(x, z, messages), scattered(x, z, messages)
    assert torch.allclose(ours, theirs, atol=1e-5)
    for mine, plain in zip(gradients(ours, x, z), gradients(theirs, x, z), strict=True):
        assert torch.allclose(mine, plain, atol=1e-5)


def test_the_basis_layer_equals_that_of_pyg_with_gradients() -> None:
    messages = random_messages(40, 300, 9)
    even = Messages.of((messages.source, messages.target), messages.relation, torch.ones(300), 40, 9)
    layer, conv = BasisConvolution(6, 5, 9, 4), pyg.RGCNConv(6, 5, 9, num_bases=4)
    with torch.no_grad():
        conv.weight.copy_(layer.bases)
        conv.comp.copy_(layer.share)
        conv.root.copy_(layer.self_loop.weight.T)
        conv.bias.copy_(layer.self_loop.bias)
    x = torch.randn(40, 6, requires_grad=True)
    ours, theirs = layer(x, even), conv(x, torch.stack([even.source, even.target]), even.relation)
    assert torch.allclose(ours, theirs, atol=1e-4)
    mine = gradients(ours, x, layer.bases, layer.share, layer.self_loop.bias)
    plain = gradients(theirs, x, conv.weight, conv.comp, conv.bias)
    assert all(torch.allclose(one, other, atol=1e-4) for one, other in zip(mine, plain, strict=True))


def test_gcn_and_sage_layers_equal_those_of_pyg() -> None:
    own = graph(some_edges(20, 60), 20)
    near, x = neighbours(own), torch.randn(20, 6)
    ends = torch.stack([near.plain.columns, near.plain.rows])
    gcn, sage = Gcn(Shape.of(own), dim=6).layer(6), Sage(Shape.of(own), dim=6).layer(6)
    one, other = pyg.GCNConv(6, 6), pyg.SAGEConv(6, 6)
    with torch.no_grad():
        one.lin.weight.copy_(gcn.dense.weight)
        one.bias.copy_(gcn.dense.bias)
        other.lin_l.weight.copy_(sage.near.weight)
        other.lin_l.bias.copy_(sage.own.bias)
        other.lin_r.weight.copy_(sage.own.weight)
    for layer, conv in ((gcn, one), (sage, other)):
        mixed = layer.loop(x, x[:0], layer.heard(x, x[:0], near), near)
        assert torch.allclose(mixed, conv(x, ends), atol=1e-5)


def test_matrices_are_made_once_per_graph_and_a_hidden_edge_sends_no_message() -> None:
    own = graph(some_edges(20, 60), 20)
    hidden = torch.arange(len(own.edges)) == 3
    less = own.without(hidden)
    for prepared in (both_ways, every_way, neighbours):
        assert prepared(own) is prepared(own) and prepared(less) is not prepared(own)
    assert len(every_way(less).source) == len(every_way(own).source) - 2
    for kind in (Relational, Rgcn, Gcn, Sage):
        model = kind(Shape.of(own)).eval()
        bare = graph([edge for row, edge in enumerate(own.edges.tolist()) if row != 3], 20)
        assert torch.equal(model.embed(less), model.embed(bare))
        assert not torch.allclose(model.embed(less), model.embed(own), atol=1e-3)


def test_nodes_without_edges_keep_finite_vectors_and_gradients() -> None:
    own = graph([], 5)
    for kind in (Relational, Rgcn, Gcn, Sage):
        model = kind(Shape.of(own)).eval()
        vectors = model.embed(own)
        vectors.sum().backward()
        assert torch.isfinite(vectors).all()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_twenty_layers_of_gcn_stay_finite_where_the_articles_update_explodes() -> None:
    own = graph(some_edges(40, 300), 40)
    learned, plain = (Gcn(Shape.of(own), dim=16, layers=20, plain=plain).eval() for plain in (False, True))
    assert 0.01 < learned.embed(own).norm(dim=1).mean() < 100.0
    assert plain.embed(own).norm(dim=1).max() > 1e12


def test_gcn_beats_a_perceptron_on_a_homophilous_graph() -> None:
    gains = []
    for seed in range(3):
        own, label = homophilous(0.9, seed)
        gains.append(accuracy(built(Gcn, own, 1), own, label) - accuracy(built(Gcn, own, 0), own, label))
    assert min(gains) > 0.05, gains


def test_gcn_gains_nothing_where_neighbours_are_of_any_class() -> None:
    own, label = homophilous(0.5)
    assert accuracy(built(Gcn, own, 1), own, label) < accuracy(built(Gcn, own, 0), own, label) + 0.05


def test_networks_that_know_the_relation_beat_gcn_where_the_type_carries_the_signal() -> None:
    own, label = typed()
    blind = accuracy(built(Gcn, own, 1), own, label)
    assert accuracy(built(Rgcn, own, 1), own, label) > blind + 0.1
    assert accuracy(built(Relational, own, 1), own, label) > blind + 0.1


def test_an_edge_embedding_tells_direction_and_adds_up_to_the_score() -> None:
    own = graph(some_edges(12, 40), 12)
    triples = torch.tensor([[0, LENDS, 1], [4, LENDS, 7]])
    turned = triples[:, [2, 1, 0]]
    for kind in (Complex, Rgcn):
        model = kind(Shape.of(own), dim=8).eval()
        vectors = edge_vectors(model, own, triples)
        assert torch.allclose(vectors.sum(1), model.score(own, triples), atol=1e-5)
        assert not torch.allclose(vectors, edge_vectors(model, own, turned))
    flat = Complex(Shape.of(own), dim=8, symmetric=True)
    assert torch.allclose(edge_vectors(flat, own, triples), edge_vectors(flat, own, turned))
