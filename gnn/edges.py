"""Edge embeddings: a vector for each (head, relation, tail) that keeps direction.

    e(a, r, b) = q(x_a, z_r) * x_b    elementwise, with q the model's query

Its entries are the terms that the model adds up to the score, so the sum of e is score(a, r, b). Under ComplEx q turns
x_a by the phase of the relation, so e(a, r, b) and e(b, r, a) differ. The edge embedding that the articles write,
gamma * x_a * x_b, is the special case with a real relation (DistMult): the same vector both ways, which cannot hold
who owns or lends to whom.
"""

from __future__ import annotations

from torch import Tensor

from gnn.bilinear import Bilinear
from gnn.tensors import GraphTensors


def edge_vectors(model: Bilinear, graph: GraphTensors, triples: Tensor) -> Tensor:
    """(triples, dim) a vector of each triple (head, relation, tail), whether the graph holds it or not."""
    x = model.embed(graph)
    return model.ask(x, triples[:, 0], triples[:, 1]) * x[triples[:, 2]]
