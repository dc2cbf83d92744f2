"""Moments as every clock of the ledger holds them: in UTC, from FIRST to LAST, written with a fixed width."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from kg.errors import ClockError

FIRST = datetime(1, 1, 1, tzinfo=UTC)
"""Open start of an interval."""
LAST = datetime(9999, 12, 31, tzinfo=UTC)
"""Open end of an interval."""
EVER = LAST - timedelta(days=1)
"""The `published` that leaves nothing out; earlier than every open end."""


def as_time(moment: date | datetime) -> datetime:
    """UTC datetime of a date (its midnight) or a datetime with a zone; ClockError without one."""
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if moment.tzinfo is None:
        raise ClockError(f"time {moment.isoformat()} has no zone; give one, for example tzinfo=UTC")
    return moment.astimezone(UTC)


def iso(moment: date | datetime) -> str:
    """Fixed-width UTC text with microseconds, as stores and parameters hold every clock."""
    t = as_time(moment)
    return f"{t.year:04d}-{t.month:02d}-{t.day:02d}T{t.hour:02d}:{t.minute:02d}:{t.second:02d}.{t.microsecond:06d}Z"


def day(text: str) -> datetime:
    """Midnight UTC of an ISO date such as 2024-09-28."""
    return as_time(date.fromisoformat(text[:10]))


def next_day(moment: datetime) -> datetime:
    """One day later: the open end of an interval that includes the day of `moment`."""
    return moment + timedelta(days=1)
