"""A shared space learned from what a graph itself pairs: pages and their words, sound and transcript, figures and text.

One in five things is held back for the test and one in five for the choice of epochs and the calibration, dealt out by
the digest of document and place, so that a thing keeps its part whatever comes later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from gnn.contrastive import Pairs, PairTask, Space, calibrated
from gnn.encoder import VectorCache
from gnn.encoders.table import Table
from gnn.things import Stated, Thing, encoded, encoders, things
from gnn.train import Recipe, fit
from kg.errors import ModelError
from kg.files import Files
from kg.model import digest

RECIPE: Final = Recipe(epochs=200, rate=0.003, weight_decay=1e-3, decay=0.99, patience=60)
FEWEST: Final = 8
"""Pairs of a kind to learn from; with fewer the space has no head for it."""


@dataclass(frozen=True)
class Learned:
    """A space, and the pairs that it never saw, by modality."""

    space: Space
    train: Mapping[str, int]
    """Pairs learned from."""
    held: Mapping[str, Pairs]


def learn(
    ledger: Stated, files: Files, cache: Path | None = None, anchor: str = "text", recipe: Recipe = RECIPE
) -> Learned:
    """Learn a space from the pairs of a ledger. ModelError if it holds too few of every kind."""
    made = [thing for thing in things(ledger, files) if thing.words.strip() and thing.modality != "text"]
    scale = Table().fit(np.stack(own)) if (own := [t.content for t in made if t.modality == "table"]) else None
    known = encoders() | ({"table": scale} if scale else {})
    store = VectorCache(cache)
    words = store.vectors(known["text"], [thing.words for thing in made])
    said = {id(thing): vector for thing, vector in zip(made, words, strict=True)}
    found = [(thing, vector, said[id(thing)]) for thing, vector in encoded(made, known, store)]
    parts = {
        part: pairs((t, x, y) for t, x, y in found if y is not None and part_of(t) == part)
        for part in ("train", "valid", "test")
    }
    return learned(parts, scale, anchor, recipe)


def learned(
    parts: Mapping[str, Mapping[str, Pairs]], scale: Table | None, anchor: str, recipe: Recipe = RECIPE
) -> Learned:
    """Learn from `train`, choose and calibrate on `valid`, and leave `test` alone; each by modality."""
    train = {name: own for name, own in parts["train"].items() if len(own) >= FEWEST}
    if not train:
        counts = ", ".join(f"{len(own)} of {name}" for name, own in parts["train"].items()) or "none"
        raise ModelError(f"a shared space needs {FEWEST} pairs of a kind to learn from; there are: {counts}")
    valid = {name: own for name, own in parts["valid"].items() if name in train and len(own) > 1}
    widths = {name: own.x.shape[1] for name, own in train.items()} | {"text": next(iter(train.values())).y.shape[1]}
    space = Space(widths, anchor=anchor, seed=recipe.seed)
    fit(space, PairTask(list(train.values()), list(valid.values())), recipe)
    for name, own in valid.items():
        if not bool(own.same.all()):
            space.belongs[" ".join(sorted((name, "text")))] = calibrated(space, own)
    space.table = dict(scale.scale) if scale and "table" in train else {}
    held = {name: own for name, own in parts["test"].items() if name in train and len(own) > 1}
    return Learned(space, {name: len(own) for name, own in train.items()}, held)


def pairs(found: Iterable[tuple[Thing, torch.Tensor, torch.Tensor]]) -> dict[str, Pairs]:
    """By modality, its vectors and those of the words."""
    rows: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
    for thing, own, said in found:
        rows.setdefault(thing.modality, []).append((own, said))
    return {
        name: Pairs(name, "text", *(torch.stack(side) for side in zip(*own, strict=True))) for name, own in rows.items()
    }


def part_of(thing: Thing) -> str:
    """train, valid or test, by the digest of where the thing stands."""
    turn = int(digest(f"{thing.document} {thing.locator}".encode())[:8], 16) % 5
    return ("test", "valid", "train", "train", "train")[turn]
