"""Fire sales: who loses on what it holds sells, and the sale presses the price of what others hold.

An exposure is a holding: A_ik is what i holds of k, worth sum_k A_ik + other assets = A_i in all. The shock's
`distress` of k is the fall of its price, `lost` of i a direct loss. With f the fall of prices, r the loss,

    r_i = lost_i + sum_k A_ik f_k,    phi_k = sum_i A_ik s_i,    f_k = min(1, shock_k + l_k phi_k)

where s_i is the share of its book that i has sold. `rule` says who sells: under `leverage` who aims at its leverage B_i
= D_i / E_i sells s_i = min(1, B_i r_i / A_i), and all of it when nothing is left of its equity (Greenwood, Landier,
Thesmar, "Vulnerable Banks", Journal of Financial Economics 115(3), 2015; one round is the paper's R1 + R2); under
`insolvency` who has lost its equity sells all and nobody else sells (Caccioli, Shrestha, Moore, Farmer, "Stability
analysis of financial contagion due to overlapping portfolios", Journal of Banking and Finance 46, 2014). `form` says
how prices answer: `linear` as above, l in 1 per unit of money; `exponential` by f_k = 1 - (1 - shock_k) exp(-l x_k)
with x_k the share of k's holdings that is sold, as in Caccioli et al.

Holdings are valued at last prices as if held throughout (the papers' convention), so a seller is not saved by having
sold early; nobody sells more than it holds. Who has no stated equity bears losses and sells nothing, unless `assumed`
gives one. In the graph, holdings are HOLDS and EXPOSED_TO edges, the holder first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.contagion.failures import fails
from queries.contagion.leverage import remarks, supposed
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.parameter import suggestion
from queries.scenario import Shocks

Floats = NDArray[np.float64]
RULES, FORMS = ("leverage", "insolvency"), ("linear", "exponential")
SETTLED = 1e-13
MOST = 10_000
"""Rounds after which sales that still spread are given up."""


@dataclass(frozen=True)
class FireSales(RiskMeasure):
    """Losses on holdings that force sales, which press prices (Greenwood et al. 2015; Caccioli et al. 2014)."""

    name: ClassVar[str] = "fire_sales"
    needs_equity: ClassVar[bool] = False
    over: ClassVar[tuple[str, ...]] = ("HOLDS", "EXPOSED_TO")
    impact: float = 1e-13
    """l: fall of a price per unit of money sold (linear), or by exp(-l x) for the share x sold (exponential)."""
    impacts: Mapping[str, float] = field(default_factory=dict)
    """l of single assets by id, where it differs."""
    rule: Literal["leverage", "insolvency"] = "leverage"
    form: Literal["linear", "exponential"] = "linear"
    rounds: int = 1
    """Rounds of sales; 0: until nobody sells any more."""
    assumed: float = 0.0
    """Equity, as a share of its known assets, of who has none stated; 0: it stays unknown, and it sells nothing."""

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money; `passed` is the fall of each price; `distress` the share of equity, or of price, lost."""
        self._check(exposures)
        stated, exposures = exposures, supposed(exposures, self.assumed)
        sales = self.sell(exposures, shocks)
        holds, equity = exposures.held > 0, exposures.equity
        part = np.where(fails(exposures, sales.loss), 1.0, 0.0)
        part = np.divide(sales.loss, equity, out=part, where=equity > 0)
        part = np.where(holds & ~np.isnan(equity), np.minimum(part, 1.0), sales.fall)
        part = np.where(np.isnan(equity) & holds, np.minimum(shocks.distress, 1.0), part)
        return Losses(
            self.name,
            exposures,
            shocks.names,
            exposures.currency,
            shocks.lost,
            sales.fall,
            sales.loss,
            part,
            rounds=sales.rounds,
            converged=sales.settled,
            remarks=remarks(exposures, stated=stated),
        )

    def sell(self, exposures: Exposures, shocks: Shocks) -> Sales:
        """Rounds of sales and what they do to prices and books."""
        shock = np.where(exposures.owed > 0, np.minimum(shocks.distress, 1.0), 0.0)
        fall, sold = shock, np.zeros_like(shock)
        loss = first = self._lost(exposures, shocks, fall)
        count, settled = 0, False
        while not settled and count < (self.rounds or MOST):
            new = np.maximum(sold, self._shares(exposures, loss))
            settled = bool(np.abs(new - sold).max(initial=0.0) <= SETTLED)
            sold, count = new, count + 1
            fall = self._falls(exposures, shock, sold)
            loss = self._lost(exposures, shocks, fall)
        return Sales(first, sold, (exposures.claims.T @ sold.T).T, fall, loss, count, settled or self.rounds > 0)

    def _lost(self, exposures: Exposures, shocks: Shocks, fall: Floats) -> Floats:
        return np.asarray(shocks.lost + (exposures.claims @ fall.T).T, float)

    def _shares(self, exposures: Exposures, loss: Floats) -> Floats:
        """(scenarios, n) share of its book that each has to sell after these losses."""
        equity, assets = exposures.equity, exposures.held + exposures.external_assets
        gone = (loss > 0) & (loss >= np.maximum(equity, 0.0) * (1 - 1e-12))  # no equity known: never
        if self.rule == "insolvency":
            return gone.astype(float)
        lever = np.divide(np.maximum(assets - equity, 0.0), equity, out=np.zeros_like(equity), where=equity > 0)
        wanted = np.divide(lever * loss, assets, out=np.zeros_like(loss), where=assets > 0)
        return np.asarray(np.where(gone, 1.0, np.minimum(wanted, 1.0)), float)

    def _falls(self, exposures: Exposures, shock: Floats, sold: Floats) -> Floats:
        """(scenarios, n) fall of every price once these shares of the books are sold."""
        impact = np.full(len(exposures), self.impact)
        for id, own in self.impacts.items():
            impact[exposures.index[id]] = own
        amount = np.asarray((exposures.claims.T @ sold.T).T, float)
        if self.form == "linear":
            return np.asarray(np.minimum(1.0, shock + impact * amount), float)
        held = exposures.owed
        share = np.divide(amount, held, out=np.zeros_like(amount), where=held > 0)
        # -expm1 keeps a small fall exact: 1 - (1 - s) exp(-y) = s + (1 - s) (1 - exp(-y))
        return np.asarray(shock - (1 - shock) * np.expm1(-impact * share), float)

    def _check(self, exposures: Exposures) -> None:
        if self.rule not in RULES or self.form not in FORMS:
            raise MeasureError(f"rule {self.rule!r}, form {self.form!r}: known are {RULES} and {FORMS}")
        unknown = [id for id in self.impacts if id not in exposures.index]
        if unknown:
            raise MeasureError(
                f"nobody holds {unknown[0]}{suggestion(unknown[0], list(exposures.ids))}: no impact fits"
            )
        numbers = [self.impact, *self.impacts.values(), self.rounds]
        if not all(np.isfinite(number) and number >= 0 for number in numbers):
            raise MeasureError("impact, impacts and rounds are finite numbers of at least 0")


@dataclass(frozen=True)
class Sales:
    """What was lost at first, what was sold, and what prices and books lost by it; all (scenarios, n)."""

    first: Floats
    """Losses before any sale."""
    sold: Floats
    """Share of its book that each has sold."""
    amount: Floats
    """Money of each asset put up for sale."""
    fall: Floats
    """Fall of each price, the shock included."""
    loss: Floats
    rounds: int
    settled: bool

    def vulnerability(self, equity: Floats) -> Floats:
        """(scenarios,) aggregate vulnerability: what sales alone cost, as a share of all equity known."""
        return np.asarray((self.loss - self.first).sum(axis=1) / np.nansum(np.maximum(equity, 0.0)), float)
