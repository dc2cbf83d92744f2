"""PDF: prose, forms and tables of pages with text, OCR of pages without, and files that must not be opened."""

from __future__ import annotations

import io
import time
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from benchmarks.page_pictures import letter
from ingest.extract.pages.pdf import head, page, read_place
from ingest.extract.pages.pdf_guard import check
from ingest.locate import locate
from ingest.source import Extract, Models
from ingest.sources.pdf import Pdf
from kg.errors import RecordError
from kg.validate import LABELS, violations
from tests.contract.examples.pdf import assembled, pdf

PROSE = (
    "Annual letter of Oakmere Turbines Inc.",
    "",
    "Larch Hill Bank plc lent EUR 5 million to Oakmere Turbines Inc. in April 2023, and the two firms say that",
    "no other lender takes part.",
)
INVOICE = (
    "Oakmere Turbines Ltd",
    "INVOICE",
    "Invoice No: INV-7731",
    "Date: 2023-04-05",
    "Bill to: Larch Hill Foods plc",
    "Due date: 2023-05-05",
    "Total due: EUR 1,200.00",
)


def read(content: bytes, folder: Path) -> Extract:
    (folder / "it.pdf").write_bytes(content)
    (folder / "pages.csv").write_text("file,published\nit.pdf,2023-06-01\n")
    source = Pdf(folder)
    [record] = source.records()
    extract = source.claims(record, Models(None, folder / "cache"))
    for row in extract.claims.table.to_pylist():
        if row["document"] == record.document:
            assert locate(content, row["locator"], "pdf", folder / "cache") == row["quote"]
    assert violations(extract.claims.table, LABELS.empty_table()).num_rows == 0
    return extract


@pytest.mark.slow
def test_prose_of_a_page_becomes_a_loan_at_its_characters(tmp_path: Path) -> None:
    rows = read(pdf([("Cover",), PROSE]), tmp_path).claims.table.to_pylist()
    [loan] = [row for row in rows if row["name"] == "LENDS_TO"]
    assert loan["locator"].startswith("page:2 chars:") and loan["value_decimal"] == Decimal(5_000_000)
    assert loan["quote"].endswith("no other lender takes part."), "a wrapped line goes on"
    assert loan["published"] == datetime(2023, 6, 1, tzinfo=UTC)


def test_a_form_that_carries_text_is_read_without_ocr(tmp_path: Path) -> None:
    rows = read(pdf([INVOICE]), tmp_path).claims.table.to_pylist()
    by_name = {row["name"]: row for row in rows}
    assert by_name["document_type"]["value_text"] == "invoice"
    assert by_name["SUPPLIES"]["subject"] == "name:oakmere turbines ltd"
    assert (by_name["OBLIGED_TO"]["value_decimal"], by_name["OBLIGED_TO"]["key"]) == (Decimal(1200), "inv-7731")
    assert by_name["OBLIGED_TO"]["valid_to"] == datetime(2023, 5, 6, tzinfo=UTC)


def test_a_ruled_table_becomes_facts_by_row_and_column(tmp_path: Path) -> None:
    cells = (("EUR", "2022", "2023"), ("Revenue", "1,250", "1,310"), ("Net income", "95", "-12"))
    drawn = [f"{60 + 120 * n} {600} m {60 + 120 * n} {690} l S" for n in range(4)]
    drawn += [f"60 {600 + 30 * n} m 420 {600 + 30 * n} l S" for n in range(4)]
    drawn += [
        f"BT /F1 12 Tf {68 + 120 * n} {670 - 30 * i} Td ({text}) Tj ET"
        for i, row in enumerate(cells)
        for n, text in enumerate(row)
    ]
    content = "\n".join(drawn)
    made = pdf([PROSE]).split(b"stream\n", 1)[1].split(b"\nendstream", 1)[0]
    rows = read(_again(pdf([PROSE]), made, content.encode()), tmp_path).claims.table.to_pylist()
    figures = {row["key"]: row["value_decimal"] or row["value_real"] for row in rows if "|" in row["key"]}
    assert figures["Revenue|2023"] == 1310.0 and figures["Net income|2022"] == 95.0


def _again(content: bytes, old: bytes, new: bytes) -> bytes:
    """The same PDF with another stream on its page; its table of places is then wrong, which readers mend."""
    return content.replace(f"/Length {len(old)}".encode(), f"/Length {len(new)}".encode()).replace(old, new)


