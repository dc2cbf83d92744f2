"""Cycles: money that comes back to its sender with this transfer, through two to five accounts in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gnn.payments.events import Ragged
from gnn.payments.past import Past, extreme

LONGEST: Final = 5


@dataclass(frozen=True)
class Search:
    """How far cycles are looked for."""

    days: int = 30
    """The first transfer of a cycle is no older than this."""
    fan: int = 12
    """Transfers followed from each account, the latest ones: the search is bounded whatever the hubs."""


@dataclass(frozen=True)
class Walks:
    """Paths of one or two transfers for each question, from or to one of its ends."""

    place: np.ndarray
    rows: np.ndarray
    """(walks, steps) rows of the table, first step from the end of the question first."""
    nodes: np.ndarray
    """(walks, steps) the account reached by each step."""

    @property
    def end(self) -> np.ndarray:
        found: np.ndarray = self.nodes[:, -1]
        return found


def cycles(past: Past, rows: np.ndarray, search: Search | None = None) -> dict[str, np.ndarray]:
    """Count of cycles of each length that the transfer closes, the shortest, and the amount that came round best.

    A cycle of length L is L - 1 transfers from the receiver to the sender over distinct accounts, each at a later
    time than the one before and all before the horizon, and then this transfer. Found in the middle of two walks:
    at most two steps on from the receiver and two back from the sender (compare Blanusa et al. 2024).
    """
    search = search or Search()
    on = _walks(past, rows, forward=True, search=search)
    back = _walks(past, rows, forward=False, search=search)
    counts, gap = np.zeros((LONGEST + 1, len(rows))), np.full(len(rows), np.nan)
    for length, found in _closed(past, rows, on, back):
        counts[length] = np.bincount(found.place, minlength=len(rows))
        best = extreme(_uneven(past, rows, found), found.place, len(rows), least=True)
        gap = np.fmin(gap, best)
    columns = {f"cycles of {length}: count": counts[length] for length in range(2, LONGEST + 1)}
    lengths = np.where(counts > 0, np.arange(LONGEST + 1)[:, None], np.nan)
    shortest = np.fmin.reduce(lengths, axis=0)
    return columns | {"cycle: shortest": shortest, "cycle: amount, largest step of log": gap}


def _closed(past: Past, rows: np.ndarray, on: list[Walks], back: list[Walks]) -> list[tuple[int, Walks]]:
    sender, receiver = past.payments.source[rows], past.payments.target[rows]
    differ = sender != receiver
    first = on[0]
    straight = (first.end == sender[first.place]) & differ[first.place]
    found = [(2, Walks(first.place[straight], first.rows[straight], first.nodes[straight]))]
    for one, other in ((0, 0), (1, 0), (1, 1)):
        met = _meet(past, on[one], back[other])
        inner = met.nodes
        apart = (inner != sender[met.place][:, None]).all(1) & (inner != receiver[met.place][:, None]).all(1)
        apart &= _distinct(inner) & differ[met.place]
        found.append((one + other + 3, Walks(met.place[apart], met.rows[apart], inner[apart])))
    return found


def _walks(past: Past, rows: np.ndarray, forward: bool, search: Search) -> list[Walks]:
    own = past.payments
    events = past.sent if forward else past.got
    there = own.target if forward else own.source
    hits = past.latest(events, (own.target if forward else own.source)[rows], rows, search.fan, search.days)
    one = Walks(hits.place, hits.row[:, None], there[hits.row][:, None])
    onward = past.latest(events, one.end, rows[one.place], search.fan, search.days)
    before, after = one.rows[onward.place, 0], onward.row
    in_order = own.time[after] > own.time[before] if forward else own.time[after] < own.time[before]
    onward = Ragged(onward.place[in_order], after[in_order])
    steps = np.stack([one.rows[onward.place, 0], onward.row], axis=1)
    nodes = np.stack([one.end[onward.place], there[onward.row]], axis=1)
    return [one, Walks(one.place[onward.place], steps, nodes)]


def _meet(past: Past, on: Walks, back: Walks) -> Walks:
    """Walks on and walks back of one question that end in one account, the first before the second."""
    width = past.payments.accounts
    left, right = on.place * width + on.end, back.place * width + back.end
    order = np.argsort(right, kind="stable")
    low, high = np.searchsorted(right[order], left, "left"), np.searchsorted(right[order], left, "right")
    size = high - low
    one = np.repeat(np.arange(len(left)), size)
    step = np.arange(len(one)) - np.repeat(np.cumsum(size) - size, size)
    other = order[low[one] + step]
    time = past.payments.time
    later = time[back.rows[other, -1]] > time[on.rows[one, -1]]
    one, other = one[later], other[later]
    rows = np.concatenate([on.rows[one], back.rows[other][:, ::-1]], axis=1)
    nodes = np.concatenate([on.nodes[one], back.nodes[other][:, :-1][:, ::-1]], axis=1)
    return Walks(on.place[one], rows, nodes)


def _distinct(nodes: np.ndarray) -> np.ndarray:
    """(walks,) true where no account comes twice."""
    ordered = np.sort(nodes, axis=1)
    found: np.ndarray = (np.diff(ordered, axis=1) != 0).all(1)
    return found


def _uneven(past: Past, rows: np.ndarray, found: Walks) -> np.ndarray:
    """(walks,) largest change of the logarithm of the amount from one transfer of the cycle to the next."""
    cents = np.concatenate([past.payments.cents[found.rows], past.payments.cents[rows[found.place]][:, None]], axis=1)
    steps: np.ndarray = np.abs(np.diff(np.log(cents), axis=1)).max(1)
    return steps
