"""Which fields a page has, by what kind of page it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.extract.pages.chart import chart
from ingest.extract.pages.cheque import cheque
from ingest.extract.pages.fields import Field, first_date, labelled
from ingest.extract.pages.grid import cells
from ingest.extract.pages.invoice import invoice
from ingest.extract.pages.kind import page_type
from ingest.extract.pages.ocr import Box, lines
from ingest.extract.pages.receipts import receipt

PICTURED: Final = ("receipt", "invoice", "cheque", "chart", "table", "photograph")
"""Kinds whose scans hold no running text."""


@dataclass(frozen=True)
class Reading:
    """A page as it was understood."""

    kind: str
    sure: float
    fields: Mapping[str, Field]
    figures: Mapping[str, tuple[float, tuple[Box, ...]]] = field(default_factory=dict)
    """Numbers of a table or chart by the words that head them."""
    doubtful: Sequence[tuple[Field, str]] = ()
    """Fields that were read and are not believed, with the reason."""


def read_page(boxes: Sequence[Box]) -> Reading:
    """Kind, fields and figures of a page."""
    kind, sure = page_type(boxes)
    rows = lines(boxes)
    form = labelled(rows)
    if kind == "cheque":
        found, odd = cheque(rows)
        doubt = "the amount in figures and the one in words differ, so neither is taken; look at the cheque"
        return Reading(kind, sure, found, doubtful=[(odd, doubt)] if odd else [])
    if kind == "invoice" or (form.keys() >= {"supplier", "customer"}):
        return Reading(
            kind, sure, {**{n: f for n, f in form.items() if n in ("supplier", "customer")}, **invoice(rows)}
        )
    if form:
        return Reading(kind, sure, form)
    if kind == "chart":
        found, values = chart(boxes)
        return Reading(kind, sure, found, values)
    if kind == "table":
        table = {cell.key: (cell.value, cell.boxes) for cell in cells(rows)}
        return Reading(kind, sure, _dated(rows), table)
    return Reading(kind, sure, receipt(rows) if kind == "receipt" else _dated(rows))


def _dated(rows: Sequence[Sequence[Box]]) -> dict[str, Field]:
    date = first_date(rows)
    return {"date": date} if date else {}
