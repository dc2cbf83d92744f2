"""Records read by workers: the same rows, report and staging as in one process, also where workers are killed."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest import sharded
from ingest.pipeline import run
from ingest.report import RunReport
from ingest.sharded import Parcel, shards
from ingest.source import Record
from ingest.sources.identities import Identities
from kg.errors import ExecutorError
from kg.executor import Executor, Here, Pool
from kg.files import Files
from kg.ledger import Ledger
from kg.model import day
from tests.ingest_reading import DATA

SAMPLE = Path(__file__).parents[1] / "kgrisk" / "sample"
TINY = ("entities", "exposures", "payments", "accounts")
FILINGS = ("form4-tiny.xml", "13f-tiny.xml", "13f-tiny.meta.json", "submission-tiny.txt", "ex21-tiny.txt")
PLUGIN = '''"""Deadly: lines `say ID NAME`, some of which end the process that reads them."""

import os, signal
from pathlib import Path

from ingest.source import Extract, Record, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Evidence, Node, day


class Deadly(Source):
    """Lines that name a firm, or end whoever reads them."""

    extractor = Path(__file__).with_name("version").read_text()
    patterns = ("*.deadly",)

    def records(self):
        for path in self.files:
            yield Record("deadly", path.relative_to(self.folder).as_posix(), path.read_bytes(), day("2020-01-02"))

    def claims(self, record, models):
        do, what, name = record.content.decode().split(" ", 2)
        if do == "die" or (do == "once" and Path(what).exists()):
            Path(what).unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if do == "refuse":
            raise RecordError(f"no firm is called {name}")
        end = len(record.content) - len(name)
        evidence = Evidence(record.document, f"chars:{end}-{len(record.content)}", name, self.extractor, 1.0)
        node = Node("Company", f"cik:{len(name)}", {"name": name})
        return Extract(ClaimBatch.of([Claim(node, evidence, record.published)]))
'''


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Two workers, kept by the tests of this file: what they load they load once."""
    with Pool(2) as made:
        yield made


