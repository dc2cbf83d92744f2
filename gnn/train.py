"""fit(): the only training loop."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from gnn.checkpoint import FACTS, fill, load_tensors, save_tensors
from gnn.device import CPU, at, carried, random_state, resume_random, where
from gnn.model import exact, seeded
from kg.errors import ModelError

log = logging.getLogger(__name__)

MOMENTUM = 0.9
"""Share of the last step that SGD takes along (Sutskever et al. 2013)."""


Optimiser = Literal["adam", "adamw", "adagrad", "sgd"]
Schedule = Literal["exponential", "linear", "cosine", "constant"]


class Task(Protocol):
    """What is learned: losses to go down, and a value on later data that should go up."""

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One epoch: a scalar loss per optimiser step."""

    def validate(self, model: nn.Module) -> float | None:
        """Quality on the validation window, higher is better; None where there is none to stop by."""


@dataclass(frozen=True)
class Recipe:
    """Settings of a training run."""

    epochs: int = 60
    optimiser: Optimiser = "adam"
    """Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), Adagrad (Duchi et al. 2011), or stochastic
    gradient descent with MOMENTUM."""
    rate: float = 0.01
    """Learning rate at the first epoch."""
    schedule: Schedule = "exponential"
    """How the rate falls with the epochs: times `decay` after each; in a line or half a cosine wave (Loshchilov and
    Hutter 2017) towards 0 at the last one; or not at all."""
    decay: float = 0.98
    """The rate is multiplied by this after each epoch of the exponential schedule."""
    weight_decay: float = 1e-5
    patience: int = 10
    """Epochs without a better validation value before the run ends."""
    every: int = 1
    """Epochs between two looks at the validation window."""
    seconds: float | None = None
    """Time after which no further epoch begins; the schedules then run towards that moment if it comes first."""
    seed: int = 0
    threads: int = 1


@dataclass
class Fit:
    """How a run went: the loss curve and the epoch whose weights the model now has."""

    epochs: list[dict[str, float]] = field(default_factory=list)
    """One row per epoch: epoch, rate, loss, and valid where there is a validation window."""
    best: int = 0
    """Number of the epoch that was restored, from 1."""
    value: float = float("-inf")
    """Validation value of that epoch."""


def fit(
    model: nn.Module,
    task: Task,
    recipe: Recipe,
    checkpoint: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Fit:
    """Train in place until `epochs` or `patience` is used up, then restore the best epoch.

    With `checkpoint` the state is written there after each epoch, and a run that finds it goes on from it:
    interrupted and resumed gives the same weights, bit for bit, as one straight run.
    """
    optimiser, begun, device = _optimiser(model, recipe), time.monotonic(), where(model)
    task = carried(task, device)
    with exact(recipe.threads), seeded(recipe.seed):
        run, kept = Fit(), _copy(model)
        if checkpoint is not None and (checkpoint / FACTS).exists():
            run, kept = _resume(checkpoint, model, optimiser, recipe)
        for epoch in range(len(run.epochs) + 1, recipe.epochs + 1):
            done = _done(epoch, recipe, time.monotonic() - begun)
            if _patience_used(run, recipe) or done >= 1:
                break
            with at(device):
                row = _epoch(model, task, optimiser, recipe, (epoch, done))
            run.epochs.append(row)
            if row.get("valid", -torch.inf) > run.value:
                run.best, run.value, kept = epoch, row["valid"], _copy(model)
            elif run.value == -torch.inf:  # nothing to stop by: the last epoch counts
                run.best, kept = epoch, _copy(model)
            if checkpoint is not None:
                _save(checkpoint, model, optimiser, run, kept)
            if progress is not None:
                progress(f"epoch {epoch}: " + ", ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "epoch"))
        model.load_state_dict(kept)
    model.eval()
    return run


def _optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser of the recipe; ModelError if it is none that is known."""
    made: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "adagrad": partial(torch.optim.Adagrad, fused=where(model) == CPU or None),
        "sgd": partial(torch.optim.SGD, momentum=MOMENTUM),
    }
    if recipe.optimiser not in made:
        raise ModelError(f"optimiser {recipe.optimiser!r} is unknown; name {', '.join(made)}")
    return made[recipe.optimiser](model.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay)


def rate(recipe: Recipe, epoch: int, done: float) -> float:
    """The learning rate of an epoch (from 1), before which a share `done` of the run is over."""
    falls = {
        "constant": 1.0,
        "exponential": recipe.decay ** (epoch - 1),
        "linear": 1.0 - done,
        "cosine": (1.0 + math.cos(math.pi * done)) / 2,
    }
    if recipe.schedule not in falls:
        raise ModelError(f"schedule {recipe.schedule!r} is unknown; name {', '.join(falls)}")
    return recipe.rate * falls[recipe.schedule]


def _done(epoch: int, recipe: Recipe, passed: float) -> float:
    """Share of the run that is over before an epoch, by epochs or by time; the first begins with all of it ahead.

    So a bound that is never reached changes no bit of the run.
    """
    if epoch == 1:
        return 0.0
    return max((epoch - 1) / recipe.epochs, passed / recipe.seconds if recipe.seconds is not None else 0.0)


def _epoch(
    model: nn.Module, task: Task, optimiser: torch.optim.Optimizer, recipe: Recipe, at: tuple[int, float]
) -> dict[str, float]:
    epoch, speed = at[0], rate(recipe, *at)
    for group in optimiser.param_groups:
        group["lr"] = speed
    model.train()
    total, steps = 0.0, 0
    for loss in task.losses(model):
        if not torch.isfinite(loss):
            raise ModelError(f"loss is {loss.item()} in epoch {epoch}; try a smaller rate than {recipe.rate}")
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        optimiser.step()
        total, steps = total + loss.item(), steps + 1
    model.eval()
    with torch.no_grad():
        valid = task.validate(model) if epoch % recipe.every == 0 else None
    row = {"epoch": float(epoch), "rate": speed, "loss": total / max(steps, 1)}
    log.debug("epoch %s", row)
    return row if valid is None else {**row, "valid": valid}


def _patience_used(run: Fit, recipe: Recipe) -> bool:
    return run.value > -torch.inf and len(run.epochs) - run.best >= recipe.patience


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _save(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, run: Fit, kept: dict[str, Tensor]) -> None:
    tensors = {f"now.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in kept.items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in state.items()}
    tensors |= random_state(where(model))
    save_tensors(
        path,
        tensors,
        {"epochs": run.epochs, "best": run.best, "value": None if run.value == float("-inf") else run.value},
    )


def _resume(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, recipe: Recipe
) -> tuple[Fit, dict[str, Tensor]]:
    tensors, facts = load_tensors(path)
    part = {
        head: {k.partition(".")[2]: v for k, v in tensors.items() if k.startswith(f"{head}.")}
        for head in ("now", "best", "optimiser")
    }
    fill(model, part["now"], path)
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in part["optimiser"].items():
        number, _, slot = name.partition(".")
        state.setdefault(int(number), {})[slot] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    resume_random(where(model), tensors)
    value = facts["value"]
    return Fit(facts["epochs"], facts["best"], float("-inf") if value is None else value), part["best"]
