"""A shared space learned from what a graph itself pairs: pages and their words, sound and transcript, figures and text.

One in five things is held back for the test and one in five for the choice of epochs and the calibration, dealt out by
the digest of document and place, so that a thing keeps its part whatever comes later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch

from gnn.card import card, written
from gnn.contrastive import Pairs, PairTask, Space, calibrated, chance, found_at
from gnn.encoder import VectorCache
from gnn.encoders.table import Table
from gnn.runs import RunStore, Stages
from gnn.things import Stated, Thing, encoded, encoders, things
from gnn.train import Recipe, fit
from kg.errors import ModelError
from kg.files import Files
from kg.model import AsOf, RunManifest, digest, iso
from kg.snapshot import Snapshot

RECIPE: Final = Recipe(epochs=200, rate=0.003, weight_decay=1e-3, decay=0.99, patience=60)
MODEL: Final = "space"
WITHIN: Final = 5
"""Among how many hits the right one has to be, in the test of a space."""
USE: Final = ("Meant to find pages, recordings and figures by words and back; a hit is a place to read, not a fact.",)
LIMITS: Final = ("A page is seen small: its kind and layout are told, not what is printed on it.",)
FEWEST: Final = 8
"""Pairs of a kind to learn from; with fewer the space has no head for it."""


@dataclass(frozen=True)
class Learned:
    """A space, and the pairs that it never saw, by modality."""

    space: Space
    train: Mapping[str, int]
    """Pairs learned from."""
    held: Mapping[str, Pairs]
    losses: Sequence[Mapping[str, float]] = ()
    """The loss curve."""


def learn(
    ledger: Stated,
    files: Files,
    cache: Path | None = None,
    anchor: str = "text",
    recipe: Recipe = RECIPE,
    cut: datetime | None = None,
) -> Learned:
    """Learn a space from the pairs of a ledger, with a cut from those published by then.

    ModelError if it holds too few of every kind.
    """
    made = [thing for thing in things(ledger, files) if thing.words.strip() and thing.modality != "text"]
    made = [thing for thing in made if cut is None or thing.published <= cut]
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
    run = fit(space, PairTask(list(train.values()), list(valid.values())), recipe)
    for name, own in valid.items():
        if not bool(own.same.all()):
            space.belongs[" ".join(sorted((name, "text")))] = calibrated(space, own)
    space.table = dict(scale.scale) if scale and "table" in train else {}
    held = {name: own for name, own in parts["test"].items() if name in train and len(own) > 1}
    return Learned(space, {name: len(own) for name, own in train.items()}, held, run.epochs)


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


class Viewed(Stated, Protocol):
    """A ledger of which a run can say what it learned from."""

    def view(self, at: AsOf) -> Snapshot: ...


def trained(
    ledger: Viewed, files: Files, out: Path, cache: Path | None = None, cut: datetime | None = None
) -> tuple[Path, list[dict[str, Any]]]:
    """Learn a space and keep it as a run; gives its folder, and how often held-back pairs were found.

    A row for each kind of pair and side: recall among WITHIN hits, guessing, pairs learned from and held back.
    """
    spent, snapshot = Stages(), ledger.view(AsOf(published=cut))
    with spent("space"):
        made = learn(ledger, files, cache, cut=cut)
    rows = [row for name, own in made.held.items() for row in _recalled(made, name, own)]
    metrics = [
        {"task": "space", "model": name, "metric": f"{row['asked']}: recall@{WITHIN}", "value": row[name]}
        | {"low": None, "high": None, "count": row["held"]}
        for row in rows
        for name in ("recall", "guessing")
    ]
    details = {
        "model": MODEL,
        "head": "",
        "extractor": f"model.{MODEL}@1",
        "cut": iso(cut) if cut else "",
        "seed": RECIPE.seed,
        "settings": asdict(RECIPE),
        "encoders": {name: encoder.fingerprint for name, encoder in encoders().items()},
        "torch": torch.__version__,
        "ledger": snapshot.ledger,
        "commit": snapshot.commit,
        "data": {f"pairs of {name} and text": count for name, count in made.train.items()},
        "weights": _weights(made.space),
        "metrics": metrics,
        "use": list(USE),
        "limits": list(LIMITS),
    }
    run = RunManifest("train", details)
    folder = made.space.save(out / run.id)
    written(card(run), folder)
    RunStore(out).record(run, spent.rows, [{"model": MODEL, **row} for row in made.losses])
    return folder, rows


def _weights(space: Space) -> str:
    return digest(b"".join(value.numpy().tobytes() for _, value in sorted(space.state_dict().items())))


def _recalled(made: Learned, name: str, held: Pairs) -> list[dict[str, Any]]:
    """Both sides of one kind of pair: with what was asked for what, how often it was found, and by guessing."""
    ranks, luck = found_at(made.space, held), chance(held, WITHIN)
    sides = ((held.left, held.right, ranks[0], luck[0]), (held.right, held.left, ranks[1], luck[1]))
    return [
        {"asked": f"{asked} -> {sought}", "recall": float((rank <= WITHIN).double().mean()), "guessing": guess}
        | {"learned": made.train[name], "held": len(held)}
        for asked, sought, rank, guess in sides
    ]
