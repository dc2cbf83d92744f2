"""Fans: many parties that pay one account, or are paid by one, within a stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from queries.pattern import Finding, blend
from queries.payments.bursts import Windows, best, windows
from queries.payments.flows import Floats, Flows, Index, Ints
from queries.payments.pattern import PaymentPattern, beyond, even, finding, tight

End = Literal["source", "target"]
PAST: Final = 4
"""Stretches of time before a window by which is told how many payments are usual."""


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
    surge: float = 8.0
    """Only where so many times more parties come together than payments did in a stretch of `days`, on average over
    the PAST of them before: a shop is paid by many all the time; 0: however many there were."""
    unusual: float = 0.0
    """Only transfers at least so many times larger or smaller than what their payer pays others in the `days` before
    and after count; 0: all do."""

    @property
    def reach(self) -> int:
        return ((4 if self.unusual else 3) + (PAST + 1 if self.surge else 0)) * self.within

    @property
    def hops(self) -> int:
        return 3 if self.unusual else 1  # a payment changes the habit of its payer, and so fans around others it pays

    def around(self, flows: Flows, end: End) -> tuple[list[Finding], tuple[str, ...]]:
        """Findings around payees (`target`) or payers (`source`)."""
        self.require(least=self.least >= 2, days=self.days > 0, alike=0 <= self.alike < 10, at_least=self.at_least >= 0)
        self.require(unusual=self.unusual == 0 or self.unusual >= 1, surge=self.surge >= 0)
        every = flows
        if self.unusual:
            flows = flows.rows(_habit(flows, self.within) >= self.unusual)
        if not len(flows):
            return [], ()
        centre, party = (flows.target, flows.source) if end == "target" else (flows.source, flows.target)
        made = [self._windows(flows, centre, party, shift) for shift in ((0.0, 0.5) if self.alike else (0.0,))]
        index = every.into if end == "target" else every.out
        full = [(k, self._full(flows, one, (every, index, centre))) for k, one in enumerate(made)]
        number, place = (np.concatenate(parts) for parts in zip(*((p * 0 + k, p) for k, p in full), strict=True))
        kept = self._best(flows, centre, made, number, place)
        found = []
        for k in kept.tolist():
            one, p = made[number[k]], place[k]
            rows = one.order[one.low[p] : p + 1]
            total = self._total(every, index, int(centre[rows[0]]), int(flows.time[rows].max()))
            found.append(self._finding(flows, int(centre[rows[0]]), party, rows, total))
        return found, ()

    def _windows(self, flows: Flows, centre: Ints, party: Ints, shift: float) -> Windows:
        """Windows by account, currency and band of amounts; bands shifted by half leave no group on their border."""
        band = np.zeros(len(flows), np.int64)
        if self.alike:
            band = np.floor(np.log(flows.each) / np.log1p(self.alike) + shift).astype(np.int64)
            band -= band.min()
        group = (centre * len(flows.units) + flows.unit) * (int(band.max()) + 1) + band
        return windows(group, party, flows.time, self.within)

    def _full(self, flows: Flows, one: Windows, of: tuple[Flows, Index, Ints]) -> Ints:
        """Positions of the windows that have enough parties and money, and more of them than is usual."""
        place = np.flatnonzero((one.parties >= self.least) & (_sums(flows, one) >= round(self.at_least * 100)))
        if not self.surge:
            return place
        every, index, centre = of
        ends = flows.time[one.order[place]] - self.within
        first, last = (np.searchsorted(every.moments, moment, "right") for moment in (ends - PAST * self.within, ends))
        low, high = index.stretch(centre[one.order[place]], first, last)
        return place[one.parties[place] >= self.surge * (high - low) / PAST]

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

    def _total(self, every: Flows, index: Index, account: int, end: int) -> float:
        """All that the account was paid (or paid) in the window that ends then."""
        first, last = np.searchsorted(every.moments, [end - self.within, end], "right")
        low, high = index.stretch(np.array([account]), first, last)
        return float(every.amount[index.order[low[0] : high[0]]].sum())

    def _finding(self, flows: Flows, account: int, party: Ints, rows: Ints, total: float) -> Finding:
        parties = len(np.unique(party[rows]))
        parts = {
            "parties": beyond(parties, self.least),
            "quick": tight(flows, rows, self.within),
            "alike": even(flows.each[rows]),
            "of all": float(flows.amount[rows].sum()) / total,
        }
        return finding(flows, account, np.sort(rows), blend(parts), f"{parties} parties")


def _sums(flows: Flows, one: Windows) -> Ints:
    """Sum of each window in hundredths, exactly, so that equal windows are equal whatever else is paid."""
    total = np.cumsum(np.rint(flows.amount * 100).astype(np.int64)[one.order])
    before = np.append(0, total)[one.low]
    return np.asarray(total - before)


def _habit(flows: Flows, within: int) -> Floats:
    """(payments,) how many times a transfer exceeds the mean transfer of its payer to others around then, or falls
    short of it; 0 where the payer pays nobody else."""
    first = np.searchsorted(flows.moments, flows.time - within)
    last = np.searchsorted(flows.moments, flows.time + within, "right")
    cents = np.rint(flows.amount * 100).astype(np.int64)
    pair = flows.source * len(flows.accounts) + flows.target
    sums, counts = (_stretched(flows.out, flows.source, first, last, x) for x in (cents, flows.count))
    own, times = (_stretched(flows.between, pair, first, last, x) for x in (cents, flows.count))
    others = np.maximum(sums - own, 1) / np.maximum(counts - times, 1) / 100
    ratio = flows.each / others
    return np.where(counts > times, np.maximum(ratio, 1 / ratio), 0.0)


def _stretched(index: Index, key: Ints, first: Ints, last: Ints, values: Ints) -> Ints:
    """Exact sum of values over a stretch of time of each key."""
    low, high = index.stretch(key, first, last)
    total = np.append(0, np.cumsum(values[index.order]))
    return np.asarray(total[high] - total[low])
