"""Page images by a small convolutional network that is trained here: 64 numbers."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.encoders.image import pixels
from gnn.lessons import Twins, Values
from gnn.networks import Convolutional
from gnn.train import Task
from gnn.trainable import Trainable

SIDE: Final = 64
SHIFT: Final = 5
"""Most pixels by which a view is moved."""


class Cnn(Trainable):
    """Four convolutions over an image squeezed to 64 x 64; taught alone, it tells an image from others (SimCLR)."""

    name = "cnn"
    version = 2
    modality = "image"
    dim = 64
    shape = (3, SIDE, SIDE)

    def prepare(self, value: Any) -> Tensor:
        """Ink: 0 where the page is white, up to 2. What convolutions put around an image is then paper, not a frame."""
        return 1 - F.interpolate(pixels(value), (SIDE, SIDE), mode="area")[0]

    def build(self) -> nn.Module:
        return Convolutional(self.dim)

    def lesson(self, given: Tensor) -> tuple[Task, nn.Module]:
        return Values(given), Twins(self.network, self.dim, view)


def view(images: Tensor) -> Tensor:
    """The images moved, drawn larger or smaller, brighter or darker, and noisier, each in its own way."""
    count = len(images)
    scale = 1 + 0.15 * (2 * torch.rand(count, 2) - 1)
    move = (2 * torch.rand(count, 2) - 1) * 2 * SHIFT / SIDE
    turn = torch.zeros(count, 2, 3)
    turn[:, 0, 0], turn[:, 1, 1], turn[:, :, 2] = scale[:, 0], scale[:, 1], move
    grid = F.affine_grid(turn, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    light = 0.1 * torch.randn(count, 1, 1, 1)
    return (moved + light + 0.05 * torch.randn_like(moved)).clamp(-0.5, 2.5)
