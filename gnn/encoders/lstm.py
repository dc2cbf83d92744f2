"""Recordings by a long short-term memory that is trained here: 32 numbers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from gnn.lessons import Next, Values
from gnn.networks import Recurrent
from gnn.sound import spectrogram, wave
from gnn.train import Task
from gnn.trainable import Trainable

BANDS: Final = 40
STEPS: Final = 100
"""Steps into which a recording is cut; one of less than STEPS * FRAMES hundredths of a second has fewer."""
FRAMES: Final = 4
"""Least number of frames in a step: 40 ms."""


class Lstm(Trainable):
    """LSTM (Hochreiter and Schmidhuber 1997) over mel energies; taught alone, it says each step from those before."""

    name = "lstm"
    modality = "audio"
    dim = 32
    shape = (STEPS, BANDS)

    def prepare(self, value: Any) -> Tensor:
        mel = spectrogram(wave(value), BANDS).T
        count = min(STEPS, max(1, len(mel) // FRAMES))
        parts = np.array_split(mel, count)
        table = np.zeros((STEPS, BANDS), dtype=np.float32)
        table[STEPS - count :] = np.stack([part.mean(0) for part in parts])
        return torch.from_numpy(table)

    def build(self) -> nn.Module:
        return Recurrent(BANDS, self.dim, "lstm")

    def lesson(self, given: Tensor) -> tuple[Task, nn.Module]:
        assert isinstance(self.network, Recurrent)
        return Values(given), Next(self.network, self.dim, BANDS)
