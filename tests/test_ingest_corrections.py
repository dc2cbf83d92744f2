"""Files corrected in place: what they no longer say is retracted, and nothing else is."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.pipeline import run
from ingest.readings import Readings
from ingest.report import RunReport
from kg.errors import SourceError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, day
from tests.ingest_reading import DATA

ENTITIES = "id,label,name,published\ncik:1,Bank,Larch Hill Bank plc,2019-01-01\ncik:2,Company,Oakmere Inc.,2019-01-01\n"
LOAN = (
    "creditor_id,debtor_id,facility,amount,currency,valid_from,valid_to,published\n"
    "cik:1,cik:2,term loan,100,EUR,2020-01-01,,2020-02-01\n"
)
CORRECTED = LOAN.replace(",100,", ",200,")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / "entities.csv").write_text(ENTITIES)
    (inputs / "exposures.csv").write_text(LOAN)
    return inputs


def ingest(inputs: Path | list[Path], ledger: Ledger, **options: object) -> RunReport:
    home = ledger.folder.parent
    chosen = {"sources": ("registers", "trades", "filings"), **options}
    return run(inputs, ledger, Files(home / "files"), home, **chosen)  # type: ignore[arg-type]


def said(ledger: Ledger) -> set[Decimal]:
    """Amounts of all loans that are alive in the ledger."""
    return {row["value_decimal"] for row in ledger.alive().to_pylist() if row["name"] == "LENDS_TO"}


def seen(ledger: Ledger, at: AsOf) -> list[Decimal]:
    """Amounts of the loans that a reader sees."""
    return [e["value_decimal"] for e in ledger.view(at).edges.to_pylist() if e["type"] == "LENDS_TO"]


def test_a_corrected_register_holds_everywhere_after_one_commit(folder: Path, ledger: Ledger) -> None:
    ingest(folder, ledger)
    (folder / "exposures.csv").write_text(CORRECTED)
    report = ingest(folder, ledger)
    assert (report.commit, report.superseded, report.to_dict()["superseded"]) == (2, 1, 1)
    assert said(ledger) == {Decimal(200)}
    valid = day("2020-06-01")
    assert seen(ledger, AsOf(valid=valid)) == seen(ledger, AsOf(valid, published=day("2020-03-01"))) == [Decimal(200)]
    assert seen(ledger, AsOf(valid, known=ledger.known(1))) == [Decimal(100)]


def test_an_unchanged_folder_supersedes_nothing_also_after_a_correction(folder: Path, ledger: Ledger) -> None:
    ingest(folder, ledger)
    assert ingest(folder, ledger).superseded == 0
    (folder / "exposures.csv").write_text(CORRECTED)
    ingest(folder, ledger)
    again = ingest(folder, ledger)
    assert (again.commit, again.committed, again.superseded) == (2, False, 0)


def test_a_correction_taken_back_restores_the_first_claims(folder: Path, ledger: Ledger) -> None:
    ingest(folder, ledger)
    before = ledger.alive()["claim"].to_pylist()
    for text in (CORRECTED, LOAN):
        (folder / "exposures.csv").write_text(text)
        assert ingest(folder, ledger).superseded == 1
    assert ledger.alive()["claim"].to_pylist() == before


def test_a_file_that_was_removed_retracts_nothing(folder: Path, ledger: Ledger) -> None:
    ingest(folder, ledger)
    (folder / "exposures.csv").unlink()
    report = ingest(folder, ledger)
    assert (report.committed, report.superseded) == (False, 0)
    assert said(ledger) == {Decimal(100)}


def test_bytes_still_there_under_another_name_are_kept(folder: Path, ledger: Ledger) -> None:
    ingest(folder, ledger)
    (folder / "exposures.csv").rename(folder / "exposures-2020.csv")
    (folder / "exposures.csv").write_text(CORRECTED.replace("term loan", "revolver"))
    report = ingest(folder, ledger)
    assert report.superseded == 0
    assert said(ledger) == {Decimal(100), Decimal(200)}


def test_a_file_of_the_same_name_in_another_folder_is_another_file(folder: Path, ledger: Ledger) -> None:
    ingest(folder, ledger)
    other = folder.with_name("february")
    other.mkdir()
    (other / "exposures.csv").write_text(CORRECTED.replace("term loan", "revolver"))
    assert ingest(other, ledger).superseded == 0
    assert said(ledger) == {Decimal(100), Decimal(200)}


def test_a_file_given_alone_is_known_from_the_folder_read_before(folder: Path, ledger: Ledger) -> None:
    ingest(folder, ledger)
    (folder / "exposures.csv").write_text(CORRECTED)
    assert ingest([folder / "exposures.csv"], ledger).superseded == 1
    assert said(ledger) == {Decimal(200)}


def test_a_file_that_became_unreadable_keeps_what_it_said(folder: Path, ledger: Ledger) -> None:
    shutil.copy(DATA / "form4-tiny.xml", folder)
    ingest(folder, ledger)
    before = ledger.alive().num_rows
    (folder / "form4-tiny.xml").write_text("<ownershipDocument")
    report = ingest(folder, ledger)
    assert [q.path for q in report.quarantined] == ["form4-tiny.xml"]
    assert (report.superseded, ledger.alive().num_rows) == (0, before)


def test_a_corrected_sidecar_takes_the_place_of_the_first(folder: Path, ledger: Ledger) -> None:
    for name in ("13f-tiny.xml", "13f-tiny.meta.json"):
        shutil.copy(DATA / name, folder)
    ingest(folder, ledger)
    beside = folder / "13f-tiny.meta.json"
    first = json.loads(beside.read_text())
    beside.write_text(json.dumps(first | {"name": "Corrected Capital LLC"}))
    assert ingest(folder, ledger).superseded == 1
    names = {row["value_text"] for row in ledger.alive().to_pylist() if row["name"] == "name"}
    assert "Corrected Capital LLC" in names and first["name"] not in names


def test_names_of_a_superseded_register_are_not_known_to_the_sources_that_read_text(
    folder: Path, ledger: Ledger
) -> None:
    shutil.copy(DATA / "submission-tiny.txt", folder)
    ingest(folder, ledger)
    (folder / "entities.csv").write_text(ENTITIES.replace("Oakmere", "Elmmere"))
    assert ingest(folder, ledger).committed
    again = ingest(folder, ledger)
    assert (again.committed, again.sources["filings"].resumed) == (False, again.sources["filings"].records)


class KilledError(Exception):
    """Stands for the process dying at a place."""


@pytest.mark.parametrize("place", ["commit:before", "commit:after"])
def test_a_run_that_dies_around_its_commit_is_still_corrected_by_the_next(
    place: str, folder: Path, ledger: Ledger
) -> None:
    def die(stage: str) -> None:
        if stage == place:
            raise KilledError(stage)

    with pytest.raises(KilledError):
        ingest(folder, ledger, on_io=die)
    (folder / "exposures.csv").write_text(CORRECTED)
    ingest(folder, ledger)
    assert said(ledger) == {Decimal(200)}


def test_a_damaged_table_of_readings_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "readings.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(SourceError, match="restore it from a backup, or remove it"):
        Readings(tmp_path / "readings.parquet")


def test_a_part_that_cannot_be_read_keeps_only_what_it_gave_itself(tmp_path: Path) -> None:
    feed = tmp_path / "feed.jsonl"
    first = Readings(tmp_path / "readings.parquet")
    for number, document in enumerate(("a", "b", "c"), 1):
        first.add(feed, f"#{number}", document)
    first.save()
    second = Readings(tmp_path / "readings.parquet")
    for number, document in enumerate(("a2", "torn", "c"), 1):
        second.add(feed, f"#{number}", document)
    second.refuse(feed, "#2")
    assert second.superseded(sidecars=True) == {"a"}
