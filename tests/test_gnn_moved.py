"""Vectors of a former run on a later day: those of a full pass, with only the neighbourhood of changes computed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gnn.checkpoint import FACTS
from gnn.incremental import whole
from gnn.moved import kept, moved
from gnn.pipeline import Settings, TrainResult, publish, restored, train
from gnn.views import Views, months
from kg.errors import ModelError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest
from kgrisk.api import open as open_graph
from tests.gnn_world import CUT, World, build

QUICK = Settings(epochs=2, dim=8, modalities=("numeric",), cohorts=1, amount=None)
LATER = months(CUT, 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def world(home: Path) -> World:
    return build(home, firms=30)


@pytest.fixture(scope="module")
def result(world: World, home: Path) -> TrainResult:
    made = train(world.ledger, world.files, CUT, out=home / "runs", settings=QUICK)
    publish(world.ledger, world.files, made)
    return made


def tell(world: World, firm: str, customer: str) -> None:
    """A firm that nobody knew is published within the month after the cut, with one customer."""
    when = months(CUT, 0).replace(day=9)
    evidence = Evidence(digest(b"later"), "row:0", "row 0", "registers.world@1")
    claims = [Claim(Node("Company", firm, {"name": "Newly Founded"}), evidence, when, valid_from=when)]
    claims.append(Claim(Edge("SUPPLIES", firm, customer), evidence, when, valid_from=when))
    world.ledger.commit(ClaimBatch.of(claims), RunManifest("ingest", {"later": firm}))


def full(result: TrainResult, world: World) -> np.ndarray:
    """The same vectors by one whole pass over the later graph."""
    model, facts = restored(result.checkpoint)
    graph = Views(world.ledger, world.files, None).tensors(LATER, kept(result.checkpoint, facts))
    row = {id: place for place, id in enumerate(facts["ids"])}
    state = whole(model, graph, torch.tensor([row.get(id, -1) for id in graph.ids]))  # type: ignore[arg-type]
    return F.normalize(state.vectors, dim=1).numpy()


def test_on_its_own_day_a_run_has_the_vectors_it_had_and_nothing_is_computed(result: TrainResult, world: World) -> None:
    found = moved(result.checkpoint, world.ledger, world.files, CUT)
    assert found.embeddings.ids == result.embeddings.ids and found.new == 0 and set(found.recomputed) == {0}
    assert np.abs(found.embeddings.vectors - result.embeddings.vectors).max() < 1e-5


def test_on_a_later_day_only_the_neighbourhood_of_changes_is_computed_and_equals_a_full_pass(
    result: TrainResult, world: World, home: Path
) -> None:
    tell(world, "reg:late", world.firms[0])
    found = moved(result.checkpoint, world.ledger, world.files, LATER)
    assert np.abs(found.embeddings.vectors - full(result, world)).max() < 1e-5
    assert "reg:late" in found.embeddings.ids and found.new >= 1
    assert 0 < found.recomputed[0] < len(found.embeddings.ids) / 2 and found.recomputed[1] < len(found.embeddings.ids)
    assert (result.checkpoint / "layers" / FACTS).exists()
    again = moved(result.checkpoint, world.ledger, world.files, LATER)  # from the layers that were kept
    assert np.array_equal(again.embeddings.vectors, found.embeddings.vectors) and again.recomputed == found.recomputed
    with open_graph(home) as graph:
        door = graph.embeddings_on(LATER.date())
        assert door.table["id"].to_pylist() == list(found.embeddings.ids) and "new to the model" in door.remarks[0]
        assert np.abs(np.array(door.table["vector"].to_pylist()) - found.embeddings.vectors).max() < 1e-6
        assert set(graph.embeddings().table["id"].to_pylist()) == set(result.embeddings.ids)  # nothing was published


def test_another_encoder_than_that_of_the_run_is_refused(result: TrainResult) -> None:
    facts = restored(result.checkpoint)[1]
    with pytest.raises(ModelError, match=r"numeric was read by other, now it is .*train again"):
        kept(result.checkpoint, facts | {"encoders": {"numeric": "other"}})
