"""What every source promises, whichever kind of input it reads.

A new source needs a module of its name in tests/contract/examples: `good()` gives small files that it reads, `BAD` the
bytes of one that it must refuse.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from ingest.locate import locate
from ingest.pipeline import PACKAGE
from ingest.source import Extract, Models, Record, Source
from kg import plugins
from kg.errors import RecordError
from kg.model import SCHEMA, digest
from kg.ontology import RELIABILITY
from kg.validate import LABELS, violations
from tests.contract import examples

SOURCES = plugins.names(PACKAGE)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def example(name: str) -> ModuleType:
    return import_module(f"{examples.__name__}.{name}")


@pytest.fixture(params=SOURCES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(name: str, tmp_path: Path) -> Source:
    write(tmp_path, example(name).good())
    return plugins.load(PACKAGE, name, Source)(tmp_path)  # type: ignore[type-abstract]


def extracts(source: Source) -> list[tuple[Record, Extract]]:
    return [(record, Extract.of(source.claims(record, Models()))) for record in source.records()]


def test_every_source_has_an_example_here() -> None:
    there = {file.stem for folder in examples.__path__ for file in Path(folder).glob("[!_]*.py")}
    assert set(SOURCES) == there


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
        contents = {record.document: record.whole(), digest(record.sidecar): record.sidecar}
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
        write(folder, example(other).good())
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
        name,
        f"bad{Path(like.path.partition('#')[0]).suffix}",
        example(name).BAD,
        like.published,
        like.meta,
        like.sidecar,
    )
    with pytest.raises(RecordError, match=r"\w+ \w+"):
        Extract.of(source.claims(bad, Models()))
