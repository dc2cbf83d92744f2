"""Supply-chain cascade: a stopped firm starves its customers of inputs and its suppliers of orders.

W_ij is what i sells to j in a year, s_i all that i sells. With psi_i the capacity that the shock leaves,

    orders (linear)     u_i = min(psi_i, 1 - sum_j W_ij (1 - u_j) / s_i)
    inputs (Leontief)   d_i = min(psi_i, 1 - max over essential k of sum_{j makes k} r_j W_ji / W_ki (1 - d_j),
                                         1 - sum over the others        r_j W_ji / W_.i (1 - d_j))
    replaceability      r_j = min(1, s_j / sum over firms l of j's sector of s_l d_l)

W_ki is what i buys of product k (its makers' sector), W_.i all it buys, and r_j the market share that j has in what its
sector still makes: little is missed of who is one of many. Output left is h_i = min(u_i, d_i), both the greatest
solutions, and ESRI = sum_i s_i (1 - h_i) / sum s_i (Diem, Borsos, Reisch, Kertesz, Thurner, "Quantifying firm-level
economic systemic risk from nation-wide supply networks", Scientific Reports 12:7719, 2022). The paper lets the two run
apart, as here; `coupled` takes h in both.

An exposure is a SUPPLIES edge: the supplier is the creditor, the customer the debtor. What comes by exposures is lost
orders; the shock itself and what missing inputs cost beyond that is `direct`, and `binding_path` tells the chain of
inputs behind it. Without a sector a firm makes a product of its own, which nobody can replace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from queries.balance import latest_money
from queries.contagion.supply import Chain, cascade
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks

Floats = NDArray[np.float64]
BLOCK = 64
"""Seeds whose cascades run at once."""


@dataclass(frozen=True)
class SupplyCascade(RiskMeasure):
    """Output lost up and down a supply chain (ESRI, Diem et al. 2022)."""

    name: ClassVar[str] = "supply_cascade"
    needs_equity: ClassVar[bool] = False
    over: ClassVar[tuple[str, ...]] = ("SUPPLIES",)
    sectors: Mapping[str, str] = field(default_factory=dict)
    """Sector of each firm by id: firms of a sector make one product."""
    essential: Mapping[str, str] = field(default_factory=dict)
    """By sector of the buyer (`*`: any other), the sectors it cannot do without, parted by commas (`*`: all)."""
    otherwise: Literal["essential", "linear"] = "essential"
    """What an input is to a buyer whose sector is not in the table."""
    revenue: Mapping[str, float] = field(default_factory=dict)
    """All that a firm sells, inside and outside the chain; who is not here sells inside only."""
    coupled: bool = False
    """Let lost orders starve customers and lost inputs cut orders."""

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Lost sales in money; `distress` is 1 - h."""
        chain = self.chain(exposures)
        psi = 1.0 - np.clip(shocks.distress, 0.0, 1.0)
        left = cascade(chain, psi.T, self.coupled)
        gone = 1.0 - left.output.T
        passed = gone if self.coupled else 1.0 - left.orders.T
        received = (exposures.claims @ passed.T).T
        loss = chain.sold * gone
        direct = np.where(loss - received > 1e-12 * chain.sold, loss - received, 0.0)
        return Losses(
            self.name,
            exposures,
            shocks.names,
            exposures.currency,
            direct,
            passed,
            direct + received,
            gone,
            rounds=left.sweeps,
            converged=left.moved == 0,
            remarks=(f"after {left.sweeps} sweeps output still falls by {left.moved:.2g} a sweep",)
            if left.moved
            else (),
        )

    def chain(self, exposures: Exposures) -> Chain:
        """The network as shares of inputs and orders."""
        if self.otherwise not in ("essential", "linear"):
            raise MeasureError(f"otherwise {self.otherwise!r} is unknown; known: essential, linear")
        return Chain.of(exposures, self.sectors, self.needs, self.revenue)

    def needs(self, buyer: str, product: str) -> bool:
        """Can a firm of sector `buyer` not do without `product`?"""
        listed = self.essential.get(buyer, self.essential.get("*"))
        if listed is None:
            return self.otherwise == "essential"
        words = [word.strip() for word in listed.split(",")]
        return "*" in words or product in words

    def fitted(self, snapshot: Snapshot, exposures: Exposures) -> SupplyCascade:
        """With the sectors and revenues that the snapshot states of firms this measure was told nothing of.

        A revenue in another currency, or below what the firm sells inside the chain, is left out.
        """
        stated = snapshot.edges_of("IN_SECTOR")
        ends = zip(stated["source"].to_pylist(), stated["target"].to_pylist(), strict=True)
        sectors = {snapshot.ids[firm]: snapshot.ids[sector] for firm, sector in sorted(ends, reverse=True)}
        rows = np.array([snapshot.index[id] for id in exposures.ids], np.int64)
        amounts, units = latest_money(snapshot, "revenue", rows)
        told = zip(exposures.ids, amounts.tolist(), units.to_pylist(), exposures.held.tolist(), strict=True)
        revenue = {id: amount for id, amount, unit, sold in told if unit == exposures.currency and amount >= sold}
        return replace(self, sectors={**sectors, **self.sectors}, revenue={**revenue, **self.revenue})


def esri(measure: SupplyCascade, exposures: Exposures, block: int = BLOCK) -> Floats:
    """(n,) share of all sales lost if each firm alone stopped: its systemic risk."""
    chain = measure.chain(exposures)
    everything, n = max(chain.sold.sum(), 1e-300), len(exposures)
    found = np.zeros(n)
    for start in range(0, n, block):
        seeds = np.arange(start, min(start + block, n))
        psi = np.ones((n, len(seeds)))
        psi[seeds, np.arange(len(seeds))] = 0.0
        found[seeds] = chain.sold @ (1.0 - cascade(chain, psi, measure.coupled).output) / everything
    return found
