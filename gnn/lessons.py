"""Lessons: what a network can learn of values without any label."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.networks import Stepwise


class Next(nn.Module):
    """A network of steps and a linear layer that says the next step from what was read so far."""

    def __init__(self, network: Stepwise, dim: int, channels: int) -> None:
        super().__init__()
        self.network = network
        self.out = nn.Linear(dim, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(rows, steps, channels) -> mean squared error of each step but the first, told from those before it."""
        said = self.out(self.network.states(x[:, :-1]))
        return F.mse_loss(said, x[:, 1:])


class Twins(nn.Module):
    """A network and a layer behind it that tell two views of one value from views of others: InfoNCE.

    Chen et al. 2020, A Simple Framework for Contrastive Learning (SimCLR).
    """

    def __init__(self, network: nn.Module, dim: int, view: Callable[[Tensor], Tensor], heat: float = 0.2) -> None:
        super().__init__()
        self.network, self.view, self.heat = network, view, heat
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(values, *shape) -> loss; a value that is alone has nobody to be told from, and gives zero."""
        a, b = (F.normalize(self.out(F.relu(self.network(self.view(x)))), dim=1) for _ in range(2))
        alike, own = a @ b.T / self.heat, torch.arange(len(x))
        return (F.cross_entropy(alike, own) + F.cross_entropy(alike.T, own)) / 2


class Values:
    """A task over prepared values: the module's own loss, in batches drawn anew each epoch."""

    def __init__(self, given: Tensor, batch: int = 64) -> None:
        self.given, self.batch = given, batch

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        order = torch.randperm(len(self.given))
        for at in range(0, len(order), self.batch):
            yield model(self.given[order[at : at + self.batch]])

    def validate(self, model: nn.Module) -> float | None:
        return None
