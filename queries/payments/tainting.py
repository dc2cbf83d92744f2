"""Tainting: how much of each payment and of each balance comes from given accounts, under three ways of counting.

Every unit of money an account of origin pays is tainted; an account's balance is what it held and was paid less what
it paid. Haircut: a payment x out of a balance b with taint d carries x d / b. FIFO: what came first goes first
(Clayton's case, Devaynes v Noble (1816) 1 Mer 572). Poison: whoever has been paid anything tainted pays nothing else.
Moser, Bohme, Breuker, "Towards Risk Scoring of Bitcoin Transactions", FC 2014 Workshops, compares them.

What an account pays beyond the balance we know comes from outside and is clean. Payments of one moment are settled at
once: all are paid out of the balance before it, in proportion, and what is paid in can be spent only later; so no order
of the rows matters. Haircut and FIFO keep taint: what origins paid out is what others hold of it, with what came back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np

from kg.errors import MeasureError
from queries.payments.flows import Floats, Flows

Method = Literal["haircut", "fifo", "poison"]


@dataclass(frozen=True)
class Tainted:
    """What is tainted, in the currency of the flows."""

    carried: Floats
    """(payments,) tainted part of each payment."""
    held: Floats
    """(accounts,) tainted part of what each holds at the end; an origin's is what came back to it."""
    received: Floats
    """(accounts,) tainted money each was paid."""


class _Purse(Protocol):
    """What one account holds. Numbers are of one kind: floats, or fractions where every digit counts."""

    def pay(self, total: Any) -> Any:
        """Take a sum out; gives the tainted part of it."""

    def get(self, total: Any, dirty: Any) -> None:
        """Put a sum in, of which some is tainted."""

    @property
    def tainted(self) -> Any:
        """What it holds of tainted money."""


class _Haircut:
    __slots__ = ("balance", "tainted")

    def __init__(self, opening: Any) -> None:
        self.balance, self.tainted = opening, opening * 0

    def pay(self, total: Any) -> Any:
        if total >= self.balance:  # all goes, and the rest comes from outside
            gone, self.tainted = self.tainted, self.tainted * 0
            self.balance *= 0
            return gone
        gone = self.tainted * total / self.balance
        self.balance -= total
        self.tainted -= gone
        return gone

    def get(self, total: Any, dirty: Any) -> None:
        self.balance += total
        self.tainted += dirty


class _Fifo:
    __slots__ = ("lots",)

    def __init__(self, opening: Any) -> None:
        self.lots: deque[tuple[Any, Any]] = deque([(opening, opening * 0)] if opening else ())

    def pay(self, total: Any) -> Any:
        gone = total * 0
        while total > 0 and self.lots:
            size, dirty = self.lots.popleft()
            if size > total:
                part = dirty * total / size
                self.lots.appendleft((size - total, dirty - part))
                return gone + part
            gone += dirty
            total -= size
        return gone

    def get(self, total: Any, dirty: Any) -> None:
        self.lots.append((total, dirty))

    @property
    def tainted(self) -> Any:
        return sum(dirty for _, dirty in self.lots)


class _Poison:
    __slots__ = ("balance", "poisoned")

    def __init__(self, opening: Any) -> None:
        self.balance, self.poisoned = opening, False

    def pay(self, total: Any) -> Any:
        self.balance = max(self.balance - total, self.balance * 0)
        return total if self.poisoned else total * 0

    def get(self, total: Any, dirty: Any) -> None:
        self.balance += total
        self.poisoned = self.poisoned or dirty > 0

    @property
    def tainted(self) -> Any:
        return self.balance if self.poisoned else self.balance * 0


_PURSES: dict[str, Any] = {"haircut": _Haircut, "fifo": _Fifo, "poison": _Poison}


def taint(flows: Flows, origins: Sequence[int], method: Method = "haircut", opening: float = 0.0) -> Tainted:
    """Follow the money of the accounts `origins`, each other account holding `opening` of clean money at first.

    One pass in order of time. MeasureError for an unknown method, or payments in more than one currency.
    """
    if method not in _PURSES:
        raise MeasureError(f"method {method!r} is unknown; known: {', '.join(_PURSES)}")
    if len(np.unique(flows.unit)) > 1:
        found = ", ".join(flows.units[k] for k in np.unique(flows.unit))
        raise MeasureError(f"taint adds up balances, but the payments are in {found}; choose one currency")
    if not opening >= 0:
        raise MeasureError(f"opening is {opening}; expected a balance of at least 0")
    carried = np.zeros(len(flows))
    purses: dict[int, _Purse] = {}
    received, held, dirty = (np.zeros(len(flows.accounts)) for _ in range(3))
    dirty[list(origins)] = 1.0
    make = _PURSES[method]
    source, target, amount = flows.source.tolist(), flows.target.tolist(), flows.amount.tolist()
    for low, high in _moments(flows):
        for row, part in _paid(range(low, high), source, amount, purses, dirty, lambda: make(opening)):
            carried[row] = part
        for payee, total, part in _arrived(range(low, high), target, amount, carried):
            received[payee] += part
            if dirty[payee]:
                held[payee] += part
                continue
            if payee not in purses:
                purses[payee] = make(opening)
            purses[payee].get(total, part)
    for account, purse in purses.items():
        held[account] += purse.tainted
    return Tainted(carried, held, received)


def _moments(flows: Flows) -> Iterator[tuple[int, int]]:
    """First and last row (half open) of the payments of each moment."""
    starts = np.flatnonzero(np.diff(flows.time, prepend=flows.time[0] - 1)) if len(flows) else np.zeros(0, int)
    return pairwise([*starts.tolist(), len(flows)])


def _paid(
    rows: range, source: list[int], amount: list[float], purses: dict[int, _Purse], dirty: Floats, make: Any
) -> Iterator[tuple[int, float]]:
    """Tainted part of each payment of one moment."""
    by: dict[int, list[int]] = {}
    for row in rows:
        by.setdefault(source[row], []).append(row)
    for payer, own in by.items():
        if dirty[payer]:
            yield from ((row, amount[row]) for row in own)
            continue
        purse = purses.get(payer)
        if purse is None:  # it has been paid nothing yet: what it pays is its own clean money
            purse = purses[payer] = make()
        total = sum(amount[row] for row in own)
        gone = purse.pay(total)
        if gone:
            yield from ((row, gone * (amount[row] / total)) for row in own)


def _arrived(
    rows: range, target: list[int], amount: list[float], carried: Floats
) -> Iterator[tuple[int, float, float]]:
    """Payee, sum and tainted part of what each is paid at one moment."""
    by: dict[int, tuple[float, float]] = {}
    for row in rows:
        total, part = by.get(target[row], (0.0, 0.0))
        by[target[row]] = (total + amount[row], part + float(carried[row]))
    return ((payee, total, part) for payee, (total, part) in by.items())
