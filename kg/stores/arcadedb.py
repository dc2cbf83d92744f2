"""ArcadeDB embedded: the store in this process, with no server to set up.

URL: `arcadedb:///folder`, optionally `?heap=1g` (the first store of a process decides). One process at a time holds the
folder; the engine never fsyncs a commit by default, which is why a store can always be rebuilt from its ledger.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
from arcadedb_embedded import Database, create_database, database_exists, open_database

from kg.breaker import Breaker
from kg.cypher import check_reading, plain_parameters
from kg.disk import writing
from kg.errors import LeaseHeldError, StoreError, StoreLockedError
from kg.files import Files
from kg.free import check_free, check_plan
from kg.lease import Lease
from kg.ledger import Ledger, OnIO, no_io
from kg.model import AsOf, Value
from kg.rows import Step
from kg.store import LIMIT, TIMEOUT, SyncReport, Watermark, check_nearest, hash_graph, instants, to_table
from kg.stores._arcade_answers import ENGINE, columns, plain, plain_errors, streamed
from kg.stores._arcade_bulk import build, nested_json, step_text
from kg.stores._arcade_near import Near
from kg.stores._arcade_plan import plan
from kg.stores._arcade_schema import declare, write_format
from kg.stores._jvm import java, java_map, json_rows, start
from kg.supposed import Supposed
from kg.sync import stage, synchronise
from kg.vectors import Vectors

SCHEMES = ("arcadedb",)
BULK = 5_000
"""Rows from which an empty store is built as a whole beside its folder and then renamed."""
CHUNK = 5_000
"""Rows of one transaction."""
SCAN = 3600.0
"""Seconds that a stream of rows may take, however slowly they are taken."""
_LOCKED = "is locked by another process"


def open_url(url: str, home: Path) -> ArcadeStore:
    """Open or create the store in the folder of the URL."""
    parts = urlsplit(url)
    if parts.netloc or len(parts.path) < 2:
        raise StoreError(
            f"store {url!r}: expected arcadedb:///folder with three slashes, for example arcadedb:///data/store"
        )
    heap = parse_qs(parts.query).get("heap", [""])[0]
    return ArcadeStore(Path("/" + unquote(parts.path).lstrip("/")), Files(home / "files"), heap)


class ArcadeStore:
    """A GraphStore in a folder. Queries and transactions of one process take turns: the time-out is the database's."""

    def __init__(self, folder: Path, files: Files, heap: str = "") -> None:
        self.folder = folder
        self._vectors = Vectors(files)
        self._near = Near(self._rows, self._vectors)
        self._turn = RLock()
        self._breaker = Breaker()
        self._lease = Lease(folder / "owner.json", "serving this store")
        try:
            self._lease.__enter__()
        except LeaseHeldError as error:
            raise StoreLockedError(
                f"{error}; a store in ArcadeDB is open to one process, use Neo4j to share it"
            ) from error
        try:
            start(heap)
            self._open()
        except BaseException:
            self._lease.__exit__(None, None, None)
            raise

    # ---- opening and closing

    @property
    def _graph(self) -> Path:
        """A server could later serve the folder: it expects <root>/databases/<name>."""
        return self.folder / "databases" / "graph"

    def _open(self) -> None:
        self._tidy()
        place = str(self._graph)
        try:
            self._db: Database = (open_database if database_exists(place) else create_database)(place)
            try:
                self.format = declare(self._db, place)
                self._mark = self._read_mark()
            except BaseException:
                self._db.close()
                raise
        except ENGINE as error:
            kind = StoreLockedError if _LOCKED in str(error) else StoreError
            raise kind(
                f"ArcadeDB could not open {self._graph}: {error}; if it is damaged, delete the folder and sync again"
            ) from error

    def _beside(self, word: str) -> Path:
        return self._graph.with_name(f"graph.{word}")

    def _tidy(self) -> None:
        """Clear away what a bulk build left that was broken off; between its two renames the old graph comes back."""
        self._graph.parent.mkdir(parents=True, exist_ok=True)
        if self._beside("old").exists() and not self._graph.exists():
            self._beside("old").rename(self._graph)
        for word in ("new", "old"):
            shutil.rmtree(self._beside(word), ignore_errors=True)

    def close(self) -> None:
        """Close the database and let other processes have the folder."""
        with self._turn:
            if self._db.is_open():
                self._db.close()
                self._lease.__exit__(None, None, None)

    # ---- writing

    def move(self, to: int, on_io: OnIO = no_io) -> None:
        """Go to the format one above or one below."""
        with self._turn:
            write_format(self._db, to)
            self.format = to
            on_io(f"store to {to}: number")

    @property
    def mark(self) -> Watermark | None:
        return self._mark

    def _read_mark(self) -> Watermark | None:
        text = "MATCH (l:Ledger {id: 'main'}) RETURN l.ledger, l.commit, l.known, l.target, l.offset"
        rows = [Watermark(*row) for row in self._rows(text, {}) if row[0] is not None]
        return rows[0] if rows else None

    def sync(self, ledger: Ledger, on_io: OnIO = no_io) -> SyncReport:
        """Bring the store to the ledger's head."""
        with writing(self.folder, "the store"):
            built = self._bulk(ledger, on_io, BULK) if self._mark is None else None
            return built or synchronise(self, ledger, self._vectors, CHUNK, on_io)

    def rebuild(self, ledger: Ledger, on_io: OnIO = no_io) -> SyncReport:
        """Build anew beside the old folder, and put it in its place when it is complete."""
        report = self._bulk(ledger, on_io, 0)
        assert report is not None
        return report

    def _bulk(self, ledger: Ledger, on_io: OnIO, least: int) -> SyncReport | None:
        began, new, whole = time.monotonic(), self._beside("new"), stage(None, ledger, self._vectors)
        if whole is None or len(whole.plan) < least:
            return None
        with writing(self.folder, "the store"):
            build(new, whole.plan, whole.end, self.format, on_io)
        with self._turn:
            on_io("bulk:rename")
            self._db.close()
            self._graph.rename(self._beside("old"))
            new.rename(self._graph)
            self._open()
            self._near.clear()
        took, count = time.monotonic() - began, whole.plan.count
        return SyncReport(0, whole.end.commit, count("edge"), count("close"), took, bulk=True)

    def write(self, before: Watermark | None, steps: Sequence[Step], after: Watermark) -> None:
        """One transaction of a sync."""
        with self._turn:
            with self._db.transaction():
                if self._read_mark() != before:
                    raise StoreError(f"the store moved on from {before}; sync again")
                for step in steps:
                    self._write_step(step)
                self._write_mark(after)
            self._mark = after

    def _write_step(self, step: Step) -> None:
        if step.kind == "close":
            ends: dict[str, list[str]] = {}
            for version, known_to in zip(
                step.rows["version"].to_pylist(), step.rows["known_to"].to_pylist(), strict=True
            ):
                ends.setdefault(known_to, []).append(version)
            for known_to, versions in ends.items():
                text = f"UPDATE {step.name} SET known_to = :known_to WHERE version IN :versions"
                self._db.command("sql", text, {"known_to": known_to, "versions": versions})
            return
        self._command(step_text(step), nested_json(step))

    def _command(self, text: str, rows: str) -> None:
        self._db.get_java_database().command("opencypher", text, java_map(rows=json_rows(rows)))

    def _write_mark(self, mark: Watermark) -> None:
        values = {"format": self.format, **{name: getattr(mark, name) for name in Watermark.__slots__}}
        sets = ", ".join(f"l.{name} = ${name}" for name in values)
        self._db.command("opencypher", f"MERGE (l:Ledger {{id: 'main'}}) SET {sets}", values)

    @contextmanager
    def supposing(self, supposed: Supposed) -> Iterator[None]:
        """Within the block the store answers as if the supposition held; then its transaction is rolled back."""
        with self._turn:
            mark = self._mark
            if mark is None or mark.commit != supposed.base:
                raise StoreError(
                    f"the store holds commit {mark.commit if mark else 0}, the supposition stands on {supposed.base}; "
                    "sync first, and leave out the known time: what was known before is asked of a snapshot"
                )
            what = stage(mark, supposed, self._vectors)
            self._db.begin()
            try:
                for step in what.plan.steps(CHUNK) if what else ():
                    self._write_step(step)
                self._mark = what.end if what else mark
                yield
            finally:
                self._mark = mark
                self._near.clear()
                self._db.rollback()

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
        given = plain_parameters(params or {}) | instants(at, self._mark)
        with self._turn, self._limited(timeout), plain_errors(timeout):
            return self._read(cypher, given, limit)

    def ask(
        self,
        cypher: str,
        params: Mapping[str, Value | Sequence[Value]] | None = None,
        at: AsOf = AsOf(),
        limit: int = LIMIT,
        timeout: float = TIMEOUT,
    ) -> pa.Table:
        """Rows of a text from outside. It runs in a thread that holds no turn: one that never ends locks nobody out."""
        check_free(cypher)
        given = plain_parameters(params or {}) | instants(at, self._mark)
        with self._turn, self._limited(timeout), plain_errors(timeout):
            check_plan(plan(self._db.get_java_database(), cypher))
            return self._breaker.run(lambda: self._read(cypher, given, limit), timeout)

    def _read(self, cypher: str, given: dict[str, Any], limit: int) -> pa.Table:
        result = self._db.query("opencypher", cypher, given)
        rows = list(islice(result.iter_dicts(), limit + 1))
        result.close()
        names = tuple(rows[0]) if rows else columns(cypher)
        cells = [[plain(row.get(name)) for name in names] for row in rows[:limit]]
        return to_table(names, cells, len(rows) > limit)

    @contextmanager
    def _limited(self, timeout: float) -> Iterator[None]:
        """Set the time-out around user queries only: it would end a sync's commands as well."""
        setting = java("com.arcadedb.GlobalConfiguration").COMMAND_TIMEOUT
        configuration = self._db.get_java_database().getConfiguration()
        configuration.setValue(setting, max(1, round(timeout * 1000)))
        try:
            yield
        finally:
            configuration.setValue(setting, 0)

    def _rows(self, text: str, params: dict[str, Any]) -> Iterator[list[Any]]:
        with self._turn:
            yield from (list(row.values()) for row in self._db.query("opencypher", text, params).to_list())

    def scan(self, cypher: str, params: Mapping[str, Any] | None = None) -> Iterator[Sequence[Any]]:
        """Rows of a reading text, as a stream."""
        with self._turn, self._limited(SCAN), plain_errors(SCAN):
            yield from streamed(self._db.query("opencypher", cypher, dict(params or {})))

    def nearest(self, label: str, vector: Sequence[float], k: int, at: AsOf = AsOf(), model: str = "") -> pa.Table:
        """The k nodes with the most similar vectors, by exact search: the engine's quantised index loses recall."""
        return self._near.find(label, check_nearest(label, vector, k), k, instants(at, self._mark), model)

    def graph_hash(self) -> str:
        """sha256 over the rows alive at the last complete commit."""
        return hash_graph(self._rows, self._mark)
