"""Block chains: payments between addresses, value conserved to the smallest unit."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.extract.payments.chain import BITCOIN, read_transaction
from ingest.locate import locate
from ingest.source import Extract, Models, Record
from ingest.sources.chain import ChainSource
from kg.errors import RecordError
from tests.ingest_reading import rows

A, B, C = (f"bc1q{name}address0000001" for name in ("larch", "oakmere", "pine"))
ONE, TWO = "0x" + "1a" * 20, "0x" + "2b" * 20


def told(folder: Path, value: object, name: str = "tx.json") -> tuple[Record, Extract]:
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    made = ChainSource(folder)
    (record,) = made.records()
    extract = made.claims(record, Models())
    for row in rows(extract):
        assert locate(record.content, row["locator"], "chain") == row["quote"]
    return record, extract


def spending(ins: list[tuple[str, Any]], outs: list[tuple[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "txid": "a1",
        "time": 1_704_186_000,
        "vin": [{"prevout": {"value": value, "scriptPubKey": {"address": who}}} for who, value in ins],
        "vout": [{"value": value, "n": n, "scriptPubKey": {"address": who}} for n, (who, value) in enumerate(outs)],
    } | more


def paid(extract: Extract) -> dict[tuple[str, str], Decimal]:
    return {(row["subject"], row["object"]): row["value_decimal"] for row in rows(extract, "PAID")}


def test_a_sender_pays_each_output_but_its_change_and_the_fee(tmp_path: Path) -> None:
    _, extract = told(tmp_path, [spending([(A, 0.3), (A, 0.2)], [(B, 0.4), (A, 0.09990001)], fee=0.00009999)])
    assert paid(extract) == {
        (f"acct:btc-{A}", f"acct:btc-{B}"): Decimal("0.4"),
        (f"acct:btc-{A}", "acct:btc-fees"): Decimal("0.00009999"),
    }
    assert dict(extract.rules) == {"chain.change": 1}
    (first, _) = rows(extract, "PAID")
    assert (first["locator"], first["quote"], first["unit"], first["key"]) == (
        "json:/0/vout/0/value",
        "0.4",
        "BTC",
        "a1/0",
    )
    assert first["published"].timestamp() == 1_704_186_000


def test_several_senders_pay_through_their_transaction(tmp_path: Path) -> None:
    _, extract = told(tmp_path, spending([(A, 0.3), (B, 0.2)], [(C, 0.49)]))
    tx = "acct:btc-tx-a1"
    assert paid(extract) == {
        (f"acct:btc-{A}", tx): Decimal("0.3"),
        (f"acct:btc-{B}", tx): Decimal("0.2"),
        (tx, f"acct:btc-{C}"): Decimal("0.49"),
        (tx, "acct:btc-fees"): Decimal("0.01"),
    }


def test_a_transaction_that_loses_or_makes_value_is_refused_and_the_one_beside_it_kept(tmp_path: Path) -> None:
    lost = spending([(A, 0.5)], [(B, 0.3)], fee=0.1)
    made = spending([(A, 0.5)], [(B, 0.6)])
    _, extract = told(tmp_path, [lost, made, spending([(A, 0.5)], [(B, 0.5)])])
    assert [(refusal.locator, refusal.reason) for refusal in extract.refused] == [
        ("json:/0", "inputs 0.5 are not outputs 0.3 plus fee 0.1 BTC"),
        ("json:/1", "outputs 0.6 are more than inputs 0.5 BTC"),
    ]
    assert paid(extract) == {(f"acct:btc-{A}", f"acct:btc-{B}"): Decimal("0.5")}


def test_blocks_explorers_and_new_coins_are_read(tmp_path: Path) -> None:
    explorer = {
        "txid": "e1",
        "status": {"block_time": 1_704_186_100},
        "vin": [{"prevout": {"value": 30_000, "scriptpubkey_address": A}}],
        "vout": [{"value": 29_000, "scriptpubkey_address": B}],
        "fee": 1_000,
    }
    new = {"txid": "c1", "vin": [{"coinbase": "04ff"}], "vout": [{"value": 6.25, "scriptPubKey": {"address": C}}]}
    _, extract = told(tmp_path, {"time": 1_704_186_000, "tx": [new, explorer]})
    assert paid(extract) == {
        ("acct:btc-coinbase", f"acct:btc-{C}"): Decimal("6.25"),
        (f"acct:btc-{A}", f"acct:btc-{B}"): Decimal("0.00029"),
        (f"acct:btc-{A}", "acct:btc-fees"): Decimal("0.00001"),
    }


def test_an_account_chain_pays_value_and_gas_with_what_nine_decimals_do_not_hold_told(tmp_path: Path) -> None:
    sent = {
        "hash": "0xb2",
        "from": ONE.upper().replace("0X", "0x"),
        "to": TWO,
        "value": "0xde0b6b3a7640001",
        "gas": "0x5208",
    }
    more = {"gasUsed": "0x5208", "gasPrice": "0x3b9aca00", "timeStamp": "1704186000"}
    _, extract = told(tmp_path, json.dumps(sent | more) + "\n", "eth.jsonl")
    assert paid(extract) == {
        (f"acct:eth-{ONE}", f"acct:eth-{TWO}"): Decimal(1),
        (f"acct:eth-{ONE}", "acct:eth-fees"): Decimal("0.000021"),
    }
    first = rows(extract, "PAID")[0]
    assert first["value_text"] == "exactly 1000000000000000001 of 0.000000000000000001"
    assert dict(extract.rules) == {"chain.beyond_nine_decimals": 1}


def test_a_failed_call_moves_no_value_but_its_gas(tmp_path: Path) -> None:
    failed = {
        "hash": "0xb3",
        "from": ONE,
        "to": TWO,
        "value": "5",
        "gasUsed": "2",
        "gasPrice": "1000000000",
        "status": "0x0",
    }
    _, extract = told(tmp_path, [failed | {"timestamp": "2024-01-02T09:00:00Z"}])
    assert paid(extract) == {(f"acct:eth-{ONE}", "acct:eth-fees"): Decimal("2e-9")}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": "-5"}, "value -5 is not from 0 to 2^256"),
        ({"value": "much"}, "value 'much' is no whole number"),
        ({"to": "0x12"}, "to '0x12' is no address of 20 bytes"),
        ({"to": None}, "value is sent but neither to nor contractAddress says to whom"),
        ({"gas": "1", "gasUsed": "2", "gasPrice": "1"}, "gas used 2 is more than the limit 1"),
        ({"timestamp": None}, "no time of the block; give blocktime, timestamp or the block itself"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    good = {"hash": "0xb3", "from": ONE, "to": TWO, "value": "5000000000", "timestamp": "2024-01-02T09:00:00Z"}
    _, extract = told(tmp_path, [good | change, good | {"hash": "0xb4"}])
    assert [(refusal.locator, refusal.reason) for refusal in extract.refused] == [("json:/0", reason)]
    assert len(rows(extract, "PAID")) == 1


amounts = st.integers(1, 21_000_000 * 10**8).map(lambda n: Decimal(n).scaleb(-8))
sides = st.lists(st.tuples(st.sampled_from((A, B, C)), amounts), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(sides, sides)
def test_value_is_conserved_in_every_transaction(
    ins: list[tuple[str, Decimal]], outs: list[tuple[str, Decimal]]
) -> None:
    tx = spending(ins, outs)
    paid_in, paid_out = sum(v for _, v in ins), sum(v for _, v in outs)
    if paid_out > paid_in:
        with pytest.raises(RecordError, match="more than inputs"):
            read_transaction(tx, (0,), None, BITCOIN)
        return
    found = read_transaction(tx, (0,), None, BITCOIN)
    balance: dict[str, Decimal] = defaultdict(Decimal)
    for moved in found.transfers:
        balance[moved.payer] -= moved.amount
        balance[moved.payee] += moved.amount
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for who, value in ins:
        wanted[f"acct:btc-{who}"] -= value
    for who, value in outs:
        wanted[f"acct:btc-{who}"] += value
    wanted["acct:btc-fees"] += paid_in - paid_out
    assert {k: v for k, v in balance.items() if v} == {k: v for k, v in wanted.items() if v}
