"""Money, shares and dates in text, each with the characters it stands on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

CODES: Final = tuple(
    word
    for word in [
        "USD",
        "EUR",
        "GBP",
        "JPY",
        "CHF",
        "CNY",
        "CAD",
        "AUD",
        "NZD",
        "SEK",
        "NOK",
        "DKK",
        "PLN",
        "CZK",
        "HUF",
        "RON",
        "TRY",
        "RUB",
        "INR",
        "BRL",
        "MXN",
        "ZAR",
        "KRW",
        "SGD",
        "HKD",
        "TWD",
        "THB",
        "IDR",
        "MYR",
        "PHP",
        "VND",
        "AED",
        "SAR",
        "ILS",
    ]
)
_SIGNS: Final = {
    "US$": "USD",
    "A$": "AUD",
    "C$": "CAD",
    "HK$": "HKD",
    "S$": "SGD",
    "NZ$": "NZD",
    "R$": "BRL",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "Rs.": "INR",
    "Rs": "INR",
    "RM": "MYR",
}
_NAMES: Final = {
    "us dollar": "USD",
    "u.s. dollar": "USD",
    "dollar": "USD",
    "euro": "EUR",
    "pound sterling": "GBP",
    "pound": "GBP",
    "sterling": "GBP",
    "swiss franc": "CHF",
    "yen": "JPY",
    "yuan": "CNY",
    "rupee": "INR",
}
_SCALES: Final = {
    "thousand": 3, "k": 3, "lakh": 5, "million": 6, "mln": 6, "mn": 6, "mm": 6, "m": 6, "mio": 6, "mio.": 6, "crore": 7,
    "billion": 9, "bln": 9, "bn": 9, "b": 9, "mrd": 9, "mrd.": 9, "milliarden": 9, "millionen": 6,
    "trillion": 12, "tn": 12, "trn": 12,
}  # fmt: skip
_COMMA_DECIMAL: Final = frozenset({"mio", "mio.", "mrd", "mrd.", "millionen", "milliarden"})

_SIGN: Final = "|".join(re.escape(s) for s in sorted(_SIGNS, key=len, reverse=True))
_UNIT: Final = "|".join([*CODES, _SIGN])
_NUMBER: Final = r"\d+(?:[.,]\d+)*"
_SCALE: Final = "|".join(re.escape(s) for s in sorted(_SCALES, key=len, reverse=True))
_NAME: Final = "|".join(re.escape(n) for n in sorted(_NAMES, key=len, reverse=True))
_BEFORE: Final = re.compile(
    rf"(?<![\w$€£])(?P<unit>{_UNIT})[ \u00a0]?(?P<number>{_NUMBER})(?:[ \u00a0-]?(?P<scale>(?i:{_SCALE})))?(?!\w)"
)
_AFTER: Final = re.compile(
    rf"(?<![\w.,])(?P<number>{_NUMBER})(?:[ \u00a0-]?(?P<scale>(?i:{_SCALE})))?[ \u00a0-]?"
    rf"(?:(?P<unit>{'|'.join(CODES)}|[€£₹])|(?P<word>(?i:{_NAME})s?))(?!\w)"
)
_PERCENT: Final = re.compile(
    r"(?<![\w.,])(?P<number>\d{1,3}(?:[.,]\d+)?)[ \u00a0-]?(?:%|per cent\b|percent\b|pct\b)", re.I
)
_FRACTIONS: Final = {
    "half": 0.5,
    "one-half": 0.5,
    "one half": 0.5,
    "a third": 1 / 3,
    "one-third": 1 / 3,
    "two-thirds": 2 / 3,
    "two thirds": 2 / 3,
    "a quarter": 0.25,
    "one-quarter": 0.25,
    "three-quarters": 0.75,
    "three quarters": 0.75,
    "all": 1.0,
}
_FRACTION: Final = re.compile(
    rf"\b({'|'.join(_FRACTIONS)})(?= (?:of|the) (?:the |its |all )?(?:shares|capital|equity|stock|company|voting|"
    rf"outstanding|[A-Z]))",
    re.I,
)
_MONTH: Final = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|"
    r"Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_WEEKDAY: Final = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_DATE: Final = re.compile(
    rf"(?<!\w)(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}(?:st|nd|rd|th)? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|"
    rf"rd|th)?,? \d{{4}}"
    rf"|\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}}(?!\d)|{_MONTH} \d{{4}}|yesterday|today|(?:last |on ){_WEEKDAY}"
    rf"|(?:\d{{1,2}}|two|three|four|five|six) (?:days|weeks|months|years) ago|last (?:week|month|year)|in (?:19|"
    rf"20)\d{{2}})(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its ISO 4217 currency."""

    start: int
    end: int
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Share:
    """A share of a whole, 0 to 1."""

    start: int
    end: int
    value: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A date said in the text, read against the publication time."""

    start: int
    end: int
    when: datetime
    period: bool = False
    """True for a quarter, which says what a figure is for."""


def number(text: str, comma_decimal: bool = False) -> Decimal | None:
    """Value of a written number; None where comma and dot leave two readings.

    `1,234.5`, `1.234,5` and `1,234` have one reading in English text; `12,5` needs a sign that a comma marks decimals.
    """
    groups, last = re.split(r"[.,]", text), text.rstrip("0123456789")[-1:]
    if not last:
        return Decimal(text)
    signs = re.sub(r"\d", "", text)
    if len(set(signs)) == 2:  # the last sign marks the decimals if it stands once
        grouped = groups[1:-1] if signs.count(last) == 1 else []
        fits = bool(grouped) and all(len(g) == 3 for g in grouped) and len(groups[0]) <= 3
        return Decimal("".join(groups[:-1]) + "." + groups[-1]) if fits else None
    if len(signs) > 1 or (last == "," and not comma_decimal):
        thousands = all(len(g) == 3 for g in groups[1:]) and 0 < len(groups[0]) <= 3
        return Decimal("".join(groups)) if thousands else None
    if comma_decimal and last == "." and len(groups[1]) == 3:
        return None
    return Decimal(".".join(groups))


def money(text: str) -> list[Money]:
    """Amounts of money in the text, in order; what can be read in two ways is left out."""
    found: dict[int, Money] = {}
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(text):
            amount = _money(match)
            if amount and not any(m.start < amount.end and amount.start < m.end for m in found.values()):
                found[amount.start] = amount
    return [found[start] for start in sorted(found)]


def _money(match: re.Match[str]) -> Money | None:
    parts = match.groupdict()
    scale, unit = (parts["scale"] or "").lower(), parts["unit"]
    european = scale in _COMMA_DECIMAL or (
        "word" in parts and re.fullmatch(r"\d+,\d{1,2}", parts["number"]) is not None
    )
    value = number(parts["number"], european)
    if value is None or (not scale and re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", parts["number"])):
        return None  # 12.500 is twelve and a half or twelve thousand and a half
    currency = _currency(unit) if unit else _NAMES[parts["word"].lower().removesuffix("s")]
    return Money(match.start(), match.end(), value.scaleb(_SCALES.get(scale, 0)), currency)


def _currency(unit: str) -> str:
    return _SIGNS.get(unit, unit)


def shares(text: str) -> list[Share]:
    """Percentages up to 100 and fractions of the whole."""
    found = []
    for match in _PERCENT.finditer(text):
        value = float(match["number"].replace(",", "."))
        if value <= 100:
            found.append(Share(match.start(), match.end(), round(value / 100, 12)))
    found += [Share(m.start(), m.end(), _FRACTIONS[m[1].lower()]) for m in _FRACTION.finditer(text)]
    return sorted(found, key=lambda s: s.start)


def dates(text: str, published: datetime) -> list[Moment]:
    """Dates in the text; relative ones ("last week", "on Tuesday") count back from the publication."""
    found = []
    for match in _DATE.finditer(text):
        when = read_date(match[0], published)
        if when:
            found.append(Moment(match.start(), match.end(), when))
    return found


def read_date(text: str, published: datetime) -> datetime | None:
    """Midnight UTC of a written day, counted back from the publication where it is relative; None if no reading."""
    return _read_date(text, published.astimezone(UTC).replace(tzinfo=None))


@lru_cache(maxsize=4096)
def _read_date(text: str, base: datetime) -> datetime | None:
    """`base` makes a replay give the same day."""
    import dateparser

    settings = {
        "RELATIVE_BASE": base,
        "PREFER_DATES_FROM": "past",
        "PREFER_DAY_OF_MONTH": "first",
        "PREFER_MONTH_OF_YEAR": "first",
        "DATE_ORDER": "DMY",
    }
    words = re.sub(r"^(?:on|in|last) (?=[A-Z\d])", "", text)
    words = {"last week": "1 week ago", "last month": "1 month ago", "last year": "1 year ago"}.get(words, words)
    when = dateparser.parse(words, languages=["en"], settings=settings)
    return when.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC) if when else None
