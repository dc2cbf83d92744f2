"""fit(): the only training loop."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from gnn.checkpoint import FACTS, fill, load_tensors, save_tensors
from gnn.device import CPU, at, carried, random_state, resume_random, where
from gnn.distributed import Team, alone, backward, team
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


@runtime_checkable
class Parted(Task, Protocol):
    """A task of whose every batch each process of a team (gnn/distributed.py) can do a part."""

    def portions(self, model: nn.Module, rank: int, size: int) -> Iterator[Tensor]:
        """One epoch as `losses` tells it, of each loss the portion of this rank; those of all ranks add up to it.

        All ranks begin an epoch with the same random state, and deal the same batches.
        """


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

    With `checkpoint` the state is written there after each epoch, and a run that finds it goes on from it: to the same
    weights, bit for bit, as one straight run. In a team all ranks call this, and all have the same weights in the end.
    """
    crew = team()
    if crew.size > 1 and not isinstance(task, Parted):
        return _by_first(model, task, recipe, checkpoint, progress)
    optimiser, begun, device = _optimiser(model, recipe), time.monotonic(), where(model)
    task = carried(task, device)
    with exact(recipe.threads), seeded(recipe.seed):
        run, kept = Fit(), _copy(model)
        if (found := _found(checkpoint, crew)) is not None:
            run, kept = _resume((checkpoint or Path(), *found), model, optimiser, recipe)
        crew.alike(model, "at the start")
        for epoch in range(len(run.epochs) + 1, recipe.epochs + 1):
            done = crew.same(_done(epoch, recipe, time.monotonic() - begun))
            if _patience_used(run, recipe) or done >= 1:
                break
            with at(device):
                row = _epoch(model, task, optimiser, recipe, (epoch, done), crew)
            run.epochs.append(row)
            if row.get("valid", -torch.inf) > run.value:
                run.best, run.value, kept = epoch, row["valid"], _copy(model)
            elif run.value == -torch.inf:  # nothing to stop by: the last epoch counts
                run.best, kept = epoch, _copy(model)
            if checkpoint is not None and crew.first:
                _save(checkpoint, model, optimiser, run, kept)
            if progress is not None and crew.first:
                progress(f"epoch {epoch}: " + ", ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "epoch"))
        model.load_state_dict(kept)
    model.eval()
    return run


def _by_first(
    model: nn.Module,
    task: Task,
    recipe: Recipe,
    checkpoint: Path | None,
    progress: Callable[[str], None] | None,
) -> Fit:
    """A task that has no parts is learned by the first rank of the team, and the others take its weights.

    They hear of every epoch, so that none takes a long fit for a dead one.
    """
    crew, run = team(), Fit()

    def say(text: str) -> None:
        crew.heard(text.encode())
        if progress is not None:
            progress(text)

    if crew.first:
        with alone():
            run = fit(model, task, recipe, checkpoint, say)
        crew.heard(b"")
    else:
        while crew.heard(b""):
            pass
    model.load_state_dict(crew.tensors(model.state_dict()))
    model.eval()
    told = crew.same({**vars(run), "value": _told(run.value)})
    return Fit(told["epochs"], told["best"], _value(told["value"]))


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
    model: nn.Module, task: Task, optimiser: torch.optim.Optimizer, recipe: Recipe, at: tuple[int, float], crew: Team
) -> dict[str, float]:
    epoch, speed = at[0], rate(recipe, *at)
    for group in optimiser.param_groups:
        group["lr"] = speed
    model.train()
    total, steps = 0.0, 0
    for loss in _steps(model, task, crew):
        optimiser.zero_grad()
        value = backward(loss, model, crew)
        if not math.isfinite(value):
            raise ModelError(f"loss is {value} in epoch {epoch}; try a smaller rate than {recipe.rate}")
        optimiser.step()
        total, steps = total + value, steps + 1
    model.eval()
    crew.alike(model, f"after epoch {epoch}")
    with torch.no_grad():
        valid = task.validate(model) if epoch % recipe.every == 0 and crew.first else None
    row: dict[str, float] = {"epoch": float(epoch), "rate": speed, "loss": total / max(steps, 1)}
    row = crew.same(row if valid is None else {**row, "valid": valid})
    if crew.size > 1:  # a rank may have drawn more numbers than another: for more nodes, or in validating
        resume_random(where(model), crew.tensors(random_state(where(model))))
    log.debug("epoch %s", row)
    return row


def _steps(model: nn.Module, task: Task, crew: Team) -> Iterator[Tensor]:
    """One epoch: the losses, or of each this rank's portion."""
    if crew.size > 1 and isinstance(task, Parted):
        return task.portions(model, crew.rank, crew.size)
    return task.losses(model)


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
        {"epochs": run.epochs, "best": run.best, "value": _told(run.value)},
    )


def _told(value: float) -> float | None:
    """A validation value as JSON can carry it."""
    return None if value == float("-inf") else value


def _value(told: float | None) -> float:
    return -math.inf if told is None else told


def _found(path: Path | None, crew: Team) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The state that a run left, read by the first rank for all; None where there is none that can be read."""
    left = _left(path) if crew.first and path is not None else None
    if not crew.same(left is not None):
        return None
    return crew.tensors(left[0] if left else {}), crew.same(left[1] if left else {})


def _left(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """It is only a place to go on from: where it is spoiled, going on fails for ever and beginning anew does not."""
    try:
        return load_tensors(path) if (path / FACTS).exists() else None
    except ModelError as error:
        log.warning("%s; this one begins anew", error)
        return None


def _resume(
    found: tuple[Path, dict[str, Tensor], dict[str, Any]],
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    recipe: Recipe,
) -> tuple[Fit, dict[str, Tensor]]:
    path, tensors, facts = found
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
    return Fit(facts["epochs"], facts["best"], _value(facts["value"])), part["best"]
