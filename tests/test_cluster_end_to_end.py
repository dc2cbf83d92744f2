"""A two-node Ray cluster ingests, trains, refreshes, indexes, scores and supposes what one process does, although in
each of these a node loses its power: the same rows and bits, and of a training the same but for the rounding of sums.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnn.rescore import manifest
from kgrisk.api import Graph
from kgrisk.champion import champion
from kgrisk.rescoring import scorer, standing, today
from kgrisk.settings import Settings
from tests.cluster_world import Struck, write_deliveries
from tests.kgrisk_world import clean_environment
from tests.ray_cluster import Nodes, two_nodes

pytestmark = [pytest.mark.ray, pytest.mark.faults, pytest.mark.slow]
CUT, DAY = "2023-01-01", date(2023, 5, 1)
NEAR = 1e-3
"""Largest difference of a published probability, as tests/test_gnn_distributed_train.py explains."""
QUICK = ("epochs=3", "dim=8", "modalities=numeric", "certify=off", "links_each=5", "members=1", "amount=none")
SCENARIOS, BLOCK = 1000, 64


@dataclass
class Pair:
    """A home that one process works on, and one that the cluster works on."""

    one: Path
    two: Path
    first: Path
    later: Path


@contextmanager
def opened(home: Path, **settings: Any) -> Iterator[Graph]:
    own = {"store": f"arcadedb://{home / 'store'}", "currency": "EUR", "cut": date.fromisoformat(CUT), **settings}
    with Graph(home, Settings.load(home=home, **own)) as graph:
        yield graph


def told(graph: Graph) -> list[dict[str, Any]]:
    """What sources said, row by row, but for the moment of the commit."""
    rows: list[dict[str, Any]] = graph.ledger.events().drop_columns(["known_from"]).to_pylist()
    return [row for row in rows if row["extractor"].startswith("registers.")]


def seen(graph: Graph) -> list[Any]:
    """The resolved graph on a day, as arrays: what sources said of it."""
    snapshot = graph.snapshot(DAY)
    parts = (snapshot.edges, snapshot.facts)
    return [snapshot.nodes, *(part.drop_columns([n for n in part.column_names if n == "known_from"]) for part in parts)]


def scores(graph: Graph) -> dict[str, float]:
    table = graph.scores("distress").table
    return dict(zip(table["id"].to_pylist(), table["distress"].to_pylist(), strict=True))


def apart(one: dict[str, float], two: dict[str, float]) -> float:
    """Largest difference of scores of the same firms."""
    assert one.keys() == two.keys() and len(one) > 20
    return max(abs(one[id] - two[id]) for id in one)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with two_nodes() as made:
        yield made


@contextmanager
def struck(nodes: Nodes, after: int) -> Iterator[Struck]:
    """The cluster, of which a node dies on the way; there is another one afterwards."""
    with Struck(nodes, after) as made:
        assert made.workers == 2
        try:
            yield made
        finally:
            if made.left >= 0:
                nodes.add()
    assert made.left > 0, "nothing was left to do when the node died"


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory, nodes: Nodes) -> Pair:
    folder = tmp_path_factory.mktemp("cluster")
    pair = Pair(folder / "one", folder / "two", *write_deliveries(folder / "files"))
    with opened(pair.one) as graph:
        graph.ingest(pair.first)
    with opened(pair.two) as graph, struck(nodes, after=2) as ray:
        graph.ingest(pair.first, executor=ray)
    return pair


def test_what_is_ingested_on_the_cluster_is_row_for_row_what_one_process_ingests(ingested: Pair) -> None:
    with opened(ingested.one) as one, opened(ingested.two) as two:
        assert len(told(one)) > 500 and told(one) == told(two)
        assert all(a.equals(b) for a, b in zip(seen(one), seen(two), strict=True))


def vectors(graph: Graph) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The claims of the index, which name the digest of all vectors, and the vectors kept by content."""
    rows = graph.ledger.alive().drop_columns(["known_from"]).to_pylist()
    own = [row for row in rows if row["extractor"].startswith("model.usem3")]
    return own, {path.name: path.read_bytes() for path in (graph.home / "cache").rglob("*.npy")}


def test_the_vectors_of_the_index_have_the_bits_of_one_process(ingested: Pair, nodes: Nodes) -> None:
    with opened(ingested.one) as graph:
        graph.index_texts()
        one = vectors(graph)
    with opened(ingested.two) as graph, struck(nodes, after=2) as ray:
        graph.index_texts(executor=ray)
        two = vectors(graph)
    assert one == two and len(one[0]) > 40


def test_a_thousand_scenarios_cost_to_the_bit_what_they_cost_in_one_process(ingested: Pair, nodes: Nodes) -> None:
    asked: dict[str, Any] = {"at": DAY, "label": "Company", "seed": 3, "block": BLOCK}
    with opened(ingested.one) as graph:
        one = graph.suppose_many(SCENARIOS, "debtrank", **asked)
    with opened(ingested.two) as graph, struck(nodes, after=4) as ray:
        two = graph.suppose_many(SCENARIOS, "debtrank", executor=ray, **asked)
    assert len(one.summary) == SCENARIOS and np.mean(one.summary["touched"]) > 2
    assert one.summary.table.equals(two.summary.table) and one.difference.equals(two.difference)


