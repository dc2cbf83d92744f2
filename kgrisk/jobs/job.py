"""Job: one run that was asked for, as its row in the run table tells it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from kg.errors import KgRiskError
from kg.model import iso

State = Literal["queued", "running", "done", "failed", "lost", "cancelled", "missed"]
OVER: Final = ("done", "failed", "lost", "cancelled", "missed")
"""States that a run never leaves."""


class JobError(KgRiskError):
    """A job cannot be asked for, found or stopped as it was asked."""


class CancelledError(JobError):
    """The run was told to stop."""


@dataclass(frozen=True)
class Order:
    """What is to be run, and how: all that whoever runs it has to know."""

    kind: str = "refresh"
    args: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Equal for equal orders."""
        return json.dumps([self.kind, self.args], sort_keys=True)


@dataclass(frozen=True)
class Job:
    """One row of the run table. Times are seconds since 1970."""

    number: int
    id: str
    kind: str
    args: dict[str, Any]
    who: str
    """Who asked: a holder of a key, `schedule`, or `by hand`."""
    state: State
    schedule: str
    slot: str | None
    """What a schedule ran for: a time, or the state of a folder, with the number of the run before where there is one;
    no two runs have the same one."""
    key: str | None
    attempt: int
    fence: int
    """Token of the claim, one higher than any before it."""
    due: float
    expires: float | None
    """When a slot that nobody began is missed."""
    lease_until: float | None
    heartbeat: float | None
    stage: str
    said: str
    """The last line of progress."""
    progress: float
    cancel: bool
    stats: dict[str, Any]
    error: str
    host: str
    pid: int
    created: float
    begun: float | None
    ended: float | None

    @classmethod
    def read(cls, row: sqlite3.Row) -> Job:
        values = dict(row)
        values |= {"args": json.loads(values["args"]), "stats": json.loads(values["stats"])}
        return cls(**{**values, "cancel": bool(values["cancel"])})

    @property
    def over(self) -> bool:
        return self.state in OVER

    def told(self) -> dict[str, Any]:
        """What people and programs are told, times as text."""
        plain = ("id", "kind", "state", "who", "schedule", "slot", "attempt", "stage", "said", "progress", "stats")
        times = ("created", "due", "begun", "heartbeat", "ended")
        own = {name: getattr(self, name) for name in plain}
        asked = {"folder": bool(self.args.get("folder")), "whole": bool(self.args.get("whole"))}
        return own | asked | {"error": self.error} | {name: moment(getattr(self, name)) for name in times}


def moment(seconds: float | None) -> str | None:
    """Seconds since 1970 as ISO text."""
    return None if seconds is None else iso(datetime.fromtimestamp(seconds, UTC))
