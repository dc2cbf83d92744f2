"""Neighbourhood: for each transfer to be scored, a graph of its own made of what lies before its horizon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gnn.payments.events import Ragged
from gnn.payments.past import Past
from gnn.payments.ports import Ports

EDGE: tuple[str, ...] = ("amount", "amount beside the scored one", "age", "sender's port", "receiver's port", "scored")


@dataclass(frozen=True)
class Batch:
    """Graphs of some transfers side by side: no edge runs from one to another, so no score depends on the batch."""

    ego: Tensor
    """(nodes, 2) float32: 1 at the sender, at the receiver of the transfer its graph is for."""
    source: Tensor
    """(edges,) int64 node that pays."""
    target: Tensor
    edges: Tensor
    """(edges, EDGE) float32. The first edges are the scored transfers themselves, in the order asked."""
    count: int
    """How many transfers are scored."""


class Neighbourhood:
    """Looks up the latest transfers of both ends and of those they lead to; each graph sees its own past alone."""

    def __init__(self, past: Past, fans: tuple[int, ...]) -> None:
        self.past, self.fans = past, fans
        self.ports = Ports.of(past)

    def of(self, rows: np.ndarray) -> Batch:
        """The graphs of these transfers."""
        own, count = self.past.payments, len(rows)
        near = self._around(rows)
        place = np.concatenate([np.arange(count), near.place])
        row = np.concatenate([rows, near.row])
        codes = np.concatenate([place * own.accounts + own.source[row], place * own.accounts + own.target[row]])
        nodes, at = np.unique(codes, return_inverse=True)
        source, target = at[: len(row)], at[len(row) :]
        ego = np.zeros((len(nodes), 2), dtype=np.float32)
        ego[source[:count], 0] = 1
        ego[target[:count], 1] = 1
        edges = self._edges(rows, Ragged(place, row))
        parts = [torch.from_numpy(part) for part in (ego, source, target, edges)]
        return Batch(parts[0], parts[1], parts[2], parts[3], count)

    def batches(self, rows: np.ndarray, size: int) -> Iterator[Batch]:
        for start in range(0, len(rows), size):
            yield self.of(rows[start : start + size])

    def _around(self, rows: np.ndarray) -> Ragged:
        """The transfers of each graph but the scored one, by place and row."""
        past, own = self.past, self.past.payments
        places = np.tile(np.arange(len(rows)), 2)
        front = np.concatenate([own.source[rows], own.target[rows]])
        met, found = places * own.accounts + front, np.zeros(0, dtype=np.int64)
        for fan in self.fans:
            sides = []
            for events, other in ((past.sent, own.target), (past.got, own.source)):
                hits = past.latest(events, front, rows[places], fan)
                sides.append((places[hits.place], hits.row, other[hits.row]))
            place, row, reached = (np.concatenate(parts) for parts in zip(*sides, strict=True))
            found = np.union1d(found, place * len(own) + row)
            new = np.setdiff1d(place * own.accounts + reached, met)
            met = np.union1d(met, new)
            places, front = new // own.accounts, new % own.accounts
        return Ragged(found // len(own), found % len(own))

    def _edges(self, rows: np.ndarray, found: Ragged) -> np.ndarray:
        own, count = self.past.payments, len(rows)
        logs = np.log(own.cents[found.row])
        age = self.past.age(rows, found)
        columns = np.zeros((len(found.row), len(EDGE)), dtype=np.float32)
        columns[:, 0] = logs
        columns[:, 1] = logs - np.log(own.cents[rows])[found.place]
        columns[:, 2] = np.sign(age) * np.log1p(np.abs(age))
        columns[:, 3], columns[:, 4] = np.log(self.ports.out[found.row]), np.log(self.ports.into[found.row])
        columns[:count, 3], columns[:count, 4] = np.log(self.ports.sent(rows)), np.log(self.ports.got(rows))
        columns[:count, 5] = 1
        return columns
