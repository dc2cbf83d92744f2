"""The read-writes of FinBench: what is read decides what is written, as by the tables alone, whoever else writes.

TRW1 a transfer unless a circle appears, TRW2 a transfer unless money rushes through, TRW3 a guarantee unless the chain
carries too much. The orders are drawn here (no LDBC data, no audited result).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from kg.errors import StaleWriterError
from kg.ledger import Ledger
from kg.model import AsOf, ClaimBatch, RunManifest
from kg.store import GraphStore
from kg.supposed import Supposed, Supposing
from tests.finbench_claims import claims as told
from tests.finbench_oracle import EVER, Oracle
from tests.finbench_order_cases import ORDERS, Asking, transfer
from tests.finbench_orders import BLOCKED, DONE, REFUSED, RULES, Order, orders, verdict, written
from tests.finbench_tables import Account, Draw, Party, Tables
from tests.finbench_teller import Decision, Reading, Teller, claims, clocks
from tests.finbench_tiny import Tiny, a, tiny
from tests.finbench_world import NOW, PUBLIC, twins

pytestmark = pytest.mark.slow
SEED, SIZE, COUNT = 17, 30, 7
RING = [f"k{number}" for number in range(5)]


@dataclass
class Branch:
    """A store, the ledger behind it, and the drawn tables that both hold beside the tiny ones."""

    store: GraphStore
    ledger: Ledger
    tables: Tables


@pytest.fixture(scope="module")
def branch(module_store: GraphStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Branch]:
    """Beside true claims of the drawn world stand twins that no read may see; of the accounts e, e3 has paid e1."""
    drawn, few = Draw(SEED, SIZE).made(), fresh("e2", *RING)
    few.pay("e3 e1", "10", 1)
    with Ledger.open(tmp_path_factory.mktemp("orders") / "ledger") as ledger:
        said = [*told(drawn), *told(tiny()), *told(few.tables), *twins(drawn, SEED).unseen]
        ledger.commit(ClaimBatch.of(said), RunManifest("ingest"))
        module_store.sync(ledger)
        yield Branch(module_store, ledger, drawn)


def fresh(*names: str) -> Tiny:
    """Accounts that nothing is known of."""
    made = Tiny()
    for name in names:
        made.account(name)
    return made


@pytest.mark.parametrize("case", ORDERS, ids=lambda case: case.what)
def test_a_small_order_becomes_what_is_seen_by_eye(case: Asking, branch: Branch) -> None:
    assert verdict(tiny(), case.order) == case.became
    assert Teller(branch.store, branch.ledger).decide(case.order).became == case.became


def test_every_order_becomes_what_the_tables_alone_say(branch: Branch) -> None:
    store, ledger, tables = branch.store, branch.ledger, branch.tables
    teller, seen, given = Teller(store, ledger), Counter[tuple[str, str]](), list(orders(branch.tables, COUNT, SEED))
    done = set()
    for order in given:
        expected, head = verdict(tables, order), ledger.head
        if isinstance(store, Supposing) and expected != REFUSED:
            assert supposing(store, ledger, order) == expected, "the reads themselves, with the order supposed"
        assert teller.carry_out(order).became == expected, order
        assert ledger.head == head + (expected != REFUSED), "one commit, or none"
        tables = written(tables, order, expected)
        seen[order.rule, expected] += 1
        done |= {order.key} if expected == DONE else set()
    assert set(seen) == {(rule, became) for rule in RULES for became in (DONE, REFUSED, BLOCKED)}
    assert {order.key for order in given} & set(ledger.events()["key"].to_pylist()) == done, "the others left nothing"
    for order in given:
        assert as_read(store, order) == as_told(tables, order)


def supposing(store: Any, ledger: Ledger, order: Order) -> str:
    """TCR4, TCR7 and TCR11 asked in a transaction that holds the order and is rolled back."""

    def told() -> Any:
        reading = Reading(store, order, clocks(order))
        if order.rule == "cycle":
            return reading.named("transfer_cycle", payer=order.source, receiver=order.target)
        if order.rule == "ratio":
            line, ends = f"{order.above / 100:.2f}", (order.source, order.target)
            return max(reading.named("fast_in_fast_out", id=id, above=line)[0]["in_over_out"] for id in ends)
        return reading.named("guarantee_chain", id=order.source)[0]["lent_minor"]

    before = told()
    with store.supposing(Supposed(ledger, ClaimBatch.of(claims(order)), (), clocks(order))):
        after = told()
    pattern = after and not before if order.rule == "cycle" else after > order.most
    return BLOCKED if pattern else DONE


def as_read(store: GraphStore, order: Order) -> list[Any]:
    """What a store tells in the end of the two that an order named."""
    end = replace(order, after=EVER[0], before=EVER[1])
    reading, ends = Reading(store, end, AsOf(NOW, None, PUBLIC)), (order.source, order.target)
    more = ["guarantee_chain"] if order.rule == "chain" else ["account", "turnover"]
    return [[reading.blocked(id), *(reading.named(name, id=id) for name in more)] for id in ends]


def as_told(tables: Tables, order: Order) -> list[Any]:
    """The same by the tables."""
    things: list[Account | Party] = [*tables.accounts, *tables.parties]
    oracle, blocked = Oracle(tables), {one.id for one in things if one.blocked}
    asked, ends = replace(order, after=EVER[0], before=EVER[1]).asked, (order.source, order.target)
    if order.rule == "chain":
        return [[id in blocked, oracle.guarantee_chain(id, asked)] for id in ends]
    return [[id in blocked, oracle.account(id), oracle.turnover(id, asked)] for id in ends]


def test_of_two_orders_that_only_together_make_a_circle_one_is_carried_out(branch: Branch) -> None:
    """Write skew, and a lost update: both are right by what they read, the second is not right any more."""
    first, second = (transfer(route, key=f"skew-{route}") for route in ("e1 e2", "e2 e3"))
    with Ledger.open(branch.ledger.folder) as other:
        one, two = Teller(branch.store, branch.ledger), Teller(branch.store, other)
        decided = one.decide(first), two.decide(second)
        assert [decision.became for decision in decided] == [DONE, DONE]
        one.write(first, decided[0])
        with pytest.raises(StaleWriterError, match="read again"):
            two.write(second, decided[1])
        assert branch.ledger.head == decided[0].head + 1, "nothing of the second is there"
        assert two.carry_out(second) == Decision(BLOCKED, decided[0].head + 2)
        assert one.decide(transfer("e2 e1")).became == one.decide(transfer("e1 e3")).became == REFUSED
    events = branch.ledger.events(decided[0].head + 1).to_pylist()
    assert sorted((e["commit"], e["subject"], e["value_text"]) for e in events) == [
        (decided[0].head + 2, a("e2"), "blocked"),
        (decided[0].head + 2, a("e3"), "blocked"),
    ]


def test_what_two_tellers_do_at_once_is_as_if_one_came_after_the_other(branch: Branch) -> None:
    """Five accounts pay each other, each pair once: right at its commit is right in a row, and circles are sure."""
    routes = [f"{RING[n]} {RING[(n + step) % 5]}" for step in (1, 2) for n in range(5)]
    asked = [transfer(route, key=f"both-{n:02d}") for n, route in enumerate(routes)]
    begin = branch.ledger.head

    def work(mine: list[Order]) -> list[tuple[Order, Decision]]:
        with Ledger.open(branch.ledger.folder) as own:
            teller = Teller(branch.store, own)
            return [(order, teller.carry_out(order)) for order in mine]

    with ThreadPoolExecutor(2) as tellers:
        found = [one for each in tellers.map(work, (asked[::2], asked[1::2])) for one in each]
    tables, wrong = fresh(*RING).tables, []
    for order, became in sorted(found, key=lambda one: (one[1].head, one[1].became == REFUSED)):
        wrong += [order.key] if verdict(tables, order) != became.became else []
        tables = written(tables, order, became.became)
    assert wrong == [] and {DONE, BLOCKED} <= {became.became for _, became in found}
    assert branch.ledger.head - begin == sum(became.became != REFUSED for _, became in found)
