"""Ports: which of its counterparties, in order of their first transfer, an account deals with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnn.payments.events import Events
from gnn.payments.past import Past


@dataclass(frozen=True)
class Ports:
    """Port numbers (Sato et al. 2019; for payments Egressy et al. 2024): all transfers of a pair share one, from 1.

    A pair of which the horizon of a transfer shows nothing gets the number after the last one seen.
    """

    past: Past
    out: np.ndarray
    """(payments,) number of the receiver among those of the sender, by the order of first transfers."""
    into: np.ndarray
    """(payments,) number of the sender among those of the receiver."""
    first: np.ndarray
    """(payments,) row of the first transfer of the same pair."""
    fresh_sent: Events
    """First transfers of pairs alone, by sender; rows of other transfers are under a key that nobody has."""
    fresh_got: Events

    @classmethod
    def of(cls, past: Past) -> Ports:
        own, pair = past.payments, past.pair
        row = np.arange(len(own))
        start = pair.order[np.searchsorted(pair.key[pair.order], pair.key, "left")]
        new = start == row
        sent = Events.by(np.where(new, own.source, own.accounts))
        got = Events.by(np.where(new, own.target, own.accounts))
        out, into = sent.before(own.source, start) + 1, got.before(own.target, start) + 1
        return cls(past, out, into, start, sent, got)

    def sent(self, rows: np.ndarray) -> np.ndarray:
        """(rows,) the sender's port of each transfer as its horizon shows it."""
        return self._shown(rows, self.out, self.fresh_sent, self.past.payments.source[rows])

    def got(self, rows: np.ndarray) -> np.ndarray:
        """(rows,) the receiver's port of each transfer as its horizon shows it."""
        return self._shown(rows, self.into, self.fresh_got, self.past.payments.target[rows])

    def _shown(self, rows: np.ndarray, ports: np.ndarray, fresh: Events, keys: np.ndarray) -> np.ndarray:
        seen = self.past.seen[rows]
        after = fresh.before(keys, seen) + 1
        return np.where(self.first[rows] < seen, ports[rows], after).astype(np.float64)
