"""What a page becomes: the page itself, its fields, the firms on it and the relations that its kind of form states.

A page image and a page of a PDF end here alike; each brings its own way to quote a place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ingest.extract.pages.caption import caption
from ingest.extract.pages.fields import PARTIES, Field, amount_of, day_of
from ingest.extract.pages.ocr import Box, page_text
from ingest.extract.pages.per_kind import Reading
from ingest.extract.pages.shape import Shape
from ingest.extract.text.names import Gazetteer, collapse, label_of, text_id
from ingest.source import Refusal
from kg.model import Claim, Edge, Evidence, Node, Value, next_day

RELATIONS: Final = (
    ("LENDS_TO", "lender", "borrower"),
    ("SUPPLIES", "supplier", "customer"),
    ("OBLIGED_TO", "customer", "supplier"),
    ("PAID", "payer", "payee"),
    ("PAID", "drawer", "payee"),
)
"""Edge type with the fields of its source and target."""
_MONEY: Final = ("amount", "total", "tax", "net")
_SEEN: Final = 0.7
"""How sure a shape is that was found."""


@dataclass(frozen=True)
class Page:
    """One page as it is being turned into claims."""

    document: str
    id: str
    boxes: Sequence[Box]
    quote: Callable[[Sequence[Box]], tuple[str, str]]
    """Locator of the rectangle around boxes, and what reading it back gives."""
    published: datetime
    extractor: str
    number: int = 1
    """Of the page in its document."""

    def evidence(self, boxes: Sequence[Box], confidence: float) -> Evidence:
        """Evidence in the rectangle around these boxes, quoted as reading it back gives it."""
        where, quote = self.quote(boxes)
        return Evidence(self.document, where, quote, self.extractor, confidence)

    def seen(self, shape: Shape) -> Evidence:
        """Evidence of a shape: its kind, at its rectangle."""
        return Evidence(self.document, shape.on(self.number), shape.kind, self.extractor, _SEEN)


def page_claims(page: Page, reading: Reading, gazetteer: Gazetteer) -> Iterator[Claim]:
    """The page with its text, kind and bytes, each field and figure, and what they say of firms."""
    text = page_text(page.boxes)
    sure = round(sum(b.score for b in page.boxes) / len(page.boxes), 4)
    props: dict[str, Value] = {"text": text[:4000], "path": page.document}
    yield Claim(Node("Page", page.id, props), page.evidence(page.boxes, sure), page.published)
    kind = Node("Page", page.id, {"document_type": reading.kind})
    yield Claim(kind, page.evidence(page.boxes, round(sure * reading.sure, 4)), page.published)
    for field in reading.fields.values():
        yield _field(page, field, text)
    for key, (value, boxes) in reading.figures.items():
        evidence = page.evidence(boxes, min(b.score for b in boxes))
        yield Claim(Node("Page", page.id, {"measure": value}, key), evidence, page.published, page.published)
    yield from _relations(page, reading.fields, gazetteer)


def shape_claims(page: Page, shapes: Sequence[Shape]) -> Iterator[Claim]:
    """Tables, signatures, stamps and bars, each by its rectangle."""
    for shape in shapes:
        node = Node("Page", page.id, {"statement": shape.kind}, f"{shape.kind}|{shape.x0},{shape.y0}")
        yield Claim(node, page.seen(shape), page.published, page.published)


def caption_claims(page: Page, reading: Reading, shapes: Sequence[Shape]) -> Iterator[Claim]:
    """The caption by the whole page, and each part of it by the boxes or shapes that it tells of."""
    told = caption(reading, page.boxes, shapes)
    scores = [box.score for part in told.parts[1:] for box in part.boxes] or [1.0]
    sure = round(reading.sure * min(*scores, _SEEN if shapes else 1.0), 4)
    whole = page.evidence(page.boxes, sure)
    yield Claim(Node("Page", page.id, {"caption": told.text}), whole, page.published, page.published)
    for at, part in enumerate(told.parts, 1):
        node = Node("Page", page.id, {"statement": part.text}, f"caption|{at}")
        if part.boxes:
            evidence = page.evidence(part.boxes, min(box.score for box in part.boxes))
            yield Claim(node, evidence, page.published, page.published)
        for shape in part.shapes:
            yield Claim(node, page.seen(shape), page.published, page.published)


def _field(page: Page, field: Field, text: str) -> Claim:
    amount = amount_of(field, text) if field.name.partition("|")[0] in _MONEY else None
    props: dict[str, Value] = {"title" if field.name == "title" else "statement": field.text}
    if amount:
        props = {"fact": amount.amount, "currency": amount.currency}
    evidence = page.evidence(field.boxes, field.score)
    return Claim(Node("Page", page.id, props, field.name), evidence, page.published, page.published)


def _relations(page: Page, found: Mapping[str, Field], gazetteer: Gazetteer) -> Iterator[Claim]:
    named: dict[str, str] = {}
    for name in PARTIES:
        if name in found:
            named[name], claims = _firm(page, found[name], gazetteer, bank=name == "lender")
            yield from claims
    for type, source, target in RELATIONS:
        there = source in named and target in named and named[source] != named[target]
        if there and (type != "OBLIGED_TO" or "amount" in found):
            yield _edge(page, found, (type, source, target), named)


def _firm(page: Page, field: Field, gazetteer: Gazetteer, bank: bool) -> tuple[str, list[Claim]]:
    """Id and claims of a firm; a name that OCR bent is set right where one known name is near."""
    known = gazetteer.nearest(field.text)
    name = collapse(known or field.text)
    label = gazetteer.label(name) if known else label_of(name)
    id = text_id(name, label)
    sure = round(field.score * (1.0 if known == field.text else 0.8), 4)
    evidence = page.evidence(field.boxes, sure)
    mentioned = Edge("MENTIONED_IN", id, page.id, {"count": 1})
    claim = Claim(Node(label, id, {"name": name}), evidence, page.published)
    return id, [claim, Claim(mentioned, evidence, page.published, page.published)]


def _edge(page: Page, found: Mapping[str, Field], relation: tuple[str, str, str], named: Mapping[str, str]) -> Claim:
    type, source, target = relation
    parts = [found[n] for n in (source, target, "amount", "date", "maturity") if n in found]
    amount = amount_of(found["amount"], page_text(page.boxes)) if "amount" in found else None
    props: dict[str, Value] = {"amount": amount.amount, "currency": amount.currency} if amount else {}
    start = (day_of(found["date"]) if "date" in found else None) or page.published
    end = day_of(found["maturity"]) if "maturity" in found else None
    if type == "OBLIGED_TO":
        props["role"] = "invoice"
    evidence = page.evidence([b for f in parts for b in f.boxes], min(f.score for f in parts))
    edge = Edge(type, named[source], named[target], props, _key(type, found, start, page))
    lasts = type in ("LENDS_TO", "OBLIGED_TO") and end is not None and end > start
    return Claim(edge, evidence, page.published, start, next_day(end) if lasts and end else None)


def _key(type: str, found: Mapping[str, Field], start: datetime, page: Page) -> str:
    """What tells this edge from others between the same two: the facility, the day paid, the invoice."""
    if type == "LENDS_TO":
        return found["facility"].text.casefold() if "facility" in found else ""
    if type == "OBLIGED_TO":
        return found["number"].text.casefold() if "number" in found else page.id
    return start.date().isoformat() if type == "PAID" else ""


def unsure(locator: str, reason: str) -> Refusal:
    """A field that was read and is not believed."""
    return Refusal(locator, reason)
