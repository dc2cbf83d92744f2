"""Page images: words in boxes, key fields, and locators that are read back without a second OCR."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz import fuzz

from ingest.extract.fields import amount_of, fields
from ingest.extract.names import Gazetteer
from ingest.extract.ocr import Box, PageReader, lines, locator, page_text, read_box
from ingest.source import Models
from ingest.sources.images import Images
from kg.errors import RecordError
from kg.validate import LABELS, violations

WORDS = (
    "LOAN NOTICE",
    "Lender: Brentholm Bank",
    "Borrower: Corvina Timber AG",
    "Amount: EUR 12,500,000.00",
    "Date: 2023-04-05",
)
NAMES = [("lei:a", "Bank", "Brentholm Bank"), ("lei:b", "Company", "Corvina Timber AG")]
SIDECAR = "file,document,page,published,subject_id\nnote.png,notes-7,1,2023-04-06T09:00:00Z,lei:b\n"


def page(words: tuple[str, ...] = WORDS) -> bytes:
    image = Image.new("L", (620, 60 + 60 * len(words)), 255)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(words):
        draw.text((40, 40 + 60 * i), line, 0, font=ImageFont.load_default(28))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images")
    (path / "note.png").write_bytes(page())
    (path / "pages.csv").write_text(SIDECAR)
    return path


def test_a_loan_notice_becomes_a_loan_on_its_boxes(folder: Path) -> None:
    source, models = Images(folder), Models(Gazetteer(NAMES), folder / "cache")
    [record] = source.records()
    extract = source.claims(record, models)
    rows = extract.claims.table.to_pylist()
    [loan] = [r for r in rows if r["name"] == "LENDS_TO"]
    assert (loan["subject"], loan["object"]) == ("name:brentholm bank", "name:corvina timber ag")
    assert (loan["value_decimal"], loan["unit"]) == (Decimal("12500000"), "EUR")
    assert loan["valid_from"] == datetime(2023, 4, 5, tzinfo=UTC)
    assert loan["published"] == datetime(2023, 4, 6, 9, tzinfo=UTC)
    assert violations(extract.claims.table, LABELS.empty_table()).to_pylist() == []
    told = {(r["name"], r["locator"]) for r in rows if r["document"] != record.document}
    assert {("PAGE_OF", "row:1"), ("MENTIONED_IN", "row:1")} <= told
    for row in rows:
        if row["document"] == record.document:
            assert read_box(record.content, row["locator"], PageReader(folder / "cache")) == row["quote"]


def test_a_box_is_read_back_from_the_cache_alone(folder: Path) -> None:
    reader = PageReader(folder / "kept")
    content = page(("Lender: Alpha Bank",))
    boxes = reader.read(content)
    [kept] = (folder / "kept" / "ocr").iterdir()
    kept.write_text(kept.read_text().replace("Alpha", "Omega"))
    assert "Omega" in PageReader(folder / "kept").read(content)[0].text
    assert read_box(content, locator(boxes), PageReader(folder / "kept")).count("Omega") == 1


def test_a_subject_nobody_knows_is_refused_and_the_page_kept(folder: Path) -> None:
    source = Images(folder)
    [record] = source.records()
    extract = source.claims(record, Models(None, folder / "cache"))
    assert "lei:b is not known" in extract.refused[0].reason
    assert "LENDS_TO" in extract.claims.table["name"].to_pylist()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "no bytes"), (b"GIF89a", "expected PNG or JPEG"), (page()[:900], "cut off or damaged")],
)
def test_a_broken_image_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        PageReader().read(content)


def test_a_locator_of_another_form_is_refused() -> None:
    with pytest.raises(RecordError, match="expected page:1 box"):
        read_box(b"", "page:2 box:1,2")


def test_boxes_side_by_side_are_one_line() -> None:
    left, right = Box(10, 10, 90, 30, "Total:", 1.0), Box(200, 12, 260, 32, "9.00", 1.0)
    below = Box(10, 50, 90, 70, "Cash", 1.0)
    assert page_text([below, right, left]) == "Total: 9.00\nCash"
    assert [len(line) for line in lines([left, right, below])] == [2, 1]


@pytest.mark.real
@pytest.mark.slow
def test_key_fields_of_real_receipts(real_data: Path, tmp_path: Path) -> None:
    """18 receipts; the floor is what was reached when this was written (company 14, date 14, total 16)."""
    reader, right = PageReader(tmp_path), dict.fromkeys(("company", "date", "total"), 0)
    for image in sorted((real_data / "receipts" / "img").glob("*.jpg")):
        key = json.loads((real_data / "receipts" / "key" / f"{image.stem}.json").read_text())
        found = fields(reader.read(image.read_bytes()))
        for name in ("company", "date"):
            right[name] += name in found and fuzz.ratio(_plain(found[name].text), _plain(key[name])) >= 90
        total = amount_of(found["total"], "") if "total" in found else None
        right["total"] += total is not None and total.amount == Decimal(re.sub(r"[^\d.]", "", key["total"]))
    print(f"\nreceipts: {right} of 18")
    assert right["company"] >= 13 and right["date"] >= 13 and right["total"] >= 15


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
