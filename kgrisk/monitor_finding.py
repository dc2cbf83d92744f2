"""Finding of a monitor: what was looked at, its value beside its limit, and what to do where it is over it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from kg.model import TIME

ROWS: Final = pa.schema(
    [
        ("monitor", pa.string()),
        ("what", pa.string()),
        ("value", pa.float64()),
        ("limit", pa.float64()),
        ("unit", pa.string()),
        ("alert", pa.bool_()),
        ("since", TIME),
        ("note", pa.string()),
        ("todo", pa.string()),
    ]
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    monitor: str
    """drift, freshness, calibration, latency or model."""
    what: str
    value: float | None
    limit: float | None
    """None where nothing can be too much, as too little is known."""
    unit: str = ""
    note: str = ""
    """How the value came about, and what else is known of it."""
    todo: str = ""
    """What to do where it is an alert."""
    failed: bool = False
    """An alert whatever the value."""
    since: datetime | None = None
    """Since when it is an alert without a break, as far as refreshes have looked; None where it is none."""

    @property
    def alert(self) -> bool:
        over = self.value is not None and self.limit is not None and self.value > self.limit
        return self.failed or over

    def row(self) -> dict[str, Any]:
        """The finding as one row; what to do is told of alerts alone."""
        told = asdict(self)
        told.pop("failed")
        return {**told, "alert": self.alert, "todo": self.todo if self.alert else ""}

    def dated(self, since: datetime) -> Finding:
        """The same, an alert since then at the latest."""
        return replace(self, since=self.since or since) if self.alert else replace(self, since=None)
