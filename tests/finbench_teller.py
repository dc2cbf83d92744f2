"""A teller carries out the read-write transactions of FinBench on a ledger and a store: reads, decides, then writes.

All reads of a decision are of one commit. Its claims are committed only if that commit is still the last, under the
ledger's lease; else nothing is written and the teller reads again. So what two tellers do is as if one came after the
other. What is not to be is never claimed, so no reader can meet it: a pattern is reckoned from what is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kg.errors import LeaseHeldError, StaleWriterError, StoreError
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Facts, RunManifest
from kg.store import CLOCK_TEXT, GraphStore
from queries.catalog import Catalog
from tests.finbench_claims import Sheet, of_row
from tests.finbench_orders import BLOCKED, DONE, REFUSED, Order
from tests.finbench_world import PUBLIC

CATALOG = Catalog()
GUARANTEED = f"""UNWIND $ids AS id MATCH (n:Entity {{id: id}})-[r:EXPOSED_TO]->(m:Entity)
WHERE {CLOCK_TEXT} AND r.role = 'guarantee' AND r.valid_from > $after AND r.valid_from < $before
RETURN DISTINCT m.id AS id ORDER BY id"""
BORROWED = f"""UNWIND $ids AS id MATCH (n:Entity {{id: id}})-[r:HAS_ACCOUNT]->(l:Entity)
WHERE {CLOCK_TEXT} RETURN DISTINCT l.id AS id ORDER BY id"""
LENT = f"""UNWIND $ids AS id MATCH (l:Entity {{id: id}})-[r:HAS_FACT]->(v:Fact)
WHERE {CLOCK_TEXT} AND r.property = 'fact' AND r.key = 'loan_amount' AND v.currency = $currency
RETURN l.id AS id, v.amount_minor AS cents ORDER BY id"""
"""The three steps of a chain that one guarantee more may lengthen; the named read knows the chain as it is."""


@dataclass(frozen=True)
class Decision:
    """What is to become of an order, or became of it, and the commit at which that is so."""

    became: str
    head: int


def clocks(order: Order) -> AsOf:
    """As things stand at the order's instant."""
    return AsOf(valid=order.moment, published=PUBLIC)


def claims(order: Order) -> list[Claim]:
    """The order carried out, as its paper tells it."""
    ((row, evidence),) = Sheet([order.row()]).evidence()
    return of_row(row, evidence)


def flags(order: Order) -> list[Claim]:
    """Source and target blocked from the order's instant on; the order is the evidence."""
    ((_, evidence),) = Sheet([order]).evidence()
    ends = (order.source, order.target)
    return [Claim(Facts(id, {"flag": "blocked"}), evidence, order.moment, order.moment) for id in ends]


