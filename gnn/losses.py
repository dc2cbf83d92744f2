"""Losses over scores: what a model may be taught by, beside the full softmax.

Of each question: scores s of all nodes, its right answers T, and the wrong ones W: all others that may answer.

    bce      sum over T of log(1 + e^-s) + sum over W of log(1 + e^s)     each node by itself
    mse      sum over T of (s - 1)^2 + sum over W of s^2
    margin   sum over t in T of the mean over w in W of max(0, 1 - s_t + s_w)     (Bordes et al. 2013)
    infonce  sum over t in T of log sum_{b in B} e^s_b - s_t     B: what answers any question of the step (van den Oord
             et al. 2018): the full softmax of as many nodes as the step has answers, the popular ones more often
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Scores, which are right and which may answer, each (batch, nodes); gives (batch,) the loss of each question."""


def bce(scores: Tensor, right: Tensor, open_: Tensor) -> Tensor:
    """Binary cross-entropy of every node."""
    each = functional.binary_cross_entropy_with_logits(scores, right.to(scores.dtype), reduction="none")
    return torch.where(open_, each, 0.0).sum(1)


def mse(scores: Tensor, right: Tensor, open_: Tensor) -> Tensor:
    """Squared distance from 1 where right and from 0 where wrong."""
    return torch.where(open_, (scores - right.to(scores.dtype)) ** 2, 0.0).sum(1)


def margin(scores: Tensor, right: Tensor, open_: Tensor) -> Tensor:
    """How far wrong answers come within 1 of each right one; nothing where no answer is wrong."""
    wrong = open_ & ~right
    rows, tails = torch.nonzero(right).unbind(1)
    near = torch.where(wrong[rows], (1.0 - scores[rows, tails][:, None] + scores[rows]).clamp(min=0.0), 0.0)
    each = near.sum(1) / wrong.sum(1).clamp(min=1)[rows]
    return torch.zeros(len(scores), dtype=scores.dtype).index_add(0, rows, each)


def infonce(scores: Tensor, right: Tensor, open_: Tensor) -> Tensor:
    """Right answers told from those of the other questions, each question beside those it is asked with."""
    near = scores.masked_fill(~(right | (open_ & right.any(0))), -torch.inf)
    return right.sum(1) * torch.logsumexp(near, dim=1) - torch.where(right, scores, 0.0).sum(1)


LOSSES: Final[Mapping[str, Loss]] = {"bce": bce, "mse": mse, "margin": margin, "infonce": infonce}
"""By name, as the grouped task takes them; `softmax` is `gnn.softmax`."""
