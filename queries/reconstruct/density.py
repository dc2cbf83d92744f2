"""Minimum density: a network with as few links as the margins and the disclosed cells allow.

Links are dear, so each is loaded as far as it goes: lender i and borrower j are drawn by

    Q_ij ~ max(a_i / l_j, l_j / a_i),    X_ij = min(a_i, l_j)

with a_i, l_j what each still has to place, so that the small deal with the large (Anand, Craig, von Peter, "Filling in
the blanks: network structure and interbank contagion", Quantitative Finance 15(4), 2015). A pair whose sums match is
taken at once, since one link settles both. Of many such networks the one with fewest links is kept: a heuristic, as the
paper's own (the exact problem is NP-hard). It overstates contagion: use it as one end, `entropy` as the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.reconstruct.margins import Margins

Floats = NDArray[np.float64]
TRIES = 60
SAME = 1e-12


def minimum_density(margins: Margins, seed: int = 0, tries: int = TRIES) -> Floats:
    """(n, n) claims with few links; the same seed gives the same network."""
    random = np.random.default_rng(seed)
    best: Floats | None = None
    for _ in range(max(tries, 1)):
        made = _placed(margins, random)
        if made is not None and (best is None or np.count_nonzero(made) < np.count_nonzero(best)):
            best = made
    if best is None:
        raise MeasureError(
            f"no network of few links was found in {tries} tries; known cells may leave some sums no place, "
            "which `maximum_entropy` would tell"
        )
    return margins.fixed + best


def _placed(margins: Margins, random: np.random.Generator) -> Floats | None:
    """One network; None if what was placed first leaves no place for the last."""
    left, owed = (part.copy() for part in margins.rest)
    small = SAME * max(left.sum(), 1e-300)
    made = np.zeros_like(margins.fixed)
    while (left > small).any() and (owed > small).any():
        open = margins.free & (left > small)[:, None] & (owed > small)[None, :]
        if not open.any():
            if not _moved(margins, made, left, owed, small):
                return None
            continue
        i, j = _pair(open, left, owed, small, random)
        amount = min(left[i], owed[j])
        made[i, j] += amount
        left[i], owed[j] = left[i] - amount, owed[j] - amount
    return made


def _pair(
    open: NDArray[np.bool_], left: Floats, owed: Floats, small: float, random: np.random.Generator
) -> tuple[int, int]:
    """A pair that settles both, else one drawn by Q."""
    rows, columns = np.nonzero(open)
    match = np.flatnonzero(np.abs(left[rows] - owed[columns]) <= small)
    if match.size:
        pick = int(random.choice(match))
    else:
        ratio = left[rows] / owed[columns]
        weight = np.cumsum(np.maximum(ratio, 1 / ratio))
        pick = int(np.searchsorted(weight, random.random() * weight[-1], side="right"))
    return int(rows[pick]), int(columns[pick])


def _moved(margins: Margins, made: Floats, left: Floats, owed: Floats, small: float) -> bool:
    """Only closed cells are left between lenders and borrowers: turn a placed link k -> m into k -> j and i -> m."""
    i, j = int(left.argmax()), int(owed.argmax())
    turn = np.where((made > small) & margins.free[:, [j]] & margins.free[[i], :], made, 0.0)
    if not turn.any():
        return False
    k, m = np.unravel_index(int(turn.argmax()), turn.shape)
    amount = min(left[i], owed[j], made[k, m])
    for row, column, change in ((k, m, -amount), (k, j, amount), (i, m, amount)):
        made[row, column] += change
    made[made <= small] = 0.0
    left[i], owed[j] = left[i] - amount, owed[j] - amount
    return True
