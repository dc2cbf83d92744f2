"""Quality: errors put in on purpose are found with few false alarms, and a report tells what a ledger lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest

from benchmarks.ingest.registers import injected
from ingest.quality import Quality, quality
from ingest.report import Quarantined, RunReport, SourceCount
from ingest.suspects import repeats, suspects
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, day

NOW = AsOf(valid=day("2024-06-30"))
PLACES = iter(range(10**6))


def test_errors_put_in_on_purpose_are_found_with_few_false_alarms() -> None:
    told = injected()
    assert told["unit"][0] >= 0.95 and told["unit"][1] <= 0.001
    assert told["sign"][0] >= 0.80 and told["sign"][1] <= 0.01
    assert told["duplicate"] == (1.0, 0.0)


def series(*values: float) -> list[tuple[int, str, float | None]]:
    frame = pl.DataFrame({"of": ["a"] * len(values), "x": [float(value) for value in values]})
    return suspects(frame, ["of"], ["x"]).select("row", "rule", "expected").rows()


def test_a_slipped_unit_is_told_with_what_it_should_be() -> None:
    assert series(100, 110, 95000, 105, 98) == [(2, "unit", pytest.approx(95))]
    assert series(100, 110, 0.000095, 105, 98) == [(2, "unit", pytest.approx(95))]


def test_a_turned_sign_is_told_but_not_where_signs_change_anyway() -> None:
    assert series(100, 110, -95, 105, 98) == [(2, "sign", 95.0)]
    assert series(100, -110, -95, 105, 98) == []


def test_a_number_far_off_is_an_outlier_without_a_better_value() -> None:
    assert series(100, 110, 2600, 105, 98) == [(2, "outlier", None)]


def test_short_and_restless_series_are_left_alone() -> None:
    assert series(1, 1000, 2) == []
    assert series(1, 40, 1000, 7, 20000, 300) == []


def test_rows_said_twice_are_told_from_rows_that_contradict() -> None:
    frame = pl.DataFrame({"k": [1, 1, 1, 2], "x": [5, 5, 6, 5]})
    assert repeats(frame, ["k"]).select("row", "rule").rows() == [(1, "duplicate"), (2, "contradiction")]


def said(what: Node | Edge, published: str = "2024-01-05", since: str = "") -> Claim:
    evidence = Evidence("d", f"row:{next(PLACES)}", "q", "registers.rows@1")
    return Claim(what, evidence, day(published), day(since) if since else None)


def firm(id: str, name: str = "") -> Node:
    return Node("Company", f"reg:{id}", {"name": name} if name else {})


def report_on(ledger: Ledger, *claims: Claim, report: RunReport | None = None) -> Quality:
    ledger.commit(ClaimBatch.of(claims), RunManifest("test"))
    return quality(ledger, NOW, report)


def whats(found: Quality, check: str) -> dict[str, tuple[int, int]]:
    return {one.what: (one.count, one.of) for one in found.of(check)}


def test_missing_values_are_told_by_column(ledger: Ledger) -> None:
    found = report_on(ledger, said(firm("a", name="A")), said(firm("b")), said(Edge("OWNS", "reg:a", "reg:b")))
    missing = whats(found, "missing")
    assert missing["Company without name"] == (1, 2) and missing["Company without IN_COUNTRY"] == (2, 2)
    assert missing["OWNS without share"] == (1, 1)
    assert found.of("missing")[0].examples == ("reg:b",)


def test_shares_of_more_than_the_whole_are_told(ledger: Ledger) -> None:
    owners = [said(firm(name)) for name in "abc"]
    edges = [said(Edge("OWNS", f"reg:{x}", "reg:c", {"share": share})) for x, share in (("a", 0.7), ("b", 0.5))]
    assert report_on(ledger, *owners, *edges).of("shares")[0].examples == ("reg:c : 1.2",)


def test_contradictions_and_loans_told_twice_are_told(ledger: Ledger) -> None:
    loan = {"amount": Decimal(5), "currency": "EUR"}
    found = report_on(
        ledger,
        *(said(firm(name)) for name in "ab"),
        *(said(Node("Company", "reg:a", {"incorporated": day(start)})) for start in ("1999-01-01", "2001-01-01")),
        *(said(Edge("LENDS_TO", "reg:a", "reg:b", loan, key)) for key in ("", "f1")),
    )
    assert whats(found, "contradiction") == {"incorporated with several values": (1, 1)}
    assert whats(found, "duplicate") == {"edges that differ in their key alone": (1, 2)}


def test_figures_that_leap_and_dates_out_of_order_are_told(ledger: Ledger) -> None:
    years = {year: Decimal(100 + year) for year in range(2015, 2023)} | {2019: Decimal(2119000)}
    figures = [
        said(Node("Company", "reg:a", {"assets": value, "currency": "EUR"}, f"{year}-12-31"), since=f"{year + 1}-01-01")
        for year, value in years.items()
    ]
    event = Node("Event", "event:x", {})
    hit = said(Edge("AFFECTED_BY", "reg:a", "event:x", {"role": "subject"}), published="2020-01-01", since="2021-01-01")
    found = report_on(ledger, *figures, said(event), hit)
    assert found.of("unit")[0].examples == ("reg:a assets 2019-12-31: 2119000.0",)
    assert whats(found, "dates") == {"events and figures told before they happened": (1, len(figures) * 2 + 2)}


def test_firms_known_by_name_alone_and_stale_sources_are_told(ledger: Ledger) -> None:
    found = report_on(ledger, said(Node("Company", "name:acme"), published="2020-01-01"))
    assert whats(found, "unresolved") == {"firms known by name alone": (1, 1)}
    assert found.of("stale")[0].examples[0].startswith("registers: 1642 days")


def test_what_a_run_refused_is_part_of_the_report_and_pages_are_safe(ledger: Ledger) -> None:
    run = RunReport(sources={"registers": SourceCount(files=1)}, untaken=["x.doc"], unread={"a.csv": ["note"]})
    run.quarantined.append(Quarantined("registers", "a.csv", "row:3", "amount <script> is no number"))
    found = report_on(ledger, said(firm("a", name="A")), report=run)
    assert whats(found, "quarantined") == {"parts of registers": (1, 0)}
    assert "<script>" not in found.to_html() and "&lt;script&gt;" in found.to_html()
    assert {row["check"] for row in found.to_dict()["findings"]} >= {"quarantined", "untaken", "unread", "missing"}


def test_an_empty_ledger_has_nothing_to_tell(ledger: Ledger) -> None:
    assert quality(ledger, AsOf(valid=datetime(2024, 1, 1, tzinfo=UTC))).findings == ()
