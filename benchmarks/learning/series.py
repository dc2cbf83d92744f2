"""What networks of steps tell of the next step of a planted series, where they must beat last value and AR(1).

x_t = 0.8 x_(t-7) + noise: all that can be told lies seven steps back, where the last value and AR(1) cannot see it.
Fitted on the first half, the epoch chosen on the third quarter, told once on the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.figure import Figure
from gnn.model import seeded
from gnn.networks import Recurrent, Temporal
from gnn.train import Recipe, fit

SEEDS: Final = 3
KINDS: Final = ("rnn", "lstm", "gru", "tcn")
HIDDEN: Final = 24
LAG: Final = 7
SEEN: Final = 24
"""Steps that a network is given."""


def network(kind: str, channels: int, seed: int) -> nn.Module:
    """A network of steps with a linear answer."""
    with seeded(seed):
        if kind == "tcn":
            return nn.Sequential(Temporal(channels, HIDDEN), nn.Linear(HIDDEN, 1))
        return nn.Sequential(Recurrent(channels, HIDDEN, kind), nn.Linear(HIDDEN, 1))  # type: ignore[arg-type]


class Told:
    """Windows and what followed each; squared error, or cross-entropy of a sign."""

    def __init__(
        self, given: Tensor, truth: Tensor, later: tuple[Tensor, Tensor], sign: bool = False, batch: int = 256
    ) -> None:
        self.given, self.truth, self.later, self.batch = given, truth, later, batch
        self.loss = F.binary_cross_entropy_with_logits if sign else F.mse_loss

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        order = torch.randperm(len(self.given))
        for at in range(0, len(order), self.batch):
            part = order[at : at + self.batch]
            yield self.loss(model(self.given[part])[:, 0], self.truth[part])

    def validate(self, model: nn.Module) -> float:
        return -float(self.loss(answers(model, self.later[0]), self.later[1]))


def answers(model: nn.Module, given: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([model(part)[:, 0] for part in given.split(2048)])


def planted(seed: int, length: int = 1600) -> np.ndarray:
    """x_t = 0.8 x_(t-7) + e_t, of deviation one: all that can be told lies seven steps back."""
    draw = np.random.default_rng(seed)
    noise, x = draw.normal(size=length + 200), np.zeros(length + 200)
    for t in range(LAG, len(x)):
        x[t] = 0.8 * x[t - LAG] + 0.6 * noise[t]
    return x[200:]


def windows(x: np.ndarray) -> tuple[Tensor, Tensor]:
    """(rows, SEEN, 1) and the next value of each."""
    seen = np.lib.stride_tricks.sliding_window_view(x[:-1], SEEN)
    return torch.tensor(seen, dtype=torch.float32)[..., None], torch.tensor(x[SEEN:], dtype=torch.float32)


def lagged(seed: int, epochs: int = 32) -> dict[str, float]:
    """Mean squared error on the last quarter of a planted series, by who tells it."""
    given, truth = windows(planted(seed))
    train, valid = int(0.5 * len(truth)), int(0.75 * len(truth))
    before, after = truth[:train].double().numpy(), truth[valid:].double().numpy()
    last = given[:, -1, 0].double().numpy()
    slope, level = np.polyfit(last[:train], before, 1)
    found = {"last value": last[valid:], "AR(1)": slope * last[valid:] + level}
    for kind in KINDS:
        model = network(kind, 1, seed)
        task = Told(given[:train], truth[:train], (given[train:valid], truth[train:valid]), batch=100)
        fit(model, task, Recipe(epochs=epochs, rate=0.02, schedule="cosine", patience=epochs, seed=seed))
        found[kind] = answers(model, given[valid:]).double().numpy()
    return {name: float(((own - after) ** 2).mean()) for name, own in found.items()}


def _lags() -> list[Figure]:
    found = [lagged(seed) for seed in range(SEEDS)]
    figures = []
    for name in found[0]:
        values = np.array([one[name] for one in found])
        note = f"{SEEDS} seeds, {values.min():.3f} to {values.max():.3f}; 0.36 is the noise that nobody can tell"
        figures.append(Figure(f"squared error on a planted lag of {LAG}: {name}", float(values.mean()), note=note))
    for name in KINDS:
        gain = np.array([min(one["last value"], one["AR(1)"]) - one[name] for one in found])
        half = float(student.ppf(0.975, SEEDS - 1) * gain.std(ddof=1) / np.sqrt(SEEDS))
        note = f"mean {gain.mean():.3f}, 95 % interval of {SEEDS} seeds"
        figures.append(Figure(f"low end of what {name} gains over AR(1)", float(gain.mean()) - half, 0.0, note=note))
    return figures


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    return _lags()
