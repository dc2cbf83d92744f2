"""Network valuation (NEVA): equities and values of claims that agree with each other, by any valuation function.

    E_i = A_i - L_i + sum_j A_ij V(E_j) - sum_j L_ij

the greatest solution, come down to from equity at face value (Barucca, Bardoscia, Caccioli, D'Errico,
Visentin, Caldarelli, Battiston, "Network valuation in financial systems", Mathematical Finance 30(4), 2020).
V is one of `queries.contagion.valuation`: eisenberg_noe, rogers_veraart, furfine, debtrank, black_cox, merton.
The shock is taken out of external assets A, which may fall below 0, and final equity may be below 0 too.

Loss is E without the shock less E with it. `outside` says whether debts to the outside share in a default
with those inside (`equal`) or come before them (`senior`). What had not settled after `rounds` is flagged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.contagion import valuation as by
from queries.contagion.failures import in_turn
from queries.contagion.leverage import leverage, remarks
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks

Floats = NDArray[np.float64]
STILL = 1e-16
"""Fall of equity in one round, relative to the balance sheet, that is rounding."""
SETTLED = 1e-12
"""Fall in the last round up to which the answer counts as settled."""


@dataclass(frozen=True)
class Neva(RiskMeasure):
    """Equities that agree with the value of claims on each other, by any valuation function (Barucca et al. 2020)."""

    name: ClassVar[str] = "neva"
    valuation: Literal["eisenberg_noe", "rogers_veraart", "furfine", "debtrank", "black_cox", "merton"] = (
        "eisenberg_noe"
    )
    outside: Literal["equal", "senior"] = "equal"
    """Rank of debts to the outside beside those inside."""
    recovery: float = 0.0
    """Of a claim whose debtor fails: furfine, debtrank, black_cox, merton."""
    alpha: float = 1.0
    """What a bankruptcy leaves of external assets: rogers_veraart."""
    beta: float = 1.0
    """What a bankruptcy leaves of what is received: rogers_veraart."""
    volatility: float = 0.2
    """Of equity, a year: black_cox, merton."""
    maturity: float = 1.0
    """Years: black_cox, merton."""
    rounds: int = 20_000

    def __post_init__(self) -> None:
        for name in ("recovery", "alpha", "beta"):
            if not 0 <= getattr(self, name) <= 1:
                raise MeasureError(f"{name} of neva is a share from 0 to 1, not {getattr(self, name)}")
        if self.volatility < 0 or self.maturity < 0 or self.rounds < 1:
            raise MeasureError(
                "volatility and maturity of neva are at least 0 and rounds at least 1, not "
                f"{self.volatility}, {self.maturity}, {self.rounds}"
            )

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money beside the same system without the shock; `distress` is the share of equity lost."""
        function, n = self._function(), len(exposures)
        shock = np.vstack([np.zeros((1, n)), shocks.outside])
        books = self._books(exposures, shock)
        equity, rounds, moving, fell = self._settle(function, exposures, books)
        value = function.value(equity, books)
        passed = np.maximum(value[:1] - value[1:], 0.0)
        loss = shocks.outside + (exposures.claims @ passed.T).T
        start = np.broadcast_to(np.maximum(equity[:1], 0.0), loss.shape)
        failed = function.failed(equity, books)[1:]
        lost = np.divide(loss, start, out=np.where(loss > 0, 1.0, 0.0), where=start > 0)
        paid = function.pays(value, books)
        return Losses(
            self.name,
            exposures,
            shocks.names,
            exposures.currency,
            direct=shocks.outside,
            passed=passed,
            loss=loss,
            distress=np.where(failed & (loss > 0), 1.0, np.clip(lost, 0.0, 1.0)),
            payments=None if paid is None else paid[1:],
            worth=equity[1:],
            defaulted=failed,
            waves=in_turn(exposures, fell[1:]),
            rounds=rounds,
            converged=not len(moving),
            remarks=self._remarks(exposures, moving),
        )

    def _function(self) -> by.Valuation:
        ex_ante = (self.recovery, self.volatility, self.maturity)
        made: dict[str, by.Valuation] = {
            "eisenberg_noe": by.EisenbergNoe(),
            "rogers_veraart": by.RogersVeraart(self.alpha, self.beta),
            "furfine": by.Furfine(self.recovery),
            "debtrank": by.LinearDebtRank(self.recovery),
            "black_cox": by.BlackCox(*ex_ante),
            "merton": by.Merton(*ex_ante),
        }
        if self.valuation not in made:
            raise MeasureError(f"valuation {self.valuation!r} is unknown; known: {', '.join(made)}")
        return made[self.valuation]

    def _books(self, exposures: Exposures, shock: Floats) -> by.Books:
        x = exposures
        equal = self.outside == "equal"
        return by.Books(
            x.external_assets - shock,
            x.external_assets,
            np.where(np.isnan(x.equity), np.nan, x.external_assets + x.held - x.owed - x.external_liabilities),
            x.owed + (x.external_liabilities if equal else 0.0),
            np.zeros(len(x)) if equal else x.external_liabilities,
        )

    def _settle(
        self, function: by.Valuation, exposures: Exposures, books: by.Books
    ) -> tuple[Floats, int, NDArray[np.int64], NDArray[np.int64]]:
        """(scenarios, n) greatest equities, their rounds, rows of nodes that had not settled, and who fell in which."""
        naive = books.outside + exposures.held - exposures.owed - exposures.external_liabilities
        equity, rounds = naive.copy(), 0
        size, fell = books.size.max(axis=1, initial=0.0), np.where(function.failed(equity, books), 0, -1)
        falling, fall = np.arange(len(equity)), np.zeros_like(equity)
        while len(falling) and rounds < self.rounds:
            value = function.value(equity[falling], books.part(falling))
            new = np.minimum(equity[falling], naive[falling] - (exposures.claims @ (1 - value).T).T)
            fall[falling] = equity[falling] - new
            equity[falling], rounds = new, rounds + 1
            fell[falling] = np.where(
                (fell[falling] < 0) & function.failed(new, books.part(falling)), rounds, fell[falling]
            )
            falling = falling[(fall[falling] > STILL * size[falling, None]).any(axis=1)]
        return equity, rounds, np.flatnonzero((fall > SETTLED * size[:, None]).any(axis=0)), fell

    def _remarks(self, exposures: Exposures, moving: NDArray[np.int64]) -> tuple[str, ...]:
        told = []
        if len(moving):
            told.append(f"equities of {', '.join(exposures.ids[row] for row in moving[:5])} were still falling")
        if self.valuation == "debtrank":
            relative = leverage(exposures, 1 - self.recovery)
            return (*told, *exposures.remembered(("neva", self.recovery), lambda: remarks(exposures, relative)))
        unknown = np.flatnonzero(np.isnan(exposures.equity))
        if len(unknown) and self.valuation in ("black_cox", "merton"):
            names = ", ".join(exposures.ids[row] for row in unknown[:5])
            told.append(f"claims on {names} keep their value, as their equity is unknown")
        return tuple(told)
