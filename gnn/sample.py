"""Which triples are asked for: candidates and negatives that respect types, and what is new after a cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gnn.tensors import GraphTensors, microseconds
from gnn.vocabulary import RELATIONS
from kg.errors import ModelError

DRAWN: Final = 1 << 26
"""Triples x nodes up to which wrong triples are drawn from a table; the same in every run, so that draws are."""


def allowed(graph: GraphTensors) -> Tensor:
    """(2 R, nodes) bool: which nodes may stand as the tail of each relation and, from row R on, as its head."""
    return graph.vocabulary.fits[:, graph.labels]


def predictable(graph: GraphTensors) -> Tensor:
    """(edges,) bool: edges of the relations that are forecast."""
    words = graph.vocabulary
    numbers = torch.tensor([words.relations.index(name) for name in words.asked])
    return torch.isin(graph.edges[:, 1], numbers)


def codes(triples: Tensor, nodes: int, relations: int = len(RELATIONS)) -> Tensor:
    """One int64 per triple of R relations and their reciprocals, equal only for equal triples."""
    return (triples[:, 0] * (2 * relations) + triples[:, 1]) * nodes + triples[:, 2]


def reciprocal(triples: Tensor, relations: int = len(RELATIONS)) -> Tensor:
    """(t, r + R, h) of each (h, r, t)."""
    return torch.stack([triples[:, 2], triples[:, 1] + relations, triples[:, 0]], dim=1)


@dataclass(frozen=True)
class Fresh:
    """What was published after a graph's cut, in rows of that graph."""

    triples: Tensor
    """(new, 3) int64 triples between nodes the graph knows that it did not hold."""
    repeats: int
    """Triples it held that were published again (another facility, another day)."""
    unseen: int
    """Triples with an end that nothing spoke of by the cut: no model here can rank them."""


def fresh(graph: GraphTensors, later: Sequence[GraphTensors]) -> Fresh:
    """Forecastable triples of later views of the same ledger that were published after the graph's cut."""
    held = set(codes(graph.edges, len(graph)).tolist())
    found: dict[tuple[str, int, str], None] = {}
    unseen: set[tuple[str, int, str]] = set()
    repeats: set[tuple[str, int, str]] = set()
    for view in later:
        for triple in _named(view, predictable(view) & (view.last > microseconds(graph.cut))):
            head, _, tail = triple
            if head not in graph.index or tail not in graph.index:
                unseen.add(triple)
            elif _code(graph, triple) in held:
                repeats.add(triple)
            else:
                found[triple] = None
    rows = [[graph.index[h], r, graph.index[t]] for h, r, t in sorted(found)]
    return Fresh(torch.tensor(rows, dtype=torch.int64).reshape(-1, 3), len(repeats), len(unseen))


def _named(graph: GraphTensors, chosen: Tensor) -> Iterable[tuple[str, int, str]]:
    for h, r, t in graph.edges[chosen].tolist():
        yield graph.ids[h], r, graph.ids[t]


def _code(graph: GraphTensors, triple: tuple[str, int, str]) -> int:
    head, relation, tail = triple
    return (graph.index[head] * (2 * len(RELATIONS)) + relation) * len(graph) + graph.index[tail]


def negatives(graph: GraphTensors, triples: Tensor, each: int, seed: int, known: Tensor | None = None) -> Tensor:
    """(triples * each, 3) wrong triples: the tail (or, for every other one, the head) drawn anew among nodes of a
    right label.

    Triples the graph holds, `triples` and `known` are never drawn. ModelError if a relation leaves no other choice.
    """
    generator = torch.Generator().manual_seed(seed)
    fits = allowed(graph)
    parts = [graph.edges, triples] if known is None else [graph.edges, triples, known]
    true = codes(torch.cat(parts), len(graph))
    wrong = triples.repeat_interleave(each, 0)
    todo = torch.arange(len(wrong))
    for _ in range(100):
        if not len(todo):
            return wrong
        wrong[todo] = _corrupted(wrong[todo], todo % 2 == 1, fits, generator)
        todo = todo[torch.isin(codes(wrong[todo], len(graph)), true)]
    names = sorted({RELATIONS[r] for r in wrong[todo, 1].tolist()})
    raise ModelError(
        f"no wrong triples left to draw for {', '.join(names)}: every node of a right label is linked already"
    )


def _corrupted(triples: Tensor, at_head: Tensor, fits: Tensor, generator: torch.Generator) -> Tensor:
    row = triples[:, 1] + at_head * len(RELATIONS)
    drawn = _one_of(row, fits, generator)
    head = torch.where(at_head, drawn, triples[:, 0])
    tail = torch.where(at_head, triples[:, 2], drawn)
    return torch.stack([head, triples[:, 1], tail], dim=1)


def _one_of(row: Tensor, fits: Tensor, generator: torch.Generator) -> Tensor:
    """(rows,) for each row of `fits` that is named a node drawn from those that fit, all alike.

    Where a table of rows x nodes would be larger than may be held, nodes are drawn by their place in the list of those
    that fit: other draws of the same chance.
    """
    if len(row) * fits.shape[1] <= DRAWN:
        return torch.multinomial(fits[row].to(torch.float32), 1, generator=generator).squeeze(1)
    drawn = torch.empty_like(row)
    for kind in torch.unique(row).tolist():
        mine, able = row == kind, torch.nonzero(fits[kind]).squeeze(1)
        if not len(able):
            raise ModelError("no node has a label that one of the relations allows; ask for relations of the graph")
        drawn[mine] = able[torch.randint(len(able), (int(mine.sum()),), generator=generator)]
    return drawn
