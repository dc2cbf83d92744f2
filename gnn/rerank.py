"""A quick model proposes and a slower one judges: the best answers of one, put in order with the help of another."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn.model import Model
from gnn.sample import allowed
from gnn.tensors import GraphTensors
from kg.errors import ModelError


class Reranked(Model):
    """log p_first + share x log p_second among the `top` nodes of the first model; all others stay below, in its order.

    p is the softmax over the nodes of a right label, so both are log odds against chance and can be added (a product of
    experts, Hinton 2002). The second model must be asked about every question all the same; what is saved is trust, not
    time: where its frontier never came by, the first one still tells the nodes apart.
    """

    name = "reranked"

    def __init__(self, first: Model, second: Model, top: int = 100, share: float = 1.0) -> None:
        super().__init__(first.shape, {"top": top, "share": share})
        if top < 1 or share < 0:
            raise ModelError(f"re-ranking the top {top} with a share of {share}: both must be positive")
        self.first, self.second, self.top, self.share = first, second, top, share

    def embed(self, graph: GraphTensors) -> Tensor:
        """The vectors of the first model."""
        return self.first.embed(graph)

    def describe(self, graph: GraphTensors) -> Tensor:
        """As the first model publishes them."""
        return self.first.describe(graph)

    def score_tails(self, graph: GraphTensors, heads: Tensor, relations: Tensor) -> Tensor:
        """The formula above; a node of a wrong label is ruled out and takes no place among the best."""
        fits = allowed(graph)[relations]
        fits = fits | ~fits.any(1, keepdim=True)
        one, two = (
            model.score_tails(graph, heads, relations).masked_fill(~fits, -torch.inf).log_softmax(1)
            for model in (self.first, self.second)
        )
        best, chosen = torch.topk(one, min(self.top, len(graph)), dim=1)
        fit = fits.gather(1, chosen)
        both = (best + self.share * two.gather(1, chosen)).where(fit, torch.inf)
        lift = (one.amax(1, keepdim=True) - both.amin(1, keepdim=True)).clamp(min=0.0) + 1.0
        return one.scatter(1, chosen, torch.where(fit, both + lift, -torch.inf))
