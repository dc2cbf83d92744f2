"""Filings: covers, insiders, 13F positions and submissions, with when they were published."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.extract.filings.holdings import next_due
from ingest.extract.formats.identifier import person_id
from ingest.source import Models, Record
from ingest.sources.filings import Filings, is_filing
from kg.errors import RecordError
from kg.model import LAST, day
from tests.ingest_reading import DATA, misquoted, read, rows

FILES = ("10k-tiny.html", "form4-tiny.xml", "13f-tiny.xml", "submission-tiny.txt")


@pytest.mark.parametrize("name", FILES)
def test_every_quote_reads_back(name: str) -> None:
    record, extract = read(Filings, name)
    assert len(extract.claims) > 5
    assert misquoted(record, extract) == []


def test_an_annual_report_becomes_a_document_its_filer_and_the_filing_of_it() -> None:
    record, extract = read(Filings, "10k-tiny.html")
    document = f"doc:{record.document}"
    assert [row["value_text"] for row in rows(extract, "form")] == ["10-K"]
    assert [(row["subject"], row["object"]) for row in rows(extract, "FILED")] == [("cik:990011", document)]
    assert {row["value_text"] for row in rows(extract, "name")} >= {"Oakmere Turbines Inc."}
    (text,) = rows(extract, "text")
    assert "Total assets 2,500" in text["value_text"] and "color" not in text["value_text"]
    assert [row["value_text"] for row in rows(extract, "ticker")] == ["OAKT"]


def test_an_insider_sells_and_holds_and_has_an_office_under_an_opaque_id() -> None:
    _, extract = read(Filings, "form4-tiny.xml")
    person = person_id("cik:990077")
    (sale,) = rows(extract, "TRADED")
    assert (sale["subject"], sale["key"], sale["value_text"]) == (person, "2023-03-01/S/1500@20.25", "S:S")
    assert (sale["value_decimal"], sale["unit"], sale["value_real"]) == (Decimal("30375"), "USD", 1500.0)
    assert sale["valid_from"] == day("2023-03-01")
    assert sale["published"] == day("2023-03-04"), "the end of the day it was signed"
    offices = {(row["subject"], row["object"], row["key"], row["value_text"]) for row in rows(extract, "OFFICER_OF")}
    assert offices == {
        (person, "cik:990011", "director", "director"),
        (person, "cik:990011", "officer", "Chief Financial Officer"),
    }
    (held,) = rows(extract, "HOLDS")
    assert (held["object"], held["key"]) == ("name:oakmere turbines inc. class b stock", "I")
    assert not any("Hallam" in row["subject"] for row in rows(extract))


def test_positions_filed_before_2023_are_thousands_and_a_bad_cusip_is_refused() -> None:
    _, extract = read(Filings, "13f-tiny.xml")
    held = {row["key"]: row for row in rows(extract, "HOLDS")}
    assert {key: row["value_decimal"] for key, row in held.items()} == {
        "2022-12-31": 1_200_000,
        "2022-12-31/Put": 30_000,
    }
    assert {row["subject"] for row in held.values()} == {"cik:990500"}
    assert held["2022-12-31"]["valid_to"] == day(str(next_due(day("2022-12-31").date()))) == day("2023-05-15")
    (refused,) = extract.refused
    assert "cusip '037833101' fails its check" in refused.reason
    assert extract.rules == {"13f.thousands": 1}
    assert [row["document"] for row in rows(extract, "FILED")] != [held["2022-12-31"]["document"]]


def test_positions_filed_from_2023_on_are_dollars(tmp_path: Path) -> None:
    shutil.copy(DATA / "13f-tiny.xml", tmp_path / "a.xml")
    said = (DATA / "13f-tiny.meta.json").read_text().replace("2023-01-02", "2023-01-03")
    (tmp_path / "a.meta.json").write_text(said)
    _, extract = read(Filings, "a.xml", tmp_path)
    assert sorted(row["value_decimal"] for row in rows(extract, "HOLDS")) == [30, 1200]


def test_a_table_of_positions_without_manager_gives_securities_only(tmp_path: Path) -> None:
    shutil.copy(DATA / "13f-tiny.xml", tmp_path / "13f-2023-02-01.xml")
    _, extract = read(Filings, "13f-2023-02-01.xml", tmp_path)
    assert rows(extract, "HOLDS") == []
    assert {row["object"] for row in rows(extract, "ISSUED")} == {"cusip:037833100"}
    assert any("put a sidecar" in refusal.reason for refusal in extract.refused)


def test_a_submission_is_published_when_it_was_accepted_in_eastern_time() -> None:
    _, extract = read(Filings, "submission-tiny.txt")
    (filed,) = rows(extract, "FILED")
    assert filed["published"] == datetime(2023, 3, 2, 22, 15, tzinfo=UTC)
    assert filed["quote"] == "OAKMERE TURBINES INC"
    assert {row["value_text"] for row in rows(extract, "name")} >= {"OAKMERE TURBINES INC", "OAKMERE WINDMILLS CORP"}
    (text,) = rows(extract, "text")
    assert text["locator"].startswith("part:1 chars:0-") and "pumps business" in text["quote"]


def test_a_filing_that_nobody_dates_is_refused() -> None:
    record = Record("filings", "x.html", b"<html><body><p>Nothing.</p></body></html>")
    with pytest.raises(RecordError, match=r"put <name>\.meta\.json"):
        Filings(DATA, []).claims(record, Models())


def test_a_filing_that_nobody_dates_was_public_when_it_was_read() -> None:
    read_at = datetime(2024, 5, 6, tzinfo=UTC)
    record = Record("filings", "x.html", b"<html><body><p>Nothing.</p></body></html>", meta={"read": read_at})
    extract = Filings(DATA, []).claims(record, Models())
    assert {row["published"] for row in rows(extract)} == {read_at}
    assert extract.rules == {"published.when_read": 1}


def test_articles_and_texts_without_header_are_no_filings() -> None:
    assert not is_filing(b"<html><body><article>News</article></body></html>", Path("a.html"))
    assert not is_filing(b"just words", Path("a.txt"))
    assert is_filing(b"<html><body>FORM 8-K</body></html>", Path("a.htm"))


def test_rows_of_one_document_name_each_node_once() -> None:
    _, extract = read(Filings, "10k-tiny.html")
    nodes = [row["subject"] for row in rows(extract, kind="node")]
    assert len(nodes) == len(set(nodes))
    assert {row["valid_to"] for row in rows(extract, "revenue")} == {LAST}
