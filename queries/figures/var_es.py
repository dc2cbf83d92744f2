"""Value at risk and expected shortfall of tomorrow's return, four ways, and day by day for a back-test.

VaR is the smallest loss l with P(loss <= l) >= level, ES the mean of the worst 1 - level of probability, the last
day cut where it must be: Acerbi, Tasche, "On the coherence of expected shortfall", Journal of Banking & Finance 26,
2002. Losses are positive.

- `historical`: the `window` days before, each as likely.
- `parametric`: mu and s of the window; VaR = -mu + s z, ES = -mu + s phi(z) / (1 - level), z = N^-1(level); with
  `distribution` "t", Student's t of the kurtosis of the window scaled to s (McNeil, Frey, Embrechts, "Quantitative
  Risk Management", 2015, section 2.3).
- `monte_carlo`: `draws` from a normal (or t) of the mean and covariance of the series.
- `filtered`: returns over their volatility forecasts, scaled to the forecast for tomorrow (Hull, White, Journal of
  Risk 1(1), 1998; Barone-Adesi, Giannopoulos, Vosper, Journal of Futures Markets 19(5), 1999), volatility by EWMA or
  GARCH(1,1).

Nothing published after the day begins (or after `at`) is used. Where a day was published more than once, the last
value by then counts. `rolling` gives one row per day that has a window before it. `horizon` scales by its root.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from kg.errors import MeasureError
from kg.model import digest
from queries.figure import Domain, Figure, Floats, Rows, noted
from queries.market.returns import DAY, Returns, tail, with_returns
from queries.market.volatility import Variance, ewma, garch

LEAST = 10
"""Days below which no tail is told."""
REFIT = 20
"""Days for which a fitted GARCH is kept in a rolling run."""


CERTIFIED = "No-peek certificate"
"""How the remark begins that says whether anything later was read."""
SEAL = "certified_rows"
"""Where the metadata of a rolling run keep the digest of the rows that the certificate is of."""
SEALED = ("date", "var", "es", "return", "breach")


def sealed(table: pa.Table) -> str:
    """Digest of the rows of a rolling run, in order of their days; empty where a column of them is missing.

    It tells whether the rows are still those that were certified. It is no signature: who can write it can forge it.
    """
    if not {*SEALED} <= {*table.column_names}:
        return ""
    rows = table.select(SEALED).sort_by("date").to_pylist()
    return digest("\n".join(repr([row[name] for name in SEALED]) for row in rows).encode())


@dataclass(frozen=True)
class VarEs(Figure):
    """Value at risk and expected shortfall: historical, parametric, Monte-Carlo, filtered."""

    name: ClassVar[str] = "var_es"
    columns: ClassVar[Mapping[str, Domain]] = {"date": "time", "return": "real"}
    optional: ClassVar[Mapping[str, Domain]] = {"series": "text", "weight": "real", "published": "time"}
    limits: ClassVar[Mapping[str, Domain]] = {
        "level": "level",
        "decay": "level",
        "window": "count",
        "horizon": "positive",
        "draws": "count",
        "seed": "count",
    }

    method: Literal["historical", "parametric", "monte_carlo", "filtered"] = "historical"
    """How tomorrow's loss is distributed."""
    level: float = 0.99
    """Confidence."""
    window: int = 250
    """Days looked back; 0: all."""
    rolling: bool = False
    """One row per day with a window before it, instead of one for the day after the last."""
    at: str = ""
    """What was public by this time alone counts; empty: everything."""
    distribution: Literal["normal", "t"] = "normal"
    """Of `parametric` and `monte_carlo`."""
    volatility: Literal["ewma", "garch"] = "ewma"
    """Of `filtered`."""
    decay: float = 0.94
    """Weight of yesterday's variance in EWMA."""
    horizon: float = 1.0
    """Days ahead, by the square root of time."""
    draws: int = 20_000
    """Of `monte_carlo`."""
    seed: int = 0
    """The same seed gives the same draws."""

    def derive(self, table: pa.Table) -> pa.Table:
        """Returns from closes, where there are closes alone."""
        return with_returns(table)

    def answer(self, rows: Rows) -> pa.Table:
        returns = Returns.of(rows)
        made = self.walk(returns) if self.rolling else [self.tomorrow(returns)]
        table = pa.Table.from_pylist(made)
        if self.rolling:
            table = table.replace_schema_metadata({SEAL: sealed(table)})
        scaled = f"losses of {self.horizon:g} days are those of one times the root" if self.horizon != 1 else ""
        return noted(table, scaled, self.certificate(returns, made) if self.rolling else "")

    def certificate(self, returns: Returns, made: list[dict[str, Any]]) -> str:
        """Do the forecasts of the first half stay when every return published later is made up anew? In words."""
        cut = np.datetime64(made[len(made) // 2]["date"], "us")
        later = returns.public > cut
        other = np.random.default_rng(self.seed).normal(0, 3 * max(float(np.std(returns.value)), 1e-6), len(later))
        again = replace(self, at=str(cut)).walk(replace(returns, value=np.where(later, other, returns.value)))
        first = [[(row["date"], row["var"], row["es"]) for row in rows[: len(made) // 2 + 1]] for rows in (made, again)]
        said = f"{int(later.sum())} returns published after {str(cut)[:10]} were made up anew (seed {self.seed})"
        if first[0] == first[1]:
            return f"{CERTIFIED}: {said}; all {len(first[0])} forecasts up to then stayed the same to the last bit"
        return f"{CERTIFIED} REFUSED: {said}, and forecasts up to then moved: something reads the future"

    def tomorrow(self, returns: Returns) -> dict[str, Any]:
        """The day after the last that was public."""
        cut = self.instant() if self.at else max(returns.public.max(), returns.day.max() + DAY)
        days, wide = returns.known(cut, past=False)
        self.enough(len(days), LEAST)
        return self.told(days[-1] + DAY, *self.loss(wide, returns.weights, None), days=len(self.windowed(wide)))

    def walk(self, returns: Returns) -> list[dict[str, Any]]:
        """Every day with a full window before it, as it stood when the day began."""
        actual_days, actual = returns.first()
        least, model = max(self.window, LEAST), None
        made: list[dict[str, Any]] = []
        end = self.instant() if self.at else None
        cut = returns.known(returns.public.max() + DAY, past=False) if returns.settled else None
        for day, value in zip(actual_days, actual, strict=True):
            if end is not None and day > end:
                break
            wide = cut[1][: np.searchsorted(cut[0], day)] if cut is not None else returns.known(day, past=True)[1]
            if len(wide) < least:
                continue
            if self.method == "filtered" and self.volatility == "garch" and len(made) % REFIT == 0:
                model = garch(self.windowed(wide) @ returns.weights)
            row = self.told(
                day, *self.loss(wide, returns.weights, model), days=min(len(wide), self.window or len(wide))
            )
            made.append({**row, "return": float(value), "breach": bool(-value > float(row["var"]))})
        self.enough(len(actual), least + 1) if not made else None
        return made

    def told(self, day: np.datetime64, var: float, shortfall: float, days: int) -> dict[str, Any]:
        root = float(np.sqrt(self.horizon))
        return {"date": day.astype(object), "var": var * root, "es": shortfall * root, "days": days}

    def instant(self) -> np.datetime64:
        """`at` as a time."""
        try:
            return np.datetime64(self.at.replace("+00:00", "").removesuffix("Z"), "us")
        except ValueError as error:
            raise MeasureError(f"var_es: at {self.at!r} is no time; write 2024-09-28 or 2024-09-28T12:00") from error

    def enough(self, days: int, least: int) -> None:
        if days < least:
            raise MeasureError(
                f"var_es: {days} days with every series are public, {least} are needed; give a longer past, or a "
                f"smaller window than {self.window}"
            )

    def windowed(self, wide: Floats) -> Floats:
        return wide[-self.window :] if self.window else wide

    def loss(self, wide: Floats, weights: Floats, model: Variance | None) -> tuple[float, float]:
        """VaR and ES of the next day from (days, series) returns before it."""
        wide = self.windowed(wide)
        past = wide @ weights
        if self.method == "historical":
            return tail(-past, self.level)
        if self.method == "parametric":
            return self.normal_or_t(past)
        if self.method == "filtered":
            model = model or (ewma(self.decay) if self.volatility == "ewma" else garch(past))
            variance = model.path(past)
            return tail(-past / np.sqrt(variance[:-1]) * np.sqrt(variance[-1]), self.level)
        return tail(-self.drawn(wide, weights), self.level)

    def normal_or_t(self, past: Floats) -> tuple[float, float]:
        """Closed forms with mean and deviation of the window."""
        mean, sd = float(past.mean()), float(past.std(ddof=1))
        if self.distribution == "normal":
            z = float(ndtri(self.level))
            return -mean + sd * z, -mean + sd * float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)) / (1 - self.level)
        from scipy.stats import t

        freedom = degrees(past)
        z, scale = float(t.ppf(self.level, freedom)), sd * np.sqrt((freedom - 2) / freedom)
        beyond = float(t.pdf(z, freedom)) / (1 - self.level) * (freedom + z**2) / (freedom - 1)
        return -mean + scale * z, -mean + scale * beyond

    def drawn(self, wide: Floats, weights: Floats) -> Floats:
        """(draws,) returns of the portfolio, from series of the same mean and covariance."""
        if self.draws < LEAST:
            raise MeasureError(f"var_es: draws is a number of days of at least {LEAST}, not {self.draws}")
        size, turn = np.linalg.eigh(np.atleast_2d(np.cov(wide, rowvar=False)))
        x = normals(self.seed, self.draws, wide.shape[1]) @ (np.sqrt(np.maximum(size, 0.0)) * (turn.T @ weights))
        if self.distribution == "t":
            freedom = min(degrees(column) for column in wide.T)
            x *= np.sqrt((freedom - 2) / np.random.default_rng(self.seed + 1).chisquare(freedom, self.draws))
        return np.asarray(wide.mean(axis=0) @ weights + x, float)


@lru_cache(maxsize=2)
def normals(seed: int, draws: int, series: int) -> Floats:
    """(draws, series) standard normals: every day of a run is told by the same ones."""
    return np.random.default_rng(seed).standard_normal((draws, series))


def degrees(past: Floats) -> float:
    """Degrees of freedom of Student's t with the kurtosis of the sample, from 4.1 to 1,000."""
    spread = past - past.mean()
    square = float(np.mean(spread**2))
    excess = float(np.mean(spread**4)) / square**2 - 3 if square > 0 else 0.0
    return float(np.clip(4 + 6 / excess, 4.1, 1_000)) if excess > 0 else 1_000.0
