"""Headlines as they stand in SEntFiN go in whole, and names in them are found."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import pytest

from ingest.extract.text.names import Gazetteer
from ingest.locate import locate
from ingest.pipeline import extract
from ingest.source import Extract, Models, Record
from ingest.sources.news import News


def headlines(tmp_path: Path, *titles: str) -> Path:
    file = tmp_path / "headlines.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("date", "Title"), *(("2023-04-05", title) for title in titles)])
    return file


def mentioned(record: Record, models: Models) -> dict[str, str]:
    table = Extract.of(News(Path("."), []).claims(record, models)).claims.table.to_pylist()
    return {r["quote"]: r["subject"] for r in table if r["name"] == "MENTIONED_IN"}


def test_firms_without_their_legal_form_are_mentioned_and_toned_each_for_itself(tmp_path: Path) -> None:
    file = headlines(tmp_path, "Oakmere Turbines soars on record profit, Larch Hill Bank plunges on fraud losses")
    gazetteer = Gazetteer([("lei:1", "Company", "Oakmere Turbines Inc."), ("lei:2", "Bank", "Larch Hill Bank plc")])
    [(record, got)] = list(extract("news", [file], Models(gazetteer)))
    assert mentioned(record, Models(gazetteer)) == {
        "Oakmere Turbines": "name:oakmere turbines",
        "Larch Hill Bank": "name:larch hill bank",
    }
    tones = {r["subject"]: r["value_real"] for r in got.claims.table.to_pylist() if r["name"] == "sentiment"}
    assert tones["name:oakmere turbines"] > 0 > tones["name:larch hill bank"]


def test_abbreviations_of_the_trade_are_no_names(tmp_path: Path) -> None:
    file = headlines(
        tmp_path, "IPO market: GDP, FDI and CPI to guide F&O traders", "ALL CAPITALS TELL NOTHING OF NAMES"
    )
    for record, _ in extract("news", [file]):
        assert mentioned(record, Models()) == {}


@pytest.mark.real
@pytest.mark.slow
def test_real_headlines_go_in_without_a_refusal_and_their_firms_are_found(real_data: Path) -> None:
    file = real_data / "sentfin" / "SEntFiN-first5000.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    records = list(News(file.parent, [file]).records())
    assert len(records) == len(rows) == 5000
    found = said = 0
    for record, row in list(zip(records, rows, strict=True))[::25]:
        got = Extract.of(News(Path("."), []).claims(record, Models()))
        assert not got.refused
        quotes = got.claims.table.select(["locator", "quote", "name"]).to_pylist()
        assert all(locate(record.content, q["locator"], "news") == q["quote"] for q in quotes)
        names = [q["quote"] for q in quotes if q["name"] == "MENTIONED_IN"]
        firms = [entity for entity in ast.literal_eval(row["Decisions"]) if entity[:1].isupper()]
        said += len(firms)
        found += sum(any(n in firm or firm in n for n in names) for firm in firms)
    assert found >= 0.35 * said
