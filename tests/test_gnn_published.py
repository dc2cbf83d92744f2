"""What a training run publishes: claims that read back, take the place of former ones and feed no later run."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gnn.pipeline import Settings, TrainResult, publish, train, vectors
from gnn.publish import claims, read_vectors
from gnn.views import Views
from kg.errors import ModelError
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Facts, RunManifest, digest, iso
from tests.gnn_world import CUT, World, build, day

QUICK = Settings(epochs=12, dim=32, modalities=("numeric",), links_each=5)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"), firms=48, twins=20)


@pytest.fixture(scope="module")
def result(world: World, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return train(world.ledger, world.files, CUT, seed=3, out=tmp_path_factory.mktemp("runs"), settings=QUICK)


def test_a_published_run_reads_back_from_the_ledger(result: TrainResult, world: World, tmp_path: Path) -> None:
    commit = publish(world.ledger, world.files, result)
    snapshot = world.ledger.view(AsOf(valid=day(2023, 1), published=day(2023, 1)))
    predicted = snapshot.edges_of("PREDICTED")
    stated = {
        (snapshot.ids[e["source"]], e["key"], snapshot.ids[e["target"]]): e["value_real"] for e in predicted.to_pylist()
    }
    wanted = {(r["source"], r["relation"], r["target"]): r["score"] for r in result.links.to_pylist()}
    assert stated == wanted
    rows, values = snapshot.latest("distress")
    assert {snapshot.ids[r]: v for r, v in zip(rows, values, strict=True)} == dict(
        zip(result.scores["id"].to_pylist(), result.scores["distress"].to_pylist(), strict=True)
    )
    table = vectors(snapshot, world.files)
    assert tuple(table["id"].to_pylist()) == result.embeddings.ids and set(table["model"].to_pylist()) == {"relational"}
    assert np.array_equal(np.array(table["vector"].to_pylist(), dtype=np.float32), result.embeddings.vectors)
    before = world.ledger.view(AsOf(valid=CUT, published=CUT - (day(2023, 1) - CUT)))
    assert not len(before.edges_of("PREDICTED"))  # not there before the cut
    assert publish(world.ledger, world.files, result) == commit  # the same again changes nothing


def test_evidence_of_a_models_claim_reads_back(result: TrainResult, world: World) -> None:
    publish(world.ledger, world.files, result)
    alive = world.ledger.alive()
    own = alive.filter(pc.starts_with(alive["extractor"], "model.relational@"))
    assert len(own) == len(result.links) + 3 * len(result.scores) + len(result.embeddings.ids)
    assert "node" not in own["kind"].to_pylist()
    manifest = json.loads(world.files.get(result.run))
    for row in own.to_pylist():
        run, number = row["locator"].removeprefix("run:").split(" row:")
        assert run == row["document"] == result.run
        assert manifest["details"]["rows"][int(number)] == row["quote"] and row["subject"] in row["quote"]
    assert manifest["details"]["seed"] == 3 and manifest["details"]["commit"] >= 1 and manifest["code"]


def test_a_new_run_of_the_same_cut_takes_the_place_of_the_former(
    result: TrainResult, world: World, tmp_path: Path
) -> None:
    publish(world.ledger, world.files, result)
    other = train(world.ledger, world.files, CUT, seed=4, out=tmp_path, settings=replace(QUICK, epochs=2))
    assert other.run != result.run
    publish(world.ledger, world.files, other)
    alive = world.ledger.alive()
    documents = alive.filter(pc.starts_with(alive["extractor"], "model."))["document"].to_pylist()
    assert set(documents) == {other.run}
    publish(world.ledger, world.files, result)
    alive = world.ledger.alive()
    assert set(alive.filter(pc.starts_with(alive["extractor"], "model."))["document"].to_pylist()) == {result.run}


def moved(result: TrainResult, cut: datetime) -> TrainResult:
    """The same findings as a run of another cut."""
    manifest = RunManifest("train", {**result.manifest.details, "cut": iso(cut)})
    return replace(result, cut=cut, run=manifest.id, manifest=manifest)


def test_a_run_of_another_cut_takes_the_place_of_links_and_vectors_and_leaves_the_scores(
    result: TrainResult, world: World
) -> None:
    publish(world.ledger, world.files, result)
    later = moved(result, day(2023, 6))
    publish(world.ledger, world.files, later)
    alive = world.ledger.alive()
    own = alive.filter(pc.starts_with(alive["extractor"], "model.relational@"))
    runs = {
        name: sorted(set(own.filter(pc.equal(own["name"], name))["document"].to_pylist()))
        for name in ("PREDICTED", "embedding", "distress")
    }
    assert runs == {"PREDICTED": [later.run], "embedding": [later.run], "distress": sorted([result.run, later.run])}
    snapshot = world.ledger.view(AsOf(valid=day(2023, 9), published=day(2023, 9)))
    assert len(snapshot.edges_of("PREDICTED")) == len(result.links)
    head = world.ledger.head
    assert publish(world.ledger, world.files, later) == head
    publish(world.ledger, world.files, result)  # the run published last is what the model says now
    alive = world.ledger.alive()
    assert set(alive.filter(pc.equal(alive["name"], "PREDICTED"))["document"].to_pylist()) == {result.run}
    world.ledger.retract(alive.filter(pc.equal(alive["document"], later.run))["claim"].to_pylist(), RunManifest("tidy"))


def test_what_models_and_stress_runs_said_is_no_publication(result: TrainResult, world: World, tmp_path: Path) -> None:
    own = build(tmp_path, firms=12)
    before = Views(own.ledger, own.files, None).last()
    assert before is not None
    late, text = before + timedelta(days=900), Evidence(digest(b"run"), "run:x row:0", "row 0", "risk.debtrank@1", 1.0)
    firm, other = own.firms[:2]
    said = (
        Facts(firm, {"contagion_loss": Decimal(5), "currency": "EUR"}, key="x"),
        Facts(firm, {"distress": 0.5}),
        Facts(firm, {"embedding": f"vectors:{'0' * 64}#0"}, key="x"),
        Edge("PREDICTED", firm, other, {"score": 0.5, "role": "SUPPLIES"}, key="SUPPLIES"),
    )
    own.ledger.commit(ClaimBatch.of(Claim(what, text, late, valid_from=late) for what in said), RunManifest("risk"))
    assert Views(own.ledger, own.files, None).last() == before
    text = replace(text, extractor="registers.world@1")
    news = Claim(Facts(firm, {"description": "Closed."}), text, late, valid_from=late)
    own.ledger.commit(ClaimBatch.of([news]), RunManifest("ingest"))
    assert Views(own.ledger, own.files, None).last() == late


def test_published_scores_do_not_change_the_next_run(result: TrainResult, world: World, tmp_path: Path) -> None:
    """The same data, seed and settings give the same bits, also after the model's own claims are in the ledger."""
    publish(world.ledger, world.files, result)
    again = train(world.ledger, world.files, CUT, seed=3, out=tmp_path, settings=QUICK)
    assert np.array_equal(again.embeddings.vectors, result.embeddings.vectors)
    for name in ("metrics", "links", "scores", "losses", "modalities"):
        assert getattr(again, name).equals(getattr(result, name)), name


def test_a_result_that_was_changed_is_not_published(result: TrainResult, world: World) -> None:
    vectors = replace(result.embeddings, vectors=result.embeddings.vectors + 1)
    with pytest.raises(ModelError, match="as it is"):
        publish(world.ledger, world.files, replace(result, embeddings=vectors))


def test_links_whose_ends_a_prediction_may_not_have_are_left_out(result: TrainResult, world: World) -> None:
    one = result.links.slice(0, 1).to_pylist()[0] | {"relation": "PAID", "source_label": "Account"}
    links = pa.concat_tables([result.links, pa.Table.from_pylist([one], schema=result.links.schema)])
    assert len(claims(replace(result, links=links), "0" * 64)) == len(claims(result, "0" * 64))


def test_bytes_that_are_no_vectors_are_refused() -> None:
    with pytest.raises(ModelError, match="no vector file"):
        read_vectors(b"not numpy")
