"""The file of the run table: its tables, its transactions, and how a row begins and ends."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from kg.migrations import FORMAT, checked
from kgrisk.jobs.job import OVER, Job, JobError, Order

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, args TEXT NOT NULL,
  who TEXT NOT NULL, state TEXT NOT NULL, schedule TEXT NOT NULL DEFAULT '', slot TEXT, key TEXT,
  attempt INTEGER NOT NULL DEFAULT 0, fence INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, expires REAL,
  lease_until REAL, heartbeat REAL, stage TEXT NOT NULL DEFAULT '', said TEXT NOT NULL DEFAULT '',
  progress REAL NOT NULL DEFAULT 0, cancel INTEGER NOT NULL DEFAULT 0, stats TEXT NOT NULL DEFAULT '{}',
  error TEXT NOT NULL DEFAULT '', host TEXT NOT NULL DEFAULT '', pid INTEGER NOT NULL DEFAULT 0,
  created REAL NOT NULL, begun REAL, ended REAL, UNIQUE (schedule, slot), UNIQUE (who, key));
CREATE UNIQUE INDEX IF NOT EXISTS one_at_a_time ON jobs (state) WHERE state = 'running';
CREATE INDEX IF NOT EXISTS waiting ON jobs (due) WHERE state = 'queued';
CREATE TABLE IF NOT EXISTS schedules (name TEXT PRIMARY KEY, seen TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS alerts (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, job TEXT NOT NULL,
  detail TEXT NOT NULL);
INSERT INTO tokens SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM tokens);
"""
LEASE: Final = 60.0
"""Seconds without a sign of life after which a run may be given up as lost."""
KEEP: Final = 500
"""Runs that are over, and alerts, kept at most."""
FILE: Final = "jobs.sqlite"


class Database:
    """The run table of a home folder; safe to share among threads, and among processes of one machine."""

    def __init__(
        self, home: Path, *, lease: float = LEASE, keep: int = KEEP, clock: Callable[[], float] = time.time
    ) -> None:
        self.path, self.lease, self.keep, self.clock = home / FILE, lease, keep, clock
        self._turn = threading.RLock()
        home.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            (number,) = self._db.execute("PRAGMA user_version").fetchone()
            checked(int(number) or 1, str(self.path))
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            made = "" if tables else f"PRAGMA user_version = {FORMAT};"
            self._db.executescript("BEGIN IMMEDIATE;" + SCHEMA + made + "COMMIT;")
        except sqlite3.Error as error:
            raise JobError(
                f"{self.path} cannot be used as the run table: {error}; move it away to begin anew"
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        with self._turn:
            self._db.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, alone among all processes."""
        with self._turn:
            try:
                self._db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise JobError(f"{self.path} cannot be written: {error}; try again") from error
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _read(self, text: str, *values: object) -> list[sqlite3.Row]:
        with self._turn:
            return self._db.execute(text, values).fetchall()

    def _add(self, db: sqlite3.Connection, order: Order, who: str, **more: Any) -> Job:
        row: dict[str, Any] = {"id": uuid.uuid4().hex, "kind": order.kind, "args": json.dumps(order.args), "who": who}
        row |= {"state": "queued", "created": self.clock(), **more}
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        db.execute(f"INSERT INTO jobs ({names}) VALUES ({marks})", tuple(row.values()))
        return Job.read(db.execute("SELECT * FROM jobs WHERE id = ?", (row["id"],)).fetchone())

    def _over(self, db: sqlite3.Connection, job: Job, state: str, error: str = "", stats: str = "{}") -> None:
        """The row of a run that is over; who failed or was lost raises an alert, and the oldest rows are forgotten."""
        now = self.clock()
        db.execute(
            "UPDATE jobs SET state = ?, ended = ?, error = ?, stats = ?, lease_until = NULL, "
            "progress = CASE ? WHEN 'done' THEN 1 ELSE progress END WHERE number = ?",
            (state, now, error, stats, state, job.number),
        )
        if state in ("failed", "lost"):
            db.execute("INSERT INTO alerts (at, kind, job, detail) VALUES (?, ?, ?, ?)", (now, state, job.id, error))
        marks = ", ".join("?" * len(OVER))
        for name, only in (("jobs", f"AND state IN ({marks})"), ("alerts", "")):
            newest = f"SELECT number FROM {name} WHERE 1 {only} ORDER BY number DESC LIMIT 1 OFFSET ?"
            own = OVER if only else ()
            db.execute(f"DELETE FROM {name} WHERE number <= ({newest}) {only}", (*own, self.keep, *own))
