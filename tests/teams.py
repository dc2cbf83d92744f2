"""What the ranks of a test's team do: small fits of each kind of task, told as numbers that can be compared."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gnn.checkpoint import FACTS, load_tensors, save_tensors
from gnn.dealt import DealtTask
from gnn.distributed import team
from gnn.grouped import GroupedTask
from gnn.head import Cohort
from gnn.heads.network import Distress, DistressTask
from gnn.links import LinkTask
from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.models.relational import Relational
from gnn.ranks import together
from gnn.tensors import Features, GraphTensors
from gnn.train import Fit, Recipe, Task, fit
from tests.test_gnn_convolution import graph, some_edges

RECIPE = Recipe(epochs=4, rate=0.02, seed=1, patience=4)


def own(wide: bool) -> GraphTensors:
    made = graph(some_edges(30, 150), 30)
    values = torch.randn(15, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return made.with_features({"numeric": Features(torch.arange(0, 30, 2), values.to(_type(wide)))})


def _type(wide: bool) -> torch.dtype:
    return torch.float64 if wide else torch.float32


def links(wide: bool) -> tuple[nn.Module, Task]:
    made = own(wide)
    return Relational(Shape.of(made), dim=8), LinkTask(made, made.edges[:10], balance=0.0 if wide else 0.5)


def margins(wide: bool) -> tuple[nn.Module, Task]:
    made = own(wide)
    return Relational(Shape.of(made), dim=8), LinkTask(made, made.edges[:10], loss="margin")


def grouped(wide: bool) -> tuple[nn.Module, Task]:
    made = own(wide)
    weights = None if wide else torch.linspace(0.5, 2.0, len(made.vocabulary.relations))  # they are float32
    task = GroupedTask(made, made.edges[:10], batch=16, weights=weights, n3=0.02, relations=0.5)
    return Complex(Shape.of(made), dim=8), task


def dealt(wide: bool) -> tuple[nn.Module, Task]:
    made = own(wide)
    return Complex(Shape.of(made), dim=8), DealtTask(made, made.edges[:10], n3=0.02)


def firms(wide: bool) -> tuple[nn.Module, Task]:
    made, draw = own(wide), np.random.default_rng(3)
    rows = torch.arange(21)
    truth = (draw.random(21) < 0.3).astype(np.float64)
    cohort = Cohort(made, rows, truth, torch.linspace(0, 1, 30))
    return Distress(Shape(0, {"numeric": 4}), 0.3, 0), DistressTask([cohort, cohort], cohort)


KINDS: dict[str, Callable[[bool], tuple[nn.Module, Task]]] = {
    "links": links,
    "margins": margins,
    "grouped": grouped,
    "dealt": dealt,
    "firms": firms,
}


def fitted(kind: str, wide: bool, state: Path | None = None) -> tuple[Fit, dict[str, Tensor]]:
    """A run and its weights."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(_type(wide))
    try:
        model, task = KINDS[kind](wide)
        run = fit(model, task, RECIPE, state)
    finally:
        torch.set_default_dtype(before)
    return run, {name: value.clone() for name, value in model.state_dict().items()}


def killed_in_epoch(kind: str, state: Path, epoch: int, step: int) -> Any:
    """A run that is killed before a step (from 0) of an epoch (from 1)."""
    model, task = KINDS[kind](False)
    dealt = task.portions  # type: ignore[attr-defined]  # each of the kinds has parts
    begun = len(load_tensors(state)[1]["epochs"]) if (state / FACTS).exists() else 0

    def portions(*given: Any) -> Iterator[Tensor]:
        nonlocal begun
        begun += 1
        for number, loss in enumerate(dealt(*given)):
            if (begun, number) == (epoch, step):
                os.kill(os.getpid(), signal.SIGKILL)
            yield loss

    task.portions = portions  # type: ignore[attr-defined]
    return fit(model, task, RECIPE, state)


def all_kinds() -> dict[tuple[str, bool], tuple[Fit, dict[str, Tensor]]]:
    return {(kind, wide): fitted(kind, wide) for kind in KINDS for wide in (True, False)}


def in_two(fn: Callable[..., Any], *given: Any, seconds: float = 300.0) -> Any:
    """What the first of two processes gives."""
    return together(lambda: fn(*given), fn, given, 2, seconds)


def on_cluster(folder: Path, kind: str, wait: bool) -> dict[str, Any]:
    """A fit whose state and weights lie in a folder. It waits in the third epoch until it is told that a node died."""
    if wait and not (folder / "died").exists():
        return _held(folder, kind)
    run, weights = fitted(kind, False, folder / "state")
    if team().first:
        save_tensors(folder / "done", weights, {"best": run.best})
    return {"best": run.best, "value": run.value, "processes": team().size, "epochs": len(run.epochs)}


def _held(folder: Path, kind: str) -> dict[str, Any]:
    model, task = KINDS[kind](False)
    dealt, begun = task.portions, 0  # type: ignore[attr-defined]  # each of the kinds has parts

    def portions(*given: Any) -> Iterator[Tensor]:
        nonlocal begun
        begun += 1
        for number, loss in enumerate(dealt(*given)):
            if (begun, number) == (3, 2):
                (folder / f"here-{team().rank}").touch()
                end = time.monotonic() + 300
                while not (folder / "died").exists() and time.monotonic() < end:
                    time.sleep(0.1)
            yield loss

    task.portions = portions  # type: ignore[attr-defined]
    fit(model, task, RECIPE, folder / "state")
    return {"held": True}
