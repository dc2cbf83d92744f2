"""The place of a claim is shown with what stands around it, for every kind of document of the sample."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kg.errors import KgRiskError, RecordError
from kg.files import Files
from kgrisk.extraction import Refused, extract
from kgrisk.preview import LONGEST, picture, place, sound

SAMPLE = Path(__file__).parents[1] / "kgrisk" / "sample"
DATA = SAMPLE / "data"
EACH = 40
"""Claims looked at of each file."""


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


@pytest.mark.parametrize(
    ("source", "folder", "pattern", "kinds"),
    [
        ("news", DATA / "news", "*.html", {"text"}),
        ("filings", DATA / "filings", "10k-*.html", {"text"}),
        ("filings", DATA / "filings", "form4-*.xml", {"text"}),
        ("registers", DATA / "registers", "exposures.csv", {"rows"}),
        ("trades", DATA / "trades", "payments.csv", {"rows"}),
        ("images", DATA / "images", "*.png", {"page", "rows"}),
        ("audio", SAMPLE / "recordings", "coldwick*.ogg", {"sound"}),
    ],
)
def test_what_is_marked_is_what_was_quoted(
    files: Files, source: str, folder: Path, pattern: str, kinds: set[str]
) -> None:
    path = first(folder, pattern)
    beside = [path.parent / "pages.csv"] if source == "images" else []
    for file in (path, *beside, *path.parent.glob(f"{path.stem}.meta.json")):
        files.put(file.read_bytes())
    claims = [claim for claim in extract(source, [path, *beside]) if not isinstance(claim, Refused)]
    seen = set()
    for claim in claims[:: 1 + len(claims) // EACH]:
        found = place(files, claim["document"], claim["locator"], source)
        assert found.marked == claim["quote"]
        seen.add(found.kind)
        if found.kind == "rows":
            (row,) = [row for row in found.rows if row["marked"]]
            assert ",".join(row["cells"]).startswith(found.marked) and len(found.rows) > 1
        if found.kind == "page":
            assert found.box is not None
            width, height = Image.open(io.BytesIO(picture(files, claim["document"], found.page))).size
            assert 0 <= found.box[0] < found.box[2] <= width and 0 <= found.box[1] < found.box[3] <= height
    assert seen == kinds


def test_the_words_around_a_number_of_a_filing_are_shown(files: Files) -> None:
    document = files.put(b"<html><body><p>Cash was <b id='x'>12</b> and debt 40.</p><p>Good.</p></body></html>")
    found = place(files, document, "xpath:/html[1]/body[1]/p[1]/b[1]")
    assert (found.before.strip(), found.marked, found.after.strip()) == ("Cash was", "12", "and debt 40. Good.")


def test_a_picture_is_decoded_and_encoded_anew(files: Files) -> None:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 10, 10)).save(out, "JPEG", comment=b"<script>")
    document = files.put(out.getvalue())
    made = picture(files, document)
    assert made.startswith(b"\x89PNG") and b"<script>" not in made
    assert Image.open(io.BytesIO(made)).size == (40, 30)
    with pytest.raises(RecordError, match="one page"):
        picture(files, document, 2)


def test_a_stretch_of_sound_has_a_moment_around_it_and_an_end(files: Files) -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((3000 * np.sin(np.arange(16_000 * 5) / 20)).astype("<i2").tobytes())
    document = files.put(out.getvalue())
    with wave.open(io.BytesIO(sound(files, document, 2.0, 3.0))) as piece:
        assert piece.getnframes() == 3 * 16_000
    with wave.open(io.BytesIO(sound(files, document, 0.0, 1e9))) as piece:
        assert piece.getnframes() == 5 * 16_000 <= LONGEST * 16_000
    for begin, end in ((9.0, 10.0), (2.0, 2.0), (-1.0, 2.0)):
        with pytest.raises(RecordError):
            sound(files, document, begin, end)


def test_what_is_not_there_is_said(files: Files) -> None:
    document = files.put(b"a,b\n1,2\n")
    for locator in ("row:7", "chars:90-99", "xpath:/a[1]", "part:2 row:1", "page:1 box:0,0,1,1", "nonsense"):
        with pytest.raises(KgRiskError):
            place(files, document, locator)
    with pytest.raises(KgRiskError):
        place(files, "0" * 64, "row:1")
