"""How long the 18 FinBench reads take on the embedded store and on Neo4j: the middle and the slowest of forty.

The world is drawn here, the answers of every read are compared with the oracle on both stores before anything is
timed, and nothing of this is an audited LDBC result. Needs the tests' Neo4j: NEO4J_TEST_URI, Docker, or Java and Maven.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from benchmarks.figure import Figure
from kg.errors import KgRiskError
from kg.store import GraphStore, open_store
from queries.catalog import Catalog
from tests.finbench_world import INPUTS, Question, World, questions
from tests.neo4j_server import running_neo4j, wipe

ACCOUNTS = int(os.environ.get("KGRISK_FINBENCH_ACCOUNTS", "400"))
ASKED = int(os.environ.get("KGRISK_FINBENCH_ASKED", "40"))
"""Questions of each read that are timed, each once, after five that are not."""
WARM = 5
STORES = ("arcadedb", "neo4j")


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        world = World(home / "ledger", (7,), ACCOUNTS)
        rows = len(world.tables[0].moves) + len(world.tables[0].links)
        made, taken = [], {}
        for kind in STORES:
            with opened(kind, home) as store:
                began = time.perf_counter()
                store.sync(world.ledger)
                made.append(Figure(f"{kind}: first fill", time.perf_counter() - began, unit="s", note=f"{rows} edges"))
                taken[kind] = {name: asked(store, world, name) for name in INPUTS}
    for name in INPUTS:
        middles = [statistics.median(taken[kind][name]) for kind in STORES]
        for kind in STORES:
            made += quantiles(f"{kind}: {name}", taken[kind][name])
        made.append(Figure(f"{name}: arcadedb over neo4j, p50", middles[0] / middles[1], note=f"{ASKED} questions"))
    return made


@contextmanager
def opened(kind: str, home: Path) -> Iterator[GraphStore]:
    """An empty store of a kind."""
    if kind == "arcadedb":
        store = open_store(f"arcadedb://{home}/store?heap=2g", home)
        yield store
        store.close()
        return
    with running_neo4j() as url:
        wipe(url)
        store = open_store(url, home)
        yield store
        store.close()


def asked(store: GraphStore, world: World, name: str) -> list[float]:
    """Milliseconds of each question; KgRiskError if an answer is not the oracle's."""
    catalog, found = Catalog(), []
    query = catalog[f"finbench_{name}"]
    drawn = questions(world, name, WARM + ASKED, seed=9)
    for question in islice(drawn, WARM):
        _right(store, catalog, question, world)
    for question in drawn:
        params = question.params(query.inputs)
        began = time.perf_counter()
        catalog.run(store, query.name, params, world.at, limit=100_000, timeout=300)
        found.append(1000 * (time.perf_counter() - began))
    return found


def _right(store: GraphStore, catalog: Catalog, question: Question, world: World) -> None:
    query = catalog[f"finbench_{question.name}"]
    params = question.params(query.inputs)
    got = catalog.run(store, query.name, params, world.at, limit=100_000, timeout=300).to_pylist()
    if got != question.expected():
        raise KgRiskError(
            f"{query.name} {params}: {len(got)} rows that are not the oracle's; run tests/test_finbench.py"
        )


def quantiles(what: str, taken: list[float]) -> list[Figure]:
    ordered = sorted(taken)
    slow = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return [Figure(f"{what}, p50", statistics.median(taken), unit="ms"), Figure(f"{what}, p99", slow, unit="ms")]
