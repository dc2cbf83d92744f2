"""Pages of every kind: what they are, what their forms say, and the tables, signatures and stamps on them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from benchmarks.ingest.pages import right_fields, shape_overlaps
from benchmarks.page_pictures import cheque, invoice, pictures, spelt
from benchmarks.page_sheet import Picture
from ingest.extract.pages import cheque as cheques
from ingest.extract.pages.chart import chart as read_chart
from ingest.extract.pages.kind import page_type, ticks
from ingest.extract.pages.ocr import Box, PageReader, lines, page_text
from ingest.extract.pages.per_kind import read_page
from ingest.locate import locate
from ingest.source import Models
from ingest.sources.images import Images

Lines = tuple[tuple[str, ...], ...]


def boxes(lines: Lines) -> list[Box]:
    return [
        Box(20 + 200 * i, 40 * n, 20 + 200 * i + 8 * len(text), 40 * n + 24, text, 0.9, n)
        for n, line in enumerate(lines)
        for i, text in enumerate(line)
    ]


CHEQUE: Lines = (
    ("Oakmere Turbines Ltd", "Cheque No 204417"),
    ("Date: 5 April 2023",),
    ("Pay to the order of Larch Hill Foods plc", "$2,005.40"),
    ("Two thousand and five and 40/100 dollars",),
    ("Brentholm Bank plc, 2 Market Place",),
)


def test_boxes_side_by_side_are_one_line() -> None:
    left, right = Box(10, 10, 90, 30, "Total:", 1.0), Box(200, 12, 260, 32, "9.00", 1.0)
    below = Box(10, 50, 90, 70, "Cash", 1.0)
    assert page_text([below, right, left]) == "Total: 9.00\nCash"
    assert [len(line) for line in lines([left, right, below])] == [2, 1]


def test_a_cheque_says_who_pays_whom_how_much() -> None:
    reading = read_page(boxes(CHEQUE))
    told = {name: field.text for name, field in reading.fields.items()}
    assert reading.kind == "cheque" and reading.doubtful == []
    assert (told["drawer"], told["payee"]) == ("Oakmere Turbines Ltd", "Larch Hill Foods plc")
    assert (told["amount"], told["number"], told["date"]) == ("$2,005.40", "204417", "5 April 2023")


def test_a_cheque_whose_words_and_figures_differ_says_no_amount() -> None:
    bent = tuple(tuple(text.replace("$2,005.40", "$7,005.40") for text in line) for line in CHEQUE)
    reading = read_page(boxes(bent))
    assert "amount" not in reading.fields and "payee" in reading.fields
    [(field, reason)] = reading.doubtful
    assert field.text == "$7,005.40" and "differ" in reason


@pytest.mark.parametrize("n", [7, 19, 40, 58, 100, 219, 1000, 2005, 30_417, 99_999, 812_640])
def test_sums_in_words_are_read(n: int) -> None:
    assert cheques.spelt(f"{spelt(n)} and 07/100") == Decimal(n) + Decimal("0.07")


def test_an_invoice_by_labels_beside_and_above() -> None:
    page: Lines = (
        ("Oakmere Turbines Ltd", "INVOICE"),
        ("Bill to", "Invoice No: INV-7731"),
        ("Larch Hill Foods plc", "Date: 2023-04-05"),
        ("14 Quay Street", "Due date: 2023-05-05"),
        ("Subtotal", "1,000.00"),
        ("VAT 20 %", "200.00"),
        ("Total due", "EUR 1,200.00"),
    )
    told = {name: field.text for name, field in read_page(boxes(page)).fields.items()}
    assert (told["supplier"], told["customer"]) == ("Oakmere Turbines Ltd", "Larch Hill Foods plc")
    assert (told["number"], told["date"], told["maturity"]) == ("INV-7731", "2023-04-05", "2023-05-05")
    assert (told["amount"], told["tax"], told["net"]) == ("EUR 1,200.00", "200.00", "1,000.00")


def test_a_scale_is_even_in_place_and_value() -> None:
    scale = [Box(10, 100 * n, 40, 100 * n + 20, str(80 - 20 * n), 0.9) for n in range(4)]
    assert ticks(scale, upright=True) == scale
    assert ticks([*scale[:2], Box(10, 200, 40, 220, "7", 0.9), scale[3]], upright=True) == []


def test_only_printed_numbers_of_a_chart_become_values() -> None:
    scale = [Box(10, 100 + 100 * n, 40, 120 + 100 * n, str(60 - 20 * n), 0.9) for n in range(4)]
    years = [Box(100 + 150 * n, 430, 150 + 150 * n, 450, str(2019 + n), 0.9) for n in range(3)]
    printed = Box(105, 180, 145, 200, "41", 0.9)
    found, values = read_chart([Box(100, 20, 400, 50, "Orders of Tarn Ltd", 0.9), *scale, *years, printed])
    assert found["title"].text == "Orders of Tarn Ltd"
    assert {name: value for name, (value, _) in values.items()} == {"2019": 41.0}


def claims_of(picture: Picture, folder: Path) -> tuple[list[dict[str, object]], list[str]]:
    (folder / "page.png").write_bytes(picture.content)
    source = Images(folder)
    [record] = source.records()
    extract = source.claims(record, Models(None, folder / "cache"))
    rows = extract.claims.table.to_pylist()
    for row in rows:
        assert locate(record.content, row["locator"], "images", folder / "cache") == row["quote"]
    return rows, [refusal.reason for refusal in extract.refused]


def test_a_drawn_invoice_becomes_supply_and_duty(tmp_path: Path) -> None:
    picture = invoice(Random("3"))
    rows, _ = claims_of(picture, tmp_path)
    by_name = {row["name"]: row for row in rows}
    ends = tuple(f"name:{picture.fields[end].casefold()}" for end in ("supplier", "customer"))
    assert (by_name["SUPPLIES"]["subject"], by_name["SUPPLIES"]["object"]) == ends
    assert (by_name["OBLIGED_TO"]["object"], by_name["OBLIGED_TO"]["subject"]) == ends
    assert by_name["OBLIGED_TO"]["value_decimal"] == Decimal(picture.fields["amount"])
    assert by_name["OBLIGED_TO"]["key"] == picture.fields["number"].casefold()
    assert by_name["document_type"]["value_text"] == "invoice"
    assert "table" in {row["quote"] for row in rows if " shape:" in str(row["locator"])}


def test_a_drawn_cheque_becomes_a_payment(tmp_path: Path) -> None:
    picture = cheque(Random("5"))
    rows, refused = claims_of(picture, tmp_path)
    [paid] = [row for row in rows if row["name"] == "PAID"]
    assert (paid["subject"], paid["object"]) == tuple(
        f"name:{picture.fields[n].casefold()}" for n in ("drawer", "payee")
    )
    assert paid["value_decimal"] == Decimal(picture.fields["amount"]) and paid["key"] == picture.fields["date"]
    assert refused == []


@pytest.mark.slow
def test_drawn_pages_are_told_apart_and_read() -> None:
    """Seven kinds, a page each: at most one kind wrong, nine fields in ten right, shapes where they were drawn."""
    drawn, reader = pictures(9, 1), PageReader()
    read = [reader.read(picture.content) for picture in drawn]
    kinds = [page_type(found)[0] == picture.kind for picture, found in zip(drawn, read, strict=True)]
    assert sum(kinds) >= len(kinds) - 1
    good, asked = 0, 0
    for picture, found in zip(drawn, read, strict=True):
        if picture.fields and found:
            right, of = right_fields(picture, read_page(found))
            good, asked = good + right, asked + of
    assert good / asked >= 0.9
    overlaps = [
        value
        for picture, found in zip(drawn, read, strict=True)
        if picture.kind not in ("chart", "photograph")
        for values in shape_overlaps(picture, found)[0].values()
        for value in values
    ]
    assert sum(overlaps) / len(overlaps) >= 0.8
