"""Logistic regression on facts and on what neighbours say: features carried over edges, without a trained network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gnn.convolution import both_ways
from gnn.head import Cohort, facts
from gnn.heads.logistic import Logistic
from gnn.tensors import RELATIONS, GraphTensors

KEPT = 12
"""Principal directions kept of each modality."""


class Propagated(Logistic):
    """Simplified graph convolution (Wu et al. 2019): mean over one and two hops, then a linear model.

    Own facts, the mean facts of neighbours, log degrees by relation and direction, and of each vector modality the
    first principal directions (fitted on the train cohorts) of its mean over one and two hops.
    """

    name = "propagated"

    def prepare(self, cohorts: Sequence[Cohort]) -> None:
        names = sorted({name for c in cohorts for name in c.graph.features if name != "numeric"})
        self.axes = {name: principal(np.concatenate([self._means(c, name) for c in cohorts]), KEPT) for name in names}

    def features(self, cohort: Cohort) -> np.ndarray:
        parts = [facts(cohort), self._means(cohort, "numeric"), degrees(cohort.graph)[cohort.rows].numpy()]
        for name, (centre, axes) in self.axes.items():
            means = self._means(cohort, name)
            parts.append((means - centre) @ axes)
        return np.concatenate(parts, axis=1)

    def _means(self, cohort: Cohort, modality: str) -> np.ndarray:
        own = cohort.graph.features.get(modality)
        if own is None:
            return np.zeros((len(cohort), 1))
        means = spread(cohort.graph, own.dense(len(cohort.graph)), own.mask(len(cohort.graph)))
        table: np.ndarray = means[cohort.rows].numpy().astype(np.float64)
        return table


def spread(graph: GraphTensors, values: Tensor, present: Tensor, hops: int = 2) -> Tensor:
    """(nodes, dim) mean of the vectors within `hops` hops, each walk counted; zeros where nobody there has one."""
    forth, back = both_ways(graph)
    source, target = torch.cat([forth.source, back.source]), torch.cat([forth.target, back.target])
    total, count = values, present.to(torch.float32)[:, None]
    sums, counts = torch.zeros_like(values), torch.zeros_like(count)
    degree = torch.bincount(source, minlength=len(graph)).clamp(min=1).to(torch.float32)[:, None]
    for _ in range(hops):
        # a sender's say is shared among its neighbours: a sector or country must not drown a firm's own documents
        total = torch.zeros_like(total).index_add(0, target, (total / degree)[source])
        count = torch.zeros_like(count).index_add(0, target, (count / degree)[source])
        sums, counts = sums + total, counts + count
    return sums / counts.clamp(min=1e-9)


def degrees(graph: GraphTensors) -> Tensor:
    """(nodes, 2 R) log(1 + number of edges) by relation and direction."""
    table = torch.zeros(len(graph), 2 * len(RELATIONS))
    for side in both_ways(graph):
        table = table.index_put((side.target, side.relation), torch.ones(len(side.target)), accumulate=True)
    return table.log1p()


def principal(table: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and the first principal directions (dim, at most count), signs fixed so that runs agree."""
    centre = table.mean(0)
    _, _, axes = np.linalg.svd(table - centre, full_matrices=False)
    axes = axes[:count]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])
    return centre, (axes * signs[:, None]).T
