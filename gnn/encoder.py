"""Encoder: one modality becomes vectors; vectors of equal content are computed once and kept on disk."""

from __future__ import annotations

import io
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from kg.errors import ModelError
from kg.files import write_whole
from kg.model import digest

log = logging.getLogger(__name__)

SCHEMA: Final = 2
"""Version of how vectors lie on disk; raised when that changes, so that older files are passed over."""
MANIFEST: Final = "schema.json"
SEAL: Final = 64
"""Length of the digest that follows a vector in its file."""


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
    """A folder of .npy vectors by encoder fingerprint and digest of the content; safe to delete at any time.

    Under `v<SCHEMA>/<fingerprint>` lies schema.json, which says what the vectors beside it are; a vector is followed in
    its file by the digest of its bytes. What another schema, another encoder or a broken disk left there is not read
    but made again, and equal content gives a file of equal bytes.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._agreed: dict[str, bool] = {}
        """Whether what lies under a fingerprint is of the encoder's schema, once looked at."""

    def home(self, encoder: Encoder) -> Path | None:
        """The folder of the vectors of one encoder."""
        return self.folder and self.folder / f"v{SCHEMA}" / encoder.fingerprint

    def path(self, encoder: Encoder, key: str) -> Path | None:
        home = self.home(encoder)
        return home and home / key[:2] / f"{key}.npy"

    def load(self, encoder: Encoder, key: str) -> Tensor | None:
        """The vector of the content digest `key`, or None if it is not there or is broken."""
        path = self.path(encoder, key)
        if path is None or not path.exists() or not self._agrees(encoder):
            return None
        try:
            data = path.read_bytes()
            body, seal = data[:-SEAL], data[-SEAL:]
            if digest(body).encode() != seal:
                raise ValueError("its bytes are not those that were written")
            vector = np.load(io.BytesIO(body), allow_pickle=False)
        except (OSError, ValueError) as error:
            log.warning("cached vector %s cannot be read and is made again: %s", path, error)
            return None
        return torch.from_numpy(vector) if vector.shape == (encoder.dim,) else None

    def save(self, encoder: Encoder, key: str, vector: Tensor) -> None:
        home, path = self.home(encoder), self.path(encoder, key)
        if home is None or path is None:
            return
        if not self._agrees(encoder):
            rmtree(home, ignore_errors=True)  # else the rest of it would pass for vectors of this schema
            write_whole(home / MANIFEST, _manifest(encoder), lasting=False)
            self._agreed[encoder.fingerprint] = True
        body = io.BytesIO()
        np.save(body, vector.detach().numpy().astype(np.float32), allow_pickle=False)
        write_whole(path, body.getvalue() + digest(body.getvalue()).encode(), lasting=False)

    def _agrees(self, encoder: Encoder) -> bool:
        home, mark = self.home(encoder), encoder.fingerprint
        if mark not in self._agreed:
            file = home / MANIFEST if home else None
            found = file.read_bytes() if file and file.exists() else b""
            self._agreed[mark] = found == _manifest(encoder)
            if found and not self._agreed[mark]:
                log.warning("vectors under %s are of another schema and are made again", home)
        return self._agreed[mark]

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


def _manifest(encoder: Encoder) -> bytes:
    """What the vectors of an encoder are, as kept beside them."""
    told = {"schema": SCHEMA, "encoder": encoder.fingerprint, "modality": encoder.modality, "numbers": "float32"}
    return json.dumps(told | {"dim": encoder.dim}, sort_keys=True).encode()


def check_weights(path: Path, sha256: str) -> None:
    """ModelError unless the file has the pinned sha256."""
    actual = digest(path.read_bytes())
    if actual != sha256:
        raise ModelError(
            f"weights {path.name}: sha256 is {actual}, pinned is {sha256}; install the pinned package version"
        )
