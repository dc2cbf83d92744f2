"""How long the 18 FinBench reads take on the embedded store and on Neo4j: the middle and the slowest of forty.

The world is drawn here, a few answers of every read are compared with the oracle on both stores before any is timed,
and nothing of this is an audited LDBC result. A question that a store refuses, for its memory or its time, is counted
beside those that it answered. Needs the tests' Neo4j: NEO4J_TEST_URI, Docker, or Java and Maven.
"""

from __future__ import annotations

import logging
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from benchmarks.figure import Figure
from kg.errors import KgRiskError, QueryMemoryError, QueryTimeoutError
from kg.model import AsOf
from kg.store import GraphStore, open_store
from queries.catalog import Catalog
from tests.finbench_world import INPUTS, Question, World, questions
from tests.neo4j_server import running_neo4j, wipe

ACCOUNTS = int(os.environ.get("KGRISK_FINBENCH_ACCOUNTS", "400"))
ASKED = int(os.environ.get("KGRISK_FINBENCH_ASKED", "40"))
"""Questions of each read that are timed, each once, after five that are not."""
WARM = 5
STORES = ("arcadedb", "neo4j")
ROWS, SECONDS = 100_000, 60
"""Most rows and seconds of an answer."""
log = logging.getLogger(__name__)


@dataclass
class Taken:
    """Milliseconds of the questions of one read that a store answered, and how many it refused."""

    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        world = World(home / "ledger", (7,), ACCOUNTS)
        rows = len(world.tables[0].moves) + len(world.tables[0].links)
        made, taken = list[Figure](), dict[tuple[str, str], Taken]()
        for kind in STORES:
            with opened(kind, home) as store:
                began = time.perf_counter()
                store.sync(world.ledger)
                made.append(Figure(f"{kind}: first fill", time.perf_counter() - began, unit="s", note=f"{rows} edges"))
                taken |= {(kind, name): asked(store, world, name) for name in INPUTS}
    return made + [figure for name in INPUTS for figure in told(name, [taken[kind, name] for kind in STORES])]


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


def asked(store: GraphStore, world: World, name: str) -> Taken:
    """What the questions of one read took; KgRiskError if an answer is not the oracle's."""
    catalog, found = Catalog(), Taken()
    drawn = questions(world, name, WARM + ASKED, seed=9)
    for question in islice(drawn, WARM):
        rows = answer(store, catalog, question, world.at)
        if rows is None or not all(row.get("complete", True) for row in rows):
            continue  # refused, or ten steps were not enough, which the answer says of itself
        if rows != question.expected()[:ROWS]:
            raise KgRiskError(f"finbench_{name} {question.given}: not the oracle's rows; run tests/test_finbench.py")
    for question in drawn:
        began = time.perf_counter()
        if answer(store, catalog, question, world.at) is None:
            found.refused += 1
        else:
            found.milliseconds.append(1000 * (time.perf_counter() - began))
    log.warning("%s %s: %d answered, %d refused", type(store).__name__, name, len(found.milliseconds), found.refused)
    return found


def answer(store: GraphStore, catalog: Catalog, question: Question, at: AsOf) -> list[dict[str, object]] | None:
    """Rows of a question; None where the store refuses it for its memory or its time."""
    query = catalog[f"finbench_{question.name}"]
    params = question.params(query.inputs)
    try:
        table = catalog.run(store, query.name, params, at, limit=ROWS, timeout=SECONDS)
    except (QueryMemoryError, QueryTimeoutError) as error:
        log.warning("%s %s: %s", query.name, params, error)
        return None
    rows: list[dict[str, object]] = table.to_pylist()
    return rows


def told(name: str, taken: list[Taken]) -> Iterator[Figure]:
    """The figures of one read on each store, and of one store over the other."""
    for kind, found in zip(STORES, taken, strict=True):
        if found.milliseconds:
            yield from quantiles(f"{kind}: {name}", found.milliseconds)
        if found.refused:
            yield Figure(f"{kind}: {name}, refused", found.refused, unit="questions", note=f"of {ASKED}")
    if all(found.milliseconds for found in taken):
        one, other = (statistics.median(found.milliseconds) for found in taken)
        yield Figure(f"{name}: arcadedb over neo4j, p50", one / other, note=f"{ASKED} questions")


def quantiles(what: str, taken: list[float]) -> list[Figure]:
    ordered = sorted(taken)
    slow = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return [Figure(f"{what}, p50", statistics.median(taken), unit="ms"), Figure(f"{what}, p99", slow, unit="ms")]
