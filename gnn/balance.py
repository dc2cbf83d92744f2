"""Weights of samples in a loss, so that a modality few have is not drowned by those that many have.

    w_i = c (n / n_k(i)) ^ b        k(i): of the modalities that i has, the one with the fewest rows n_k

Inverse frequency as in survey sampling (Horvitz and Thompson 1952), to a power b that says how much of it: 0 leaves all
alike, 1 lets the rows of each scarcest modality weigh as if all had it. c makes the mean one, so that the learning rate
keeps its meaning. It moves what is learned, not only how fast: a model so trained serves the scarce slice first, and
its probabilities need calibrating afterwards (gnn/calibrate.py), as all of ours do.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kg.errors import ModelError


def weights(present: Tensor, balance: float) -> Tensor:
    """(rows,) float32 of mean one for rows whose modalities are `present` (rows, modalities); ModelError off 0 .. 1."""
    if not 0.0 <= balance <= 1.0:
        raise ModelError(f"balance is {balance}; give a number from 0 (all rows alike) to 1 (inverse frequency)")
    rows = len(present)
    if not balance or not rows or not present.shape[1]:
        return torch.ones(rows)
    each = present.sum(0).to(torch.float32)
    rarest = torch.where(present, each, float(rows)).amin(1)
    raw = (rows / rarest) ** balance
    return raw / raw.mean()
