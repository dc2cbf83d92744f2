"""Logistic regression on facts and on what the graph brings to a firm, without a trained network."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from gnn.bound import blocks, held
from gnn.convolution import NUMBERS, both_ways, freshness
from gnn.head import Cohort, contagion
from gnn.heads.logistic import Block, Logistic
from gnn.tensors import GraphTensors
from gnn.vocabulary import LABELS, RELATIONS
from kg.errors import ModelError

SPEAKERS: Final = ("Document", "Page", "Event")
"""Labels of the nodes whose vectors are carried to the firms they name."""
PRIOR: Final = 0.3
"""Weight of the empty vector in a mean: one old article says less than three new ones."""


class Propagated(Logistic):
    """Features carried one step along the edges, then a linear model (Wu et al. 2019, with one hop and no network).

    Own facts, the recent distress of partners by relation, log degrees, and the mean vector of the documents, pages and
    events that name the firm, where each counts exp(-age in years).
    """

    name = "propagated"

    def blocks(self, cohort: Cohort) -> list[Block]:
        """Facts, partners' distress, degrees, and one block per modality of the documents around the firm."""
        graph = cohort.graph
        plain = [*super().blocks(cohort), Block(contagion(cohort)), Block(degrees(graph)[cohort.rows].double().numpy())]
        spoken = [spoken_of(graph, name, dim) for name, dim in self.widths.items() if name != "numeric"]
        return plain + [Block(part[cohort.rows].double().numpy(), whole=True) for part in spoken]


def spoken_of(graph: GraphTensors, modality: str, dim: int) -> Tensor:
    """(nodes, dim) mean vector of the speakers beside each node, old ones less, drawn to 0 where there are few."""
    total, weight = torch.zeros(len(graph), dim), torch.zeros(len(graph))
    own = graph.features.get(modality)
    if own is None:
        return total
    if own.values.shape[1] != dim:
        raise ModelError(f"modality {modality}: vectors of {own.values.shape[1]} numbers, the head knows {dim}")
    values, has = own.dense(len(graph)), own.mask(len(graph))
    speaks = has & torch.isin(graph.labels, torch.tensor([LABELS.index(name) for name in SPEAKERS]))
    for side in both_ways(graph):
        heard = speaks[side.source]
        source, target, say = side.source[heard], side.target[heard], freshness(graph)[heard]
        for part in blocks(len(source), dim, held(NUMBERS)):  # in the same order, so the same sums
            total.index_add_(0, target[part], values[source[part]] * say[part, None])
        weight = weight.index_add(0, target, say)
    return total / (weight + PRIOR)[:, None]


def degrees(graph: GraphTensors) -> Tensor:
    """(nodes, 2 R) log(1 + number of edges) by relation and direction."""
    table = torch.zeros(len(graph), 2 * len(RELATIONS))
    for side in both_ways(graph):
        table = table.index_put((side.target, side.relation), torch.ones(len(side.target)), accumulate=True)
    return table.log1p()
