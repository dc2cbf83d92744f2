"""One account's money goes out through several others and comes together again at one account.

A passage is a payment s -> m and a later payment m -> d within `days`, in the same currency, the second from keeps
times the first to all of it (as sums, or transfer by transfer), s, m and d all different. A pair (s, d) whose passages
that end within `days` of each other go through at least `least` different accounts m is a finding; of windows that end
within `days` of each other the one with most accounts is kept (then the earliest). Score: the mean of 1 - (least - 1)
/ accounts, 1 - span / (2 days), evenness of what came together, and how much of it arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from queries.pattern import Finding, blend
from queries.payments.bursts import best, windows
from queries.payments.flows import Flows, Ints, told
from queries.payments.pattern import FAN, PaymentPattern, beyond, even, finding, tight


@dataclass(frozen=True)
class ScatterGather(PaymentPattern):
    """Money spread over several accounts and gathered again."""

    name: ClassVar[str] = "scatter_gather"

    least: int = 3
    """Fewest accounts in between."""
    days: float = 5.0
    """Longest time an account in between keeps the money, and longest time over which it comes together."""
    keeps: float = 0.8
    """Smallest share of what came in that goes on."""
    at_least: float = 0.0
    """Smallest payment followed."""
    fan: int = FAN
    """Payments followed out of one account after one payment."""

    @property
    def reach(self) -> int:
        return 4 * self.within

    @property
    def hops(self) -> int:
        return 2

    def search(self, flows: Flows) -> tuple[list[Finding], tuple[str, ...]]:
        self.require(least=self.least >= 2, days=self.days > 0, keeps=0 < self.keeps <= 1, fan=self.fan >= 1)
        flows = flows.rows((flows.amount >= self.at_least) & (flows.source != flows.target))
        met, cut = flows.onward(np.arange(len(flows)), self.within, self.fan)
        first, second = self._passages(flows, met.place, met.row)
        if not len(first):
            return [], told(self.name, cut, self.fan)
        pair = (flows.source[first] * len(flows.accounts) + flows.target[second]) * len(flows.units)
        made = windows(pair + flows.unit[first], flows.target[first], flows.time[second], self.within)
        place = np.flatnonzero(made.parties >= self.least)
        ends = made.order[place]
        rank = np.empty(len(place), np.int64)
        rank[np.lexsort((-first[ends], -second[ends], made.parties[place]))] = np.arange(len(place))
        kept = place[best(pair[ends], flows.time[second[ends]], rank, self.within)]
        groups = [made.order[made.low[p] : p + 1] for p in kept.tolist()]
        return [self._finding(flows, first[own], second[own]) for own in groups], told(self.name, cut, self.fan)

    def _passages(self, flows: Flows, first: Ints, second: Ints) -> tuple[Ints, Ints]:
        """The pairs of payments that pass money on from one account to another, in order of their ends."""
        sums, each = (values[second] / values[first] for values in (flows.amount, flows.each))
        good = ((sums >= self.keeps) & (sums <= 1 + 1e-12)) | ((each >= self.keeps) & (each <= 1 + 1e-12))
        good &= (flows.unit[first] == flows.unit[second]) & (flows.source[first] != flows.target[second])
        first, second = first[good], second[good]
        order = np.lexsort((first, second))
        return first[order], second[order]

    def _finding(self, flows: Flows, first: Ints, second: Ints) -> Finding:
        spread, gathered = np.unique(first), np.unique(second)
        through = len(np.unique(flows.target[first]))
        rows = np.union1d(spread, gathered)
        arrived = flows.amount[gathered].sum() / flows.amount[spread].sum()
        parts = {
            "accounts": beyond(through, self.least),
            "quick": tight(flows, rows, 2 * self.within),
            "even": even(flows.amount[gathered]),
            "arrived": float(min(arrived, 1 / arrived)),
        }
        sink = flows.accounts[int(flows.target[second[0]])]
        return finding(flows, int(flows.source[first[0]]), rows, blend(parts), f"through {through} accounts to {sink}")
