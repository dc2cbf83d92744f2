"""A second store beside the embedded one: a Neo4j that is set, or one of our own if its parts are on this machine."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit

from kg.errors import ForeignLedgerError, KgRiskError
from kg.ledger import Ledger
from kg.store import GraphStore, open_store
from kgrisk.guard import SocketGuard
from kgrisk.neo4j_local import CACHE, VERSION, LocalNeo4j, missing
from kgrisk.settings import Settings, masked

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rival:
    """A Neo4j to compare with, or why there is none."""

    url: str = ""
    reason: str = ""
    home: Path = Path()

    @contextmanager
    def filled(self, ledger: Ledger) -> Iterator[GraphStore]:
        """The store, brought up to the ledger's head. KgRiskError if it holds another graph."""
        store = open_store(self.url, self.home)
        try:
            store.sync(ledger)
            yield store
        except ForeignLedgerError as error:
            raise KgRiskError(
                f"{masked(self.url)} holds another graph, which is left alone; name an empty database"
            ) from error
        finally:
            store.close()


@contextmanager
def rival(home: Path, settings: Settings, guard: SocketGuard) -> Iterator[Rival]:
    """NEO4J_URI if it is set (its host is then allowed), else a server of our own from parts fetched before."""
    url = settings.model_copy(update={"store": ""}).url(home)
    if settings.neo4j_uri:
        host = urlsplit(url).hostname or ""
        guard.allowed.add(host)
        guard.allowed |= _addresses(host)
        yield Rival(url, home=home)
        return
    lib = CACHE.expanduser() / VERSION / "lib"
    if reason := _why_not(lib):
        yield Rival(reason=reason)
        return
    with _started(lib) as server:
        yield server if isinstance(server, Rival) else Rival(server.url, home=home)


def _why_not(lib: Path) -> str:
    """Why no server of our own can be started without fetching anything; empty if one can."""
    if not (lib / ".complete").exists():
        return (
            missing()
            or "Neo4j is not on this machine yet, and the demo fetches nothing; `make demo` and `make test` do"
        )
    return "" if which("java") else missing()


@contextmanager
def _started(lib: Path) -> Iterator[LocalNeo4j | Rival]:
    try:
        server = LocalNeo4j.start(lib)
    except KgRiskError as error:
        log.warning("Neo4j did not start: %s", error)
        yield Rival(reason=f"it did not start: {error}")
        return
    with server:
        yield server


def _addresses(host: str) -> set[str]:
    """The host's name and its addresses."""
    try:
        return {host} | {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return {host}
