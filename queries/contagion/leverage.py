"""Leverage: what each would lose of its equity if another failed, and who in it amplifies losses without end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from kg.errors import MeasureError
from queries.exposures import Exposures

Floats = NDArray[np.float64]
Matrix = sparse.csr_array

STEPS = 500
"""Power steps after which the spectral radius of a circle is taken as it stands."""
CLOSE = 1e-9
"""A spectral radius this near to 1 counts as 1."""


def steepness(exposures: Exposures, lost: float) -> Floats:
    """(n,) what a unit lost is of equity, with `lost` the share of a claim that goes with its debtor.

    0 where equity is unknown; where there is none, so steep that any loss is default.
    """
    equity = exposures.equity
    steep = np.maximum(exposures.held, 1.0) * 1e-15
    floor = np.where(equity > steep, equity, steep)
    return np.where(np.isnan(equity), 0.0, lost / floor)


def leverage(exposures: Exposures, lost: float) -> Matrix[np.float64]:
    """Lambda_ij = A_ij lost / E_i: claims times the steepness of their creditor."""
    return sparse.csr_array(sparse.diags_array(steepness(exposures, lost)) @ exposures.claims)


def supposed(exposures: Exposures, share: float) -> Exposures:
    """With equity of this share of known assets where none is stated; 0: it stays unknown."""
    if not 0 <= share <= 1:
        raise MeasureError(f"assumed is equity as a share of assets, from 0 to 1, not {share}")
    if share == 0:
        return exposures
    stated = ~np.isin(np.array(exposures.ids, object), np.array(exposures.assumed, object))
    assets = exposures.held + np.where(stated, exposures.external_assets, 0.0)
    guess = np.where(assets > 0, share * assets, np.nan)
    return replace(exposures, equity=np.where(np.isnan(exposures.equity), guess, exposures.equity))


def amplifying(matrix: Matrix[np.float64]) -> list[NDArray[np.intp]]:
    """Circles of entities (strong components) in which a loss grows at each turn: spectral radius of 1 or more.

    Bounds of Collatz and Wielandt, min (Mx)_i / x_i <= rho <= max (Mx)_i / x_i, decide most circles in a few steps.
    """
    across, down = (np.asarray(matrix.sum(axis=axis), float) for axis in (1, 0))
    if max(across.max(initial=0.0), 0.0) < 1 or max(down.max(initial=0.0), 0.0) < 1:
        return []
    _, part = connected_components(matrix, directed=True, connection="strong")
    order = np.argsort(part, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(part[order])) + 1)
    return [group for group in groups if len(group) > 1 and _grows(sparse.csr_array(matrix[group][:, group]))]


def _grows(circle: Matrix[np.float64]) -> bool:
    x = np.ones(circle.shape[0])
    low, high = 0.0, np.inf
    for _ in range(STEPS):
        y = np.asarray(circle @ x, float)
        ratio = y / x
        low, high = max(low, float(ratio.min())), min(high, float(ratio.max()))
        if low >= 1 or high < 1 - CLOSE:
            break
        x = (y + x) / (y + x).max()
        x = np.maximum(x, 1e-300)
    return (low + min(high, 1e300)) / 2 >= 1 - CLOSE


def remarks(
    exposures: Exposures, matrix: Matrix[np.float64] | None = None, stated: Exposures | None = None
) -> tuple[str, ...]:
    """Whose equity is unknown or used up though it has something to lose, and which circles of `matrix` amplify.

    `stated` is the exposures before equity was supposed.
    """
    ids, equity, holds = exposures.ids, exposures.equity, exposures.held > 0
    said = []
    if stated is not None and (guessed := np.flatnonzero(np.isnan(stated.equity) & ~np.isnan(equity))).size:
        said.append(f"equity is assumed, not stated, of {named(ids, guessed)}")
    if (unknown := np.flatnonzero(np.isnan(equity) & holds)).size:
        said.append(f"no equity is known of {named(ids, unknown)}: losses stop there")
    if (gone := np.flatnonzero((equity <= 0) & holds)).size:
        said.append(f"equity is not above 0 at {named(ids, gone)}: any loss is a default there")
    for circle in amplifying(matrix) if matrix is not None else ():
        said.append(
            f"losses amplify without end (spectral radius of 1 or more) among {named(ids, circle)}: "
            "whoever is reached there comes to full distress, and only the cap at 1 ends it"
        )
    return tuple(said)


def named(ids: Sequence[str], rows: Iterable[int]) -> str:
    """Their ids, all of them: who shows a remark to people may shorten it."""
    return ", ".join(ids[int(row)] for row in rows)
