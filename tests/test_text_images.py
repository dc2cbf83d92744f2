"""Page images: words in boxes, key fields, and locators that are read back without a second OCR."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rapidfuzz.distance import Levenshtein

from ingest.extract.pages import words as ocr_words
from ingest.extract.pages.ocr import PageReader, locator, page_text, read_box
from ingest.extract.text.names import Gazetteer
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


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, data: bytes) -> bytes:
    """A grey PNG whose header claims a size, whatever its data hold."""
    size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + size + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def drawn() -> Image.Image:
    return Image.open(io.BytesIO(page(("Lender: Brentholm Bank",)))).convert("RGB")


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "huge header": (lambda: png(2_000_000_000, 2_000_000_000, b""), "absurd size|pixels"),
    "bomb": (lambda: png(30_000, 30_000, zlib.compress(bytes(30_001 * 3_000), 9)), "pixels|absurd size"),
    "long strip": (lambda: png(30_000, 20, zlib.compress(bytes(30_001 * 20))), "sides up to"),
    "one pixel": (lambda: saved(Image.new("L", (1, 1))), "1 x 1 pixels"),
    "no data": (lambda: png(500, 500, b""), "cut off or damaged"),
    "half a JPEG": (lambda: saved(drawn(), "JPEG")[:3000], "cut off or damaged"),
    "pointer": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9", "expected PNG or JPEG"),
    "nothing on it": (lambda: saved(Image.new("L", (400, 300), 255)), "no words"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_picture_that_must_not_be_read_is_refused(case: str, tmp_path: Path) -> None:
    make, reason = HOSTILE[case]
    (tmp_path / "bad.png").write_bytes(make())
    source = Images(tmp_path)
    [record] = source.records()
    began = time.process_time()
    with pytest.raises(RecordError, match=reason):
        source.claims(record, Models())
    assert time.process_time() - began < 10


FORMS: dict[str, Callable[[], bytes]] = {
    "CMYK": lambda: saved(drawn().convert("CMYK"), "JPEG", quality=92),
    "16 bits": lambda: saved(Image.fromarray(np.asarray(drawn().convert("L")).astype(np.uint16) * 257)),
    "see-through": lambda: saved(_see_through(drawn())),
    "palette": lambda: saved(drawn().convert("P")),
    "moving": lambda: saved(drawn(), "PNG", save_all=True, append_images=[Image.new("RGB", drawn().size)]),
}


def _see_through(image: Image.Image) -> Image.Image:
    ink = Image.fromarray(255 - np.asarray(image.convert("L")))
    return Image.merge("RGBA", [*Image.new("RGB", image.size, (0, 0, 0)).split(), ink])


@pytest.mark.parametrize("form", FORMS)
def test_a_page_reads_the_same_in_every_form_of_colour(form: str) -> None:
    assert "Brentholm Bank" in page_text(PageReader().read(FORMS[form]()))


def test_a_page_turned_by_its_exif_mark_is_upright() -> None:
    turned = drawn().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    [box] = PageReader().read(saved(turned, "JPEG", exif=exif, quality=95))
    assert "Brentholm Bank" in box.text and box.x1 - box.x0 > box.y1 - box.y0


@pytest.mark.slow
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_turned_by_quarters_is_read_in_order_and_its_boxes_keep_their_place(quarters: int) -> None:
    upright = Image.open(io.BytesIO(page())).convert("L")
    content = saved(Image.fromarray(np.rot90(np.asarray(upright), quarters).copy()))
    boxes = PageReader().read(content)
    assert page_text(boxes).splitlines()[:2] == ["LOAN NOTICE", "Lender: Brentholm Bank"]
    assert read_box(content, locator(boxes[:1])) == boxes[0].text
    width, height = Image.open(io.BytesIO(content)).size
    assert all(0 <= b.x0 < b.x1 <= width + 2 and 0 <= b.y0 < b.y1 <= height + 2 for b in boxes)


def test_lines_of_a_page_turned_a_little_stay_together() -> None:
    left = ("Total", "Cash", "Change")
    image = Image.new("L", (1100, 300), 255)
    draw = ImageDraw.Draw(image)
    for i, word in enumerate(left):
        draw.text((60, 60 + 60 * i), word, 0, font=ImageFont.load_default(28))
        draw.text((900, 60 + 60 * i), f"{i + 1}2.00", 0, font=ImageFont.load_default(28))
    turned = image.rotate(2.5, Image.Resampling.BICUBIC, fillcolor=255)
    assert page_text(PageReader().read(saved(turned))) == "Total 12.00\nCash 22.00\nChange 32.00"


@pytest.mark.slow
def test_the_largest_page_is_read_within_a_gibibyte() -> None:
    code = (  # a process of its own, so that its memory is its own
        "import io, numpy as np\n"
        "from PIL import Image\n"
        "from benchmarks.figure import peak_mib\n"
        "from ingest.extract.pages.ocr import PageReader\n"
        "grey = np.full((6300, 6300), 255, np.uint8); grey[::90, ::3] = 0\n"
        "out = io.BytesIO(); Image.fromarray(grey).save(out, 'PNG', compress_level=1)\n"
        "PageReader().read(out.getvalue())\n"
        "print(round(peak_mib()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) < 1024


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
