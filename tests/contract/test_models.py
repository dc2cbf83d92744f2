"""What every model promises, over all plug-ins found."""

import pytest
import torch

from gnn.checkpoint import load_tensors, save_tensors
from gnn.evaluate import rank
from gnn.links import LinkTask
from gnn.model import Model, Shape
from gnn.tensors import Features, GraphTensors
from gnn.train import Recipe, fit
from gnn.vocabulary import RELATIONS
from kg import plugins
from kg.errors import ModelError
from tests.test_gnn_convolution import LENDS, SUPPLIES, graph, some_edges

NAMES = plugins.names("gnn.models")


def world(nodes: int = 24) -> GraphTensors:
    own = graph(some_edges(nodes, 90), nodes)
    rows = torch.arange(0, nodes, 2)
    return own.with_features(
        {"numeric": Features(rows, torch.randn(len(rows), 5, generator=torch.Generator().manual_seed(0)))}
    )


def lawful(nodes: int = 24) -> GraphTensors:
    """Who supplies is told by who lends: whom the one lends to that somebody lends to, it supplies."""
    lent = [(n, LENDS, (n + step) % nodes) for n in range(nodes) for step in (1, 5)]
    supplied = [(n, SUPPLIES, (n + 6) % nodes) for n in range(nodes)]
    return graph([list(edge) for edge in lent + supplied], nodes)


def model(name: str, own: GraphTensors) -> Model:
    return plugins.load("gnn.models", name, Model)(Shape.of(own)).eval()  # type: ignore[call-arg]  # settings have defaults


def test_the_folder_holds_the_models_we_know() -> None:
    assert {
        "relational",
        "complex",
        "frequency",
        "paths",
        "rgcn",
        "gcn",
        "sage",
        "temporal",
        "gated",
        "hierarchy",
        "autoencoder",
    } <= set(NAMES)
    assert all(len(line) > 20 for line in plugins.summaries("gnn.models").values())


@pytest.mark.parametrize("name", NAMES)
def test_shapes_are_as_the_role_says_and_all_is_finite(name: str) -> None:
    own = world()
    asked = torch.tensor([[0, LENDS, 1], [3, SUPPLIES, 2], [5, LENDS + len(RELATIONS), 4]])
    with torch.no_grad():
        vectors, scores = model(name, own).embed(own), model(name, own).score(own, asked)
        tails = model(name, own).score_tails(own, asked[:, 0], asked[:, 1])
        described = model(name, own).describe(own)
    assert vectors.shape[0] == len(own) and vectors.ndim == 2 and described.shape == vectors.shape
    assert scores.shape == (3,) and tails.shape == (3, len(own))
    assert all(torch.isfinite(found).all() for found in (vectors, scores, tails, described))
    assert torch.allclose(tails.gather(1, asked[:, 2:]).squeeze(1), scores, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_modality_gives_a_finite_score(name: str) -> None:
    own = world()
    built = model(name, own)
    with torch.no_grad():
        for bare in (
            own.only([]),
            own.with_features({"numeric": Features(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 5))}),
        ):
            assert torch.isfinite(built.score(bare, bare.edges[:5])).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_else_is_asked_changes_no_score(name: str) -> None:
    own = world()
    built = model(name, own)
    with torch.no_grad():
        alone = built.score(own, own.edges[4:5])
        beside = built.score(own, own.edges[:9])
    assert torch.allclose(alone, beside[4:5], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_equal_graphs_give_equal_bits(name: str) -> None:
    with torch.no_grad():
        found = [model(name, world()).score(world(), world().edges) for _ in range(2)]
    assert torch.equal(found[0], found[1])


@pytest.mark.parametrize("name", NAMES)
def test_a_model_comes_back_from_its_checkpoint(name: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    own = world()
    built = model(name, own)
    if built.trained:
        fit(built, LinkTask(own), Recipe(epochs=2))
    save_tensors(tmp_path, built.state_dict(), {"settings": built.settings})
    tensors, facts = load_tensors(tmp_path)
    again = plugins.load("gnn.models", name, Model)(Shape.of(own), **facts["settings"])
    again.load_state_dict(tensors)
    with torch.no_grad():
        assert torch.equal(again.eval().score(own, own.edges), built.score(own, own.edges))


@pytest.mark.parametrize("name", NAMES)
def test_training_raises_the_rank_of_what_was_trained_on(name: str) -> None:
    own = lawful() if name == "paths" else world()  # edges drawn at random tell a model of paths nothing to learn
    built = model(name, own)
    before = rank(built, own.without(torch.ones(len(own.edges), dtype=torch.bool)), own.edges).mrr
    if built.trained:
        fit(built, LinkTask(own), Recipe(epochs=30, rate=0.03))
    assert rank(built, own, own.edges).mrr > before


@pytest.mark.parametrize("name", [name for name in NAMES if plugins.load("gnn.models", name, Model).trained])
def test_a_graph_with_other_nodes_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="was built for 24 nodes, the graph has 20"):
        model(name, world()).score(world(20), world(20).edges)
