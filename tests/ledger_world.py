"""Two banks, what a document says of them, and a ledger that knows them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Node, RunManifest
from tests.operations import START, Ticking

RUN = RunManifest("test")


def evidence(document: str = "doc1", extractor: str = "registers.csv@1", locator: str = "row:1") -> Evidence:
    return Evidence(document, locator, "as said", extractor)


def bank(id: str, name: str, document: str = "doc1") -> Claim:
    return Claim(Node("Bank", id, {"name": name}), evidence(document), START)


def loan(amount: int, document: str = "doc1", published: datetime = START, extractor: str = "registers.csv@1") -> Claim:
    edge = Edge("LENDS_TO", "lei:A", "lei:B", {"amount": Decimal(amount), "currency": "EUR"}, "f1")
    return Claim(edge, evidence(document, extractor), published, START)


def amounts(ledger: Ledger, at: AsOf) -> list[Decimal]:
    return ledger.view(at).edges["value_decimal"].to_pylist()


def two_banks(folder: Path) -> Ledger:
    """A ledger on a clock of its own whose first commit names the banks Alpha and Beta."""
    ledger = Ledger.open(folder, clock=Ticking())
    ledger.commit(ClaimBatch.of([bank("lei:A", "Alpha"), bank("lei:B", "Beta")]), RUN)
    return ledger
