"""A trial: one model learns a public split of triples and is ranked on its test part."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnn.bilinear import Bilinear
from gnn.dealt import DealtTask
from gnn.device import CPU, named
from gnn.evaluate import Ranking, rank
from gnn.grouped import GroupedTask
from gnn.links import LinkTask
from gnn.model import Model, Shape
from gnn.odds import centred
from gnn.softmax import halves
from gnn.temporal import AHEAD, STATIC, placed, rank_ahead, timed
from gnn.temporal_task import AheadTask
from gnn.thresholds import Thresholds, verdict
from gnn.train import Fit, Recipe, Task, fit
from gnn.triples import Triples
from kg import plugins
from kg.errors import ModelError

HITS = (1, 3, 10)
PARTS = ("settings", "lesson", "recipe")


@dataclass(frozen=True)
class Trial:
    """What came of it."""

    model: Model
    run: Fit
    test: Ranking
    seconds: float
    """Wall time of training and test."""
    calls: Mapping[str, float] | None = None
    """Accuracy, precision, recall and F1 of true against wrong test triples, where the split has wrong ones."""
    protocol: str = STATIC
    """How the test was asked."""

    @property
    def validated(self) -> float | None:
        """Filtered MRR on the validation triples of the epoch that was kept; None where none was looked at."""
        return self.run.value if math.isfinite(self.run.value) else None

    @property
    def remarks(self) -> list[str]:
        """Why there is no value of validation, in words."""
        if self.validated is not None:
            return []
        why = "training ended before the first look at validation" if self.run.epochs else "the model learns nothing"
        kept = ", so the last epoch was kept" if self.run.epochs else ""
        return [f"Not validated: {why}{kept}."]

    def figures(self) -> dict[str, Any]:
        """Filtered MRR and Hits@k with mean ties, over both sides and each alone."""
        heads, tails = self.test.heads, self.test.tails
        both = figures(torch.cat([heads, tails])) | {"head": figures(heads), "tail": figures(tails)}
        return both | {"protocol": self.protocol}


def figures(ranks: Tensor) -> dict[str, Any]:
    """MRR and Hits@k of ranks."""
    return {"mrr": float((1 / ranks).mean())} | {f"hits@{k}": float((ranks <= k).double().mean()) for k in HITS}


def trial(
    name: str,
    split: Triples,
    *,
    minutes: float | None = None,
    seed: int = 0,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    threads: int = 1,
    device: str = "cpu",
    progress: Callable[[str], None] | None = None,
) -> Trial:
    """Train the model of this name by its plan, restore the epoch that ranks the validation triples best, and test.

    A model that knows time is asked one step ahead where the triples have times (gnn/temporal.py).
    `minutes` bounds the training; `changes` overrides parts of the plan: {"settings": ..., "lesson": ..., "recipe":
    ...}. `device` says where it computes (gnn/device.py). ModelError if there is no such model or device.
    """
    begun, there = time.monotonic(), named(device)
    kind = plugins.load("gnn.models", name, Model)  # type: ignore[type-abstract]  # load gives a concrete one
    placed(kind, there)
    plan = {part: {**getattr(kind.plan, part), **(changes or {}).get(part, {})} for part in PARTS}
    try:
        make: Callable[..., Model] = kind
        model = make(Shape.of(split.graph), **({"seed": seed} if kind.trained else {}), **plan["settings"]).to(there)
        recipe = Recipe(**{"seed": seed, "threads": threads, **plan["recipe"]}, seconds=minutes and minutes * 60)
        asked = task(kind, split, plan["lesson"], there) if kind.trained else None
    except TypeError as error:
        raise ModelError(f"model {name} takes other settings than {plan} ({error}); see its docstring") from error
    run = fit(model, asked, recipe, progress=progress) if asked else Fit()
    ahead = timed(kind, split)
    test = rank_ahead(model, split) if ahead else rank(model, split.graph, split.test, split.known)
    seconds, calls = time.monotonic() - begun, None if ahead else called(model, split)
    return Trial(model, run, test, seconds, calls, AHEAD if ahead else STATIC)


def called(model: Model, split: Triples) -> dict[str, float] | None:
    """How well wrong test triples are told from true ones, by thresholds that validation triples tell."""
    if split.wrong is None:
        return None
    parts = [_scored(model, split, *pair) for pair in zip((split.valid, split.test), split.wrong, strict=True)]
    (relations, score, truth), (later, value, real) = parts
    return verdict(real, Thresholds.fit(relations, score, truth)(later, value))


def _scored(model: Model, split: Triples, right: Tensor, wrong: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Relations, scores and truth."""
    both = torch.cat([right, wrong])
    return (
        both[:, 1].numpy(),
        centred(model, split.graph, both).numpy(),
        np.repeat([1.0, 0.0], [len(right), len(wrong)]),
    )


def task(kind: type[Model], split: Triples, lesson: Mapping[str, Any], there: torch.device = CPU) -> Task:
    """The task that fits a model: step by step in time, in groups where no messages pass, or with parts held back.

    Triples are dealt for the full softmax; a loss that asks which answers are wrong must see all right ones at once.
    """
    if timed(kind, split):
        return AheadTask(split, **lesson)
    if kind.plan.alone and issubclass(kind, Bilinear):
        dealt = lesson.get("loss", "softmax") == "softmax"
        kept = DealtTask if dealt else GroupedTask
        return kept(split.graph, split.valid, split.known, **{"half": there == CPU and halves(), **lesson})
    return LinkTask(split.graph, split.valid, split.known, **lesson)
