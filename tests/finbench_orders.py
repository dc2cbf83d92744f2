"""Orders of the read-write transactions of FinBench (TRW1-3), and what must become of each by the tables alone.

Written from the text of the LDBC FinBench specification v0.1. An order whose source or target is blocked is refused.
Else the transfer or guarantee is added, unless it makes a pattern: a new circle of three accounts (TRW1), too much
received for what was sent at either end (TRW2), too large loans down the guarantor's chain (TRW3). Then it is left out,
and source and target are blocked in a transaction of their own. No ledger, store or Cypher is used here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.finbench_oracle import EVER, Asked, Oracle
from tests.finbench_tables import BEGIN, Account, Link, Move, Party, Tables

DONE, REFUSED, BLOCKED = "done", "refused", "blocked"
"""What becomes of an order: it is carried out; nothing is written; its pattern blocks source and target."""
RULES = ("cycle", "ratio", "chain")


@dataclass(frozen=True, slots=True)
class Order:
    """A transfer, or for the rule `chain` a guarantee, that somebody asks for."""

    rule: str
    key: str
    source: str
    target: str
    moment: datetime
    amount: Decimal = Decimal(100)
    currency: str = "EUR"
    after: datetime = EVER[0]
    before: datetime = EVER[1]
    above: int = 0
    """Cents: smaller transfers, and equal ones, are no part of the ratio."""
    most: float = 0.0
    """The ratio, or the cents of loans, that may be reached but not passed."""

    def row(self) -> Move | Link:
        """What stands in the tables once the order is carried out."""
        if self.rule == "chain":
            return Link("guarantee", self.key, self.source, self.target, self.moment)
        return Move("transfer", self.key, self.source, self.target, self.amount, self.currency, self.moment)

    @property
    def asked(self) -> Asked:
        return Asked(self.after, self.before, self.currency)


def verdict(tables: Tables, order: Order) -> str:
    """What must become of an order."""
    things: list[Account | Party] = [*tables.accounts, *tables.parties]
    if any(thing.blocked for thing in things if thing.id in (order.source, order.target)):
        return REFUSED
    old, new = Oracle(tables), Oracle(written(tables, order, DONE))
    return BLOCKED if _pattern(old, new, order) else DONE


def _pattern(old: Oracle, new: Oracle, order: Order) -> bool:
    ends = (order.source, order.target)
    if order.rule == "cycle":
        return bool(new.transfer_cycle(*ends, order.asked)) and not old.transfer_cycle(*ends, order.asked)
    if order.rule == "ratio":
        told = [new.fast_in_fast_out(id, order.above, order.asked)[0]["in_over_out"] for id in ends]
        return any(ratio > order.most for ratio in told)
    return bool(new.guarantee_chain(order.source, order.asked)[0]["lent_minor"] > order.most)


def written(tables: Tables, order: Order, became: str) -> Tables:
    """The tables after an order."""
    row, ends = order.row(), (order.source, order.target)
    if became == BLOCKED:
        accounts = [replace(one, blocked=one.blocked or one.id in ends) for one in tables.accounts]
        parties = [replace(one, blocked=one.blocked or one.id in ends) for one in tables.parties]
        return replace(tables, accounts=accounts, parties=parties)
    if became == REFUSED:
        return tables
    if isinstance(row, Link):
        return replace(tables, links=[*tables.links, row])
    return replace(tables, moves=[*tables.moves, row])


def orders(tables: Tables, count: int, seed: int) -> Iterator[Order]:
    """`count` orders of each rule in turn, an hour apart, after all that the tables tell."""
    random = Random(seed)
    begin = BEGIN + timedelta(days=120)
    for number in range(3 * count):
        rule, moment = RULES[number % 3], begin + timedelta(hours=number)
        source, target = {"cycle": _closing, "ratio": _paying, "chain": _guaranteeing}[rule](random, tables)
        order = Order(rule, f"order-{seed}-{number:03d}", source, target, moment)
        amount = Decimal(random.choice((7_000, 40_000, 900_000))) / 100
        order = replace(order, amount=amount, above=random.choice((0, 10_000)), most=_most(random, rule))
        window = random.choice(
            ((), (), ("after",), ("before",))
        )  # of those that begin late, and those that end too soon
        ends: dict[str, Any] = {"after": BEGIN + timedelta(days=40), "before": moment}
        yield replace(order, **{name: ends[name] for name in window})


def _most(random: Random, rule: str) -> float:
    return float(random.choice((0.3, 2.0, 8.0, 60.0) if rule == "ratio" else (0, 900_000, 4_000_000, 10**9)))


def _free(tables: Tables) -> list[str]:
    """Mostly accounts that are not blocked: else an order is rarely carried out."""
    return [account.id for place, account in enumerate(tables.accounts) if not account.blocked or place % 3 == 0]


def _paying(random: Random, tables: Tables) -> tuple[str, str]:
    """Two accounts, the hubs more often."""
    one, *_ = free = _free(tables)
    source = free[int(len(free) * random.random() ** 2)]
    return source, random.choice([id for id in free if id != source] or [one])


def _closing(random: Random, tables: Tables) -> tuple[str, str]:
    """Every other time two accounts whose circle of three only this payment closes."""
    if random.random() < 0.4:
        return _paying(random, tables)
    free = set(_free(tables))
    paid = {(move.source, move.target) for move in tables.moved("transfer") if move.source != move.target}
    open_ = [(c, a) for a, b in paid for b2, c in paid if b2 == b and c != a and (c, a) not in paid]
    return random.choice(sorted((c, a) for c, a in open_ if {c, a} <= free))


def _guaranteeing(random: Random, tables: Tables) -> tuple[str, str]:
    people = [p.id for p in tables.parties if p.label == "Person" and (not p.blocked or random.random() < 0.3)]
    source, target = random.sample(people, 2)
    return source, target
