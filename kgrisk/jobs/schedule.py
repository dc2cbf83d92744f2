"""The schedule: runs asked for by the clock or by a folder; a slot that is missed is written down, not made up for.

APScheduler 3.11 is the clock. What is due stands in the run table, where whoever is free takes it: two schedules of the
same rule run each slot once, and a run by hand, one over HTTP and two schedules never overlap.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import Any, Final

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger

from kg.errors import KgRiskError
from kgrisk.jobs.job import Job, Order
from kgrisk.jobs.rules import Rule
from kgrisk.jobs.watch import Watch
from kgrisk.jobs.worker import Worker

LOOK: Final = 1.0
"""Seconds between two looks at what waits and at a watched folder."""
NOBODY: Final = "no scheduler was there"
log = logging.getLogger(__name__)


class Schedule:
    """Offers the slots of a rule to the run table, and runs what waits there, until it is stopped."""

    def __init__(
        self,
        rule: Rule | Watch,
        order: Order,
        worker: Worker,
        times: int | None = None,
        tell: Callable[[Job], None] = lambda job: None,
    ) -> None:
        self.rule, self.order, self.worker, self.left, self.tell = rule, order, worker, times, tell
        self.table = worker.table
        self.name = f"{rule.name} of {order.args.get('folder') or 'the ledger'}"
        self._busy, self._ending = threading.Lock(), threading.Event()
        self._clock: Any = None
        self._said = self._since = self.table.clock()

    # ---- one look

    def look(self) -> None:
        """Offer what is due by now, then run all that waits."""
        self.offer()
        if not self._busy.acquire(blocking=False):
            return
        try:
            while not self._ending.is_set() and (job := self.worker.turn()) is not None:
                self._told(job)
            self._say_missed()
        finally:
            self._busy.release()

    def offer(self) -> list[Job]:
        """Put the slots that came since the last look, by any scheduler, into the table; returns the new ones."""
        now = self.table.clock()
        if isinstance(self.rule, Watch):
            state = self.rule.state(now)
            return self.table.offer_state(self.name, state, self._since, self.order) if state else []
        moment, seen = datetime.fromtimestamp(now, UTC), self.table.seen(self.name)
        gone = self.rule.between(datetime.fromisoformat(seen) if seen else self.rule.fresh(moment), moment)
        if gone is None:
            return []
        if (older := gone.count - len(gone.newest)) > 0:
            slot = f"{older} slots from {gone.first.isoformat()} on"
            self.table.miss(self.name, slot, gone.first.timestamp(), NOBODY)
        return self.table.offer(self.name, gone.newest[-1][0], gone.newest, self.order)

    def _say_missed(self) -> None:
        for job in reversed(self.table.page(50, state="missed")):
            if job.ended is not None and job.ended > self._said:
                self._said = job.ended
                log.warning("slot %s of %s was missed: %s", job.slot, job.schedule, job.error)

    def _told(self, job: Job) -> None:
        self.tell(job)
        if job.over and self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.end()

    # ---- for as long as it takes

    def run(self) -> None:
        """Go on until SIGINT, SIGTERM or `times` runs. A run in progress may end; a second signal ends it."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # that a look is left out while a run goes on
        self._clock = BlockingScheduler(timezone=UTC)
        always = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        self._clock.add_job(self._safely, IntervalTrigger(seconds=LOOK), next_run_time=datetime.now(UTC), **always)
        if not isinstance(self.rule, Watch):
            self._clock.add_job(self._safely, self.rule.trigger, **always)
        before = {number: signal.signal(number, self._signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._clock.start()
            with self._busy:
                pass  # the run in progress has ended
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def end(self) -> None:
        """No further run begins."""
        if not self._ending.is_set():
            self._ending.set()
            if self._clock is not None:
                self._clock.shutdown(wait=False)

    def _safely(self) -> None:
        try:
            self.look()
        except KgRiskError:
            log.exception("the schedule could not look at what is due; the next look tries again")

    def _signal(self, number: int, frame: FrameType | None) -> None:
        if self._ending.is_set():
            self.worker.stop()
        else:
            log.warning("stopping on signal %d after the run in progress; a second one ends the run", number)
            self.end()
