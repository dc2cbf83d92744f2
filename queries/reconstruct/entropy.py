"""Maximum entropy: the network that spreads every sum as evenly as the margins and the disclosed cells allow.

X_ij = u_i v_j in every free cell, scaled in turn to the sums of rows and columns until both hold (iterative
proportional fitting, RAS: Bacharach, "Estimating Nonnegative Matrices from Marginal Data", 1965; for interbank claims
Upper, Worms, "Estimating bilateral exposures in the German interbank market", 2004). It has nearly all links
there can be, which understates contagion (Mistrulli, 2011): use it as one end, `density` as the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.reconstruct.margins import AGREES, Margins

Floats = NDArray[np.float64]
SWEEPS = 100_000
SETTLED = 1e-14


def maximum_entropy(margins: Margins) -> Floats:
    """(n, n) claims. MeasureError where no network has these margins and cells."""
    left, owed = margins.rest
    return margins.fixed + fitted(margins.free.astype(float), left, owed, margins.ids)


def fitted(prior: Floats, rows: Floats, columns: Floats, ids: tuple[str, ...]) -> Floats:
    """The prior scaled by rows, then columns, to these sums; what is 0 stays 0."""
    total, reached = max(rows.sum(), 1e-300), prior.sum(axis=1)
    for _ in range(SWEEPS):
        u = _share(rows, reached)
        v = _share(columns, prior.T @ u)
        reached = prior @ v
        if np.abs(u * reached - rows).max(initial=0.0) <= SETTLED * total:
            break
    made = u[:, None] * prior * v
    worst = np.abs(made.sum(axis=1) - rows) + np.abs(made.sum(axis=0) - columns)
    if worst.max(initial=0.0) > AGREES * total:
        raise MeasureError(
            f"no network has these sums and known cells: {ids[int(worst.argmax())]} is missed by "
            f"{worst.max():.6g} of {total:.6g}; correct its sums or the cells known of it"
        )
    return np.asarray(made, float)


def _share(sums: Floats, reached: Floats) -> Floats:
    return np.divide(sums, reached, out=np.zeros_like(sums), where=reached > 0)
