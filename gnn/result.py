"""TrainResult: everything a training run found, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from gnn.peek import Certificate
from kg.model import RunManifest

METRICS = pa.schema(
    [
        pa.field("task", pa.string()),  # links | risk
        pa.field("model", pa.string()),
        pa.field("metric", pa.string()),
        pa.field("value", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("count", pa.int64()),
    ]
)
RELATION_ROWS = pa.schema(
    [
        pa.field("relation", pa.string()),
        pa.field("model", pa.string()),
        pa.field("triples", pa.int64()),
        pa.field("mrr", pa.float64()),
        pa.field("ece", pa.float64()),  # of the calibrated probability; null where it was not measured
        pa.field("coverage", pa.float64()),  # share of conformal sets that held the true answer
        pa.field("set_size", pa.float64()),  # mean number of nodes in them
    ]
)
MODALITY_ROWS = pa.schema(
    [
        pa.field("modality", pa.string()),
        pa.field("nodes", pa.int64()),
        pa.field("attention", pa.float64()),  # mean weight over the nodes that have it
        pa.field("mrr", pa.float64()),
        pa.field("permuted", pa.float64()),
        pa.field("drop", pa.float64()),
    ]
)
LOSS_ROWS = pa.schema(
    [
        pa.field("model", pa.string()),
        pa.field("epoch", pa.int64()),
        pa.field("rate", pa.float64()),
        pa.field("loss", pa.float64()),
        pa.field("valid", pa.float64()),
    ]
)
LINK_ROWS = pa.schema(
    [
        pa.field("relation", pa.string()),
        pa.field("source", pa.string()),
        pa.field("target", pa.string()),
        pa.field("source_label", pa.string()),
        pa.field("target_label", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("rank", pa.int64()),
        pa.field("paths", pa.list_(pa.list_(pa.string()))),  # edge ids, best path first
        pa.field("hops", pa.list_(pa.string())),  # the same in words
        pa.field("ensemble", pa.float64()),  # probability by all members together
        pa.field("uncertainty", pa.float64()),  # standard deviation of the members' probabilities
    ]
)
SCORE_ROWS = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("label", pa.string()),
        pa.field("distress", pa.float64()),
        pa.field("low", pa.float64()),  # how far it may move with the seed and the modalities that the firm lacks
        pa.field("high", pa.float64()),
        pa.field("uncertainty", pa.float64()),  # standard deviation of the probabilities of all heads
        pa.field("possible", pa.string()),  # conformal set of outcomes: sound | distress | either | neither
    ]
)

TESTED_ROWS = pa.schema(
    [pa.field("id", pa.string()), pa.field("probability", pa.float64()), pa.field("truth", pa.float64())]
)
VECTOR_ROWS = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("label", pa.string()),
        pa.field("model", pa.string()),
        pa.field("published", pa.timestamp("us", "UTC")),
        pa.field("statement", pa.string()),  # leads to its evidence
        pa.field("claim", pa.string()),
        pa.field("vector", pa.list_(pa.float32())),
    ]
)


@dataclass(frozen=True)
class Embeddings:
    """A vector for each node."""

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    vectors: np.ndarray
    """(nodes, dim) float32 of unit length, so that cosine and dot product agree."""

    def nearest(self, id: str, k: int, label: str | None = None) -> list[tuple[str, float]]:
        """The k nodes most like this one, itself left out, by cosine, then by id."""
        row = self.ids.index(id)
        like = self.vectors @ self.vectors[row]
        others = [i for i in range(len(self.ids)) if i != row and label in (None, self.labels[i])]
        best = sorted(others, key=lambda i: (-like[i], self.ids[i]))[:k]
        return [(self.ids[i], float(like[i])) for i in best]


@dataclass(frozen=True)
class TrainResult:
    """What a run found. Tables have the schemas above."""

    run: str
    """Id of the run: digest of its manifest."""
    model: str
    cut: datetime
    seed: int
    metrics: pa.Table
    relations: pa.Table
    modalities: pa.Table
    losses: pa.Table
    links: pa.Table
    scores: pa.Table
    tested: pa.Table
    """Firms at the cut, the published probability, and what became of them in the window after it."""
    embeddings: Embeddings
    remarks: list[str]
    """Findings as sentences, among them every baseline that a model loses to."""
    checkpoint: Path
    manifest: RunManifest
    certificate: Certificate | None = None
    """That nothing published after the cut was read; None where it was not asked for."""

    def metric(self, task: str, model: str, metric: str) -> float:
        """One value; KeyError if the run has no such figure."""
        for row in self.metrics.to_pylist():
            if (row["task"], row["model"], row["metric"]) == (task, model, metric):
                return float(row["value"])
        raise KeyError(f"{task}/{model}/{metric}")
