"""A two-node Ray cluster ingests, indexes and supposes what one process does, although in each of these a node loses
its power: the same rows and bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrisk.api import Graph
from kgrisk.settings import Settings
from tests.cluster_world import Struck, write_deliveries
from tests.ray_cluster import Nodes, two_nodes

pytestmark = [pytest.mark.ray, pytest.mark.faults, pytest.mark.slow]
DAY = date(2023, 5, 1)
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
    own = {"store": f"arcadedb://{home / 'store'}", "currency": "EUR", **settings}
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
