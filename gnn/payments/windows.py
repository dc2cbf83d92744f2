"""Activity of both ends over the last day, week and month: how often, with how many others, how much."""

from __future__ import annotations

from typing import Final

import numpy as np

from gnn.payments.events import Events, Ragged
from gnn.payments.past import Past, mean

DAYS: Final = (1, 7, 30)
MOST: Final = 256
"""Transfers looked at of one account, the latest ones: hubs cost no more than this."""


def activity(past: Past, rows: np.ndarray) -> dict[str, np.ndarray]:
    """For sent and got of sender and receiver and each window: count, distinct others, sum, mean, spread."""
    own = past.payments
    found: dict[str, np.ndarray] = {}
    for end, keys in (("sender", own.source[rows]), ("receiver", own.target[rows])):
        for way, events, other in (("sent", past.sent, own.target), ("got", past.got, own.source)):
            found |= _windows(past, rows, (events, keys, other), f"{end} {way}")
    return found


def _windows(
    past: Past, rows: np.ndarray, side: tuple[Events, np.ndarray, np.ndarray], name: str
) -> dict[str, np.ndarray]:
    events, keys, other = side
    hits = past.latest(events, keys, rows, MOST, max(DAYS))
    age = past.age(rows, hits)
    fresh = _newest(hits, other[hits.row])
    columns: dict[str, np.ndarray] = {}
    for days in DAYS:
        near = age < days
        part, label = hits.where(near), f"{name}, {days} d"
        cents = past.payments.cents[part.row].astype(np.float64)
        count = np.bincount(part.place, minlength=len(rows))
        columns[f"{label}: count"] = count.astype(np.float64)
        columns[f"{label}: distinct"] = np.bincount(hits.place[near & fresh], minlength=len(rows)).astype(np.float64)
        columns[f"{label}: amount, sum"] = np.bincount(part.place, cents, len(rows)) / 100
        columns[f"{label}: amount, mean"] = mean(cents / 100, part.place, len(rows))
        columns[f"{label}: amount, spread of log"] = spread(np.log(cents), part.place, len(rows))
    return columns


def _newest(hits: Ragged, other: np.ndarray) -> np.ndarray:
    """(hits,) true at the latest transfer with each counterparty of each question."""
    width = int(other.max(initial=0)) + 1
    first = np.unique(hits.place * width + other, return_index=True)[1]
    newest = np.zeros(len(other), dtype=bool)
    newest[first] = True
    return newest


def spread(values: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """(count,) standard deviation of the values of each place; not a number where there are none."""
    middle = mean(values, place, count)
    found: np.ndarray = np.sqrt(mean((values - middle[place]) ** 2, place, count))
    return found
