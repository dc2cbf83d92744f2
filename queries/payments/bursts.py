"""Bursts: stretches of time in which a group of payments gathers, and the best of those that overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """For each row, in order of group and time, the window of its group that ends with it."""

    order: Ints
    """Rows as given, in order of group, then time."""
    low: Ints
    """First position of the window in `order`; the window is low <= p <= own position."""
    parties: Ints
    """How many different parties are in it."""


def windows(group: Ints, party: Ints, time: Ints, within: int) -> Windows:
    """Windows (t - within, t] of each row, where t is its time, and the different parties in each.

    A party counts in a window at its first row there: row j does so for every window that begins after the party's
    row before j and not after j, which is a stretch of windows, as windows begin and end in order.
    """
    order = np.lexsort((time, group))
    g, t, p = group[order], time[order], party[order]
    n = np.arange(len(order))
    _, number = np.unique(g, return_inverse=True)
    _, moment = np.unique(t, return_inverse=True)
    moments = np.unique(t)
    width = len(moments) + 1
    first = np.searchsorted(moments, t - within, "right")
    low = np.searchsorted(number * width + moment, number * width + first).astype(np.int64)
    _, pair = np.unique(np.stack([g, p]), axis=1, return_inverse=True) if len(order) else (0, n)
    by = np.lexsort((n, pair.ravel()))
    before = np.full(len(order), -1)
    again = np.flatnonzero(np.diff(pair.ravel()[by]) == 0)
    before[by[again + 1]] = by[again]
    start = np.maximum(n, np.searchsorted(low, before, "right"))
    stop = np.searchsorted(low, n, "right")
    change = np.zeros(len(order) + 1, np.int64)
    counted = start < stop
    np.add.at(change, start[counted], 1)
    np.add.at(change, stop[counted], -1)
    return Windows(order, low, np.cumsum(change)[:-1])


def best(group: Ints, time: Ints, rank: Ints, within: int) -> Ints:
    """Rows that no row of their group within +-`within` outranks; ranks are all different.

    Everything left out lies that near a better one. Ascending.
    """
    order = np.lexsort((time, group))
    g, t, r = group[order], time[order], rank[order]
    if not len(order):
        return order
    _, number = np.unique(g, return_inverse=True)
    moments, moment = np.unique(t, return_inverse=True)
    width, place = len(moments) + 1, number * (len(moments) + 1)
    low = np.searchsorted(place + moment, place + np.searchsorted(moments, t - within))
    high = np.searchsorted(place + moment, place + np.searchsorted(moments, t + within, "right"))
    assert width
    return np.sort(order[r == _highest(r, low, high)])


def _highest(values: Ints, low: Ints, high: Ints) -> Ints:
    """Greatest of values[low:high] for each pair, by a table of maxima over powers of two."""
    table = [values]
    while 2 ** len(table) <= len(values):
        half = 2 ** (len(table) - 1)
        table.append(np.maximum(table[-1][:-half], table[-1][half:]))
    level = np.floor(np.log2(high - low)).astype(int)
    found = np.empty_like(values)
    for k, row in enumerate(table):
        at = level == k
        found[at] = np.maximum(row[low[at]], row[high[at] - 2**k])
    return found
