"""What networks of steps tell of real prices beside last value, AR(1) and a moving variance; no skill is said so.

The logarithm of the volatility of the next five sessions of 87 shares (stocknet), and the sign of the next return, told
from the last sixty sessions. Fitted on 2012 to 2015, the epoch chosen on 2016, told once on 2017. Intervals are of the
mean over test days by a bootstrap of blocks of ten days: days and shares beside each other move together.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.figure import Figure, real_data
from benchmarks.learning.series import HIDDEN
from gnn.model import seeded
from gnn.networks import Recurrent, Temporal
from gnn.quotes import CHANNELS, MOST, STEPS, UNIT, steps
from gnn.train import Recipe, fit

AHEAD: Final = 5
"""Sessions over which volatility is told."""
DECAY: Final = 0.94
BLOCK: Final = 10
"""Days of a block of the bootstrap."""
EVERY: Final = 8
"""Windows end on each so many days."""


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
        return torch.cat([model(part)[:, 0] for part in torch.split(given, 2048)])


@dataclass(frozen=True)
class Windows:
    """Sixty sessions before each day of each share, and what is told of the days after."""

    given: Tensor
    """(rows, STEPS, CHANNELS)."""
    day: np.ndarray
    """(rows,) day of the last session, as a number."""
    volatility: np.ndarray
    """(rows,) log of the root mean square of the next AHEAD returns, in units of UNIT."""
    up: np.ndarray
    """(rows,) whether the next return is positive."""
    plain: np.ndarray
    """(rows, 3) the same log volatility of the last AHEAD returns and of the moving variance, and the last return."""

    def where(self, chosen: np.ndarray) -> Windows:
        mask = torch.from_numpy(chosen)
        return Windows(self.given[mask], *(own[chosen] for own in (self.day, self.volatility, self.up, self.plain)))


def prices(folder: Path) -> Iterator[np.ndarray]:
    """(sessions, 3) day in microseconds, adjusted close and volume of each share."""
    for path in sorted((folder / "stocknet" / "price-raw").glob("*.csv")):
        with path.open() as file:
            rows = [row for row in csv.DictReader(file) if row["Adj Close"] != "null"]
        days = [datetime.fromisoformat(row["Date"]).replace(tzinfo=UTC).timestamp() * 1e6 for row in rows]
        closes, volumes = ([float(row[name]) for row in rows] for name in ("Adj Close", "Volume"))
        yield np.stack([days, closes, volumes], axis=1)


def size(returns: np.ndarray) -> float:
    """Log of the root mean square, no lower than a hundredth of a unit."""
    return float(np.log(max(np.sqrt((returns**2).mean()), 0.01)))


def cut_up(series: Iterator[np.ndarray], every: int) -> Windows:
    """Windows that end on each `every`-th day."""
    rows: list[tuple[Tensor, float, float, bool, list[float]]] = []
    for own in series:
        moves = np.clip(np.diff(np.log(own[:, 1])) / UNIT, -MOST, MOST)
        variance = moves[:20].var()
        smooth = []
        for move in moves:
            variance = DECAY * variance + (1 - DECAY) * move**2
            smooth.append(0.5 * np.log(max(variance, 1e-4)))
        for at in range(STEPS, len(moves) - AHEAD, every):  # the last return known is moves[at - 1]
            told = [size(moves[at - AHEAD : at]), float(smooth[at - 1]), float(moves[at - 1])]
            window = steps(own[at - STEPS : at + 1])
            rows.append((window, own[at, 0], size(moves[at : at + AHEAD]), bool(moves[at] > 0), told))
    given, *others = zip(*rows, strict=True)
    return Windows(torch.stack(given), *(np.array(column, dtype=np.float64) for column in others))


def by_year(whole: Windows) -> tuple[Windows, Windows, Windows]:
    """Up to 2015, 2016, and 2017; windows whose future would reach over an end are left out."""
    ends = [datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1e6 for year in (2016, 2017)]
    gap = 2 * AHEAD * 86_400e6
    early, late = whole.day < ends[0] - gap, whole.day >= ends[1]
    return whole.where(early), whole.where((whole.day >= ends[0]) & (whole.day < ends[1] - gap)), whole.where(late)


def line(x: np.ndarray, y: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Least squares with a constant, told of later rows."""
    ones = [np.column_stack([part, np.ones(len(part))]) for part in (x, later)]
    found: np.ndarray = ones[1] @ np.linalg.lstsq(ones[0], y, rcond=None)[0]
    return found


