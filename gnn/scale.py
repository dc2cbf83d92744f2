"""Where the vectors of each modality lie, learned from the train window and kept with the weights of the model.

    x' = (x - mean) / spread        mean per column, one spread for the whole vector: sqrt(mean_i |x_i - mean|^2 / dim)

One spread keeps the proportions within a vector, which a sentence or page vector lives on, and takes away the unit in
which all of it is given: amounts in thousands, or an encoder with longer vectors, weigh no more than others.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from kg.errors import ModelError

APART: Final = 100.0
"""Vectors this many times as long as those of the train window are in another unit, and no news about the world."""


class Scale(nn.Module):
    """Centre and spread of one modality.

    They are learned in the first training pass that has any row of the modality, and never change after that: a pass
    in training sees the train window only, and in use no row can move what another becomes. They are buffers, so a
    checkpoint holds them. Until then vectors go through as they are.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, name: str, dim: int) -> None:
        super().__init__()
        self.name = name
        self.register_buffer("centre", torch.zeros(dim))
        self.register_buffer("spread", torch.zeros(()))

    def forward(self, values: Tensor) -> Tensor:
        """The vectors (rows, dim) scaled. ModelError if they hold what is no number or are in another unit."""
        if not torch.isfinite(values).all():
            raise ModelError(
                f"modality {self.name}: a vector holds NaN or infinity; leave the node out of the modality's rows"
            )
        if values.shape[1] != len(self.centre):
            raise ModelError(
                f"modality {self.name}: vectors of {values.shape[1]} numbers, the model was built for "
                f"{len(self.centre)}; use the encoder it was trained with"
            )
        if not len(values):
            return values
        if self.training and not self.spread:
            self.fit(values)
        if not self.spread:
            return values
        scaled = (values - self.centre) / self.spread
        self._check(scaled)
        return scaled

    @torch.no_grad()
    def fit(self, values: Tensor) -> None:
        """Learn centre and spread from vectors of the train window; alike vectors have the spread one."""
        exact = values.double()
        centre = exact.mean(0)
        spread = (exact - centre).square().mean().sqrt()
        self.centre.copy_(centre)
        self.spread.copy_(spread if spread > 1e-12 * exact.abs().max() else torch.ones(()))

    def _check(self, scaled: Tensor) -> None:
        size = float(scaled.detach().square().mean(1).sqrt().median())
        if size > APART:
            raise ModelError(
                f"modality {self.name}: half of the vectors lie more than {size:.0f} spreads from those of the train "
                "window; give them in the unit of the training data, or train again"
            )
