"""Pictures and words by a CLIP model from a folder of yours; no weights come with this project."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from gnn.encoder import Encoder
from kg.errors import MissingExtraError, ModelError
from kg.files import digest_of

WEIGHTS: Final = "model.safetensors"
PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
NEEDED: Final = ("config.json", "preprocessor_config.json", "tokenizer_config.json")
HINT: Final = "a CLIP model is read with transformers; run: pip install 'kgrisk[learn]' (or: pip install transformers)"


class Clip(Encoder):
    """Unit vectors of images, or with `words` of texts, in the one space of a CLIP model (Radford et al. 2021).

    The folder is one that transformers writes: configuration, tokenizer and weights as safetensors. Weights that are
    only there as pickle are refused: to read them is to run them. Nothing is fetched.
    """

    modality = "image"

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    @property
    def dim(self) -> int:  # type: ignore[override]  # the folder says it
        return int(self.model.config.projection_dim)

    @cached_property
    def fingerprint(self) -> str:
        return f"clip-{digest_of(checked(self.folder) / WEIGHTS)[:16]}"

    @cached_property
    def model(self) -> Any:
        """The loaded network. ModelError says what is wrong with the folder."""
        folder = checked(self.folder)
        try:
            from safetensors import SafetensorError
            from transformers import CLIPModel
        except ImportError as error:
            raise MissingExtraError(HINT) from error
        try:
            found: Any = CLIPModel.from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelError(f"clip encoder: {folder} holds no CLIP model that can be read ({error})") from error
        return found.eval()

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of encoded images, such as PNG bytes, each by itself."""
        checked(self.folder)
        vectors = [self._image(value) for value in values]
        return torch.stack(vectors) if vectors else torch.zeros(0, self.dim)

    def words(self, values: Sequence[str]) -> Tensor:
        """Vectors of texts in the same space."""
        checked(self.folder)
        vectors = [self._text(value) for value in values]
        return torch.stack(vectors) if vectors else torch.zeros(0, self.dim)

    @cached_property
    def _processor(self) -> Any:
        from transformers import CLIPImageProcessor

        return CLIPImageProcessor.from_pretrained(str(checked(self.folder)), local_files_only=True)

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(str(checked(self.folder)), local_files_only=True)

    @torch.inference_mode()
    def _image(self, value: Any) -> Tensor:
        from PIL import Image as Pillow
        from PIL import UnidentifiedImageError

        try:
            with Pillow.open(io.BytesIO(value)) as image:
                given = self._processor(images=image.convert("RGB"), return_tensors="pt")
        except (UnidentifiedImageError, OSError, TypeError) as error:
            raise ModelError(f"clip encoder: expected the bytes of an image, got {type(value).__name__}") from error
        network = self.model
        state = network.vision_model(pixel_values=given["pixel_values"]).pooler_output
        return _unit(network.visual_projection(state))

    @torch.inference_mode()
    def _text(self, value: Any) -> Tensor:
        if not isinstance(value, str) or not value.strip():
            raise ModelError(f"clip encoder: expected a text that is not empty, got {value!r}")
        network = self.model
        longest = network.config.text_config.max_position_embeddings
        given = self._tokenizer(value, truncation=True, max_length=longest, return_tensors="pt")
        state = network.text_model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).pooler_output
        return _unit(network.text_projection(state))


def _unit(rows: Tensor) -> Tensor:
    return torch.nn.functional.normalize(rows, dim=1)[0].clone()


def checked(folder: Path | None) -> Path:
    """The folder if it can hold a CLIP model. ModelError says what is missing, or that its weights are pickle."""
    if folder is None:
        raise ModelError(
            "clip encoder: no weights come with kgrisk; give the folder of a CLIP model as transformers writes it "
            f"({', '.join(NEEDED)} and {WEIGHTS})"
        )
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        raise ModelError(f"clip encoder: {folder} lacks {', '.join(missing)}; give a folder that transformers wrote")
    if not (folder / WEIGHTS).is_file():
        pickles = sorted(path.name for kind in PICKLES for path in folder.glob(kind))
        told = (
            f"its weights are pickle ({', '.join(pickles)}), which can run anything" if pickles else "it has no weights"
        )
        raise ModelError(f"clip encoder: {folder} is refused, {told}; save the model again as {WEIGHTS}")
    return folder
