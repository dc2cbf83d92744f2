"""Prices and what is made of them: as the files say, public when the session closed, and with no look ahead."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ingest.extract.market.calendar import ends, sessions
from ingest.extract.market.correlation import METHODS
from ingest.extract.market.series import layout_of
from ingest.locate import locate
from ingest.pipeline import run
from ingest.source import Extract, Models, Record
from ingest.sources.market import Market
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, as_time
from tests.ingest_reading import rows
from tests.market_prices import days, ohlcv, walk


def told(folder: Path, **files: bytes) -> list[tuple[Record, Extract]]:
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content)
    made = Market(folder)
    return [(record, made.claims(record, Models())) for record in made.records()]


def quoted_right(found: list[tuple[Record, Extract]], every: int = 1) -> bool:
    said = [(record, row) for record, extract in found for row in rows(extract)[::every]]
    return all(locate(record.content, row["locator"], "market") == row["quote"] for record, row in said)


def test_a_close_is_public_when_its_session_ends(tmp_path: Path) -> None:
    friday, thanksgiving = date(2023, 11, 24), date(2023, 11, 23)
    found = told(tmp_path, LARC=ohlcv([date(2023, 11, 22), thanksgiving, friday], [10.5, 11, 12.25]))
    ((_, extract),) = found
    closes = {row["key"]: row for row in rows(extract, "close")}
    assert set(closes) == {"2023-11-22", "2023-11-24"}
    assert closes["2023-11-24"]["published"] == datetime(2023, 11, 24, 18, tzinfo=UTC), (
        "the half day after Thanksgiving"
    )
    assert closes["2023-11-22"]["published"] == datetime(2023, 11, 22, 21, tzinfo=UTC)
    assert (closes["2023-11-24"]["value_decimal"], closes["2023-11-24"]["unit"]) == (Decimal("12.25"), "USD")
    assert (closes["2023-11-24"]["locator"], closes["2023-11-24"]["quote"]) == ("row:3 cells:Close", "12.25")
    assert [(r.locator, r.reason) for r in extract.refused] == [("row:2", "2023-11-23 is no session of XNYS")]
    assert quoted_right(found)


def test_a_ticker_ending_or_a_note_names_exchange_and_currency(tmp_path: Path) -> None:
    one = "Date,Close,Volume\n2024-01-02,100,5\n"
    (tmp_path / "7777.T.csv").write_text(one.replace("2024-01-02", "2024-01-04"))
    (tmp_path / "noted").mkdir()
    (tmp_path / "noted" / "LARC.csv").write_text(one)
    (tmp_path / "noted" / "market.json").write_text(json.dumps({"exchange": "XLON", "currency": "GBP"}))
    by_path = {record.path: rows(extract, "close")[0] for record, extract in told(tmp_path)}
    tokyo, london = by_path["7777.T.csv"], by_path["noted/LARC.csv"]
    assert (tokyo["unit"], tokyo["published"].hour) == ("JPY", 6)
    assert (london["unit"], london["published"]) == ("GBP", datetime(2024, 1, 2, 16, 30, tzinfo=UTC))


def test_long_and_wide_tables_say_the_same_as_a_file_each(tmp_path: Path) -> None:
    dates, a, b = days(5), [1.5, 2, 3, 4, 5], [9.0, 8, 7, 6, 5.25]
    layouts = {
        "long": "date,symbol,close,volume\n"
        + "".join(f"{d},{n},{p},1\n" for d, x, y in zip(dates, a, b, strict=True) for n, p in (("AA", x), ("BB", y))),
        "wide": "Date,AA,BB\n" + "".join(f"{d},{x},{y}\n" for d, x, y in zip(dates, a, b, strict=True)),
    }
    said = []
    for layout, text in layouts.items():
        folder = tmp_path / layout
        folder.mkdir()
        found = told(folder, prices=text.encode())
        assert quoted_right(found)
        said.append({(r["subject"], r["key"]): r["value_decimal"] for _, e in found for r in rows(e, "close")})
    assert said[0] == said[1] and len(said[0]) == 10


def test_cleaning_is_counted_and_the_raw_row_stays_in_place(tmp_path: Path) -> None:
    dates, prices = days(100), walk(100, 3)
    prices[80] *= 10
    lines = ohlcv(dates, prices).decode().splitlines()
    lines[10] = lines[10].replace(f"{prices[9]}", "null")
    del lines[20]
    lines += [lines[5], f"{dates[6]},1,2,0.5,1,1,1"]
    found = told(tmp_path, LARC="\n".join([*lines, ""]).encode())
    ((_, extract),) = [pair for pair in found if pair[0].path == "LARC.csv"]
    assert dict(extract.rules) == {
        "market.assumed_exchange": 1,
        "market.repeated_day": 1,
        "market.empty_price": 1,
        "market.missing_session": 2,
        "market.outlier": 2,
    }
    assert [r.reason for r in extract.refused] == [
        "the row has no closing price",
        f"{dates[6]} stands in the table already with other prices",
    ]
    doubted = [row for row in rows(extract, "close") if row["confidence"] < 1]
    assert [row["key"] for row in doubted] == [str(dates[80]), str(dates[81])]
    assert quoted_right(found, 7)


@pytest.mark.parametrize("t", [61, 90, 130, 170, 259])
def test_no_claim_public_by_a_day_changes_with_the_prices_after_it(tmp_path: Path, t: int) -> None:
    dates, random = days(300), np.random.default_rng(t)
    known: list[list[tuple[object, ...]]] = []
    for mutated in (False, True):
        folder = tmp_path / str(mutated)
        folder.mkdir()
        for seed, name in enumerate(("LARC", "OAKM", "PINE"), 2):
            prices = walk(300, seed)
            if mutated:
                prices[t + 1 :] = random.uniform(1, 90, 300 - t - 1).round(4).tolist()
            (folder / f"{name}.csv").write_bytes(ohlcv(dates, prices))
        closed = sessions("XNYS", dates[t], dates[t])["closed"][0]
        tables = [pl.from_arrow(extract.claims.table) for _, extract in told(folder)]
        claims = pl.concat([table for table in tables if isinstance(table, pl.DataFrame)])
        public = claims.filter(pl.col("published") <= closed).drop("document")
        known.append(sorted(public.rows(), key=repr))
    assert repr(known[0]) == repr(known[1]) and len(known[0]) > 3 * 2 * t


def test_pairs_that_move_together_have_one_edge_each_window_and_method(tmp_path: Path) -> None:
    dates = days(300)
    files = {name: ohlcv(dates, walk(300, seed)) for seed, name in enumerate(("PINE", "LARC"), 2)}
    files["ALON"] = ohlcv(dates, walk(300, 9, factor=0))
    found = told(tmp_path, **files)
    record, extract = found[-1]
    assert record.path == "#together-XNYS" and set(json.loads(record.sidecar)["files"]) == {f"{n}.csv" for n in files}
    edges = rows(extract, "CORRELATES_WITH")
    pair = [row for row in edges if (row["subject"], row["object"]) == ("ticker:LARC@XNYS", "ticker:PINE@XNYS")]
    ended = [str(day) for day, last in zip(dates, ends(pl.Series(dates), "1q"), strict=True) if last]
    assert [row["key"] for row in pair if row["key"].startswith("60|pearson")] == [f"60|pearson|{day}" for day in ended]
    assert [row["key"] for row in pair if row["key"].startswith("250")] == [f"250|{m}|{ended[3]}" for m in METHODS]
    assert all(row["subject"] < row["object"] and row["value_text"].startswith("p=") for row in edges)
    assert quoted_right(found, 11)


def test_a_table_of_other_things_is_no_series() -> None:
    assert layout_of(("Date", "Open", "High", "Low", "Close", "Adj Close", "Volume")) == "ohlcv"
    assert layout_of(("date", "close")) == "" and layout_of(("time", "payer_account", "amount")) == ""
    assert layout_of(("entity_id", "date", "event_type")) == "" and layout_of(("Date",)) == ""


def test_the_ledger_shows_a_price_only_from_its_close_and_a_folder_again_adds_nothing(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    dates = days(130)
    for seed, name in enumerate(("LARC", "OAKM"), 2):
        (inputs / f"{name}.csv").write_bytes(ohlcv(dates, walk(130, seed)))
    home = tmp_path / "home"
    with Ledger.open(home / "ledger") as ledger:
        report = run(inputs, ledger, Files(home / "files"), home, sources=("market",))
        assert report.committed and not report.quarantined
        closed = as_time(sessions("XNYS", dates[100], dates[100])["closed"][0])
        views = [ledger.view(AsOf(published=at)) for at in (closed - timedelta(seconds=1), closed)]
        counts = [Counter(fact["property"] for fact in view.facts.to_pylist())["close"] for view in views]
        assert counts == [200, 202]
        assert not run(inputs, ledger, Files(home / "files"), home, sources=("market",)).committed


@pytest.mark.real
def test_all_prices_of_stocknet_go_in_and_every_row_is_accounted_for(real_data: Path) -> None:
    folder = real_data / "stocknet"
    made, counted, lines, refused = Market(folder), Counter[str](), 0, 0
    for record in made.records():
        extract = made.claims(record, Models())
        counted.update(
            {row["values"]: row["counts"] for row in extract.claims.table["name"].value_counts().to_pylist()}
        )
        refused += len(extract.refused)
        if record.path.endswith(".csv"):
            lines += len(record.content.splitlines()) - 1
        for row in extract.claims.table.slice(0, 40).to_pylist()[::7]:
            assert locate(record.content, row["locator"], "market") == row["quote"]
    assert (counted["Security"], counted["close"] + refused, refused) == (88, lines, 3)
    assert counted["volume"] == counted["close"] == 108_589 and counted["CORRELATES_WITH"] > 50_000


def test_a_firm_that_a_register_calls_by_its_ticker_stands_beside_its_security(tmp_path: Path) -> None:
    inputs, home = tmp_path / "inputs", tmp_path / "home"
    inputs.mkdir()
    (inputs / "LARC.csv").write_bytes(ohlcv(days(5), walk(5, 2)))
    (inputs / "entities.csv").write_text("id,label,name,published\nticker:LARC,Company,Larch Hill plc,2018-01-01\n")
    with Ledger.open(home / "ledger") as ledger:
        report = run(inputs, ledger, Files(home / "files"), home, sources=("registers", "market"))
    assert report.committed and not report.quarantined and report.names["close"] == 5
