"""What can be measured of a recording without learning: cepstra, loudness, pitch, pauses; 46 numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from scipy.fft import dct
from torch import Tensor

from gnn.encoder import Encoder
from gnn.sound import HOP, RATE, spectrogram, wave

VERSION: Final = 1
CEPSTRA: Final = 13
FRAME: Final = 640
"""Samples of a frame of which the pitch is told: 40 ms, two periods of the lowest one."""
PITCH: Final = (75.0, 400.0)
VOICED: Final = 0.45
"""Least autocorrelation of a voiced frame (Boersma 1993)."""
SILENT: Final = -40.0
"""Decibels below the loudest frame at which a frame counts as silence."""
BLOCK: Final = 8192


class Acoustic(Encoder):
    """Mel-frequency cepstra with their changes (Davis and Mermelstein 1980), loudness, pitch and pauses."""

    modality = "audio"
    dim = 3 * CEPSTRA + 7

    @property
    def fingerprint(self) -> str:
        return f"acoustic-{VERSION}"

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of recordings."""
        rows = [measures(wave(value)) for value in values]
        return torch.from_numpy(np.stack(rows).astype(np.float32)) if rows else torch.zeros(0, self.dim)


def measures(samples: np.ndarray) -> np.ndarray:
    """(46,) mean, spread and mean change of each cepstrum, then loudness, silence, pitch and crossings."""
    cepstra = dct(spectrogram(samples), axis=0, norm="ortho")[:CEPSTRA]
    change = np.abs(np.diff(cepstra, axis=1)).mean(1) if cepstra.shape[1] > 1 else np.zeros(CEPSTRA)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (0, max(0, FRAME - len(samples)))), FRAME)[::HOP]
    level = 20 * np.log10(np.maximum(np.sqrt((frames.astype(np.float64) ** 2).mean(1)), 1e-6))
    loud = level > level.max() + SILENT
    heard = pitches(frames)
    voiced = np.log2(heard[loud & (heard > 0)] / 100.0)
    crossings = np.abs(np.diff(np.signbit(samples).astype(np.int8))).mean() * RATE / 1000
    told = [level[loud].mean() / 10, level[loud].std() / 10, 1 - loud.mean(), len(voiced) / max(loud.sum(), 1)]
    told += [voiced.mean(), voiced.std()] if len(voiced) else [0.0, 0.0]
    return np.concatenate([cepstra.mean(1), cepstra.std(1), change, told, [crossings]])


def pitches(frames: np.ndarray) -> np.ndarray:
    """(frames,) Hz by the strongest peak of the autocorrelation, 0 where a frame is not voiced."""
    return np.concatenate([_pitches(frames[at : at + BLOCK]) for at in range(0, len(frames), BLOCK)])


def _pitches(frames: np.ndarray) -> np.ndarray:
    window = np.hanning(FRAME)
    power = np.abs(np.fft.rfft((frames - frames.mean(1, keepdims=True)) * window, 2 * FRAME)) ** 2
    shape = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * FRAME)) ** 2)[:FRAME]
    alike = np.fft.irfft(power)[:, :FRAME] / shape
    alike = alike / np.maximum(alike[:, :1], 1e-12)
    least, most = int(RATE / PITCH[1]), int(RATE / PITCH[0])
    best = alike[:, least : most + 1].argmax(1)
    strong = alike[np.arange(len(frames)), best + least] >= VOICED
    return np.where(strong, RATE / (best + least), 0.0)
