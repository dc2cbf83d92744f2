"""Clients of a database's own transactions, each in a thread of its own, so that one may wait for another's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from arcadedb_embedded import ArcadeDBError, create_database
from neo4j import GraphDatabase
from neo4j.exceptions import Neo4jError

Rows = list[list[Any]]
LABELS = ("A", "B", "C")
"""Labels of the accounts; in ArcadeDB each is kept in pages of its own, and pages are what its commits compare."""


class Work(Protocol):
    """One transaction of a database."""

    def run(self, text: str, values: dict[str, Any]) -> Rows: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...


class Client:
    """One user of a database: its calls run one after another in its thread."""

    def __init__(self, begin: Callable[[], Work]) -> None:
        self._begin = begin
        self._thread = ThreadPoolExecutor(1)
        self._work: Work | None = None
        self.waiting: Future[Any] | None = None
        self.refused = False
        """True once the database ended the transaction itself, so that it must be tried again."""

    def begin(self) -> None:
        self.refused, self._work = False, self._thread.submit(self._begin).result()

    def run(self, text: str, **values: Any) -> Rows:
        """Rows of a statement; none if the database refused it."""
        found = self._call(lambda work: work.run(text, values))
        return found or []

    def start(self, text: str, **values: Any) -> bool:
        """Send a statement that may have to wait for others; True if it does."""
        assert self._work is not None
        self.waiting = self._thread.submit(self._work.run, text, values)
        try:
            self._settle(self.waiting, 1.0)
        except TimeoutError:
            return True
        return False

    def commit(self) -> bool:
        """True if the database took it."""
        self._call(lambda work: work.commit())
        if self.refused:
            self.rollback()
        return not self.refused

    def rollback(self) -> None:
        work = self._work
        if work is not None:
            self._thread.submit(self._let_go, work).result()

    @staticmethod
    def _let_go(work: Work) -> None:
        try:
            work.rollback()
        except (Neo4jError, ArcadeDBError):
            return  # the database had ended it already

    def _call(self, act: Callable[[Work], Any]) -> Any:
        if self.refused or self._work is None:
            return None
        if self.waiting is not None:
            self._settle(self.waiting, 60)
        return None if self.refused else self._settle(self._thread.submit(act, self._work), 60)

    def _settle(self, future: Future[Any], seconds: float) -> Any:
        try:
            found = future.result(seconds)
        except (Neo4jError, ArcadeDBError):
            self.refused, found = True, None
        if future is self.waiting:
            self.waiting = None
        return found

    def close(self) -> None:
        self._thread.shutdown()


class _Neo4jWork:
    def __init__(self, driver: Any) -> None:
        self._session = driver.session()
        self._tx = self._session.begin_transaction()

    def run(self, text: str, values: dict[str, Any]) -> Rows:
        return [list(record.values()) for record in self._tx.run(text, values)]

    def commit(self) -> None:
        self._tx.commit()
        self._session.close()

    def rollback(self) -> None:
        self._tx.close()
        self._session.close()


class _ArcadeWork:
    def __init__(self, database: Any) -> None:
        self._database = database
        database.begin()

    def run(self, text: str, values: dict[str, Any]) -> Rows:
        act = self._database.query if " SET " not in text and "CREATE" not in text else self._database.command
        return [list(row.values()) for row in act("opencypher", text, values).to_list()]

    def commit(self) -> None:
        self._database.commit()

    def rollback(self) -> None:
        self._database.rollback()


@contextmanager
def neo4j_clients(url: str) -> Iterator[Callable[[], Client]]:
    parts = urlsplit(url)
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    with GraphDatabase.driver(f"bolt://{parts.hostname}:{parts.port}", auth=login) as driver:
        yield from _clients(lambda: _Neo4jWork(driver))


@contextmanager
def arcade_clients(folder: Path) -> Iterator[Callable[[], Client]]:
    database = create_database(str(folder))
    for label in LABELS:
        database.command("sql", f"CREATE VERTEX TYPE {label} IF NOT EXISTS BUCKETS 1")
    try:
        yield from _clients(lambda: _ArcadeWork(database))
    finally:
        database.close()


def _clients(begin: Callable[[], Work]) -> Iterator[Callable[[], Client]]:
    made: list[Client] = []

    def client() -> Client:
        made.append(Client(begin))
        return made[-1]

    try:
        yield client
    finally:
        for one in made:
            one.rollback()
            one.close()
