"""A refresh equals a full pass, whatever changed, and computes only what the change reaches."""

from dataclasses import replace
from datetime import timedelta

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gnn.convolution import both_ways
from gnn.incremental import LOCAL, Refreshed, refreshed, whole
from gnn.model import Shape
from gnn.models.autoencoder import Autoencoder
from gnn.models.gcn import Gcn
from gnn.models.relational import Relational
from gnn.models.rgcn import Rgcn
from gnn.models.sage import Sage
from gnn.passing import Passing
from gnn.tensors import Features, GraphTensors
from gnn.vocabulary import RELATIONS
from kg.errors import ModelError
from tests.test_gnn_convolution import CUT, graph, some_edges

KINDS = {"relational": Relational, "autoencoder": Autoencoder, "rgcn": Rgcn, "sage": Sage}


def world(nodes: int = 30, edges: int = 80, seed: int = 0) -> GraphTensors:
    """Loans, supplies and articles of all ages, with facts for every other firm."""
    own, draw = graph(some_edges(nodes, edges, seed), nodes), torch.Generator().manual_seed(seed)
    age = torch.randint(0, 10 * 365 * 86_400, (len(own.edges),), generator=draw) * 1_000_000
    rows = torch.arange(0, nodes, 2)
    facts = {"numeric": Features(rows, torch.randn(len(rows), 5, generator=draw))}
    return replace(own, first=own.first - age, last=own.last - age).with_features(facts)


def changed(own: GraphTensors, seed: int) -> GraphTensors:
    """Nodes and edges come and go, articles appear again, facts and labels change, and time passes."""
    draw = torch.Generator().manual_seed(seed)
    gone = set(torch.randint(0, len(own), (2,), generator=draw).tolist())
    ids = sorted([id for row, id in enumerate(own.ids) if row not in gone] + [f"reg:0{seed % 10}{n}x" for n in "ab"])
    index = {id: row for row, id in enumerate(ids)}
    old = [index.get(id, -1) for id in own.ids]
    place = torch.tensor([old[row] for row in range(len(own))])
    edges = torch.stack([place[own.edges[:, 0]], own.edges[:, 1], place[own.edges[:, 2]]], dim=1)
    stay = (edges[:, 0] >= 0) & (edges[:, 2] >= 0) & (torch.rand(len(edges), generator=draw) > 0.05)
    again = torch.rand(len(edges), generator=draw) < 0.05
    last = torch.where(again, own.last + 3_000_000, own.last)[stay]
    more = torch.tensor(some_edges(len(ids), 4, seed + 1)).reshape(-1, 3)
    more = more[[edge not in edges.tolist() for edge in more.tolist()]]
    edges, last = torch.cat([edges[stay], more]), torch.cat([last, torch.full((len(more),), int(own.last.max()))])
    labels = torch.full((len(ids),), int(own.labels[0]))
    labels[int(torch.randint(0, len(ids), (1,), generator=draw))] += 1
    cut = own.cut + timedelta(days=int(torch.randint(0, 900, (1,), generator=draw)))
    made = GraphTensors(tuple(ids), labels, edges, last, last, torch.ones_like(last), cut)
    return made.with_features(_facts(own, place, draw))


def _facts(own: GraphTensors, place: Tensor, draw: torch.Generator) -> dict[str, Features]:
    known = own.features["numeric"]
    stay = place[known.rows] >= 0
    values = known.values[stay].clone()
    values[int(torch.randint(0, len(values), (1,), generator=draw))] += 1.0
    return {"numeric": Features(place[known.rows[stay]], values)}


def agree(one: Refreshed, other: Refreshed) -> bool:
    pairs = zip((*one.embedded, *one.described), (*other.embedded, *other.described), strict=True)
    return all(a.shape == b.shape and float((a - b).abs().max()) < 1e-5 for a, b in pairs)


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("table", [True, False])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**5))
def test_a_refresh_equals_a_full_pass(name: str, table: bool, seed: int) -> None:
    own = world(seed=seed)
    model = KINDS[name](Shape.of(own), dim=8, table=table)
    state = whole(model, own)
    for step in range(3):  # a refresh of a refresh of a refresh
        later = changed(state.graph, seed + step)
        state = refreshed(model, state, later)
        assert agree(state, whole(model, later, state.table))


@pytest.mark.parametrize("name", LOCAL)
def test_a_full_pass_is_that_of_the_model(name: str) -> None:
    own = world()
    model = KINDS[name](Shape.of(own), dim=8).eval()
    state = whole(model, own)
    with torch.no_grad():
        assert torch.allclose(state.vectors, model.describe(own), atol=1e-6)
        assert torch.allclose(state.embedded[-1], model.embed(own), atol=1e-6)


def test_time_that_passes_touches_no_row() -> None:
    own = world()
    later = replace(own, cut=CUT + timedelta(days=2000))
    for one, other in zip(both_ways(own), both_ways(later), strict=True):
        assert torch.allclose(one.weight, other.weight, atol=1e-6)
    model = Relational(Shape.of(own), dim=8)
    state = refreshed(model, whole(model, own), later)
    assert state.recomputed == (0, 0, 0) and agree(state, whole(model, later))


def test_only_the_neighbourhood_of_a_change_is_computed() -> None:
    chain = graph([[n, RELATIONS.index("SUPPLIES"), n + 1] for n in range(39)], 40)
    model = Relational(Shape.of(chain), dim=8)
    before = whole(model, chain)
    shorter = chain.without(torch.arange(39) == 20)
    found = refreshed(model, before, shorter)
    assert found.recomputed == (0, 2, 4) and agree(found, whole(model, shorter))
    assert not torch.equal(found.vectors[20], before.vectors[20]) and torch.equal(
        found.vectors[:19], before.vectors[:19]
    )


def test_a_new_node_lies_where_what_is_said_of_it_puts_it() -> None:
    """A firm that enters with the partners and facts of another gets that one's vector."""
    own = world(20, 60)
    model = Relational(Shape.of(own), dim=8)
    supplies, twin, late = RELATIONS.index("SUPPLIES"), 4, len(own)
    edges = own.edges[(own.edges[:, 0] != twin) & (own.edges[:, 2] != twin)].tolist()
    edges = sorted([*edges, *([one, supplies, partner] for one in (twin, late) for partner in (7, 9))])
    joined = replace(graph(edges, late + 1), cut=own.cut)
    facts = own.features["numeric"]
    mine = facts.values[facts.rows == twin]
    both = Features(torch.cat([facts.rows, torch.tensor([late])]), torch.cat([facts.values, mine]))
    found = refreshed(model, whole(model, own), joined.with_features({"numeric": both}))
    assert int(found.table[late]) == -1 and torch.isfinite(found.vectors).all()
    assert torch.allclose(found.vectors[late], found.vectors[twin], atol=1e-5)
    away = (found.vectors - found.vectors[late]).norm(dim=1)
    others = [row for row in range(late) if row != twin]
    assert float(away[others].min()) > 0.01


def test_nothing_changed_means_nothing_computed() -> None:
    own = world()
    model = Relational(Shape.of(own), dim=8)
    assert refreshed(model, whole(model, own), own).recomputed == (0, 0, 0)


def test_a_model_whose_changes_reach_further_is_refused() -> None:
    own = world()
    with pytest.raises(ModelError, match="degrees of both ends"):
        whole(Gcn(Shape.of(own), dim=8), own)


def test_a_graph_of_other_nodes_is_refused_without_a_table() -> None:
    model: Passing = Relational(Shape.of(world(30)), dim=8)
    with pytest.raises(ModelError, match="built for 30 nodes"):
        whole(model, world(20, 40))
