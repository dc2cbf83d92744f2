"""Steps of a series of closes that know no later session: what the recurrent and convolutional encoders read."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from gnn.lessons import Next, Values
from gnn.networks import Stepwise
from gnn.train import Task
from gnn.trainable import Trainable
from gnn.values import COLUMNS, unpacked
from kg.errors import ModelError

STEPS: Final = 60
"""Sessions that are read: a quarter of a year."""
LEAST: Final = 21
"""Returns without which a series says too little."""
UNIT: Final = 0.02
"""A log return of two hundredths counts as one."""
MOST: Final = 8.0
"""Units beyond which a return counts no more: a split that nobody adjusted for, or a misprint."""
CHANNELS: Final = 4
"""Return, change of volume, whether there is a volume, whether there is a session."""


def sessions(value: Any) -> np.ndarray:
    """(sessions, COLUMNS) of a packed series in order; ModelError if it is none or has too few sessions."""
    if not isinstance(value, bytes) or not value or len(value) % (8 * COLUMNS):
        raise ModelError(f"series encoder: expected packed sessions (gnn.values.packed), got {type(value).__name__}")
    rows = unpacked(value)
    closes = rows[:, 1]
    if not (np.isfinite(closes) & (closes > 0)).all() or not (np.diff(rows[:, 0]) > 0).all():
        raise ModelError("series encoder: closes must be positive numbers in order of their days")
    if len(rows) <= LEAST:
        raise ModelError(f"series encoder: {len(rows)} sessions, {LEAST + 1} are the least that say anything")
    return rows


def steps(rows: np.ndarray) -> Tensor:
    """(STEPS, CHANNELS) of the last sessions, zeros before the first one. Only ratios of closes and volumes enter."""
    rows = rows[-(STEPS + 1) :]
    returns = np.clip(np.diff(np.log(rows[:, 1])) / UNIT, -MOST, MOST)
    with np.errstate(invalid="ignore"):
        moved = np.diff(np.log1p(np.maximum(rows[:, 2], 0.0)))
    known = np.isfinite(moved)
    table = np.zeros((STEPS, CHANNELS))
    parts = (returns, np.clip(np.where(known, moved, 0.0), -MOST, MOST), known, np.ones(len(returns)))
    table[STEPS - len(returns) :] = np.stack(parts, axis=1)
    return torch.from_numpy(table).to(torch.float32)


class Quotes(Trainable):
    """A network that reads the sessions of a series; taught alone, it says each session from those before it."""

    modality = "series"
    dim = 32
    shape = (STEPS, CHANNELS)

    def prepare(self, value: Any) -> Tensor:
        return steps(sessions(value))

    def lesson(self, given: Tensor) -> tuple[Task, nn.Module]:
        assert isinstance(self.network, Stepwise)
        return Values(given), Next(self.network, self.dim, CHANNELS)
