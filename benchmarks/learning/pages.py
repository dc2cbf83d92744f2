"""The kind of a drawn page, told from its look alone: networks beside colours and all plain figures.

Pages are drawn by benchmarks/page_pictures.py and page_layouts.py. In the first part test pages come from other seeds
of the same layouts; in the second each of three layouts in turn is held out, so that a page must be told by what its
kind is and not by where its furniture stands. On top of each frozen encoder is the same logistic regression over
standardised columns, its strength chosen by cross-validation on the training pages. `cnn` is trained here end to end on
the training pages, moved and scaled a little: three in four of them learn while the fourth chooses the number of
epochs, then all of them learn for as many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.figure import Figure
from benchmarks.page_layouts import LAYOUTS, laid_out
from benchmarks.page_pictures import pictures
from benchmarks.page_sheet import Picture
from gnn.encoders.appearance import PARTS, Appearance
from gnn.encoders.cnn import Cnn, view
from gnn.encoders.image import Image
from gnn.evaluate import bootstrap
from gnn.train import Recipe, fit

TRAIN, TEST = 11, 12
EACH: Final = 12
"""Pages of every kind, in training and in test."""
STRENGTHS: Final = [0.001, 0.01, 0.1, 1.0]
EPOCHS: Final = 240
"""Most passes over the training pages by the small network."""


def vectors(pages: Sequence[Picture]) -> dict[str, np.ndarray]:
    """Vectors (pages, dim) by encoder; `colours` is the histogram alone."""
    content = [page.content for page in pages]
    plain, network = Appearance().encode(content).numpy(), Image().encode(content).numpy()
    return {"colours": plain[:, : PARTS["colour"]], "plain figures": plain, "network": network}


def right(train: np.ndarray, kinds: Sequence[str], test: np.ndarray, truth: Sequence[str]) -> np.ndarray:
    """(pages,) 1.0 where the kind of a test page was told."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    search = GridSearchCV(model, {"logisticregression__C": STRENGTHS}, cv=3).fit(train, kinds)
    found: np.ndarray = (search.predict(test) == np.array(truth)).astype(np.float64)
    return found


Shown = tuple[Tensor, Tensor]
"""Prepared pages and the numbers of their kinds."""


class Kinds:
    """Cross-entropy of the kind of each page, seen moved and scaled anew each time."""

    def __init__(self, given: Shown, later: Shown | None = None) -> None:
        self.given, self.later = given, later

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        pages, kinds = self.given
        order = torch.randperm(len(pages))
        for at in range(0, len(order), 16):
            part = order[at : at + 16]
            yield F.cross_entropy(model(view(pages[part])), kinds[part])

    def validate(self, model: nn.Module) -> float | None:
        return -float(F.cross_entropy(model(self.later[0]), self.later[1])) if self.later else None


def trained(train: Sequence[Picture], test: Sequence[Picture], epochs: int = EPOCHS, seed: int = 0) -> np.ndarray:
    """(pages,) 1.0 where the small network, trained on the training pages alone, told the kind."""
    names = sorted({page.kind for page in train})
    own = Cnn(seed)
    (given, truth), (asked, asked_truth) = (
        (torch.stack([own.prepare(page.content) for page in part]), torch.tensor([names.index(p.kind) for p in part]))
        for part in (train, test)
    )
    back = torch.arange(len(given)) % 4 == 3  # the seven kinds take turns, so this is one in four of each
    recipe = Recipe(epochs=epochs, rate=0.001, schedule="constant", optimiser="adamw", weight_decay=0.01, seed=seed)
    task = Kinds((given[~back], truth[~back]), (given[back], truth[back]))
    chosen = fit(_teller(seed, len(names)), task, replace(recipe, patience=epochs)).best
    model = _teller(seed, len(names))
    fit(model, Kinds((given, truth)), replace(recipe, epochs=chosen))
    with torch.no_grad():
        return (model(asked).argmax(1) == asked_truth).double().numpy()  # type: ignore[no-any-return]  # torch


def _teller(seed: int, kinds: int) -> nn.Module:
    """The small network with a linear answer, weights drawn anew."""
    own = Cnn(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(own.network, nn.ReLU(), nn.Linear(own.dim, kinds))


def told(train: Sequence[Picture], test: Sequence[Picture], epochs: int = EPOCHS) -> dict[str, np.ndarray]:
    """By encoder, which of the test pages were told right."""
    known, asked = vectors(train), vectors(test)
    kinds, truth = [page.kind for page in train], [page.kind for page in test]
    found = {name: right(known[name], kinds, asked[name], truth) for name in known}
    return found | {"cnn": trained(train, test, epochs)}


def compared(each: int) -> dict[str, np.ndarray]:
    """By frozen encoder, which pages of the first layout and other seeds were told right."""
    torch.set_num_threads(1)
    train, test = pictures(TRAIN, each), pictures(TEST, each)
    known, asked = vectors(train), vectors(test)
    kinds, truth = [page.kind for page in train], [page.kind for page in test]
    return {name: right(known[name], kinds, asked[name], truth) for name in known}


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    parts = [(laid_out(layout, TRAIN, EACH), laid_out(layout, TEST, EACH)) for layout in range(len(LAYOUTS))]
    same = told(*parts[0])
    folds = [told([page for other in parts if other is not own for page in other[0]], own[1]) for own in parts]
    held = {name: np.concatenate([fold[name] for fold in folds]) for name in folds[0]}
    figures = []
    for hits, where in ((same, ""), (held, ", layout held out")):
        figures += [*_shares(hits, where), *_gaps(hits, "network", where), *_gaps(hits, "cnn", where)]
    return figures


def _shares(hits: dict[str, np.ndarray], where: str) -> Iterator[Figure]:
    for name, own in hits.items():
        low, high = bootstrap(own)
        note = f"95 % interval {low:.3f} to {high:.3f}, {len(own)} pages of 7 kinds"
        yield Figure(f"kind of page told by {name}{where}", float(own.mean()), note=note)


def _gaps(hits: dict[str, np.ndarray], name: str, where: str) -> Iterator[Figure]:
    who = "the network" if name == "network" else name
    for other in ("colours", "plain figures"):
        gap = hits[name] - hits[other]
        low, high = bootstrap(gap)
        note = f"aim: 0; difference {gap.mean():+.3f}, interval {low:+.3f} to {high:+.3f}, paired by page"
        aim = 0.0 if other == "colours" else None
        yield Figure(f"low end of what {who} gains over {other}{where}", low, aim, note=note)
