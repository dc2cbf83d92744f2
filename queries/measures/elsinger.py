"""Elsinger: clearing payments where debts have ranks and firms hold each other's equity.

Means V are paid out rank after rank, and what is left belongs to the holders of equity:

    V = e + sum_s P_s^T p_s + H max(V - pbar, 0),    p_s = min(pbar_s, max(V - sum of ranks above s, 0))

(Elsinger, "Financial Networks, Cross Holdings, and Limited Liability", OeNB Working Paper 156, 2009). The
greatest solution is returned. With one rank and no holdings it is Eisenberg-Noe. A firm whose equity is held
in the network to 100 % or more is refused, as are external assets below 0.

From a graph ranks are read out of the roles of loans (secured 1, senior or nothing said 2, subordinated 3)
and holdings out of OWNS, unless they are given. Loss is V without the shock less V with it; what came by
fallen equity of others came over no exposure and so stands in `direct`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from queries.contagion.clearing import TIE, not_negative
from queries.contagion.failures import in_turn
from queries.contagion.ranked import Ranked, settle
from queries.contagion.ranks import held_in, ranks_of
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Elsinger(RiskMeasure):
    """Clearing payments with ranks of debts and cross-holdings of equity (Elsinger 2009)."""

    name: ClassVar[str] = "elsinger"
    seniority: Mapping[str, int] | None = None
    """Rank of exposures by edge id, 1 is paid first; any other has `usual`. None: the graph's own, or all one."""
    holdings: Mapping[str, float] | None = None
    """Share of equity held, by `holder>firm`. None: the graph's own, or none."""
    usual: int = 2
    """Rank of an exposure of which nothing is said."""
    outside: int = 2
    """Rank of debts to the outside."""

    def fitted(self, snapshot: Snapshot, exposures: Exposures) -> Elsinger:
        """With the ranks and holdings that the graph states, where none were given."""
        ranks = ranks_of(snapshot, exposures) if self.seniority is None else self.seniority
        holdings = held_in(snapshot, exposures) if self.holdings is None else self.holdings
        return replace(self, seniority=ranks, holdings=holdings)

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money beside the same system without the shock; `distress` is the share of debts unpaid."""
        held = self._holdings(exposures)
        ranked = Ranked.of(exposures, self._ranks(exposures), self.outside, held)
        outside = exposures.external_assets[None, :]
        after = settle(ranked, not_negative(exposures, outside - shocks.outside))
        before = settle(ranked, not_negative(exposures, outside)).means
        debts, gone = ranked.total, _unpaid(ranked, before, after.means)
        target, amount = exposures.edges["target"].to_numpy(), exposures.edges["amount"].to_numpy()
        carries = amount * gone[ranked.rank, target].T
        direct = shocks.outside + (held @ (ranked.left(before.T) - ranked.left(after.means.T))).T
        received = np.zeros_like(direct)
        np.add.at(received.T, exposures.edges["source"].to_numpy(), carries.T)
        paid = np.minimum(after.means, debts)
        safe = np.where(debts > 0, debts, 1.0)
        return Losses(
            self.name,
            exposures,
            shocks.names,
            exposures.currency,
            direct=direct,
            passed=(np.minimum(before, debts) - paid) / safe,
            loss=direct + received,
            distress=np.where(debts > 0, 1 - paid / safe, 0.0),
            payments=paid,
            worth=after.means - debts,
            defaulted=after.means < debts * (1 - TIE),
            waves=in_turn(exposures, after.fell),
            rounds=after.rounds,
            converged=not len(after.moving),
            remarks=self._remarks(exposures, after.moving),
            carries=carries,
        )

    def in_worlds(self, exposures: Exposures, names: Sequence[tuple[str, ...]]) -> Elsinger:
        """With the holdings of every world, by the names its firms have there."""
        index, held = exposures.index, dict[str, float]()
        for pair, share in (self.holdings or {}).items():
            holder, _, firm = pair.partition(">")
            if holder in index and firm in index:
                held |= {f"{ids[index[holder]]}>{ids[index[firm]]}": share for ids in names}
            else:
                held[pair] = share  # refused as it is in one world
        return replace(self, holdings=held)

    def _ranks(self, exposures: Exposures) -> NDArray[np.int64]:
        given = self.seniority or {}
        return np.array([given.get(id, self.usual) for id in exposures.edges["id"].to_pylist()], np.int64)

    def _remarks(self, exposures: Exposures, moving: NDArray[np.int64]) -> tuple[str, ...]:
        told = []
        if unknown := sorted(set(self.seniority or {}) - set(exposures.edges["id"].to_pylist())):
            told.append(f"seniority names {', '.join(unknown[:3])}, which are no exposures here, so it says nothing")
        if len(moving):
            told.append(f"payments of {', '.join(exposures.ids[row] for row in moving[:5])} were still falling")
        return tuple(told)

    def _holdings(self, exposures: Exposures) -> sparse.csr_array[np.float64]:
        """[holder, firm] shares. MeasureError for unknown ends, a share out of range, or a firm held to 100 %."""
        ends, shares = [], []
        for pair, share in (self.holdings or {}).items():
            holder, _, firm = pair.partition(">")
            missing = [id for id in (holder, firm) if id not in exposures.index]
            if missing or holder == firm or not 0 <= share <= 1:
                raise MeasureError(
                    f"holding {pair}={share:g}: expected holder>firm=share with two different ids of the exposures and "
                    f"a share from 0 to 1{f'; not here: {missing[0]}' if missing else ''}"
                )
            ends.append((exposures.index[holder], exposures.index[firm]))
            shares.append(share)
        pairs, n = np.array(ends, np.int64).reshape(-1, 2), len(exposures)
        held = sparse.csr_array((np.array(shares, float), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
        total = np.asarray(held.sum(axis=0), float).reshape(-1)
        if (total >= 1 - TIE).any():
            firm = exposures.ids[int(total.argmax())]
            raise MeasureError(
                f"{firm} is held to {total.max():.0%} by others of the network; Elsinger's clearing needs less than "
                "100 %, or equity is made out of itself: leave a holding out, or correct its source"
            )
        return held


def _unpaid(ranked: Ranked, before: Floats, after: Floats) -> Floats:
    """(ranks, n, scenarios) share of each rank's debts that is paid without the shock and not with it."""
    owed = ranked.debts[:, :, None]
    fall = np.maximum(ranked.paid(before.T) - ranked.paid(after.T), 0.0)
    return np.asarray(np.divide(fall, owed, out=np.zeros_like(fall), where=owed > 0), float)
