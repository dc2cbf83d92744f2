"""Small ledgers for the tests of stores, and what a store shows of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from kg.errors import KgRiskError
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Facts, Judgement, Node, RunManifest
from kg.ontology import EDGES, HAS
from kg.store import CLOCK_TEXT, GraphStore

DAY = timedelta(days=1)
START = datetime(2020, 1, 1, tzinfo=UTC)
RING = [f"n{i:02d}" for i in range(12)]
"""Banks that lend to one another, each to the next."""
PROOF = Evidence("d" * 64, "row:1", 'said "so", {here}', "registers.csv@1", 0.9)


def claim(what: Node | Edge | Facts | Judgement, published: datetime = START, **valid: datetime | None) -> Claim:
    return Claim(what, PROOF, published, **valid)


def commit(ledger: Ledger, *claims: Claim, retract: Iterable[str] = ()) -> int:
    return ledger.commit(ClaimBatch.of(claims), RunManifest("test"), retract=list(retract))


def banks(*names: str) -> list[Claim]:
    return [claim(Node("Bank", f"lei:{name}", {"name": name})) for name in names]


def loan(source: str, target: str, amount: str = "1", key: str = "f1", currency: str = "EUR") -> Edge:
    return Edge("LENDS_TO", f"lei:{source}", f"lei:{target}", {"amount": Decimal(amount), "currency": currency}, key)


def lend_in_a_ring(ledger: Ledger) -> None:
    """One commit: the banks of RING and their loans."""
    commit(ledger, *banks(*RING), *(claim(loan(a, b)) for a, b in zip(RING, [*RING[1:], RING[0]], strict=True)))


def rows(store: GraphStore, cypher: str, at: AsOf = AsOf(), **params: Any) -> list[dict[str, Any]]:
    return store.query(cypher, params, at, limit=1_000_000).to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped


def loans(store: GraphStore, at: AsOf = AsOf()) -> list[tuple[str, str, int]]:
    """(source, target, cents) of the loans visible."""
    text = f"""MATCH (a:Entity)-[r:LENDS_TO]->(b:Entity) WHERE {CLOCK_TEXT}
      RETURN a.id AS source, b.id AS target, r.amount_minor AS cents ORDER BY source, target, cents, r.id"""
    return [tuple(row.values()) for row in rows(store, text, at)]  # type: ignore[misc]  # three columns, three values


def versions(store: GraphStore) -> list[str]:
    """Every version in the store, once for each time it is there."""
    types = "|".join([*EDGES, *HAS.values()])
    found = rows(store, f"MATCH ()-[r:{types}]->() RETURN r.version AS version ORDER BY version")
    return [row["version"] for row in found]


class CutError(KgRiskError):
    """The fault that a test injects."""


class Cut:
    """An on_io that raises at the n-th call, and counts the words it was called with."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.calls: list[str] = []

    def __call__(self, word: str) -> None:
        self.calls.append(word)
        if len(self.calls) == self.at:
            raise CutError(f"cut at call {self.at}: {word}")
