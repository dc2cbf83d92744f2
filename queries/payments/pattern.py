"""PaymentPattern: a pattern among payments alone, so that it can also be looked for in payments as they come in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from kg.snapshot import Snapshot
from queries.pattern import Finding, Pattern, findings
from queries.payments.flows import DAY, Flows, Ints

FAN: Final = 64
"""Payments followed from one account after one payment, the first ones, unless a pattern says otherwise."""


class PaymentPattern(Pattern):
    """A pattern among payments that lie near each other in time and in the network."""

    days: float

    @property
    def within(self) -> int:
        """`days` in microseconds."""
        return round(self.days * DAY)

    @property
    @abstractmethod
    def reach(self) -> int:
        """Microseconds: payments further than this from each other have nothing to do with each other's findings."""

    @property
    @abstractmethod
    def hops(self) -> int:
        """Payments with no end nearer than this to a payment have nothing to do with its findings; 1: share an end."""

    @abstractmethod
    def search(self, flows: Flows) -> tuple[list[Finding], tuple[str, ...]]:
        """Findings, and remarks on what caps left out."""

    def find(self, snapshot: Snapshot) -> pa.Table:
        return self.among(Flows.from_snapshot(snapshot))

    def among(self, flows: Flows) -> pa.Table:
        """Findings among the payments."""
        if not len(flows):
            return findings(self.name, ())
        found, remarks = self.search(flows)
        left = (f"{flows.unpriced} payments have no stated amount and are left out",) if flows.unpriced else ()
        return findings(self.name, found, (*left, *remarks))


def finding(flows: Flows, subject: int, rows: Sequence[int] | Ints, score: float, remark: str = "") -> Finding:
    """A finding made of payments; its amount is their largest common part: what went round or through."""
    rows = np.asarray(rows, np.int64)
    pairs = np.stack([flows.source[rows], flows.target[rows]], axis=1).ravel().tolist()
    names = [flows.accounts[number] for number in dict.fromkeys([subject, *pairs])]
    taken = pa.array(rows)
    edges, statements = flows.ids.take(taken).to_pylist(), flows.statements.take(taken).to_pylist()
    span = (int(flows.time[rows].min()), int(flows.time[rows].max()))
    unit = flows.units[flows.unit[rows[0]]]
    return Finding(names[0], names, edges, statements, score, float(flows.amount[rows].sum()), unit, span, remark)


def even(values: np.ndarray) -> float:
    """1 where all values are equal, falling towards 0 as they spread: 1 / (1 + standard deviation / mean)."""
    return float(1 / (1 + np.std(values) / np.mean(values)))


def tight(flows: Flows, rows: Ints, within: int) -> float:
    """1 where all is paid at one moment, 0 where it takes the whole time allowed."""
    times = flows.time[rows]
    return max(0.0, 1 - float(times.max() - times.min()) / within)


def beyond(count: float, least: float) -> float:
    """1/least where just the least is reached, towards 1 with more."""
    return 1 - (least - 1) / count
