"""The pipeline: one commit, nothing twice, quarantine with reasons, expectations, resume after a kill."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from ingest.extract.filings import ownership
from ingest.labels import one_label_each
from ingest.locate import locate
from ingest.pipeline import extract, run, sources
from ingest.report import RunReport
from ingest.sources.filings import Filings
from ingest.sources.registers import Registers
from kg.errors import ExpectationError, SourceError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Node, day
from tests.ingest_reading import DATA

TABLES = ("registers", "trades", "filings")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Some of everything, with a file that no source takes."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    for name in ("entities-tiny.csv", "exposures-tiny.csv", "payments-tiny.csv", "accounts-tiny.csv", "form4-tiny.xml"):
        shutil.copy(DATA / name, inputs / name)
    for name in ("13f-tiny.xml", "13f-tiny.meta.json", "submission-tiny.txt"):
        shutil.copy(DATA / name, inputs / name)
    (inputs / "readme.doc").write_text("not ours")
    return inputs


def ingest(inputs: Path, ledger: Ledger, **options: object) -> RunReport:
    home = ledger.folder.parent
    return run(inputs, ledger, Files(home / "files"), home, **{"sources": TABLES, **options})  # type: ignore[arg-type, misc]


def test_a_folder_becomes_one_commit_and_the_same_folder_again_none(folder: Path, ledger: Ledger) -> None:
    first = ingest(folder, ledger)
    assert (first.commit, first.committed) == (1, True)
    assert first.claims == ledger.alive().num_rows == sum(first.extractors.values()) > 60
    again = ingest(folder, ledger)
    assert (again.commit, again.committed, again.claims) == (1, False, first.claims)
    assert {name: count.resumed for name, count in again.sources.items()} == {
        name: count.records for name, count in first.sources.items()
    }


def test_every_claim_reads_back_from_the_files_kept(folder: Path, ledger: Ledger) -> None:
    ingest(folder, ledger)
    files = Files(ledger.folder.parent / "files")
    for row in ledger.alive().to_pylist():
        source = row["extractor"].partition(".")[0]
        assert locate(files.get(row["document"]), row["locator"], source) == row["quote"]


def test_bad_rows_are_quarantined_with_file_place_and_reason_and_good_ones_kept(folder: Path, ledger: Ledger) -> None:
    report = ingest(folder, ledger)
    told = {(q.path, q.locator): q.reason for q in report.quarantined}
    assert told["payments-tiny.csv", "row:5"] == "amount lots is not a decimal number"
    assert told["exposures-tiny.csv", "row:3"] == "amount a lot is not a decimal number"
    assert report.names["PAID"] == 3 and report.names["LENDS_TO"] == 2
    assert report.unread["payments-tiny.csv"] == ["memo"]
    assert report.untaken == ["readme.doc"]


def test_what_the_ontology_refuses_is_quarantined_too(tmp_path: Path, ledger: Ledger) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    shutil.copy(DATA / "exposures-tiny.csv", inputs)
    report = ingest(inputs, ledger)
    reasons = [q.reason for q in report.quarantined if "node row" in q.reason]
    assert len(reasons) == 2 and report.claims == 0 and not report.committed


def test_a_file_that_cannot_be_read_leaves_the_others_alone(folder: Path, ledger: Ledger) -> None:
    (folder / "broken.xml").write_text("<ownershipDocument")
    (folder / "empty.parquet").write_bytes(b"PAR1")
    report = ingest(folder, ledger)
    told = {row.path: row.reason for row in report.quarantined}
    assert "XML is broken" in told["broken.xml"] and "Parquet file is broken" in told["empty.parquet"]
    assert report.names["TRADED"] == 1


def test_a_restated_figure_and_the_original_are_each_returned_for_their_own_publication(
    tmp_path: Path, ledger: Ledger
) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    report = (DATA / "10k-tiny.html").read_text()
    (inputs / "original-2023-08-14.html").write_text(report)
    (inputs / "amended-2024-02-01.html").write_text(report.replace(">2,500<", ">2,410<"))
    ingest(inputs, ledger)

    def assets(published: str | None) -> list[int]:
        snapshot = ledger.view(AsOf(valid=day("2024-06-01"), published=day(published) if published else None))
        return [int(value) for value in snapshot.facts_of("assets")["value_decimal"].to_pylist()]

    assert assets("2023-08-01") == []
    assert assets("2023-12-31") == [2_500_000_000]
    assert assets("2024-03-01") == assets(None) == [2_410_000_000]


def test_what_another_version_of_a_source_no_longer_says_is_retracted_in_one_commit(
    folder: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(folder, ledger)
    before = ledger.alive().num_rows
    monkeypatch.setattr(Filings, "extractor", "filings.form@99")
    monkeypatch.setattr(ownership, "ROLES", {"isDirector": "director"})
    report = ingest(folder, ledger)
    assert report.commit == 2 and report.sources["filings"].resumed == 0 and report.sources["trades"].resumed == 2
    (last,) = (row for row in ledger.commits().to_pylist() if row["commit"] == 2)
    assert (last["asserted"], last["retracted"]) == (0, 1)
    assert ledger.alive().num_rows == before - 1


def test_counts_out_of_range_write_nothing(folder: Path, ledger: Ledger) -> None:
    with pytest.raises(ExpectationError, match=r"PAID: 3, expected 4 to any number"):
        ingest(folder, ledger, expectations={"PAID": (4, None), "claims": (1, None)})
    with pytest.raises(ExpectationError, match=r"quarantined: \d+, expected 0 to 0; look at .* and run again"):
        ingest(folder, ledger, expectations={"quarantined": (0, 0)})
    assert ledger.head == 0


class KilledError(Exception):
    """Stands for the process dying at a place."""


@pytest.mark.parametrize("fatal", [1, 4, 9, 14, 15, 16])
def test_a_run_that_dies_at_any_write_is_taken_up_and_says_the_same(
    folder: Path, ledger: Ledger, tmp_path: Path, fatal: int
) -> None:
    calls: list[str] = []

    def die(stage: str) -> None:
        calls.append(stage)
        if len(calls) == fatal:
            raise KilledError(stage)

    with pytest.raises(KilledError):
        ingest(folder, ledger, on_io=die)
    assert set(calls) <= {"stage:before", "stage:after", "commit:before", "commit:after"}
    ingest(folder, ledger)
    with Ledger.open(tmp_path / "calm" / "ledger") as calm:
        ingest(folder, calm)
        assert calm.alive()["claim"].to_pylist() == ledger.alive()["claim"].to_pylist()
    assert ledger.head == 1


def test_progress_is_told_by_source(folder: Path, ledger: Ledger) -> None:
    seen: list[tuple[str, int, int]] = []
    ingest(folder, ledger, progress=lambda *step: seen.append(step))
    assert [name for name, done, files in seen if done == files and files][-1] == "filings"
    assert all(0 <= done <= files for _, done, files in seen)


def test_files_can_be_given_instead_of_a_folder(folder: Path, ledger: Ledger) -> None:
    home = ledger.folder.parent
    report = run([folder / "form4-tiny.xml"], ledger, Files(home / "files"), home, sources=("filings",))
    assert report.records == 1 and report.untaken == []


def test_a_missing_folder_is_an_error_that_names_it(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: not there"):
        ingest(tmp_path / "nowhere", ledger)


def test_the_report_is_json_with_every_count(folder: Path, ledger: Ledger) -> None:
    report = json.loads(ingest(folder, ledger).to_json())
    assert report["sources"]["trades"]["records"] == 2
    assert report["extractors"][Registers.extractor] > 10
    assert report["cleaning"] == {"13f.thousands": 1, "number.separators": 1}
    assert report["quarantined"][0].keys() == {"source", "path", "locator", "reason"}


def test_one_file_can_be_extracted_without_a_ledger() -> None:
    ((record, found),) = extract("trades", [DATA / "payments-tiny.csv"])
    assert record.path == "payments-tiny.csv" and len(found.refused) == 5
    assert {"filings", "news", "registers", "trades"} <= set(sources())


def test_one_firm_has_one_label_the_ledgers_else_the_most_reliable_sources() -> None:
    def node(label: str, id: str, extractor: str) -> Claim:
        return Claim(Node(label, id), Evidence("d", "row:1", "q", extractor), day("2024-01-01"))

    batch = ClaimBatch.of(
        [
            node("Company", "cik:1", "filings.form@1"),
            node("Bank", "cik:1", "registers.rows@1"),
            node("Company", "cik:2", "filings.form@1"),
            node("Person", "person:1", "filings.form@1"),
        ]
    )
    labels = pa.table({"id": ["cik:2"], "label": ["Fund"]})
    assert one_label_each(batch.table, labels)["name"].to_pylist() == ["Bank", "Bank", "Fund", "Person"]
