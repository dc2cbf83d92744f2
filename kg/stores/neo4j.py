"""Neo4j over Bolt: the store for anything shared or large (5.26 LTS).

URL: `bolt://user:password@host:7687/database` or `neo4j://...`, with s or ssc variants for TLS. Reading queries run in
READ transactions of their own, with the server's time-out and without the driver's retries: a query that ran out of
memory would only run out of it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from neo4j import READ_ACCESS, WRITE_ACCESS, Driver, GraphDatabase, NotificationMinimumSeverity, Transaction
from neo4j.exceptions import AuthError, DriverError, Neo4jError, ServiceUnavailable, SessionExpired

from kg.breaker import Breaker
from kg.cypher import check_reading, plain_parameters
from kg.errors import QueryError, QueryMemoryError, QueryTimeoutError, StoreError
from kg.files import Files
from kg.free import check_free, check_plan
from kg.ledger import Ledger, OnIO, no_io
from kg.model import AsOf, Value
from kg.ontology import HAS, VALUE_NODES
from kg.rows import Step
from kg.store import (
    CLOCK_TEXT,
    LIMIT,
    NEAREST,
    TIMEOUT,
    WIPING,
    SyncReport,
    Watermark,
    check_nearest,
    hash_graph,
    instants,
    to_table,
)
from kg.stores._neo4j_answers import plain
from kg.stores._neo4j_plan import plan
from kg.stores._neo4j_schema import VECTOR_INDEX, declare, move
from kg.sync import synchronise
from kg.vectors import Vectors

SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
CHUNK = 5_000
"""Rows of one transaction."""
FIRST_FETCH = 1_000
"""Neighbours first asked from the vector index, before the clocks filter them."""
_WIPE = 5_000
_END_LABEL = {type: label for label, type in HAS.items()}


def open_url(url: str, home: Path) -> Neo4jStore:
    """Connect to the server of the URL. StoreError says what failed, without the password."""
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.hostname}:{parts.port or 7687}"
    user, password = unquote(parts.username or "neo4j"), unquote(parts.password or "")
    return Neo4jStore(address, (user, password), parts.path.strip("/") or "neo4j", Files(home / "files"))


class Neo4jStore:
    """A GraphStore in a Neo4j database. Many processes may read; of two that sync at once, one must try again."""

    def __init__(self, address: str, auth: tuple[str, str], database: str, files: Files) -> None:
        self.address, self.database = address, database
        self._vectors = Vectors(files)
        self._breaker = Breaker()
        self._driver: Driver = GraphDatabase.driver(
            address,
            auth=auth,
            max_transaction_retry_time=0,
            connection_timeout=15,
            liveness_check_timeout=1,  # a connection that lay idle while the server went away is made anew
            notifications_min_severity=NotificationMinimumSeverity.OFF,
        )
        try:
            with self._reachable():
                self._driver.execute_query("RETURN 1", database_=database)
                self.format = declare(self._driver, database)
        except BaseException:
            self._driver.close()
            raise

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """Turn the driver's failures into a StoreError that says what to do."""
        try:
            yield
        except AuthError as error:
            raise StoreError(
                f"{self.address} refused user or password; check NEO4J_USERNAME and NEO4J_PASSWORD"
            ) from error
        except (ServiceUnavailable, SessionExpired) as error:
            raise StoreError(f"no Neo4j answers at {self.address} ({error}); start it, or check NEO4J_URI") from error
        except (DriverError, Neo4jError) as error:
            raise StoreError(f"Neo4j at {self.address}, database {self.database}: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    # ---- writing

    def move(self, to: int, on_io: OnIO = no_io) -> None:
        """Go to the format one above or one below."""
        with self._reachable():
            self.format = move(self._driver, self.database, to, on_io)

    @property
    def mark(self) -> Watermark | None:
        with self._reachable(), self._transaction(READ_ACCESS) as tx:
            return _read_mark(tx)

    def sync(self, ledger: Ledger, on_io: OnIO = no_io) -> SyncReport:
        """Bring the store to the ledger's head."""
        mark = self.mark
        if mark is not None and mark.offset == WIPING:
            self._wipe(on_io)
        return synchronise(self, ledger, self._vectors, CHUNK, on_io)

    def rebuild(self, ledger: Ledger, on_io: OnIO = no_io) -> SyncReport:
        """Delete what a store holds and sync from the start. Other data in the database is left alone."""
        if (mark := self.mark) is not None:
            self.write(mark, (), Watermark(mark.ledger, offset=WIPING))
        self._wipe(on_io)
        return self.sync(ledger, on_io)

    def _wipe(self, on_io: OnIO) -> None:
        """Delete all nodes of a store, the watermark last; broken off, the next sync goes on with it."""
        with self._reachable(), self._driver.session(database=self.database) as session:
            for label in (*VALUE_NODES, "Entity", "Ledger"):
                on_io("wipe:before")
                # Edges first: a node of thousands of edges is one row, and would not fit the memory of a transaction.
                edges = f"MATCH (n:{label})-[r]->() CALL (r) {{ DELETE r }} IN TRANSACTIONS OF {_WIPE} ROWS"
                nodes = f"MATCH (n:{label}) CALL (n) {{ DETACH DELETE n }} IN TRANSACTIONS OF {_WIPE} ROWS"
                for text in (edges, nodes):
                    session.run(text).consume()

    def write(self, before: Watermark | None, steps: Sequence[Step], after: Watermark) -> None:
        """One transaction of a sync. The watermark is locked first: of two writers one waits and is then refused."""
        with self._reachable(), self._transaction(WRITE_ACCESS) as tx:
            made = "MERGE (l:Ledger {id: 'main'}) ON CREATE SET l.format = $format"
            tx.run(f"{made} SET l.turn = coalesce(l.turn, 0) + 1", format=self.format).consume()
            if _read_mark(tx) != before:
                raise StoreError(f"another process moved the store on from {before}; sync again")
            for step in steps:
                tx.run(_text(step), rows=_lists(step)).consume()
            sets = ", ".join(f"l.{name} = ${name}" for name in Watermark.__slots__)
            values = {name: getattr(after, name) for name in Watermark.__slots__}
            tx.run(f"MATCH (l:Ledger {{id: 'main'}}) SET {sets}", values).consume()
            tx.commit()

    @contextmanager
    def _transaction(self, mode: str, timeout: float | None = None) -> Iterator[Transaction]:
        """A transaction that is rolled back unless it is committed inside."""
        with (
            self._driver.session(database=self.database, default_access_mode=mode) as session,
            session.begin_transaction(timeout=timeout) as tx,
        ):
            yield tx

    # ---- reading

    def query(
        self,
        cypher: str,
        params: Mapping[str, Value | Sequence[Value]] | None = None,
        at: AsOf = AsOf(),
        limit: int = LIMIT,
        timeout: float = TIMEOUT,
    ) -> pa.Table:
        """Rows of a reading query."""
        check_reading(cypher)
        return self._read(cypher, plain_parameters(params or {}), at, limit, timeout)

    def ask(
        self,
        cypher: str,
        params: Mapping[str, Value | Sequence[Value]] | None = None,
        at: AsOf = AsOf(),
        limit: int = LIMIT,
        timeout: float = TIMEOUT,
    ) -> pa.Table:
        """Rows of a text from outside, planned first in the transaction that then reads."""
        check_free(cypher)
        given = plain_parameters(params or {})
        return self._breaker.run(lambda: self._read(cypher, given, at, limit, timeout, planned=True), timeout)

    def _read(
        self, cypher: str, given: dict[str, Any], at: AsOf, limit: int, timeout: float, planned: bool = False
    ) -> pa.Table:
        with self._reachable(), self._answered(timeout), self._transaction(READ_ACCESS, timeout) as tx:
            if planned:
                check_plan(plan(tx, cypher))
            result = tx.run(cypher, given | instants(at, _read_mark(tx)))
            names = list(result.keys())
            rows = [[plain(value) for value in record.values()] for record in islice(result, limit + 1)]
        return to_table(names, rows[:limit], len(rows) > limit)

    @contextmanager
    def _answered(self, timeout: float) -> Iterator[None]:
        """Turn the server's refusals into errors of the query; what passes by itself stays the server's own."""
        try:
            yield
        except AuthError:
            raise
        except Neo4jError as error:
            code = error.code or ""
            if "TransactionTimedOut" in code:
                hint = "narrow it, bound its paths, or give a longer timeout"
                raise QueryTimeoutError(f"the query took more than {timeout:g} s; {hint}") from error
            if "OutOfMemory" in code:
                raise QueryMemoryError(
                    f"the query needs more memory than Neo4j gives to one ({code}); aggregate, or LIMIT, earlier"
                ) from error
            if code.startswith("Neo.TransientError"):
                raise
            raise QueryError(f"Neo4j refused the query ({code}): {error.message}") from error

    def _rows(self, text: str, params: dict[str, Any]) -> Iterator[list[Any]]:
        with self._reachable(), self._transaction(READ_ACCESS) as tx:
            for record in tx.run(text, params):
                yield list(record.values())

    def scan(self, cypher: str, params: Mapping[str, Any] | None = None) -> Iterator[Sequence[Any]]:
        """Rows of a reading text, as a stream."""
        return self._rows(cypher, dict(params or {}))

    def nearest(self, label: str, vector: Sequence[float], k: int, at: AsOf = AsOf(), model: str = "") -> pa.Table:
        """The k nodes with the most similar vectors: the vector index is asked for more until the clocks leave k."""
        given = {"vector": check_nearest(label, vector, k), "model": model, **instants(at, self.mark)}
        pattern = f"MATCH (n:{label})-[r:HAS_EMBEDDING]->(e) WHERE {CLOCK_TEXT}"
        if not model:
            text = f"{pattern} RETURN e.model ORDER BY r.known_from DESC, e.model LIMIT 1"
            given["model"] = next((row[0] for row in self._rows(text, given)), "")
        total = next(iter(self._rows("MATCH (e:Embedding) RETURN count(e)", {})))[0]
        fetch, found = max(FIRST_FETCH, 10 * k), list[list[Any]]()
        text = f"""CALL db.index.vector.queryNodes('{VECTOR_INDEX}', $fetch, $vector) YIELD node AS e, score
          {pattern} AND e.model = $model AND size(e.vector) = size($vector)
          RETURN n.id, 2 * score - 1 AS score ORDER BY score DESC, n.id"""
        while total and len(found) < k:
            found = list(self._rows(text, {**given, "fetch": min(fetch, total)}))
            if fetch >= total:
                break
            fetch *= 4
        best = found[:k]
        return pa.table(
            [[row[0] for row in best], [row[1] for row in best], [given["model"]] * len(best)], schema=NEAREST
        )

    def graph_hash(self) -> str:
        """sha256 over the rows alive at the last complete commit."""
        return hash_graph(self._rows, self.mark)


def _read_mark(tx: Transaction) -> Watermark | None:
    row = tx.run("MATCH (l:Ledger {id: 'main'}) RETURN l.ledger, l.commit, l.known, l.target, l.offset").single()
    return Watermark(*row.values()) if row is not None and row[0] is not None else None


def _text(step: Step) -> str:
    """Cypher that writes the rows of a step, each a list in the order of the step's columns."""
    at = {name: f"row[{i}]" for i, name in enumerate(step.rows.column_names)}
    unwind = "UNWIND $rows AS row"
    if step.kind == "node":
        return f"{unwind} MERGE (n:Entity:{step.name} {{id: {at['id']}}}) ON CREATE SET n.label = {at['label']}"
    if step.kind == "value":
        sets = ", ".join(f"n.{name} = {value}" for name, value in at.items())
        return f"{unwind} MERGE (n:{step.name} {{id: {at['id']}}}) ON CREATE SET {sets}"
    if step.kind == "close":
        return f"{unwind} MATCH ()-[r:{step.name} {{version: {at['version']}}}]->() SET r.known_to = {at['known_to']}"
    values = ", ".join(f"{name}: {value}" for name, value in at.items() if name not in ("source", "target"))
    target = f"(b:{_END_LABEL.get(step.name, 'Entity')} {{id: {at['target']}}})"
    return (
        f"{unwind} MATCH (a:Entity {{id: {at['source']}}}) MATCH {target} CREATE (a)-[:{step.name} {{{values}}}]->(b)"
    )


def _lists(step: Step) -> list[list[Any]]:
    """Rows as lists: the driver sends them twice as fast as maps."""
    return [list(row) for row in zip(*(column.to_pylist() for column in step.rows.columns), strict=True)]
