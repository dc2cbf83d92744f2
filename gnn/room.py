"""Room: whether learning links by full passes over a graph fits into memory, told before hours of it begin.

A step holds the messages of the graph with their sorted matrices, the vectors of all nodes in every layer, the
questions it asks and a block of scores (gnn/bound.py), each with its gradient; beside them lie the gradients of the
weights, the moments of the optimiser and the best weights so far.
"""

from __future__ import annotations

from typing import Final

import torch

from gnn.bound import held
from gnn.model import Model
from gnn.sample import predictable
from gnn.softmax import SCORES
from gnn.tensors import GraphTensors
from kg.memory import Need

STEPS: Final = 4
"""Parts in which an epoch over a graph asks its edges (`gnn.links.LinkTask`)."""
NEED: Final = Need(
    "learning by full passes over",
    {"edges": 900, "numbers": 40, "asked": 24, "weights": 20, "scores": 10},
    "learn from drawn neighbourhoods (the setting `neighbours`, such as 10,10), with a smaller `dim`, or up to an "
    "earlier cut",
)
"""Of edges, of numbers in the vectors of all nodes and layers, in those of the questions of a step and in the weights,
and of scores held at once: above what `pytest tests/test_kg_memory.py` found."""


def need_of_pass(model: Model, graph: GraphTensors, steps: int = STEPS) -> dict[str, int]:
    """What learning by full passes over the graph works on, by the names in NEED."""
    dim, layers = int(model.settings.get("dim", 0)), int(model.settings.get("layers", 0))
    head, relation, tail = graph.edges[predictable(graph)].unbind(1)
    kinds = len(graph.vocabulary.relations)
    both = torch.cat([2 * kinds * head + relation, 2 * kinds * tail + relation + kinds])
    alike = len(torch.unique(both))  # those of one head and relation are asked as one
    asked = min(alike, -(-len(both) // steps))
    return {
        "edges": len(graph.edges),
        "numbers": len(graph) * dim * (layers + 1),
        "asked": asked * dim,
        "weights": sum(weight.numel() for weight in model.parameters()),
        "scores": min(asked * len(graph), held(SCORES)),
    }


def check_pass(model: Model, graph: GraphTensors, steps: int = STEPS) -> None:
    """TooLargeError before the first step, if learning links by full passes over the graph does not fit."""
    shape = f"{model.settings.get('dim', 0)} numbers a vector in {model.settings.get('layers', 0)} layers"
    asked = f"{len(graph.edges):,} edges among {len(graph):,} nodes, {shape}"
    NEED.check(asked, **need_of_pass(model, graph, steps))
