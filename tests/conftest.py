"""Fixtures that every test may use: an empty ledger, an empty store of each kind, a real Neo4j, an S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from kg.files import Files
from kg.ledger import Ledger
from kg.store import GraphStore, open_store
from tests.neo4j_server import NoNeo4jError, required, running_neo4j, wipe
from tests.s3_server import S3, NoServerError, running_s3
from tests.store_world import lend_in_a_ring

HERE = Path(__file__).parent
STORES = [pytest.param("arcadedb", id="arcadedb"), pytest.param("neo4j", id="neo4j", marks=pytest.mark.neo4j)]
CLUSTER = frozenset(
    f"tests/{file.relative_to(HERE).as_posix()}" for file in HERE.rglob("test_*.py") if "two_nodes" in file.read_text()
)
"""Files that start a Ray cluster; there is one of these at a time on a machine."""
HEAP = "1g"
"""Heap of the Java machine in the tests' process; the first store opened decides."""


class ByFile(LoadFileScheduling):
    """A file goes to one process, and all that start a cluster go to the same: else one would wait for the other."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "cluster" if file in CLUSTER else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def neo4j_server() -> Iterator[str]:
    """URL of one server for the whole session; tests are skipped where there can be none, and fail in CI."""
    try:
        with running_neo4j() as url:
            yield url
    except NoNeo4jError as error:
        if required():
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """One server for the whole session, in which each test has a place of its own; skipped where there can be none."""
    try:
        with running_s3() as server:
            yield server
    except NoServerError as error:
        pytest.skip(str(error))


@pytest.fixture
def neo4j_url(neo4j_server: str) -> str:
    """URL of an erased Neo4j."""
    wipe(neo4j_server)
    return neo4j_server


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty store of each kind."""
    return _empty(request, tmp_path)


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[GraphStore]:
    """An empty store of each kind; its home is tmp_path, as the ledger's."""
    yield from _opened(store_url, tmp_path)


@pytest.fixture(scope="module", params=STORES)
def module_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    """An empty store of each kind that the tests of a module share: for worlds that are dear to load."""
    home = tmp_path_factory.mktemp("home")
    yield from _opened(_empty(request, home), home)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with Ledger.open(tmp_path / "ledger") as ledger:
        yield ledger


@pytest.fixture
def ring(ledger: Ledger) -> Ledger:
    """A ledger of one commit: twelve banks that lend to one another in a ring."""
    lend_in_a_ring(ledger)
    return ledger


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """An empty store of documents, beside the ledger."""
    return Files(tmp_path / "files")


def _empty(request: pytest.FixtureRequest, home: Path) -> str:
    if request.param == "arcadedb":
        return f"arcadedb://{home}/store?heap={HEAP}"
    url: str = request.getfixturevalue("neo4j_server")
    wipe(url)
    return url


def _opened(url: str, home: Path) -> Iterator[GraphStore]:
    store = open_store(url, home)
    try:
        yield store
    finally:
        store.close()
