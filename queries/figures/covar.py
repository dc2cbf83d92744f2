"""CoVaR: the value at risk of the system on the days a firm is at its own, and how much of that is the firm's doing.

    dCoVaR = CoVaR(system | firm at its VaR) - CoVaR(system | firm at its median)

Adrian, Brunnermeier, "CoVaR", American Economic Review 106(7), 2016. `gaussian`: with normal returns the difference is
-N^-1(tail) rho s_system, and CoVaR adds to it -mu_system - N^-1(tail) s_system sqrt(1 - rho^2). `quantile`: the
quantile regression of the system on the firm (Koenker, Bassett, Econometrica 46(1), 1978), solved as a linear program.
Losses are positive. `tail_days` says on how many days the tail stands: fewer than ten make a quantile regression
little more than a guess. A firm or system that never moves is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows, noted
from queries.figures.mes import firm_days

FEW = 10


@dataclass(frozen=True)
class Covar(Figure):
    """CoVaR and delta CoVaR of each firm, closed form or by quantile regression (Adrian and Brunnermeier 2016)."""

    name: ClassVar[str] = "covar"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "date": "time", "return": "real", "system": "real"}
    limits: ClassVar[Mapping[str, Domain]] = {"tail": "level"}

    method: Literal["gaussian", "quantile"] = "gaussian"
    """Closed form of the normal, or quantile regression."""
    tail: float = 0.05
    """Probability of the tail."""

    def answer(self, rows: Rows) -> pa.Table:
        made: list[dict[str, Any]] = []
        for id, at in firm_days(self.name, rows).items():
            own, system = rows["return"][at], rows["system"][at]
            if len(at) < 3 or min(np.ptp(own), np.ptp(system)) <= 0:
                raise MeasureError(f"covar: {id} needs at least three days on which it and the system move")
            told = self.normal(own, system) if self.method == "gaussian" else self.regressed(own, system)
            made.append({"id": id, **told, "tail_days": int(np.floor(self.tail * len(at)))})
        few = min(row["tail_days"] for row in made) < FEW
        return noted(
            pa.Table.from_pylist(made), f"fewer than {FEW} days in the tail: give a longer past" if few else ""
        )

    def normal(self, own: Floats, system: Floats) -> dict[str, float]:
        """Closed form with sample moments."""
        z = float(ndtri(self.tail))
        rho, spread = float(np.corrcoef(own, system)[0, 1]), float(system.std(ddof=1))
        delta = -z * rho * spread
        around = -float(system.mean()) - z * spread * float(np.sqrt(max(1 - rho**2, 0.0)))
        return {
            "var": -float(own.mean()) - z * float(own.std(ddof=1)),
            "covar": around + delta,
            "delta_covar": delta,
            "beta": rho * spread / float(own.std(ddof=1)),
        }

    def regressed(self, own: Floats, system: Floats) -> dict[str, float]:
        """Quantile regression at the firm's own quantiles."""
        level, slope = quantile_line(own, system, self.tail)
        low, middle = (float(np.quantile(own, q)) for q in (self.tail, 0.5))
        return {
            "var": -low,
            "covar": -(level + slope * low),
            "delta_covar": -slope * (low - middle),
            "beta": slope,
        }


def quantile_line(x: Floats, y: Floats, q: float) -> tuple[float, float]:
    """Intercept and slope of the line below which a share q of y lies: min sum of q u+ + (1 - q) u-."""
    from scipy.optimize import linprog
    from scipy.sparse import csc_array, eye_array, hstack

    n, scale_x, scale_y = len(x), float(np.abs(x).max()), float(np.abs(y).max())
    line = csc_array(np.column_stack([np.ones(n), x / scale_x]))
    above, below = csc_array(eye_array(n)), csc_array(-eye_array(n))
    equations = hstack([line, above, below], format="csc")
    cost = np.concatenate([[0.0, 0.0], np.full(n, q), np.full(n, 1 - q)])
    free = [(None, None)] * 2 + [(0, None)] * (2 * n)
    found = linprog(cost, A_eq=equations, b_eq=y / scale_y, bounds=free, method="highs-ds")
    if found.x is None:
        raise MeasureError(f"covar: the quantile regression of {n} days has no solution ({found.message})")
    return float(found.x[0]) * scale_y, float(found.x[1]) * scale_y / scale_x
