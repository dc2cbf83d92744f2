"""Voices: which stretches of a recording are said by the same speaker, S1, S2, ... in the order they are first heard.

Each stretch is described by mean and deviation of its cepstral coefficients (MFCC, Davis and Mermelstein 1980) and its
pitch; a logistic function of the differences tells how likely two stretches are two speakers, and average linkage joins
those that are likely one. It cannot tell two speakers within a sentence, nor another microphone from another speaker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.extract.sound.sound import RATE, Wave, pitches
from kg.errors import MissingExtraError

WEIGHTS: Final = (6.8, 0.7, 10.5)
"""Of the distance of the means, of the deviations, and of the pitch (as a ratio, at most half)."""
BIAS: Final = -5.6
APART: Final = 0.6
"""Mean probability of being two from which groups of stretches are two speakers."""
SHORTEST: Final = 2.0
"""Seconds that a stretch must last to be told."""
MOST: Final = 3000
"""Stretches told apart; a recording of more is left as one."""
_COEFFICIENTS: Final = 19
_QUIET: Final = 0.3
"""Share of the frames, the softest, that are left out."""


def speakers(wave: Wave, stretches: Sequence[tuple[float, float]]) -> list[str]:
    """The speaker of each stretch, given by its seconds: "" where it is too short, S1 for all if there is one voice."""
    long = [row for row, (start, end) in enumerate(stretches) if end - start >= SHORTEST and start * RATE < len(wave)]
    if not long or len(long) > MOST:
        return [""] * len(stretches)
    found = [described(wave[int(stretches[row][0] * RATE) : int(stretches[row][1] * RATE)]) for row in long]
    names: dict[int, str] = {}
    told = [""] * len(stretches)
    for row, group in zip(long, groups(np.stack(found)), strict=True):
        told[row] = names.setdefault(group, f"S{len(names) + 1}")
    return told


def described(wave: Wave) -> NDArray[np.float64]:
    """Means and deviations of 19 cepstral coefficients, then the logarithm of the median pitch (NaN without one)."""
    try:
        from faster_whisper.feature_extractor import FeatureExtractor
    except ImportError as error:
        raise MissingExtraError("telling voices apart needs faster-whisper; install kgrisk[sound]") from error
    from scipy.fft import dct

    bands = np.asarray(FeatureExtractor(feature_size=40)(wave))[:, : max(1, len(wave) // 160)]
    loud = bands.mean(axis=0)
    kept = bands[:, loud >= np.quantile(loud, _QUIET)]
    cepstrum = dct(kept, axis=0, norm="ortho")[1 : _COEFFICIENTS + 1]
    pitch = pitches(wave)
    middle = np.log(np.median(pitch[pitch > 0])) if (pitch > 0).any() else np.nan
    return np.concatenate([cepstrum.mean(axis=1), cepstrum.std(axis=1), [middle]])


def groups(
    found: NDArray[np.float64], weights: Sequence[float] | NDArray[np.float64] = WEIGHTS, bias: float = BIAS
) -> list[int]:
    """Number of the group that each described stretch is in."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(found) < 2:
        return [1] * len(found)
    chance = 1 / (1 + np.exp(-(differences(found) @ np.asarray(weights) + bias)))
    np.fill_diagonal(chance, 0.0)
    joined = linkage(squareform(chance, checks=False), "average")
    return [int(group) for group in fcluster(joined, APART, "distance")]


def differences(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each two stretches are apart in the three measures, `[n, n, 3]`."""
    apart = np.abs(found[:, None] - found[None])
    means, spreads = apart[..., :_COEFFICIENTS], apart[..., _COEFFICIENTS:-1]
    pitch = np.minimum(np.nan_to_num(apart[..., -1]), 0.5)
    return np.stack([np.linalg.norm(means, axis=-1), np.linalg.norm(spreads, axis=-1), pitch], axis=-1)
