"""The figures of a grid are told apart from its heads, and each gets its sign, scale, currency and names.

Leading rows without a figure (years and dates are none) name the columns, the first cell of a row names the row, and a
row with nothing but a first cell opens a section. Brackets are negative; scale (`in millions`, `$’000`, `€m`) and
currency come from the cell, its column or the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from ingest.extract.filings.grid import Cell, Grid

SCALES = {"thousand": Decimal(1000), "million": Decimal(1_000_000), "billion": Decimal(1_000_000_000)}
_SYMBOLS = {"US$": "USD", "A$": "AUD", "C$": "CAD", "HK$": "HKD", "S$": "SGD", "NZ$": "NZD", "RMB": "CNY", "RM": "MYR"}
_SYMBOLS |= {
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "USD": "USD",
    "EUR": "EUR",
    "GBP": "GBP",
    "CHF": "CHF",
}
_SYMBOL = "|".join(sorted(map(re.escape, _SYMBOLS), key=len, reverse=True))
_NUMBER = re.compile(
    rf"^\s*(?P<open>\()?\s*(?P<minus>[-−–])?\s*(?P<symbol>{_SYMBOL})?\s*(?P<open2>\()?\s*(?P<minus2>[-−–])?\s*"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s*(?P<percent>%)?\s*(?P<close>\))?\s*(?P<percent2>%)?"
    r"\s*(?P<scale>million|billion|thousand|bps|x)?\s*(?:\(\w\)|[*†‡])*\s*$"
)
_NIL = re.compile(r"^\s*(?:[$€£]\s*)?[-—–−]+\s*%?\s*$")
_YEAR = re.compile(r"^(?:FY\s*|fiscal\s+)?(?:19|20)\d\d(?:\s*[(*/].{0,12})?$", re.IGNORECASE)
_WORDED_SCALE = re.compile(
    r"\b(?:in\s+)?(thousand|million|billion)s?\b|(?<=[\s(])(?:in\s+)?(mm|mn|bn)\b", re.IGNORECASE
)
_SHORT_SCALE = re.compile(
    rf"(?:{_SYMBOL})\s?(?:[’'‘`]?(000s?|k|m|mn|mm|million|bn|billion)\b)|[’'‘`](000)s?\b|\b000[’']?s\b", re.IGNORECASE
)
_SHORT = {
    "000": "thousand",
    "000s": "thousand",
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "mm": "million",
    "bn": "billion",
}
_UNSCALED = re.compile(
    r"per\s+(?:\w+\s+){0,3}(?:share|unit|adr|ads)|percent|%|\bratio\b|\(?in years\)?|remaining (?:lease )?term"
    r"|\brates?\b(?!\s+(?:swap|cap|collar|lock|contract|derivative|hedg|change|fluctuation|movement|difference))",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\bshares\b|\bunits?\b|number of|employees|headcount|\byears\b|\bdays\b|customers", re.IGNORECASE
)
_IN_WORDS = re.compile(r"\bin\s+(?:\w+\s+){0,3}?(thousand|million|billion)s\b|[$€£][’'‘`]?000", re.IGNORECASE)
"""`in thousands`, `in U.S. dollars in millions`; an amount such as `$4.5 million` says nothing of a table."""
_PERCENT = re.compile(r"%|\bper ?cent\b|\bpercentages?\b", re.IGNORECASE)
_EXCEPTED = re.compile(r"[(,]\s*except\b[^)]*", re.IGNORECASE)
_EXCEPT = re.compile(r"\bper\s+(?:\w+\s+){0,3}(?:share|unit)", re.IGNORECASE)


_WIDEST, _HEADS, _LONGEST = 300, 10, 60
"""Columns beyond which a table is no report's, rows of heads at most, and characters of a figure at most."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a table with the names of its row and column."""

    row: int
    place: int
    label: str
    """Section and row, parted by ` > `."""
    column: str
    text: str
    value: Decimal
    """With sign and scale; a percentage as a fraction."""
    currency: str
    """ISO 4217 code of money, "" for any other number."""
    percent: bool
    scale: str
    """thousand, million, billion or ""."""


