"""Shares: what each modality, and the structure, brings to a logit; they add up to it exactly.

Shapley values (Shapley 1953; Lundberg and Lee 2017), by all subsets and not by sampling:

    share_k = sum over S without k of |S|! (n - |S| - 1)! / n!  ( f(S with k) - f(S) )
    f(all)  = f(none) + sum_k share_k

With five modalities and the structure these are 64 passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gnn.explaining.edges import log_odds
from gnn.head import Cohort, Head
from gnn.missing import log_odds as head_odds
from gnn.model import Model
from gnn.tensors import GraphTensors
from kg.errors import ModelError

STRUCTURE: Final = "structure"
"""The edges of the graph, as a player beside the modalities."""
PLAYERS: Final = 8
"""More than these would be too many subsets."""

Game = Callable[[frozenset[str]], np.ndarray]
"""Logits (items,) where only some players are there."""


@dataclass(frozen=True)
class Shares:
    """A logit in parts."""

    names: tuple[str, ...]
    base: np.ndarray
    """(items,) the logit with nothing there."""
    values: np.ndarray
    """(items, names) what each brings."""

    @property
    def logit(self) -> np.ndarray:
        """(items,) the sum: the logit with everything there."""
        total: np.ndarray = self.base + self.values.sum(1)
        return total

    def of(self, item: int) -> dict[str, float]:
        """The shares of one item by name, greatest first."""
        found = dict(zip(self.names, self.values[item].tolist(), strict=True))
        return dict(sorted(found.items(), key=lambda pair: -abs(pair[1])))


def shares(game: Game, players: Sequence[str]) -> Shares:
    """The shares of these players. ModelError if they are too many."""
    names = tuple(players)
    if len(names) > PLAYERS:
        raise ModelError(f"shares of {len(names)} players need {2 ** len(names)} passes; give at most {PLAYERS}")
    worth = {S: np.asarray(game(S), dtype=np.float64) for S in every(names)}
    values = []
    for name in names:
        parts = [
            factorial(len(S)) * factorial(len(names) - len(S) - 1) / factorial(len(names)) * (worth[S | {name}] - own)
            for S, own in worth.items()
            if name not in S
        ]
        values.append(np.sum(parts, axis=0))
    base = worth[frozenset()]
    return Shares(names, base, np.stack(values, axis=1) if names else np.zeros((len(base), 0)))


def every(names: Sequence[str]) -> list[frozenset[str]]:
    """All subsets."""
    return [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]


def shown(graph: GraphTensors, there: frozenset[str]) -> GraphTensors:
    """The graph with these modalities, and without its edges unless the structure is there."""
    kept = graph.only([name for name in graph.features if name in there])
    return kept if STRUCTURE in there else kept.without(torch.ones(len(kept.edges), dtype=torch.bool))


def players(graph: GraphTensors) -> tuple[str, ...]:
    return (*sorted(graph.features), STRUCTURE)


def of_links(model: Model, graph: GraphTensors, triples: Tensor) -> Shares:
    """Shares of the log odds of triples (n, 3): a modality is taken from all nodes alike, neighbours included."""
    model.eval()
    return shares(lambda there: log_odds(model, graph, triples, shown(graph, there)).numpy(), players(graph))


def of_firms(heads: Sequence[Head], cohort: Cohort) -> Shares:
    """Shares of the mean log odds of distress of each firm of a cohort."""

    def game(there: frozenset[str]) -> np.ndarray:
        seen = Cohort(shown(cohort.graph, there), cohort.rows, cohort.truth, cohort.stricken)
        odds: np.ndarray = head_odds(heads, seen).mean(0)
        return odds

    return shares(game, players(cohort.graph))
