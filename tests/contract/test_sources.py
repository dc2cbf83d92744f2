"""What every source promises, whichever kind of input it reads.

A new source needs an example here: a file it reads and a bad one, both small.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.locate import locate
from ingest.pipeline import PACKAGE
from ingest.source import Extract, Models, Record, Source
from kg import plugins
from kg.errors import RecordError
from kg.model import SCHEMA, digest
from kg.ontology import RELIABILITY
from kg.validate import LABELS, violations
from tests.ingest_reading import DATA

Examples = dict[str, bytes]


def _copy(*names: str) -> Examples:
    return {name: (DATA / name).read_bytes() for name in names}


def _article() -> bytes:
    said = {
        "title": "Larch Hill Bank plc lends",
        "body": "Larch Hill Bank plc lent EUR 5 million to Oakmere Turbines Inc. in 2023.",
    }
    return json.dumps(said | {"published": "2023-04-05T08:00:00Z"}).encode()


def _page() -> Examples:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (700, 220), "white")
    draw = ImageDraw.Draw(image)
    for line, text in enumerate(("LOAN NOTICE", "Lender: Larch Hill Bank plc", "Borrower: Oakmere Turbines Inc.")):
        draw.text((20, 20 + 60 * line), text, fill="black", font_size=30)
    content = io.BytesIO()
    image.save(content, "PNG")
    register = b"file,document,page,published,subject_id\nnotice.png,notice-1,1,2023-04-05T09:00:00Z,cik:990011\n"
    return {"notice.png": content.getvalue(), "pages.csv": register}


GOOD: dict[str, Callable[[], Examples]] = {
    "filings": lambda: _copy(
        "10k-tiny.html", "form4-tiny.xml", "13f-tiny.xml", "13f-tiny.meta.json", "submission-tiny.txt"
    ),
    "images": _page,
    "news": lambda: {"a.jsonl": _article() + b"\n"},
    "registers": lambda: _copy("entities-tiny.csv", "exposures-tiny.csv", "eba-tiny.csv"),
    "trades": lambda: _copy("payments-tiny.csv", "accounts-tiny.csv", "trades-tiny.csv"),
}
BAD: dict[str, bytes] = {
    "filings": b"<ownershipDocument><documentType>4</documentType></ownershipDocument>",
    "images": b"\x89PNG but no picture",
    "news": b'{"title": "torn',
    "registers": b"",
    "trades": b"",
}
SOURCES = plugins.names(PACKAGE)


@pytest.fixture(params=SOURCES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(name: str, tmp_path: Path) -> Source:
    for file, content in GOOD[name]().items():
        (tmp_path / file).write_bytes(content)
    return plugins.load(PACKAGE, name, Source)(tmp_path)  # type: ignore[type-abstract]


def extracts(source: Source) -> list[tuple[Record, Extract]]:
    return [(record, Extract.of(source.claims(record, Models()))) for record in source.records()]


def test_every_source_has_an_example_here() -> None:
    assert set(SOURCES) == set(GOOD) == set(BAD)


def test_its_extractor_is_named_after_it_and_its_reliability_is_known(name: str, source: Source) -> None:
    assert source.extractor.partition(".")[0] == name and "@" in source.extractor
    assert name in RELIABILITY


def test_its_summary_is_one_line_told_without_importing_it(name: str) -> None:
    assert plugins.summaries(PACKAGE)[name].strip()


def test_records_come_in_a_stable_order_with_relative_paths(source: Source) -> None:
    first = [(record.path, record.document) for record in source.records()]
    assert first and first == [(record.path, record.document) for record in source.records()]
    assert all(not path.startswith("/") and not Path(path).is_absolute() for path, _ in first)


def test_claims_are_pure_given_the_record(source: Source, tmp_path: Path) -> None:
    once = [extract.claims.table for _, extract in extracts(source)]
    again = [extract.claims.table for _, extract in extracts(source)]
    drop = [field.name for field in SCHEMA if field.name != "published"]  # undated files are public when read
    assert [table.select(drop) for table in once] == [table.select(drop) for table in again]


def test_every_quote_reads_back(name: str, source: Source) -> None:
    for record, extract in extracts(source):
        contents = {record.document: record.content, digest(record.sidecar): record.sidecar}
        assert len(extract.claims)
        for row in extract.claims.table.select(["document", "locator", "quote"]).to_pylist():
            assert locate(contents[row["document"]], row["locator"], name) == row["quote"]


def test_its_claims_fit_the_vocabulary_but_for_ends_of_other_sources(source: Source) -> None:
    for _, extract in extracts(source):
        reasons = violations(extract.claims.table, LABELS.empty_table())["reason"].to_pylist()
        assert [reason for reason in reasons if "has no node row" not in reason] == []


def test_it_takes_none_of_the_files_of_the_others(name: str, tmp_path: Path) -> None:
    kind = plugins.load(PACKAGE, name, Source)  # type: ignore[type-abstract]
    for other in set(SOURCES) - {name}:
        folder = tmp_path / other
        folder.mkdir()
        for file, content in GOOD[other]().items():
            (folder / file).write_bytes(content)
        assert list(kind(folder).records()) == []


def test_an_empty_folder_gives_no_records(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    kind = plugins.load(PACKAGE, name, Source)  # type: ignore[type-abstract]
    assert list(kind(folder).records()) == []
    shutil.rmtree(folder)


def test_a_bad_record_is_an_error_with_a_reason(name: str, source: Source) -> None:
    (like, *_) = source.records()
    bad = Record(
        name, f"bad{Path(like.path.partition('#')[0]).suffix}", BAD[name], like.published, like.meta, like.sidecar
    )
    with pytest.raises(RecordError, match=r"\w+ \w+"):
        Extract.of(source.claims(bad, Models()))
