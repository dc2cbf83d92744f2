"""A run that learns from drawn neighbourhoods: with every edge it is the full-pass run, and a killed one goes on."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gnn import pieces
from gnn.calibrate import UNLEARNED
from gnn.evaluate import rank
from gnn.learned import learn, windows
from gnn.links import best_links
from gnn.model import Shape, exact
from gnn.models.relational import Relational
from gnn.models.rgcn import Rgcn
from gnn.passing import Passing
from gnn.pieces import pieced
from gnn.pipeline import Settings, chosen_encoders
from gnn.settings import Report
from gnn.teaching import checked, network, taught
from gnn.train import Recipe
from gnn.views import Views
from kg.errors import ModelError
from kg.files import Files
from kg.ledger import Ledger
from kgrisk.api import Graph
from kgrisk.settings import Settings as Home
from tests.gnn_world import CUT, World, build
from tests.kgrisk_world import clean_environment
from tests.test_gnn_distributed import LOOSE, apart
from tests.test_gnn_distributed_sampled import NODES, some_graph
from tests.test_gnn_distributed_train import NEAR
from tests.test_kg_memory import ROOT, linux

EVERY = (1000, 1000)
"""More edges than reach any node of the worlds here."""
SMALL = Settings(epochs=3, dim=8, modalities=("numeric",), links_each=5, amount=None, neighbours=(3, 3), negatives=20)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"), firms=48)


@pytest.mark.parametrize("kind", [Relational, Rgcn])
@pytest.mark.parametrize("table", [True, False])
def test_vectors_that_come_piece_by_piece_are_those_of_the_full_pass(
    kind: type[Passing], table: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = some_graph()
    plain = kind(Shape.of(own), dim=8, table=table).eval()  # type: ignore[call-arg]  # both take these
    whole = pieced(kind)(Shape.of(own), dim=8, table=table).eval()  # type: ignore[call-arg]
    whole.load_state_dict(plain.state_dict())
    assert isinstance(whole, kind) and whole.settings == plain.settings
    monkeypatch.setattr(pieces, "PIECE", 7)
    parts = list(pieces.pieces(pieces.by_node(own)[0], 7))
    reached = [int(pieces.by_node(own)[0][part].diff().sum()) for part in parts]
    assert len(parts) > 20 and [row for part in parts for row in range(part.start, part.stop)] == list(range(NODES))
    assert max(reached) <= 7
    with torch.no_grad():
        for name in ("embed", "describe"):
            assert torch.allclose(getattr(plain, name)(own), getattr(whole, name)(own), atol=1e-5), name
    assert whole.embed(own).requires_grad


def taught_both(world: World) -> list[tuple[Any, ...]]:
    """The same model by full passes and by drawn neighbourhoods of all edges, both without chance in their layers."""
    views, told = Views(world.ledger, world.files, None), []
    valid, _ = windows(views, chosen_encoders(views, CUT, Settings(modalities=("numeric",))), CUT, 12)
    for settings in (Settings(dim=8), Settings(dim=8, neighbours=EVERY, negatives=10**9)):
        model = network(valid.graph, checked(settings), seed=2)
        assert isinstance(model, Passing)
        model.dropout = model.fusion.dropout = 0.0
        recipe = Recipe(epochs=4, seed=2)
        run, _ = taught(model, valid.graph, valid.later.triples, (settings, recipe), None, lambda text: None)
        told.append((run, model, valid))
    return told


def test_with_every_edge_drawn_and_every_node_a_wrong_answer_the_run_is_the_full_pass_run(world: World) -> None:
    (one, full, window), (two, drawn, _) = taught_both(world)
    assert [row["loss"] for row in one.epochs] == pytest.approx([row["loss"] for row in two.epochs], abs=LOOSE)
    assert [row["valid"] for row in one.epochs] == pytest.approx([row["valid"] for row in two.epochs], abs=1e-3)
    assert one.epochs[-1]["loss"] < one.epochs[0]["loss"] and one.best == two.best
    assert apart(full.state_dict(), drawn.state_dict()) <= 10 * LOOSE
    later, graph = window.later.triples, window.graph
    assert rank(full, graph, later).mrr == pytest.approx(rank(drawn, graph, later).mrr, abs=1e-3)
    with torch.no_grad():
        assert torch.allclose(full.describe(graph), drawn.describe(graph), atol=1e-3)
    links = [best_links(model, graph, UNLEARNED, 5) for model in (full, drawn)]
    assert np.allclose(links[0].score, links[1].score, atol=1e-3) and len(links[0].triples) > 5


def learned(folder: Path, out: Path, say: Report) -> dict[str, Tensor]:
    """The weights of a model that was chosen and fitted anew, its fits being kept in a folder."""
    with Ledger.open(folder / "ledger") as ledger:
        views, settings = Views(ledger, Files(folder / "files"), None), replace(SMALL, unfinished=out)
        both = windows(views, chosen_encoders(views, CUT, settings), CUT, 12)
        with exact(1):
            return learn("relational", both, settings, 1, 1, say)[0].model.state_dict()


def killed(folder: Path, out: Path) -> None:
    """The same, which dies after the second epoch of its first fit."""

    def say(text: str) -> None:
        if text.startswith("relational epoch 2"):
            os.kill(os.getpid(), signal.SIGKILL)

    learned(folder, out, say)


@pytest.mark.slow
def test_a_fit_that_is_killed_goes_on_to_the_same_bits_from_its_graph_in_files_also_where_one_of_them_was_spoiled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, left = tmp_path / "world", tmp_path / "killed"
    build(folder, firms=48).ledger.close()
    said: list[str] = []
    straight = learned(folder, tmp_path / "straight", said.append)
    child = get_context("spawn").Process(target=killed, args=(folder, left))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    spoiled = Path(copytree(left, tmp_path / "spoiled"))
    (edges,) = spoiled.rglob("edges.npy")
    assert edges.relative_to(spoiled).parts == ("relational", "choose", "graph", "edges.npy")
    data = bytearray(edges.read_bytes())
    data[-1] ^= 1
    edges.write_bytes(data)
    for out, warned in ((left, False), (spoiled, True)):
        caplog.clear()
        heard: list[str] = []
        with caplog.at_level(logging.WARNING):
            again = learned(folder, out, heard.append)
        assert straight.keys() == again.keys() and all(torch.equal(straight[name], again[name]) for name in straight)
        assert heard == said[2:] and heard[0].startswith("relational epoch 3")
        assert ("edges.npy was changed on disk" in caplog.text) == warned
        assert not list(out.rglob("*.npy"))


@pytest.mark.slow
def test_two_processes_with_a_part_of_the_graph_each_publish_what_one_does(tmp_path: Path) -> None:
    build(tmp_path / "one", firms=48).ledger.close()
    copytree(tmp_path / "one", tmp_path / "two")
    asked = {"epochs": 3, "dim": 8, "modalities": "numeric", "links_each": 5, "neighbours": "3,3", "certify": "off"}
    told: list[Any] = []
    for name, processes in (("one", 1), ("two", 2)):
        with Graph(tmp_path / name, Home.load(home=tmp_path / name)) as graph:
            result = graph.train(CUT.date(), settings=asked, processes=processes)
            scores = graph.scores("distress").table
            by_id = dict(zip(scores["id"].to_pylist(), scores["distress"].to_pylist(), strict=True))
            told.append((result, by_id, graph.predict_links().table))
    (one, scores, links), (two, others, expected) = told
    assert scores.keys() == others.keys() and max(abs(scores[id] - others[id]) for id in scores) <= NEAR
    assert links.num_rows == expected.num_rows > 0
    assert np.allclose(one.embeddings.vectors, two.embeddings.vectors, atol=NEAR)
    assert one.losses["loss"].to_pylist() == pytest.approx(two.losses["loss"].to_pylist(), abs=NEAR)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"model": "sage"}, "model sage cannot be asked for neighbours.*name relational or rgcn"),
        ({"loss": "margin"}, "model relational cannot be asked for loss.*full passes.*or leave neighbours out"),
        ({"pretrain": 2}, "cannot be asked for pretrain: it needs full passes"),
        ({"rerank": 5}, "cannot be asked for rerank: it needs full passes"),
        ({"balance": 0.5}, "cannot be asked for balance: it needs full passes"),
        ({"along": ("numeric",)}, "cannot be asked for along: it needs full passes"),
        ({"neighbours": None, "negatives": 5}, "cannot be asked for negatives.*or give neighbours"),
        ({"neighbours": None, "model": "complex", "table": False}, "complex cannot be asked for table.*rgcn"),
    ],
)
def test_what_drawn_neighbourhoods_cannot_do_is_refused_by_name(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelError, match=told):
        checked(Settings(**{"neighbours": (5, 5), **given}))


@pytest.mark.parametrize("fans", [(), (0, 5), (2.5,)])
def test_numbers_of_neighbours_that_cannot_be_are_refused(fans: Any) -> None:
    with pytest.raises(ModelError, match=r"neighbours is .*; give a whole number from 1 up for each layer"):
        Settings(neighbours=fans)


def test_so_many_numbers_are_so_many_layers_and_without_a_table_no_node_has_a_row(world: World) -> None:
    graph = Views(world.ledger, world.files, None).tensors(CUT)
    model = network(graph, Settings(dim=8, neighbours=(5, 4, 3), table=False), 0)
    assert isinstance(model, Relational) and len(model.layers) == 3 and not len(model.rows.weight)


@linux
@pytest.mark.slow
def test_a_graph_that_is_too_large_for_full_passes_is_learned_from_drawn_neighbourhoods() -> None:
    command = [sys.executable, "-m", "tests.drawn_child", "5000", "40"]
    own = clean_environment(ARROW_DEFAULT_MEMORY_POOL="system", MALLOC_ARENA_MAX="2")
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["full"].startswith("learning by full passes over") and told["drawn"].startswith("loss ")
    assert told["taken"] < 0.4 * told["need"]
