"""Which triples are asked for: candidates and negatives that respect types, and what is new after a cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn.tensors import GraphTensors, microseconds
from gnn.vocabulary import RELATIONS
from kg.errors import ModelError


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
    wrong = torch.cat(
        [
            triples.repeat_interleave(each, 0),
        ]
    )
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
    drawn = torch.multinomial(fits[row].to(torch.float32), 1, generator=generator).squeeze(1)
    head = torch.where(at_head, drawn, triples[:, 0])
    tail = torch.where(at_head, triples[:, 2], drawn)
    return torch.stack([head, triples[:, 1], tail], dim=1)
