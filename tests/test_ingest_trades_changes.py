"""Rows said twice, cancels and corrections, sets of files and super-nodes: what payments and trades add up to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.extract.payments.corrections import restated, trace
from ingest.locate import locate
from ingest.pipeline import run
from ingest.source import Extract, Models, Record
from ingest.sources.trades import Trades
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, day, digest
from tests.ingest_reading import rows

HEAD = "payment_id,time,payer_account,payee_account,amount,currency"
ACTING = f"{HEAD},action,original_id"


def told(folder: Path, **files: str) -> list[tuple[Record, Extract]]:
    """What files give, each checked to quote what stands there."""
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    made = Trades(folder)
    found = [(record, made.claims(record, Models())) for record in made.records()]
    for record, extract in found:
        contents = {record.document: record.whole(), digest(record.sidecar): record.sidecar}
        for row in rows(extract):
            assert locate(contents[row["document"]], row["locator"], "trades") == row["quote"]
    return found


def table(*lines: str, head: str = ACTING) -> str:
    return "\n".join([head, *lines]) + "\n"


def paid(found: list[tuple[Record, Extract]]) -> list[dict[str, Any]]:
    return [row for _, extract in found for row in rows(extract, "PAID")]


def refusals(found: list[tuple[Record, Extract]]) -> Mapping[str, str]:
    return {refusal.locator: refusal.reason for _, extract in found for refusal in extract.refused}


def rules(found: list[tuple[Record, Extract]]) -> Mapping[str, int]:
    return next(dict(extract.rules) for _, extract in found if extract.rules)


def as_of(found: list[tuple[Record, Extract]], published: str) -> dict[tuple[str, str], tuple[Decimal, int]]:
    """Sum and count of each edge as of a time of publication: of each key the last that was public."""
    at = datetime.fromisoformat(published).replace(tzinfo=UTC)
    public = sorted((row for row in paid(found) if row["published"] <= at), key=lambda row: row["published"])
    return {(row["object"], row["key"]): (row["value_decimal"], row["value_int"]) for row in public}


def test_a_payment_said_twice_counts_once(tmp_path: Path) -> None:
    one, two = "1,2024-01-02T09:00:00Z,A,B,10,EUR", "2,2024-01-02T09:00:00Z,A,B,10,EUR"
    found = told(tmp_path, p=table(one, two, one, head=HEAD))
    assert [(row["value_decimal"], row["value_int"]) for row in paid(found)] == [(Decimal(20), 2)]
    assert rules(found) == {"trades.repeated_row": 1}


def test_wholly_equal_rows_without_an_id_count_once(tmp_path: Path) -> None:
    row = "2024-01-02T09:00:00Z,A,B,10,EUR"
    found = told(tmp_path, p=table(row, row, row.replace("10,", "11,"), head=HEAD.removeprefix("payment_id,")))
    assert [row["value_decimal"] for row in paid(found)] == [Decimal(21)]
    assert rules(found) == {"trades.repeated_row": 1}


def test_one_id_with_two_amounts_is_refused(tmp_path: Path) -> None:
    found = told(tmp_path, p=table("1,2024-01-02,A,B,10,EUR", "1,2024-01-02,A,B,11,EUR", head=HEAD))
    assert [row["value_decimal"] for row in paid(found)] == [Decimal(10)]
    assert refusals(found) == {"row:2": "its id stands in row 1 already with other values; a change needs an action"}


def test_a_cancelled_payment_is_gone_from_then_on_and_seen_before(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        p=table(
            "1,2024-01-02T09:00:00Z,A,B,10,EUR,NEW,",
            "2,2024-01-02T15:00:00Z,A,B,5,EUR,NEW,",
            "3,2024-01-04T10:00:00Z,A,B,10,EUR,CANCEL,1",
        ),
    )
    assert as_of(found, "2024-01-02T14:00:00") == {}
    key = ("acct:B", "2024-01-02/EUR")
    assert as_of(found, "2024-01-04T09:59:59") == {key: (Decimal(15), 2)}
    assert as_of(found, "2024-01-04T10:00:00") == {key: (Decimal(5), 1)}
    assert rules(found) == {"trades.void_row": 1}


def test_an_edge_whose_only_payment_is_cancelled_is_restated_as_nothing(tmp_path: Path) -> None:
    found = told(tmp_path, p=table("1,2024-01-02T09:00:00Z,A,B,10,EUR,NEW,", "1,2024-01-04T10:00:00Z,,,,,CANCEL,"))
    assert as_of(found, "2024-01-05")[("acct:B", "2024-01-02/EUR")] == (Decimal(0), 0)


def test_a_payment_cancelled_before_its_day_was_public_never_stood(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        p=table(
            "1,2024-01-02T09:00:00Z,A,B,10,EUR,NEW,",
            "9,2024-01-02T10:00:00Z,A,B,10,EUR,CANC,1",
            "2,2024-01-02T15:00:00Z,A,B,5,EUR,NEW,",
        ),
    )
    assert [(row["value_decimal"], row["locator"]) for row in paid(found)] == [(Decimal(5), "row:3")]


def test_a_correction_moves_a_payment_to_another_account_on_its_own_day(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        p=table(
            "1,2024-01-02T09:00:00Z,A,B,10,EUR,NEW,",
            "2,2024-01-02T09:30:00Z,A,B,1,EUR,NEW,",
            "1b,2024-01-05T08:00:00Z,A,C,12.50,EUR,CORRECT,1",
        ),
    )
    before, after = as_of(found, "2024-01-04"), as_of(found, "2024-01-06")
    assert before == {("acct:B", "2024-01-02/EUR"): (Decimal(11), 2)}
    assert after == before | {
        ("acct:B", "2024-01-02/EUR"): (Decimal(1), 1), ("acct:C", "2024-01-02/EUR"): (Decimal("12.5"), 1)
    }  # fmt: skip


def test_a_correction_can_be_corrected_and_cancelled_by_either_id(tmp_path: Path) -> None:
    start = ("1,2024-01-02T09:00:00Z,A,B,10,EUR,NEW,", "1b,2024-01-03T09:00:00Z,A,B,11,EUR,CORRECT,1")
    for last in ("1", "1b"):
        found = told(tmp_path, p=table(*start, f"1c,2024-01-04T09:00:00Z,A,B,12,EUR,CORRECT,{last}"))
        sums = [as_of(found, f"2024-01-0{d}T12:00:00")["acct:B", "2024-01-02/EUR"][0] for d in (2, 3, 4)]
        assert sums == [Decimal(10), Decimal(11), Decimal(12)]


def test_a_cancel_of_nothing_is_refused_with_the_next_step(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        p=table(
            "1,2024-01-02,A,B,10,EUR,NEW,", "2,2024-01-03,A,B,10,EUR,CANCEL,77", "3,2024-01-03,A,B,10,EUR,pending,"
        ),
    )
    assert refusals(found) == {
        "row:2": "cancels transaction 77, of which no file read tells; read the file with it together with this one",
        "row:3": "its action is none of new, cancel and correct",
    }


def test_a_cancel_in_a_later_file_voids_the_payment_of_an_earlier_one(tmp_path: Path) -> None:
    first = table("1,2024-01-02T09:00:00Z,A,B,10,EUR,,", "2,2024-01-02T15:00:00Z,A,B,5,EUR,,")
    alone = told(tmp_path, p1=first)
    later = table("3,2024-01-03T09:00:00Z,A,B,7,EUR,,", "4,2024-01-04T10:00:00Z,A,B,10,EUR,CANCEL,1")
    found = told(tmp_path, p2=later)
    assert refusals(found) == {} and rules(found) == {"trades.void_row": 1}
    assert rows(found[0][1]) == rows(alone[0][1]), "the earlier file says what it said"
    assert as_of(found, "2024-01-04T09:59:59")["acct:B", "2024-01-02/EUR"] == (Decimal(15), 2)
    assert as_of(found, "2024-01-04T10:00:01")["acct:B", "2024-01-02/EUR"] == (Decimal(5), 1)
    assert as_of(found, "2024-01-05")["acct:B", "2024-01-03/EUR"] == (Decimal(7), 1)


def test_corrections_of_several_files_add_up(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        p1=table("1,2024-01-02T09:00:00Z,A,B,10,EUR,,", "2,2024-01-02T15:00:00Z,A,B,5,EUR,,"),
        p2=table("1b,2024-01-03T09:00:00Z,A,C,11,EUR,CORRECT,1"),
        p3=table("9,2024-01-04T09:00:00Z,A,C,11,EUR,CANCEL,1b", "8,2024-01-04T09:00:00Z,A,B,6,EUR,CORRECT,2"),
    )
    assert refusals(found) == {}
    b, c = ("acct:B", "2024-01-02/EUR"), ("acct:C", "2024-01-02/EUR")
    assert as_of(found, "2024-01-02T16:00:00") == {b: (Decimal(15), 2)}
    assert as_of(found, "2024-01-03T10:00:00") == {b: (Decimal(5), 1), c: (Decimal(11), 1)}
    assert as_of(found, "2024-01-04T10:00:00") == {b: (Decimal(6), 1), c: (Decimal(0), 0)}


def test_the_ledger_shows_the_cancelled_trade_as_of_before_and_not_after(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / "p1.csv").write_text(table("1,2024-01-02T09:00:00Z,A,B,10,EUR,,", "2,2024-01-02T15:00:00Z,A,B,5,EUR,,"))
    with Ledger.open(tmp_path / "home" / "ledger") as ledger:

        def ingest() -> bool:
            home = tmp_path / "home"
            return run(inputs, ledger, Files(home / "files"), home, sources=("trades",)).committed

        def seen(**at: datetime) -> list[Decimal]:
            edges = ledger.view(AsOf(**at)).edges.to_pylist()
            return [edge["value_decimal"] for edge in edges if edge["type"] == "PAID"]

        assert ingest() and seen() == [Decimal(15)]
        (inputs / "p2.csv").write_text(table("4,2024-01-04T10:00:00Z,A,B,10,EUR,CANCEL,1"))
        assert ingest() and seen() == [Decimal(5)]
        assert seen(published=day("2024-01-03")) == [Decimal(15)]
        assert seen(known=ledger.known(1)) == [Decimal(15)]
        assert not ingest(), "the same files again add nothing"


def test_files_of_one_set_add_up_where_their_days_overlap(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        a=table("1,2024-01-02T09:00:00Z,A,B,0.10,EUR", "2,2024-01-03T09:00:00Z,A,B,1,EUR", head=HEAD),
        b=table("1,2024-01-02T09:00:00Z,A,B,0.10,EUR", "3,2024-01-03T10:00:00Z,A,B,0.20,EUR", head=HEAD),
    )
    sums = {row["key"]: row["value_decimal"] for row in paid(found)}
    assert sums == {"2024-01-02/EUR": Decimal("0.1"), "2024-01-03/EUR": Decimal(1), "2024-01-03/EUR/b": Decimal("0.2")}
    assert rules(found) == {"trades.repeated_row": 1}


def test_folders_that_name_a_column_are_read_as_that_column(tmp_path: Path) -> None:
    frame = pl.DataFrame({"time": ["2024-01-02"], "payer_account": ["A"], "payee_account": ["B"], "amount": ["1.5"]})
    for currency in ("EUR", "USD"):
        folder = tmp_path / f"currency={currency}"
        folder.mkdir()
        frame.write_parquet(folder / "part-0.parquet")
    found = told(tmp_path)
    assert {row["unit"]: row["value_decimal"] for row in paid(found)} == dict.fromkeys(("EUR", "USD"), Decimal("1.5"))


def test_counterparties_beyond_the_cap_share_an_edge_and_sums_still_reconcile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trades, "counterparties", 3)
    lines = [f"{n},2024-01-02T09:00:00Z,HUB,P{n % 7},{n}.25,EUR" for n in range(40)]
    found = told(tmp_path, p=table(*lines, head=HEAD))
    edges = paid(found)
    assert {row["object"] for row in edges} >= {"acct:rest-to-acct:HUB"} and len(edges) == 4
    assert sum(row["value_decimal"] for row in edges) == sum(Decimal(f"{n}.25") for n in range(40))
    assert sum(row["value_int"] for row in edges) == 40
    counts = rules(found)
    assert counts["trades.super_node"] == 1 and counts["trades.beyond_cap"] > 0


def test_a_restated_edge_beyond_the_cap_is_not_added_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trades, "counterparties", 1)
    lines = [f"{n},2024-01-02,HUB,P{n},10,EUR,," for n in range(4)]
    found = told(tmp_path, p=table(*lines, "3,2024-01-05,HUB,P3,7,EUR,CORRECT,"))
    assert sum(total for total, _ in as_of(found, "2024-01-04").values()) == 40
    assert sum(total for total, _ in as_of(found, "2024-01-06").values()) == 37


def test_an_amount_of_more_decimals_than_the_ledger_holds_is_refused(tmp_path: Path) -> None:
    lines = ("1,2024-01-02,A,B,0.1234567891,EUR", "2,2024-01-02,A,B,0.12345678900,EUR")
    found = told(tmp_path, p=table(*lines, head=HEAD))
    assert [row["value_decimal"] for row in paid(found)] == [Decimal("0.123456789")]
    assert refusals(found) == {"row:1": "amount has more than 9 decimals"}


@pytest.mark.parametrize("text", ["blank\n\n", "stray"])
def test_rows_keep_their_numbers_in_a_file_that_cannot_be_streamed(text: str, tmp_path: Path) -> None:
    good = ["1,2024-01-02T09:00:00Z,A,B,1,EUR", "2,2024-01-03T09:00:00Z,A,B,2,EUR"]
    between = "" if text.startswith("blank") else "3,2024-01-03T09:00:00Z,A,B,2,EUR,too,many"
    found = told(tmp_path, p=table(good[0], between, good[1], head=HEAD))
    assert [row["locator"] for row in paid(found)] == ["row:1", "row:3"]


moments = st.integers(0, 400).map(lambda hours: datetime.fromtimestamp(1_704_153_600 + hours * 3600, UTC))
news = st.tuples(st.sampled_from("AB"), st.sampled_from("CD"), st.integers(1, 99), moments)
changes = st.tuples(st.integers(0, 9), st.sampled_from("CR"), st.sampled_from("CD"), st.integers(1, 99), moments)


@settings(max_examples=150, deadline=None)
@given(st.lists(news, min_size=1, max_size=10), st.lists(changes, max_size=6))
def test_what_stands_after_any_changes_is_what_a_plain_account_book_says(
    first: list[tuple[str, str, int, datetime]], later: list[tuple[int, str, str, int, datetime]]
) -> None:
    blank = {"side": "", "unit": "EUR", "quantity": None, "ref": ""}

    def row(n: int, id: int, act: str, a: str, b: str, amount: int, t: datetime) -> dict[str, Any]:
        value = Decimal(amount)
        return blank | {
            "n": n,
            "id": str(id),
            "act": act,
            "a": a,
            "b": b,
            "amount": value,
            "raw": value,
            "t": t,
            "body": n,
        }

    told_rows = [row(n, n, "N", a, b, amount, t) for n, (a, b, amount, t) in enumerate(first)]
    end = max(r["t"] for r in told_rows)
    for n, (id, act, b, amount, t) in enumerate(later, len(first)):
        if id < len(first):
            told_rows.append(row(n, id, act, first[id][0], b, amount, max(t, end)))
    book: dict[str, tuple[str, str, int] | None] = {str(n): (a, b, amount) for n, (a, b, amount, _) in enumerate(first)}
    for r in sorted((r for r in told_rows if r["act"] != "N"), key=lambda r: (r["t"], r["n"])):
        if book[r["id"]] is not None:
            book[r["id"]] = (r["a"], r["b"], int(r["amount"])) if r["act"] == "R" else None
    last: dict[tuple[str, ...], Decimal] = {}
    for edge in sorted(restated(trace(told_rows).versions), key=lambda edge: edge["published"]):
        last[edge["a"], edge["b"], str(edge["day"])] = edge["total"]
    assert sum(last.values()) == sum(entry[2] for entry in book.values() if entry is not None)
