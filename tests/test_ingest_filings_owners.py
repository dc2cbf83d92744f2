"""Owners in filings: Schedules 13D/13G, subsidiaries of Exhibit 21, headers with several parties and former names."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.extract.filings.jurisdiction import country
from ingest.extract.formats.identifier import person_id
from ingest.pipeline import run
from ingest.sources.filings import Filings
from kg.files import Files
from kg.ledger import Ledger
from kg.model import FIRST, LAST, AsOf, day
from tests.ingest_reading import DATA, misquoted, read, rows


@pytest.mark.parametrize("name", ["13d-tiny.xml", "13g-tiny.txt", "ex21-tiny.txt"])
def test_every_quote_reads_back(name: str) -> None:
    record, extract = read(Filings, name)
    assert len(extract.claims) > 10 and extract.refused == ()
    assert misquoted(record, extract) == []


@pytest.mark.parametrize(
    ("name", "share", "shares", "since"),
    [
        ("13g-tiny.txt", 0.061, 612_000, "2023-12-31"),
        ("13d-tiny.xml", 0.091, 910_000, "2025-03-15"),
    ],
)
def test_each_reporting_person_owns_its_percent_of_the_class(name: str, share: float, shares: int, since: str) -> None:
    _, extract = read(Filings, name)
    owns = {row["subject"]: row for row in rows(extract, "OWNS")}
    assert set(owns) == {"cik:990500", person_id("name:Tomas Brandt")}
    for row in owns.values():
        assert (row["object"], row["key"], row["value_real"]) == ("cik:990011", "037833100", pytest.approx(share))
        assert row["valid_from"] == day(since) and row["valid_to"] == LAST
    assert {row["value_real"] for row in rows(extract, "HOLDS")} == {shares}
    assert {(row["subject"], row["object"]) for row in rows(extract, "ISSUED")} == {("cik:990011", "cusip:037833100")}


def test_an_amendment_supersedes_without_erasing(tmp_path: Path) -> None:
    for name in ("13d-tiny.xml", "13g-tiny.txt"):
        shutil.copy(DATA / name, tmp_path / name)
    with Ledger.open(tmp_path / "ledger") as ledger:
        run(
            [tmp_path / "13d-tiny.xml", tmp_path / "13g-tiny.txt"], ledger, Files(tmp_path / "files"), tmp_path / "home"
        )

        def share(published: str, valid: str) -> list[float]:
            view = ledger.view(AsOf(valid=day(valid), published=day(published)))
            holder = view.index.get("cik:990500")
            return [round(e["value_real"], 3) for e in view.edges_of("OWNS").to_pylist() if e["source"] == holder]

        assert share("2024-06-01", "2024-06-01") == [0.061]
        assert share("2025-06-01", "2025-06-01") == [0.091]
        assert share("2025-06-01", "2024-06-01") == [0.061]
        assert share("2024-06-01", "2025-06-01") == [0.061]
        assert share("2024-01-15", "2024-06-01") == []


def test_subsidiaries_of_tables_and_lines_are_controlled_by_the_registrant() -> None:
    _, extract = read(Filings, "ex21-tiny.txt")
    held = {row["subject"]: row for row in rows(extract, "SUBSIDIARY_OF")}
    assert {row["object"] for row in held.values()} == {"cik:990011"}
    assert {id: row["value_real"] for id, row in held.items()} == {
        "name:oakmere blades gmbh": 1.0,
        "name:oakmere services llc": 0.515,
        "name:pumpwerk nord holdings ltd": None,
        "name:oakmere iberia s.a.": None,
        "name:oakmere kanada inc.": None,
        "name:oakmere finance llc": None,
    }
    assert {row["valid_from"] for row in held.values()} == {day("2023-06-30")}
    places = {row["subject"].removeprefix("name:oakmere "): row["object"] for row in rows(extract, "IN_COUNTRY")}
    assert places == {
        "blades gmbh": "iso:DE",
        "services llc": "iso:US",
        "iberia s.a.": "iso:ES",
        "kanada inc.": "iso:CA",
        "finance llc": "iso:US",
    }
    said = {row["value_text"] for row in rows(extract, "statement") if row["key"] == "ex-21:jurisdiction"}
    assert said == {"Germany", "Delaware", "Narnia", "Spain", "British Columbia", "Nevada"}


def test_a_list_of_subsidiaries_without_filer_asks_for_a_sidecar(tmp_path: Path) -> None:
    page = (
        "<html><body><p>Exhibit 21</p><p>Subsidiaries of the Registrant</p><table><tr><td>A Ltd</td><td>Malta</td></tr>"
    )
    (tmp_path / "list-2023-03-01.html").write_text(page)
    _, extract = read(Filings, "list-2023-03-01.html", tmp_path)
    assert ["put a sidecar" in refusal.reason for refusal in extract.refused] == [True]
    (tmp_path / "list-2023-03-01.meta.json").write_text(
        '{"cik": "990011", "name": "Oakmere Turbines Inc.", "period": "2022-12-31", "published": "2023-03-01"}'
    )
    _, extract = read(Filings, "list-2023-03-01.html", tmp_path)
    assert [(row["subject"], row["object"]) for row in rows(extract, "SUBSIDIARY_OF")] == [("name:a ltd", "cik:990011")]


def test_a_former_name_holds_until_the_day_it_changed() -> None:
    _, extract = read(Filings, "13g-tiny.txt")
    names = {
        row["value_text"]: (row["valid_from"], row["valid_to"])
        for row in rows(extract, "name")
        if row["subject"] == "cik:990011" and row["locator"].startswith("chars")
    }
    assert names["MERE MILLS CO"] == (FIRST, datetime(2001, 3, 1, tzinfo=UTC))
    assert names["OAKMERE WINDMILLS CORP"] == (datetime(2001, 3, 1, tzinfo=UTC), datetime(2015, 6, 1, tzinfo=UTC))
    assert names["OAKMERE TURBINES INC"] == (datetime(2015, 6, 1, tzinfo=UTC), LAST)


def test_every_party_of_a_header_filed_the_document_in_its_role() -> None:
    _, extract = read(Filings, "13g-tiny.txt")
    filed = {(row["subject"], row["value_text"]) for row in rows(extract, "FILED")}
    assert filed == {
        ("cik:990011", "subject company"),
        ("cik:990500", "filed by"),
        (person_id("name:TOMAS BRANDT"), "group member"),
    }


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("State of Delaware", "US"),
        ("England & Wales", "GB"),
        ("the Netherlands", "NL"),
        ("Ontario", "CA"),
        ("DE", ""),
        ("Narnia", ""),
    ],
)
def test_a_jurisdiction_lies_in_a_country_only_if_its_name_says_so(said: str, code: str) -> None:
    assert country(said) == code
