"""Features: the columns of a transfer and what the graph told about its ends by its horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa

from gnn.payments.cycles import cycles
from gnn.payments.flow import around, passing
from gnn.payments.history import digits, habits, raw
from gnn.payments.past import Past
from gnn.payments.protocol import STRICT, Protocol
from gnn.payments.table import Payments
from gnn.payments.windows import activity

Block = Callable[[Past, np.ndarray], dict[str, np.ndarray]]

GRAPH: Final[tuple[Block, ...]] = (digits, activity, habits, passing, around, cycles)
CHUNK: Final = 16_384
"""Transfers described at once: memory is bounded by them, not by the table."""


@dataclass(frozen=True)
class Features:
    """Named numbers of transfers; not a number where there is nothing to tell."""

    names: tuple[str, ...]
    values: np.ndarray
    """(transfers, names) float64."""

    def where(self, chosen: Callable[[str], bool]) -> Features:
        """The columns whose name is chosen."""
        keep = [k for k, name in enumerate(self.names) if chosen(name)]
        return Features(tuple(self.names[k] for k in keep), self.values[:, keep])

    def of(self, rows: np.ndarray) -> Features:
        return Features(self.names, self.values[rows])


def reads_amounts(name: str) -> bool:
    """Whether a column is made of amounts: names say so."""
    return "amount" in name


def columns(amounts: bool = True) -> tuple[str, ...]:
    """Names of the columns that `describe` makes, in order; with amounts or without those made of them."""
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    row = {"id": ["-"], "source": ["a"], "target": ["b"], "amount": [1.0]}
    bare = pa.table(row | {"time": pa.array([moment], pa.timestamp("us", "UTC"))})
    names = describe(Payments.of(bare), STRICT).names
    return tuple(name for name in names if amounts or not reads_amounts(name))


def describe(payments: Payments, protocol: Protocol, graph: bool = True) -> Features:
    """The transfer's own columns and, with `graph`, those of GRAPH: each as of the transfer's horizon.

    The families are those of the Graph Feature Preprocessor (Blanusa et al. 2024), computed our way.
    """
    past, blocks = Past.of(payments, protocol), (raw, *(GRAPH if graph else ()))
    parts: list[np.ndarray] = []
    names: tuple[str, ...] = ()
    for start in range(0, len(payments), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(payments)))
        columns: dict[str, np.ndarray] = {}
        for block in blocks:
            columns |= block(past, rows)
        names = tuple(columns)
        parts.append(np.stack([columns[name] for name in names], axis=1))
    return Features(names, np.concatenate(parts))
