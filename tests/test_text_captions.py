"""Captions of pages, bars of charts, and scanned PDF pages: their tables, signatures, stamps and sentences."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.ingest.pages import overlap
from benchmarks.page_pictures import chart, invoice
from benchmarks.page_sheet import Picture, Sheet, finish
from ingest.extract.pages.caption import CONNECTIVES, Caption, caption
from ingest.extract.pages.ocr import Box, PageReader, page_text
from ingest.extract.pages.per_kind import read_page
from ingest.extract.pages.running import running
from ingest.extract.pages.shape import Shape
from ingest.extract.pages.stamps import shapes
from ingest.locate import locate
from ingest.source import Models
from ingest.sources.images import Images
from ingest.sources.pdf import Pdf
from kg.validate import LABELS, violations

LOAN = (
    "Dear shareholders, this letter tells you of the funds that we raised in the year and of those who gave",
    "them. Larch Hill Bank plc lent EUR 5 million to Oakmere Turbines Inc. in April 2023, and the two firms say",
    "that no other lender takes part. Yours sincerely, the board.",
)
WORDS = st.sampled_from(
    ["INVOICE", "Invoice No: INV-77", "Bill to: Larch Hill Foods plc", "Total due: EUR 1,200.00", "Date: 2024-05-03",
     "Oakmere Turbines Ltd", "S/D 12 SDN BND", "RECEIPT", "TOTAL", "9.50", "Cash", "Pay to the order of Tarn Ltd",
     "Lender: Brentholm Bank", "Borrower: Corvina Timber AG", "2019", "2020", "Revenue", "12", "14", "Dear Sir"]
)  # fmt: skip


def placed(rows: Sequence[Sequence[str]]) -> list[Box]:
    return [
        Box(20 + 300 * i, 40 * n, 20 + 300 * i + 8 * len(text), 40 * n + 24, text, 0.9, n)
        for n, row in enumerate(rows)
        for i, text in enumerate(row)
    ]


def unfounded(told: Caption, boxes: Sequence[Box]) -> list[str]:
    """Words of a caption that neither stand on the page nor are connectives nor counts."""
    printed = set(re.findall(r"[\w.,]+", page_text(boxes)))
    printed |= {word.rstrip(".,") for word in printed}
    words = [word.strip(".,") for word in re.findall(r"[\w.,]+", told.text)]
    return [w for w in words if w and w not in printed and w.lower() not in CONNECTIVES and not w.isdigit()]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=12),
    st.lists(st.sampled_from(["table", "signature", "stamp", "bar"]), max_size=5),
)
def test_a_caption_says_no_word_that_was_not_found(rows: list[list[str]], things: list[str]) -> None:
    boxes = placed(rows)
    shapes = [Shape(kind, 20, 50 * n, 400, 50 * n + 90) for n, kind in enumerate(things)]
    told = caption(read_page(boxes), boxes, shapes)
    assert unfounded(told, boxes) == []
    assert all(part.text in told.text and (part.boxes or part.shapes) for part in told.parts)
    assert {shape for part in told.parts for shape in part.shapes} == set(shapes), "nothing that was found is left out"


def read(source: type[Images] | type[Pdf], name: str, content: bytes, folder: Path) -> list[dict[str, Any]]:
    """Claims of a file, each of which reads back."""
    (folder / name).write_bytes(content)
    (folder / "pages.csv").write_text(f"file,published\n{name},2023-06-01\n")
    [record] = source(folder).records()
    extract = source(folder).claims(record, Models(None, folder / "cache"))
    rows: list[dict[str, Any]] = extract.claims.table.to_pylist()
    for row in rows:
        assert locate(content, row["locator"], "pdf", folder / "cache") == row["quote"]
    assert violations(extract.claims.table, LABELS.empty_table()).num_rows == 0
    return rows


def scanned(pages: Sequence[Picture], dots: int = 110) -> bytes:
    """A PDF whose pages are pictures."""
    images = [Image.open(io.BytesIO(page.content)).convert("RGB") for page in pages]
    buffer = io.BytesIO()
    images[0].save(buffer, "PDF", resolution=dots, save_all=True, append_images=images[1:], quality=92)
    return buffer.getvalue()


def letter(lines: Sequence[str], seed: str = "1") -> Picture:
    sheet = Sheet(Random(seed), 1240, 500)
    for n, line in enumerate(lines):
        sheet.write(60, 60 + 36 * n, line, 19)
    return finish(sheet, "letter", {})


def test_a_scanned_pdf_page_has_its_table_signature_and_stamp_where_they_stand(tmp_path: Path) -> None:
    drawn = next(p for n in range(30) if len((p := invoice(Random(str(n)))).shapes) == 3)
    rows = read(Pdf, "two.pdf", scanned([letter(LOAN), drawn]), tmp_path)
    found = {row["quote"]: row["locator"] for row in rows if row["locator"].startswith("page:2 shape:")}
    assert found.keys() == {"table", "signature", "stamp"}
    for kind, box in drawn.shapes.items():
        place = tuple(int(n) * 110 / 200 for n in found[kind].rpartition(":")[2].split(","))
        assert overlap(box, place) > 0.85  # type: ignore[arg-type]
    [told] = [row for row in rows if row["name"] == "caption" and row["subject"].endswith("#2")]
    assert told["value_text"].startswith(f"Invoice {drawn.fields['number']} of {drawn.fields['supplier']} to ")
    assert re.search(r"; a table of \d rows, a signature and a stamp$", told["value_text"])


def test_each_part_of_a_caption_is_a_claim_at_the_place_it_tells_of(tmp_path: Path) -> None:
    rows = read(Images, "it.png", invoice(Random("3")).content, tmp_path)
    [told] = [row for row in rows if row["name"] == "caption"]
    parts = [row for row in rows if row["key"].startswith("caption|")]
    assert len({row["key"] for row in parts}) >= 6
    assert all(row["value_text"] in told["value_text"] for row in parts)
    printed = [row for row in parts if " box:" in row["locator"] and row["key"] != "caption|1"]
    assert printed and all(row["value_text"] in row["quote"] for row in printed)


def test_sentences_of_a_scanned_letter_become_claims_in_its_lines(tmp_path: Path) -> None:
    rows = read(Pdf, "letter.pdf", scanned([letter(("Oakmere Turbines Inc.",)), letter(LOAN)]), tmp_path)
    [loan] = [row for row in rows if row["name"] == "LENDS_TO"]
    assert (loan["subject"], loan["value_decimal"]) == ("name:larch hill bank plc", Decimal(5_000_000))
    assert loan["locator"].startswith("page:2 box:")
    assert "Larch Hill Bank plc lent EUR 5 million" in loan["quote"] and "no other lender takes part" in loan["quote"]
    named = {row["subject"] for row in rows if row["name"] == "MENTIONED_IN" and row["object"].startswith("doc:")}
    assert {"name:larch hill bank plc", "name:oakmere turbines inc."} <= named


def test_a_letter_given_as_a_picture_says_the_same(tmp_path: Path) -> None:
    rows = read(Images, "letter.png", letter(LOAN).content, tmp_path)
    [loan] = [row for row in rows if row["name"] == "LENDS_TO"]
    assert loan["locator"].startswith("page:1 box:") and loan["object"] == "name:oakmere turbines inc."


def test_lines_are_joined_to_paragraphs_and_rows_of_a_form_left_out() -> None:
    lines = [
        Box(20, 10, 900, 34, "The bank told us on Monday that it would not pre-", 0.9, 0),
        Box(20, 40, 880, 64, "pay the loan before the end of the year comes", 0.9, 1),
        Box(20, 70, 200, 94, "and goes.", 0.9, 2),
        Box(20, 200, 120, 224, "Lender:", 0.9, 3),
        Box(500, 200, 800, 224, "a bank of some size in the north of town", 0.9, 3),
        Box(20, 300, 900, 324, "These words were read so badly that nobody believes them", 0.6, 4),
    ]
    text = running(lines)
    assert text.text == (
        "The bank told us on Monday that it would not prepay the loan before the end of the year comes and goes."
    )
    start = text.text.index("prepay")
    assert [box.line for box in text.boxes(start, start + 6)] == [0, 1]
    assert running([]).text == ""


@pytest.mark.parametrize("seed", ["2 0 chart", "2 1 chart", "7"])
def test_bars_are_counted_and_a_line_chart_has_none(seed: str, tmp_path: Path) -> None:
    picture = chart(Random(seed))
    printed = sum(name.startswith("value ") for name in picture.fields)
    boxes = PageReader().read(picture.content)
    rows = read(Images, "it.png", picture.content, tmp_path)
    [told] = [row["value_text"] for row in rows if row["name"] == "caption"]
    assert (
        boxes
        and (f"with {printed} bars" in told) == bool(printed)
        and told.startswith("Bar chart" if printed else "Chart")
    )
    assert len([row for row in rows if row["key"].startswith("bar|")]) == printed


def test_the_dark_rim_of_a_scan_is_no_table_and_no_signature() -> None:
    image = np.full((900, 700, 3), 245, np.uint8)
    image[:, :4] = image[:4] = image[-4:] = image[:, -4:] = 10
    for level in range(60, 860, 80):
        image[level : level + 3] = 20
    for upright in (200, 400):
        image[:, upright : upright + 3] = 20
    assert [shape for shape in shapes(image) if shape.kind in ("table", "signature")] == []
    inside = np.full((900, 700, 3), 245, np.uint8)
    inside[100:800, 100:600] = image[100:800, 100:600]
    inside[100:103, 100:600] = inside[797:800, 100:600] = inside[100:800, 100:103] = inside[100:800, 597:600] = 20
    [table] = shapes(inside)
    assert table.kind == "table" and overlap((100, 100, 600, 800), (table.x0, table.y0, table.x1, table.y1)) > 0.95
