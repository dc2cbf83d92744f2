"""Orders in the tiny world, and what must become of each, written down by eye."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.finbench_orders import BLOCKED, DONE, REFUSED, Order
from tests.finbench_tiny import a, hour, p

NOON = hour(3000)
"""When all these orders are given: long after everything else in the tiny world."""


@dataclass(frozen=True)
class Asking:
    """An order and what must become of it."""

    what: str
    order: Order
    became: str


def transfer(route: str, amount: str = "10", **more: Any) -> Order:
    """`transfer("x y", "10")`: x pays y 10, unless that makes a circle."""
    source, target = (a(name) for name in route.split())
    given: dict[str, Any] = {"rule": "cycle", "key": "tiny", "moment": NOON, "amount": Decimal(amount)}
    return Order(source=source, target=target, **given | more)


def rush(route: str, amount: str, most: float, **more: Any) -> Order:
    """The same unless an end received more than `most` times what it sent."""
    return transfer(route, amount, rule="ratio", most=most, **more)


def guarantee(route: str, most: float, **more: Any) -> Order:
    """One answers for the other, unless the loans down the chain come to more than `most` cents."""
    source, target = (p(name) for name in route.split())
    return Order("chain", "tiny", source, target, NOON, most=most, **more)


ORDERS = [
    Asking("b1 paid b2 and b2 paid b3: b3 may not pay b1", transfer("b3 b1"), BLOCKED),
    Asking("a circle of four is none", transfer("c3 c0"), DONE),
    Asking("money back to who paid is no circle of three", transfer("s3 s2"), DONE),
    Asking("a withdrawal closes no circle", transfer("card w3"), DONE),
    Asking("a circle that is there already is not new", transfer("y1 y2"), DONE),
    Asking("payments in another currency make no circle with these", transfer("b3 b1", currency="USD"), DONE),
    Asking("a window that begins at a payment leaves it out", transfer("b3 b1", after=hour(10)), DONE),
    Asking("a window that begins before it does not", transfer("b3 b1", after=hour(9)), BLOCKED),
    Asking("an order at the end of its window is outside", transfer("b3 b1", before=NOON), DONE),
    Asking("who pays is blocked", transfer("z1 z4"), REFUSED),
    Asking("who receives is blocked", transfer("z4 z3"), REFUSED),
    Asking("q would have received 64 and sent 32: twice is not more than twice", rush("q1 q", "14", 2.0), DONE),
    Asking("twice is more than 1.999 times", rush("q1 q", "14", 1.999), BLOCKED),
    Asking("q3 received 32 and would send 14: 2.286", rush("q3 q2", "14", 2.285), BLOCKED),
    Asking("2.286 is not more than 2.286", rush("q3 q2", "14", 2.286), DONE),
    Asking("of q only 30 received is above the line, and nothing sent", rush("q1 q", "14", 0.0, above=2000), DONE),
    Asking("in dollars q would have received 15, and sent none", rush("q1 q", "14", 0.0, currency="USD"), DONE),
    Asking("who is blocked sends nothing more", rush("z1 z4", "1", 100.0), REFUSED),
    Asking("g4 would answer for the ring and itself: 1,107", guarantee("g4 g1", 110_700), DONE),
    Asking("a cent less may be answered for", guarantee("g4 g1", 110_699), BLOCKED),
    Asking("what is guaranteed already is not less", guarantee("g1 g4", 100), BLOCKED),
    Asking("nothing was lent in dollars", guarantee("g4 g1", 0, currency="USD"), DONE),
    Asking("a guarantee at the end of its window lengthens no chain", guarantee("g4 g1", 0, before=NOON), DONE),
]  # fmt: skip
