"""The queue: what was asked for, by whom, and what became of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Final

from kgrisk.jobs.database import Database
from kgrisk.jobs.job import Job, JobError, Order, moment

AGAIN: Final = 900.0
"""Seconds until a state of a folder whose run failed, or was lost twice, is offered again; doubled each time."""
SELDOM: Final = 86_400.0
"""Seconds between two such offers at most."""
WAITING: Final = 50
"""Jobs asked for that may wait at once; slots of schedules, which come one at a time, are not counted."""
Slot = tuple[str, float, float | None]
"""Its name, when it is due, and when it is missed."""


class FullError(JobError):
    """Too many jobs wait."""


class OverError(JobError):
    """What is over cannot be stopped."""


class Queue(Database):
    """Jobs are asked for, looked at and called off."""

    def submit(self, order: Order, who: str, key: str | None = None) -> Job:
        """A job that runs as soon as somebody is free; with a key the same order again is the same job.

        JobError if the key was used for another order, FullError if too many jobs wait.
        """
        with self._write() as db:
            known = db.execute("SELECT * FROM jobs WHERE who = ? AND key = ?", (who, key)).fetchone() if key else None
            if known is not None:
                return _same(Job.read(known), order)
            (waiting,) = db.execute("SELECT count(*) FROM jobs WHERE state = 'queued' AND schedule = ''").fetchone()
            if waiting >= WAITING:
                raise FullError(f"{waiting} jobs wait already; ask again when some of them are over")
            return self._add(db, order, who, key=key, due=self.clock())

    def seen(self, schedule: str) -> str | None:
        """How far any scheduler has looked at a schedule."""
        found = self._read("SELECT seen FROM schedules WHERE name = ?", schedule)
        return str(found[0]["seen"]) if found else None

    def offer(self, schedule: str, seen: str, slots: Sequence[Slot], order: Order) -> list[Job]:
        """Queue slots of a schedule; one that was offered before, by whomever, is left alone. Returns the new ones.

        Those that nobody begins in time are missed at the next claim.
        """
        with self._write() as db:
            db.execute("INSERT OR REPLACE INTO schedules VALUES (?, ?)", (schedule, seen))
            return [
                self._add(db, order, "schedule", schedule=schedule, slot=name, due=due, expires=expires)
                for name, due, expires in slots
                if not _known(db, schedule, name)
            ]

    def offer_state(self, schedule: str, state: str, since: float, order: Order) -> list[Job]:
        """Queue a run for a state of a folder unless that is read, or its turn has not come; `since` a scheduler runs.

        What counts is the newest run of the schedule: only one that is done has read its state. Where that run is
        forgotten, what it read stands beside the name of the schedule.
        """
        now = self.clock()
        with self._write() as db:
            newest = db.execute("SELECT * FROM jobs WHERE schedule = ? ORDER BY number DESC LIMIT 20", (schedule,))
            runs = [Job.read(row) for row in newest]
            found = db.execute("SELECT seen FROM schedules WHERE name = ?", (schedule,)).fetchone()
            read = found["seen"] if found else ""
            if runs and runs[0].state == "done" and read != (read := _folder(runs[0])):
                db.execute("INSERT OR REPLACE INTO schedules VALUES (?, ?)", (schedule, read))
            if not (_its_turn(runs, state, since, now) if runs else read != state):
                return []
            db.execute("INSERT OR REPLACE INTO schedules VALUES (?, '')", (schedule,))
            slot = f"{state}.{runs[0].number}" if runs else state
            return [self._add(db, order, "schedule", schedule=schedule, slot=slot, due=now)]

    def miss(self, schedule: str, slot: str, due: float, reason: str) -> None:
        """Write down what nobody can run any more."""
        with self._write() as db:
            if not _known(db, schedule, slot):
                job = self._add(db, Order(), "schedule", schedule=schedule, slot=slot, due=due)
                self._over(db, job, "missed", reason)

    def cancel(self, id: str) -> Job:
        """Call a job off: one that waits is over at once, one that runs is told to stop. OverError, JobError."""
        with self._write() as db:
            found = db.execute("SELECT * FROM jobs WHERE id = ?", (id,)).fetchone()
            job = Job.read(found) if found is not None else None
            if job is not None and job.over:
                raise OverError(f"job {id} is {job.state} since {moment(job.ended)}; there is nothing to stop")
            if job is not None and job.state == "queued":
                self._over(db, job, "cancelled", "called off before it began")
            db.execute("UPDATE jobs SET cancel = 1 WHERE id = ?", (id,))
        return self.get(id)

    def find(self, id: str) -> Job | None:
        """The job of an id."""
        found = self._read("SELECT * FROM jobs WHERE id = ?", id)
        return Job.read(found[0]) if found else None

    def get(self, id: str) -> Job:
        """The job of an id. JobError if there is none."""
        job = self.find(id)
        if job is None:
            raise JobError(f"there is no job {id!r}; `kgrisk jobs list` and GET /v1/jobs tell those there are")
        return job

    def named(self, start: str) -> Job:
        """The job whose id begins so. JobError if there is none, or more than one."""
        ids = [row["id"] for row in self._read("SELECT id FROM jobs WHERE substr(id, 1, ?) = ?", len(start), start)]
        if len(ids) > 1:
            raise JobError(f"{len(ids)} jobs begin with {start!r}; write more of the id")
        return self.get(ids[0] if ids else start)

    def page(self, limit: int, before: int | None = None, state: str = "") -> list[Job]:
        """Jobs, newest first, below a number."""
        rows = self._read(
            "SELECT * FROM jobs WHERE number < coalesce(?, number + 1) AND (? = '' OR state = ?) "
            "ORDER BY number DESC LIMIT ?",
            *(before, state, state, limit),
        )
        return [Job.read(row) for row in rows]

    def alerts(self, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """What went wrong, newest first."""
        text = "SELECT * FROM alerts WHERE number < coalesce(?, number + 1) ORDER BY number DESC LIMIT ?"
        return [{**dict(row), "at": moment(row["at"])} for row in self._read(text, before, limit)]


def _known(db: sqlite3.Connection, schedule: str, slot: str) -> bool:
    return bool(db.execute("SELECT 1 FROM jobs WHERE schedule = ? AND slot = ?", (schedule, slot)).fetchone())


def _folder(job: Job) -> str:
    """The state of the folder that a run was for; what follows it tells two runs of one state apart."""
    return (job.slot or "").partition(".")[0]


def _its_turn(runs: Sequence[Job], state: str, since: float, now: float) -> bool:
    """Is a run for this state called for, after these, the newest first?"""
    last = runs[0]
    if last.state == "queued":
        return False
    if _folder(last) != state:
        return True
    if last.state in ("done", "running") or last.ended is None:
        return False
    if last.state == "lost" and not _tried(runs[1:], state):
        return True
    if last.ended < since:
        return True  # who starts a scheduler anew asks for it, also after somebody called the run off
    tries = _tried(runs, state)
    return bool(tries) and now >= last.ended + min(AGAIN * 2.0 ** (tries - 1), SELDOM)


def _tried(runs: Sequence[Job], state: str) -> int:
    """How many of the newest runs, one after the other, did not get through this state."""
    bad = (job.state in ("failed", "lost") and _folder(job) == state for job in runs)
    return sum(1 for _ in takewhile(bool, bad))


def _same(job: Job, order: Order) -> Job:
    if Order(job.kind, job.args).text() != order.text():
        raise JobError(f"key {job.key!r} was used for another order, job {job.id}; take a new key")
    return job
