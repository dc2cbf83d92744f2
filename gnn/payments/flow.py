"""Money that passes through, and the neighbours of the two ends."""

from __future__ import annotations

from typing import Final

import numpy as np

from gnn.payments.events import Events
from gnn.payments.past import Past, extreme, mean

DAYS: Final = 7
LIKE: Final = 0.1
"""Amounts whose logarithms differ by at most this may be the same money, less a fee."""
MOST: Final = 64
NEAR: Final = 10
"""Neighbours whose own activity is looked at, the latest ones."""


def passing(past: Past, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What the sender got in the last days and now sends on, and what of it the amount matches."""
    own = past.payments
    hits = past.latest(past.got, own.source[rows], rows, MOST, DAYS)
    age = past.age(rows, hits)
    gap = np.abs(np.log(own.cents[hits.row]) - np.log(own.cents[rows])[hits.place])
    like = gap < LIKE
    sent = past.latest(past.sent, own.source[rows], rows, MOST, DAYS)
    into = np.bincount(hits.place, own.cents[hits.row].astype(np.float64), len(rows))
    out = np.bincount(sent.place, own.cents[sent.row].astype(np.float64), len(rows)) + own.cents[rows]
    return {
        "passed on: amount alike, count": np.bincount(hits.place[like], minlength=len(rows)).astype(np.float64),
        "passed on: amount alike, days since": extreme(age[like], hits.place[like], len(rows), least=True),
        "passed on: amount, log sent to got": np.log(out) - np.log(np.where(into > 0, into, np.nan)),
        "passed on: senders before": _distinct(hits.place, own.source[hits.row], len(rows)),
    }


def around(past: Past, rows: np.ndarray) -> dict[str, np.ndarray]:
    """How busy those are that paid the sender, that the receiver pays, and that pay the receiver too."""
    own = past.payments
    sides: dict[str, tuple[Events, np.ndarray, np.ndarray]] = {
        "payers of the sender": (past.got, own.source[rows], own.source),
        "payees of the receiver": (past.sent, own.target[rows], own.target),
        "other payers of the receiver": (past.got, own.target[rows], own.source),
    }
    columns: dict[str, np.ndarray] = {}
    for name, (events, keys, other) in sides.items():
        hits = past.latest(events, keys, rows, NEAR)
        for way, all_of in (("sent", past.sent), ("got", past.got)):
            busy = past.count(all_of, other[hits.row], rows[hits.place]).astype(np.float64)
            columns[f"{name}: {way}, mean"] = mean(busy, hits.place, len(rows))
            columns[f"{name}: {way}, most"] = extreme(busy, hits.place, len(rows))
        columns[f"{name}: days since, mean"] = mean(past.age(rows, hits), hits.place, len(rows))
    return columns


def _distinct(place: np.ndarray, other: np.ndarray, count: int) -> np.ndarray:
    width = int(other.max(initial=0)) + 1
    found = np.unique(place * width + other) // width
    return np.bincount(found, minlength=count).astype(np.float64)
