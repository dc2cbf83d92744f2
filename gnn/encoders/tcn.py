"""Series of closes by a temporal convolutional network that is trained here: 32 numbers."""

from __future__ import annotations

from torch import nn

from gnn.networks import Temporal
from gnn.quotes import CHANNELS, Quotes


class Tcn(Quotes):
    """Dilated causal convolutions (Bai, Kolter and Koltun 2018) over the last sixty sessions."""

    name = "tcn"

    def build(self) -> nn.Module:
        return Temporal(CHANNELS, self.dim)
