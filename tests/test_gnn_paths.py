"""The path-conditioned model against a walk written out edge by edge, its bounds, and worlds of other entities."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from gnn.evaluate import rank
from gnn.frontier import Adjacency, Reached, best
from gnn.links import LinkTask
from gnn.model import Shape, exact
from gnn.models.complex import Complex
from gnn.models.paths import Layer, PathModel
from gnn.rerank import Reranked
from gnn.tensors import GraphTensors
from gnn.train import Recipe, fit
from kg.errors import ModelError
from tests.planted_links import drawn, plain, ruled


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take longer than these small products."""
    with exact(1):
        yield


def by_hand(model: PathModel, graph: GraphTensors, head: int, relation: int) -> Tensor:
    """Scores of one question by loops over all edges, nothing left out."""
    q, count = model.asked.weight[relation], len(graph.vocabulary.relations)
    h: dict[int, Tensor] = {head: q}
    for layer in model.layers:
        assert isinstance(layer, Layer)
        z, got = layer.relations(q[None])[0], {head: q.clone()}
        for a, r, b in [e for h_, r_, t in graph.edges.tolist() for e in ((h_, r_, t), (t, r_ + count, h_))]:
            if a in h:
                gate = layer.gate(h[a][None], q[None])[0]
                got[b] = got.get(b, torch.zeros_like(q)) + h[a] * z[r] * gate
        nothing = torch.zeros_like(q)
        both = {v: (h.get(v, nothing), got.get(v, nothing)) for v in h.keys() | got.keys()}
        h = {v: old + torch.relu(layer.norm(layer.mix(torch.cat([old, new])))) for v, (old, new) in both.items()}
    popular = model.popular(q) * model.embed(graph)[:, relation]
    vectors = torch.stack([h.get(v, torch.zeros_like(q)) for v in range(len(graph))])
    return model.out(torch.cat([vectors, q.expand_as(vectors)], dim=1)).squeeze(1) + popular  # type: ignore[no-any-return]


@torch.no_grad()
def test_scores_equal_a_walk_by_hand_where_nothing_is_left_out() -> None:
    graph = drawn(15, 40)
    model = PathModel(Shape.of(graph), dim=8, frontier=1000, edges=100_000)
    for head, relation in ((0, 1), (3, 4), (7, 2)):
        scores = model.score_tails(graph, torch.tensor([head]), torch.tensor([relation]))[0]
        assert torch.allclose(scores, by_hand(model, graph, head, relation), atol=1e-5)


def test_edges_leave_a_node_in_both_directions() -> None:
    graph = plain([(0, 0, 1), (2, 1, 0), (1, 2, 2)], 4)
    roads = Adjacency.of(graph)
    place, edge = roads.leaving(torch.tensor([0, 3, 1]))
    told = list(zip(place.tolist(), roads.relation[edge].tolist(), roads.target[edge].tolist(), strict=True))
    assert sorted(told) == [(0, 0, 1), (0, 4, 2), (2, 2, 2), (2, 3, 0)]
    assert roads.degree.tolist() == [2, 2, 2, 0]


