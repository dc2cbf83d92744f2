"""Sound: a recording as one channel of samples, and what can be measured in it without knowing a word.

Decoding is PyAV's (ffmpeg). Pitch is the strongest peak of the autocorrelation of short frames (Boersma 1993, without
path finding); intensity is in decibels of full scale.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kg.errors import MissingExtraError, RecordError

Wave = NDArray[np.float32]

RATE: Final = 16_000
"""Samples a second after decoding: what the speech model wants."""
LONGEST: Final = 2 * 3600
"""Seconds read of one recording; a longer one is refused, it would not fit in memory."""
_FRAME: Final = 640
"""Samples of a frame: 40 ms, two periods of the lowest pitch looked for."""
_STEP: Final = 160
_PITCH: Final = (75.0, 400.0)
_VOICED: Final = 0.45
"""Least autocorrelation of a voiced frame, as in Praat."""
_OCTAVE: Final = 0.02
"""What a pitch an octave lower costs: two periods repeat as well as one."""
_SILENT: Final = -40.0
"""Decibels below the loudest frame at which a frame counts as silence."""
_PAUSE: Final = 0.25
"""Seconds of silence that make a pause."""
_BLOCK: Final = 8192


def decode_sound(content: bytes) -> Wave:
    """Samples in -1..1 at 16 kHz of a WAV, FLAC, MP3, Ogg or MP4 file; RecordError if there is no sound in it."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("reading recordings needs av; install kgrisk[sound]") from error
    if not content:
        raise RecordError("the recording is empty; expected WAV, FLAC, MP3, Ogg or MP4")
    try:
        with av.open(io.BytesIO(content)) as media:
            pieces = list(_limited(media, av))
    except (av.FFmpegError, ValueError, OSError) as error:
        raise RecordError(f"the recording cannot be decoded: {error}; expected WAV, FLAC, MP3, Ogg or MP4") from error
    wave = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if not len(wave):
        raise RecordError("the recording has no sample; it is cut off after its header")
    if not np.isfinite(wave).all():
        raise RecordError("the recording has samples that are no numbers (NaN or infinite)")
    return wave


def _limited(media: Any, av: Any) -> Iterator[Wave]:
    if not media.streams.audio:
        raise RecordError("the file has no sound track")
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    count = 0
    for frame in media.decode(audio=0):
        for part in resampler.resample(frame):
            piece = np.asarray(part.to_ndarray(), np.float32).reshape(-1)
            count += len(piece)
            if count > LONGEST * RATE:
                raise RecordError(f"the recording is longer than {LONGEST // 3600} hours; cut it into parts")
            yield piece


def seconds(wave: Wave) -> float:
    return len(wave) / RATE


def acoustics(wave: Wave) -> Mapping[str, float]:
    """Measures of a stretch of sound by name, rounded: Hz, dBFS, shares and counts a minute.

    `pitch mean`, `pitch deviation` and `jitter` are left out where no frame is voiced.
    """
    frames = _frames(wave)
    level = 20 * np.log10(np.maximum(np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1)), 1e-6))
    loud = level > level.max() + _SILENT
    pitch = _pitches(frames)
    voiced = pitch[loud & (pitch > 0)]
    crossings = np.abs(np.diff(np.signbit(wave).astype(np.int8))).sum() / max(seconds(wave), 1e-9)
    found = {
        "intensity mean": float(level[loud].mean()),
        "intensity deviation": float(level[loud].std()),
        "voiced share": len(voiced) / max(int(loud.sum()), 1),
        "silence share": 1 - float(loud.mean()),
        "pauses a minute": _pauses(loud) / max(seconds(wave) / 60, 1e-9),
        "zero crossings a second": float(crossings),
    }
    found |= {"spectral tilt": _tilt(wave), "shimmer": _unsteady(level, loud & (pitch > 0))}
    if len(voiced):
        found |= {"pitch mean": float(voiced.mean()), "pitch deviation": float(voiced.std())}
        found |= {"jitter": _unsteady(np.log(np.maximum(pitch, 1e-9)), loud & (pitch > 0))}
    return {name: round(value, 4) for name, value in sorted(found.items())}


def pitches(wave: Wave) -> NDArray[np.float64]:
    """Hz of each hundredth of a second, 0 where it is not voiced."""
    return _pitches(_frames(wave))


def _tilt(wave: Wave) -> float:
    """Decibels by which what lies above 1 kHz is louder than what lies below: a pressed voice has more."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    low = int(1000 * len(wave) / RATE) + 1
    return float(10 * np.log10((power[low:].sum() + 1e-12) / (power[1:low].sum() + 1e-12)))


def _unsteady(values: NDArray[np.float64], voiced: NDArray[np.bool_]) -> float:
    """Mean change from one voiced frame to the next; of pitch (as a ratio) it is like jitter, of level like shimmer."""
    both = voiced[1:] & voiced[:-1]
    return float(np.abs(np.diff(values))[both].mean()) if both.any() else 0.0


def _frames(wave: Wave) -> Wave:
    """Overlapping frames `[n, 640]`; a short wave is padded to one frame."""
    padded = np.pad(wave, (0, max(0, _FRAME - len(wave))))
    return np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_STEP]


def _pitches(frames: Wave) -> NDArray[np.float64]:
    """Hz of each frame, 0 where it is not voiced; in blocks, so that an hour fits in memory."""
    return np.concatenate([_pitch(frames[at : at + _BLOCK]) for at in range(0, len(frames), _BLOCK)])


def _pitch(frames: Wave) -> NDArray[np.float64]:
    window = np.hanning(_FRAME)
    shaped = (frames - frames.mean(axis=1, keepdims=True)) * window
    power = np.abs(np.fft.rfft(shaped, 2 * _FRAME)) ** 2
    own = np.fft.irfft(power)[:, :_FRAME] / np.fft.irfft(np.abs(np.fft.rfft(window, 2 * _FRAME)) ** 2)[:_FRAME]
    own = own / np.maximum(own[:, :1], 1e-12)
    least, most = int(RATE / _PITCH[1]), int(RATE / _PITCH[0])
    lags = own[:, least : most + 1]
    best = (lags - _OCTAVE * np.log2(np.arange(least, most + 1) / least)).argmax(axis=1)
    strong = lags[np.arange(len(lags)), best] >= _VOICED
    return np.where(strong, RATE / (best + least), 0.0)


def _pauses(loud: NDArray[np.bool_]) -> int:
    """Runs of silent frames, long enough to be heard, between sounds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[1], loud.astype(np.int8), [1]])))
    runs = np.diff(edges.reshape(-1, 2), axis=1).reshape(-1)
    inner = runs[1 if len(loud) and not loud[0] else 0 : len(runs) - (1 if len(loud) and not loud[-1] else 0)]
    return int((inner * _STEP / RATE >= _PAUSE).sum())
