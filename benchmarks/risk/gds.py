"""PageRank beside Neo4j's graph data science library, on the same graph, in turn, in one run.

The library (open edition, GPLv3) is fetched by Maven into a cache beside the server and is no part of this package. It
runs on one thread; its own clock (`computeMillis`) counts, without loading, projecting or writing back. It divides by
what a node passes on in all and drops what a node without links holds, as ours is asked to do here.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from neo4j import Driver, GraphDatabase
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.exposed import network
from benchmarks.figure import Figure
from kgrisk.neo4j_local import VERSION, LocalNeo4j
from queries.kernels.fixed import least
from queries.kernels.rows import Rows

LIBRARY, CACHE = "2.13.9", Path("~/.cache/kgrisk/gds")
EDGES, ALPHA, SETTLED, ROUNDS, LOADED = 100_000, 0.85, 1e-10, 5, 20_000
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kgrisk</groupId><artifactId>gds-local</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>{parts}</dependencies>
</project>
"""
PARTS = (
    ("org.neo4j", "neo4j", VERSION),
    ("org.neo4j.app", "neo4j-server", VERSION),
    ("org.neo4j.gds", "proc", LIBRARY),
    ("org.neo4j.gds", "opengds-extension", LIBRARY),
)


def measure() -> list[Figure]:
    matrix = network(EDGES, np.float64)
    with Server() as driver:
        loaded(driver, matrix)
        theirs, seconds, rank = timed(driver, matrix)
    note = f"{matrix.nnz:,} edges: library {theirs * 1e3:.0f} ms, ours {seconds * 1e3:.1f} ms, whole, one thread"
    rows, owed = Rows.of_matrix(matrix), np.asarray(matrix.sum(axis=0)).reshape(-1)
    ours = ranked(rows, owed)()
    return [
        Figure("PageRank, 100,000 edges: times Neo4j GDS, whole", theirs / seconds, 1.0, note=note),
        Figure("PageRank: largest difference from Neo4j GDS", float(np.abs(ours - rank).max()), 1e-6, least=False),
    ]


def assembled() -> Path:
    """The folder of jars of server and library."""
    lib = CACHE.expanduser() / LIBRARY / "lib"
    if not lib.exists():
        lib.parent.mkdir(parents=True, exist_ok=True)
        tags = ("groupId", "artifactId", "version")
        parts = "".join(
            "<dependency>" + "".join(f"<{t}>{p}</{t}>" for t, p in zip(tags, part, strict=True)) + "</dependency>"
            for part in PARTS
        )
        (lib.parent / "pom.xml").write_text(POM.format(parts=parts))
        command = ["mvn", "-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        subprocess.run([*command, f"-DoutputDirectory={lib}.new"], cwd=lib.parent, check=True, stdout=sys.stderr)
        Path(f"{lib}.new").rename(lib)
    return lib


class Server:
    """A server with the library; a context manager that gives a driver of it."""

    def __enter__(self) -> Driver:
        lib = assembled()
        home = CACHE.expanduser() / "home"
        shutil.rmtree(home, ignore_errors=True)
        (home / "plugins").mkdir(parents=True)
        for jar in lib.glob("*proc-*.jar"):
            shutil.copy(jar, home / "plugins")
        more = "dbms.security.procedures.unrestricted=gds.*\n"  # the library reads the store beneath transactions
        self.server = LocalNeo4j.start(lib, home, "1g", more=more, flags=())  # with its best compiler
        self.driver = GraphDatabase.driver(self.server.uri, auth=(self.server.username, self.server.password))
        return self.driver

    def __exit__(self, *error: object) -> None:
        self.driver.close()
        self.server.stop()


def loaded(driver: Driver, matrix: Any) -> None:
    """Nodes and edges from creditor's debtor to creditor, as attention walks, projected into memory."""
    i, j = sparse.coo_array(matrix).coords
    amounts = sparse.coo_array(matrix).data
    driver.execute_query("UNWIND range(0, $n - 1) AS k CREATE (:N {k: k})", n=matrix.shape[0])
    driver.execute_query("CREATE INDEX FOR (n:N) ON (n.k)")
    driver.execute_query("CALL db.awaitIndexes(60)")
    for first in range(0, len(i), LOADED):
        part = slice(first, first + LOADED)
        rows = [list(row) for row in zip(j[part].tolist(), i[part].tolist(), amounts[part].tolist(), strict=True)]
        driver.execute_query(
            "UNWIND $rows AS r MATCH (a:N {k: r[0]}), (b:N {k: r[1]}) CREATE (a)-[:E {w: r[2]}]->(b)", rows=rows
        )
    driver.execute_query("CALL gds.graph.project('g', 'N', 'E', {relationshipProperties: 'w'})")


def timed(driver: Driver, matrix: Any) -> tuple[float, float, NDArray[np.float64]]:
    """Median seconds of the library and of ours, in turn, and the library's ranks."""
    asked = (
        "CALL gds.pageRank.stats('g', {relationshipWeightProperty: 'w', dampingFactor: 0.85, tolerance: 1e-10, "
        "maxIterations: 500, concurrency: 1}) YIELD computeMillis, ranIterations RETURN computeMillis AS ms"
    )
    run: Callable[[], Any] = ranked(Rows.of_matrix(matrix), np.asarray(matrix.sum(axis=0)).reshape(-1))
    theirs, ours = [], []
    for _ in range(ROUNDS + 1):
        theirs.append(driver.execute_query(asked).records[0]["ms"] / 1e3)
        began = time.perf_counter()
        run()
        ours.append(time.perf_counter() - began)
    found = driver.execute_query(
        "CALL gds.pageRank.stream('g', {relationshipWeightProperty: 'w', dampingFactor: 0.85, tolerance: 1e-10, "
        "maxIterations: 500, concurrency: 1}) YIELD nodeId, score RETURN gds.util.asNode(nodeId).k AS k, score"
    ).records
    rank = np.zeros(matrix.shape[0])
    rank[[row["k"] for row in found]] = [row["score"] for row in found]
    return median(theirs[1:]), median(ours[1:]), rank


def ranked(rows: Rows, owed: NDArray[np.float64]) -> Callable[[], NDArray[np.float64]]:
    """x = (1 - a) + a sum over what each owes: the library's scale, in which scores of nodes sum up to about n."""
    share = np.divide(1.0, owed, out=np.zeros_like(owed), where=owed > 0)
    safe = np.where(owed > 0, share, 1.0)

    def run() -> NDArray[np.float64]:
        return np.asarray(least(rows, (1 - ALPHA) * safe, ALPHA * safe, np.inf, SETTLED).x / safe)

    return run
