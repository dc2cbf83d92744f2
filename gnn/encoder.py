"""Encoder: one modality becomes vectors; vectors of equal content are computed once and kept on disk."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from kg.errors import ModelError
from kg.model import digest

log = logging.getLogger(__name__)


class Encoder(ABC):
    """A frozen function from values of one modality to vectors of `dim` numbers.

    An encoder is one file in gnn/encoders/ and is found by its file name. The vector of a value depends on that
    value and the weights alone, never on what else is encoded beside it: that is what keeps tensors at a cut free
    of later data.
    """

    modality: ClassVar[str]
    """The modality of the ontology it reads: text, image, numeric."""
    dim: int
    """Length of a vector."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Name and content of the weights: other weights, other fingerprint, other cache."""

    @abstractmethod
    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors (values, dim) float32 in the order of the values. ModelError names a value that cannot be read."""


class VectorCache:
    """A folder of .npy vectors by encoder fingerprint and digest of the content; safe to delete at any time."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def path(self, encoder: Encoder, key: str) -> Path | None:
        return self.folder and self.folder / encoder.fingerprint / key[:2] / f"{key}.npy"

    def load(self, encoder: Encoder, key: str) -> Tensor | None:
        """The vector of the content digest `key`, or None if it is not there or is broken."""
        path = self.path(encoder, key)
        if path is None or not path.exists():
            return None
        try:
            vector = np.load(path, allow_pickle=False)
        except (OSError, ValueError):
            log.warning("cached vector %s cannot be read and is made again", path)
            return None
        return torch.from_numpy(vector) if vector.shape == (encoder.dim,) else None

    def save(self, encoder: Encoder, key: str, vector: Tensor) -> None:
        path = self.path(encoder, key)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{os.getpid()}")
        with new.open("wb") as file:
            np.save(file, vector.detach().numpy().astype(np.float32), allow_pickle=False)
        os.replace(new, path)

    def vectors(self, encoder: Encoder, values: Sequence[str | bytes]) -> list[Tensor | None]:
        """A vector for each value: read where the content was seen before, else encoded once and written.

        None stands for a value that the encoder refuses; the reason is logged and the run goes on without it.
        """
        keys = [digest(value.encode() if isinstance(value, str) else value) for value in values]
        found: dict[str, Tensor | None] = {}
        for key, value in sorted(zip(keys, values, strict=True)):
            if key not in found:
                found[key] = self.load(encoder, key)
                if found[key] is None:
                    found[key] = self._encoded(encoder, key, value)
        return [found[key] for key in keys]

    def _encoded(self, encoder: Encoder, key: str, value: str | bytes) -> Tensor | None:
        try:
            vector = encoder.encode([value])[0]
        except ModelError as error:
            log.warning("no %s vector for %s: %s", encoder.modality, key, error)
            return None
        self.save(encoder, key, vector)
        return vector


def check_weights(path: Path, sha256: str) -> None:
    """ModelError unless the file has the pinned sha256."""
    actual = digest(path.read_bytes())
    if actual != sha256:
        raise ModelError(
            f"weights {path.name}: sha256 is {actual}, pinned is {sha256}; install the pinned package version"
        )
