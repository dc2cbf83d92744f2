"""Full softmax: the negative log probability of right answers among all nodes, with its gradient written out.

For queries q_i (rows of Q), node vectors e_j (rows of E) and the right answers t of query i with weights w_it

    loss = sum_i ( n_i log sum_j exp(q_i . e_j) - sum_t w_it q_i . e_t ),   n_i = sum_t w_it

which is the weighted sum of -log softmax over all triples, each taken alone (1-vs-all, Lacroix et al. 2018): triples
that ask the same (head, relation) share one row of scores. With P = softmax(Q E'), less w_it / n_i where t is right,

    dQ = n P E        dE = P' (n Q)

so three products of matrices are nearly all the work, no score is kept for a later pass, and they may run in bfloat16
while weights and sums stay in float32.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from gnn.bound import blocks, held

SCORES: Final = 1 << 26
"""Scores held at once by default: queries x nodes beyond this are worked through in blocks."""
NEAR: Final = 1 << 20
"""Scores that are turned into shares at once: so many stay in the processor's cache."""
TINY: Final = 1e-37
"""Least probability: its logarithm is finite in float32."""

Open = tuple[Tensor, Tensor]
"""(kinds, nodes) bool, which nodes can answer a kind of query, and (batch,) the kind of each query."""


def full_softmax(
    queries: Tensor,
    nodes: Tensor,
    answers: tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Tensor],
    open_: Tensor | Open | None = None,
    half: bool = False,
    scores: int | None = None,
) -> Tensor:
    """Summed negative log probability, a scalar with gradients for `queries` (batch, dim) and `nodes` (nodes, dim).

    `answers` are (answers,) rows of queries, (answers,) rows of nodes and, if they do not all count 1, (answers,)
    weights above 0. `open_` (batch, nodes) bool leaves out nodes that cannot answer. `half` multiplies in bfloat16. At
    most `scores` scores are in memory at a time: beyond that queries are worked through in blocks, and where not even
    one query's fit, nodes too, and each score is computed twice.
    """
    rows, tails, *given = answers
    weights = given[0].to(queries.dtype) if given else None
    if isinstance(open_, Tensor):
        open_ = open_, torch.arange(len(queries), device=queries.device)
    right = rows, tails, weights
    loss: Tensor = _FullSoftmax.apply(queries, nodes, right, open_, half, held(SCORES, scores))
    return loss


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        nodes: Tensor,
        answers: tuple[Tensor, Tensor, Tensor | None],
        open_: Open | None,
        half: bool,
        scores: int,
    ) -> Tensor:
        q, e = (queries.bfloat16(), nodes.bfloat16()) if half else (queries.detach(), nodes.detach())
        rows, tails, weights = answers
        each = torch.bincount(rows, weights, minlength=len(q)).to(queries.dtype)[:, None]
        one = each.new_ones(len(rows)) if weights is None else weights
        right = rows, tails, one / each.index_select(0, rows)[:, 0], one
        whole = _whole if len(q) * len(e) <= scores else _blocks
        loss, dq, de = whole(q, e, (each * queries).to(q.dtype), right, open_, scores)
        ctx.dq, ctx.de = dq.to(queries.dtype).mul_(each), de.to(nodes.dtype)
        return loss

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        dq, de = ctx.dq, ctx.de
        del ctx.dq, ctx.de  # handed over, so that no one need copy them
        if grad != 1:
            dq, de = dq.mul_(grad), de.mul_(grad)
        return dq, de, None, None, None, None


Right = tuple[Tensor, Tensor, Tensor, Tensor]
"""Of right answers: row of the query, row of the node, share among the answers of its query, weight."""


def _whole(
    q: Tensor, e: Tensor, heavy: Tensor, right: Right, open_: Open | None, scores: int
) -> tuple[Tensor, Tensor, Tensor]:
    share = q @ e.T
    if open_ is not None:
        share.masked_fill_(_barred(open_), -torch.inf)
    for part in torch.split(share, max(1, NEAR // len(e))):
        part.copy_(torch.softmax(part, dim=1))
    loss = _answer(share, right)
    return loss, share @ e, share.T @ heavy


def _blocks(
    q: Tensor, e: Tensor, heavy: Tensor, right: Right, open_: Open | None, scores: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The same over blocks of queries, each with all nodes where the bound leaves room for them."""
    wide = torch.promote_types(q.dtype, torch.float32)
    dq, de = torch.empty(q.shape, dtype=wide, device=q.device), torch.zeros(e.shape, dtype=wide, device=q.device)
    loss = torch.zeros((), dtype=wide, device=q.device)
    order = torch.argsort(right[0], stable=True)
    rows, *others = (part[order] for part in right)
    tight = len(e) > scores
    for part in blocks(len(q), math.isqrt(scores) if tight else len(e), scores):
        low, high = torch.searchsorted(rows, torch.tensor([part.start, part.stop], device=q.device)).tolist()
        tails, shares, weights = (other[low:high] for other in others)
        own = rows[low:high] - part.start, tails, shares, weights
        asked = None if open_ is None else (open_[0], open_[1][part])
        lost, dq[part], more = (_chunked if tight else _whole)(q[part], e, heavy[part], own, asked, scores)
        loss, de = loss + lost, de.add_(more)
    return loss, dq, de


def _chunked(
    q: Tensor, e: Tensor, heavy: Tensor, right: Right, open_: Open | None, scores: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The same over chunks of nodes: once for the sum of exponentials, once more for the gradient."""

    def share_of(part: slice) -> Tensor:
        found = (q @ e[part].T).to(wide)
        return found if open_ is None else found.masked_fill_(_barred(open_, part), -torch.inf)

    wide = torch.promote_types(q.dtype, torch.float32)
    parts = list(blocks(len(e), len(q), scores))
    total = torch.logsumexp(torch.stack([torch.logsumexp(share_of(p), dim=1) for p in parts], dim=1), dim=1)[:, None]
    dq = torch.zeros(q.shape, dtype=wide, device=q.device)
    de = torch.empty(e.shape, dtype=wide, device=q.device)
    loss = torch.zeros((), dtype=wide, device=q.device)
    rows, tails, shares, weights = right
    for part in parts:
        share = (share_of(part) - total).exp_().to(q.dtype)
        here = (tails >= part.start) & (tails < part.stop)
        loss += _answer(share, (rows[here], tails[here] - part.start, shares[here], weights[here]))
        dq += share @ e[part]
        de[part] = share.T @ heavy
    return loss, dq, de


def _barred(open_: Open, part: slice = slice(None)) -> Tensor:
    """(batch, nodes of the part) bool: which cannot answer."""
    fits, kind = open_
    return ~fits[:, part][kind]


def _answer(share: Tensor, right: Right) -> Tensor:
    """The loss of the right answers, whose own part is then taken off the shares in place."""
    rows, tails, shares, weights = right
    wide = torch.promote_types(share.dtype, torch.float32)
    place = rows * share.shape[1] + tails
    flat = share.view(-1)
    found = flat.index_select(0, place).to(wide).clamp_(min=TINY).log_()
    flat.index_add_(0, place, shares.to(share.dtype), alpha=-1)
    return -(found * weights).sum()


def halves() -> bool:
    """True where the processor multiplies matrices in bfloat16 by itself; elsewhere float32 is faster."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
