"""Bilinear models: a score is the dot product of a query vector and a node's vector."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from gnn.model import Model
from gnn.tensors import GraphTensors
from kg.errors import ModelError


class Bilinear(Model):
    """A representation of nodes, and a scorer that turns head and relation into a query against them.

    score(h, r, t) = ask(x, h, r) . x_t   with x = embed(graph)

    So all tails of many questions are one product of matrices, which `gnn.softmax` and `gnn.evaluate` make use of.
    """

    relation: nn.Parameter
    """(2 R, dim) a vector for each relation and its reciprocal."""

    @abstractmethod
    def query(self, head: Tensor, relation: Tensor) -> Tensor:
        """Query vectors (batch, dim) from vectors of heads and of relations (batch, dim)."""

    def ask(self, x: Tensor, heads: Tensor, relations: Tensor) -> Tensor:
        """Query vectors (batch, dim) of numbered heads and relations, from node vectors x (nodes, dim)."""
        try:
            return self.query(x[heads], self.relation[relations])
        except IndexError as error:
            raise ModelError(
                f"model {self.name} was asked of a node or relation it does not know ({error}); it has {len(x)} "
                f"nodes and {len(self.relation)} relations both ways: train it again on a graph that has them"
            ) from error

    def score_tails(self, graph: GraphTensors, heads: Tensor, relations: Tensor) -> Tensor:
        x = self.embed(graph)
        return self.ask(x, heads, relations) @ x.T

    def score(self, graph: GraphTensors, triples: Tensor) -> Tensor:
        x = self.embed(graph)
        return (self.ask(x, triples[:, 0], triples[:, 1]) * x[triples[:, 2]]).sum(-1)
