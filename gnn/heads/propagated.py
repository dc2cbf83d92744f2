"""Logistic regression on facts and on what the graph brings to a firm, without a trained network."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

from gnn.convolution import both_ways, freshness
from gnn.head import Cohort, contagion, facts
from gnn.heads.logistic import Block, Logistic
from gnn.tensors import GraphTensors
from gnn.vocabulary import LABELS, RELATIONS

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
        plain = [facts(cohort), contagion(cohort), degrees(graph)[cohort.rows].numpy().astype(np.float64)]
        spoken = [spoken_of(graph, name)[cohort.rows] for name in sorted(graph.features) if name != "numeric"]
        return [Block(part) for part in plain] + [Block(part.numpy().astype(np.float64), whole=True) for part in spoken]


def spoken_of(graph: GraphTensors, modality: str) -> Tensor:
    """(nodes, dim) mean vector of the speakers beside each node, old ones less, drawn to 0 where there are few."""
    own = graph.features[modality]
    values, has = own.dense(len(graph)), own.mask(len(graph))
    speaks = has & torch.isin(graph.labels, torch.tensor([LABELS.index(name) for name in SPEAKERS]))
    total, weight = torch.zeros_like(values), torch.zeros(len(graph))
    for side in both_ways(graph):
        heard = speaks[side.source]
        target, say = side.target[heard], freshness(graph)[heard]
        total = total.index_add(0, target, values[side.source[heard]] * say[:, None])
        weight = weight.index_add(0, target, say)
    return total / (weight + PRIOR)[:, None]


def degrees(graph: GraphTensors) -> Tensor:
    """(nodes, 2 R) log(1 + number of edges) by relation and direction."""
    table = torch.zeros(len(graph), 2 * len(RELATIONS))
    for side in both_ways(graph):
        table = table.index_put((side.target, side.relation), torch.ones(len(side.target)), accumulate=True)
    return table.log1p()