@dataclass(slots=True)
class _Unit:
    scale: str = ""
    currency: str = ""
    percent: bool = False

    def or_else(self, other: _Unit) -> _Unit:
        return _Unit(self.scale or other.scale, self.currency or other.currency, self.percent)


@dataclass(slots=True)
class _Heads:
    columns: dict[int, str] = field(default_factory=dict)
    units: dict[int, _Unit] = field(default_factory=dict)
    table: _Unit = field(default_factory=_Unit)


def figures(grid: Grid) -> Iterator[Figure]:
    """Every number in the body of a grid, by row and column."""
    start = _body(grid)
    if grid.rows and len(grid.rows[0]) > _WIDEST:
        return
    heads = _heads(grid, range(max(0, start - _HEADS), start))
    section = ""
    for number, row in enumerate(grid.rows[start:], start):
        if _is_head(grid, number) and any(_YEAR.match(text) or _is_unit(text) for text in grid.texts(number)):
            heads = _heads(grid, range(number, number + 1), heads)
            continue
        label = _label(row)
        numbers = list(_numbers(row))
        if not numbers:
            section = label or section
            continue
        name = " > ".join(part for part in (section, label) if part)
        for column, cell, text in numbers:
            if (
                figure := _figure(
                    (number, cell.place), (name, heads.columns.get(column, "")), text, _unit_of(heads, column)
                )
            ) is not None:
                yield replace(figure, text=cell.text)
        if label.casefold().startswith("total"):
            section = ""


def words(grid: Grid) -> Iterator[tuple[int, int, str, str]]:
    """(row, place, name of the row or "", text) of the cells that say something and are no figure.

    The name is "" for heads; the cell that names a row or a section is given under its own text.
    """
    start = _body(grid)
    for number, row in enumerate(grid.rows):
        numbers = {cell.place for _, cell, _ in _numbers(row)} if number >= start else set()
        label = _label(row) if number >= start else ""
        for cell in {c.place: c for c in row if c is not None and c.text and c.place >= 0}.values():
            if cell.place not in numbers:
                yield number, cell.place, label, cell.text


def _body(grid: Grid) -> int:
    """The first row with a figure, or the section row above it."""
    for number, row in enumerate(grid.rows):
        if any(True for _ in _numbers(row)):
            while (
                number > 0
                and _label(grid.rows[number - 1])
                and len(grid.texts(number - 1)) == 1
                and not _is_unit(_label(grid.rows[number - 1]))
            ):
                number -= 1
            return number
    return len(grid.rows)


def _is_head(grid: Grid, number: int) -> bool:
    return not any(True for _ in _numbers(grid.rows[number])) and len(grid.texts(number)) > 0


def _label(row: Sequence[Cell | None]) -> str:
    """Text of the first cell, if it is no number."""
    first = next((cell for cell in row if cell is not None and cell.text), None)
    return first.text.rstrip(" :") if first is not None and row[0] is first and _plain(first.text) is None else ""


def _numbers(row: Sequence[Cell | None]) -> Iterator[tuple[int, Cell, str]]:
    """(column, cell, whole text) of the figures of a row: a sign before and a bracket or % after belong to it."""
    cells: dict[int, tuple[int, Cell]] = {}
    for column, cell in enumerate(row):
        if cell is not None and cell.text and cell.place >= 0:
            cells.setdefault(cell.place, (column, cell))
    ordered = [cells[place] for place in sorted(cells)]
    for i, (column, cell) in enumerate(ordered):
        if i == 0 and column == 0 and (_YEAR.match(cell.text) or _plain(cell.text) is None):
            continue
        if _YEAR.match(cell.text):
            continue
        before = ordered[i - 1][1].text if i else ""
        after = ordered[i + 1][1].text if i + 1 < len(ordered) else ""
        text = (
            (before if before in _SYMBOLS else "") + cell.text + (after if re.fullmatch(r"\)?\s*%?\)?", after) else "")
        )
        if _plain(text) is not None:
            yield column, cell, text