@pytest.mark.parametrize("seed", range(5))
def test_the_frontier_takes_the_best_and_keeps_to_both_bounds(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    question = torch.sort(torch.randint(0, 4, (60,), generator=draw)).values
    reached, degree = Reached(question, torch.arange(60)), torch.randint(0, 9, (60,), generator=draw)
    priority = torch.rand(60, generator=draw)
    rows = best(reached, priority, degree, 5, 14)
    for one in range(4):
        own = sorted(torch.nonzero((question == one) & (degree > 0)).squeeze(1).tolist(), key=lambda n: -priority[n])
        walked, expected = 0, []
        for place, row in enumerate(own[:5]):
            walked += int(degree[row])
            if walked <= 14 or place == 0:
                expected.append(row)
        assert sorted(rows[question[rows] == one].tolist()) == sorted(expected)


@pytest.mark.parametrize("priority", ["learned", "walk"])
def test_the_work_of_a_question_is_bounded(priority: str) -> None:
    graph = drawn(300, 3000)
    model = PathModel(Shape.of(graph), dim=8, frontier=6, edges=100, priority=priority)  # type: ignore[arg-type]
    for head in range(0, 300, 60):
        _, steps = model.traced(graph, head, 1)
        assert all(0 < len(step.target) <= 100 and len(set(step.source.tolist())) <= 6 for step in steps)


def test_chunks_of_questions_change_neither_scores_nor_gradients() -> None:
    graph, found = drawn(30, 120), []
    asked = torch.cartesian_prod(torch.arange(20), torch.arange(2))
    for chunk in (7, 1000):
        model = PathModel(Shape.of(graph), dim=8, chunk=chunk)
        scores = model.score_tails(graph, *asked.T)
        scores.logsumexp(1).sum().backward()
        found.append((scores.detach(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-5) and torch.allclose(found[0][1], found[1][1], atol=1e-3)


def test_an_edge_that_is_asked_for_is_not_walked_in_either_direction() -> None:
    graph = drawn(20, 60)
    hidden = torch.zeros(len(graph.edges), dtype=torch.bool)
    hidden[:9] = True
    gone = {tuple(edge) for edge in graph.edges[:9].tolist()} | {(t, r + 3, h) for h, r, t in graph.edges[:9].tolist()}
    model = PathModel(Shape.of(graph), dim=8)
    for h, r, t in graph.edges[:9].tolist():
        for head, relation in ((h, r), (t, r + 3)):
            _, steps = model.traced(graph.without(hidden), head, relation)
            for step in steps:
                walked = zip(step.source.tolist(), step.relation.tolist(), step.target.tolist(), strict=True)
                assert not gone & set(walked)


def test_a_turned_message_keeps_its_length_and_a_moved_one_its_difference() -> None:
    h, question, kind = torch.randn(5, 8), torch.zeros(5, dtype=torch.int64), torch.arange(5)
    turn, move = Layer(8, 6, "rotate", "sum"), Layer(8, 6, "transe", "sum")  # type: ignore[arg-type]
    turned = turn.message(h, turn.relations(torch.randn(1, 8)), question, kind)
    assert torch.allclose(turned.norm(dim=1), h.norm(dim=1), atol=1e-5) and not torch.allclose(turned, h)
    z = move.relations(torch.randn(1, 8))
    assert torch.allclose(move.message(h, z, question, kind) - h, z[0, :5], atol=1e-6)


@pytest.mark.parametrize("aggregate", ["sum", "pna"])
def test_a_rule_learned_on_some_entities_holds_for_entities_never_seen(aggregate: str) -> None:
    seen, unseen = ruled(80, 1), ruled(60, 2)
    model = PathModel(Shape.of(seen[0]), dim=16, inductive=True, aggregate=aggregate)  # type: ignore[arg-type]
    fit(model, LinkTask(seen[0], steps=8), Recipe(epochs=10, rate=0.01, schedule="linear", weight_decay=0.0))
    tails = rank(model, unseen[0], unseen[1]).tails
    assert float((1 / tails).mean()) > 0.8
    table = Complex(Shape.of(unseen[0]), dim=16)
    assert float((1 / rank(table, unseen[0], unseen[1]).tails).mean()) < 0.3


def test_other_relations_and_unknown_settings_are_refused() -> None:
    graph = drawn(10, 20)
    model = PathModel(Shape.of(graph), inductive=True)
    assert model.score_tails(drawn(12, 20), torch.tensor([11]), torch.tensor([0])).shape == (1, 12)
    with pytest.raises(ModelError, match="was built for 3 relations, the graph has 2"):
        model.embed(plain([(0, 1, 1)], 10, ("a", "b")))
    with pytest.raises(ModelError, match="message 'mean' is unknown; name one of distmult"):
        PathModel(Shape.of(graph), message="mean")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="dim must be even"):
        PathModel(Shape.of(graph), dim=7)


def test_a_node_without_edges_is_answered_by_popularity_alone() -> None:
    graph = plain([(0, 0, 1), (2, 0, 1), (3, 0, 2)], 5)
    scores = PathModel(Shape.of(graph)).score_tails(graph, torch.tensor([4]), torch.tensor([0]))[0]
    assert torch.isfinite(scores).all() and scores[0] == scores[3] and scores[1] != scores[2]


@torch.no_grad()
def test_a_judge_reorders_the_best_answers_of_another_model_and_leaves_the_rest_below() -> None:
    graph = drawn(30, 120)
    first, second = Complex(Shape.of(graph), dim=8, spread=1.0), PathModel(Shape.of(graph), dim=8)
    heads, relations = torch.arange(6), torch.tensor([0, 1, 2, 3, 4, 5])
    alone, other = (model.score_tails(graph, heads, relations) for model in (first, second))
    both = Reranked(first, second, top=5, share=2.0).score_tails(graph, heads, relations)
    top = torch.topk(alone, 5, dim=1).indices
    wanted = (alone.log_softmax(1) + 2.0 * other.log_softmax(1)).gather(1, top).argsort(dim=1)
    assert torch.equal(both.gather(1, top).argsort(dim=1), wanted)
    rest = torch.ones_like(alone, dtype=torch.bool).scatter(1, top, False)
    assert (both.gather(1, top).amin(1) > both.masked_fill(~rest, -torch.inf).amax(1)).all()
    assert torch.equal(both[rest].view(6, -1).argsort(dim=1), alone[rest].view(6, -1).argsort(dim=1))
    with pytest.raises(ModelError, match="must be positive"):
        Reranked(first, second, top=0)
