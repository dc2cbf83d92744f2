"""The run table: every run asked for, one row each in `home/jobs.sqlite`, and the one place that says who may run.

A claim is one transaction. It succeeds only where nothing runs; what runs past its lease is marked `lost` by it. Each
claim has a token one higher than any before it, and whoever writes under an older one is told StaleWriterError and has
changed nothing. A slot of a schedule stands in the table once, whichever scheduler saw it first.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from typing import Any

from kg.errors import LeaseHeldError, StaleWriterError
from kgrisk.jobs.job import OVER, CancelledError, Job, Order, State, moment
from kgrisk.jobs.queue import Queue

_OWN = "number = ? AND fence = ? AND state = 'running'"


class Table(Queue):
    """The run table of a home folder; shared by threads, and by processes of one machine."""

    def claim(self) -> Job | None:
        """The job that waits longest, now the caller's to run; None if none waits or another runs."""
        with self._write() as db:
            now = self.clock()
            self._lose(db, now)
            self._miss(db, now)
            if _running(db):
                return None
            ready = "SELECT * FROM jobs WHERE state = 'queued' AND due <= ? ORDER BY due, number LIMIT 1"
            found = db.execute(ready, (now,)).fetchone()
            return self._start(db, Job.read(found)) if found is not None else None

    def begin(self, order: Order, who: str) -> Job:
        """A job that runs at once, by the caller. LeaseHeldError if another runs."""
        with self._write() as db:
            self._lose(db, self.clock())
            if (other := _running(db)) is not None:
                raise LeaseHeldError(
                    f"{other.kind} {other.id} of {other.who} runs since {moment(other.begun)}, held by process "
                    f"{other.pid} on {other.host}; wait for it to end, or stop it: `kgrisk jobs cancel {other.id}`"
                )
            return self._start(db, self._add(db, order, who, due=self.clock()))

    def _start(self, db: sqlite3.Connection, job: Job) -> Job:
        now = self.clock()
        (token,) = db.execute("UPDATE tokens SET last = last + 1 RETURNING last").fetchone()
        db.execute(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, fence = ?, lease_until = ?, heartbeat = ?, "
            "begun = ?, progress = 0, stage = '', said = '', host = ?, pid = ? WHERE number = ?",
            (token, now + self.lease, now, now, socket.gethostname(), os.getpid(), job.number),
        )
        return Job.read(db.execute("SELECT * FROM jobs WHERE number = ?", (job.number,)).fetchone())

    def _lose(self, db: sqlite3.Connection, now: float) -> None:
        """Give up what runs past its lease."""
        job = _running(db)
        if job is not None and job.lease_until is not None and job.lease_until <= now:
            silent = f"no sign of life of process {job.pid} on {job.host} since {moment(job.heartbeat)}"
            self._over(db, job, "lost", f"{silent}; the next run repeats what was not committed")

    def _miss(self, db: sqlite3.Connection, now: float) -> None:
        """Write down the slots that nobody began in time, with the reason."""
        late = db.execute("SELECT * FROM jobs WHERE state = 'queued' AND begun IS NULL AND expires <= ?", (now,))
        for job in map(Job.read, late.fetchall()):
            busy = db.execute(
                "SELECT id FROM jobs WHERE begun < ? AND coalesce(ended, ?) > ? ORDER BY begun DESC LIMIT 1",
                (job.expires, now, job.due),
            ).fetchone()
            reason = f"run {busy['id']} was still going on" if busy else "nobody was there in time to begin it"
            self._over(db, job, "missed", reason)

    def beat(self, job: Job) -> None:
        """A sign of life: the run is not lost for another lease. StaleWriterError."""
        now = self.clock()
        with self._write() as db:
            self._own(db, job)
            db.execute(
                f"UPDATE jobs SET heartbeat = ?, lease_until = ? WHERE {_OWN}",
                (now, now + self.lease, job.number, job.fence),
            )

    def tell(self, job: Job, said: str, stage: str, progress: float) -> None:
        """How far a run is. StaleWriterError."""
        with self._write() as db:
            self._own(db, job)
            db.execute(
                f"UPDATE jobs SET said = ?, stage = ?, progress = ? WHERE {_OWN}",
                (said, stage, progress, job.number, job.fence),
            )

    def check(self, job: Job) -> None:
        """StaleWriterError if this claim is no longer the newest, CancelledError if the run was told to stop."""
        found = self._read(f"SELECT cancel FROM jobs WHERE {_OWN}", job.number, job.fence)
        if not found:
            raise self._stale(job)
        if found[0]["cancel"]:
            raise CancelledError(f"run {job.id} was told to stop; what it committed stays, the next run does the rest")

    def end(self, job: Job, state: State, stats: dict[str, Any] | None = None, error: str = "") -> None:
        """A run is over: done, failed or cancelled. StaleWriterError."""
        assert state in OVER
        with self._write() as db:
            self._own(db, job)
            self._over(db, job, state, error, json.dumps(stats or {}))

    def again(self, job: Job, due: float, error: str, failed: bool = True) -> None:
        """A run waits again, to be tried from `due` on; one that was told to stop is over. StaleWriterError.

        Where it did not fail, as one whose worker was stopped, this was no try.
        """
        with self._write() as db:
            self._own(db, job)
            (stop,) = db.execute("SELECT cancel FROM jobs WHERE number = ?", (job.number,)).fetchone()
            if stop:
                self._over(db, job, "cancelled", error)
                return
            back = (
                "UPDATE jobs SET state = 'queued', due = ?, error = ?, attempt = attempt - ?, lease_until = NULL "
                "WHERE number = ?"
            )
            db.execute(back, (due, error, int(not failed), job.number))

    def _own(self, db: sqlite3.Connection, job: Job) -> None:
        """StaleWriterError unless this claim is the newest one of its job, and its run goes on."""
        if db.execute(f"SELECT 1 FROM jobs WHERE {_OWN}", (job.number, job.fence)).fetchone() is None:
            raise self._stale(job)

    def _stale(self, job: Job) -> StaleWriterError:
        now = self.find(job.id)
        return StaleWriterError(
            f"run {job.id} was claimed with token {job.fence} and is {now.state if now else 'forgotten'} by now; this "
            "process writes nothing more"
        )


def _running(db: sqlite3.Connection) -> Job | None:
    found = db.execute("SELECT * FROM jobs WHERE state = 'running'").fetchone()
    return Job.read(found) if found is not None else None
