"""Days that a text names, in full (`3rd of May 2023`), in part (`in March`) or from the publication (`last Tuesday`).

A period stands for its first day. What is not written out is the latest that lies before the publication: `on Friday`
may be the day of publication itself, `last Friday` may not. `last week`, `last month` and `last year` are the calendar
week, month and year before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ingest.extract.text.quantities import Moment, read_date

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "final": 4}
_COUNTS: Final = {
    word: n
    for n, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)  # noqa: SIM905
} | {"a": 1, "an": 1, "couple": 2, "a couple of": 2}
_MONTH: Final = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|"
    r"Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_YEAR: Final = r"(?:19|20)\d{2}"
_WEEKDAY: Final = r"(?P<weekday>(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)"
_PATTERNS: Final = tuple(
    re.compile(rf"(?<![\w-]){pattern}(?![\w-])")
    for pattern in (
        rf"(?P<iso>{_YEAR}-\d{{2}}-\d{{2}})",
        rf"(?P<full>\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH},? {_YEAR}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR})",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<of>{_MONTH})",
        rf"(?P<of>{_MONTH}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|,? ?{_YEAR})",
        rf"(?:the )?(?P<quarter>first|second|third|fourth|final)(?:[ -]quarter|[ -]fiscal quarter)"
        rf"(?: (?:of |in )?(?P<year>{_YEAR}))?",
        rf"Q(?P<quarter>[1-4])(?: |[ -]?FY ?)?(?P<year>{_YEAR})?",
        rf"(?:(?:[Ii]n|[Dd]uring|[Ss]ince|[Ee]arly|[Mm]id|[Ll]ate|[Ll]ast) (?:early |mid-|late )?)(?P<month>{_MONTH})"
        rf"(?:,? (?P<year>{_YEAR}))?(?! \d)",
        rf"(?<!\d )(?<!st )(?<!nd )(?<!rd )(?<!th )(?<!of )(?P<month>{_MONTH}) (?P<year>{_YEAR})",
        rf"(?:(?P<last>[Ll]ast )|[Oo]n |(?:[Ll]ate|[Ee]arly|[Tt]his) )?{_WEEKDAY}",
        r"(?P<near>[Yy]esterday|[Tt]oday)",
        rf"(?P<count>{'|'.join(sorted(_COUNTS, key=len, reverse=True))}|\d{{1,3}}) (?P<unit>day|week|month|year)s? "
        r"(?:ago|earlier)",
        r"(?:[Ee]arlier |[Ll]ater )?(?P<which>[Tt]his|[Ll]ast) (?P<span>week|month|quarter|year)",
        rf"(?:[Ii]n|[Ss]ince|[Dd]uring) (?P<alone>{_YEAR})",
    )
)


def find_dates(text: str, published: datetime) -> list[Moment]:
    """Days in the order of the text; where two readings overlap the longer one counts."""
    base = published.astimezone(UTC).date()
    found = [moment for pattern in _PATTERNS for moment in _read(pattern, text, base)]
    kept: list[Moment] = []
    for moment in sorted(found, key=lambda m: (m.start - m.end, m.start)):
        if all(moment.end <= other.start or other.end <= moment.start for other in kept):
            kept.append(moment)
    return sorted(kept, key=lambda m: m.start)


def _read(pattern: re.Pattern[str], text: str, base: date) -> Iterator[Moment]:
    for match in pattern.finditer(text):
        said = {name: value for name, value in match.groupdict().items() if value}
        try:
            when = next(read for name, read in _READERS.items() if name in said)(said, base)
        except (ValueError, OverflowError):
            continue  # 31 February is no day
        if when is not None:
            day = datetime(when.year, when.month, when.day, tzinfo=UTC)
            yield Moment(match.start(), match.end(), day, "quarter" in said or said.get("span") == "quarter")


def _written(said: dict[str, str], base: date) -> date | None:
    """A day with its year: dateparser knows the ways to write one."""
    words = re.sub(r"\bof ", "", said.get("iso") or said["full"])
    when = read_date(words, datetime(base.year, base.month, base.day, tzinfo=UTC))
    return when.date() if when else None


def _of_month(said: dict[str, str], base: date) -> date | None:
    month, day = _number(said["of"]), int(said["day"])
    years = (base.year - back for back in range(9) if day < 29 or _there(base.year - back, month, day))
    return next((found for year in years if (found := date(year, month, day)) <= base), None)


def _there(year: int, month: int, day: int) -> bool:
    try:
        return bool(date(year, month, day))
    except ValueError:
        return False


def _quarter(said: dict[str, str], base: date) -> date:
    month = 3 * (_ORDINALS.get(said["quarter"]) or int(said["quarter"])) - 2
    return _begun(said, month, base)


def _month(said: dict[str, str], base: date) -> date:
    return _begun(said, _number(said["month"]), base)


def _begun(said: dict[str, str], month: int, base: date) -> date:
    """The first of a month of the year said, else of the last one that has begun."""
    if "year" in said:
        return date(int(said["year"]), month, 1)
    return date(base.year if month <= base.month else base.year - 1, month, 1)


def _number(month: str) -> int:
    return _MONTHS.index(month[:3].lower()) + 1


def _weekday(said: dict[str, str], base: date) -> date:
    back = (base.weekday() - _DAYS.index(said["weekday"].lower())) % 7
    return base - timedelta(days=back or (7 if "last" in said else 0))


def _near(said: dict[str, str], base: date) -> date:
    return base - timedelta(days=said["near"].lower() == "yesterday")


def _ago(said: dict[str, str], base: date) -> date:
    count = _COUNTS.get(said["count"]) or int(said["count"])
    if said["unit"] in ("day", "week"):
        return base - timedelta(days=count * (7 if said["unit"] == "week" else 1))
    months = base.year * 12 + base.month - 1 - count * (12 if said["unit"] == "year" else 1)
    return date(months // 12, months % 12 + 1, min(base.day, 28))


def _span(said: dict[str, str], base: date) -> date:
    last = said["which"].lower() == "last"
    if said["span"] == "week":
        return base - timedelta(days=base.weekday() + 7 * last)
    if said["span"] == "year":
        return date(base.year - last, 1, 1)
    first = base.month - (base.month - 1) % 3 if said["span"] == "quarter" else base.month
    months = base.year * 12 + first - 1 - last * (3 if said["span"] == "quarter" else 1)
    return date(months // 12, months % 12 + 1, 1)


def _alone(said: dict[str, str], base: date) -> date:
    return date(int(said["alone"]), 1, 1)


_READERS: Final[dict[str, Callable[[dict[str, str], date], date | None]]] = {
    "iso": _written,
    "full": _written,
    "of": _of_month,
    "quarter": _quarter,
    "month": _month,
    "weekday": _weekday,
    "near": _near,
    "count": _ago,
    "span": _span,
    "alone": _alone,
}
