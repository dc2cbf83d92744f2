"""Payments, trades and accounts: exact sums by the day, with the rows they stand on."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from ingest.extract.payments.stream import Stream
from ingest.locate import locate
from ingest.source import Models
from ingest.sources.trades import Trades
from kg.model import day
from tests.ingest_reading import DATA, misquoted, read, rows

IBAN = "iban:GB82WEST12345698765432"


def test_payments_of_a_day_are_one_edge_with_their_exact_sum_and_count() -> None:
    _, extract = read(Trades, "payments-tiny.csv")
    paid = {(row["subject"], row["object"], row["key"]): row for row in rows(extract, "PAID")}
    assert set(paid) == {
        (IBAN, "acct:1001", "2024-01-02/EUR"),
        (IBAN, "acct:1001", "2024-01-02/USD"),
        ("acct:1001", "acct:2002", "2024-01-03/EUR"),
    }
    two = paid[IBAN, "acct:1001", "2024-01-02/EUR"]
    assert (two["value_decimal"], two["value_int"], two["unit"]) == (Decimal("1210.5"), 2, "EUR")
    assert (two["locator"], two["quote"]) == ("rows:1,3 sum:amount", "count 2, sum 1210.5")
    assert two["valid_from"] == day("2024-01-02")


def test_the_quote_of_a_single_payment_is_its_row_as_it_stands() -> None:
    record, extract = read(Trades, "payments-tiny.csv")
    one = next(row for row in rows(extract, "PAID") if row["unit"] == "USD")
    assert one["quote"] == "4,2024-01-02T15:00:00Z,GB82WEST12345698765432,1001,8.25,USD,"
    assert locate(record.content, "row:1") == "1,2024-01-02T09:00:00Z,GB82WEST12345698765432,1001,1,200.50,EUR,rent"


def test_every_bad_row_is_refused_with_its_reason_and_unread_columns_are_told() -> None:
    record, extract = read(Trades, "payments-tiny.csv")
    assert {refusal.locator: refusal.reason for refusal in extract.refused} == {
        "row:5": "amount lots is not a decimal number",
        "row:6": "payee_account (empty) is not an account",
        "row:7": "time some day is not an ISO time",
        "row:8": "currency euro is not an ISO 4217 code",
        "row:9": "the amount is negative; a payment back is one of its own",
    }
    assert extract.unread == ["memo"]
    assert misquoted(record, extract) == []


def test_trades_are_summed_by_side_and_a_bad_isin_or_side_is_refused() -> None:
    record, extract = read(Trades, "trades-tiny.csv")
    traded = {row["key"]: row for row in rows(extract, "TRADED")}
    assert set(traded) == {"2024-01-02/B/USD", "2024-01-02/S/USD"}
    bought = traded["2024-01-02/B/USD"]
    assert (bought["value_decimal"], bought["value_real"], bought["value_int"]) == (Decimal("138.5"), 110.0, 2)
    assert bought["value_text"] == "B" and bought["subject"] == "cik:990011"
    reasons = [refusal.reason for refusal in extract.refused]
    assert "isin 'US0378331006' fails its check" in reasons[0] and "neither B(uy) nor S(ell)" in reasons[1]
    assert misquoted(record, extract) == []


def test_accounts_are_known_by_the_first_payment_beside_them() -> None:
    made = Trades(DATA, [DATA / "accounts-tiny.csv"])
    (record,) = made.records()
    extract = made.claims(record, Models())
    assert {(row["subject"], row["object"]) for row in rows(extract, "HAS_ACCOUNT")} == {
        ("cik:990011", IBAN),
        ("cik:990012", "acct:1001"),
    }
    assert {row["published"] for row in rows(extract)} == {record.published}
    assert record.published is not None and record.published <= day("2024-01-03")
    assert [refusal.reason for refusal in extract.refused] == ["iso 'ZZ': no ISO 3166 alpha-2 code"]


def test_an_account_with_a_date_of_its_own_is_known_from_then_on(tmp_path: Path) -> None:
    text = "account_id,owner_id,country,published\n1,cik:990011,GB,2023-05-04\n2,,GB,\n3,,GB,soon\n"
    (tmp_path / "accounts.csv").write_text(text)
    (tmp_path / "payments.csv").write_bytes((DATA / "payments-tiny.csv").read_bytes())
    made = Trades(tmp_path, [tmp_path / "accounts.csv"])
    (record,) = made.records()
    extract = made.claims(record, Models())
    known = {
        row["subject"]: row["published"] for row in rows(extract) if row["kind"] == "node" and row["name"] == "Account"
    }
    assert known == {"acct:1": day("2023-05-05"), "acct:2": record.published}  # a day is over before it is public
    assert [refusal.locator for refusal in extract.refused] == ["row:3"]
    assert extract.unread == []


def test_parquet_and_csv_of_the_same_trades_say_the_same(tmp_path: Path) -> None:
    frame = pl.read_csv(DATA / "trades-tiny.csv", infer_schema=False)
    frame.with_columns(pl.col("quantity").cast(pl.Int64), pl.col("price").cast(pl.Decimal(12, 2))).write_parquet(
        tmp_path / "trades.parquet"
    )
    record, extract = read(Trades, "trades.parquet", tmp_path)
    _, of_csv = read(Trades, "trades-tiny.csv")
    said = [(row["subject"], row["object"], row["key"], row["value_decimal"]) for row in rows(extract, "TRADED")]
    assert said == [(row["subject"], row["object"], row["key"], row["value_decimal"]) for row in rows(of_csv, "TRADED")]
    assert misquoted(record, extract) == []


@pytest.mark.parametrize("write", [pl.DataFrame.write_csv, pl.DataFrame.write_parquet])
@pytest.mark.parametrize("name", ["paid[1]", "paid*", "currency=EUR/paid", "o'paid"])
def test_a_streamed_file_gives_its_own_rows_whatever_it_and_its_folder_are_called(
    name: str, write: Callable[[pl.DataFrame, Path], None], tmp_path: Path
) -> None:
    (tmp_path / "currency=EUR").mkdir()
    for number, each in enumerate((name, "paid1")):  # the second fits the first as a pattern
        write(pl.DataFrame({"amount": [number], "currency": ["USD"]}), tmp_path / each)
    with Stream() as stream:
        stream.add("cells", tmp_path / name)
        assert stream.table("SELECT k_n, amount, currency FROM cells").to_pylist() == [
            {"k_n": 1, "amount": "0", "currency": "USD"}
        ]
        assert stream.quotes("cells", [1]) == {1: "0,USD"}


def test_a_simulated_bank_in_a_tar_file_gives_payments_and_fraud_flags(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("nodeid,isFraud,init_balance,fraudStep\n0,0,184.44,-1\n1,1,175.80,3\n")
    (tmp_path / "transactions.csv").write_text("sourceNodeId,targetNodeId,value,time\n0,1,0.1,1\n0,1,0.2,1\n1,0,5,2\n")
    with tarfile.open(tmp_path / "sim.tgz", "w:gz") as archive:
        for name in ("nodes.csv", "transactions.csv"):
            archive.add(tmp_path / name, f"sim/{name}")
    made = Trades(tmp_path, [tmp_path / "sim.tgz"])
    nodes, transactions = made.records()
    assert [nodes.path, transactions.path] == ["sim.tgz#sim/nodes.csv", "sim.tgz#sim/transactions.csv"]
    flags = rows(made.claims(nodes, Models()), "flag")
    assert [(row["subject"], row["value_text"]) for row in flags] == [("acct:amlsim-1", "fraud")]
    paid = rows(made.claims(transactions, Models()), "PAID")
    assert [(row["key"], row["value_decimal"]) for row in paid] == [
        ("2017-01-02/XXX", Decimal("0.3")),
        ("2017-01-03/XXX", Decimal("5")),
    ]


HEADER = "time,payer_account,payee_account,amount,currency,memo\n"


def test_a_decimal_comma_is_refused_and_never_read_as_one_between_thousands(tmp_path: Path) -> None:
    told = {"A": "100,50", "B": "1.234,56", "C": "1000,5", "D": "10 20", "E": " 1,000.5 ", "F": "1 000", "G": "-1,0"}
    lines = [f"2024-01-03;P;{payee};{amount};EUR;" for payee, amount in told.items()]
    (tmp_path / "p.csv").write_text(HEADER.replace(",", ";") + "\n".join(lines))
    _, extract = read(Trades, "p.csv", tmp_path)
    found = {row["object"]: row["value_decimal"] for row in rows(extract, "PAID")}
    assert found == {"acct:E": Decimal("1000.5"), "acct:F": Decimal(1000)}
    reasons = {refusal.locator: refusal.reason for refusal in extract.refused}
    assert set(reasons) == {"row:1", "row:2", "row:3", "row:4", "row:7"}
    assert reasons["row:1"].endswith("decimals stand behind a point, and a comma between thousands alone")


def test_rows_of_two_files_without_ids_are_one_payment_only_if_they_are_wholly_the_same(tmp_path: Path) -> None:
    for name, memo in (("a", "rent"), ("b", "salary"), ("c", "rent")):
        (tmp_path / f"{name}.csv").write_text(f"{HEADER}2024-01-03,A,B,100,EUR,{memo}\n")
    made = Trades(tmp_path, sorted(tmp_path.glob("*.csv")))
    claims = [row for record in made.records() for row in rows(made.claims(record, Models()), "PAID")]
    assert [row["value_decimal"] for row in claims] == [100, 100], "the third repeats the first"
