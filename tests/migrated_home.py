"""A home that the version before the first format number made, and what a home answers.

`tests/data/homes/format-1.tar.xz` was written by that version: five register files, one published stress run, a run
table with two jobs, the embedded store.
"""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from neo4j import Driver, GraphDatabase

from kg.migrations import Mark
from kg.store import open_store
from kgrisk.api import open as open_graph
from kgrisk.migrate_command import RunTable
from kgrisk.settings import Settings
from tests.kgrisk_world import FIRM

OLD = Path(__file__).parent / "data" / "homes" / "format-1.tar.xz"
HASH = "e2e586c6ffbc9b06a74ac391d602049d12aca17dd9d510c59dad0b22384d87b2"
"""What the version that wrote it called its graph."""
INDEX = "has_score_property"
NOWHERE = "arcadedb:///nowhere/at/all"
"""A store that is not there, and so carries nothing."""


def unpacked(home: Path) -> Path:
    """The old home in a folder."""
    with tarfile.open(OLD) as packed:
        packed.extractall(home, filter="data")
    return home


def driver_of(url: str) -> Driver:
    parts = urlsplit(url)
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    return GraphDatabase.driver(f"{parts.scheme}://{parts.hostname}:{parts.port}", auth=login)


def indexed(url: str) -> bool:
    with driver_of(url) as driver:
        names = driver.execute_query("SHOW INDEXES YIELD name RETURN collect(name)").records[0][0]
    return INDEX in names


def answers(settings: Settings) -> dict[str, Any]:
    """What a home answers: rows of the ledger and of named queries, the graph's hash, every file, every job."""
    with open_graph(settings.home, settings=settings) as graph:
        runs = graph.query("risk_runs").rows()
        told = {
            "ledger": graph.ledger.events().to_pylist(),
            "snapshot": [graph.snapshot().nodes.to_pylist(), graph.snapshot().edges.to_pylist()],
            "runs": runs,
            "losses": graph.query("losses_of_run", run=runs[0]["run"]).rows(),
            "hit": graph.query("hit_if_fails", id=FIRM).rows(),
            "hash": graph.store.graph_hash(),
        }
    files = sorted((settings.home / "files").glob("*/*"))
    return told | {"files": {path.name: path.read_bytes() for path in files}, "jobs": jobs(settings.home)}


def jobs(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "jobs.sqlite")) as db:
        return [line for line in db.iterdump() if "sqlite_sequence" not in line]


def numbers(settings: Settings) -> list[int]:
    """The number of the store, the run table and the home."""
    store = open_store(settings.url(settings.home), settings.home)
    try:
        return [store.format, RunTable(settings.home).format, Mark.read(settings.home).format]
    finally:
        store.close()
