"""Entities and listings of the bundled sample, asked for by eight and by 64 at once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from benchmarks.figure import Figure
from benchmarks.wrk import Server, ask, serving
from kg.ledger import Ledger
from tests.kgrisk_world import kgrisk

SAMPLE = Path(__file__).parents[2] / "kgrisk" / "sample" / "data"
SECONDS = 10.0
RATE, LATEST = 500.0, 100.0
"""Requests a second and milliseconds of the 99th percentile that an entity should be served with."""


def sample_home(folder: Path) -> Path:
    """A home that read the whole sample."""
    done = kgrisk("ingest", SAMPLE, "--home", folder / "home", cwd=folder)
    assert done.returncode in (0, 3), done.stderr  # 3: some of its records are bad on purpose
    return folder / "home"


def entities(home: Path) -> list[str]:
    """Path of every entity."""
    with Ledger.open(home / "ledger") as ledger:
        return [f"/v1/entities/{quote(id, safe=':')}" for id in ledger.view().ids]


def measure() -> list[Figure]:
    with TemporaryDirectory() as folder:
        home = sample_home(Path(folder))
        paths = entities(home)
        with serving(home) as server:
            ask(server, paths, 8, 3.0)  # the first answers make the view
            return [*entity(server, paths), *listing(server)]


def entity(server: Server, paths: list[str]) -> list[Figure]:
    found = ask(server, paths, 8, SECONDS)
    return [
        Figure("entity, 8 at once", found.per_second, RATE, unit="requests/s", note=found.told),
        Figure("entity, 8 at once, 99th percentile", found.p99, LATEST, least=False, unit="ms"),
        Figure("entity, refused", found.refused, 0, least=False),
        Figure("entity, what one core alone would bear", 1e3 / found.cpu, RATE, unit="requests/s"),
    ]


def listing(server: Server) -> list[Figure]:
    path = ["/v1/entities?limit=50"]
    found = {connections: ask(server, path, connections, SECONDS) for connections in (8, 64)}
    return [
        Figure(f"list of 50, {connections} at once", one.per_second, unit="requests/s", note=one.told)
        for connections, one in found.items()
    ]