@pytest.mark.slow
def test_a_scanned_page_is_read_by_ocr(tmp_path: Path) -> None:
    scan = Image.open(io.BytesIO(letter(Random("2")).content))
    buffer = io.BytesIO()
    scan.save(buffer, "PDF", resolution=110)
    rows = read(buffer.getvalue(), tmp_path).claims.table.to_pylist()
    [text] = [row["value_text"] for row in rows if row["name"] == "text" and row["subject"].startswith("doc:")]
    assert "faithfully" in text or "Sincerely" in text or "regards" in text
    assert {row["locator"].partition(" box:")[0] for row in rows if " box:" in row["locator"]} == {"page:1"}


def test_the_day_a_file_was_made_dates_it_where_nobody_says_more(tmp_path: Path) -> None:
    content = pdf([PROSE]).replace(b"/Root 1 0 R", b"/Root 1 0 R /Info << /CreationDate (D:20240229101500Z) >>")
    (tmp_path / "a.pdf").write_bytes(content)
    source = Pdf(tmp_path)
    [record] = source.records()
    published = set(source.claims(record, Models()).claims.table["published"].to_pylist())
    assert published == {datetime(2024, 2, 29, tzinfo=UTC)}


def test_a_page_without_a_size_is_refused_with_its_reason(tmp_path: Path) -> None:
    content = pdf([PROSE]).replace(b"[0 0 595 842]", b"[0 0 5 (x)]")
    with pytest.raises(RecordError, match="damaged"):
        read(content, tmp_path)


def bomb() -> bytes:
    """A few kilobytes that unpack to 200 million."""
    packed = zlib.compress(zlib.compress(b"q " * 100_000_000, 9), 9)
    stream = (
        f"<< /Length {len(packed)} /Filter [/FlateDecode /FlateDecode] >>\nstream\n".encode() + packed + b"\nendstream"
    )
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>"
    return assembled(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, stream])


def huge_picture() -> bytes:
    stream = b"<< /Subtype /Image /Width 99000 /Height 99000 /Length 1 >>\nstream\nx\nendstream"
    return assembled(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>", stream])


def encrypted() -> bytes:
    guard = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -44 /O <{'41' * 32}> /U <{'42' * 32}> >> "
    guard += f"/ID [<{'43' * 16}> <{'43' * 16}>]"
    return pdf([PROSE]).replace(b"/Root 1 0 R", b"/Root 1 0 R " + guard.encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no bytes"),
        (b"PK\x03\x04 no pdf", "expected %PDF-"),
        (b"%PDF-1.4\nbut nothing follows", "broken|no pages"),
        (pdf([PROSE])[:300], "broken|no pages|damaged"),
        (assembled(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"]), "no pages"),
        (bomb(), "bomb"),
        (huge_picture(), "99000 x 99000 pixels"),
        (encrypted(), "encrypted"),
    ],
    ids=["empty", "zip", "stub", "cut", "no pages", "bomb", "huge picture", "encrypted"],
)
def test_a_pdf_that_must_not_be_opened_is_refused_with_its_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    began = time.process_time()
    with pytest.raises(RecordError, match=reason):
        read(content, tmp_path)
    assert time.process_time() - began < 10


def test_a_page_of_absurd_size_is_drawn_small(tmp_path: Path) -> None:
    content = pdf([("A",)]).replace(b"[0 0 595 842]", b"[0 0 90000 90000]")
    with pytest.raises(RecordError, match="no words on any page"):
        read(content, tmp_path)


def test_locators_outside_are_told() -> None:
    content = pdf([PROSE])
    for where, reason in (
        ("page:9 chars:0-1", "1 pages"),
        ("page:1 chars:5-9999", "outside"),
        ("page:1 x", "expected"),
    ):
        with pytest.raises(RecordError, match=reason):
            locate(content, where, "pdf")


def test_ordinary_streams_pass_the_guard() -> None:
    check(pdf([PROSE] * 40))
    assert head(pdf([PROSE] * 40)).pages == 40
    assert "Larch Hill" in page(pdf([PROSE]), 1).text
    assert read_place(pdf([PROSE]), "page:1 chars:0-13", None) == "Annual letter"  # type: ignore[arg-type]
