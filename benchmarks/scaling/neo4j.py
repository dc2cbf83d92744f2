"""Rows per second into ArcadeDB and Neo4j by sync, and into Neo4j by its import tool; bytes that Neo4j keeps of them.

Rows are nodes and relationships. Loans between banks with two facts each, every version with six clocks and evidence.
A sync counts from the open, empty store; the import counts our export, the tool and the start of its Java machine. The
three take turns on one machine in one run, so what counts is their ratio.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.figure import Figure
from benchmarks.scale import filled
from kg.files import Files
from kg.ledger import Ledger
from kg.store import GraphStore, open_store
from kgrisk.export_neo4j import SCRIPT, export_import
from kgrisk.neo4j_local import LocalNeo4j
from tests.neo4j_server import admin_tool, own_jars, wipe

SIZES = ((1_000, 10_000), (10_000, 100_000))
"""Banks and loans."""
UNLIKE = (40_000, 40_000)
"""Of another proportion, so that the bytes of a bank and of a loan can be told apart."""


@dataclass(frozen=True)
class Imported:
    """What the tool made of an export."""

    home: Path
    exporting: float
    importing: float

    @property
    def bytes(self) -> int:
        """Of nodes, relationships and values; neither indexes nor logs."""
        store = self.home / "data" / "databases" / "neo4j"
        return sum(file.stat().st_size for file in store.glob("neostore*") if not file.name.endswith(".id"))


def measure() -> list[Figure]:
    figures, lib = list[Figure](), own_jars()
    with TemporaryDirectory() as folder, LocalNeo4j.start(lib, heap="1g", flags=()) as server:
        sizes = []
        for shape in SIZES:
            wipe(server.url)
            found, made = rates(shape, Path(folder) / f"{shape[1]}", server)
            figures += found
            sizes.append((shape, made.bytes))
        home = Path(folder) / "unlike"
        sizes.append((UNLIKE, imported(filled(home / "ledger", *UNLIKE), home).bytes))
    return [*figures, *kept(sizes[1], sizes[2])]


def rates(shape: tuple[int, int], home: Path, server: LocalNeo4j) -> tuple[list[Figure], Imported]:
    """One size: both syncs and the import."""
    ledger = filled(home / "ledger", *shape)
    embedded, shared = open_store(f"arcadedb://{home}/store?heap=2g", home), open_store(server.url, home)
    seconds = {"ArcadeDB": synced(embedded, ledger), "Neo4j": synced(shared, ledger)}
    assert embedded.graph_hash() == shared.graph_hash()
    count = "MATCH (n) WITH count(n) AS n MATCH ()-[r]->() RETURN n, count(r) AS r"
    rows = sum(shared.query(count).to_pylist()[0].values())
    for store in (embedded, shared):
        store.close()
    made = imported(ledger, home)
    whole = made.exporting + made.importing
    name = f"{shape[1]:,} loans, {rows:,} rows"
    figures = [Figure(f"{name}: rows/s by sync into {store}", rows / took) for store, took in seconds.items()]
    note = f"export {made.exporting:.1f} s, tool {made.importing:.1f} s, sync {seconds['Neo4j']:.1f} s"
    figures.append(Figure(f"{name}: rows/s by neo4j-import", rows / whole, note=note))
    figures.append(Figure(f"{name}: neo4j-import, times a sync into Neo4j", seconds["Neo4j"] / whole))
    return figures, made


def synced(store: GraphStore, ledger: Ledger) -> float:
    return timed(lambda: store.sync(ledger))


def imported(ledger: Ledger, home: Path) -> Imported:
    """Export, then import into an empty database by the script that the export wrote."""
    files, out, server = Files(home / "files"), home / "export", home / "neo4j"
    exporting = timed(lambda: export_import(ledger, files, out))
    tool = admin_tool(own_jars(), server)
    command = ["sh", str(out / SCRIPT), "neo4j", "--overwrite-destination"]
    environment = {"NEO4J_ADMIN": str(tool), "PATH": "/usr/bin:/bin"}

    def run() -> None:
        subprocess.run(command, env=environment, cwd=server, check=True, stdout=subprocess.DEVNULL)

    return Imported(server, exporting, timed(run))


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def kept(*sizes: tuple[tuple[int, int], int]) -> list[Figure]:
    """Bytes of a bank with its two facts (3 nodes, 2 relationships) and of a loan, from two unlike stores; and what
    stores of ten loans a bank come to.
    """
    bank, loan = np.linalg.solve(np.array([shape for shape, _ in sizes]), np.array([kept for _, kept in sizes]))
    note = "store files of " + " and ".join(f"{a:,} banks, {b:,} loans: {size:,} bytes" for (a, b), size in sizes)
    whole = [Figure(f"1e{n} loans: Neo4j store", (loan + bank / 10) * 10**n / 1e9, unit="GB") for n in (6, 7, 8, 9)]
    return [
        Figure("Neo4j store: bytes of a bank with two facts", bank, unit="bytes", note=note),
        Figure("Neo4j store: bytes of a loan with clocks and evidence", loan, unit="bytes"),
        *whole,
    ]