class Teller:
    """Somebody at a counter, with a ledger of his own and a store that many may share."""

    def __init__(self, store: GraphStore, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger

    def carry_out(self, order: Order) -> Decision:
        """What became of an order and the commit since which it is so, read anew as often as others write meanwhile."""
        while True:
            decision = self.decide(order)
            try:
                return Decision(decision.became, self.write(order, decision))
            except (StaleWriterError, LeaseHeldError):
                continue

    def decide(self, order: Order) -> Decision:
        """Read, and say what is to become of an order; nothing is written."""
        head = self._sync()
        reading = Reading(self.store, order, AsOf(order.moment, self.ledger.known(head), PUBLIC))
        if any(reading.blocked(id) for id in (order.source, order.target)):
            return Decision(REFUSED, head)
        pattern = {"cycle": reading.circle, "ratio": reading.rushing, "chain": reading.burdened}[order.rule]
        return Decision(BLOCKED if pattern() else DONE, head)

    def write(self, order: Order, decision: Decision) -> int:
        """Commit what was decided; gives the commit, that of the reading where nothing is to be written.

        StaleWriterError if anybody has written since it was read, LeaseHeldError if somebody does; nothing is written
        then.
        """
        if decision.became == REFUSED:
            return decision.head
        what = claims(order) if decision.became == DONE else flags(order)
        self.ledger.fence = lambda: self._unmoved(decision.head)
        try:
            made = self.ledger.commit(ClaimBatch.of(what), RunManifest("ingest", {"order": order.key}))
        finally:
            self.ledger.fence = None
        self._sync()
        return made

    def _sync(self) -> int:
        """Bring the store to the head, and give the commit it holds: the ledger's may be later again by now."""
        while True:
            try:
                self.store.sync(self.ledger)
                assert self.store.mark is not None
                return self.store.mark.commit
            except StoreError as error:  # of two that do so at once, one must try again
                if "sync again" not in str(error) and "deadlock" not in str(error).lower():
                    raise

    def _unmoved(self, head: int) -> None:
        if self.ledger.head != head:
            raise StaleWriterError(f"decided at commit {head}, the last is {self.ledger.head}; read again")


@dataclass(frozen=True)
class Reading:
    """What a store tells of an order at one commit."""

    store: GraphStore
    order: Order
    at: AsOf

    def named(self, name: str, **given: Any) -> list[dict[str, Any]]:
        """Rows of one of the reads, within the order's window and currency where it takes them."""
        query, order = CATALOG[f"finbench_{name}"], self.order
        shared = {"after": order.after.isoformat(), "before": order.before.isoformat(), "currency": order.currency}
        given |= {name: value for name, value in shared.items() if name in query.inputs}
        rows: list[dict[str, Any]] = CATALOG.run(self.store, query.name, given, self.at, limit=100_000).to_pylist()
        return rows

    def blocked(self, id: str) -> bool:
        """TSR1 of an account; a person's flags stand in the profile."""
        if self.order.rule != "chain":
            return any(row["blocked"] for row in self.named("account", id=id))
        rows = CATALOG.run(self.store, "entity_profile", {"id": id}, self.at).to_pylist()
        return any((row["property"], row["text"]) == ("flag", "blocked") for row in rows)

    @property
    def counts(self) -> bool:
        """Does the order fall into its own window?"""
        return self.order.after < self.order.moment < self.order.before

    def circle(self) -> bool:
        """TRW1: would this be the first payment of a circle of three?"""
        source, target = self.order.source, self.order.target
        (near,) = self.named("shortest_transfer", payer=source, receiver=target)
        if not self.counts or near["transfers"] == 1:
            return False
        paid = {row["other"] for row in self.named("sent_above", id=target)}
        paying = {row["other"] for row in self.named("received_above", id=source)}
        return bool((paid & paying) - {source, target})

    def rushing(self) -> bool:
        """TRW2: would source or target have received too many times what it sent, in transfers above the line?"""
        cents = int(self.order.amount * 100)
        more = cents if self.counts and cents > self.order.above else 0
        ends = ((self.order.source, 0, more), (self.order.target, more, 0))
        return any(self._ratio(*end) > self.order.most for end in ends)

    def _ratio(self, id: str, received: int, sent: int) -> float:
        """Received over sent to a thousandth, halves up, as TCR7 tells it; -1 where nothing is sent."""
        line = f"{self.order.above / 100:.2f}"
        received += sum(row["amount_minor"] for row in self.named("received_above", id=id, above=line))
        sent += sum(row["amount_minor"] for row in self.named("sent_above", id=id, above=line))
        return ((2000 * received + sent) // (2 * sent)) / 1000 if sent else -1.0

    def burdened(self) -> bool:
        """TRW3: would the loans of all down the guarantor's chain come to too much?"""
        seen: set[str] = set()
        next = {*self.ids(GUARANTEED, [self.order.source]), *([self.order.target] if self.counts else [])}
        while next - seen:
            seen |= next
            next = self.ids(GUARANTEED, next)
        lent = self._rows(LENT, self.ids(BORROWED, seen))
        return sum({row["id"]: int(row["cents"]) for row in lent}.values()) > self.order.most

    def ids(self, text: str, ids: Iterable[str]) -> set[str]:
        return {row["id"] for row in self._rows(text, ids)}

    def _rows(self, text: str, ids: Iterable[str]) -> list[dict[str, Any]]:
        order = self.order
        given: dict[str, Any] = {"after": order.after, "before": order.before, "currency": order.currency}
        given["ids"] = sorted(ids)
        used = {name: value for name, value in given.items() if f"${name}" in text}
        rows: list[dict[str, Any]] = self.store.query(text, used, self.at, limit=100_000).to_pylist()
        return rows
