"""Fields of an invoice: supplier, customer, number, dates, net, tax and amount due, by labels beside or above them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ingest.extract.pages.fields import DATE, SUM, Field, first_date, holding
from ingest.extract.pages.ocr import Box, join
from ingest.extract.pages.receipts import receipt, tidy_name

Rows = Sequence[Sequence[Box]]

_LABELS: Final = {
    "customer": r"(?:bill(?:ed)? to|invoice(?:d)? to|sold to|customer|client|buyer|to)(?: name)?",
    "supplier": r"(?:supplier|seller|vendor|from|issued by|sold by)",
    "number": r"(?:invoice|inv|bill|document) ?(?:no|number|nr|#|id)\.?|invoice #",
    "maturity": r"(?:due date|payment due|due|payable by|pay by|due by|due on)",
    "date": r"(?:invoice date|date of issue|issue date|date|issued(?: on)?)",
    "tax": r"(?:vat|gst|tax|sales tax)(?: ?\(?\d{1,2}(?:[.,]\d+)? ?%\)?)?(?: amount)?",
    "net": r"(?:sub ?-?total|net(?: amount)?|total net)",
    "amount": r"(?:total due|amount due|balance due|grand total|total amount|invoice total|total payable|total)"
    r"(?: \(?[A-Z]{3}\)?)?(?: incl\.? (?:vat|tax))?",
}
_NAMED: Final = {
    name: re.compile(rf"^\W*(?:{label})(?![a-z])\s*[:#.]?\s*(?P<value>.*)$", re.I) for name, label in _LABELS.items()
}
_SHAPES: Final = {
    "number": re.compile(r"[A-Z]{0,6}[-/ ]?\d[\w/-]*", re.I),
    "maturity": DATE,
    "date": DATE,
    "tax": SUM,
    "net": SUM,
    "amount": SUM,
}
_UNITS: Final = re.compile(r"[€$£]|\b(?:EUR|USD|GBP|CHF|RM|DH)\b")


def invoice(rows: Rows) -> dict[str, Field]:
    """Fields found; the supplier without a label is the firm that heads the page."""
    found: dict[str, Field] = {}
    for i, row in enumerate(rows):
        for j in range(len(row)):
            for field in _at(rows, i, j):
                if field.name not in found or field.name == "amount":
                    found[field.name] = field
    heading = receipt([[box] for row in rows for box in row])  # beside the name there may stand "Invoice"
    if "supplier" not in found and "company" in heading:
        company = heading["company"]
        found["supplier"] = Field("supplier", company.text, company.boxes)
    if "date" not in found and (date := first_date(rows)):
        found["date"] = date
    return found


def _at(rows: Rows, i: int, j: int) -> Iterator[Field]:
    """The field that the box at this place labels: its value stands behind it, right of it or below it."""
    box = rows[i][j]
    for name, pattern in _NAMED.items():
        if not (match := pattern.match(box.text)):
            continue
        if name in ("customer", "supplier") and match["value"] and ":" not in box.text:
            continue  # "To receive ..." is a sentence, "To: Acme" is not
        candidates = [[box]] if match["value"].strip(" :.#") else []
        candidates += [
            list(rows[i][j + 1 :]),
            *([_below(rows, i, box)] if name not in ("tax", "net", "amount") else []),
        ]
        for boxes in candidates:
            text = match["value"] if boxes == [box] else join(boxes)
            if boxes and (field := _value(name, text, boxes)):
                yield field
                return


def _below(rows: Rows, i: int, label: Box) -> list[Box]:
    """The box of the next lines that stands under the label."""
    for row in rows[i + 1 : i + 3]:
        under = [
            b for b in row if min(b.x1, label.x1) - max(b.x0, label.x0) > 0.3 * min(b.x1 - b.x0, label.x1 - label.x0)
        ]
        if under:
            return under[:1]
    return []


def _value(name: str, text: str, boxes: Sequence[Box]) -> Field | None:
    shape = _SHAPES.get(name)
    if shape is None:
        first = boxes[0] if len(boxes) > 1 and name in ("customer", "supplier") else None
        value = tidy_name((first.text if first else text).strip(" :"))
        is_name = sum(c.isalpha() for c in value) > 2 and not any(p.match(value) for p in _NAMED.values())
        return Field(name, value, (first,) if first else tuple(boxes)) if is_name else None
    matches = list(shape.finditer(text))
    if not matches:
        return None
    match = matches[-1] if shape is SUM else matches[0]
    value = match[0]
    if shape is SUM and (unit := _UNITS.search(text)):
        value = f"{unit[0]} {value}"
    return Field(name, value, holding(boxes, match[0]))
