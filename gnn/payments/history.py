"""A transfer beside the history of its two ends: what is usual, how long ago, how many others before."""

from __future__ import annotations

from typing import Final

import numpy as np

from gnn.payments.events import Events
from gnn.payments.past import Past, extreme, mean
from gnn.payments.ports import Ports

MOST: Final = 32
"""Earlier transfers that tell what is usual."""
SAME: Final = 0.01
"""Two amounts within this share of each other are the same."""
DIGITS: Final = (10_000, 1_000, 100, 10, 1)
THRESHOLDS: Final = (1_000, 3_000, 5_000, 10_000, 15_000)
"""Amounts at which payments are reported or checked in many countries: those a little below are told apart."""
BELOW: Final = 0.1


def habits(past: Past, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Counts, ages and amounts of what came before, for each end and for the pair."""
    own = past.payments
    source, target = own.source[rows], own.target[rows]
    back = np.maximum(past.back[rows], 0)
    sides: dict[str, tuple[Events, np.ndarray]] = {
        "sender sent": (past.sent, source),
        "sender got": (past.got, source),
        "receiver sent": (past.sent, target),
        "receiver got": (past.got, target),
        "pair": (past.pair, past.pair.key[rows]),
        "pair back": (past.pair, back),
    }
    columns: dict[str, np.ndarray] = {}
    for name, (events, keys) in sides.items():
        there = past.back[rows] >= 0 if name == "pair back" else np.ones(len(rows), dtype=bool)
        columns |= _usual(past, rows, (events, keys, there), name)
    ports = Ports.of(past)
    columns["sender: which distinct receiver"] = ports.sent(rows)
    columns["receiver: which distinct sender"] = ports.got(rows)
    return columns


def _usual(
    past: Past, rows: np.ndarray, side: tuple[Events, np.ndarray, np.ndarray], name: str
) -> dict[str, np.ndarray]:
    events, keys, there = side
    hits = past.latest(events, keys, rows, MOST)
    hits = hits.where(there[hits.place])
    logs, mine = np.log(past.payments.cents[hits.row]), np.log(past.payments.cents[rows])
    gap = np.abs(logs - mine[hits.place])
    return {
        f"{name}: count": np.where(there, past.count(events, keys, rows), 0).astype(np.float64),
        f"{name}: days since": extreme(past.age(rows, hits), hits.place, len(rows), least=True),
        f"{name}: amount beside the usual": mine - mean(logs, hits.place, len(rows)),
        f"{name}: amount nearest": extreme(gap, hits.place, len(rows), least=True),
        f"{name}: amount, share the same": mean((gap < SAME).astype(np.float64), hits.place, len(rows)),
    }


def digits(past: Past, rows: np.ndarray) -> dict[str, np.ndarray]:
    """How round the amount is, and how far below the next threshold of reporting if it is little."""
    cents = past.payments.cents[rows]
    round_to = np.zeros(len(rows))
    for size in DIGITS:
        round_to = np.where((round_to == 0) & (cents % (size * 100) == 0), float(size), round_to)
    short = np.full(len(rows), np.nan)
    for limit in THRESHOLDS:
        share = 1 - cents / (limit * 100)
        short = np.where((share > 0) & (share <= BELOW), share, short)
    return {"amount: round to": round_to, "amount: share below a threshold": short}


def raw(past: Past, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of the transfer itself: amount, day of the week, hour. No account numbers: they would be learned."""
    hours = past.payments.time[rows] // 3_600_000_000
    return {
        "amount": past.payments.cents[rows] / 100,
        "day of the week": (((hours // 24) + 3) % 7).astype(np.float64),
        "hour": (hours % 24).astype(np.float64),
    }
