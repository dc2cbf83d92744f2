"""Paths and edges behind a link: on a world whose rule is known, and by what the score does without them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from gnn.explaining.edges import effects, log_odds, near, without
from gnn.explaining.faithful import areas, faithfulness
from gnn.explaining.walks import SHARES, Walk, along, derived, walks
from gnn.links import LinkTask
from gnn.model import Model, Shape, exact
from gnn.models.paths import PathModel
from gnn.odds import centred
from gnn.tensors import GraphTensors
from gnn.train import Recipe, fit
from kg.errors import ModelError
from tests.planted_links import drawn, plain, reason, ruled


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take longer than these small products."""
    with exact(1):
        yield


@pytest.fixture(scope="module")
def learned() -> tuple[PathModel, GraphTensors, torch.Tensor]:
    """A model that knows the rule, a world it has not seen, and links it holds back."""
    seen, unseen = ruled(80, 1), ruled(60, 2)
    model = PathModel(Shape.of(seen[0]), dim=16, inductive=True)
    fit(model, LinkTask(seen[0], steps=8), Recipe(epochs=6, rate=0.01, schedule="linear", weight_decay=0.0))
    return model, *unseen


def kept(model: Model, graph: GraphTensors, triple: torch.Tensor, rows: torch.Tensor):  # type: ignore[no-untyped-def]
    return lambda there: float(log_odds(model, graph, triple[None], without(graph, rows[torch.from_numpy(~there)])))


def test_the_heaviest_walk_is_the_one_the_rule_takes(learned) -> None:  # type: ignore[no-untyped-def]
    model, graph, asked = learned
    found = [walks(model, graph, tuple(one))[0].hops == reason(graph, tuple(one)) for one in asked.tolist()]
    assert np.mean(found) >= 0.8


def test_walks_begin_at_the_head_end_at_the_tail_and_follow_edges(learned) -> None:  # type: ignore[no-untyped-def]
    model, graph, asked = learned
    held = {tuple(edge) for edge in graph.edges.tolist()}
    held |= {(t, r + 3, h) for h, r, t in held}
    for head, relation, tail in asked[:5].tolist():
        found = walks(model, graph, (head, relation, tail), count=5)
        assert found == sorted(found, key=lambda walk: -walk.weight) and len({walk.hops for walk in found}) == len(
            found
        )
        for walk in found:
            assert walk.hops[0][0] == head and walk.hops[-1][2] == tail and held >= set(walk.hops)
            assert all(a[2] == b[0] for a, b in zip(walk.hops, walk.hops[1:], strict=False))


def test_a_search_that_keeps_enough_finds_the_heaviest_of_all_walks() -> None:
    graph = drawn(8, 14)
    model = PathModel(Shape.of(graph), dim=8, layers=2)
    head, relation, tail = 0, 1, 3
    weights = derived(model, graph, (head, relation, tail))
    layers = [
        list(zip(zip(*(x.tolist() for x in (e.source, e.relation, e.target)), strict=True), g.tolist(), strict=True))
        for e, g in weights
    ]
    best: dict[tuple[tuple[int, int, int], ...], float] = {}
    for layer in layers:
        for hop, value in layer:
            if hop[0] == head and hop[2] == tail:
                best[(hop,)] = max(best.get((hop,), -np.inf), value)
    for one, a in layers[0]:
        for two, b in layers[1]:
            if one[0] == head and one[2] == two[0] and two[2] == tail:
                best[(one, two)] = a + b
    expected = sorted(best.values(), reverse=True)[:5]
    assert expected and np.allclose(
        [w.weight for w in walks(model, graph, (head, relation, tail), 5, 10_000)], expected
    )


def test_the_weight_of_an_edge_adds_up_its_walks_in_both_directions() -> None:
    graph = plain([(0, 0, 1), (1, 1, 2), (0, 2, 2)], 3)
    model = PathModel(Shape.of(graph), dim=8, layers=2)
    total = along(model, graph, (0, 1, 2))
    sides = [derived(model, graph, triple, share) for triple in ((0, 1, 2), (2, 4, 0)) for share in SHARES]
    each = sum(float(gain.sum()) for side in sides for _, gain in side) / len(sides)
    assert torch.isclose(total.sum(), torch.tensor(each), atol=1e-5) and total.abs().min() > 0


def test_no_walk_is_told_where_none_leads_there() -> None:
    graph = plain([(0, 0, 1), (2, 1, 3)], 4)
    assert walks(PathModel(Shape.of(graph), dim=8), graph, (0, 0, 3)) == []


def test_near_edges_come_nearest_first() -> None:
    graph = plain([(0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 0, 4), (5, 0, 6)], 7)
    rows = near(graph, torch.tensor([0]), hops=3)
    assert graph.edges[rows].tolist() == [[0, 0, 1], [1, 0, 2], [2, 0, 3]]
    assert len(near(graph, torch.tensor([0]), hops=3, limit=2)) == 2


def test_log_odds_equal_those_that_are_calibrated(learned) -> None:  # type: ignore[no-untyped-def]
    model, graph, asked = learned
    assert torch.allclose(log_odds(model, graph, asked), centred(model, graph, asked))


def test_the_effect_of_an_edge_is_what_the_score_loses_without_it(learned) -> None:  # type: ignore[no-untyped-def]
    model, graph, asked = learned
    triple = asked[0]
    rows = near(graph, triple[[0, 2]], limit=24)
    lost = effects(model, graph, triple, rows)
    reasons = [graph.edges.tolist().index(list(edge)) for edge in reason(graph, tuple(triple.tolist()))]
    first = set(rows[torch.argsort(lost, descending=True)[:2]].tolist())
    assert first & set(reasons) and float(lost.max()) > 1.0


def test_gradients_along_paths_beat_random_orders_both_ways(learned) -> None:  # type: ignore[no-untyped-def]
    model, graph, asked = learned
    cases = []
    for triple in asked[:6]:
        rows = near(graph, triple[[0, 2]], limit=12)
        value = along(model, graph, tuple(triple.tolist()))[rows].numpy()
        cases.append((kept(model, graph, triple, rows), value))
    told = faithfulness(cases, draws=2, points=3)
    assert told.holds and told.count == 6


def test_an_order_that_knows_nothing_does_not_hold_and_one_that_knows_all_does() -> None:
    draw = np.random.default_rng(0)
    worth = [draw.normal(size=12) ** 2 for _ in range(30)]
    scores = [lambda there, own=own: float(own[there].sum()) for own in worth]
    assert faithfulness(list(zip(scores, worth, strict=True))).holds
    assert not faithfulness([(score, draw.normal(size=12)) for score in scores]).holds


def test_areas_are_those_of_a_sum_worked_out_by_hand() -> None:
    worth = np.array([3.0, 1.0, 0.0])
    score = lambda there: float(worth[there].sum())  # noqa: E731  # reads better in one line
    right = areas(score, np.array([0, 1, 2]), points=3)
    assert right.deletion == pytest.approx((3 + 4 + 4) / 3) and right.insertion == pytest.approx((3 + 4 + 4) / 3)
    wrong = areas(score, np.array([2, 1, 0]), points=3)
    assert wrong.deletion == pytest.approx((0 + 1 + 4) / 3)
    with pytest.raises(ModelError, match="at least one part"):
        areas(score, np.array([], dtype=np.int64))


def test_walks_of_equal_weight_have_one_order() -> None:
    assert Walk(((0, 0, 1),), 1.0) == Walk(((0, 0, 1),), 1.0)
