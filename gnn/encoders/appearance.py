"""What can be measured of an image without learning: colour, texture and shape, as a baseline for networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from gnn.encoder import Encoder
from gnn.encoders.image import pixels

VERSION: Final = 1
"""Raised when a figure changes, so that stored vectors are made again."""
SHADES: Final = 4
"""Levels of each of red, green and blue: SHADES ** 3 colours."""
RING: Final = 8
"""Neighbours that a pixel is compared with."""
CELLS: Final = 4
"""The page is cut into CELLS x CELLS parts for its shape."""
TURNS: Final = 8
"""Directions of an edge, half a turn in all."""
PARTS: Final = {"colour": SHADES**3, "texture": RING + 2, "shape": CELLS * CELLS * TURNS}
"""Columns of each part, in the order in which they stand in a vector."""


class Appearance(Encoder):
    """Colour histogram, local binary patterns and histograms of edge directions of an image, squeezed to 224 x 224.

    Colour: shares of the pixels in each of 64 colours (Swain and Ballard 1991). Texture: shares of the rotation
    invariant uniform patterns of 8 neighbours (Ojala, Pietikäinen and Mäenpää 2002). Shape: for each of 16 cells, the
    strength of edges by direction, scaled to length one over the page (Dalal and Triggs 2005). No weights.
    """

    modality = "image"
    dim = sum(PARTS.values())

    @property
    def fingerprint(self) -> str:
        return f"appearance-{VERSION}"

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of encoded images, such as PNG bytes."""
        vectors = [self._one(value) for value in values]
        return torch.stack(vectors) if vectors else torch.zeros(0, self.dim)

    def _one(self, value: Any) -> Tensor:
        shades = np.rint((pixels(value)[0].numpy().transpose(1, 2, 0) + 1.0) * 127.5)
        grey = np.rint(shades @ np.array([0.299, 0.587, 0.114]))
        parts = [colours(shades), textures(grey), edges(grey)]
        return torch.from_numpy(np.concatenate(parts).astype(np.float32))


def colours(shades: np.ndarray) -> np.ndarray:
    """(64,) share of the pixels (high, wide, 3) of 0 to 255 in each colour."""
    level = np.minimum(shades // (256 // SHADES), SHADES - 1).astype(np.int64)
    code = (level[..., 0] * SHADES + level[..., 1]) * SHADES + level[..., 2]
    share: np.ndarray = np.bincount(code.ravel(), minlength=SHADES**3) / code.size
    return share


def textures(grey: np.ndarray) -> np.ndarray:
    """(10,) share of the inner pixels whose ring has 0 .. 8 brighter neighbours in one run, and of all others.

    The pattern is uniform if the ring changes between darker and brighter at most twice; what brightness a whole page
    has does not matter, nor how it is turned by quarter turns.
    """
    high, wide = grey.shape
    steps = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
    inner = grey[1:-1, 1:-1]
    ring = np.stack([grey[1 + y : high - 1 + y, 1 + x : wide - 1 + x] >= inner for y, x in steps])
    changes = (ring != np.roll(ring, 1, axis=0)).sum(0)
    pattern = np.where(changes <= 2, ring.sum(0), RING + 1)
    share: np.ndarray = np.bincount(pattern.ravel(), minlength=RING + 2) / pattern.size
    return share


def edges(grey: np.ndarray) -> np.ndarray:
    """(128,) strength of edges by cell and direction; of length one, or all zero where the page has no edge."""
    down, across = np.gradient(grey)
    strength = np.hypot(down, across)
    turn = np.floor(np.mod(np.arctan2(down, across), np.pi) / np.pi * TURNS).astype(np.int64) % TURNS
    rows, columns = (np.arange(side) * CELLS // side for side in grey.shape)
    cell = rows[:, None] * CELLS + columns[None]
    sums = np.bincount((cell * TURNS + turn).ravel(), strength.ravel(), CELLS * CELLS * TURNS)
    length = float(np.linalg.norm(sums))
    return sums / length if length else sums
