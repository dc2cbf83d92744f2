"""Registers: entities, stakes, loans and the EBA's exposures, with identifiers checked."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from ingest.source import Models
from ingest.sources.registers import Registers
from kg.model import day
from tests.ingest_reading import misquoted, read, rows

DEKA = "lei:0W2PZJM8XOY22M4GG883"


def test_entities_carry_names_identifiers_sector_and_country() -> None:
    record, extract = read(Registers, "entities-tiny.csv")
    labels = {row["subject"]: row["name"] for row in rows(extract, kind="node")}
    assert labels["cik:990011"] == "Company" and labels[DEKA] == "Bank"
    assert labels["isin:US0378331005"] == "Security" and labels["sector:heavy-machinery"] == "Sector"
    names = {row["value_text"] for row in rows(extract, "name") if row["subject"] == "cik:990011"}
    assert names == {"Oakmere Turbines Inc.", "Oakmere Windmills Corp."}
    assert rows(extract, "identifier") == []
    assert [(row["subject"], row["object"]) for row in rows(extract, "ISSUED")] == [("cik:990011", "isin:US0378331005")]
    assert misquoted(record, extract) == []


def test_a_bad_row_is_refused_and_a_bad_cell_loses_only_itself() -> None:
    _, extract = read(Registers, "entities-tiny.csv")
    reasons = {refusal.locator: refusal.reason for refusal in extract.refused}
    assert "lei '0W2PZJM8XOY22M4GG884' fails its check" in reasons["row:3"]
    assert reasons["row:5"].startswith("label Dragon is unknown; known: Company")
    assert reasons["row:6"] == "name (empty) is not a name"
    assert reasons["row:7"] == "published soon is not an ISO date or time"
    assert {"cik:990013"} <= {row["subject"] for row in rows(extract, "Company")}
    assert extract.unread == ["favourite_colour"]


def test_loans_are_exact_decimals_valid_from_to() -> None:
    record, extract = read(Registers, "exposures-tiny.csv")
    loans = {row["key"]: row for row in rows(extract, "LENDS_TO")}
    assert loans["term loan"]["value_decimal"] == Decimal("1000000.10")
    assert loans["term loan"]["valid_to"] == day("2021-01-01")
    assert loans["revolver"]["value_decimal"] == Decimal("2500") and loans["revolver"]["valid_to"].year == 9999
    assert [refusal.reason for refusal in extract.refused] == [
        "amount a lot is not a decimal number",
        "valid_from yesterday is not an ISO date",
    ]
    assert misquoted(record, extract) == []


def test_eba_millions_become_exact_euros_and_totals_are_not_counted_twice() -> None:
    record, extract = read(Registers, "eba-tiny.csv")
    exposed = {row["object"]: row for row in rows(extract, "EXPOSED_TO")}
    assert set(exposed) == {"iso:FR", "iso:DE"}
    assert exposed["iso:FR"]["value_decimal"] == Decimal("1250000.000123")
    assert exposed["iso:DE"]["value_decimal"] == Decimal("2")
    assert exposed["iso:FR"]["key"] == "Corporates/2019-12-31"
    assert exposed["iso:FR"]["published"] == day("2020-12-31")
    assert [(row["subject"], row["value_decimal"]) for row in rows(extract, "assets")] == [(DEKA, Decimal("900500000"))]
    assert [row["key"] for row in rows(extract, "fact")] == ["Corporates|2019-12-31"]
    assert [refusal.reason for refusal in extract.refused] == ["iso 'x28': no ISO 3166 alpha-2 code"]
    assert misquoted(record, extract) == []


def test_a_row_of_another_width_is_refused_and_the_numbers_of_the_others_stay_true() -> None:
    record, extract = read(Registers, "ragged-tiny.csv")
    assert [(r.locator, r.reason) for r in extract.refused] == [("row:2", "the row has 11 cells; the header has 8")]
    assert [row["locator"] for row in rows(extract, "LENDS_TO")] == ["row:1", "row:3"]
    assert misquoted(record, extract) == []


def test_constituents_of_an_index_have_ticker_and_sector_and_banks_are_banks(tmp_path: Path) -> None:
    (tmp_path / "constituents.csv").write_text(
        "Symbol,Security,GICS Sector,GICS Sub-Industry,CIK\nOAKT,Oakmere,Industrials,Machinery,990011\n"
        "LHB,Larch Hill,Financials,Regional Banks,990012\n"
    )
    _, extract = read(Registers, "constituents.csv", tmp_path)
    labels = {row["subject"]: row["name"] for row in rows(extract, kind="node")}
    assert (labels["cik:990011"], labels["cik:990012"]) == ("Company", "Bank")
    assert {row["object"] for row in rows(extract, "IN_SECTOR")} == {"gics:industrials", "gics:financials"}


def test_figures_and_dates_written_otherwise_are_cleaned_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        "creditor_id,debtor_id,amount,currency,facility,published,valid_from\n"
        'name:a é,name:b,"1,250.50",USD,f1,2024-01-02,13/02/2024\n'
        "name:a,name:b,$3m,USD,f2,2024-01-02,03/04/2024\n"
        "name:a,name:b,some,USD,f3,2024-01-02,2024-01-01\n".encode("cp1252")
    )
    record, extract = read(Registers, "a.csv", tmp_path)
    loans = [(row["value_decimal"], row["valid_from"].date().isoformat()) for row in rows(extract, "LENDS_TO")]
    assert loans == [(Decimal("1250.5"), "2024-02-13"), (Decimal(3000000), "2024-04-03")]
    assert extract.rules == {
        "encoding.cp1252": 3, "number.separators": 1, "number.unit": 1, "number.currency_sign": 1, "date.day_first": 2,
    }  # fmt: skip
    assert [refusal.locator for refusal in extract.refused] == ["row:3"] and misquoted(record, extract) == []


def test_a_row_with_a_day_is_public_at_its_end_and_one_with_a_time_then(tmp_path: Path) -> None:
    head = "supplier_id,customer_id,amount,currency,valid_from,valid_to,published"
    times = ("2023-04-05", " 2023-04-05 ", "2023-04-05T00:00:00Z", "2023-04-05 17:30:00")
    lines = [f"cik:{n},cik:99,5,EUR,2020-01-01,,{when}" for n, when in enumerate(times, 1)]
    path = tmp_path / "supply.csv"
    path.write_text("\n".join([head, *lines]))
    (record,) = Registers(tmp_path).records()
    told = rows(Registers(tmp_path).claims(record, Models()), "SUPPLIES")
    assert [row["published"].isoformat()[:16] for row in told] == [
        "2023-04-06T00:00", "2023-04-06T00:00", "2023-04-05T00:00", "2023-04-05T17:30",
    ]  # fmt: skip


def test_money_that_names_another_currency_or_a_share_is_refused(tmp_path: Path) -> None:
    told = {"a": "USD 100", "b": "50 %", "c": "£5", "d": "10 20", "e": "EUR 7", "f": "€ 8", "g": "9"}
    lines = [f'name:x,name:y,"{amount}",EUR,{facility},2023-01-01,,2023-02-01' for facility, amount in told.items()]
    header = "creditor_id,debtor_id,amount,currency,facility,valid_from,valid_to,published"
    (tmp_path / "exposures.csv").write_text("\n".join([header, *lines]))
    _, extract = read(Registers, "exposures.csv", tmp_path)
    assert {row["key"]: row["value_decimal"] for row in rows(extract, "LENDS_TO")} == {"e": 7, "f": 8, "g": 9}
    assert [refusal.reason for refusal in extract.refused] == [
        "amount USD 100 is not money in EUR, its currency",
        "amount 50 % is not money in EUR, its currency",
        "amount £5 is not money in EUR, its currency",
        "amount 10 20 is not a decimal number",
    ]


def test_a_balance_is_of_the_day_that_is_written_whatever_its_zone(tmp_path: Path) -> None:
    days = ["2023-12-31T00:00:00+01:00", "2024-12-31", "2025-12-31T23:00:00-05:00"]
    lines = [f"name:gamma bank,{day},EUR,22,USD 220,2026-02-01" for day in days]
    (tmp_path / "balances.csv").write_text("\n".join(["entity_id,period_end,currency,equity,assets,published", *lines]))
    _, extract = read(Registers, "balances.csv", tmp_path)
    told = [(row["key"], row["valid_from"]) for row in rows(extract, "equity")]
    assert told == [(key, day(key[:3] + str(int(key[3]) + 1) + "-01-01")) for key, _ in told]
    assert [key for key, _ in told] == ["2023-12-31", "2024-12-31", "2025-12-31"]
    assert not rows(extract, "assets") and len(extract.refused) == 3
