"""From a ledger to tables and back: one training run, published as claims."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
import torch

from gnn.checkpoint import load_tensors, save_tensors
from gnn.encoders.table import Table
from gnn.heads.network import Network
from gnn.models.relational import Relational
from gnn.pipeline import Settings, TrainResult, publish, restored, train
from gnn.risk import suited
from gnn.runs import RunStore
from gnn.tensors import GraphTensors
from gnn.trainable import Composed, Prepared, trainable
from gnn.views import Views, months, quarters
from kg.errors import ModelError
from kg.model import AsOf, RunManifest
from kg.ontology import EDGES
from tests.gnn_world import CUT, World, build, day

QUICK = Settings(epochs=12, dim=32, modalities=("numeric",), links_each=5)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"), firms=48, twins=20)


@pytest.fixture(scope="module")
def result(world: World, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return train(world.ledger, world.files, CUT, seed=3, out=tmp_path_factory.mktemp("runs"), settings=QUICK)


def test_the_tables_hold_every_model_beside_its_baselines(result: TrainResult) -> None:
    found = {(row["task"], row["model"], row["metric"]): row for row in result.metrics.to_pylist()}
    for model in ("relational", "structure", "frequency"):
        mrr = found["links", model, "mrr"]
        assert 0.0 < mrr["low"] <= mrr["value"] <= mrr["high"] <= 1.0 and mrr["count"] > 20
        assert {("links", model, name) for name in ("hits@10", "auprc", "brier")} <= set(found)
    for head in ("base_rate", "logistic", "mlp", "propagated", "network"):
        assert {("risk", head, name) for name in ("brier", "auprc", "auroc", "ece")} <= set(found)
    assert result.modalities["modality"].to_pylist() == ["numeric"]
    assert set(result.losses["model"].to_pylist()) >= {"relational", "structure"}


def test_wins_and_losses_are_said_in_words_that_fit_the_figures(result: TrainResult) -> None:
    own = result.metric("links", "relational", "mrr")
    for model, name in (("structure", "structure-only model"), ("frequency", "frequency-counting baseline")):
        (line,) = [text for text in result.remarks if f"the {name}" in text]
        assert ("beats" in line) == (own > result.metric("links", model, "mrr"))
        assert ("loses to" in line) == (own < result.metric("links", model, "mrr"))
    for baseline in ("base_rate", "logistic", "mlp"):
        assert any(f"beside {baseline}" in text and "AUPRC" in text and "Brier" in text for text in result.remarks)


def test_distress_is_found_where_it_was_planted(result: TrainResult, world: World) -> None:
    probability = dict(zip(result.scores["id"].to_pylist(), result.scores["distress"].to_pylist(), strict=True))
    failing = [firm for firm, when in world.doomed.items() if CUT < when <= months(CUT, 12)]
    failed = [firm for firm, when in world.doomed.items() if when <= CUT]
    assert failing and failed and not set(failed) & set(probability)
    others = [p for firm, p in probability.items() if firm not in world.doomed]
    assert min(probability[firm] for firm in failing) > np.quantile(others, 0.9)
    truth = dict(zip(result.tested["id"].to_pylist(), result.tested["truth"].to_pylist(), strict=True))
    assert {id for id, value in truth.items() if value} == set(failing)


def test_predicted_links_are_new_and_their_paths_are_edges_of_the_graph(result: TrainResult, world: World) -> None:
    snapshot = world.ledger.view(AsOf(valid=CUT, published=CUT))
    known = {e["id"]: e for e in snapshot.edges.to_pylist()}
    held = {(e["type"], e["source"], e["target"]) for e in known.values()}
    assert len(result.links) > 5
    walked = 0
    for link in result.links.to_pylist():
        head, tail = snapshot.index[link["source"]], snapshot.index[link["target"]]
        assert (link["relation"], head, tail) not in held
        spec = EDGES[link["relation"]]
        assert link["source_label"] in spec.source and link["target_label"] in spec.target
        assert 0.0 < link["score"] < 1.0
        for path in link["paths"]:
            assert len(path) <= 3
            walked += ends(path, known, head) == tail
        assert walked or not link["paths"]
    assert walked == sum(len(link["paths"]) for link in result.links.to_pylist()) > 0


def ends(path: list[str], known: dict[str, dict[str, object]], at: object) -> object:
    """Where a walk along these edges, in either direction, arrives."""
    for edge in path:
        source, target = known[edge]["source"], known[edge]["target"]
        assert at in (source, target)
        at = target if at == source else source
    return at


def test_twins_are_among_each_others_nearest_three(result: TrainResult) -> None:
    found = sum(
        f"reg:twin{pair:02d}b" in [id for id, _ in result.embeddings.nearest(f"reg:twin{pair:02d}a", 3, "Company")]
        for pair in range(20)
    )
    assert found == 20


class Killed(Exception):
    """What a test raises to stop a run in the middle."""


def killer(line: str) -> Callable[[str], None]:
    def report(text: str) -> None:
        if text.startswith(line):
            raise Killed

    return report


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    """The second call repeats no epoch, and finds to the last bit what one straight run finds."""
    own, quick = build(tmp_path, firms=12), replace(QUICK, epochs=5, dim=8)
    for seed, line in ((0, "structure epoch 3:"), (1, "relational epoch 2:")):
        with pytest.raises(Killed):
            train(own.ledger, own.files, CUT, seed=seed, out=tmp_path / "a", settings=quick, progress=killer(line))
    assert len(list((tmp_path / "a" / "unfinished").iterdir())) == 2  # another seed does not take the state of this one
    lines = list[str]()
    resumed = train(own.ledger, own.files, CUT, out=tmp_path / "a", settings=quick, progress=lines.append)
    straight = train(own.ledger, own.files, CUT, out=tmp_path / "b", settings=quick)
    fitted = [text.split(":")[0] for text in lines if " epoch " in text]
    assert fitted[:2] == ["structure epoch 4", "structure epoch 5"] and "relational epoch 1" not in fitted
    assert resumed.run == straight.run and np.array_equal(resumed.embeddings.vectors, straight.embeddings.vectors)
    assert resumed.losses.equals(straight.losses) and resumed.links.equals(straight.links)
    (other,) = (tmp_path / "a" / "unfinished").iterdir()  # a run that ended leaves nothing of its own to go on from
    assert not list(other.glob("structure"))


def test_a_restored_model_scores_as_the_run_did(result: TrainResult, world: World) -> None:
    model, facts = restored(result.checkpoint)
    views = Views(world.ledger, world.files, None)
    graph = views.tensors(CUT, [Table(facts["scale"])])
    vectors = torch.nn.functional.normalize(model.describe(graph), dim=1).detach().numpy()
    assert np.array_equal(vectors, result.embeddings.vectors)
    with pytest.raises(ModelError, match="no checkpoint"):
        restored(result.checkpoint / "elsewhere")


def retold(result: TrainResult, folder: Path, **other: object) -> Path:
    """The checkpoint of a run with other facts beside its weights."""
    tensors, facts = load_tensors(result.checkpoint)
    return save_tensors(folder, tensors, facts | other)


def test_a_checkpoint_of_another_version_or_ontology_or_graph_is_refused(result: TrainResult, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"made by another version: model.relational@1.*train again"):
        restored(retold(result, tmp_path / "a", extractor="model.relational@1"))
    with pytest.raises(ModelError, match=r"over the ontology 00000000"):
        restored(retold(result, tmp_path / "b", ontology="0" * 64))
    shape = load_tensors(result.checkpoint)[1]["shape"]
    with pytest.raises(ModelError, match="does not fit the model"):
        restored(retold(result, tmp_path / "c", shape=shape | {"nodes": 3}))
    assert len(list(result.checkpoint.glob("*.safetensors"))) == 1


def test_the_run_is_in_the_store_beside_its_checkpoint(result: TrainResult) -> None:
    store = RunStore(result.checkpoint.parent)
    (row,) = store.table().to_pylist()
    assert row["run"] == result.run and row["seed"] == 3 and row["mrr"] == result.metric("links", "relational", "mrr")
    own = store.get(result.run)
    assert [stage.name for stage in own.stages] == ["links", "risk", "amounts", "embeddings", "certificate"]
    assert len(own.losses) == len(result.losses) and all(row["rate"] > 0 for row in own.losses)
    assert "certify=off" in own.card["remarks"][-1] and "certify=off" in result.remarks[-1]
    assert own.card["code"] == own.code and own.code.startswith(result.manifest.code + "+src.")
    assert own.config["settings.dim"] == 32 and own.stages[-1].peak_bytes > 1 << 26


def test_scores_and_links_say_how_far_they_can_be_trusted(result: TrainResult) -> None:
    for row in result.scores.to_pylist():
        assert row["low"] <= row["distress"] <= row["high"] and row["uncertainty"] >= 0
        assert row["possible"] in ("sound", "distress", "either", "neither")
    for row in result.links.to_pylist():
        assert 0 < row["ensemble"] < 1 and 0 <= row["uncertainty"] <= 0.5
    own = {row["relation"]: row for row in result.relations.to_pylist() if row["model"] == "relational"}
    assert all(0 <= row["coverage"] <= 1 <= row["set_size"] and row["ece"] >= 0 for row in own.values())
    told = {(row["task"], row["model"], row["metric"]) for row in result.metrics.to_pylist()}
    for task, model in (("links", "relational"), ("links", "ensemble"), ("risk", "network"), ("risk", "ensemble")):
        assert {
            (task, model, name) for name in ("accuracy", "recall", "f1", "auprc", "brier", "ece", "log_loss")
        } <= told
    for row in result.metrics.to_pylist():
        assert row["metric"] == "set_size" or (row["low"] is not None and row["high"] is not None), row
    for start in ("Links: the ensemble of", "Links: sets promised", "Links: the alarm", "Risk: the ensemble of"):
        assert any(text.startswith(start) for text in result.remarks), start


def test_predicted_edges_never_mix_with_asserted_ones(result: TrainResult, world: World) -> None:
    """Neither in the snapshot nor in the tensors, where a model would learn from its own guesses."""
    at = AsOf(valid=day(2023, 1), published=day(2023, 1))
    stated = lambda snapshot: snapshot.edges.filter(pc.not_equal(snapshot.edges["type"], "PREDICTED"))  # noqa: E731
    own = world.ledger.alive().filter(pc.starts_with(world.ledger.alive()["extractor"], "model."))["claim"].to_pylist()
    world.ledger.retract(own, RunManifest("before"))
    before = world.ledger.view(at)
    publish(world.ledger, world.files, result)
    after = world.ledger.view(at)
    assert len(after.edges_of("PREDICTED")) == len(result.links) > 0 == len(before.edges_of("PREDICTED"))
    triples = [
        sorted((s.ids[e["source"]], e["type"], s.ids[e["target"]], e["statement"]) for e in stated(s).to_pylist())
        for s in (before, after)
    ]
    assert triples[0] == triples[1]
    a, b = (GraphTensors.from_snapshot(s, world.files, [], day(2023, 1)) for s in (before, after))
    assert a.ids == b.ids and torch.equal(a.edges, b.edges) and torch.equal(a.counts, b.counts)
    assert "PREDICTED" not in a.vocabulary.relations


def test_the_checkpoint_holds_the_model_and_its_facts(result: TrainResult) -> None:
    tensors, facts = load_tensors(result.checkpoint)
    assert facts["ids"] == list(result.embeddings.ids) and tensors["rows.weight"].shape == (len(facts["ids"]), 32)
    assert facts["encoders"] == json.loads(json.dumps(result.manifest.details["encoders"]))


def test_unknown_modalities_and_empty_ledgers_are_named(world: World, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="smell is unknown; known: text"):
        train(world.ledger, world.files, CUT, out=tmp_path, settings=replace(QUICK, modalities=("smell",)))
    with pytest.raises(ModelError, match="nothing to learn"):
        train(world.ledger, world.files, day(2010, 0), out=tmp_path, settings=QUICK)


def test_a_run_takes_its_way_to_fuse_and_the_encoder_that_learns_along_from_its_settings(tmp_path: Path) -> None:
    """The model that comes back from disk has both, with the weights that the network of pictures learned."""
    own = build(tmp_path, firms=12)
    chosen = {"encoders": {"image": "cnn"}, "along": ("image",), "fusion": "late", "balance": 0.5, "questions": 60}
    settings = replace(QUICK, epochs=2, dim=8, modalities=("numeric", "image"), **chosen)
    found = train(own.ledger, own.files, CUT, out=tmp_path / "runs", settings=settings)
    model, facts = restored(found.checkpoint)
    assert isinstance(model, Relational) and model.fusion.name == "late" and facts["settings"]["fusion"] == "late"
    assert set(found.modalities["modality"].to_pylist()) == {"image", "numeric"}
    views = Views(own.ledger, own.files, None)
    graph = views.tensors(CUT, [Table(facts["scale"]), Prepared(trainable("image", "cnn"))])
    vectors = torch.nn.functional.normalize(model.describe(graph), dim=1).detach().numpy()
    assert np.array_equal(vectors, found.embeddings.vectors)
    begun = Composed({"image": "cnn"}, 0).state_dict()
    assert any(not torch.equal(value, begun[name]) for name, value in model.read.state_dict().items())
    kind = suited(Network, settings)
    assert (kind.fusion, dict(kind.reads), kind.balance) == ("late", {"image": "cnn"}, 0.5)  # type: ignore[attr-defined]
    assert suited(Network, QUICK) is Network


def test_months_and_quarters_count_over_years() -> None:
    assert months(day(2022, 11), 3) == day(2023, 2) and months(CUT, -12) == day(2022, 0)
    assert quarters(CUT, day(2023, 7)) == [day(2023, 3), day(2023, 6), day(2023, 7)]


@pytest.mark.slow
def test_text_and_images_reach_the_firms_through_their_documents(world: World, tmp_path: Path) -> None:
    """Real encoders: with words and colours of documents the failing firms are told apart without any figures."""
    settings = replace(QUICK, modalities=("text", "image"), cache=tmp_path / "cache")
    found = train(world.ledger, world.files, CUT, seed=0, out=tmp_path, settings=settings)
    nodes = dict(zip(found.modalities["modality"].to_pylist(), found.modalities["nodes"].to_pylist(), strict=True))
    assert nodes["image"] > 100 and nodes["text"] > 100
    assert found.metric("risk", "propagated", "auroc") > 0.9 > found.metric("risk", "logistic", "auroc")
