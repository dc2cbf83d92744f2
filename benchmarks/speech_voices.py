"""Synthetic voices by eSpeak NG, for making data here: sentences by many voices at set pitch, range, rate and loudness.

Needs the package `espeakng-loader`, which kgrisk itself never does: what is made with it is committed (the recording
tests/data/panel-tiny.ogg and the constants fitted in ingest/extract/sound/arousal.py).
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 22_050
"""Samples a second that eSpeak gives."""
PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "range": 4}
_RETRIEVAL, _UTF8, _POSITION = 1, 1, 1
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Voices:
    """The synthesiser; one in a process."""

    def __init__(self) -> None:
        import espeakng_loader

        self._pieces: list[NDArray[np.int16]] = []
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Initialize(_RETRIEVAL, 0, str(espeakng_loader.get_data_path()).encode(), 0)
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: Any, count: int, _: Any) -> int:
        if count:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, text: str, voice: str = "en-us", **how: int) -> NDArray[np.float32]:
        """Samples of a text in -1..1 at RATE; `how` is rate (words a minute), pitch, range and volume (0 to 100)."""
        set_to: Mapping[str, int] = {"rate": 160, "volume": 100, "pitch": 50, "range": 50} | how
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"eSpeak has no voice {voice!r}")
        for name, value in set_to.items():
            self._library.espeak_SetParameter(PARAMETERS[name], int(value), 0)
        self._pieces.clear()
        said = text.encode()
        self._library.espeak_Synth(said, len(said) + 1, 0, _POSITION, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return np.concatenate(self._pieces).astype(np.float32) / np.float32(32768)


@lru_cache(maxsize=1)
def voices() -> Voices:
    return Voices()


def at_16_khz(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The samples at the rate that the readers work at."""
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(samples, 320, 441), np.float32)
