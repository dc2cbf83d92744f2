"""The schedule: a refresh again and again; a slot that is missed is written down, not made up for.

APScheduler 3.11 is the clock. Each refresh is a process of its own, so that what it loads (a Java machine, a tensor
library) is given back, and one that dies takes no schedule with it. The lock is that of refresh, so a refresh by hand
and two schedules never overlap.
"""

from __future__ import annotations

import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger

from kg.errors import KgRiskError, LeaseHeldError, SettingsError
from kgrisk.refresh import RunFile, lock

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_EVERY = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
DONE = (0, 3)
"""Exit codes of a refresh that went through, the second with quarantined records."""
log = logging.getLogger(__name__)


def interval(text: str) -> timedelta:
    """Time of `90s`, `15m`, `1h`, `1d`, `1w`. SettingsError for anything else and for less than a second."""
    match = _EVERY.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if seconds < 1:
        raise SettingsError(f"--every {text!r}: write a number and s, m, h, d or w, at least 1s, such as 1h")
    return timedelta(seconds=seconds)


def refresh_in_a_process(home: Path, args: Sequence[str]) -> dict[str, Any]:
    """Run `kgrisk refresh` and wait; returns its run file.

    LeaseHeldError if another refresh runs, KgRiskError if this one fails.
    """
    with lock(home):
        pass  # free a moment ago: that one which takes it now is told so by the refresh itself
    command = [sys.executable, "-m", "kgrisk.cli", "refresh", "--json", "--home", str(home), *args]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode not in DONE:
        raise KgRiskError(f"the refresh ended with exit code {done.returncode}; what it said stands above")
    run: dict[str, Any] = json.loads(done.stdout)
    return run


class Schedule:
    """Runs a job every so often until it is stopped, and records what it could not run."""

    def __init__(self, every: timedelta, job: Callable[[], Any], runs: Path, times: int | None = None) -> None:
        self.every, self.job, self.runs, self.left = every, job, runs, times
        self.scheduler = BlockingScheduler(timezone=UTC)
        self.scheduler.add_listener(self._missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def run(self) -> None:
        """Start now and go on until SIGINT, SIGTERM or `times` runs; a run in progress is ended first."""
        grace = max(1, int(self.every.total_seconds() / 2))
        self.scheduler.add_job(
            self._slot,
            IntervalTrigger(seconds=self.every.total_seconds(), timezone=UTC),
            next_run_time=datetime.now(UTC),
            max_instances=1,
            coalesce=False,
            misfire_grace_time=grace,
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        self.scheduler.start()

    def _slot(self) -> None:
        """One slot: a failure is recorded by the run itself and the next slot tries again."""
        try:
            self.job()
        except LeaseHeldError as error:
            self._record(datetime.now(UTC), str(error))
        except KgRiskError:
            log.exception("the refresh failed; the next slot tries again")
        finally:
            if self.left is not None:
                self.left -= 1
                if self.left <= 0:
                    self.scheduler.shutdown(wait=False)

    def _missed(self, event: Any) -> None:
        times = getattr(event, "scheduled_run_times", None) or [event.scheduled_run_time]
        busy = event.code == EVENT_JOB_MAX_INSTANCES
        for slot in times:
            self._record(slot, "the refresh before it was still running" if busy else "the slot came too late")

    def _record(self, slot: datetime, reason: str) -> None:
        """Write a run file for a slot that was not used."""
        log.warning("slot %s was missed: %s", slot.isoformat(timespec="seconds"), reason)
        RunFile.start(self.runs, "missed", slot=slot, reason=reason).save(state="missed")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        log.info("stopping on signal %d", number)
        self.scheduler.shutdown(wait=False)