def learned(kind: str, parts: tuple[Windows, Windows, Windows], sign: bool, seed: int) -> np.ndarray:
    """(rows,) what a network tells of the test part."""
    train, valid, test = parts
    truths = [torch.from_numpy(own.up if sign else own.volatility).float() for own in (train, valid)]
    centre, spread = (0.0, 1.0) if sign else (float(truths[0].mean()), float(truths[0].std()))
    scaled = [(own - centre) / spread for own in truths]
    model = network(kind, CHANNELS, seed)
    recipe = Recipe(epochs=5, rate=0.004, schedule="cosine", patience=3, seed=seed)
    fit(model, Told(train.given, scaled[0], (valid.given, scaled[1]), sign), recipe)
    return answers(model, test.given).double().numpy() * spread + centre


def blocked(values: np.ndarray, day: np.ndarray, draws: int = 500) -> tuple[float, float]:
    """95 % interval of the mean by a bootstrap of blocks of BLOCK test days, all shares of a day together."""
    number = np.unique(day, return_inverse=True)[1] // BLOCK
    sums, counts = np.bincount(number, values), np.bincount(number)
    drawn = np.random.default_rng(0).integers(0, len(sums), (draws, len(sums)))
    low, high = np.percentile(sums[drawn].sum(1) / counts[drawn].sum(1), [2.5, 97.5])
    return float(low), float(high)


def _volatility(parts: tuple[Windows, Windows, Windows]) -> list[Figure]:
    train, _, test = parts
    told = {
        "last value": test.plain[:, 0],
        "AR(1)": line(train.plain[:, :1], train.volatility, test.plain[:, :1]),
        "moving variance": line(train.plain[:, 1:2], train.volatility, test.plain[:, 1:2]),
    }
    told |= {kind: learned(kind, parts, False, 0) for kind in ("lstm", "gru", "tcn")}
    wrong = {name: (own - test.volatility) ** 2 for name, own in told.items()}
    best = min(("last value", "AR(1)", "moving variance"), key=lambda name: wrong[name].mean())
    figures = []
    for name, own in wrong.items():
        low, high = blocked(own, test.day)
        note = f"95 % interval {low:.4f} to {high:.4f}, {len(own)} windows of 2017"
        figures.append(Figure(f"squared error of log volatility of 5 days: {name}", float(own.mean()), note=note))
    return [*figures, *(_gain(name, best, wrong, test, "volatility") for name in ("lstm", "gru", "tcn"))]


def _signs(parts: tuple[Windows, Windows, Windows]) -> list[Figure]:
    train, _, test = parts
    most = float(train.up.mean() > 0.5)
    slope = line(train.plain[:, 2:], train.up, test.plain[:, 2:]) > 0.5
    told = {"the more frequent sign": np.full(len(test.up), most > 0), "AR(1)": slope}
    told |= {kind: learned(kind, parts, True, 0) > 0 for kind in ("gru", "tcn")}
    wrong = {name: (own != (test.up > 0)).astype(np.float64) for name, own in told.items()}
    figures = [
        Figure(f"share of wrong signs of the next return: {name}", float(own.mean())) for name, own in wrong.items()
    ]
    best = min(("the more frequent sign", "AR(1)"), key=lambda name: wrong[name].mean())
    return [*figures, *(_gain(name, best, wrong, test, "sign") for name in ("gru", "tcn"))]


def _gain(name: str, other: str, wrong: dict[str, np.ndarray], test: Windows, what: str) -> Figure:
    """What a network gains over the best plain rule, and whether that is skill."""
    gap = wrong[other] - wrong[name]
    low, high = blocked(gap, test.day)
    skill = "skill" if low > 0 else "no skill: worse" if high < 0 else "no skill shown"
    note = f"{skill}; mean {gap.mean():+.4f}, interval {low:+.4f} to {high:+.4f} beside {other}, the best plain rule"
    return Figure(f"low end of what {name} gains on {what}", low, note=note)


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    parts = by_year(cut_up(prices(real_data()), EVERY))
    return [*_volatility(parts), *_signs(parts)]
