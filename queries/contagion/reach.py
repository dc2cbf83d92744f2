"""Reach of failures: who can be brought down from afar, and through whom, counted over all chains of failures.

With V_ji = 1 where the failure of j alone brings down i (its claim on j reaches its equity) and C = exp(V) the weighted
count of chains (Estrada, Hatano, Physical Review E 77:036111, 2008), without the diagonal: the impact susceptibility
of i is sum_j C_ji / sum_j V_ji, above 1 where it is reached from beyond its own debtors; fluidity is their mean; the
impact diffusion of q is what C loses when q passes nothing on, over q's own number of victims, as start (chains that
begin at q) and between (chains through q) (Silva, Souza, Tabak, Banco Central do Brasil Working Paper 392, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from queries.contagion.leverage import leverage
from queries.exposures import Exposures

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reach:
    """By entity: how it is reached, and how much it passes on."""

    susceptibility: Floats
    start: Floats
    between: Floats

    @property
    def fluidity(self) -> float:
        """Mean susceptibility."""
        return float(self.susceptibility.mean())

    @property
    def diffusion(self) -> Floats:
        """Chains that begin at, or lead through, each."""
        return self.start + self.between


def reach(exposures: Exposures) -> Reach:
    """Dense, for networks of up to a few hundred entities."""
    downs = (leverage(exposures, 1.0).toarray().T >= 1 - 1e-12).astype(float)
    chains, n = _chains(downs), len(exposures)
    hit_by, hits = downs.sum(axis=0), downs.sum(axis=1)
    susceptibility = np.divide(chains.sum(axis=0), hit_by, out=np.zeros(n), where=hit_by > 0)
    start, between = np.zeros(n), np.zeros(n)
    for q in np.flatnonzero(hits):
        mute = downs.copy()
        mute[q] = 0
        lost = np.maximum(chains - _chains(mute), 0.0).sum(axis=1) / hits[q]
        start[q], between[q] = lost[q], lost.sum() - lost[q]
    return Reach(susceptibility, start, between)


def _chains(downs: Floats) -> Floats:
    found = np.asarray(expm(downs), float)
    np.fill_diagonal(found, 0)
    return found
