"""Vocabulary: which labels and relations a graph may have, and between which labels each relation may run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from kg.ontology import EDGES, NODES, PARTIES

LABELS: Final = tuple(NODES)
RELATIONS: Final = tuple(name for name in EDGES if name != "PREDICTED")
"""Relation number r is RELATIONS[r]; r + len(RELATIONS) is its reciprocal. Predicted edges never feed a model."""
ENDS: Final = {*PARTIES, "Security", "Account"}
PREDICTABLE: Final = tuple(
    name
    for name in RELATIONS
    if ENDS.intersection(EDGES[name].source) and ENDS.intersection(EDGES[name].target) and name != "HAS_ACCOUNT"
)
"""Relations between parties, accounts and securities. Documents, events, sectors are evidence, not a forecast."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Numbers of labels and relations by their place, and what the schema says of each relation."""

    labels: tuple[str, ...]
    relations: tuple[str, ...]
    fits: Tensor
    """(2 R, labels) bool: which labels may stand as the tail of each relation and, from row R on, as its head."""
    events: Tensor
    """(R,) bool: relations that happen and fade, such as a payment; the others last until they end."""
    asked: tuple[str, ...]
    """Relations that are forecast."""

    @classmethod
    def ontology(cls) -> Vocabulary:
        """The labels and edge types of the knowledge graph."""
        tails = [[label in EDGES[name].target for label in LABELS] for name in RELATIONS]
        heads = [[label in EDGES[name].source for label in LABELS] for name in RELATIONS]
        events = torch.tensor([EDGES[name].time == "event" for name in RELATIONS])
        return cls(LABELS, RELATIONS, torch.tensor(tails + heads), events, PREDICTABLE)

    @classmethod
    def plain(cls, relations: Sequence[str]) -> Vocabulary:
        """One label and these relations, of which any may link any two nodes: what plain triples tell."""
        count = len(relations)
        fits = torch.ones(2 * count, 1, dtype=torch.bool)
        return cls(("Entity",), tuple(relations), fits, torch.zeros(count, dtype=torch.bool), tuple(relations))


ONTOLOGY: Final = Vocabulary.ontology()
