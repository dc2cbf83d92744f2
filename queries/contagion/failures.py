"""Failures that set off failures: who has lost all its equity once others have failed, round by round."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from queries.exposures import Exposures
from queries.scenario import Shocks

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
TIE = 1e-12
"""A loss within this share of equity is equal to it: rounding must not save anybody."""


def cascade(
    exposures: Exposures, shocks: Shocks, lost: float, direct: Callable[[Flags], Floats]
) -> tuple[Flags, NDArray[np.int64]]:
    """Who fails, (scenarios, n), and in which round (-1: never).

    `direct` gives the loss that comes by no claim, (scenarios, n), when a set has failed; it must not fall as the
    set grows.
    """
    failed = shocks.distress >= 1 - TIE
    failed = failed | fails(exposures, direct(np.zeros_like(failed)))
    rounds = np.where(failed, 0, -1)
    received, new, step = np.zeros(failed.shape), failed, 0
    while new.any():
        received = received + lost * (exposures.claims @ new.T.astype(float)).T
        new = fails(exposures, direct(failed) + received) & ~failed
        step += 1
        rounds[new] = step
        failed = failed | new
    return failed, rounds


def fails(exposures: Exposures, loss: Floats) -> Flags:
    """Whose loss is no smaller than its equity; nobody fails who has lost nothing or whose equity is unknown."""
    equity = np.maximum(exposures.equity, 0.0)
    return np.asarray((loss > 0) & (loss >= equity * (1 - TIE)))


def distress(exposures: Exposures, loss: Floats, failed: Flags, shocks: Shocks) -> Floats:
    """Share of equity lost, 1 for the failed; the direct shock alone where no equity is known."""
    equity = np.maximum(exposures.equity, 0.0)
    part = np.divide(loss, equity, out=np.zeros_like(loss), where=equity > 0)
    part = np.where(np.isnan(exposures.equity), np.minimum(shocks.distress, 1.0), np.minimum(part, 1.0))
    return np.asarray(np.where(failed, 1.0, part), float)


def waves_of(exposures: Exposures, rounds: NDArray[np.int64]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Ids by scenario and round of failure."""
    ids = exposures.ids
    return tuple(
        tuple(tuple(ids[i] for i in np.flatnonzero(row == step)) for step in range(int(row.max(initial=-1)) + 1))
        for row in rounds
    )


def in_turn(exposures: Exposures, fell: NDArray[np.int64]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Waves of default by (scenarios, n) the sweep in which each first falls (-1: never); sweeps without one are none.

    Sweeps start where everybody pays in full, so each wave falls only after what the earlier ones no longer pay.
    """
    dense = np.full_like(fell, -1)
    for scenario, row in enumerate(fell):
        known = row >= 0
        dense[scenario, known] = np.unique(row[known], return_inverse=True)[1]
    return waves_of(exposures, dense)
