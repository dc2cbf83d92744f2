"""Arousal: how agitated a voice sounds beside the same speaker's own middle, 0 (calmer) to 1 (more agitated).

It is a measure of the voice and of nothing else: which emotion it is, whether there is one, and what follows from it
are not told. Pitch, its spread, loudness, spectral tilt, rate, jitter and shimmer of a stretch are set against their
medians over the recording; their weighted sum is the measure. The weights were fitted on synthetic voices, and the half
width of the interval is the error that nine in ten sentences of voices left out kept below
(`python -m benchmarks.ingest.speech_arousal fitted`; split conformal prediction, Vovk et al. 2005).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MEASURES: Final = (
    "pitch mean",
    "pitch deviation",
    "intensity mean",
    "spectral tilt",
    "words a minute",
    "jitter",
    "shimmer",
)
WEIGHTS: Final[Mapping[str, float]] = {
    "pitch mean": 0.2824,
    "pitch deviation": -0.0025,
    "intensity mean": 0.1824,
    "spectral tilt": 0.0251,
    "words a minute": 0.0434,
    "jitter": -0.0071,
    "shimmer": 0.154,
}
"""Of the difference of each measure, in the units of `apart`."""
HALF: Final = 0.097
"""Half the width of the interval of nine in ten."""
LEAST: Final = 4
"""Stretches that a speaker's middle is told from; with fewer nothing is said."""
_RATIOS: Final = ("pitch mean", "pitch deviation", "words a minute")
_UNIT: Final = {"intensity mean": 6.0, "spectral tilt": 6.0, "jitter": 0.02, "shimmer": 1.0}
"""What counts as one: 6 dB, 2 % of pitch, 1 dB; of a ratio it is the factor e."""
_WIDEST: Final = 2.0
"""Units beyond which a difference counts no more: such a measure has failed."""


@dataclass(frozen=True, slots=True)
class Arousal:
    """The measure of a stretch with its interval."""

    value: float
    low: float
    high: float


def arousals(said: Sequence[Mapping[str, float]]) -> list[Arousal]:
    """Arousal of each stretch of one speaker in one recording; nothing for fewer than LEAST stretches.

    `said` has the `acoustics` of each stretch and its `words a minute`.
    """
    if len(said) < LEAST:
        return []
    sums = (0.5 + float(row @ np.array([WEIGHTS[name] for name in MEASURES])) for row in apart(said))
    return [_within(value) for value in sums]


def _within(value: float) -> Arousal:
    value, low, high = (min(1.0, max(0.0, v)) for v in (value, value - HALF, value + HALF))
    return Arousal(round(value, 3), round(low, 3), round(high, 3))


def apart(said: Sequence[Mapping[str, float]]) -> list[NDArray[np.float64]]:
    """How far each stretch stands from the middle of all, by measure; a measure that is not there stands at it."""
    columns = []
    for name in MEASURES:
        values = np.array([row.get(name, np.nan) for row in said], np.float64)
        if name in _RATIOS:
            values = np.log(np.where(values > 0, values, np.nan))
        if not np.isfinite(values).any():
            columns.append(np.zeros(len(said)))
            continue
        far = (values - np.nanmedian(values)) / _UNIT.get(name, 1.0)
        columns.append(np.clip(np.nan_to_num(far), -_WIDEST, _WIDEST))
    return list(np.stack(columns, axis=1))
