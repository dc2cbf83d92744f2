"""Full softmax: the negative log probability of right answers among all nodes, with its gradient written out.

For queries q_i (rows of Q), node vectors e_j (rows of E) and the right answers T_i of query i

    loss = sum_i ( n_i log sum_j exp(q_i . e_j) - sum_{t in T_i} q_i . e_t ),   n_i = |T_i|

which is the sum of -log softmax over all triples, each taken alone (1-vs-all, Lacroix et al. 2018): triples that ask
the same (head, relation) share one row of scores. With P = softmax(Q E'),

    dQ = n P E - sum of right e_t        dE = P' (n Q) - sum of their q_i

so three products of matrices are all the work, no score is kept for a later pass, and they may run in bfloat16 while
weights and sums stay in float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

SCORES: Final = 1 << 26
"""Scores held at once by default: queries x nodes beyond this are worked through in chunks of nodes."""
TINY: Final = 1e-37
"""Least probability: its logarithm is finite in float32."""


def full_softmax(
    queries: Tensor,
    nodes: Tensor,
    answers: tuple[Tensor, Tensor],
    open_: Tensor | None = None,
    half: bool = False,
    scores: int = SCORES,
) -> Tensor:
    """Summed negative log probability, a scalar with gradients for `queries` (batch, dim) and `nodes` (nodes, dim).

    `answers` are (answers,) rows of queries and (answers,) rows of nodes. `open_` (batch, nodes) bool leaves out nodes
    that cannot answer. `half` multiplies in bfloat16. At most `scores` scores are in memory at a time: with more, each
    is computed twice.
    """
    loss: Tensor = _FullSoftmax.apply(queries, nodes, *answers, open_, half, scores)
    return loss


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        nodes: Tensor,
        rows: Tensor,
        tails: Tensor,
        open_: Tensor | None,
        half: bool,
        scores: int,
    ) -> Tensor:
        q, e = (queries.bfloat16(), nodes.bfloat16()) if half else (queries, nodes)
        each = torch.bincount(rows, minlength=len(q)).to(queries.dtype)[:, None]
        heavy = (each * queries).to(q.dtype)
        size = max(1, scores // max(len(q), 1))
        whole = _whole if size >= len(e) else _chunked
        loss, dq, de = whole(q, e, heavy, rows, tails, open_, size)
        dq = dq.to(queries.dtype).mul_(each).index_add_(0, rows, nodes[tails], alpha=-1.0)
        de = de.to(nodes.dtype).index_add_(0, tails, queries[rows], alpha=-1.0)
        ctx.save_for_backward(dq, de)
        return loss

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        dq, de = ctx.saved_tensors
        return grad * dq, grad * de, None, None, None, None, None


def _whole(
    q: Tensor, e: Tensor, heavy: Tensor, rows: Tensor, tails: Tensor, open_: Tensor | None, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    scores = q @ e.T
    if open_ is not None:
        scores.masked_fill_(~open_, -torch.inf)
    share = torch.softmax(scores, dim=1)
    right = share[rows, tails].to(torch.promote_types(q.dtype, torch.float32))
    return -right.clamp(min=TINY).log().sum(), share @ e, share.T @ heavy


def _chunked(
    q: Tensor, e: Tensor, heavy: Tensor, rows: Tensor, tails: Tensor, open_: Tensor | None, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The same over chunks of nodes: once for the sum of exponentials, once more for the gradient."""

    def part(start: int) -> Tensor:
        scores = (q @ e[start : start + size].T).to(wide)
        return scores if open_ is None else scores.masked_fill_(~open_[:, start : start + size], -torch.inf)

    wide = torch.promote_types(q.dtype, torch.float32)
    starts = range(0, len(e), size)
    total = torch.logsumexp(torch.stack([torch.logsumexp(part(s), dim=1) for s in starts], dim=1), dim=1)[:, None]
    dq, de = torch.zeros(q.shape, dtype=wide), torch.empty(e.shape, dtype=wide)
    right = torch.zeros(len(rows), dtype=wide)
    for start in starts:
        share = (part(start) - total).exp_()
        here = (tails >= start) & (tails < start + size)
        right[here] = share[rows[here], tails[here] - start]
        share = share.to(q.dtype)
        dq += share @ e[start : start + size]
        de[start : start + size] = share.T @ heavy
    return -right.clamp(min=TINY).log().sum(), dq, de


def halves() -> bool:
    """True where the processor multiplies matrices in bfloat16 by itself; elsewhere float32 is faster."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
