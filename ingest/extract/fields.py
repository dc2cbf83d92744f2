"""Key fields of a page: who lends, who pays, what is due and when, each with the boxes it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from ingest.extract.lexicon import FORMS
from ingest.extract.names import squash
from ingest.extract.ocr import Box, join, lines
from ingest.extract.quantities import Money, money, number, read_date

LABELS: Final = {
    "lender": "lender|creditor|lending bank",
    "borrower": "borrower|debtor|obligor",
    "supplier": "supplier|seller|vendor|issued by",
    "customer": "customer|buyer|bill(?:ed)? to|client",
    "payer": "payer|paid by|ordering customer|account holder",
    "payee": "payee|beneficiary",
    "facility": "facility|type of loan",
    "amount": "amount(?: due)?|principal|loan amount|total (?:due|amount)|balance due",
    "maturity": "maturity|due date|repayment date|final maturity",
    "date": "date(?: of issue)?|issued(?: on)?|(?:invoice|notice|statement) date",
}
"""Field and the words before its colon."""
_LABELLED: Final = {
    name: re.compile(rf"^\W{{0,2}}(?:{labels})\s*[:：]\s*(?P<value>\S.*)$", re.I) for name, labels in LABELS.items()
}
_DATE: Final = re.compile(
    r"(?<!\d)(?:\d{4}-\d{2}-\d{2}|\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{1,2}[ -]?(?:JAN|FEB|MAR|APR|MAY|"
    r"JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
    r"[A-Z]*[ -]?\d{2,4})(?!\d)",
    re.I,
)
_SUM: Final = re.compile(r"(?<![\d.,])\d{1,3}(?:[ ,]?\d{3})*[.,]\s?\d{2}(?!\d)")
_TOTAL: Final = re.compile(r"\b(?:grand total|round\w* ?d? total|total|amount due|nett? (?:total|amount))\b", re.I)
_BEST: Final = re.compile(r"grand|round|incl|amount|nett|after|payable|due", re.I)
_PART: Final = re.compile(
    r"sub|qty|quantity|excl|item|disc|saving|tax amount|total (?:gst|tax|sr)|gst total|change", re.I
)
_STOP: Final = re.compile(
    r"\b(?:tel|fax|phone|gst|cash|invoice|date|bill|doc|receipt|tax|email|www|table|cashier|company reg|"
    r"co\.? reg|roc|reg)\b",
    re.I,
)
_REGISTRY: Final = re.compile(
    r"^\W*(?:co(?:mpany)?\.? ?(?:reg|no)|reg|roc|\(?\d{4,}-?[A-Z0-9]?\)?\W*$|[\d\W]{5,}$)", re.I
)
_SHOP: Final = re.compile(
    r"\b(?:sdn|bhd|enterprise|trading|restaurant|restoran|kedai|s/b|mart|store|shop|cafe|hardware|plt)\b", re.I
)


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


def fields(boxes: Sequence[Box]) -> dict[str, Field]:
    """Labelled fields of a form (`Lender: ...`); where it has none, those of a receipt."""
    rows = lines(boxes)
    found: dict[str, Field] = {}
    for row in rows:
        for field in _labelled(row):
            found.setdefault(field.name, field)
    parties = {"lender", "borrower", "supplier", "customer", "payer", "payee"} & found.keys()
    return found if parties else {f.name: f for f in _receipt(rows)}


def _labelled(row: list[Box]) -> Iterator[Field]:
    text = join(row)
    for name, pattern in _LABELLED.items():
        if match := pattern.match(text):
            yield Field(name, match["value"].strip(), _under(row, match.start("value")))
            return


def _under(row: list[Box], start: int) -> tuple[Box, ...]:
    """Boxes of the line that hold its text from `start` on."""
    place, kept = 0, []
    for box in row:
        place += len(box.text) + 1
        if place - 1 > start:
            kept.append(box)
    return tuple(kept)


def _receipt(rows: list[list[Box]]) -> Iterator[Field]:
    company = _company(rows)
    if company is not None:
        yield Field("company", join(rows[company]), tuple(rows[company]))
        address = _address(rows, company)
        if address:
            yield Field("address", join(address), tuple(address))
    for row in rows:
        if match := _DATE.search(join(row)):
            yield Field("date", match[0], _holding(row, match[0]))
            break
    if total := _total(rows):
        yield total


def _company(rows: list[list[Box]]) -> int | None:
    """Line with the seller: the first of the top lines that looks like a firm, else the first with words."""
    top = [i for i, row in enumerate(rows[:7]) if sum(c.isalpha() for c in join(row)) > 3]
    for i in top:
        words = squash(join(rows[i])).split()
        if _SHOP.search(join(rows[i])) or (len(words) > 1 and words[-1] in FORMS):
            return i
    return top[0] if top else None


def _address(rows: list[list[Box]], company: int) -> list[Box]:
    found: list[Box] = []
    for row in rows[company + 1 : company + 9]:
        text = join(row)
        if _REGISTRY.match(text) and not found:
            continue
        if _STOP.search(text) or _DATE.search(text):
            break
        found += row
    return found if any(c.isdigit() for c in join(found)) else []


def _total(rows: list[list[Box]]) -> Field | None:
    """The sum on the last of the likeliest total lines."""
    best: tuple[bool, int] | None = None
    chosen: Field | None = None
    for i, row in enumerate(rows):
        text = join(row)
        sums = _SUM.findall(text)
        if not sums or not _TOTAL.search(text) or _PART.search(text):
            continue
        rank = (bool(_BEST.search(text)), i if best is None or _BEST.search(text) else -i)
        if best is None or rank > best:
            best, chosen = rank, Field("total", sums[-1], _holding(row, sums[-1]))
    return chosen


def _holding(row: list[Box], text: str) -> tuple[Box, ...]:
    """The box that holds the text, else the whole line."""
    inside = [b for b in row if text in b.text]
    return (inside[-1],) if inside else tuple(row)


def amount_of(field: Field, page: str) -> Money | None:
    """Amount of a field; the currency is written beside it or, on a receipt, anywhere on the page."""
    if found := money(field.text):
        return found[0]
    value = number(field.text.replace(" ", ""), comma_decimal=bool(re.search(r",\d{2}$", field.text)))
    if value is None:
        return None
    currency = "MYR" if re.search(r"\bRM\b|\(RM\)|SDN|BHD", page) else "XXX"
    return Money(0, len(field.text), Decimal(value), currency)


def day_of(field: Field, page_read: datetime) -> datetime | None:
    """Date of a field, the day before the month; None if it has another form."""
    match = _DATE.search(field.text)
    return read_date(match[0], page_read) if match else None
