"""Where a node stands in its graph: degrees, walks that return or end at each kind of node; no weights, no node ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from gnn.encoder import Encoder
from gnn.tensors import GraphTensors, Place
from gnn.vocabulary import LABELS
from kg.errors import ModelError

VERSION: Final = 1
RESTART: Final = 0.15
"""Chance that a walk of personalised PageRank ends at each step."""
ROUNDS: Final = 20
"""Steps after which 0.85 ** 20, four walks in a hundred, are still under way and are let go."""
PLAIN: Final = 7


class Structure(Encoder):
    """Degrees, PageRank, return of walks, differences from the neighbours, and PageRank's mass on each label.

    log(1 + in), log(1 + out), log(1 + different neighbours); log of N times PageRank (Page et al. 1999); the chance
    that a walk is back after two steps (Dwivedi et al. 2022, random-walk encoding); L d and L^2 d for the logarithm d
    of the degrees and L = I - D^-1 A (what of a node its neighbours do not explain); then, by label, the share of the
    walks of personalised PageRank from the node that end there (Gasteiger et al. 2019). A vector depends on the graph
    around a node alone and not on how nodes are numbered, so new nodes and other graphs get theirs too.
    """

    modality = "structure"
    dim = PLAIN + len(LABELS)

    def __init__(self) -> None:
        self._last: tuple[GraphTensors, Tensor] | None = None
        """The table of the graph read last: its nodes are asked for one after the other."""

    @property
    def fingerprint(self) -> str:
        return f"structure-{VERSION}-{self.dim}"

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of places."""
        rows = [self._table(place)[place.row] for place in values]
        return torch.stack(rows) if rows else torch.zeros(0, self.dim)

    def _table(self, place: Any) -> Tensor:
        if not isinstance(place, Place) or not 0 <= place.row < len(place.graph):
            raise ModelError(f"structure encoder: expected a Place with a row of its graph, got {place!r:.80}")
        if self._last is None or self._last[0] is not place.graph:
            self._last = (place.graph, table(place.graph))
        return self._last[1]


def table(graph: GraphTensors) -> Tensor:
    """(nodes, dim); ModelError for a graph with more kinds of nodes than the ontology has."""
    if len(graph) and int(graph.labels.max()) >= len(LABELS):
        raise ModelError(f"structure encoder: labels up to {int(graph.labels.max())}, it knows {len(LABELS)}")
    nodes, (head, _, tail) = len(graph), graph.edges.numpy().T
    around = sparse.csr_array((np.ones(len(head)), (head, tail)), shape=(nodes, nodes))
    either = ((around + around.T) > 0).astype(np.float64).tocsr()
    degree = np.asarray(either.sum(1)).ravel()
    alone = sparse.diags_array((degree == 0).astype(np.float64))  # a walk that has nowhere to go stays
    step = (sparse.diags_array(1.0 / np.maximum(degree, 1.0)) @ either + alone).tocsr()
    size = np.log1p(degree)
    apart = size - step @ size
    returns = np.asarray((step * step.T.tocsr()).sum(1)).ravel()
    rank = walks(step.T.tocsr(), np.full((nodes, 1), 1.0 / max(nodes, 1)))[:, 0]
    ends = walks(step, np.eye(len(LABELS))[graph.labels.numpy()])
    ways = [np.log1p(np.bincount(side, minlength=nodes)) for side in (tail, head)]
    plain = [*ways, size, np.log(np.maximum(rank * nodes, 1e-9)), returns, apart, apart - step @ apart]
    return torch.from_numpy(np.concatenate([np.stack(plain, axis=1), ends], axis=1).astype(np.float32))


def walks(step: sparse.csr_array, start: np.ndarray) -> np.ndarray:
    """sum_k a (1 - a)^k P^k x over ROUNDS steps, scaled so that the walks that ended count for all."""
    total, now = np.zeros_like(start), start
    for k in range(ROUNDS + 1):
        total = total + RESTART * (1 - RESTART) ** k * now
        now = step @ now
    found: np.ndarray = total / (1 - (1 - RESTART) ** (ROUNDS + 1))
    return found
