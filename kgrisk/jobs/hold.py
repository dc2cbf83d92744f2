"""Hold: a claimed job in the hands of the process that does it: its token is asked for before every write."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from kg.errors import KgRiskError, StaleWriterError
from kgrisk.jobs.job import CancelledError, Job, Order
from kgrisk.jobs.table import Table
from kgrisk.result import plain

STAGES: Final = ("ingest", "resolve", "train", "risk", "sync")
"""In the order a refresh goes through them."""
OFTEN: Final = 0.5
"""Least seconds between two lines of progress that are written down, unless a stage ends."""
ORPHANED: Final = 70
"""Exit code of a run whose worker is gone."""


class Hold:
    """A job that this process runs under a claim."""

    def __init__(self, table: Table, job: Job) -> None:
        self.table, self.job = table, job
        self._stage, self._progress, self._written = "", 0.0, 0.0

    def check(self) -> None:
        """StaleWriterError if another has claimed since, CancelledError if the run was told to stop."""
        self.table.check(self.job)

    def tell(self, line: str) -> None:
        """One line of progress; raises what `check` raises, so that a long stage ends when it is told to."""
        self.check()
        stage = line.partition(":")[0]
        if stage in STAGES:
            self._stage, self._progress = stage, (STAGES.index(stage) + 1) / len(STAGES)
        elif time.monotonic() - self._written < OFTEN:
            return
        self._written = time.monotonic()
        self.table.tell(self.job, line[:500], self._stage, self._progress)


def given(table: Table, ticket: str) -> Hold:
    """The job of a ticket `id:token`, claimed by the worker that started this process. StaleWriterError if it is old.

    The process ends as soon as its worker does: a pipe from there is its input, and that ends with the worker.
    """
    id, _, token = ticket.partition(":")
    job = table.get(id)
    if str(job.fence) != token or job.state != "running":
        raise StaleWriterError(f"ticket {ticket} is old: job {id} is {job.state} with token {job.fence}")
    threading.Thread(target=_end_with_worker, name="kgrisk-worker-gone", daemon=True).start()
    return Hold(table, job)


def _end_with_worker() -> None:
    while os.read(0, 1024):
        pass
    os._exit(ORPHANED)  # at once: whatever was not committed is repeated by the next run


@contextmanager
def by_hand(table: Table, order: Order) -> Iterator[Hold]:
    """A job begun here and now, with signs of life while it is in hand. LeaseHeldError if another runs.

    What is raised inside is how it ended.
    """
    hold = Hold(table, table.begin(order, "by hand"))
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(hold, ended), name="kgrisk-beat", daemon=True)
    beating.start()
    try:
        yield hold
    except (CancelledError, KeyboardInterrupt) as error:
        table.end(hold.job, "cancelled", error=str(error) or "interrupted")
        raise
    except StaleWriterError:
        raise  # another process has said what became of this run
    except BaseException as error:
        table.end(hold.job, "failed", error=f"{type(error).__name__}: {error}")
        raise
    finally:
        ended.set()
        beating.join()


def _beat(hold: Hold, ended: threading.Event) -> None:
    while not ended.wait(hold.table.lease / 4):
        try:
            hold.table.beat(hold.job)
        except KgRiskError:
            return  # lost or over: the next check says so to the run itself


def stats(run: Mapping[str, Any]) -> dict[str, Any]:
    """What the run table keeps of a run file."""
    kept = {name: run[name] for name in ("commit", "quarantined", "skipped") if name in run}
    took = {stage["name"]: round(stage["seconds"], 3) for stage in run.get("stages", ())}
    own: dict[str, Any] = plain({**kept, "seconds": took})
    return own
