"""Maximum entropy: the network that spreads every sum as evenly as the margins and the disclosed cells allow.

X_ij = u_i v_j in every free cell, scaled in turn to the sums of rows and columns until both hold (iterative
proportional fitting, RAS: Bacharach, "Estimating Nonnegative Matrices from Marginal Data", 1965; for interbank claims
Upper, Worms, "Estimating bilateral exposures in the German interbank market", 2004). It has nearly all links
there can be, which understates contagion (Mistrulli, 2011): use it as one end, `density` as the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from kg.errors import MeasureError
from queries.reconstruct.margins import AGREES, Margins

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
SWEEPS = 3_000
MOST = 100_000
"""Sweeps before, and after, cells that can hold nothing are told apart."""
SETTLED = 1e-14
SMALL = 1e-12


def maximum_entropy(margins: Margins) -> Floats:
    """(n, n) claims. MeasureError where no network has these margins and cells."""
    left, owed = margins.rest
    made = fitted(margins.free.astype(float), left, owed, SWEEPS)
    if not _holds(made, left, owed):  # at the edge of what can be, scaling alone takes forever
        made = fitted(possible(margins).astype(float), left, owed, MOST)
    if not _holds(made, left, owed):
        worst = np.abs(made.sum(axis=1) - left) + np.abs(made.sum(axis=0) - owed)
        raise MeasureError(
            f"scaling to these sums does not settle: {margins.ids[int(worst.argmax())]} is missed by "
            f"{worst.max():.6g} of {left.sum():.6g}; look for sums of very different size"
        )
    return margins.fixed + made


def fitted(prior: Floats, rows: Floats, columns: Floats, sweeps: int) -> Floats:
    """The prior scaled by rows, then columns, to these sums as far as so many sweeps go; what is 0 stays 0."""
    total, reached = max(rows.sum(), 1e-300), prior.sum(axis=1)
    u, v = np.ones(len(rows)), np.ones(len(columns))
    for _ in range(sweeps):
        u = _share(rows, reached)
        with np.errstate(over="ignore", invalid="ignore"):
            v = _share(columns, prior.T @ u)
            reached = prior @ v
        if not np.isfinite(reached).all() or np.abs(u * reached - rows).max(initial=0.0) <= SETTLED * total:
            break  # sums that no network has drive the factors beyond all bounds
    return np.asarray(u[:, None] * prior * v, float)


def possible(margins: Margins) -> Flags:
    """(n, n) free cells that hold something in some network with these margins. MeasureError if there is no network.

    From any one network (a linear program), money can be turned along circles of cells that may take more and cells
    that may give some up: an empty cell can be filled just where its row and column are in one strong component.
    """
    from scipy.optimize import linprog

    left, owed = margins.rest
    rows, columns = np.nonzero(margins.free)
    count, n = len(rows), len(margins)
    ends = (np.r_[rows, columns + n], np.tile(np.arange(count), 2))
    sums = sparse.csr_array((np.ones(2 * count), ends), shape=(2 * n, count))
    total = max(left.sum(), 1e-300)
    goal = np.r_[left, owed] / total
    found = linprog(np.zeros(count), A_eq=sums, b_eq=goal, bounds=(0, None))  # type: ignore[call-overload]  # sparse
    if found.status != 0:
        raise MeasureError(
            "no network has these sums and known cells: some entities claim more than others may owe them; "
            "correct the sums, or the cells known"
        )
    held = found.x > SMALL
    turn = sparse.csr_array(
        (np.ones(count + held.sum()), (np.r_[rows, columns[held] + n], np.r_[columns + n, rows[held]])),
        shape=(2 * n, 2 * n),
    )
    _, part = connected_components(turn, directed=True, connection="strong")
    may = np.zeros((n, n), bool)
    may[rows, columns] = held | (part[rows] == part[columns + n])
    return may


def _holds(made: Floats, rows: Floats, columns: Floats) -> bool:
    gap = max(np.abs(made.sum(axis=1) - rows).max(initial=0.0), np.abs(made.sum(axis=0) - columns).max(initial=0.0))
    return bool(gap <= 0.5 * AGREES * max(rows.sum(), 1e-300))


def _share(sums: Floats, reached: Floats) -> Floats:
    return np.divide(sums, reached, out=np.zeros_like(sums), where=reached > 0)
