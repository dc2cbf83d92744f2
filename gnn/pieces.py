"""Pieces: the vectors of all nodes of a graph that is too large for one pass, layer by layer and some rows at a time.

Of a layer all vectors are held, those before it and those after, and beside them the messages of the rows in work. Each
row hears all of its edges at once, so it is what a full pass makes of it, but for the rounding of sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import torch
from torch import Tensor

from gnn.bound import blocks
from gnn.convolution import both_ways
from gnn.incremental import SPOKEN
from gnn.mapped import laid_out
from gnn.passing import Passing
from gnn.sampled import begun, messages, speakers
from gnn.spmm import once
from gnn.tensors import GraphTensors

PIECE: Final = 1 << 18
"""Messages worked on at once, and rows; a node that more edges reach is a piece by itself."""


class Pieced(Passing):
    """What makes a model give the vectors of a whole graph piece by piece where no gradient is asked for."""

    def embed(self, graph: GraphTensors) -> Tensor:
        return super().embed(graph) if torch.is_grad_enabled() else self._layered(graph, (True,))[0]

    def describe(self, graph: GraphTensors) -> Tensor:
        return super().describe(graph) if torch.is_grad_enabled() else self._layered(graph, (True, False))[1]

    def _layered(self, graph: GraphTensors, tables: tuple[bool, ...]) -> list[Tensor]:
        """(nodes, dim) after the last layer, begun with the rows of the table or without; all hear the first ones."""
        self.check(graph)
        sides = [torch.cat([begun(self, graph, rows, table) for rows in _rows(len(graph))]) for table in tables]
        starts, z = by_node(graph)[0], self._vectors()
        for layer, norm in self._stack():
            after = [torch.empty_like(side) for side in sides]
            for part in pieces(starts, PIECE):
                along = heard_by(graph, part, SPOKEN[self.name] is both_ways)
                heard = layer.heard(sides[0], z, along)
                for old, new in zip(sides, after, strict=True):
                    new[part] = self._next(old[part], layer.loop(old[part], z, heard, along), norm)
            sides, z = after, layer.onward(z)
        return sides


@cache
def pieced(kind: type[Passing]) -> type[Passing]:
    """The same model as one that gives the vectors of a whole graph piece by piece. Its weights have the same names."""
    return type(kind.__name__, (Pieced, kind), {"__module__": kind.__module__, "__doc__": kind.__doc__})


@once
def by_node(graph: GraphTensors) -> tuple[Tensor, Tensor]:
    """Where the entries of each node start, and the entries by node, as gnn/mapped.py has them."""
    return laid_out(graph.edges, len(graph))


def heard_by(graph: GraphTensors, part: slice, both: bool) -> Any:
    """The messages that reach the rows of a piece, from rows of the whole graph, as the layers of a model take them."""
    starts, entries = by_node(graph)
    bounds = starts[part.start : part.stop + 1]
    entry = entries[int(bounds[0]) : int(bounds[-1])]
    place = torch.repeat_interleave(torch.arange(part.stop - part.start), bounds.diff())
    return messages(graph, entry, (speakers(graph, entry), place), part.stop - part.start, both)


def pieces(starts: Tensor, most: int) -> Iterator[slice]:
    """Slices of rows, all in order, that at most so many entries reach; one row at the least, `most` at most."""
    low, rows = 0, len(starts) - 1
    while low < rows:
        within = int(torch.searchsorted(starts, starts[low] + most, right=True)) - 1
        high = min(max(within, low + 1), low + most, rows)
        yield slice(low, high)
        low = high


def _rows(nodes: int) -> Iterator[Tensor]:
    """The rows of a graph, some at a time."""
    return (torch.arange(part.start, part.stop) for part in blocks(nodes, 1, PIECE))
