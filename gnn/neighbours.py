"""Neighbours without direction or type: the matrices by which homogeneous networks sum over them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gnn.spmm import Sparse, once
from gnn.tensors import GraphTensors


@dataclass(frozen=True)
class Neighbours:
    """Who is linked to whom by any edge; several edges are one, and an edge to oneself is none."""

    normal: Sparse
    """A_uv / sqrt((d_u + 1)(d_v + 1)): off the diagonal of D^-1/2 (A + I) D^-1/2."""
    self_loop: Tensor
    """(nodes, 1) 1 / (d_v + 1): its diagonal."""
    mean: Sparse
    """A_vu / d_v."""
    plain: Sparse
    """A itself."""


@once
def neighbours(graph: GraphTensors) -> Neighbours:
    """The neighbours in a graph."""
    nodes = len(graph)
    head, _, tail = graph.edges.unbind(1)
    pairs = torch.unique(torch.cat([head * nodes + tail, tail * nodes + head]))
    one, other = pairs // max(nodes, 1), pairs % max(nodes, 1)
    one, other = one[one != other], other[one != other]
    degree = torch.bincount(one, minlength=nodes).to(torch.float32)
    root = (degree + 1.0).rsqrt()

    def matrix(weight: Tensor) -> Sparse:
        return Sparse(one, other, weight, (nodes, nodes))

    return Neighbours(
        matrix(root[one] * root[other]),
        (1.0 / (degree + 1.0))[:, None],
        matrix(1.0 / degree[one]),
        matrix(torch.ones(len(one))),
    )
