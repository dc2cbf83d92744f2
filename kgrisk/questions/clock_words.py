"""Clock words: the times in a question, such as `as known on 2023-06-30`, `in March 2023`, `since 2021`."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from kg.model import AsOf, as_time

_MONTHS: Final = {name.lower(): number for number, name in enumerate(calendar.month_name) if number}
_MONTHS_OR: Final = "|".join(_MONTHS)
_DAY: Final = (
    rf"(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTHS_OR}),? \d{{4}}|"
    rf"(?:{_MONTHS_OR}) \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|(?:{_MONTHS_OR}) \d{{4}}|\d{{4}}-\d{{2}}|"
    rf"(?:the )?(?:first|second) half of \d{{4}}|q[1-4] \d{{4}}|\d{{4}})"
)
_BY: Final = r"(?:on|by|at|in|until|before|as of|at the end of|the end of)"
KNOWN: Final = re.compile(
    rf",?\s*(?:as\s+)?(?:it was\s+|was\s+|we\s+)?(?:known|recorded|knew|believed)(?: to us)?\s+{_BY}\s+({_DAY})\b", re.I
)
PUBLISHED: Final = re.compile(
    rf",?\s*as\s+(?:it was\s+|was\s+)?(?:published|public|reported|disclosed)\s+{_BY}\s+({_DAY})\b", re.I
)
BETWEEN: Final = re.compile(rf",?\s*\b(?:between|from)\s+({_DAY})\s+(?:and|to|until)\s+({_DAY})\b", re.I)
SINCE: Final = re.compile(rf",?\s*\b(?:since|after)\s+({_DAY})\b", re.I)
BEFORE: Final = re.compile(rf",?\s*\b(?:before|until|up to)\s+({_DAY})\b", re.I)
WITHIN: Final = re.compile(
    rf",?\s*\b(?:in|on|during|for|as of|at the end of|by the end of|over|throughout|per)\s+"
    rf"(?:the year\s+|fiscal year\s+|the fiscal year\s+|financial year\s+)?({_DAY})\b",
    re.I,
)
FIRST: Final = date(1, 1, 2)


@dataclass(frozen=True)
class Times:
    """What a question says of time: two clocks, and the days it speaks of."""

    rest: str
    """The question without its times."""
    known: date | None = None
    published: date | None = None
    since: date | None = None
    """First day spoken of."""
    until: date | None = None
    """Day after the last one spoken of."""

    def at(self, given: AsOf, valid: bool) -> AsOf:
        """The clocks given, with those of the question in their place; `valid`: the last day spoken of counts."""
        day = self.until - timedelta(days=1) if valid and self.until else None
        return AsOf(
            as_time(day) if day else given.valid,
            as_time(self.known) if self.known else given.known,
            as_time(self.published) if self.published else given.published,
        )


def times(question: str) -> Times:
    """The times of a question."""
    rest, known = _taken(question, KNOWN)
    rest, published = _taken(rest, PUBLISHED)
    clocks = {"known": _end(known), "published": _end(published)}
    if found := BETWEEN.search(rest):
        first, last = (_span(text) for text in found.groups())
        if first and last:
            return Times(_without(rest, found), **clocks, since=first[0], until=last[1])
    if (found := SINCE.search(rest)) and (day := _span(found[1])):
        begin = day[1] if found[0].lower().lstrip(" ,").startswith("after") else day[0]
        return Times(_without(rest, found), **clocks, since=begin, until=None)
    if (found := BEFORE.search(rest)) and (day := _span(found[1])):
        return Times(_without(rest, found), **clocks, since=FIRST, until=day[0])
    if (found := WITHIN.search(rest)) and (day := _span(found[1])):
        return Times(_without(rest, found), **clocks, since=day[0], until=day[1])
    return Times(rest, **clocks)


def _taken(text: str, pattern: re.Pattern[str]) -> tuple[str, str]:
    found = pattern.search(text)
    return (_without(text, found), found[1]) if found else (text, "")


def _without(text: str, found: re.Match[str]) -> str:
    return " ".join((text[: found.start()] + " " + text[found.end() :]).split())


def _end(text: str) -> date | None:
    """The last day that a text speaks of."""
    span = _span(text) if text else None
    return span[1] - timedelta(days=1) if span else None


def _span(text: str) -> tuple[date, date] | None:
    """First day, and the day after the last, of a day, month, quarter, half or year; None for a day there is not."""
    text = text.lower().replace(",", "")
    try:
        if found := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text):
            return _one(date(*map(int, found.groups())))
        if found := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)? (\w+) (\d{4})", text):
            return _one(date(int(found[3]), _MONTHS[found[2]], int(found[1])))
        if found := re.fullmatch(r"(\w+) (\d{1,2})(?:st|nd|rd|th)? (\d{4})", text):
            return _one(date(int(found[3]), _MONTHS[found[1]], int(found[2])))
        if found := re.fullmatch(r"q([1-4]) (\d{4})", text):
            return _months(int(found[2]), 3 * int(found[1]) - 2, 3)
        if found := re.fullmatch(r"(?:the )?(first|second) half of (\d{4})", text):
            return _months(int(found[2]), 1 if found[1] == "first" else 7, 6)
        if found := re.fullmatch(r"(\w+) (\d{4})", text):
            return _months(int(found[2]), _MONTHS[found[1]], 1)
        if found := re.fullmatch(r"(\d{4})-(\d{2})", text):
            return _months(int(found[1]), int(found[2]), 1)
        return _months(int(text), 1, 12)
    except (ValueError, KeyError):
        return None


def _one(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _months(year: int, month: int, count: int) -> tuple[date, date]:
    last = month + count
    return date(year, month, 1), date(year + (last - 1) // 12, (last - 1) % 12 + 1, 1)
