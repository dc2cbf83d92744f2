"""Questions asked in groups: how a table of vectors is trained, where nothing passes messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gnn.bilinear import Bilinear
from gnn.decoder import between
from gnn.evaluate import rank
from gnn.sample import allowed, predictable, reciprocal
from gnn.softmax import full_softmax
from gnn.tensors import GraphTensors
from kg.errors import ModelError


class GroupedTask:
    """Every (head, relation) of a graph in both directions as one question, `batch` questions a step.

    loss = mean over triples of -log softmax (see gnn.softmax)
         + n3 * sum |z|^3 over the complex numbers of head, relation and tail (Lacroix et al. 2018)
         + relations * -log softmax of the relation given both ends (Chen et al. 2021)
    """

    def __init__(
        self,
        graph: GraphTensors,
        valid: Tensor | None = None,
        known: Tensor | None = None,
        batch: int = 1000,
        n3: float = 0.0,
        relations: float = 0.0,
        half: bool = False,
    ) -> None:
        edges = graph.edges[predictable(graph)]
        if not len(edges):
            raise ModelError(f"nothing to learn: the graph has no edge of {', '.join(graph.vocabulary.asked)}")
        self.graph, self.valid, self.known = graph, valid, known
        self.batch, self.n3, self.relations, self.half = batch, n3, relations, half
        both = torch.cat([edges, reciprocal(edges, len(graph.vocabulary.relations))])
        self.questions, place = torch.unique(both[:, :2], dim=0, return_inverse=True)
        self.tails = both[torch.argsort(place, stable=True), 2]
        self.sizes = torch.bincount(place)
        self.starts = self.sizes.cumsum(0) - self.sizes
        self.fits = None if bool(graph.vocabulary.fits.all()) else allowed(graph)

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One step per batch of questions, dealt anew each epoch."""
        assert isinstance(model, Bilinear)
        for part in torch.split(torch.randperm(len(self.questions)), self.batch):
            yield self.loss(model, part)

    def loss(self, model: Bilinear, part: Tensor) -> Tensor:
        """The loss of some questions, by their numbers."""
        heads, relations = self.questions[part].unbind(1)
        sizes = self.sizes[part]
        row = torch.repeat_interleave(torch.arange(len(part)), sizes)
        offset = torch.arange(len(row)) - torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)
        tails = self.tails[self.starts[part][row] + offset]
        x, z = model.embed(self.graph), model.relation
        h, r, t = x[heads], z[relations], x[tails]
        open_ = None if self.fits is None else self.fits[relations]
        loss = full_softmax(model.query(h, r), x, (row, tails), open_, self.half)
        if self.relations:
            named = (torch.arange(len(row)), relations[row])
            loss = loss + self.relations * full_softmax(between(h[row], t), z, named, None, self.half)
        if self.n3:
            weight = sizes.to(h.dtype)
            loss = loss + self.n3 * (cubed(h, weight) + cubed(r, weight) + cubed(t, None))
        return loss / len(row)

    def validate(self, model: nn.Module) -> float | None:
        """Filtered MRR of the later triples."""
        assert isinstance(model, Bilinear)
        if self.valid is None or not len(self.valid):
            return None
        return rank(model, self.graph, self.valid, self.known).mrr


def cubed(z: Tensor, weight: Tensor | None) -> Tensor:
    """Sum over rows, by weight, of |z_k|^3 over complex numbers stored as real half and imaginary half."""
    total: Tensor = _Cubed.apply(z, weight)
    return total


class _Cubed(torch.autograd.Function):
    """With the gradient 3 |z| z written out."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, weight: Tensor | None) -> Tensor:
        real, imag = z.chunk(2, dim=1)
        size = torch.hypot(real, imag)
        each = size if weight is None else size * weight[:, None]
        ctx.save_for_backward(z, each)
        return (each * size * size).sum()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        z, each = ctx.saved_tensors
        return torch.cat([each, each], dim=1).mul_(z).mul_(3 * grad), None
