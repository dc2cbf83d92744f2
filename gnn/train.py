"""fit(): the only training loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from gnn.checkpoint import FACTS, load_tensors, save_tensors
from gnn.model import exact, seeded
from kg.errors import ModelError

log = logging.getLogger(__name__)

MOMENTUM = 0.9
"""Share of the last step that SGD takes along (Sutskever et al. 2013)."""


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
    optimiser: Literal["adam", "sgd"] = "adam"
    """Adam (Kingma and Ba 2015), or stochastic gradient descent with MOMENTUM."""
    rate: float = 0.01
    """Learning rate at the first epoch."""
    decay: float = 0.98
    """The rate is multiplied by this after each epoch."""
    weight_decay: float = 1e-5
    patience: int = 10
    """Epochs without a better validation value before the run ends."""
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
    optimiser = _optimiser(model, recipe)
    with exact(recipe.threads), seeded(recipe.seed):
        run, kept = Fit(), _copy(model)
        if checkpoint is not None and (checkpoint / FACTS).exists():
            run, kept = _resume(checkpoint, model, optimiser, recipe)
        for epoch in range(len(run.epochs) + 1, recipe.epochs + 1):
            if _patience_used(run, recipe):
                break
            row = _epoch(model, task, optimiser, recipe, epoch)
            run.epochs.append(row)
            if "valid" not in row or row["valid"] > run.value:
                run.best, run.value, kept = epoch, row.get("valid", run.value), _copy(model)
            if checkpoint is not None:
                _save(checkpoint, model, optimiser, run, kept)
            if progress is not None:
                progress(f"epoch {epoch}: " + ", ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "epoch"))
        model.load_state_dict(kept)
    model.eval()
    return run


def _optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser of the recipe; ModelError if it is none that is known."""
    if recipe.optimiser == "adam":
        return torch.optim.Adam(model.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay)
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(model.parameters(), recipe.rate, MOMENTUM, weight_decay=recipe.weight_decay)
    raise ModelError(f"optimiser {recipe.optimiser!r} is unknown; name adam or sgd")


def _epoch(
    model: nn.Module, task: Task, optimiser: torch.optim.Optimizer, recipe: Recipe, epoch: int
) -> dict[str, float]:
    rate = recipe.rate * recipe.decay ** (epoch - 1)
    for group in optimiser.param_groups:
        group["lr"] = rate
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
        valid = task.validate(model)
    row = {"epoch": float(epoch), "rate": rate, "loss": total / max(steps, 1)}
    log.debug("epoch %s", row)
    return row if valid is None else {**row, "valid": valid}


def _patience_used(run: Fit, recipe: Recipe) -> bool:
    return bool(run.epochs) and "valid" in run.epochs[-1] and len(run.epochs) - run.best >= recipe.patience


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _save(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, run: Fit, kept: dict[str, Tensor]) -> None:
    tensors = {f"now.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in kept.items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in state.items()}
    tensors["random"] = torch.random.get_rng_state()
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
    model.load_state_dict(part["now"])
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in part["optimiser"].items():
        number, _, slot = name.partition(".")
        state.setdefault(int(number), {})[slot] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    torch.random.set_rng_state(tensors["random"])
    value = facts["value"]
    return Fit(facts["epochs"], facts["best"], float("-inf") if value is None else value), part["best"]
