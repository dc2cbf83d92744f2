"""Links that follow from a rule: which path stands behind each of them is known."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn.tensors import EPOCH, GraphTensors
from gnn.vocabulary import Vocabulary

PARENT, WORKS_AT, INSURED_BY = range(3)
RULE = ("parent", "works_at", "insured_by")


def plain(triples: list[tuple[int, int, int]], nodes: int, relations: tuple[str, ...] = RULE) -> GraphTensors:
    """A graph of plain triples."""
    edges = torch.unique(torch.tensor(triples, dtype=torch.int64)[:, [1, 0, 2]], dim=0)[:, [1, 0, 2]]
    zero = torch.zeros(len(edges), dtype=torch.int64)
    ids = tuple(f"e{n:04d}" for n in range(nodes))
    labels = torch.zeros(nodes, dtype=torch.int64)
    return GraphTensors(ids, labels, edges, zero, zero, zero + 1, EPOCH, vocabulary=Vocabulary.plain(relations))


def drawn(nodes: int, count: int, seed: int = 0) -> GraphTensors:
    """Edges between any two nodes, of any kind."""
    draw = torch.Generator().manual_seed(seed)
    ends = torch.randint(0, nodes, (count, 2), generator=draw)
    kinds = torch.randint(0, 3, (count,), generator=draw)
    return plain([(a, r, b) for (a, b), r in zip(ends.tolist(), kinds.tolist(), strict=True)], nodes)


def ruled(people: int, seed: int) -> tuple[GraphTensors, Tensor]:
    """By whom someone is insured follows from where the parent works; a quarter of those edges is held back."""
    draw = torch.Generator().manual_seed(seed)
    firms = people // 4
    order = torch.randperm(people, generator=draw).tolist()
    work = torch.randint(0, firms, (people,), generator=draw).tolist()
    triples = [(child, PARENT, parent) for child, parent in zip(range(people), order, strict=True)]
    triples += [(person, WORKS_AT, people + firm) for person, firm in enumerate(work)]
    insured = [(child, INSURED_BY, people + work[parent]) for child, _, parent in triples[:people]]
    held = people // 4
    return plain(triples + insured[held:], people + firms), torch.tensor(insured[:held])


def reason(graph: GraphTensors, triple: tuple[int, int, int]) -> tuple[tuple[int, int, int], ...]:
    """The path that the rule takes for a link: to the parent, and to where the parent works."""
    child, _, firm = triple
    (parent,) = (t for h, r, t in graph.edges.tolist() if h == child and r == PARENT)
    return (child, PARENT, parent), (parent, WORKS_AT, firm)
