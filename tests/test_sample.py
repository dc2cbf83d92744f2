"""The bundled sample: as large as promised, and true to its own truth file."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from datetime import date
from decimal import Decimal
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from stdnum import cusip, iban, isin, lei

import kgrisk.sample
from kgrisk.sample.ceiling import average_precision, ceiling

SAMPLE = Path(kgrisk.sample.__file__).parent
DATA = SAMPLE / "data"
CUT = "2023-01-01"
MARK = "Fictional sample data of kgrisk"


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "truth.json").read_text(encoding="utf-8"))
    return found


def rows(path: str) -> list[dict[str, str]]:
    with (DATA / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def articles() -> dict[tuple[str, int], str]:
    """Text of every readable news item by file and line (0 for a page)."""
    found = {}
    for path in sorted((DATA / "news").glob("*.jsonl")):
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                found[f"news/{path.name}", n] = json.loads(line)["body"]
            except json.JSONDecodeError:
                continue
    for path in sorted((DATA / "news").glob("*.html")):
        found[f"news/{path.name}", 0] = unescape(path.read_text(encoding="utf-8"))
    return found


def first_published() -> dict[tuple[str, str, str], str]:
    """Each triple of the registers and the day it first became public."""
    tables = {
        "LENDS_TO": ("exposures", "creditor_id", "debtor_id"),
        "SUPPLIES": ("supply", "supplier_id", "customer_id"),
        "OWNS": ("ownership", "owner_id", "owned_id"),
    }
    found: dict[tuple[str, str, str], str] = {}
    for type, (table, source, target) in tables.items():
        for row in rows(f"registers/{table}.csv"):
            triple = (row[source], type, row[target])
            found[triple] = min(row["published"], found.get(triple, "9"))
    return found


def test_the_sample_is_as_large_as_promised(truth: dict[str, Any]) -> None:
    assert len(rows("registers/entities.csv")) >= 300
    edges = [row for table in ("ownership", "exposures", "supply") for row in rows(f"registers/{table}.csv")]
    assert len(edges) >= 2_500
    assert {row["published"][:4] for row in edges} == {"2019", "2020", "2021", "2022", "2023"}
    filings = [p for p in (DATA / "filings").iterdir() if p.suffix in {".html", ".xml"}]
    names = Counter(p.name.split("-")[0] for p in filings)
    assert names["form4"] >= 8
    assert names["13f"] >= 4
    assert len(articles()) + len(filings) >= 60
    assert len(truth["pages"]) >= 25
    payments = len(rows("trades/payments.csv"))
    assert payments + pq.read_metadata(DATA / "trades/trades.parquet").num_rows >= 5_000
    assert len(truth["distress"]) >= 30


def test_every_identifier_but_the_planted_wrong_one_has_right_check_digits(truth: dict[str, Any]) -> None:
    entities = rows("registers/entities.csv")
    wrong = [row["name"] for row in entities if row["lei"] and not lei.is_valid(row["lei"])]
    assert wrong == ["Miskeyed Trading Ltd"]
    papers = [row["isin"] for row in entities if row["isin"]]
    assert len(papers) > 150
    assert all(isin.is_valid(paper) for paper in papers)
    assert all(cusip.is_valid(paper[2:11]) for paper in papers if paper.startswith("US"))
    accounts = [row["account_id"] for row in rows("trades/accounts.csv")]
    ibans = [account for account in accounts if account[:2].isalpha()]
    assert 0 < len(ibans) < len(accounts)
    assert all(iban.is_valid(account) for account in ibans)
    assert {row["id"] for row in entities if row["name"] != "Miskeyed Trading Ltd"} == set(truth["entities"])


def test_every_sentence_of_the_truth_stands_in_its_file(truth: dict[str, Any]) -> None:
    texts = articles()
    for said in truth["relations"]:
        assert said["sentence"] in texts[said["file"], said["line"]]
        assert said["source"] in said["sentence"]
        if said["type"] != "AFFECTED_BY":
            assert said["target"] in said["sentence"]
    assert sum(said["held_out"] for said in truth["relations"]) >= 100


def test_what_a_sentence_denies_is_not_in_the_registers(truth: dict[str, Any]) -> None:
    known = first_published()
    denied = [r for r in truth["relations"] if r["negated"] and r["type"] in {"LENDS_TO", "SUPPLIES", "OWNS"}]
    assert len(denied) > 40
    assert not [r for r in denied if (r["source_id"], r["type"], r["target_id"]) in known]


def test_no_test_triple_repeats_a_train_triple_and_some_meet_new_entities(truth: dict[str, Any]) -> None:
    known = first_published()
    listed = {(s, r, t) for s, r, t, carrier in truth["new_triples"] if carrier == "register"}
    assert len(listed) >= 200
    assert {type for _, type, _ in listed} == {"LENDS_TO", "SUPPLIES", "OWNS"}
    bad_rows = {triple for triple in known if triple[2] not in truth["entities"]}
    assert {triple for triple, day in known.items() if day >= CUT} - bad_rows == listed
    born = {row["id"]: row["published"] for row in rows("registers/entities.csv")}
    assert sum(born[s] >= CUT or born[t] >= CUT for s, _, t in listed) >= 40


def test_nothing_is_published_before_it_happens_or_before_its_entities_are_known() -> None:
    born = {row["id"]: row["published"] for row in rows("registers/entities.csv")}
    for (source, type, target), day in first_published().items():
        assert born.get(target, "") <= day, (source, type, target)
        assert born[source] <= day
    for row in rows("registers/exposures.csv") + rows("registers/supply.csv"):
        assert row["valid_from"] < row["published"]
    for row in rows("registers/events.csv"):
        assert row["date"] <= row["published"] < "2024-01-01"


def test_no_account_is_known_before_its_owner_or_the_first_payment() -> None:
    born = {row["id"]: row["published"] for row in rows("registers/entities.csv")}
    first = min(row["time"] for row in rows("trades/payments.csv"))[:10]
    accounts = rows("trades/accounts.csv")
    assert all(row["published"] >= born[row["owner_id"]] for row in accounts)
    assert min(row["published"] for row in accounts) <= first
    assert sum(row["published"] >= CUT for row in accounts) >= 30


def test_balance_sheets_add_up() -> None:
    table = rows("registers/balances.csv")
    assert len(table) > 1_200
    for row in table:
        assert Decimal(row["assets"]) - Decimal(row["liabilities"]) == Decimal(row["equity"])
        assert row["published"] > row["period_end"]


def test_the_planted_circles_close_in_the_payments(truth: dict[str, Any]) -> None:
    paid = {(row["payer_account"], row["payee_account"]): [] for row in rows("trades/payments.csv")}
    for row in rows("trades/payments.csv"):
        paid[row["payer_account"], row["payee_account"]].append(row["time"][:10])
    circles = truth["planted"]["cycles"]
    assert len(circles) >= 5
    for circle in circles:
        ends = circle["accounts"]
        for pair in zip(ends, ends[1:] + ends[:1], strict=True):
            assert any(circle["from"] <= day <= circle["to"] for day in paid[pair])


def test_the_ring_and_the_chains_stand_in_the_ownership_register(truth: dict[str, Any]) -> None:
    owned = {(row["owner_id"], row["owned_id"]): float(row["share"]) for row in rows("registers/ownership.csv")}
    a, b, c = truth["planted"]["ownership_ring"]
    assert {(a, b), (b, c), (c, a)} <= set(owned) or {(a, c), (c, b), (b, a)} <= set(owned)
    chains = truth["planted"]["ownership_chains"]
    assert max(len(chain) for chain in chains) >= 4
    assert all(owned[pair] > 0.5 for chain in chains for pair in pairwise(chain))


def test_insiders_sold_before_the_event(truth: dict[str, Any]) -> None:
    sold = truth["planted"]["insider_sales"]
    assert len(sold) >= 6
    happened = {(d["entity_id"], d["date"]) for d in truth["distress"]}
    for sale in sold:
        assert (sale["issuer"], sale["event_date"]) in happened
        assert 14 <= (date.fromisoformat(sale["event_date"]) - date.fromisoformat(sale["sold"])).days < 42
        assert any(sale["owner_cik"] in p.read_text(encoding="utf-8") for p in (DATA / "filings").glob("form4-*.xml"))


def test_an_amended_filing_restates_a_figure_of_the_first_one(truth: dict[str, Any]) -> None:
    for case in truth["planted"]["restatements"]:
        assert case["first"] != case["restated"]
        assert case["first_published"] < case["restated_published"]
        amended = [p.read_text(encoding="utf-8") for p in (DATA / "filings").glob("10k-*a.html")]
        new, old = (f"{int(case[key]) // 1000:,}" for key in ("restated", "first"))
        assert any(f">{new}</ix:nonFraction>" in text and old in text for text in amended)


def test_the_bad_records_are_bad(truth: dict[str, Any]) -> None:
    assert len(truth["bad"]) >= 8
    where = {(bad["file"], bad["where"]) for bad in truth["bad"]}
    lines = (DATA / "news/2021.jsonl").read_text(encoding="utf-8").splitlines()
    assert ("news/2021.jsonl", f"line {len(lines)}") in where
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines[-1])
    loans = rows("registers/exposures.csv")
    assert [row["amount"] for row in loans if not row["amount"].replace(".", "").isdigit()] == ["about 12 million"]
    assert loans[-1]["debtor_id"].startswith("isin:")
    from PIL import Image

    with pytest.raises(OSError, match="truncated"):
        Image.open(DATA / "images/torn.png").load()


def test_every_document_says_that_it_is_fiction(truth: dict[str, Any]) -> None:
    assert all(MARK in text for text in articles().values())
    assert all(MARK in p.read_text(encoding="utf-8") for p in (DATA / "filings").iterdir())
    assert truth["note"].startswith(MARK)


def test_names_are_hard_to_tell_apart_where_they_were_meant_to_be(truth: dict[str, Any]) -> None:
    names = {about["name"]: about for about in truth["entities"].values()}
    for one, two in truth["planted"]["similar_names"]:
        assert one in names
        assert two in names
    assert sum(not name.isascii() for name in names) >= 10
    assert sum(bool(about["former"]) for about in names.values()) >= 15
    told = Counter(len(about["aliases"]) for about in names.values())
    assert sum(count for variants, count in told.items() if variants > 1) > 150


def test_distress_can_be_learned_but_not_known(truth: dict[str, Any]) -> None:
    for year in (2020, 2021, 2022, 2023):
        found = ceiling(DATA, year)
        print(year, {name: round(value, 3) for name, value in found.items()})
        assert 3 * found["base_rate"] < found["auprc"] < 0.8
        assert found["auprc_leverage"] < 0.8 * found["auprc"]
        assert found["brier"] < found["brier_base"]


def test_average_precision_is_exact_on_a_hand_computed_ranking() -> None:
    assert math.isclose(average_precision([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0]), (1 + 2 / 3) / 2)


def test_the_oracle_of_links_is_far_from_chance_and_from_certainty(truth: dict[str, Any]) -> None:
    for about in truth["planted"]["oracle"].values():
        assert 0.1 < about["source_mrr"] < 0.8
        assert about["triples"] >= 100
