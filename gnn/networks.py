"""Networks small enough to be trained here: of images, and of steps in time."""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Cell = Literal["rnn", "lstm", "gru"]
GROUPS: Final = 4


class Convolutional(nn.Module):
    """Four convolutions of stride two, then the mean and the largest answer of each filter (LeCun et al. 1998).

    Group norm (Wu and He 2018) looks at one image alone, so that a vector depends on nothing beside it.
    """

    def __init__(self, dim: int, widths: tuple[int, ...] = (16, 32, 48, 64), channels: int = 3) -> None:
        super().__init__()
        pairs = zip((channels, *widths), widths, strict=False)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, width) for width in widths)
        self.out = nn.Linear(2 * widths[-1], dim)

    def forward(self, x: Tensor) -> Tensor:
        """(images, channels, high, wide) -> (images, dim)."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = F.relu(norm(layer(x)))
        found: Tensor = self.out(torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1))
        return found


class Stepwise(nn.Module):
    """A network that reads steps in order and has an answer after each, which no later step can change."""

    def states(self, x: Tensor) -> Tensor:
        """(rows, steps, channels) -> (rows, steps, dim)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """(rows, steps, channels) -> (rows, dim) after the last step."""
        return self.states(x)[:, -1]


class Recurrent(Stepwise):
    """A recurrent network: plain (Elman 1990), LSTM (Hochreiter and Schmidhuber 1997) or GRU (Cho et al. 2014)."""

    def __init__(self, channels: int, dim: int, cell: Cell) -> None:
        super().__init__()
        kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.cell = kind(channels, dim, batch_first=True)

    def states(self, x: Tensor) -> Tensor:
        found: Tensor = self.cell(x)[0]
        return found


class Temporal(Stepwise):
    """Dilated causal convolutions with residuals (Bai, Kolter and Koltun 2018).

    With kernels of three and two convolutions a block, four blocks see 1 + 4 (1 + 2 + 4 + 8) = 61 steps.
    """

    def __init__(self, channels: int, dim: int, blocks: int = 4) -> None:
        super().__init__()
        self.first = nn.Linear(channels, dim)
        self.pairs = nn.ModuleList(
            nn.ModuleList(nn.Conv1d(dim, dim, 3, dilation=2**block) for _ in range(2)) for block in range(blocks)
        )

    def states(self, x: Tensor) -> Tensor:
        state = self.first(x).transpose(1, 2)
        for pair in self.pairs:
            mixed = state
            assert isinstance(pair, nn.ModuleList)
            for layer in pair:
                assert isinstance(layer, nn.Conv1d)
                mixed = F.relu(layer(F.pad(mixed, (2 * layer.dilation[0], 0))))
            state = state + mixed
        found: Tensor = state.transpose(1, 2)
        return found
