"""Fans: many parties that pay one account, or are paid by one, within a stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from queries.bursts import Windows, best, windows
from queries.flows import Flows, Index, Ints
from queries.pattern import Finding, blend
from queries.payment_pattern import PaymentPattern, beyond, even, finding, tight

End = Literal["source", "target"]


@dataclass(frozen=True)
class Fan(PaymentPattern):
    """What fan-in and fan-out have in common. Of overlapping windows of one account the fullest is reported."""

    least: int = 5
    """Fewest different parties."""
    days: float = 7.0
    """Longest time it may take."""
    alike: float = 0.0
    """Only payments whose single transfers differ by about this share count together; 0: any amounts do."""
    at_least: float = 0.0
    """Smallest sum of a finding."""

    @property
    def reach(self) -> int:
        return 3 * self.within

    def around(self, flows: Flows, end: End) -> tuple[list[Finding], tuple[str, ...]]:
        """Findings around payees (`target`) or payers (`source`)."""
        self.require(least=self.least >= 2, days=self.days > 0, alike=0 <= self.alike < 10, at_least=self.at_least >= 0)
        centre, party = (flows.target, flows.source) if end == "target" else (flows.source, flows.target)
        made = [self._windows(flows, centre, party, shift) for shift in ((0.0, 0.5) if self.alike else (0.0,))]
        number, place = (np.concatenate(parts) for parts in zip(*self._full(flows, made, centre), strict=True))
        kept = self._best(flows, centre, made, number, place)
        index = flows.into if end == "target" else flows.out
        found = []
        for k in kept.tolist():
            one, p = made[number[k]], place[k]
            found.append(self._finding(flows, index, centre, party, one.order[one.low[p] : p + 1]))
        return found, ()

    def _windows(self, flows: Flows, centre: Ints, party: Ints, shift: float) -> Windows:
        """Windows by account, currency and band of amounts; bands shifted by half leave no group on their border."""
        band = np.zeros(len(flows), np.int64)
        if self.alike:
            band = np.floor(np.log(flows.each) / np.log1p(self.alike) + shift).astype(np.int64)
            band -= band.min()
        group = (centre * len(flows.units) + flows.unit) * (int(band.max()) + 1) + band
        return windows(group, party, flows.time, self.within)

    def _full(self, flows: Flows, made: list[Windows], centre: Ints) -> list[tuple[Ints, Ints]]:
        """Number and position of the windows that have enough parties and money."""
        found = []
        for number, one in enumerate(made):
            total = _sums(flows, one)
            place = np.flatnonzero((one.parties >= self.least) & (total >= round(self.at_least * 100)))
            found.append((np.full(len(place), number), place))
        return found

    def _best(self, flows: Flows, centre: Ints, made: list[Windows], number: Ints, place: Ints) -> Ints:
        """Which of the windows are kept: most parties, then most money, then the earliest."""
        if not len(place):
            return place
        row, parties, total = (np.empty(len(place), np.int64) for _ in range(3))
        for k, one in enumerate(made):
            own = number == k
            at = place[own]
            row[own], parties[own], total[own] = one.order[at], one.parties[at], _sums(flows, one)[at]
        rank = np.empty(len(place), np.int64)
        rank[np.lexsort((-number, -row, total, parties))] = np.arange(len(place))
        return best(centre[row], flows.time[row], rank, self.within)

    def _finding(self, flows: Flows, index: Index, centre: Ints, party: Ints, rows: Ints) -> Finding:
        account, end = int(centre[rows[0]]), int(flows.time[rows].max())
        first, last = np.searchsorted(flows.moments, [end - self.within, end], "right")
        low, high = index.stretch(np.array([account]), first, last)
        everything = flows.amount[index.order[low[0] : high[0]]].sum()
        parties = len(np.unique(party[rows]))
        parts = {
            "parties": beyond(parties, self.least),
            "quick": tight(flows, rows, self.within),
            "alike": even(flows.each[rows]),
            "of all": float(flows.amount[rows].sum() / everything),
        }
        return finding(flows, account, np.sort(rows), blend(parts), f"{parties} parties")


def _sums(flows: Flows, one: Windows) -> Ints:
    """Sum of each window in hundredths, exactly, so that equal windows are equal whatever else is paid."""
    total = np.cumsum(np.rint(flows.amount * 100).astype(np.int64)[one.order])
    before = np.append(0, total)[one.low]
    return np.asarray(total - before)
