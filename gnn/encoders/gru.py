"""Series of closes by a gated recurrent network that is trained here: 32 numbers."""

from __future__ import annotations

from torch import nn

from gnn.networks import Recurrent
from gnn.quotes import CHANNELS, Quotes


class Gru(Quotes):
    """GRU (Cho et al. 2014) over the last sixty sessions."""

    name = "gru"

    def build(self) -> nn.Module:
        return Recurrent(CHANNELS, self.dim, "gru")
