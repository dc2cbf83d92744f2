"""Sparse matrices that do not change, times dense ones that are learned, with the gradient written out.

    y = A x        dx = A' dy

A and its transpose are sorted by rows once (CSR), so that both directions are a sum over each row's entries and no
product entry by entry is kept in memory. The default way, gather and scatter, holds entries x dim numbers and adds
them one by one. The sums run in torch's `embedding_bag`, which is CSR by another name (its offsets are the row
pointers) and on processors several times faster than torch's sparse CSR product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.weak import WeakIdKeyDictionary

from gnn.tensors import GraphTensors

Found = TypeVar("Found")


@dataclass(frozen=True)
class Rows:
    """A matrix in CSR form."""

    starts: Tensor
    """(rows + 1,) int64: where each row's entries begin; the last is their number."""
    columns: Tensor
    """(entries,) int64."""
    weight: Tensor
    """(entries,)."""

    @classmethod
    def of(cls, rows: Tensor, columns: Tensor, weight: Tensor, count: int) -> Rows:
        """From coordinates in any order; entries of a row stay in the order in which they come."""
        order = torch.argsort(rows, stable=True)
        starts = F.pad(torch.bincount(rows, minlength=count).cumsum(0), (1, 0))
        return cls(starts, columns[order], weight[order])

    def sums(self, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """(rows, dim) sum over each row's entries of weight x_column, by other weights than its own if given."""
        said = (self.weight if weight is None else weight).to(x.dtype)
        return F.embedding_bag(
            self.columns, x.contiguous(), self.starts, mode="sum", per_sample_weights=said, include_last_offset=True
        )


@dataclass(frozen=True)
class Sparse:
    """A constant sparse matrix given by coordinates; `matrix @ x` has a gradient for x."""

    rows: Tensor
    columns: Tensor
    weight: Tensor
    shape: tuple[int, int]

    @cached_property
    def forth(self) -> Rows:
        """The matrix, by rows."""
        return Rows.of(self.rows, self.columns, self.weight, self.shape[0])

    @cached_property
    def back(self) -> Rows:
        """Its transpose, by rows."""
        return Rows.of(self.columns, self.rows, self.weight, self.shape[1])

    def __matmul__(self, x: Tensor) -> Tensor:
        product: Tensor = _Product.apply(x, self)
        return product


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: Sparse) -> Tensor:
        ctx.matrix = matrix
        return matrix.forth.sums(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return ctx.matrix.back.sums(grad), None


def once(make: Callable[[GraphTensors], Found]) -> Callable[[GraphTensors], Found]:
    """What `make` finds of a graph, found once and kept for as long as that very graph lives.

    Graph tensors are frozen, so it cannot go stale; a graph with hidden edges is another graph.
    """
    kept: Any = WeakIdKeyDictionary()  # by identity: graphs hold tensors, which have no plain equality

    @wraps(make)
    def found(graph: GraphTensors) -> Found:
        if graph not in kept:
            kept[graph] = make(graph)
        known: Found = kept[graph]
        return known

    return found
