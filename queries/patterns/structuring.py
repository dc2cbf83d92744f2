"""Payments kept just below a threshold, again and again, that together exceed it.

A transfer is near the threshold T where near * T <= amount < T. For each payer (or payee, with `side="target"`) and
currency a window (t - days, t] with at least `least` such transfers is a finding; of those that end within `days` of
each other the one with most transfers is kept. Where an edge sums the transfers of a day, its mean transfer is looked
at and all its transfers count. Score: the mean of 1 - (least - 1) / transfers, 1 - span / days, how near the mean
transfer is to T, and the share of all that the account paid in the window. In the US transactions in currency of more
than 10,000 USD are reported (31 CFR 1010.311); structuring to evade it is 31 USC 5324. Elsewhere set `threshold`
(docs/risk/laundering.md, Thresholds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from queries.pattern import Finding, blend
from queries.payments.bursts import Windows, best, windows
from queries.payments.flows import Flows, Ints
from queries.payments.pattern import PaymentPattern, beyond, finding, tight


@dataclass(frozen=True)
class Structuring(PaymentPattern):
    """Sums split to stay below a threshold."""

    name: ClassVar[str] = "structuring"

    threshold: float = 10_000.0
    """Amount that would be reported, in whatever currency is paid."""
    near: float = 0.8
    """Smallest share of the threshold that counts as just below it."""
    least: int = 4
    """Fewest transfers."""
    days: float = 7.0
    """Longest time it may take."""
    side: Literal["source", "target"] = "source"
    """Whose transfers are counted: the payer's or the payee's."""

    @property
    def reach(self) -> int:
        return 3 * self.within

    @property
    def hops(self) -> int:
        return 1

    def search(self, flows: Flows) -> tuple[list[Finding], tuple[str, ...]]:
        self.require(
            threshold=self.threshold > 0,
            near=0 < self.near < 1,
            least=self.least >= 2,
            days=self.days > 0,
            side=self.side in ("source", "target"),
        )
        close = flows.rows((flows.each >= self.near * self.threshold) & (flows.each < self.threshold))
        if not len(close):
            return [], ()
        account = close.source if self.side == "source" else close.target
        made = windows(account * len(close.units) + close.unit, close.target, close.time, self.within)
        counts = np.cumsum(close.count[made.order])
        counts -= np.append(0, counts)[made.low]
        place = np.flatnonzero(counts >= self.least)
        kept = place[self._best(close, account, made, counts, place)]
        return [self._finding(flows, close, account, made.order[made.low[p] : p + 1]) for p in kept.tolist()], ()

    def _best(self, close: Flows, account: Ints, made: Windows, counts: Ints, place: Ints) -> Ints:
        """Which windows are kept: most transfers, then the earliest."""
        row = made.order[place]
        rank = np.empty(len(place), np.int64)
        rank[np.lexsort((-row, counts[place]))] = np.arange(len(place))
        return best(account[row], close.time[row], rank, self.within)

    def _finding(self, flows: Flows, close: Flows, account: Ints, rows: Ints) -> Finding:
        own, end = int(account[rows[0]]), int(close.time[rows].max())
        index = flows.out if self.side == "source" else flows.into
        first, last = np.searchsorted(flows.moments, [end - self.within, end], "right")
        low, high = index.stretch(np.array([own]), first, last)
        count = int(close.count[rows].sum())
        parts = {
            "transfers": beyond(count, self.least),
            "quick": tight(close, rows, self.within),
            "near": float(close.amount[rows].sum() / count / self.threshold),
            "of all": float(close.amount[rows].sum() / flows.amount[index.order[low[0] : high[0]]].sum()),
        }
        return finding(close, own, np.sort(rows), blend(parts), f"{count} transfers below {self.threshold:g}")
