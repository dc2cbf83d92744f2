"""Layer: one round of messages between nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn


class Layer(nn.Module, ABC):
    """One round of messages. What neighbours say and a node's own part are apart, so that a node can be met anew."""

    @abstractmethod
    def heard(self, x: Tensor, z: Tensor, along: Any) -> Tensor:
        """What the neighbours say: (nodes, dim) from node vectors x, relation vectors z and the edges, as prepared."""

    @abstractmethod
    def loop(self, x: Tensor, z: Tensor, heard: Tensor, along: Any) -> Tensor:
        """What the neighbours say with the node's own part."""

    def onward(self, z: Tensor) -> Tensor:
        """Relation vectors for the next layer."""
        return z
