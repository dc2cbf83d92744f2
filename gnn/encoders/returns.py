"""What can be counted of a series of closes without learning: returns, volatilities, falls; the plain baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from gnn.encoder import Encoder
from gnn.quotes import MOST, UNIT, sessions

VERSION: Final = 1
WINDOWS: Final = (1, 5, 20, 60)
"""Sessions over which returns and volatilities are taken."""
DECAY: Final = 0.94
"""Weight of yesterday in the moving variance (RiskMetrics 1996)."""


class Returns(Encoder):
    """Sums and spreads of log returns over four windows, fall from the top, moving variance, skew and length."""

    modality = "series"
    dim = 2 * len(WINDOWS) + 6

    @property
    def fingerprint(self) -> str:
        return f"returns-{VERSION}"

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of packed series."""
        rows = [figures(sessions(value)) for value in values]
        return torch.tensor(np.array(rows), dtype=torch.float32) if rows else torch.zeros(0, self.dim)


def figures(rows: np.ndarray) -> list[float]:
    """The figures of one series (sessions, COLUMNS), in units of two hundredths where they are returns."""
    closes = rows[:, 1]
    moves = np.clip(np.diff(np.log(closes)) / UNIT, -MOST, MOST)
    last = [moves[-window:] for window in WINDOWS]
    age = np.arange(len(moves))[::-1]
    ewma = float(np.sqrt(np.average(moves**2, weights=DECAY**age)))
    spread = float(moves.std())
    skew = float(((moves - moves.mean()) ** 3).mean() / spread**3) if spread > 1e-9 else 0.0
    fall = float(np.log(closes[-1] / closes[-WINDOWS[-1] :].max()) / UNIT)
    sums = [float(own.sum()) / np.sqrt(len(own)) for own in last]
    sizes = [float(np.sqrt((own**2).mean())) for own in last]
    others = [ewma, skew, fall, float((last[2] > 0).mean()), float(np.abs(moves).max()), float(np.log(len(moves)))]
    return [*sums, *sizes, *others]
