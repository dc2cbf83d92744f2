"""The whole story of a predicted link, on a ledger of planted claims."""

from __future__ import annotations

import pytest
import torch

from gnn.explaining.edges import log_odds
from gnn.explaining.link import LinkStory, explained
from gnn.links import LinkTask
from gnn.model import Model, Shape, exact
from gnn.models.paths import PathModel
from gnn.models.relational import Relational
from gnn.tensors import GraphTensors, fitted_table
from gnn.train import Recipe, fit
from gnn.views import Views
from kg.errors import ModelError
from kg.snapshot import Snapshot
from tests.gnn_world import CUT, build

Seen = tuple[GraphTensors, Snapshot]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    world = build(tmp_path_factory.mktemp("world"), firms=24)
    views = Views(world.ledger, world.files, None)
    snapshot = views.snapshot(CUT)
    return views.tensors(CUT, [fitted_table(snapshot, CUT)]), snapshot


def new_link(graph: GraphTensors) -> tuple[str, str, str]:
    """A loan that the graph does not hold, between a bank and a firm of its sector."""
    held = {tuple(edge) for edge in graph.edges.tolist()}
    lends = graph.vocabulary.relations.index("LENDS_TO")
    return next(
        (f"reg:bank{b:02d}", "LENDS_TO", f"reg:firm{f:03d}")
        for b in range(8)
        for f in range(b % 4, 24, 4)
        if (graph.index[f"reg:bank{b:02d}"], lends, graph.index[f"reg:firm{f:03d}"]) not in held
    )


@pytest.fixture(scope="module", params=["relational", "paths"])
def story(seen: Seen, request: pytest.FixtureRequest) -> tuple[LinkStory, Model]:
    graph, snapshot = seen
    with exact(1):
        kind = {"relational": Relational, "paths": PathModel}[request.param]
        model = kind(Shape.of(graph), dim=16)
        fit(model, LinkTask(graph), Recipe(epochs=4))
        return explained(model, graph, snapshot, new_link(graph)), model


def test_the_shares_add_up_to_the_log_odds_of_the_link(story: tuple[LinkStory, Model], seen: Seen) -> None:
    told, model = story
    graph = seen[0]
    row = [graph.index[told.source], graph.vocabulary.relations.index(told.relation), graph.index[told.target]]
    assert told.log_odds == pytest.approx(float(log_odds(model, graph, torch.tensor([row]))), abs=1e-6)
    assert told.base + sum(told.shares.values()) == pytest.approx(told.log_odds, abs=1e-6)
    assert set(told.shares) == {"numeric", "structure"}


def test_the_paths_are_edges_of_the_graph_between_the_ends(story: tuple[LinkStory, Model], seen: Seen) -> None:
    told, snapshot = story[0], seen[1]
    known = {
        edge["id"]: {snapshot.ids[edge["source"]], snapshot.ids[edge["target"]]} for edge in snapshot.edges.to_pylist()
    }
    assert told.reasons and told.reasons == tuple(sorted(told.reasons, key=lambda one: -one.effect))
    for reason in told.reasons:
        assert told.source in known[reason.edges[0]] and told.target in known[reason.edges[-1]]
        assert all(known[a] & known[b] for a, b in zip(reason.edges, reason.edges[1:], strict=False))
        assert reason.words.startswith(snapshot.names[snapshot.index[told.source]])
    assert any(reason.effect for reason in told.reasons)


def test_figures_and_their_statements_are_told_for_the_end_that_has_them(story: tuple[LinkStory, Model]) -> None:
    told, model = story
    assert set(told.evidence) == {told.source, told.target} and not told.evidence[told.source]
    assert {row["property"] for row in told.evidence[told.target]["numeric"]} == {"assets", "equity", "cash"}
    if isinstance(model, Relational):
        assert set(told.figures) == {told.target} and 0 < len(told.figures[told.target]) <= 5
    else:
        assert told.figures == {}


def test_what_the_model_never_heard_of_is_refused(seen: Seen) -> None:
    graph, snapshot = seen
    model = Relational(Shape.of(graph), dim=8)
    with pytest.raises(ModelError, match="reg:nobody: nothing was published of it by 2023-01-01"):
        explained(model, graph, snapshot, ("reg:nobody", "LENDS_TO", "reg:firm000"))
    with pytest.raises(ModelError, match="LOVES: no relation of the model"):
        explained(model, graph, snapshot, ("reg:bank00", "LOVES", "reg:firm000"))


def test_equal_questions_get_equal_answers(seen: Seen) -> None:
    graph, snapshot = seen
    with exact(1):
        model = PathModel(Shape.of(graph), dim=8)
        found = [explained(model, graph, snapshot, new_link(graph)) for _ in range(2)]
    assert found[0] == found[1]
