"""What benchmarks/stores measures: seconds of syncs, rows a second, and milliseconds of questions, on one store."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.figure import Figure
from benchmarks.scale import filled
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Facts, Node, RunManifest
from kg.store import CLOCK_TEXT, GraphStore, open_store
from kg.vectors import address, put_vectors
from tests.neo4j_server import running_neo4j, wipe

CHANGES: Final = (1_000, 10_000)
VECTORS: Final = 10_000
AT: Final = AsOf(valid=datetime(2022, 1, 1, tzinfo=UTC))
START: Final = datetime(2020, 1, 1, tzinfo=UTC)
PROOF: Final = Evidence("d" * 64, "row:1", "a row of the benchmark", "registers.csv@1")
QUERIES: Final = {
    "one hop with all clocks": f"""MATCH (a:Entity {{id: $id}})-[r:LENDS_TO]->(b:Entity) WHERE {CLOCK_TEXT}
      RETURN b.id AS id, r.amount_minor AS m""",
    "paths of 1 to 3 hops with all clocks": f"""MATCH p=(a:Entity {{id: $id}})-[:LENDS_TO*1..3]->(b:Entity)
      WHERE all(x IN relationships(p) WHERE {CLOCK_TEXT.replace("r.", "x.")}) RETURN count(*) AS n""",
    "sum over the whole graph": f"""MATCH (a:Entity)-[r:LENDS_TO]->(b:Entity) WHERE {CLOCK_TEXT}
      RETURN count(*) AS n, sum(r.amount) AS s""",
}
Server = Callable[[Path], AbstractContextManager[str]]
"""Gives the URL of an empty store, which lies in a folder where it is embedded."""


@contextmanager
def arcadedb(home: Path) -> Iterator[str]:
    yield f"arcadedb://{home}/store?heap=4g"


@contextmanager
def neo4j(home: Path) -> Iterator[str]:
    with running_neo4j() as url:
        wipe(url)
        yield url


@contextmanager
def opened(server: Server, shape: tuple[int, int]) -> Iterator[tuple[GraphStore, Ledger, Files]]:
    """An empty store, and a ledger of so many banks and loans."""
    with tempfile.TemporaryDirectory(prefix="kgrisk-stores-") as folder:
        home = Path(folder)
        ledger = filled(home / "ledger", *shape)
        with server(home) as url:
            store = open_store(url, home)
            try:
                yield store, ledger, Files(home / "files")
            finally:
                store.close()


def whole(
    server: Server, shape: tuple[int, int], changes: Sequence[int] = CHANGES, vectors: int = VECTORS
) -> list[Figure]:
    """First sync, commits of so many changes, questions and vectors."""
    with opened(server, shape) as (store, ledger, files):
        projecting = timed(lambda: ledger.delta(0))
        return [
            Figure("projection of the ledger", projecting, unit="s"),
            *fill(store, ledger),
            *(figure for size in changes for figure in keep_up(store, ledger, shape[0], size)),
            *ask(store, shape[0]),
            *neighbours(store, ledger, files, vectors),
        ]


def first(server: Server, shape: tuple[int, int], aim: float | None = None) -> list[Figure]:
    """The first sync alone."""
    with opened(server, shape) as (store, ledger, _):
        return fill(store, ledger, aim)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fill(store: GraphStore, ledger: Ledger, aim: float | None = None) -> list[Figure]:
    """From an empty store to the head."""
    began = time.perf_counter()
    report = store.sync(ledger)
    seconds = time.perf_counter() - began
    note = f"{report.opened:,} versions, {'built as a whole' if report.bulk else 'by transactions'}"
    rate = report.opened / seconds
    return [
        Figure("first sync", seconds, aim, least=False, unit="s", note=note),
        Figure("first sync: versions a second", rate, unit="/s", note=note),
    ]


def keep_up(store: GraphStore, ledger: Ledger, nodes: int, size: int) -> list[Figure]:
    """One commit that opens `size` loans, and one that retracts them."""
    random = np.random.default_rng(size)
    ends = random.integers(0, nodes, (size, 2))
    edges = [
        Edge("LENDS_TO", f"lei:{a:018d}", f"lei:{b:018d}", {"amount": 5, "currency": "EUR"}, f"new {i}")
        for i, (a, b) in enumerate(ends)
    ]
    before = ledger.head
    ledger.commit(ClaimBatch.of(Claim(e, PROOF, START) for e in edges), RunManifest("benchmark"))
    opening = timed(lambda: store.sync(ledger))
    ledger.retract(ledger.events(before)["claim"].to_pylist(), RunManifest("benchmark"))
    closing = timed(lambda: store.sync(ledger))
    name = f"sync of a commit of {size:,} loans"
    note = f"{size / opening:,.0f} a second"
    return [
        Figure(f"{name}: new", opening, unit="s", note=note),
        Figure(f"{name}: taken back", closing, unit="s", note=f"{size / closing:,.0f} a second"),
    ]


def ask(store: GraphStore, nodes: int) -> list[Figure]:
    """Median milliseconds over 20 entities; of a question of the whole graph over 3."""
    random, found = np.random.default_rng(1), list[Figure]()
    for name, text in QUERIES.items():
        everywhere = "$id" not in text
        ids = [f"lei:{i:018d}" for i in random.integers(0, nodes, 3 if everywhere else 20)]
        asked = [partial(store.query, text, {} if everywhere else {"id": id}, AT, timeout=300) for id in ids]
        took = 1000 * statistics.median(map(timed, asked))
        found.append(Figure(name, took, unit="ms", note=f"median of {len(ids)}"))
    return found


def neighbours(store: GraphStore, ledger: Ledger, files: Files, count: int) -> list[Figure]:
    """Embeddings of `count` funds written, then the ten nearest of one."""
    matrix = np.random.default_rng(2).normal(size=(count, 128)).astype(np.float32)
    digest = put_vectors(files, matrix)
    said: list[Node | Facts] = [Node("Fund", f"reg:{i}") for i in range(count)]
    said += [Facts(f"reg:{i}", {"embedding": address(digest, i)}, key="m") for i in range(count)]
    ledger.commit(ClaimBatch.of(Claim(what, PROOF, START) for what in said), RunManifest("benchmark"))
    writing = timed(lambda: store.sync(ledger))
    seconds = [timed(partial(store.nearest, "Fund", matrix[i], 10)) for i in range(10)]
    return [
        Figure(f"{count:,} vectors of 128 written", writing, unit="s"),
        Figure("ten nearest: first question", 1000 * seconds[0], unit="ms", note=f"of {count:,} vectors"),
        Figure("ten nearest: next questions", 1000 * statistics.median(seconds[1:]), unit="ms", note="median of 9"),
    ]
