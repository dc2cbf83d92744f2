"""Firms whose distress is planted in vectors of known modalities: the truth of every figure is known.

There are no edges, so whatever a head tells comes from the vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from gnn.head import Cohort
from gnn.tensors import Features, GraphTensors
from gnn.vocabulary import LABELS
from tests.gnn_world import CUT

WIDTH = 12


def cohort(vectors: Mapping[str, np.ndarray], has: Mapping[str, np.ndarray], truth: np.ndarray) -> Cohort:
    """Firms with these vectors (firms, dim) of each modality, where `has` (firms,) says that they have it."""
    count = len(truth)
    none = torch.zeros(0, dtype=torch.int64)
    features = {
        name: Features(torch.from_numpy(np.flatnonzero(has[name])), torch.from_numpy(own[has[name]]).float())
        for name, own in vectors.items()
    }
    labels = torch.full((count,), LABELS.index("Company"))
    ids = tuple(f"reg:{n:06d}" for n in range(count))
    graph = GraphTensors(ids, labels, none.view(0, 3), none, none, none, CUT, features)
    return Cohort(graph, torch.arange(count), truth.astype(np.float64), torch.zeros(count))


def drawn(logit: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    return (draw.random(len(logit)) < 1 / (1 + np.exp(-logit))).astype(np.float64)


def scarce(count: int, share: float, seed: int) -> Cohort:
    """Every firm has text, `share` of them an image; who has one fails by what it shows, the others by their text."""
    draw = np.random.default_rng(seed)
    vectors = {name: draw.normal(size=(count, WIDTH)) for name in ("text", "image")}
    has = {"text": np.ones(count, dtype=bool), "image": draw.random(count) < share}
    logit = 3.0 * np.where(has["image"], vectors["image"][:, 0], vectors["text"][:, 0])
    return cohort(vectors, has, drawn(logit, draw))


def layered(count: int, strengths: Mapping[str, float], seed: int, missing: float = 0.0) -> Cohort:
    """Each modality brings its own part of the log odds, as strong as said; each is missing at random."""
    draw = np.random.default_rng(seed)
    vectors = {name: draw.normal(size=(count, WIDTH)) for name in strengths}
    has = {name: draw.random(count) >= missing for name in strengths}
    logit = sum((force * vectors[name][:, 0] for name, force in strengths.items()), start=np.zeros(count))
    return cohort(vectors, has, drawn(logit, draw))


def scaled(own: Cohort, modality: str, factor: float) -> Cohort:
    """The same firms with the vectors of one modality in another unit."""
    old = own.graph.features[modality]
    features = {**own.graph.features, modality: Features(old.rows, old.values * factor)}
    return replace(own, graph=own.graph.with_features(features))
