"""Scores of triples from vectors of head, relation and tail.

ComplEx (Trouillon et al. 2016): score(h, r, t) = Re sum_i h_i r_i conj(t_i) with complex vectors, stored as the
real half followed by the imaginary half. Because of the conjugate, score(a, r, b) and score(b, r, a) differ:
direction is kept. DistMult (Yang et al. 2015) is the special case with a real relation (imaginary half 0): then
both scores are equal, which is also what the article's edge embedding gamma * h_source * h_target does; it cannot
hold who owns or lends to whom.
"""

from __future__ import annotations

import torch
from torch import Tensor


def query(head: Tensor, relation: Tensor, symmetric: bool = False) -> Tensor:
    """The vector (batch, dim) whose dot product with a tail's vector is the score; dim is even."""
    h_real, h_imag = head.chunk(2, dim=-1)
    r_real, r_imag = relation.chunk(2, dim=-1)
    if symmetric:
        r_imag = torch.zeros_like(r_imag)
    return torch.cat([h_real * r_real - h_imag * r_imag, h_real * r_imag + h_imag * r_real], dim=-1)


def score(head: Tensor, relation: Tensor, tail: Tensor, symmetric: bool = False) -> Tensor:
    """Scores (batch,) of triples given as vectors (batch, dim)."""
    return (query(head, relation, symmetric) * tail).sum(-1)


def between(head: Tensor, tail: Tensor) -> Tensor:
    """The vector (batch, dim) whose dot product with a relation's vector is the score."""
    h_real, h_imag = head.chunk(2, dim=-1)
    t_real, t_imag = tail.chunk(2, dim=-1)
    return torch.cat([h_real * t_real + h_imag * t_imag, h_real * t_imag - h_imag * t_real], dim=-1)
