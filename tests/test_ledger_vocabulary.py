"""What the log refuses: claims that do not fit the vocabulary or the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from kg.errors import ClockError, OntologyError
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Edge, Facts, Judgement, Node, iso
from tests.ledger_world import RUN, evidence, two_banks
from tests.operations import START


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return two_banks(tmp_path / "ledger")


REFUSED = {
    "no node row": Edge("OWNS", "lei:A", "lei:Z", {"share": 0.1}),
    "may not run from Bank lei:A to Country iso:DE": Edge("OWNS", "lei:A", "iso:DE", {"share": 0.1}),
    "is a Bank already": Node("Company", "lei:A"),
    "scheme that Person does not take": Node("Person", "lei:Q"),
    "label Alien is unknown": Node("Alien", "lei:Q"),
    "cannot be one entity": Judgement("lei:A", "iso:DE"),
    "a judgement needs two ids": Judgement("lei:A", "lei:A"),
    "no ISO 4217 currency": Facts("lei:A", {"assets": Decimal(1)}),
    "begins with name:ooo.* has more than 4000 bytes": Node("Company", "name:" + "o" * 4000),
    "not a finite number": Facts("lei:A", {"distress": float("nan")}),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_claim_that_does_not_fit_is_refused_with_the_reason(ledger: Ledger, reason: str) -> None:
    germany = Claim(Node("Country", "iso:DE"), evidence(), START)
    with pytest.raises(OntologyError, match=reason):
        ledger.commit(ClaimBatch.of([germany, Claim(REFUSED[reason], evidence(), START)]), RUN)
    assert ledger.head == 1


def test_an_event_with_an_end_is_refused(ledger: Ledger) -> None:
    paid = Edge("PAID", "lei:A", "lei:B", {"amount": Decimal(1), "currency": "EUR"})
    with pytest.raises(OntologyError, match="PAID is an event"):
        ledger.commit(ClaimBatch.of([Claim(paid, evidence(), START, START, START + timedelta(days=1))]), RUN)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (Node("Bank", "lei:A", {"colour": "red"}), "'colour' of lei:A: unknown"),
        (Edge("LIKES", "lei:A", "lei:B"), "edge type 'LIKES': unknown"),
        (Edge("OWNS", "lei:A", "lei:B", {"amount": 3}), "'amount' of edge OWNS: unknown"),
        (Edge("OWNS", "lei:A", "lei:B", {"share": "half"}), "'half' is no real"),
    ],
)
def test_an_unknown_word_of_the_vocabulary_is_named(what: Node | Edge, reason: str) -> None:
    with pytest.raises(OntologyError, match=reason):
        ClaimBatch.of([Claim(what, evidence(), START)])


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ClockError, match="has no zone"):
        ClaimBatch.of([Claim(Node("Bank", "lei:A"), evidence(), datetime(2020, 1, 1))])


def test_clocks_are_written_with_a_fixed_width() -> None:
    assert iso(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"