@dataclass
class Trained:
    """Both homes, and what the command on the cluster printed."""

    pair: Pair
    printed: dict[str, Any]
    epochs: int
    """Lines of progress that were told when the node died."""


def progress(home: Path) -> int:
    """Epochs that a training on a cluster has told of so far."""
    found = list((home / "runs" / "unfinished").glob("cluster-*/lines"))
    return found[0].read_text().count("epoch") if found else 0


@pytest.fixture(scope="module")
def trained(ingested: Pair, nodes: Nodes) -> Trained:
    settings = [word for one in QUICK for word in ("--setting", one)]
    command = [sys.executable, "-m", "kgrisk.cli", "train", "--cut", CUT, "--json", *settings]
    alone = subprocess.run([*command, "--home", str(ingested.one)], env=clean_environment(), timeout=300)
    assert alone.returncode == 0
    place = ["--home", str(ingested.two), "--workers", nodes.address, "--processes", "2"]
    with subprocess.Popen([*command, *place], env=clean_environment(), stdout=subprocess.PIPE) as process:
        end = time.monotonic() + 200
        while not progress(ingested.two) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        epochs, busy = progress(ingested.two), nodes.second
        nodes.kill()
        printed = process.communicate(timeout=300)[0]
    nodes.add()
    assert process.returncode == 0 and any("RayTrainWorker" in one for one in busy)
    return Trained(ingested, json.loads(printed), epochs)


def test_what_is_trained_on_the_cluster_says_what_one_process_says_but_for_rounding(trained: Trained) -> None:
    assert trained.epochs > 0, "the node died before any epoch was done"
    with opened(trained.pair.one) as one, opened(trained.pair.two) as two:
        assert [run["run"] for run in two.runs().rows()] == [trained.printed["run"]]
        assert apart(scores(one), scores(two)) <= NEAR
        mine, other = one.predict_links().table, two.predict_links().table
        assert mine.num_rows == other.num_rows > 0
        assert np.allclose(mine["score"].to_numpy(), other["score"].to_numpy(), atol=NEAR)
        mine, other = one.embeddings().table.sort_by("id"), two.embeddings().table.sort_by("id")
        assert mine["id"].equals(other["id"])
        assert np.allclose(np.stack(mine["vector"].to_pylist()), np.stack(other["vector"].to_pylist()), atol=NEAR)
    assert not list((trained.pair.two / "runs" / "unfinished").iterdir())


def test_scores_by_shard_have_the_bits_of_one_process(trained: Trained, nodes: Nodes) -> None:
    with opened(trained.pair.two) as graph:
        reign = champion(graph)
        assert reign is not None
        own, now = scorer(graph, reign.run), standing(graph, today(graph, reign))
        with struck(nodes, after=2) as ray:
            here, there = own.rescored(now, part=8), own.rescored(now, None, ray, 8)
    assert len(here.scores) > 20 and here.scores.equals(there.scores) and manifest(here) == manifest(there)


@dataclass
class Refreshed:
    """Both homes after the second delivery, with their run files."""

    pair: Pair
    one: Any
    two: Any
    died: list[str]
    """What the refresh told last before each death."""


@pytest.fixture(scope="module")
def refreshed(trained: Trained, nodes: Nodes) -> Refreshed:
    pair, died = trained.pair, list[str]()

    def watch(line: str) -> None:
        if line.startswith(("ingest:", "train:")):  # the stage ended, with one node less than it began with
            nodes.add()
        elif "epoch" in line and len(died) < 2:
            died.append(line)
            nodes.kill()

    with opened(pair.one, epochs=1) as graph:
        one = graph.refresh(pair.later, sync=False, whole=True)
    with opened(pair.two, epochs=1, processes=2) as graph, Struck(nodes, after=1) as ray:
        died.append("ingest")
        two = graph.refresh(pair.later, watch, sync=False, whole=True, executor=ray)
        assert ray.left > 0, "nothing was left to read when the node died"
    return Refreshed(pair, one, two, died)


def test_what_is_refreshed_on_the_cluster_is_what_one_process_refreshes(refreshed: Refreshed) -> None:
    assert len(refreshed.died) == 2 and "epoch" in refreshed.died[1]
    for name in ("state", "quarantined", "skipped"):
        assert refreshed.one[name] == refreshed.two[name], name
    assert refreshed.one["state"] == "done" and not refreshed.one["skipped"]
    with opened(refreshed.pair.one) as one, opened(refreshed.pair.two) as two:
        assert told(one) == told(two)
        assert apart(scores(one), scores(two)) <= NEAR
    assert refreshed.one["risk"]["total"] == pytest.approx(refreshed.two["risk"]["total"], rel=NEAR)
