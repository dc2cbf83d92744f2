"""Questions asked in groups: how a table of vectors is trained, where nothing passes messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gnn.bilinear import Bilinear
from gnn.decoder import between
from gnn.distributed import portion
from gnn.evaluate import rank
from gnn.losses import LOSSES
from gnn.sample import allowed, predictable, reciprocal
from gnn.softmax import full_softmax
from gnn.tensors import GraphTensors
from kg.errors import ModelError


class GroupedTask:
    """Every (head, relation) of a graph in both directions as one question, `batch` questions a step.

    loss = mean over triples of -log softmax (see gnn.softmax), or of another loss by name (see gnn.losses)
         + n3 * sum |z|^3 over the complex numbers of head, relation and tail (Lacroix et al. 2018)
         + relations * -log softmax of the relation given both ends (Chen et al. 2021)

    `weights` (relations,) make triples of some relations count more than those of others, both ways. `half` multiplies
    in bfloat16.
    """

    def __init__(
        self,
        graph: GraphTensors,
        valid: Tensor | None = None,
        known: Tensor | None = None,
        *,
        batch: int = 1000,
        loss: str = "softmax",
        weights: Tensor | None = None,
        n3: float = 0.0,
        relations: float = 0.0,
        half: bool = False,
    ) -> None:
        edges = graph.edges[predictable(graph)]
        if not len(edges):
            raise ModelError(f"nothing to learn: the graph has no edge of {', '.join(graph.vocabulary.asked)}")
        if loss not in ("softmax", *LOSSES):
            raise ModelError(f"loss {loss!r} is unknown; name softmax, {', '.join(LOSSES)}")
        count = len(graph.vocabulary.relations)
        self.weights = None if weights is None else checked(weights, count).repeat(2)
        self.graph, self.valid, self.known = graph, valid, known
        self.batch, self.name, self.n3, self.relations, self.half = batch, loss, n3, relations, half
        both = torch.cat([edges, reciprocal(edges, count)])
        self.questions, place = torch.unique(both[:, :2], dim=0, return_inverse=True)
        self.tails = both[torch.argsort(place, stable=True), 2]
        self.sizes = torch.bincount(place)
        self.starts = self.sizes.cumsum(0) - self.sizes
        self.fits = None if bool(graph.vocabulary.fits.all()) else allowed(graph)

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One step per batch of questions, dealt anew each epoch."""
        return self.portions(model, 0, 1)

    def portions(self, model: nn.Module, rank: int, size: int) -> Iterator[Tensor]:
        """The same, of each step only some questions."""
        assert isinstance(model, Bilinear)
        for part in torch.split(torch.randperm(len(self.questions)), self.batch):
            yield self.share(model, part, rank, size)

    def share(self, model: Bilinear, part: Tensor, rank: int, size: int) -> Tensor:
        """A rank's portion of the loss of some questions; under infonce, where all of a step are set against each
        other, each rank does the whole."""
        if size == 1:
            return self.loss(model, part)
        mine = portion(len(part), rank, size)[0]
        if self.name == "infonce" or len(part) < size:
            return self.loss(model, part) / size
        return self.loss(model, part[mine], part)

    def loss(self, model: Bilinear, part: Tensor, of: Tensor | None = None) -> Tensor:
        """The loss of some questions, by their numbers, or their portion of the loss of more of them."""
        heads, relations = self.questions[part].unbind(1)
        sizes = self.sizes[part]
        row, tails = self._answers(part)
        times = torch.bincount(tails, minlength=len(self.graph)).index_add_(0, heads, sizes)
        used = torch.nonzero(times).squeeze(1) if self.n3 else heads[:0]
        x, h, ends = _Taken.apply(model.embed(self.graph), heads, used)
        z, each = model.relation, 1.0 / (len(row) if of is None else int(self.sizes[of].sum()))
        r = z[relations]
        loss = self._asked(model.query(h, r), x, relations, (row, tails))
        if of is not None:
            loss = loss * (self._say(part) / self._say(of))
        if self.relations:
            named = (torch.arange(len(row)), relations[row], torch.full((len(row),), each * self.relations))
            loss = loss + full_softmax(between(h[row], x[tails]), z, named, None, self.half)
        if self.n3:
            loss = loss + cubed(ends, times[used] * (each * self.n3)) + cubed(r, sizes * (each * self.n3))
        return loss

    def _say(self, part: Tensor) -> float:
        """The weight of all answers of some questions."""
        each = self.sizes[part]
        return float(each.sum() if self.weights is None else (each * self.weights[self.questions[part, 1]]).sum())

    def _answers(self, part: Tensor) -> tuple[Tensor, Tensor]:
        """Right answers of some questions: which of them each answers, and the node."""
        sizes = self.sizes[part]
        row = torch.repeat_interleave(torch.arange(len(part)), sizes)
        offset = torch.arange(len(row)) - torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)
        return row, self.tails[self.starts[part][row] + offset]

    def _asked(self, queries: Tensor, x: Tensor, relations: Tensor, answers: tuple[Tensor, Tensor]) -> Tensor:
        """Mean loss of the triples, by weight."""
        row, tails = answers
        open_ = None if self.fits is None else self.fits[relations]
        each = torch.ones(len(relations)) if self.weights is None else self.weights[relations]
        each = each / each[row].sum()
        if self.name == "softmax":
            return full_softmax(queries, x, (row, tails, each[row]), open_, self.half)
        scores = queries @ x.T
        right = torch.zeros(scores.shape, dtype=torch.bool)
        right[row, tails] = True
        return (each * LOSSES[self.name](scores, right, torch.ones_like(right) if open_ is None else open_)).sum()

    def validate(self, model: nn.Module) -> float | None:
        """Filtered MRR of the later triples."""
        assert isinstance(model, Bilinear)
        if self.valid is None or not len(self.valid):
            return None
        return rank(model, self.graph, self.valid, self.known).mrr


