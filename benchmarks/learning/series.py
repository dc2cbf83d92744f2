"""What networks of steps tell of the next step of a planted series, where they must beat last value and AR(1).

x_t = 0.8 x_(t-7) + noise: all that can be told lies seven steps back, where the last value and AR(1) cannot see it.
Fitted on the first half after every step (gnn.lessons.Next, which also teaches the encoders of series), the epoch
chosen on the third quarter, told on the last. The rate and the number of epochs were chosen on the third quarter too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor, nn

from benchmarks.figure import Figure
from gnn.lessons import Next
from gnn.model import seeded
from gnn.networks import Recurrent, Temporal
from gnn.train import Recipe, fit

SEEDS: Final = 3
KINDS: Final = ("rnn", "lstm", "gru", "tcn")
HIDDEN: Final = 24
LAG: Final = 7
SEEN: Final = 48
"""Steps that a network is given."""
EPOCHS: Final = 40


def planted(seed: int, length: int = 6000) -> np.ndarray:
    """x_t = 0.8 x_(t-7) + e_t, of deviation one: all that can be told lies seven steps back."""
    draw = np.random.default_rng(seed)
    noise, x = draw.normal(size=length + 200), np.zeros(length + 200)
    for t in range(LAG, len(x)):
        x[t] = 0.8 * x[t - LAG] + 0.6 * noise[t]
    return x[200:]


def windows(x: np.ndarray, every: int = 1) -> Tensor:
    """(rows, SEEN + 1, 1): what is given, and the value that follows."""
    seen = np.lib.stride_tricks.sliding_window_view(x, SEEN + 1)[::every]
    return torch.tensor(seen, dtype=torch.float32)[..., None]


class Steps:
    """The next value told after every step of every window, validated on what follows whole windows."""

    def __init__(self, given: Tensor, later: Tensor) -> None:
        self.given, self.later = given, later

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        order = torch.randperm(len(self.given))
        for at in range(0, len(order), 32):
            yield model(self.given[order[at : at + 32]])

    def validate(self, model: nn.Module) -> float:
        return -float(((follows(model, self.later) - self.later[:, -1, 0]) ** 2).mean())


def follows(model: nn.Module, given: Tensor) -> Tensor:
    """(rows,) what a network tells of the value after each window."""
    assert isinstance(model, Next)
    with torch.no_grad():
        return model.out(model.network(given[:, :-1]))[:, 0]  # type: ignore[no-any-return]  # torch


def lagged(seed: int) -> dict[str, float]:
    """Mean squared error on the last quarter of a planted series, by who tells it."""
    x = planted(seed)
    train, valid, test = (
        windows(part, every) for part, every in zip(np.split(x, [3000, 4500]), (16, 2, 1), strict=True)
    )
    last, after = test[:, -2, 0].double().numpy(), test[:, -1, 0].double().numpy()
    slope, level = np.polyfit(x[:2999], x[1:3000], 1)
    found = {"last value": last, "AR(1)": slope * last + level}
    for kind in KINDS:
        with seeded(seed):
            own = Temporal(1, HIDDEN) if kind == "tcn" else Recurrent(1, HIDDEN, kind)  # type: ignore[arg-type]
            model = Next(own, HIDDEN, 1)
        fit(model, Steps(train, valid), Recipe(epochs=EPOCHS, rate=0.02, schedule="cosine", patience=EPOCHS, seed=seed))
        found[kind] = follows(model, test).double().numpy()
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
