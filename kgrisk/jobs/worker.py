"""Worker: claims a job and runs it in a process of its own, with signs of life, until it ends or is told to stop.

A process of its own, so that what a run loads (a Java machine, a tensor library) is given back, and one that dies takes
nobody with it. It ends with its worker: its input is a pipe that nobody else holds open.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kg.errors import StaleWriterError
from kgrisk.jobs.hold import stats
from kgrisk.jobs.job import CancelledError, Job
from kgrisk.jobs.table import Table

DONE: Final = (0, 3)
"""Exit codes of a refresh that went through, the second with quarantined records."""
LOOK: Final = 0.25
"""Seconds between two looks at a process."""
PATIENCE: Final = 10.0
"""Seconds a run that was told to stop has for ending by itself, and then for ending when it is terminated."""
LONGEST: Final = 900.0
"""Seconds between two tries at most, before the jitter."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retries:
    """How often what failed is tried again, and after how long: each time twice as long, a half more or less."""

    count: int = 2
    wait: float = 30.0
    seed: int = 0

    def after(self, job: Job) -> float:
        """Seconds until the next try. The jitter is a hash of seed, slot and attempt, uniform on [0.5, 1.5)."""
        digest = hashlib.sha256(f"{self.seed}:{job.slot or job.number}:{job.attempt}".encode()).digest()
        jitter = 0.5 + int.from_bytes(digest[:4], "big") / 2**32
        return min(self.wait * 2.0 ** (job.attempt - 1), LONGEST) * jitter


@dataclass
class Ended:
    """How a process ended, and why it was made to."""

    code: int
    out: str
    err: str
    why: str
    """Empty if it ended by itself, else `cancelled`, `stopped` or `stale`."""

    @property
    def error(self) -> str:
        """The last error it told, else the last thing it said, or how it ended."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        told = [line for line in lines if line.startswith("error: ")] or lines  # libraries may speak after the end
        said = told[-1].removeprefix("error: ")[:2000] if told else ""
        return said or f"the process ended with exit code {self.code} and said nothing"


class Worker:
    """Runs jobs of a table, one after another."""

    def __init__(self, table: Table, home: Path, more: Sequence[str] = (), retries: Retries = Retries()) -> None:
        self.table, self.home, self.more, self.retries = table, home.resolve(), tuple(more), retries
        self._stop = threading.Event()

    def stop(self) -> None:
        """End the run in progress; it is put back to wait."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def turn(self) -> Job | None:
        """Run the job that waits longest, and tell how it stands after that; None if there was none to run."""
        job = None if self.stopping else self.table.claim()
        if job is None:
            return None
        try:
            self._record(job, self._run(job))
        except StaleWriterError as error:
            log.warning("%s", error)
        return self.table.find(job.id)

    def command(self, job: Job) -> list[str]:
        """What runs a job: it finds all else in the table, under its ticket."""
        ticket = f"{job.id}:{job.fence}"
        own = [sys.executable, "-m", "kgrisk.cli", job.kind, "--json", "--home", str(self.home), "--ticket", ticket]
        return [*own, *self.more]

    def _run(self, job: Job) -> Ended:
        theirs, ours = os.pipe()
        try:
            child = subprocess.Popen(
                self.command(job),
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl+C stops the schedule after the run, not the run
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        try:
            return self._attend(job, child)
        finally:
            os.close(ours)

    def _attend(self, job: Job, child: subprocess.Popen[str]) -> Ended:
        """Beat and look until the process has ended; make it end where that is called for."""
        why, since, beaten = "", 0.0, time.monotonic()
        while True:
            try:
                out, err = child.communicate(timeout=LOOK)
                return Ended(child.returncode, out, err, why)
            except subprocess.TimeoutExpired:
                now = time.monotonic()
            if not why and (why := self._called_off(job, now - beaten > self.table.lease / 4)):
                since = now
            beaten = now if now - beaten > self.table.lease / 4 else beaten
            if why:
                _end(child, why, now - since)

    def _called_off(self, job: Job, beat: bool) -> str:
        try:
            if beat:
                self.table.beat(job)
            self.table.check(job)
        except CancelledError:
            return "cancelled"
        except StaleWriterError:
            return "stale"
        return "stopped" if self.stopping else ""

    def _record(self, job: Job, ended: Ended) -> None:
        if ended.code in DONE:
            self.table.end(job, "done", told(ended.out))
        elif ended.why == "cancelled":
            self.table.end(job, "cancelled", error=ended.error if ended.code > 0 else "ended when it was told to stop")
        elif ended.why == "stopped":
            self.table.again(job, self.table.clock(), "put back: its worker was stopped", failed=False)
        elif job.attempt <= self.retries.count:
            wait = self.retries.after(job)
            log.warning("attempt %d of run %s failed: %s; again in %.0f s", job.attempt, job.id, ended.error, wait)
            self.table.again(job, self.table.clock() + wait, ended.error)
        else:
            log.error("run %s failed: %s", job.id, ended.error)
            self.table.end(job, "failed", error=ended.error)


def told(out: str) -> dict[str, Any]:
    """What the run table keeps of what a run that went through printed: the last line that is a JSON object.

    A library may print too, so other lines are left alone, and a run that printed nothing to read has run all the same.
    """
    for line in reversed(out.splitlines()):
        with suppress(ValueError, TypeError, KeyError):  # of JSON, or of one that is no run file
            if isinstance(run := json.loads(line), dict):
                return stats(run)
    return {"note": "what the run printed could not be read; its run file below runs/ tells the same"}


def _end(child: subprocess.Popen[str], why: str, waited: float) -> None:
    """Who was cancelled may end by itself first; others are terminated, and killed if that is not enough."""
    patience = PATIENCE if why == "cancelled" else 0.0
    if waited >= patience + PATIENCE:
        child.kill()
    elif waited >= patience:
        child.terminate()


class Standby(threading.Thread):
    """A worker that waits for jobs beside something else, such as a server."""

    def __init__(self, worker: Worker, every: float = 1.0) -> None:
        super().__init__(name="kgrisk-worker", daemon=True)
        self.worker, self.every = worker, every
        self._wake = threading.Event()

    def run(self) -> None:
        while not self.worker.stopping:
            try:
                if self.worker.turn() is not None:
                    continue
            except Exception:  # whatever it is, the next job may go well
                log.exception("a job could not be run")
            self._wake.wait(self.every)
            self._wake.clear()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def stop(self) -> None:
        """End the run in progress and wait for that."""
        self.worker.stop()
        self.wake()
        self.join()
