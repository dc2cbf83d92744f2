"""Fields of a page: values with the boxes they stand in, and those that a form labels itself (`Lender: ...`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from ingest.extract.pages.ocr import Box, join
from ingest.extract.text.quantities import Money, money, number, read_date

LABELS: Final = {
    "lender": "lender|creditor|lending bank",
    "borrower": "borrower|debtor|obligor",
    "supplier": "supplier|seller|vendor|issued by",
    "customer": "customer|buyer|bill(?:ed)? to|client",
    "payer": "payer|paid by|ordering customer|account holder",
    "payee": "payee|beneficiary",
    "facility": "facility|type of loan",
    "number": r"(?:invoice|bill|document|reference) (?:no\.?|number|#)",
    "amount": "amount(?: due)?|principal|loan amount|total (?:due|amount)|balance due",
    "maturity": "maturity|due date|repayment date|final maturity",
    "date": "date(?: of issue)?|issued(?: on)?|(?:invoice|notice|statement) date",
}
"""Field and the words before its colon."""
PARTIES: Final = ("lender", "borrower", "supplier", "customer", "payer", "drawer", "payee", "company")
_LABELLED: Final = {
    name: re.compile(rf"^\W{{0,2}}(?:{labels})\s*[:：]\s*(?P<value>\S.*)$", re.I) for name, labels in LABELS.items()
}
_MONTH: Final = r"(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*\.?"
DATE: Final = re.compile(
    rf"(?<![\d.,])(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}(?P<sign>[/.-])\d{{1,2}}(?P=sign)"
    r"(?:(?:19|20)\d{2}|\d{2}(?!\d))|(?:0[1-9]|[12]\d|3[01])[ -]?(?:0[1-9]|1[0-2])[ -](?:20\d{2}|\d{2})(?![\d.,])|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?[ ./-]?{_MONTH}[ ,./-]*(?:20\d{{2}}|\d{{2}})(?!\d)|"
    rf"{_MONTH} ?\d{{1,2}}(?:st|nd|rd|th)?,? ?(?:19|20)\d{{2}})(?!\.\d)(?=\D|\d\d?:|$)",
    re.I,
)
"""A day in any of the usual orders; the sign between may have been too weak to read, the time be glued on."""
SUM: Final = re.compile(r"(?<![\d.,])-?\d{1,3}(?:[ ,.']?\d{3})*[.,]\s?\d{2}(?![\d%])(?!\s?%)")
"""An amount with two decimals."""
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Field:
    """A value read from a page."""

    name: str
    text: str
    boxes: tuple[Box, ...]

    @property
    def score(self) -> float:
        """How sure the reader is of the worst of its boxes."""
        return min(b.score for b in self.boxes)


def labelled(rows: Sequence[Sequence[Box]]) -> dict[str, Field]:
    """Fields whose label stands before a colon, the first of each; {} if the page names no party that way."""
    found: dict[str, Field] = {}
    for row in rows:
        for field in _labelled(row):
            found.setdefault(field.name, field)
    return found if found.keys() & set(PARTIES) else {}


def _labelled(row: Sequence[Box]) -> Iterator[Field]:
    text = join(row)
    for name, pattern in _LABELLED.items():
        if match := pattern.match(text):
            yield Field(name, match["value"].strip(), after(row, match.start("value")))
            return


def after(row: Sequence[Box], start: int) -> tuple[Box, ...]:
    """Boxes of the line that hold its text from `start` on."""
    place, kept = 0, []
    for box in row:
        place += len(box.text) + 1
        if place - 1 > start:
            kept.append(box)
    return tuple(kept)


def holding(row: Sequence[Box], text: str) -> tuple[Box, ...]:
    """The box that holds the text, else the whole line."""
    inside = [b for b in row if text in b.text]
    return (inside[-1],) if inside else tuple(row)


def first_date(rows: Sequence[Sequence[Box]], name: str = "date") -> Field | None:
    """The first day written on the page, of two on one line the one after `date`."""
    for row in rows:
        if match := DATE.search(join(row)):
            return Field(name, match[0], holding(row, match[0]))
    return None


def amount_of(field: Field, page: str) -> Money | None:
    """Amount of a field; the currency is written beside it or, on a receipt, anywhere on the page."""
    if found := money(field.text):
        return found[0]
    bare = re.sub(r"[^\d.,-]", "", field.text)
    value = number(bare.lstrip("-"), comma_decimal=bool(re.search(r",\d{2}$", bare))) if bare else None
    if value is None:
        return None
    signed = -Decimal(value) if bare.startswith("-") else Decimal(value)
    return Money(0, len(field.text), signed, currency_of(page))


_CURRENCIES: Final = (
    ("MYR", re.compile(r"\bRM ?\d|\bRM\b|\(RM\)|\bSDN\b|\bBHD\b")),
    ("EUR", re.compile(r"€|\bEUR\b")),
    ("GBP", re.compile(r"£|\bGBP\b")),
    ("MAD", re.compile(r"\bDH\b|\bMAD\b")),
    ("CHF", re.compile(r"\bCHF\b")),
    ("JPY", re.compile(r"¥|\bJPY\b")),
    ("USD", re.compile(r"\$|\bUSD\b")),
)


def currency_of(page: str) -> str:
    """ISO code of the first currency of this list that the page shows; XXX (none) if it shows none."""
    return next((code for code, sign in _CURRENCIES if sign.search(page)), "XXX")


def day_of(field: Field, page_read: datetime = LATEST) -> datetime | None:
    """Date of a field, the day before the month; None if it has another form."""
    match = DATE.search(field.text)
    if not match:
        return None
    if figures := re.fullmatch(r"(\d\d)[ -]?(\d\d)[ -](\d{2,4})", match[0]):
        return read_date("/".join(figures.groups()), page_read)
    return read_date(match[0], page_read)