def checked(weights: Tensor, relations: int) -> Tensor:
    """The weights; ModelError unless there is one above 0 for each relation."""
    if weights.shape != (relations,) or not bool((weights > 0).all()):
        raise ModelError(f"{weights.tolist()} are no weights; expected {relations} numbers above 0, one a relation")
    return weights.to(torch.float32)


class _Taken(torch.autograd.Function):
    """A table, and copies of some of its rows: their gradients are added to that of the table where it lies.

    Plain indexing would make a table of zeros for each gradient, which on a large graph costs more than the scores.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, *rows: Tensor) -> tuple[Tensor, ...]:
        ctx.rows = rows
        return x.view_as(x), *(x.index_select(0, own) for own in rows)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *grads: Tensor) -> Any:
        for own, part in zip(ctx.rows, grads, strict=True):
            grad.index_add_(0, own, part)
        return grad, *[None] * len(grads)


def cubed(z: Tensor, weight: Tensor | None) -> Tensor:
    """Sum over rows, by weight, of |z_k|^3 over complex numbers stored as real half and imaginary half."""
    total: Tensor = _Cubed.apply(z, weight)
    return total


class _Cubed(torch.autograd.Function):
    """With the gradient 3 |z| z written out."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, weight: Tensor | None) -> Tensor:
        real, imag = z.detach().chunk(2, dim=1)
        square = torch.addcmul(real * real, imag, imag)
        each = square.sqrt()
        if weight is not None:
            each.mul_(weight.to(z.dtype)[:, None])
        ctx.save_for_backward(z, each)
        return torch.dot(each.flatten(), square.flatten())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        z, each = ctx.saved_tensors
        half = each.shape[1]
        out = torch.empty_like(z)
        each = each * (3 * grad)
        torch.mul(z[:, :half], each, out=out[:, :half])
        torch.mul(z[:, half:], each, out=out[:, half:])
        return out, None
