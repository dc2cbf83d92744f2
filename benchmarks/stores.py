"""How fast a store is filled, kept up and asked: rows per second and milliseconds, on ArcadeDB and Neo4j.

Run: python -m benchmarks.stores arcadedb [--nodes N] [--edges M] [--out FILE], or neo4j instead of arcadedb (the server
of NEO4J_TEST_URI, which is erased, or one assembled and started here). Writes JSON with machine, versions and figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.scale import claims
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Facts, Node, RunManifest
from kg.store import CLOCK_TEXT, GraphStore, open_store
from kg.vectors import address, put_vectors
from tests.neo4j_server import running_neo4j, wipe

AT = AsOf(valid=datetime(2022, 1, 1, tzinfo=UTC))
START = datetime(2020, 1, 1, tzinfo=UTC)
PROOF = Evidence("d" * 64, "row:1", "a row of the benchmark", "registers.csv@1")
PATH_CLOCKS = CLOCK_TEXT.replace("r.", "x.")
QUERIES = {
    "one hop": f"""MATCH (a:Entity {{id: $id}})-[r:LENDS_TO]->(b:Entity) WHERE {CLOCK_TEXT}
      RETURN b.id AS id, r.amount_minor AS m""",
    "paths of 1 to 3 hops": f"""MATCH p=(a:Entity {{id: $id}})-[:LENDS_TO*1..3]->(b:Entity)
      WHERE all(x IN relationships(p) WHERE {PATH_CLOCKS}) RETURN count(*) AS n""",
    "sum over the graph": f"""MATCH (a:Entity)-[r:LENDS_TO]->(b:Entity) WHERE {CLOCK_TEXT}
      RETURN count(*) AS n, sum(r.amount) AS s""",
}


@contextmanager
def url_of(kind: str, home: Path) -> Iterator[str]:
    if kind == "arcadedb":
        yield f"arcadedb://{home}/store?heap=4g"
        return
    with running_neo4j() as url:
        wipe(url)
        yield url


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fill(store: GraphStore, ledger: Ledger) -> dict[str, float]:
    """From an empty store to the head."""
    began = time.perf_counter()
    report = store.sync(ledger)
    seconds = time.perf_counter() - began
    rate = report.opened / seconds
    return {"versions": report.opened, "seconds": seconds, "versions_per_second": rate, "bulk": report.bulk}


def keep_up(store: GraphStore, ledger: Ledger, nodes: int, size: int) -> dict[str, float]:
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
    return {"rows": size, "open_seconds": opening, "open_per_second": size / opening, "close_seconds": closing}


def ask(store: GraphStore, nodes: int) -> dict[str, float]:
    """Median milliseconds over 20 entities; whole-graph questions over 3."""
    random, found = np.random.default_rng(1), {}
    for name, text in QUERIES.items():
        whole = "$id" not in text
        ids = [f"lei:{i:018d}" for i in random.integers(0, nodes, 3 if whole else 20)]
        asked = [partial(store.query, text, {} if whole else {"id": id}, AT, timeout=300) for id in ids]
        found[name] = 1000 * statistics.median(map(timed, asked))
    return found


def neighbours(store: GraphStore, ledger: Ledger, files: Files, count: int = 10_000) -> dict[str, float]:
    """Embeddings of `count` funds written, then the ten nearest of one."""
    matrix = np.random.default_rng(2).normal(size=(count, 128)).astype(np.float32)
    digest = put_vectors(files, matrix)
    said = [Node("Fund", f"reg:{i}") for i in range(count)]
    said += [Facts(f"reg:{i}", {"embedding": address(digest, i)}, key="m") for i in range(count)]  # type: ignore[misc]
    ledger.commit(ClaimBatch.of(Claim(what, PROOF, START) for what in said), RunManifest("benchmark"))
    writing = timed(lambda: store.sync(ledger))
    seconds = [timed(partial(store.nearest, "Fund", matrix[i], 10)) for i in range(10)]
    first, median = 1000 * seconds[0], 1000 * statistics.median(seconds)
    return {"vectors": count, "write_seconds": writing, "first_nearest_ms": first, "nearest_ms": median}


def measure(kind: str, nodes: int, edges: int, home: Path, only_fill: bool) -> dict[str, object]:
    ledger, files = Ledger.open(home / "ledger"), Files(home / "files")
    ledger.commit(claims(nodes, edges, seed=0), RunManifest("benchmark"))
    projecting = timed(lambda: ledger.delta(0))
    with url_of(kind, home) as url:
        store = open_store(url, home)
        stages: dict[str, object] = {"projection_seconds": projecting, "fill": fill(store, ledger)}
        if only_fill:
            return stages
        stages["increments"] = [keep_up(store, ledger, nodes, size) for size in (1_000, 10_000)]
        stages["queries_ms"] = ask(store, nodes)
        stages["nearest"] = neighbours(store, ledger, files)
        store.close()
    return stages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", choices=["arcadedb", "neo4j"])
    parser.add_argument("--nodes", type=int, default=20_000)
    parser.add_argument("--edges", type=int, default=100_000)
    parser.add_argument("--only-fill", action="store_true", help="measure the first sync alone")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        stages = measure(given.store, given.nodes, given.edges, Path(folder), given.only_fill)
    packages = ("arcadedb-embedded", "neo4j", "deltalake", "duckdb", "polars")
    result = {
        "benchmark": f"stores {given.store}",
        "nodes": given.nodes,
        "edges": given.edges,
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "load_at_start": load},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **stages,
    }
    text = json.dumps(result, indent=2)
    if given.out:
        given.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
