"""PageRank and weak components beside Neo4j's graph data science library, on a graph that came there by neo4j-import.

The library's own clock (`computeMillis`) counts, on one thread, without projecting or writing back; the graph is that
of the snapshot: the same clocks cut it in the store. Its parts are those of benchmarks.risk.gds (GPLv3, open edition).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from neo4j import Driver, GraphDatabase
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from benchmarks.figure import Figure
from benchmarks.risk.gds import ALPHA, SETTLED, assembled, ranked
from benchmarks.scale import filled
from benchmarks.scaling.neo4j import imported
from kg.clocks import EVER, iso
from kg.ledger import Ledger
from kg.model import AsOf
from kg.store import CLOCK_TEXT, open_store
from kgrisk.neo4j_local import LocalNeo4j
from queries.kernels.rows import Rows

SHAPE, ROUNDS = (10_000, 100_000), 5
_PROJECT = f"""MATCH (a:Entity)-[r:LENDS_TO]->(b:Entity) WHERE {CLOCK_TEXT}
  RETURN gds.graph.project('g', b, a, {{relationshipProperties: {{w: r.amount}}}}) AS g"""
_RANK = (
    f"{{relationshipWeightProperty: 'w', dampingFactor: {ALPHA}, tolerance: {SETTLED}, "
    "maxIterations: 500, concurrency: 1}"
)


def measure() -> list[Figure]:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        ledger = filled(home / "ledger", *SHAPE)
        made = imported(ledger, home)
        ids, matrix, at = claims_matrix(ledger)
        lib = assembled()
        (made.home / "plugins").mkdir()
        for jar in lib.glob("*proc-*.jar"):
            shutil.copy(jar, made.home / "plugins")
        more = "dbms.security.procedures.unrestricted=gds.*\n"  # the library reads the store beneath transactions
        with LocalNeo4j.start(lib, made.home, "1g", more=more, flags=()) as server:
            indexes = indexed(server, home, ledger)
            with GraphDatabase.driver(server.uri, auth=(server.username, server.password)) as driver:
                driver.execute_query(_PROJECT, at)
                return [*indexes, *ranks(driver, ids, matrix), *components(driver, ids, matrix)]


def claims_matrix(ledger: Ledger) -> tuple[dict[str, int], Any, dict[str, str]]:
    """Row of each id, what each is owed by each, and the clocks of that: everything published, today."""
    view = ledger.view()
    edges = view.edges
    amounts = edges["value_decimal"].cast("float64").to_numpy()
    ends = edges["source"].to_numpy(), edges["target"].to_numpy()
    matrix = sparse.csr_array((amounts, ends), shape=(len(view), len(view)))
    matrix.sum_duplicates()
    _, at = ledger.instant(AsOf())
    assert at.valid is not None and at.known is not None
    clocks = {"valid": iso(at.valid), "known": iso(at.known), "published": iso(EVER)}
    return {id: row for row, id in enumerate(view.ids)}, matrix, clocks


def indexed(server: LocalNeo4j, home: Path, ledger: Ledger) -> list[Figure]:
    """What the first opening of the imported store adds: constraints and indexes; the sync after it writes nothing."""
    began = time.perf_counter()
    store = open_store(server.url, home)
    seconds = time.perf_counter() - began
    assert store.sync(ledger).opened == 0
    store.close()
    folder = server.home / "data" / "databases" / "neo4j" / "schema"
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    note = f"{size:,} bytes on disk, made in {seconds:.1f} s"
    return [
        Figure("Neo4j indexes: bytes a row of the store", size / (3 * SHAPE[0] + 2 * SHAPE[0] + SHAPE[1]), note=note)
    ]


def ranks(driver: Driver, ids: dict[str, int], matrix: Any) -> list[Figure]:
    rows, owed = Rows.of_matrix(matrix), np.asarray(matrix.sum(axis=0)).reshape(-1)
    theirs, ours = beside(
        driver, f"CALL gds.pageRank.stats('g', {_RANK}) YIELD computeMillis AS ms", ranked(rows, owed)
    )
    found = streamed(driver, f"CALL gds.pageRank.stream('g', {_RANK}) YIELD nodeId, score AS value", ids)
    there = ~np.isnan(found)
    apart = float(np.abs(ranked(rows, owed)() - found)[there].max())
    note = f"{matrix.nnz:,} edges: library {theirs * 1e3:.0f} ms, ours {ours * 1e3:.2f} ms; one thread"
    return [
        Figure("PageRank: times Neo4j GDS", theirs / ours, 1.0, note=note),
        Figure(
            "PageRank: largest difference from Neo4j GDS", apart, 1e-5, least=False, note=f"of {found[there].max():.4g}"
        ),
    ]


def components(driver: Driver, ids: dict[str, int], matrix: Any) -> list[Figure]:
    def run() -> NDArray[np.int32]:
        return np.asarray(connected_components(matrix, directed=False)[1])

    theirs, ours = beside(driver, "CALL gds.wcc.stats('g', {concurrency: 1}) YIELD computeMillis AS ms", run)
    found = streamed(driver, "CALL gds.wcc.stream('g', {concurrency: 1}) YIELD nodeId, componentId AS value", ids)
    there = ~np.isnan(found)
    pairs = {*zip(found[there].tolist(), run()[there].tolist(), strict=True)}
    sides = [len({pair[side] for pair in pairs}) for side in (0, 1)]
    note = f"library {theirs * 1e3:.1f} ms, ours (scipy's kernel, which we call) {ours * 1e3:.2f} ms; one thread"
    return [
        Figure("weak components: times Neo4j GDS", theirs / ours, 1.0, note=note),
        Figure("weak components: parts that differ", 2 * len(pairs) - sum(sides), 0, least=False),
    ]


def beside(driver: Driver, text: str, run: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of the library and of ours, in turn; the first turn, which compiles, is not counted."""
    theirs, ours = list[float](), list[float]()
    for _ in range(ROUNDS + 1):
        theirs.append(max(driver.execute_query(f"{text} RETURN ms").records[0]["ms"], 0.5) / 1e3)
        began = time.perf_counter()
        run()
        ours.append(time.perf_counter() - began)
    return median(theirs[1:]), median(ours[1:])


def streamed(driver: Driver, text: str, ids: dict[str, int]) -> NDArray[np.float64]:
    """A value for each row; not a number where the library has no such node, because it has no edge."""
    found = np.full(len(ids), np.nan)
    for row in driver.execute_query(f"{text} RETURN gds.util.asNode(nodeId).id AS id, value").records:
        found[ids[row["id"]]] = row["value"]
    return found
