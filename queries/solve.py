"""Linear systems x = b + M x with M sparse and not negative: what a clearing or a contagion step comes down to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import bicgstab, splu

from kg.errors import MeasureError

Floats = NDArray[np.float64]

DIRECT = 1_500
"""Unknowns up to which a direct solution is taken; beyond, the factors of a random network would fill up."""
ACCURATE = 1e-10
"""Residual allowed, relative to the largest number in the answer."""


def solve(matrix: sparse.csr_array[np.float64], b: Floats, guess: Floats) -> Floats:
    """The x with x = b + matrix x. MeasureError if there is none, or none can be found to ACCURATE."""
    if not len(b):
        return b.copy()
    system = sparse.csc_array(sparse.eye_array(len(b)) - matrix)
    if len(b) <= DIRECT:
        try:
            x = splu(system).solve(b)
        except RuntimeError as error:
            raise MeasureError(
                f"{len(b)} entities owe or hold each other in a circle without a solution; "
                "give one of them something outside the circle, or leave one of its exposures out"
            ) from error
    else:
        x, _ = bicgstab(system, b, x0=guess, rtol=1e-14, maxiter=400)
    missed = np.abs(b + matrix @ x - x).max()
    if not np.isfinite(missed) or missed > ACCURATE * max(np.abs(x).max(), np.abs(b).max(), 1e-300):
        raise MeasureError(
            f"a system of {len(b)} entities could not be solved: it is missed by {missed:.3g}; "
            "look for amounts of very different size, or for a wrong currency"
        )
    return np.asarray(x, float)
