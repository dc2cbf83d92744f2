"""Cleaning rules: few, named, counted and reversible, because the quote of every claim keeps the raw value.

A rule is a function from raw text to a value or to None (the text is no such value); `Rules` counts how often one
changed anything. Over a column `figures` and `moments` give each cell's raw text, its value and the rules that touched
it, so that the counts are rows and the raw value is never lost.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
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


GROUPED = r"[+-]?\d{1,3}(?:[,\s]\d{3})+(?:\.\d*)?"
"""A number whose commas or blanks stand between thousands; any other comma may be one before decimals."""


def decimals(column: str, scale: int = 9) -> pl.Expr:
    """A column of amounts as Decimal(38, scale): separators of thousands removed, null where it is no number."""
    told = pl.col(column).str.strip_chars()
    ungrouped = pl.when(told.str.contains(f"^{GROUPED}$")).then(told.str.replace_all(r"[,\s]", "")).otherwise(told)
    plain = ungrouped.map_batches(_expanded, return_dtype=pl.String)
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
    when = pl.coalesce(
        day.dt.replace_time_zone("UTC"), plain.dt.replace_time_zone("UTC"), minute.dt.replace_time_zone("UTC"), zoned
    )
    return pl.when(when.dt.year().is_between(1, 9999)).then(when)


def public(column: str) -> pl.Expr:
    """When the rows were public by a column as for `instants`: a day without a time is public at its end."""
    when, last = instants(column), pl.datetime(9999, 12, 30, time_unit="us", time_zone="UTC")
    bare = pl.col(column).str.strip_chars().str.len_chars() <= len("2023-04-05")
    return pl.when(bare & (when < last)).then(when.dt.offset_by("1d")).otherwise(when)


# ---- whole columns, with the rules that touched each cell

RULES = "rules"
"""Column of a cleaned frame: the names of the rules that touched the cell, none where it stood as it should."""
_UNITS = {
    "k": 3, "thousand": 3, "thousands": 3, "m": 6, "mn": 6, "mm": 6, "mio": 6, "million": 6, "millions": 6, "b": 9,
    "bn": 9, "billion": 9, "billions": 9, "tn": 12, "trillion": 12, "千": 3, "万": 4, "萬": 4, "亿": 8, "億": 8,
}  # fmt: skip
_SIGNS = r"[$€£¥₹￥]|(?:USD|EUR|GBP|CHF|JPY|CNY|RMB|HKD|CAD|AUD)"
_FIGURE = re.compile(
    rf"(?P<open>\()?\s*(?P<minus>[-−–])?\s*(?P<sign>{_SIGNS})?\s*(?P<minus2>[-−–])?(?P<digits>\d[\d.,\s'’]*|\.\d+)"
    rf"(?P<power>[eE][+-]?\d{{1,2}})?\s*(?P<unit>[A-Za-z千万萬亿億]+)?\s*(?P<after>{_SIGNS}|%)?\s*(?P<back>[-−–])?\s*(?P<close>\))?"
)
_ALONE = r"(?<![\d.,])(?:%s)(?![\d.,])"
_DECIMAL_COMMA = re.compile(_ALONE % r"\d{1,3}(?:\.\d{3})+,\d+|\d+,(?:\d{1,2}|\d{4,})|(?:\d{1,3}\.){2,}\d{3}")
_DECIMAL_POINT = re.compile(_ALONE % r"\d{1,3}(?:,\d{3})+\.\d+|\d+\.(?:\d{1,2}|\d{4,})|(?:\d{1,3},){2,}\d{3}")


def figures(values: pl.Series) -> pl.DataFrame:
    """Columns raw, value (Decimal, null where it is no number) and rules of a column of amounts.

    Whether `1.234` and `1,234` are thousands is told by the other cells of the column; if they do not tell, a comma
    before three digits parts thousands and a point is a decimal point, as in English.
    """
    different = values.drop_nulls().unique()
    plain = different.str.contains(r"^-?\d{1,28}(\.\d{1,9})?$")
    odd = [value for value in different.filter(~plain).to_list() if value.strip()]
    comma = any(_DECIMAL_COMMA.search(text) for text in odd)
    comma = comma and not any(_DECIMAL_POINT.search(text) for text in different.to_list())
    if comma or not plain.any():
        odd = [value for value in different.to_list() if value.strip()]
    judged = _judged(values, {text: _figure(text.strip(), comma) for text in odd}, pl.Decimal(38, 9))
    if comma or not plain.any():
        return judged
    exact = pl.col("raw").str.to_decimal(scale=9).cast(pl.Decimal(38, 9))
    simple = pl.col("raw").is_in(different.filter(plain).implode())
    return judged.with_columns(value=pl.when(simple).then(exact).otherwise("value"))


def _figure(text: str, comma: bool) -> tuple[Decimal | None, list[str]]:
    match = _FIGURE.fullmatch(text.replace("\u00a0", " ").replace("\u202f", " "))
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None, []
    touched: list[str] = []
    digits = re.sub(r"[\s'’]", "", match["digits"])
    if digits != match["digits"].strip():
        if not re.fullmatch(r"\d{1,3}(?:[\s'’]\d{3})+(?:[.,]\d*)?", match["digits"].strip()):
            return None, []
        touched.append("number.separators")
    grouped, point = (".", ",") if comma else (",", ".")
    if grouped in digits:
        if not re.fullmatch(rf"\d{{1,3}}(?:\{grouped}\d{{3}})+(?:\{point}\d*)?", digits):
            return None, []
        touched.append("number.separators")
    if comma and "," in digits:
        touched.append("number.decimal_comma")
    unit = (match["unit"] or "").casefold()
    if unit and unit not in _UNITS:
        return None, []
    plain = digits.replace(grouped, "").replace(point, ".")
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", plain):
        return None, []
    value = Decimal(plain + (match["power"] or "")).scaleb(_UNITS.get(unit, 0))
    touched += ["number.unit"] * bool(unit) + ["number.currency_sign"] * bool(match["sign"])
    if match["after"]:
        touched.append("number.percent" if match["after"] == "%" else "number.currency_sign")
        value = value.scaleb(-2) if match["after"] == "%" else value
    minus = sum(bool(match[name]) for name in ("open", "minus", "minus2", "back"))
    if minus and (match["open"] or match["back"] or "-" not in text):
        touched.append("number.sign")
    if minus > 1 or value.adjusted() > 27:
        return None, []
    return (-value if minus else value), sorted(set(touched))


def moments(values: pl.Series) -> pl.DataFrame:
    """Columns raw, value (UTC microseconds, null where it is no date) and rules of a column of dates.

    Whether `03/04/2024` has the day or the month first is told by the other cells of the column (`13/04/2024`); where
    they do not tell, or contradict each other, such a cell is no date: guessing would be silent and often wrong.
    """
    texts = [value for value in values.drop_nulls().unique().to_list() if value.strip()]
    parts = [match for text in texts if (match := _NUMERIC.fullmatch(text.strip()))]
    first, second = any(int(m[1]) > 12 for m in parts), any(int(m[2]) > 12 for m in parts)
    order = "day" if first and not second else "month" if second and not first else ""
    return _judged(values, {text: _moment(text.strip(), order) for text in texts}, pl.Datetime("us", "UTC"))


_NUMERIC = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})(?:[/.]|年)(\d{1,2})(?:[/.]|月)(\d{1,2})日?")
_DAY_MONTH = re.compile(r"(\d{1,2})[. -]+([a-z]{3,9})\.?[ -]+(\d{4})")
_SERIAL_START = date(1899, 12, 30)
"""Day 0 of the serial dates of spreadsheets (ECMA-376, part 1, 18.17.4.1)."""


def _moment(text: str, order: str) -> tuple[datetime | None, list[str]]:
    try:
        return _utc(datetime.fromisoformat(text)), []
    except OverflowError:  # in UTC it lies before the first year or after the last
        return None, []
    except ValueError:
        pass
    try:
        found, rule = _written_date(text, order)
    except ValueError:
        return None, []
    return (None, []) if found is None else (_utc(datetime(found.year, found.month, found.day)), [rule])


def _written_date(text: str, order: str) -> tuple[date | None, str]:
    if match := _NUMERIC.fullmatch(text):
        numbers = [int(match[1]), int(match[2])]
        dotted = "." in text  # a date with points is written day first everywhere
        if numbers[0] == numbers[1] or dotted or order:
            month_first = order == "month" and not dotted
            day, month = reversed(numbers) if month_first else numbers
            return date(int(match[3]), month, day), "date.month_first" if month_first else "date.day_first"
        return None, ""
    if match := _YEAR_FIRST.fullmatch(text):
        return date(int(match[1]), int(match[2]), int(match[3])), "date.format"
    if (match := _DAY_MONTH.fullmatch(text.casefold())) and match[2][:3] in _MONTHS:
        return date(int(match[3]), _MONTHS[match[2][:3]], int(match[1])), "date.format"
    if re.fullmatch(r"[2-6]\d{4}(?:\.0+)?", text):
        return _SERIAL_START + timedelta(days=int(float(text))), "date.serial"
    return (when(text), "date.format") if _LONG.match(text.casefold()) else (None, "")


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _judged(values: pl.Series, judged: dict[str, tuple[Any, list[str]]], dtype: pl.DataType) -> pl.DataFrame:
    """Each cell with what its text was judged to be; each different text is judged once."""
    known = pl.DataFrame(
        {"raw": list(judged), "value": [value for value, _ in judged.values()], RULES: [r for _, r in judged.values()]},
        schema={"raw": pl.String, "value": dtype, RULES: pl.List(pl.String)},
    )
    found = values.rename("raw").to_frame().join(known, on="raw", how="left", maintain_order="left")
    return found.with_columns(pl.col(RULES).fill_null([]))


def touched(cleaned: pl.DataFrame, column: str = "") -> dict[str, int]:
    """How many rows each rule touched."""
    counts = cleaned[RULES].explode().drop_nulls().value_counts().sort("count", RULES, descending=[True, False])
    return {f"{name}" + (f" ({column})" if column else ""): times for name, times in counts.iter_rows()}
