"""Rules: when a schedule runs. The same rule names the same slots to every scheduler, so that a slot is run once."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from kg.errors import SettingsError
from kgrisk.jobs.queue import Slot

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_EVERY = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_DAYS = r"(?:mon|tue|wed|thu|fri|sat|sun)"
_WEEK = re.compile(rf"(?:\*|{_DAYS}(?:-{_DAYS})?(?:,{_DAYS}(?:-{_DAYS})?)*)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
GRACE: Final = timedelta(minutes=5)
"""How late a slot of a cron rule may begin."""
LISTED: Final = 50
"""Missed slots written down one by one; of more the oldest are one row with their number."""
BACK: Final = timedelta(days=31)
"""How far back slots are counted that nobody saw."""


@dataclass(frozen=True)
class Gone:
    """Slots between two moments: how many there were, and the newest of them."""

    count: int
    first: datetime
    newest: list[Slot]


class Every:
    """A slot at each multiple of a span since 1970 UTC; it may begin until the next one comes."""

    def __init__(self, text: str) -> None:
        self.span = interval(text)
        self.name = f"every {text.strip().lower()}"

    @property
    def trigger(self) -> Any:
        """The rule as the clock of APScheduler takes it."""
        return IntervalTrigger(seconds=self.span.total_seconds(), start_date=_EPOCH, timezone=UTC)

    def fresh(self, now: datetime) -> datetime:
        """From where on a schedule that nobody ran before is due: the slot that is on now begins at once."""
        return now - self.span

    def between(self, after: datetime, until: datetime) -> Gone | None:
        """The slots after one moment up to another."""
        first, last = (after - _EPOCH) // self.span + 1, (until - _EPOCH) // self.span
        if last < first:
            return None
        times = [_EPOCH + number * self.span for number in range(max(first, last - LISTED + 1), last + 1)]
        slots = [_slot(moment, moment + self.span) for moment in times]
        return Gone(last - first + 1, _EPOCH + first * self.span, slots)


class Cron:
    """A slot at each time a rule names, in a time zone; it may begin five minutes late, or until the next one."""

    def __init__(self, text: str, zone: str = "UTC") -> None:
        self.trigger = cron(text, zone)
        self.name = f"cron {' '.join(text.lower().split())} {zone}"

    def fresh(self, now: datetime) -> datetime:
        """A schedule that nobody ran before waits for its first slot."""
        return now

    def between(self, after: datetime, until: datetime) -> Gone | None:
        """The slots after one moment up to another, looking back a month at most."""
        count, times, begin = 0, deque[datetime](maxlen=LISTED + 1), until
        for moment in self._from(max(after, until - BACK)):
            times.append(moment)
            if moment > until:
                break
            begin, count = (begin, count + 1) if count else (moment, 1)
        ends = [*list(times)[1:], until + BACK]
        slots = [_slot(own, min(own + GRACE, end)) for own, end in zip(times, ends, strict=True) if own <= until]
        return Gone(count, begin, slots) if count else None

    def _from(self, after: datetime) -> Iterator[datetime]:
        while (moment := _next(self.trigger, after)) is not None:
            after = moment.astimezone(UTC)
            yield after


Rule = Every | Cron


def coming(rule: Rule, now: datetime, count: int = 3) -> list[datetime]:
    """The next times of a rule, in its own time zone."""
    times: list[datetime] = []
    while len(times) < count and (moment := _next(rule.trigger, times[-1] if times else now)) is not None:
        times.append(moment)
    return times


def _next(trigger: Any, after: datetime) -> datetime | None:
    """The first time after a moment. Steps are taken in UTC: in local time an hour comes twice when clocks go back."""
    step = after.astimezone(UTC) + timedelta(microseconds=1)
    moment: datetime | None = trigger.get_next_fire_time(None, step)
    return moment


def interval(text: str, option: str = "--every") -> timedelta:
    """Time of `90s`, `15m`, `1h`, `1d`, `1w`. SettingsError for anything else and for less than a second."""
    match = _EVERY.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if seconds < 1:
        raise SettingsError(f"{option} {text!r}: write a number and s, m, h, d or w, at least 1s, such as 1h")
    try:
        return timedelta(seconds=seconds)
    except OverflowError as error:
        raise SettingsError(f"{option} {text!r}: that is longer than time is counted; write 1w or less") from error


def cron(text: str, zone: str = "UTC") -> CronTrigger:
    """The times of `mon-fri 06:30`, or of five crontab fields with days of the week by name. SettingsError.

    Days by number are refused: crontab counts them from Sunday, and others from Monday.
    """
    fields = text.lower().split()
    given = f"--cron {text!r}"
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise SettingsError(f"--timezone {zone!r} is not known; write a name such as Europe/Berlin, or UTC") from error
    if len(fields) not in (2, 5):
        raise SettingsError(f"{given}: write days and a time, such as 'mon-fri 06:30', or five fields of crontab")
    week = fields[0] if len(fields) == 2 else fields[4]
    if not _WEEK.fullmatch(week):
        raise SettingsError(
            f"{given}: days of the week are written by name, such as mon-fri or sat,sun; given {week!r}"
        )
    if len(fields) == 2:
        match = _CLOCK.fullmatch(fields[1])
        if match is None:
            raise SettingsError(f"{given}: {fields[1]!r} is no time of day; write it as 06:30")
        fields = [match[2], match[1], "*", "*", week]
    try:
        minute, hour, day, month, week = fields
        made = CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=week, timezone=place)
    except ValueError as error:
        raise SettingsError(f"{given}: {error}; such as 'mon-fri 06:30' or '30 6 * * mon-fri'") from error
    if _next(made, datetime.now(UTC)) is None:
        raise SettingsError(f"{given}: there is no such day in any year to come")
    return made


def _slot(moment: datetime, expires: datetime) -> Slot:
    return moment.isoformat(), moment.timestamp(), expires.timestamp()
