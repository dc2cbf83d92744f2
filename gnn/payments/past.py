"""Past: what each transfer may see of the others, by sender, by receiver and by pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnn.payments.events import Events, Ragged, pairs
from gnn.payments.protocol import Protocol
from gnn.payments.table import DAY, Payments


@dataclass(frozen=True)
class Past:
    """Look-ups of the transfers before the horizon of each transfer; the transfer itself is never among them."""

    payments: Payments
    seen: np.ndarray
    """(payments,) how many leading rows each transfer may see."""
    sent: Events
    got: Events
    pair: Events
    back: np.ndarray
    """(payments,) key of the pair (receiver, sender) in `pair`; -1 where nothing ever went that way."""

    @classmethod
    def of(cls, payments: Payments, protocol: Protocol) -> Past:
        source, target = payments.source, payments.target
        both = pairs(np.concatenate([source, target]), np.concatenate([target, source])).key
        there, back = both[: len(payments)], both[len(payments) :].copy()
        back[~np.isin(back, there)] = -1
        return cls(payments, protocol.seen(payments), Events.by(source), Events.by(target), Events.by(there), back)

    def latest(self, events: Events, keys: np.ndarray, rows: np.ndarray, most: int, days: int | None = None) -> Ragged:
        """The last `most` transfers with each key that `rows` may see, none older than `days`."""
        since = None
        if days is not None:
            since = np.searchsorted(self.payments.time, self.payments.time[rows] - days * DAY, "right")
        found = events.latest(keys, self.seen[rows], most + 1, since)
        found = found.where(found.row != rows[found.place])
        turn = np.arange(len(found.place)) - np.searchsorted(found.place, found.place, "left")
        return found.where(turn < most)

    def count(self, events: Events, keys: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(rows,) how many transfers with each key `rows` may see."""
        own = (events.key[rows] == keys) & (rows < self.seen[rows])
        found: np.ndarray = events.before(keys, self.seen[rows]) - own
        return found

    def age(self, rows: np.ndarray, found: Ragged) -> np.ndarray:
        """Days from each transfer found to the one that asks; below 0 for a later one of the same batch."""
        days: np.ndarray = (self.payments.time[rows][found.place] - self.payments.time[found.row]) / DAY
        return days


def mean(values: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """(count,) mean of the values of each place; not a number where there are none."""
    total, number = np.bincount(place, values, count), np.bincount(place, minlength=count)
    found: np.ndarray = np.divide(total, number, out=np.full(count, np.nan), where=number > 0)
    return found


def extreme(values: np.ndarray, place: np.ndarray, count: int, least: bool = False) -> np.ndarray:
    """(count,) largest (or least) value of each place; not a number where there are none."""
    found = np.full(count, np.nan)
    (np.fmin if least else np.fmax).at(found, place, values)
    return found