@lru_cache(maxsize=4096)
def _plain(text: str) -> tuple[Decimal, re.Match[str]] | None:
    match = _NUMBER.match(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    try:
        value = Decimal(match["digits"].replace(",", ""))
    except InvalidOperation:
        return None
    negative = match["open"] or match["open2"] or match["minus"] or match["minus2"]
    return (-value if negative else value), match


def _figure(at: tuple[int, int], names: tuple[str, str], text: str, unit: _Unit) -> Figure | None:
    parsed = _plain(text)
    if parsed is None:
        return None
    value, match = parsed
    symbol = _SYMBOLS.get(match["symbol"] or "", "")
    label, column = names
    percent = bool(match["percent"] or match["percent2"]) or (unit.percent and not symbol)
    if percent:
        return Figure(*at, label, column, text, value / 100, "", True, "")
    bare = not symbol and (_COUNTED.search(label) is not None and not _EXCEPT.search(label))
    plain = _UNSCALED.search(label) or _UNSCALED.search(_EXCEPTED.sub("", column))
    scale = match["scale"] if match["scale"] in SCALES else "" if plain else unit.scale
    currency = symbol or ("" if bare or (plain and not _EXCEPT.search(label)) else unit.currency)
    return Figure(*at, label, column, text, value * SCALES.get(scale, Decimal(1)), currency, False, scale)


def _unit_of(heads: _Heads, column: int) -> _Unit:
    return heads.units.get(column, _Unit()).or_else(heads.table)


def _heads(grid: Grid, rows: range, known: _Heads | None = None) -> _Heads:
    """Names and units of the columns from head rows; a blank beside a head belongs to the nearest one."""
    found = _Heads({}, {}, known.table if known else _Unit())
    width = len(grid.rows[0]) if grid.rows else 0
    for number in rows:
        filled = _filled(grid.rows[number], width)
        for column, text in filled.items():
            names = found.columns.get(column, "")
            found.columns[column] = names if text in names else f"{names} {text}".strip()
    for column, name in found.columns.items():
        own = (cell for number in rows if (cell := grid.rows[number][column]) is not None)
        unit = _unit(name)
        found.units[column] = _Unit(unit.scale, unit.currency, any(_PERCENT.search(cell.text) for cell in own))
    first = " ".join(text for number in rows for text in grid.texts(number))
    said = _unit(first)
    if known is None:
        found.table = _Unit(_told(grid.about), _column_symbols(grid))
    found.table = _Unit(said.scale, said.currency).or_else(found.table)
    return found


def _told(about: str) -> str:
    """The scale that the words around a table give its amounts; "" where they give several or none."""
    found = {(match[1] or "thousand").casefold() for match in _IN_WORDS.finditer(about)}
    return found.pop() if len(found) == 1 else ""


def _filled(row: Sequence[Cell | None], width: int) -> dict[int, str]:
    given = {i: cell.text for i, cell in enumerate(row) if i and cell is not None and cell.text and cell.place >= 0}
    if not given:
        return {}
    return {i: given[min(given, key=lambda at: (abs(at - i), at))] for i in range(1, width)}


def _column_symbols(grid: Grid) -> str:
    """The currency sign that figures of the table carry, if it is always the same."""
    found = set()
    for row in grid.rows:
        for _, _, text in _numbers(row):
            if (parsed := _plain(text)) is not None and parsed[1]["symbol"]:
                found.add(_SYMBOLS[parsed[1]["symbol"]])
    return found.pop() if len(found) == 1 else ""


def _is_unit(text: str) -> bool:
    unit = _unit(text)
    return bool(unit.scale or unit.percent) and len(text) < 80


@lru_cache(maxsize=1024)
def _unit(text: str) -> _Unit:
    """Scale, currency and percent that a head states."""
    scale = ""
    if short := _SHORT_SCALE.search(text):
        said = (short[1] or short[2] or "000").casefold()
        scale = _SHORT.get(said, said)
    elif worded := _WORDED_SCALE.search(text):
        said = (worded[1] or worded[2]).casefold()
        scale = _SHORT.get(said, said)
    symbol = re.search(rf"(?<![A-Za-z])(?:{_SYMBOL})(?![A-Za-z]{{2}})", text)
    dollars = re.search(r"\b(dollars?|euros?)\b", text, re.IGNORECASE)
    named = {"d": "USD", "e": "EUR"}[dollars[1][0].casefold()] if dollars else ""
    return _Unit(scale, _SYMBOLS[symbol[0]] if symbol else named, _PERCENT.fullmatch(text.strip(" ()")) is not None)