@pytest.fixture
def fresh(deadly: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """Two workers that know the deadly source; nobody waits for a machine to be missed."""
    monkeypatch.setattr(sharded, "PAUSES", (0.0, 0.1))
    with Pool(2) as made:
        yield made


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is on the path, with an installed plug-in that can end its process."""
    site = tmp_path / "site"
    about = site / "deadly-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[kgrisk.plugins]\ningest.sources:deadly = deadly_source\n")
    (site / "deadly_source.py").write_text(PLUGIN)
    (site / "version").write_text("deadly.lines@1")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "deadly_source", raising=False)
    return site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Some of everything that says when it was published, one file twice, and one that is broken."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    for name in (*(f"{name}-tiny.csv" for name in TINY), *FILINGS):
        shutil.copy(DATA / name, inputs / name)
    shutil.copy(DATA / "10k-tiny.html", inputs / "10k-2023-08-14.html")
    (inputs / "again").mkdir()
    shutil.copy(DATA / "form4-tiny.xml", inputs / "again" / "form4-tiny.xml")
    (inputs / "broken.xml").write_text("<ownershipDocument")
    for path in sorted((SAMPLE / "data" / "news").glob("kgs-2023*.html")):
        shutil.copy(path, inputs / path.name)
    lines = (SAMPLE / "data" / "news" / "2023.jsonl").read_text().splitlines(keepends=True)
    (inputs / "wire.jsonl").write_text("".join(lines[:12]) + "{not json\n")
    shutil.copy(SAMPLE / "data" / "registers" / "entities.csv", inputs / "register.csv")
    shutil.copytree(SAMPLE / "more" / "identities", inputs / "identities")
    return inputs


def ingest(inputs: Path, home: Path, executor: Executor | None = None, **options: Any) -> tuple[RunReport, pa.Table]:
    """The report of a run into a home, and the log of its ledger."""
    more: Any = options | ({"executor": executor} if executor else {})
    with Ledger.open(home / "ledger") as ledger:
        return run(inputs, ledger, Files(home / "files"), home, **more), ledger.events()


def told(report: RunReport) -> dict[str, Any]:
    """A report without what the clock gave."""
    said: dict[str, Any] = report.to_dict()
    for count in said["sources"].values():
        count.pop("seconds")
    return said | {"stages": [stage["name"] for stage in said["stages"]]}


def rows(events: pa.Table) -> list[dict[str, Any]]:
    """A log without the moments at which its commits and runs happened."""
    began = day("2026-01-01")
    found: list[dict[str, Any]] = events.drop_columns(["known_from"]).to_pylist()
    for row in found:
        row["published"] = min(row["published"], began)  # where nothing says it, it is when it was read
    return found


def written(home: Path) -> dict[str, bytes]:
    """Names and bytes of the files kept and the parts staged."""
    kept = [*(home / "files").rglob("*"), *(home / "staging").rglob("*")]
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in kept if path.is_file()}


@pytest.mark.slow
def test_two_workers_write_what_one_process_writes(folder: Path, tmp_path: Path, pool: Pool) -> None:
    alone, expected = ingest(folder, tmp_path / "alone", Here())
    report, found = ingest(folder, tmp_path / "shared", pool)
    assert told(report) == told(alone) and report.committed and report.claims > 1000
    assert rows(found) == rows(expected)
    assert written(tmp_path / "shared").keys() == written(tmp_path / "alone").keys()
    assert {"broken.xml", "wire.jsonl#13"} <= {row.path for row in report.quarantined}
    assert report.sources["filings"].resumed == 1  # the same form in two places
    again, _ = ingest(folder, tmp_path / "shared", pool)
    assert not again.committed and again.sources["news"].resumed == again.sources["news"].records


def test_a_key_set_in_this_process_makes_the_pseudonyms_of_the_workers(
    folder: Path, tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, only = folder / "identities", {"sources": ["identities"]}
    _, usual = ingest(kept, tmp_path / "usual", pool, **only)
    monkeypatch.setattr(Identities, "key", b"another key")
    _, alone = ingest(kept, tmp_path / "alone", Here(), **only)
    _, shared = ingest(kept, tmp_path / "shared", pool, **only)
    assert rows(shared) == rows(alone) and rows(shared) != rows(usual)


def lines(folder: Path, *texts: str) -> Path:
    """A file for each line, and a few good ones before and after."""
    folder.mkdir(parents=True)
    good = [f"say - firm{'x' * n}" for n in range(1, 12)]
    for n, text in enumerate([*good[:5], *texts, *good[5:]]):
        (folder / f"{n:02}.deadly").write_text(text)
    return folder


@pytest.mark.faults
def test_workers_killed_on_the_way_lose_and_double_nothing(deadly: Path, tmp_path: Path, fresh: Pool) -> None:
    marks = [tmp_path / name for name in ("first", "second")]
    inputs = lines(tmp_path / "in", *(f"once {mark} firm number {n}" for n, mark in enumerate(marks)), "refuse - me")
    alone, expected = ingest(inputs, tmp_path / "alone", Here(), sources=["deadly"])
    for mark in marks:
        mark.touch()
    report, found = ingest(inputs, tmp_path / "shared", fresh, sources=["deadly"])
    assert not any(mark.exists() for mark in marks), "both workers died"
    assert told(report) == told(alone) and rows(found) == rows(expected)
    assert [row.reason for row in report.quarantined] == ["no firm is called me"]


@pytest.mark.faults
def test_a_document_that_ends_every_worker_is_quarantined_by_name_and_tried_again(
    deadly: Path, tmp_path: Path, fresh: Pool
) -> None:
    inputs, home = lines(tmp_path / "in", "die - firm", "say - another firm"), tmp_path / "home"
    report, found = ingest(inputs, home, fresh, sources=["deadly"])
    assert [(row.path, row.locator) for row in report.quarantined] == [("05.deadly", "")]
    assert "ended without a word" in report.quarantined[0].reason and "more memory" in report.quarantined[0].reason
    assert (report.records, report.sources["deadly"].claims) == (13, 24) and found.num_rows == 24
    (inputs / "05.deadly").write_text("say - firm that was mended")
    mended, _ = ingest(inputs, home, fresh, sources=["deadly"])
    assert mended.quarantined == [] and mended.sources["deadly"].resumed == 12 and mended.claims == 26


@pytest.mark.faults
def test_workers_that_die_at_one_document_after_the_other_stop_the_run(
    deadly: Path, tmp_path: Path, fresh: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharded, "DEADLY", 2)  # each takes three pools with it
    inputs, home = lines(tmp_path / "in", *["die - firm"] * 2), tmp_path / "home"
    with pytest.raises(ExecutorError, match=r"05\.deadly, 06\.deadly, .*nothing was .*fewer workers"):
        ingest(inputs, home, fresh, sources=["deadly"])
    with Ledger.open(home / "ledger") as ledger:
        assert ledger.head == 0


def test_a_worker_with_another_version_of_a_source_reads_nothing(
    deadly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharded, "PAUSES", (0.0,))
    inputs = lines(tmp_path / "in")
    assert ingest(inputs, tmp_path / "alone", Here(), sources=["deadly"])[0].claims == 22
    (deadly / "version").write_text("deadly.lines@2")
    with Pool(1) as fresh, pytest.raises(ExecutorError, match=r"by deadly\.lines@2 .* asked of deadly\.lines@1"):
        ingest(inputs, tmp_path / "home", fresh, sources=["deadly"])


@pytest.mark.slow
@pytest.mark.faults
def test_a_run_that_was_cut_off_goes_on_where_it_was(folder: Path, tmp_path: Path, pool: Pool) -> None:
    alone, expected = ingest(folder, tmp_path / "alone", Here())
    calls: list[str] = []

    def cut(stage: str) -> None:
        calls.append(stage)
        if len(calls) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(folder, tmp_path / "home", pool, on_io=cut)
    report, found = ingest(folder, tmp_path / "home", pool)
    resumed = sum(count.resumed for count in report.sources.values())
    assert resumed == 10 + 1  # ten that were staged, and the form that is there twice
    assert report.claims == alone.claims and rows(found) == rows(expected)
    assert written(tmp_path / "home").keys() == written(tmp_path / "alone").keys()


def test_a_large_file_travels_as_its_path_and_a_changed_one_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(b"a" * 100_000)
    record = Record("filings", "large.txt", b"a" * 100_000)
    arrived = copy(Parcel.of(record, tmp_path))
    assert arrived.record.content == b"" and copy(arrived).opened() == record
    (tmp_path / "large.txt").write_bytes(b"b" * 100_000)
    assert arrived.opened() is None
    (tmp_path / "large.txt").unlink()
    assert arrived.opened() is None
    row = Record("news", "large.txt#1", b"a row of it")
    assert copy(Parcel.of(row, tmp_path)).opened() == row


def test_bytes_that_the_workers_cannot_read_are_read_here_and_that_is_told(
    tmp_path: Path, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    text = json.loads((SAMPLE / "data" / "news" / "2023.jsonl").read_text().splitlines()[0])
    lengthy = json.dumps(text | {"more": "." * sharded.SMALL})
    (inputs / "one.jsonl").write_text(lengthy)
    alone, expected = ingest(inputs, tmp_path / "alone", Here())
    source = tmp_path / "moved"
    source.mkdir()
    parcel = Parcel(Record("news", "one.jsonl#1", lengthy.encode()), source / "gone")
    assert copy(parcel).opened() is None

    class Elsewhere:
        """The same workers, on a machine that does not see the folder."""

        workers = 2
        put, close = pool.put, pool.close

        def map(self, fn: Any, todo: Any, *shared: Any) -> Any:
            far = [[Parcel(p.record, source / "gone") for p in shard] for shard in todo]
            return pool.map(fn, far, *shared)

    with caplog.at_level(logging.WARNING):
        report, found = ingest(inputs, tmp_path / "far", Elsewhere())  # type: ignore[arg-type]  # no progress asked
    assert told(report) == told(alone) and rows(found) == rows(expected) and report.claims > 0
    assert "storage that every machine sees" in caplog.text


def test_a_shard_ends_at_its_bytes_or_its_records() -> None:
    sizes = [10, 10, 10, 10, 10, sharded.SHARD_BYTES, 10, sharded.SHARD_BYTES - 10, 10]
    made = [Parcel(Record("news", str(n), b"." * size)) for n, size in enumerate(sizes)]
    assert [[p.record.path for p in shard] for shard in shards(made)] == [list("0123"), list("45"), list("67"), ["8"]]
