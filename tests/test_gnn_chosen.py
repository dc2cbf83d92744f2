"""The link model of a run over a graph is chosen by its settings: each learns, publishes and is explained."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
import torch

import kgrisk
from gnn.evaluate import rank
from gnn.explaining.of_run import Told, story
from gnn.incremental import LOCAL
from gnn.learned import COUNTS, PROPOSED, STRUCTURE, Window, learn, windows
from gnn.model import exact
from gnn.moved import moved
from gnn.pipeline import Settings, TrainResult, chosen_encoders, embeddings, publish, traced, train
from gnn.rerank import Reranked
from gnn.sample import allowed
from gnn.teaching import checked, fusing, kind, table
from gnn.views import Views, months
from gnn.vocabulary import RELATIONS
from kg import plugins
from kg.errors import ModelError
from kg.model import AsOf
from tests.gnn_world import CUT, World, build
from tests.kgrisk_world import kgrisk_here

NAMES = plugins.names("gnn.models")
QUICK = Settings(epochs=2, dim=8, modalities=("numeric",), links_each=3, cohorts=1, amount=None, members=1)
FEW = {"epochs": "2", "dim": "8", "modalities": "numeric", "links_each": "3", "members": "1", "certify": "off"} | {
    "cohorts": "1",
    "amount": "none",
}


@dataclass
class Run:
    """What a model was taught, and what the ledger holds once it was published."""

    name: str
    world: World
    first: TrainResult
    alive: Any
    vectors: Any


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"), firms=12)


@pytest.fixture(scope="module")
def both(world: World) -> tuple[Window, Window]:
    views = Views(world.ledger, world.files, None)
    return windows(views, chosen_encoders(views, CUT, QUICK), CUT, QUICK.window)


@pytest.fixture(scope="module", params=NAMES)
def run(request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder, asked = tmp_path_factory.mktemp(request.param), replace(QUICK, model=request.param)
    first = train(world.ledger, world.files, CUT, out=folder, settings=asked)
    publish(world.ledger, world.files, first)
    now = world.ledger.view(AsOf(valid=CUT))
    return Run(request.param, world, first, world.ledger.alive(), traced(world.ledger, now, world.files))


def figure(result: TrainResult, model: str, name: str = "mrr") -> float:
    return result.metric("links", model, name)


def test_a_model_stands_beside_structure_and_counting(run: Run) -> None:
    for model in (run.name, STRUCTURE, COUNTS):
        assert all(math.isfinite(figure(run.first, model, name)) for name in ("mrr", "hits@10", "auprc", "brier"))
        assert 0.0 < figure(run.first, model) <= 1.0
    assert run.first.model == run.name and run.first.manifest.details["model"] == run.name
    taught = set(run.first.losses["model"].to_pylist())
    assert ({run.name, f"{run.name} (refit)"} <= taught) == kind(run.name).trained
    told = f"{run.name} reads no features" in " ".join(run.first.remarks)
    assert told != bool(run.first.modalities.num_rows)


def test_a_model_is_taught_the_same_bits_again(run: Run, both: tuple[Window, Window]) -> None:
    with exact(1):
        again, _ = learn(run.name, both, replace(QUICK, model=run.name), 0, 0, str)
        assert np.array_equal(embeddings(again.model, again.graph).vectors, run.first.embeddings.vectors)
        ranks = rank(again.model, again.graph, both[1].later.triples)
    assert ranks.mrr == figure(run.first, run.name)


def test_a_model_publishes_links_and_vectors_of_its_own_in_place_of_the_former_ones(run: Run) -> None:
    assert run.first.links.num_rows > 0
    predicted = run.alive.filter(pc.equal(run.alive["name"], "PREDICTED"))
    assert set(predicted["extractor"].to_pylist()) == {f"model.{run.name}@2"}
    assert set(run.vectors["model"].to_pylist()) == {run.name} and set(run.vectors["run"].to_pylist()) == {
        run.first.run
    }
    assert set(run.vectors["version"].to_pylist()) == {f"model.{run.name}@2"}
    assert np.allclose(np.linalg.norm(run.first.embeddings.vectors, axis=1), 1.0, atol=1e-5)
    assert set(run.vectors["id"].to_pylist()) == set(run.first.embeddings.ids)


def test_a_model_comes_back_and_tells_why_it_expects_a_link(run: Run) -> None:
    back = Told.of(run.world.ledger, run.world.files, run.first.checkpoint)
    assert isinstance(back.model, kind(run.name))
    assert np.array_equal(embeddings(back.model, back.graph).vectors, run.first.embeddings.vectors)
    link = run.first.links.to_pylist()[0]
    why = story(back, (link["source"], link["relation"], link["target"]))
    assert math.isfinite(why.log_odds) and why.base + sum(why.shares.values()) == pytest.approx(why.log_odds, abs=1e-4)


def test_vectors_of_a_later_day_come_from_local_models_alone(run: Run) -> None:
    asked = (run.first.checkpoint, run.world.ledger, run.world.files, months(CUT, 1))
    if run.name in LOCAL:
        assert len(moved(*asked).embeddings.ids) >= len(run.first.embeddings.ids)
    else:
        with pytest.raises(ModelError, match=f"vectors of model {run.name} .*train again with that day as the cut"):
            moved(*asked)


@pytest.mark.parametrize(
    "asked",
    [{"loss": name} for name in ("bce", "mse", "margin", "infonce")]
    + [{"pretrain": 1, "pretrain_by": way} for way in ("masked", "contrast", "both")],
    ids=lambda asked: str(asked.get("loss", asked.get("pretrain_by"))),
)
def test_another_lesson_gives_another_model(asked: dict[str, Any], both: tuple[Window, Window]) -> None:
    usual, other = (replace(QUICK, epochs=1, model="sage", **more) for more in ({}, asked))
    (plain, _), (taught, runs) = (learn("sage", both, how, 0, 0, str) for how in (usual, other))
    vectors = [embeddings(one.model, one.graph).vectors for one in (plain, taught)]
    assert all(np.isfinite(own).all() for own in vectors) and not np.array_equal(*vectors)
    assert ("sage (pre-training)" in runs) == ("pretrain" in asked)


def test_paths_judge_the_best_answers_beside_the_models_own_order(world: World, tmp_path: Path) -> None:
    asked = replace(QUICK, model="complex", rerank=10)
    result = train(world.ledger, world.files, CUT, out=tmp_path, settings=asked)
    plain = train(world.ledger, world.files, CUT, out=tmp_path, settings=replace(asked, rerank=0))
    assert figure(result, PROPOSED) == figure(plain, "complex") != figure(result, "complex")
    assert any("its own order, before paths judged it" in remark for remark in result.remarks)
    back = Told.of(world.ledger, world.files, result.checkpoint)
    assert isinstance(back.model, Reranked) and back.model.top == 10 and fusing(back.model) is None
    lends = torch.tensor([RELATIONS.index("LENDS_TO")])
    with torch.no_grad():
        scores = back.model.score_tails(back.graph, torch.tensor([0]), lends)
    assert torch.equal(torch.isneginf(scores), ~allowed(back.graph)[lends])
    assert np.array_equal(embeddings(back.model, back.graph).vectors, result.embeddings.vectors)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"model": "complexx"}, f"model 'complexx' is unknown; known: {', '.join(NAMES)}"),
        ({"loss": "ce"}, "loss 'ce' is unknown; known: softmax, bce, mse, margin, infonce"),
        ({"pretrain_by": "luck"}, "pretrain_by 'luck' is unknown; known: masked, contrast, both"),
        ({"pretrain": -1}, "pretrain is -1; give a number from 1 up, or 0 for none"),
        ({"model": "complex", "pretrain": 1}, "leave pretrain at 0 or name autoencoder, gated, gcn"),
        ({"model": "temporal", "loss": "bce"}, "leave loss at 'softmax' or name complex, gated"),
        ({"model": "frequency", "loss": "bce"}, "it counts and learns nothing"),
        ({"model": "paths", "rerank": 5}, "its answers are those of paths already"),
        ({"model": "hierarchy", "fusion": "late"}, "leave fusion at 'attention' or name autoencoder"),
        ({"model": "gcn", "along": ("numeric",)}, r"leave along at \(\) or name relational"),
    ],
)
def test_what_a_model_cannot_do_is_refused_with_what_is_known(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelError, match=told):
        checked(replace(QUICK, **asked))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("front") / "home"
    build(folder, firms=12).ledger.close()
    yield folder


def test_the_model_is_named_in_python(home: Path) -> None:
    with kgrisk.open(home) as graph:
        result = graph.train("2023-01-01", settings={**FEW, "model": "complex"})
        assert result.model == "complex" and set(graph.embeddings().table["model"].to_pylist()) == {"complex"}
        assert graph.predict_links(at=AsOf(valid=CUT)).table.num_rows > 0


def test_the_model_is_named_on_the_command_line(home: Path) -> None:
    few = [word for pair in FEW.items() for word in ("--setting", "=".join(pair))]
    done = kgrisk_here("train", "--cut", "2023-01-01", "--model", "sage", *few, "--home", home, "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["model"] == "sage" and {row["model"] for row in told["metrics"]} >= {"sage", STRUCTURE, COUNTS}
    assert told["stages"] and all(stage["seconds"] >= 0 and stage["peak_bytes"] > 0 for stage in told["stages"])
    wrong = kgrisk_here("train", "--model", "sgae", "--home", home, cwd=home)
    assert wrong.returncode == 1 and "known: autoencoder, complex" in " ".join(wrong.stderr.split())


def test_every_model_is_listed_with_what_it_can_be_asked_for(tmp_path: Path) -> None:
    rows = {row["model"]: row for row in json.loads(kgrisk_here("models", "--json", cwd=tmp_path).stdout)}
    assert list(rows) == NAMES and rows == {row["model"]: row for row in table()}
    assert kgrisk.models().rows() == list(rows.values())
    assert all(len(row["is"]) > 20 for row in rows.values()) and rows["frequency"]["graph"] == "counts"
    assert [name for name, row in rows.items() if row["moves"]] == sorted(LOCAL)
