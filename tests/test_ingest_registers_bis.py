"""Exposures between countries: sums to the cent, years that follow each other, and tables of banks and stocks."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.pipeline import run
from ingest.source import Extract, Models, Record
from ingest.sources.bis import Bis
from ingest.sources.registers import Registers
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, day
from tests.contract.examples.bis import CODES, FIRST, SECOND, YEARS, year
from tests.ingest_reading import misquoted, rows


def given(content: bytes) -> Extract:
    record = Record("bis", "x.json", content, meta={"read": datetime(2024, 1, 1, tzinfo=UTC)})
    extract = Bis(Path(), []).claims(record, Models())
    assert misquoted(record, extract) == []
    return extract


def amounts(extract: Extract) -> list[Decimal]:
    return [row["value_decimal"] for row in rows(extract, "EXPOSED_TO")]


def test_claims_are_exposures_of_the_creditor_for_a_year() -> None:
    edges = {(row["subject"], row["object"]): row for row in rows(given(FIRST), "EXPOSED_TO")}
    assert set(edges) == {("iso:FR", "iso:XK"), ("iso:XK", "iso:FR"), ("iso:FR", "iso:DE")}
    one = edges["iso:XK", "iso:FR"]
    assert (one["value_decimal"], one["unit"], one["key"]) == (Decimal("250000.5"), "USD", "bank claims/2019-12-31")
    assert (one["valid_from"], one["valid_to"]) == (day("2019-12-31"), day("2020-12-31"))
    assert one["published"] == day("2020-06-30")


def test_figures_of_countries_are_facts_of_their_year() -> None:
    facts = {(row["subject"], row["key"]): row["value_decimal"] for row in rows(given(FIRST), "fact")}
    assert facts == {
        ("iso:FR", "gdp|2019"): Decimal("2500000000000.25"),
        ("iso:FR", "reserves|2019"): Decimal(60000000000),
        ("iso:XK", "gdp|2019"): Decimal("7000000000.5"),
        ("iso:XK", "external debt|2019"): Decimal(2000000000),
    }
    assert [row["key"] for row in rows(given(YEARS), "fact")] == ["gdp|2018"]


def test_codes_of_groups_are_no_countries() -> None:
    extract = given(CODES)
    assert [row["value_text"] for row in rows(extract, "name")] == ["France"] and list(extract.unread) == ["5A"]
    assert [refusal.reason for refusal in given(FIRST).refused] == ["id CHI is no ISO 3166 country"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (year("2019-Q5", ("FRA", "DEU", 1.0)), "no quarter"),
        (year("2019-Q4", ("FRA", "5A", 1.0)), "no ISO 3166"),
        (year("2019-Q4", ("FRA", "DEU", -1.0)), "no minus"),
        (year("2019-Q4", ("FRA", "FRA", 1.0)), "two countries"),
        (FIRST.replace(b"250000.5", b'"much"'), "is no number"),
    ],
)
def test_a_bad_claim_is_refused_with_its_place(bad: bytes, reason: str) -> None:
    extract = given(bad)
    assert any(reason in r.reason and r.locator.startswith("json:/edges/") for r in extract.refused)


def test_a_yearly_refresh_closes_what_is_no_longer_reported(tmp_path: Path) -> None:
    inputs, home = tmp_path / "in", tmp_path / "home"
    inputs.mkdir()
    with Ledger.open(home / "ledger") as ledger:
        for name, content in (("2019.json", FIRST), ("2020.json", SECOND)):
            (inputs / name).write_bytes(content)
            run(inputs, ledger, Files(home / "files"), home, sources=("bis",))
        before, after = (ledger.view(AsOf(valid=day(when))).edges for when in ("2020-09-30", "2021-09-30"))
    sums = [sum(a for a in t["value_decimal"].to_pylist() if a is not None) for t in (before, after)]
    assert sums == [Decimal("3001750000.5"), Decimal("2901750000.25")]
    assert (before.num_rows, after.num_rows) == (3, 2)


def test_stocks_by_sector_are_read_from_a_table_parted_by_tabs(tmp_path: Path) -> None:
    (tmp_path / "StockTable").write_bytes(b"Sector\tSymbol\tCompany\nEnergy\t$HRN\tHeron Oil, Inc.\nEnergy\t\tNobody\n")
    (record,) = Registers(tmp_path).records()
    extract = Registers(tmp_path).claims(record, Models())
    assert [row["subject"] for row in rows(extract, "Company")] == ["ticker:HRN"]
    assert [row["object"] for row in rows(extract, "IN_SECTOR")] == ["sector:energy"]
    assert len(extract.refused) == 1 and misquoted(record, extract) == []


@pytest.mark.real
@pytest.mark.parametrize("name", ["2019", "2020"])
def test_real_claims_sum_to_the_file(real_data: Path, name: str) -> None:
    content = (real_data / "bis" / f"{name}.json").read_bytes()
    edges = json.loads(content, parse_float=Decimal)["edges"]
    found = amounts(given(content))
    assert len(found) == len(edges) > 3000
    assert sum(found) == sum(edge["amount"].quantize(Decimal("1e-9")) for edge in edges)
    assert abs(sum(found) - sum(edge["amount"] for edge in edges)) < Decimal("1e-6")


@pytest.mark.real
@pytest.mark.parametrize("name", ["2016", "2020"])
def test_real_bank_exposures_sum_to_the_file_with_what_was_refused(real_data: Path, name: str) -> None:
    path = real_data / "eba" / f"eba_exposures_{name}.csv"
    (record,) = Registers(path.parent, [path]).records()
    extract = Registers(path.parent, [path]).claims(record, Models())
    lines = list(csv.DictReader(path.open()))
    refused = {int(refusal.locator.removeprefix("row:")) for refusal in extract.refused}
    why = {refusal.reason for refusal in extract.refused}
    assert all(reason.startswith(("iso 'x28'", "iso 'Channel Islands'", "lei '")) for reason in why)  # three false LEIs
    want: dict[str, Decimal] = defaultdict(Decimal)
    for number, line in enumerate(lines, 1):
        if line["Country"] != "Total":
            amount = (Decimal(line["Total_Amount"]) * 1_000_000).quantize(Decimal("1e-9"))
            want["refused" if number in refused else "claimed"] += amount
    assert sum(row["value_decimal"] for row in rows(extract, "EXPOSED_TO")) == want["claimed"] > 0
    every = sum((Decimal(x["Total_Amount"]) * 1_000_000 for x in lines if x["Country"] != "Total"), Decimal())
    assert abs(want["claimed"] + want["refused"] - every) < Decimal("1e-3")


@pytest.mark.real
def test_the_real_table_of_stocks_is_read_whole(real_data: Path) -> None:
    folder = real_data / "stocknet"
    source = Registers(folder, [folder / "StockTable"])
    (record,) = source.records()
    extract = source.claims(record, Models())
    assert len(rows(extract, "Company")) == 88 - len(extract.refused) and not extract.refused
    assert len(rows(extract, "Sector")) == 9
