"""Money that comes back: payments around a circle of different accounts in order of time, amounts kept.

A cycle is payments e1 .. ek, 2 <= shortest <= k <= longest, each from the payee of the one before, the last to the
payer of the first, over different accounts, each strictly later than the one before and all within `days`; each is in
the currency of the one before and equal to it up to `tolerance` (as a sum, or transfer by transfer where a day's are
summed). With `ordered=False` the payments of the circle may come in any order. Of cycles of the same accounts that
begin within `days` of each other the best is kept.

Method: temporal cycles begin at their first payment (Kumar and Calders, "2SCENT: An Efficient Algorithm to Enumerate
All Simple Temporal Cycles", PVLDB 11(11), 2018); only payments inside a strongly connected component are followed, in
blocks, breadth first, and the last one is looked up by both its ends. Score: the mean of 1 - (shortest - 1) / k, 1 -
span / days, evenness of the amounts, and what came back over what was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from queries.pattern import Finding
from queries.payments.bursts import best
from queries.payments.flows import Flows, Ints, Ragged, told
from queries.payments.pattern import FAN, PaymentPattern, finding

BLOCK: Final = 20_000
"""First payments followed at a time, which bounds memory."""


@dataclass(frozen=True)
class Cycles(PaymentPattern):
    """Money that comes back to its first payer."""

    name: ClassVar[str] = "cycles"

    longest: int = 5
    """Most payments of a cycle."""
    shortest: int = 3
    """Fewest payments of a cycle."""
    days: float = 10.0
    """Longest time from the first payment to the last."""
    tolerance: float = 0.1
    """Most that one payment may differ from the one before, as a share of the larger."""
    ordered: bool = True
    """Whether each payment has to be later than the one before."""
    at_least: float = 0.0
    """Smallest payment followed."""
    fan: int = FAN
    """Payments followed out of one account after one payment."""

    @property
    def reach(self) -> int:
        return 3 * self.within

    @property
    def hops(self) -> int:
        return self.longest // 2 + 1

    def search(self, flows: Flows) -> tuple[list[Finding], tuple[str, ...]]:
        self.require(
            shortest=2 <= self.shortest <= self.longest,
            longest=2 <= self.longest <= 10,
            days=self.days > 0,
            tolerance=0 <= self.tolerance <= 1,
            fan=self.fan >= 1,
        )
        knot = _circling(flows.rows((flows.amount >= self.at_least) & (flows.source != flows.target)))
        trail = _Trail(self, knot)
        found = [cycle for start in range(0, len(knot), BLOCK) for cycle in trail.block(start)]
        kept = self._best(knot, found)
        return [
            finding(knot, int(knot.source[rows[0]]), rows, score, f"{len(rows)} payments") for rows, score in kept
        ], told(self.name, trail.cut, self.fan)

    def _best(self, knot: Flows, found: list[Ints]) -> Iterator[tuple[Ints, float]]:
        """The best cycle of each circle of accounts at a time, with its score."""
        cycles = [row for block in found for row in block]
        rings: dict[tuple[int, ...], int] = {}
        scores = np.concatenate([self._scores(knot, block) for block in found]) if found else np.zeros(0)
        ring = np.array([rings.setdefault(_ring(knot.source[rows].tolist()), len(rings)) for rows in cycles], np.int64)
        first = np.array([rows.min() for rows in cycles], np.int64)
        order = sorted(range(len(cycles)), key=lambda k: (scores[k], [-row for row in cycles[k].tolist()]))
        rank = np.empty(len(cycles), np.int64)
        rank[order] = np.arange(len(cycles))
        for k in best(ring, knot.time[first], rank, self.within).tolist():
            yield cycles[k], float(scores[k])

    def _scores(self, knot: Flows, block: Ints) -> np.ndarray:
        amount, time = knot.amount[block], knot.time[block]
        size = block.shape[1]
        mean = np.mean(amount, axis=1)
        kept = amount[:, -1] / amount[:, 0] if self.ordered else amount.min(1) / amount.max(1)
        quick = 1 - (time.max(1) - time.min(1)) / self.within
        even = 1 / (1 + np.std(amount, axis=1) / mean)
        return np.asarray((1 - (self.shortest - 1) / size + quick + even + np.minimum(kept, 1 / kept)) / 4)


class _Trail:
    """The search from a block of first payments, and how much caps have cut off so far."""

    def __init__(self, asked: Cycles, knot: Flows) -> None:
        self.asked, self.knot = asked, knot
        self.cut = 0

    def block(self, start: int) -> Iterator[Ints]:
        """(cycles, length) rows of the cycles whose first payment lies in the block, for each length."""
        knot, asked = self.knot, self.asked
        paths = np.arange(start, min(start + BLOCK, len(knot)))[:, None]
        for length in range(2, asked.longest + 1):
            if not len(paths):
                return
            if length >= asked.shortest:
                closed = self._closed(paths)
                if len(closed):
                    yield closed
            if length < asked.longest:
                paths = self._longer(paths)

    def _ranks(self, paths: Ints) -> tuple[Ints, Ints]:
        """First and last rank of time that the next payment may have (half open)."""
        knot = self.knot
        last = np.searchsorted(knot.moments, knot.time[paths[:, 0]] + self.asked.within, "right")
        first = knot.rank[paths[:, -1]] + 1 if self.asked.ordered else knot.rank[paths[:, 0]]
        return first, last

    def _closed(self, paths: Ints) -> Ints:
        """Paths with a payment that brings them back to their first payer."""
        knot = self.knot
        first, last = self._ranks(paths)
        found, cut = knot.back(knot.target[paths[:, -1]], knot.source[paths[:, 0]], first, last, self.asked.fan)
        self.cut += cut
        return self._grown(paths, found)

    def _longer(self, paths: Ints) -> Ints:
        """Paths with every payment that goes on from them to an account they have not been at."""
        knot = self.knot
        first, last = self._ranks(paths)
        low, high = knot.out.stretch(knot.target[paths[:, -1]], first, last)
        found, cut = knot.ragged(knot.out, low, high, self.asked.fan)
        self.cut += cut
        grown = self._grown(paths, found)
        reached = knot.target[grown[:, -1]]
        return np.asarray(grown[(knot.source[grown] != reached[:, None]).all(1)])

    def _grown(self, paths: Ints, found: Ragged) -> Ints:
        """Paths one longer; the first payment stays the earliest and amounts are kept."""
        grown = np.concatenate([paths[found.place], found.row[:, None]], axis=1)
        kept = self.knot.keeps(grown[:, -2], grown[:, -1], self.asked.tolerance)
        return np.asarray(grown[kept & (grown[:, -1] > grown[:, 0])])


def _circling(flows: Flows) -> Flows:
    """The payments inside a strongly connected component: no other can be part of a circle."""
    size = len(flows.accounts)
    matrix = sparse.coo_array((np.ones(len(flows), np.int8), (flows.source, flows.target)), shape=(size, size))
    _, part = connected_components(matrix.tocsr(), directed=True, connection="strong")
    return flows.rows(part[flows.source] == part[flows.target])


def _ring(accounts: list[int]) -> tuple[int, ...]:
    """The circle of accounts, told from the smallest on."""
    at = accounts.index(min(accounts))
    return (*accounts[at:], *accounts[:at])
