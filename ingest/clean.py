"""Cleaning rules: few, named, counted and reversible, because the quote of every claim keeps the raw value.

A rule is a function from raw text to a value or to None (the text is no such value); `Rules` counts how often one
changed anything. Rules over columns are polars expressions of the same meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import polars as pl

EASTERN = ZoneInfo("America/New_York")
"""Where the SEC's clock stands."""
_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {name: i for i, name in enumerate(_NAMES.split(), 1)}
_LONG = re.compile(r"([a-z]{3,9})\.? +(\d{1,2}) *, *(\d{4})")
_DASHED = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})")
_ISO = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


class Rules:
    """Counts of the cleaning rules applied to one record."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def count(self, rule: str, times: int = 1) -> None:
        """Note that a rule changed a value."""
        if times:
            self.counts[rule] += times


def decode(content: bytes) -> tuple[str, str]:
    """Text of bytes and the encoding found: utf-8, utf-16 by its mark, else Windows-1252 with latin-1 for the gaps."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace"), "utf-16"
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def number(text: str, rules: Rules | None = None) -> Decimal | None:
    """Decimal of `1,234.50`, `(12)`, `$ 3` or `1 000`; None for anything else."""
    raw = text.strip()
    plain = re.sub(r"[,\s$€£ ’']", "", raw)
    if plain.startswith("(") and plain.endswith(")"):
        plain = "-" + plain[1:-1]
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    if rules is not None and plain != raw:
        rules.count("number.separators")
    return value


def when(text: str, rules: Rules | None = None) -> date | None:
    """Date of `2024-09-28`, `20240928`, `09-28-2024`, `09/28/2024` (month first, as the SEC writes) or `September
    28, 2024`.
    """
    raw = text.strip().casefold()
    try:
        if match := _ISO.match(raw):
            return date(*(int(part) for part in match.groups()))
        if rules is not None:
            rules.count("date.format")
        if match := _DASHED.match(raw):
            month, day, year = (int(part) for part in match.groups())
            return date(year, month, day)
        if (match := _LONG.match(raw)) and match[1][:3] in _MONTHS:
            return date(int(match[3]), _MONTHS[match[1][:3]], int(match[2]))
    except ValueError:
        return None
    return None


def accepted(text: str) -> datetime | None:
    """Instant of an EDGAR acceptance time such as 20250110160730, which is written in Eastern time."""
    try:
        return datetime.strptime(text.strip()[:14], "%Y%m%d%H%M%S").replace(tzinfo=EASTERN)
    except ValueError:
        return None


def decimals(column: str, scale: int = 9) -> pl.Expr:
    """A column of amounts as Decimal(38, scale): blanks and thousand separators removed, null where it is no number."""
    plain = pl.col(column).str.replace_all(r"[,\s]", "").map_batches(_expanded, return_dtype=pl.String)
    exact = pl.when(plain.str.contains(r"^[+-]?(\d+\.?\d*|\.\d+)$")).then(plain)
    return exact.str.replace(r"^\+", "").str.to_decimal(scale=scale).cast(pl.Decimal(38, scale))


def _expanded(values: pl.Series) -> pl.Series:
    """`2e-06` as `0.000002`; other texts as they are."""
    short = values.str.contains(r"^[+-]?\d+\.?\d*[eE][+-]?\d{1,2}$").fill_null(False)
    if not short.any():
        return values
    return pl.Series(
        values.name, [f"{Decimal(v):f}" if e else v for v, e in zip(values, short, strict=True)], pl.String
    )


def instants(column: str) -> pl.Expr:
    """A column of ISO dates or times as UTC microseconds; a time without a zone is UTC; null where it is neither."""
    text = pl.col(column).str.strip_chars().str.replace(" ", "T", literal=True)
    day = text.str.to_datetime("%Y-%m-%d", time_unit="us", strict=False)
    plain = text.str.replace(r"(Z|\+00:00)$", "").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    minute = text.str.replace(r"(Z|\+00:00)$", "").str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us", strict=False)
    zoned = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False)
    return pl.coalesce(
        day.dt.replace_time_zone("UTC"), plain.dt.replace_time_zone("UTC"), minute.dt.replace_time_zone("UTC"), zoned
    )
