"""What is bad goes no further: spoilt checkpoints, graphs that teach nothing, and folders of triples that are none."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnn.checkpoint import FACTS
from gnn.pipeline import publish, train
from kg.errors import OntologyError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Evidence, Node, RunManifest, digest
from kgrisk.api import open as open_graph
from tests.gnn_world import CUT, Maker, day
from tests.kgrisk_world import kgrisk_here
from tests.test_kgrisk_runs import QUICK

LONELY = "reg:lonely"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph in which no firm ever fails, none is sold to, and one has nothing but a name; a run is published."""
    folder = tmp_path_factory.mktemp("spoiled") / "home"
    files = Files(folder / "files")
    made = Maker(
        np.random.default_rng(0), files, [f"reg:firm{n:03d}" for n in range(24)], [f"reg:bank{n:02d}" for n in range(8)]
    )
    made.doomed = {}
    for fill in (made.entities, made.loans, made.accounts_of_the_years, made.news):
        fill()
    made.say(Node("Company", LONELY, {"name": "Lonely"}), day(2019, 0))
    ledger = Ledger.open(folder / "ledger")
    ledger.commit(ClaimBatch.of(made.claims), RunManifest("ingest"))
    result = train(ledger, files, CUT, seed=1, out=folder / "runs", settings=QUICK)
    publish(ledger, files, result)
    ledger.close()
    return folder


@pytest.mark.slow
def test_without_any_failure_the_run_says_so_and_the_rest_is_published(home: Path) -> None:
    with open_graph(home) as graph:
        (run,) = graph.runs().rows()
        remarks = " ".join(graph.run(run["run"]).card["remarks"])
        assert run["mrr"] > 0 and run["brier"] is None and ("distress" in remarks or "risk" in remarks), remarks
        assert len(graph.predict_links("LENDS_TO")) > 0
        assert not len(graph.snapshot().facts_of("distress"))


@pytest.mark.slow
def test_a_node_without_edges_has_a_vector_and_an_empty_relation_is_no_obstacle(home: Path) -> None:
    with open_graph(home) as graph:
        assert not len(graph.snapshot().edges_of("SUPPLIES", "OWNS"))
        (row,) = [row for row in graph.embeddings() if row["id"] == LONELY]
        assert np.isfinite(row["vector"]).all() and np.linalg.norm(row["vector"]) == pytest.approx(1, abs=1e-4)


def test_what_is_no_number_never_enters_the_graph(tmp_path: Path) -> None:
    proof = Evidence(digest(b"x"), "row:1", "nan", "registers.world@1")
    claim = Claim(Node("Company", "reg:x", {"measure": float("nan")}, "k"), proof, CUT)
    with Ledger.open(tmp_path / "ledger") as ledger, pytest.raises(OntologyError, match="is not a finite number"):
        ledger.commit(ClaimBatch.of([claim]), RunManifest("ingest"))


def test_a_training_on_nothing_says_what_is_missing(home: Path) -> None:
    done = kgrisk_here("train", "--cut", "1990-01-01", "--home", home, cwd=home.parent)
    assert done.returncode == 1 and "nothing to learn" in done.stderr


def facts(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite what a checkpoint says of itself."""
    told = json.loads((folder / FACTS).read_text())
    del told["of_facts"]  # their digest, which an older version did not write
    change(told)
    (folder / FACTS).write_text(json.dumps(told))


def weights(folder: Path) -> Path:
    return folder / str(json.loads((folder / FACTS).read_text())["weights"])


def flip(folder: Path) -> None:
    data = bytearray(weights(folder).read_bytes())
    data[-5] ^= 1
    weights(folder).write_bytes(bytes(data))


def pickled(folder: Path) -> None:
    data = pickle.dumps({"weights": [1.0]})
    weights(folder).write_bytes(data)
    facts(folder, lambda told: told.update(sha256=digest(data)))


SPOILED: dict[str, Callable[[Path], None]] = {
    "another sha256": flip,
    "is a pickle": pickled,
    "over the ontology": lambda folder: facts(folder, lambda told: told["facts"].update(ontology="0" * 64)),
    "not a finished model": lambda folder: facts(folder, lambda told: told.update(facts={"kind": "detector"})),
    "no checkpoint can be read": lambda folder: (folder / FACTS).unlink(),
}


@pytest.mark.slow
@pytest.mark.parametrize("why", SPOILED)
def test_a_spoilt_or_foreign_checkpoint_is_refused_by_the_command_that_reads_it(
    why: str, home: Path, tmp_path: Path
) -> None:
    shutil.copytree(home, tmp_path / "home")
    with open_graph(tmp_path / "home") as graph:
        edge = graph.predict_links("LENDS_TO")["edge"][0]
        folder = tmp_path / "home" / "runs" / graph.runs()["run"][0]
    SPOILED[why](folder)
    done = kgrisk_here("explain", edge, "--home", "home", cwd=tmp_path)
    assert done.returncode == 1 and why in done.stderr, done.stderr + done.stdout


TRIPLES = {"train": "a\tr\tb\nb\tr\tc\nc\tr\ta\n", "valid": "a\tr\tc\n", "test": "b\tr\ta\n"}
WRONG: dict[str, dict[str, str | None]] = {
    "test.txt: No such file": {"test": None},
    "test.txt is empty": {"test": "\n"},
    "train.txt is empty": {"train": ""},
    "has 2 cells": {"train": "a\tr\n"},
    "has 5 cells": {"valid": "a\tr\tb\t1\t2\n"},
    "has 1 cells": {"train": "a r b\n"},
    "some lines have a time": {"train": "a\tr\tb\t2020-01-01\n"},
    "is no time": {name: f"{text.splitlines()[0]}\tsoon\n" for name, text in TRIPLES.items()},
}


@pytest.mark.parametrize("why", WRONG)
def test_a_folder_that_holds_no_split_is_refused_by_the_command(why: str, tmp_path: Path) -> None:
    for name, text in (TRIPLES | WRONG[why]).items():
        if text is not None:
            (tmp_path / f"{name}.txt").write_text(text)
    done = kgrisk_here("train", "--triples", tmp_path, "--model", "complex", "--json", cwd=tmp_path)
    assert done.returncode == 1 and why in done.stderr and not done.stdout, done.stderr


def test_names_that_training_never_saw_are_ranked_and_counted_by_the_command(tmp_path: Path) -> None:
    for name, text in (TRIPLES | {"test": "b\tr\ta\nnew\tother\ta\n"}).items():
        (tmp_path / f"{name}.txt").write_text(text)
    done = kgrisk_here("train", "--triples", tmp_path, "--model", "complex", "--epochs", "1", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["remarks"][0] in " ".join(done.stderr.split()) and "1 of 2 test triples name" in told["remarks"][0]
    assert told["triples"]["test"] == 2 and told["unseen"] and told["unseen_relations"] and 0 < told["test"]["mrr"] <= 1


@pytest.mark.parametrize("model", ["nosuch", "../complex"])
def test_a_model_that_is_not_there_is_refused_with_those_that_are(model: str, tmp_path: Path) -> None:
    for name, text in TRIPLES.items():
        (tmp_path / f"{name}.txt").write_text(text)
    done = kgrisk_here("train", "--triples", tmp_path, "--model", model, cwd=tmp_path)
    assert done.returncode == 1 and "known: autoencoder, complex" in " ".join(done.stderr.split())
