"""The kind of a drawn page, told from its look alone: a pretrained network beside colours and all plain figures.

Pages are drawn by benchmarks/page_pictures.py; test pages come from other seeds. On top of each encoder is the same
logistic regression over standardised columns, its strength chosen by cross-validation on the training pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from benchmarks.figure import Figure
from benchmarks.page_pictures import pictures
from benchmarks.page_sheet import Picture
from gnn.encoders.appearance import PARTS, Appearance
from gnn.encoders.image import Image
from gnn.evaluate import bootstrap

TRAIN, TEST = 11, 12
EACH: Final = 12
"""Pages of every kind, in training and in test."""
STRENGTHS: Final = [0.001, 0.01, 0.1, 1.0]


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


def compared(each: int) -> dict[str, np.ndarray]:
    """By encoder, which of the test pages were told right, after `each` training pages of every kind."""
    torch.set_num_threads(1)
    train, test = pictures(TRAIN, each), pictures(TEST, each)
    known, asked = vectors(train), vectors(test)
    kinds, truth = [page.kind for page in train], [page.kind for page in test]
    return {name: right(known[name], kinds, asked[name], truth) for name in known}


def measure() -> list[Figure]:
    told, figures = compared(EACH), []
    for name, hits in told.items():
        low, high = bootstrap(hits)
        note = f"95 % interval {low:.3f} to {high:.3f}, {len(hits)} pages of 7 kinds"
        figures.append(Figure(f"kind of page told by {name}", float(hits.mean()), note=note))
    for other in ("colours", "plain figures"):
        gap = told["network"] - told[other]
        low, high = bootstrap(gap)
        note = f"aim: 0; difference {gap.mean():+.3f}, interval {low:+.3f} to {high:+.3f}, paired by page"
        aim = 0.0 if other == "colours" else None
        figures.append(Figure(f"low end of what the network gains over {other}", low, aim, note=note))
    return figures
