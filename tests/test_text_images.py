"""Page images: words in boxes, key fields, and locators that are read back without a second OCR."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rapidfuzz.distance import Levenshtein

from ingest.extract import ocr_words
from ingest.extract.names import Gazetteer
from ingest.extract.ocr import Box, PageReader, lines, locator, page_text, read_box
from ingest.pipeline import run
from ingest.source import Models
from ingest.sources.images import Images
from kg.errors import MissingExtraError, RecordError
from kg.files import Files
from kg.ledger import Ledger
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


@pytest.mark.parametrize(
    ("told", "published"),
    [
        ("2023-04-06", datetime(2023, 4, 6, tzinfo=UTC)),
        ("2023-04-06T09:30:00", datetime(2023, 4, 6, 9, 30, tzinfo=UTC)),
        ("2023-04-06T09:30:00+02:00", datetime(2023, 4, 6, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_publication_without_time_or_zone_is_utc(told: str, published: datetime, tmp_path: Path) -> None:
    (tmp_path / "note.png").write_bytes(page())
    (tmp_path / "pages.csv").write_text(SIDECAR.replace("2023-04-06T09:00:00Z", told))
    [record] = Images(tmp_path).records()
    assert record.published == published


def test_a_page_with_a_wrong_publication_is_quarantined_and_the_others_are_read(tmp_path: Path) -> None:
    inputs, home = tmp_path / "inputs", tmp_path / "home"
    inputs.mkdir()
    for name in ("note.png", "late.png"):
        (inputs / name).write_bytes(page((*WORDS, name)))
    (inputs / "pages.csv").write_text(f"{SIDECAR}late.png,notes-7,2,6 April,\n")
    with Ledger.open(home / "ledger") as ledger:
        report = run(inputs, ledger, Files(home / "files"), home, sources=("images",))
    assert [q.path for q in report.quarantined if "'6 April' in pages.csv is no ISO date" in q.reason] == ["late.png"]
    assert report.names["LENDS_TO"] == 1


def test_a_missing_reader_stops_the_run_and_is_forgotten_once_installed(tmp_path: Path) -> None:
    inputs, home = tmp_path / "inputs", tmp_path / "home"
    inputs.mkdir()
    (inputs / "note.png").write_bytes(page((*WORDS, "Copy")))
    with Ledger.open(home / "ledger") as ledger:
        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(sys.modules, "rapidocr", None)
            ocr_words._engine.cache_clear()
            with pytest.raises(MissingExtraError, match=r"install kgrisk\[images\]"):
                run(inputs, ledger, Files(home / "files"), home, sources=("images",))
        assert ledger.head == 0
        report = run(inputs, ledger, Files(home / "files"), home, sources=("images",))
    assert (report.commit, report.sources["images"].resumed, report.quarantined) == (1, 0, [])


NOTICE = (
    "The undersigned bank confirms the facility described below.",
    "Lender: Brentholm Bank plc, 14 Quay Street, Harwich",
    "Borrower: Corvina Timber AG, Postfach 2206, Zug",
    "Principal: EUR 12,500,000.00 at 4.375 % a year",
    "Drawn on 2023-04-05, repayable on 2028-03-31",
    "Purpose: purchase of sawmill machinery and working capital",
    "Reference BQ-7731/04 replaces the letter of 19 January 2021.",
    "Interest is due on the last business day of each quarter.",
)


@pytest.mark.slow
def test_few_characters_of_a_noisy_page_are_misread() -> None:
    """Character error rate: edit distance to the words printed over their length, at four strengths of noise."""
    rates = {spread: error_rate(NOTICE, spread) for spread in (0.0, 8.0, 16.0, 24.0)}
    print("\ncharacter error rate by spread of the noise:", {s: f"{rate:.4f}" for s, rate in rates.items()})
    assert max(rates.values()) <= 0.02


def error_rate(words: tuple[str, ...], spread: float) -> float:
    """Share of characters misread on a page in DejaVu Sans under normal noise (in grey levels) and a slight blur."""
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), 26)
    image = Image.new("L", (1000, 60 + 52 * len(words)), 255)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(words):
        draw.text((40, 30 + 52 * i), line, 0, font=font)
    grey = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7 if spread else 0)), np.float64)
    noise = np.random.default_rng(7).normal(0, spread, grey.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(grey + noise, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    printed, read = " ".join(words), " ".join(page_text(PageReader().read(buffer.getvalue())).split())
    return Levenshtein.distance(printed, read) / len(printed)
