"""Pages of scanned PDFs: shapes, captions and sentences, against what the drawing program knows; and real receipts.

Drawn pages go into a PDF as JPEG pictures at 110 dots an inch and are read from there, page by page. A caption is
right if its parts are exactly the fields, shapes and rows that were drawn: one part lacking, wrong or too many makes it
wrong. Sentences: letters whose sentences state a relation, drawn, turned, blurred and noised; asked is which of the
edges that the same text gives without OCR the scan gives too, and how many it gives beside them.

Real scans are the 18 receipts: a caption is right if company, day and total in it equal the key. Nobody has marked
tables, signatures and stamps on them, so what is found is only counted.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from PIL import Image

from benchmarks.figure import Figure, real_data
from benchmarks.ingest.pages import TEST, overlap
from benchmarks.ingest.receipts import plain
from benchmarks.page_pictures import FIRMS, pictures
from benchmarks.page_sheet import Picture, Sheet, finish
from ingest.extract.pages.caption import Caption, Part, caption
from ingest.extract.pages.fields import Field, amount_of, day_of
from ingest.extract.pages.ocr import Box, PageReader
from ingest.extract.pages.pdf import things, words
from ingest.extract.pages.per_kind import read_page
from ingest.extract.pages.shape import Shape
from ingest.extract.pages.stamps import seen
from ingest.extract.prose.assertions import Origin
from ingest.extract.prose.prose import prose
from ingest.source import Models
from ingest.sources.pdf import Pdf
from kg.model import ClaimBatch

DOTS: Final = 110
EACH, LETTERS = 5, 8
STATED: Final = (
    "{a} lent EUR {n} million to {b} in April 2021 and expects to be paid back within four years from that day.",
    "{a} owns {n} percent of the shares of {b}, as the register of the court in Zurich shows since last spring.",
    "{a} supplies {b} with timber and steel parts, and the contract between the two runs for some years to come.",
    "{a} acquired {b} for USD {n} million, which was paid in cash on the day that the boards had agreed upon.",
    "{b} is a subsidiary of {a}, whose accounts for the last year have been looked at by the auditors in London.",
)
FILLED: Final = (
    "The board met twice in the quarter and discussed the reports that the committees had handed in before.",
    "We thank you for the patience that you have shown while the works were closed for repair in the winter.",
    "Nothing else of weight has come to pass since we last wrote, and the next letter will follow in autumn.",
)


@dataclass(frozen=True)
class Read:
    """A page of a scanned PDF as it was read."""

    picture: Picture
    boxes: Sequence[Box]
    shapes: Sequence[Shape]
    caption: Caption


def scanned(pages: Sequence[Picture]) -> bytes:
    """A PDF whose pages are pictures."""
    images = [Image.open(io.BytesIO(page.content)).convert("RGB") for page in pages]
    buffer = io.BytesIO()
    images[0].save(buffer, "PDF", resolution=DOTS, save_all=True, append_images=images[1:], quality=90)
    return buffer.getvalue()


def read_all(pages: Sequence[Picture]) -> Iterator[Read]:
    content, reader = scanned(pages), PageReader()
    for number, picture in enumerate(pages, 1):
        boxes = words(content, number, reader)
        if boxes:
            reading = read_page(boxes)
            shapes = seen(things(content, number, boxes), reading.kind)
            yield Read(picture, boxes, shapes, caption(reading, boxes, shapes))


def caption_faults(read: Read) -> list[str]:
    """What is lacking, wrong or too much in a caption."""
    parts = {part.name: part for part in read.caption.parts}
    asked = _asked(read.picture)
    faults = [f"{name}: {parts[name].text if name in parts else 'lacks'}" for name, value in asked.items()
              if name not in parts or not _same(parts[name], value)]  # fmt: skip
    return faults + [f"{name}: too much" for name in parts.keys() - asked.keys() - {"words"}]


def _asked(picture: Picture) -> dict[str, str]:
    """Parts that the caption of a drawn page should have."""
    printed = sum(name.startswith("value ") for name in picture.fields)
    told = ("company", "total", "date", "number", "supplier", "customer", "drawer", "payee", "amount", "title",
            "x label", "y label")  # fmt: skip
    found = {name: value for name, value in picture.fields.items() if name in told}
    found["kind"] = ("Bar chart" if printed else "Chart") if picture.kind == "chart" else picture.kind.capitalize()
    if picture.kind == "table":
        found["figures"] = "figures in 6 rows and 4 columns"
    if picture.kind == "letter":
        found["date"] = ""
    if picture.kind == "cheque":
        found["number"] = ""
    if printed:
        found["bar"] = f"{printed} bars"
    return found | {name: f"a {name}" for name in picture.shapes}


def _same(part: Part, value: str) -> bool:
    field = Field(part.name, part.text.strip("'"), part.boxes)
    if not value:  # drawn, but the drawing program does not tell its value
        return bool(part.text)
    if part.name == "date":
        when = day_of(field)
        return when is not None and when.date().isoformat() == value
    if part.name in ("amount", "total"):
        amount = amount_of(field, "")
        return amount is not None and float(amount.amount) == float(value)
    return part.text.startswith(value) if part.name == "table" else plain(field.text) == plain(value)


def _shapes(read: Sequence[Read]) -> Iterator[Figure]:
    for kind in ("table", "signature", "stamp"):
        best, extra = [], 0
        for one in read:
            found = [tuple(n * DOTS / 200 for n in (s.x0, s.y0, s.x1, s.y1)) for s in one.shapes if s.kind == kind]
            if kind in one.picture.shapes:
                best.append(max((overlap(one.picture.shapes[kind], f) for f in found), default=0.0))  # type: ignore[arg-type]
            extra += max(0, len(found) - (kind in one.picture.shapes))
        note = f"{sum(v >= 0.5 for v in best)} of {len(best)} at 0.5 or more; {extra} where none is"
        yield Figure(f"images: mean IoU of {kind}s on pages of scanned PDFs", float(np.mean(best)), note=note)


def _captions(read: Sequence[Read]) -> Iterator[Figure]:
    for kind in ("all", *sorted({one.picture.kind for one in read})):
        of = [caption_faults(one) for one in read if kind in ("all", one.picture.kind)]
        why = Counter(fault.partition(":")[0] for faults in of for fault in faults)
        note = f"{sum(not f for f in of)} of {len(of)}" + (f"; faults: {dict(why)}" if why else "")
        yield Figure(f"images: captions exactly right, {kind}", sum(not f for f in of) / len(of), note=note)


def letter(number: int) -> tuple[Picture, str]:
    """A letter of three paragraphs that state something, and its text."""
    random = Random(f"letter {number}")
    sheet, y, text = Sheet(random, 1000, 1300), 120, ""
    sheet.write(70, 60, "To our shareholders", 22)
    for stated, filled in zip(random.sample(STATED, 3), FILLED, strict=True):
        a, b = random.sample(FIRMS, 2)
        paragraph = f"{stated.format(a=a, b=b, n=random.randint(2, 60))} {filled}"
        text += paragraph + "\n\n"
        line = ""
        for word in [*paragraph.split(), ""]:
            if not word or len(line) + len(word) > 66:
                sheet.write(70, y, line, 20)
                y, line = y + 32, ""
            line = f"{line} {word}".strip()
        y += 40
    return finish(sheet, "letter", {}), text


def edges(rows: Sequence[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """What a text says of two parties, or of one and an event."""
    kinds = ("MENTIONED_IN", "PAGE_OF", "REPORTED_IN")
    return {
        (row["subject"], row["name"], "" if row["name"] == "AFFECTED_BY" else row["object"])
        for row in rows
        if row["kind"] == "edge" and row["name"] not in kinds
    }


def _prose() -> Iterator[Figure]:
    drawn = [letter(n) for n in range(LETTERS)]
    asked = good = said = 0
    with TemporaryDirectory() as name:
        folder = Path(name)
        for n, (picture, text) in enumerate(drawn):
            (folder / "l.pdf").write_bytes(scanned([picture]))
            (folder / "pages.csv").write_text("file,published\nl.pdf,2023-06-01\n")
            [record] = Pdf(folder).records()
            scan = edges(Pdf(folder).claims(record, Models(None, folder / "cache")).claims.table.to_pylist())
            origin = Origin("d", datetime(2023, 6, 1, tzinfo=UTC), "pdf.page@2")
            told = edges(ClaimBatch.of(prose(text, origin, f"doc:{n:064d}", Models())).table.to_pylist())
            asked, good, said = asked + len(told), good + len(scan & told), said + len(scan)
    yield Figure("images: edges of a letter's text that its scan gives too", good / asked, note=f"{good} of {asked}")
    yield Figure("images: edges of scanned letters that their text gives", good / said, note=f"{good} of {said}")


def _real(folder: Path) -> Iterator[Figure]:
    counts: Counter[str] = Counter()
    files = sorted((folder / "img").glob("*.jpg"))
    right = 0
    for file in files:
        content = file.read_bytes()
        boxes = PageReader().read(content)
        reading = read_page(boxes)
        shapes = seen(things(content, 0, boxes), reading.kind)
        counts.update(shape.kind for shape in shapes)
        parts = {part.name: part.text for part in caption(reading, boxes, shapes).parts}
        key = json.loads((folder / "key" / f"{file.stem}.json").read_text())
        right += all(_plainly(parts.get(n, "")) == _plainly(key[n]) for n in ("company", "date", "total"))
    yield Figure("images: captions of real receipts with company, day and total right", right / len(files),
                 note=f"{right} of {len(files)}; development set")  # fmt: skip
    note = ", ".join(f"{counts[kind]} {kind}" for kind in ("table", "signature", "stamp")) + "; nobody marked them"
    yield Figure("images: shapes claimed on a real receipt, mean", counts.total() / len(files), least=False, note=note)


def _plainly(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


def measure() -> list[Figure]:
    read = list(read_all(pictures(TEST, EACH)))
    return [*_shapes(read), *_captions(read), *_prose(), *_real(real_data() / "receipts")]
