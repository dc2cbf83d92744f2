"""Daily prices from tables: a row per day with prices by name (OHLCV), one per day and ticker, or a column per ticker.

Days are held against the sessions of the exchange; rows that are no session, repeat a day or have no price are told
apart, and moves far out of the usual are marked, all with the raw row still in place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ingest.clean import decimals
from ingest.extract.formats.table import ROW, Table
from ingest.extract.market.calendar import sessions
from ingest.source import Refusal
from kg.errors import RecordError

Floats = npt.NDArray[np.float64]
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("date", "day", "timestamp"),
    "ticker": ("ticker", "symbol"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close", "close price", "closing price"),
    "adjusted": ("adj close", "adjusted close", "adj_close", "adjusted_close", "adjclose"),
    "volume": ("volume", "vol"),
    "currency": ("currency",),
}
"""What columns are called, in any case."""
_TICKER = re.compile(r"[A-Z][A-Z0-9.\-]{0,9}")
FAR: Final = 15.0
"""Robust deviations (1.4826 MAD of the 60 log returns before) from which a move counts as an outlier."""
BEFORE: Final = 60


@dataclass(frozen=True)
class Series:
    """Prices of one security by session, in order."""

    ticker: str
    frame: pl.DataFrame
    """ROW, day, closed (when the session ended), close, adjusted (the close where there is none), volume, doubt."""
    columns: Mapping[str, str]
    """Name of each column as the file writes it."""

    @property
    def prices(self) -> Floats:
        """Adjusted closes: only their ratios mean something, and those are known on the day."""
        return self.frame["adjusted"].cast(pl.Float64).to_numpy()

    @property
    def volumes(self) -> Floats:
        return self.frame["volume"].to_numpy()


@dataclass
class Read:
    """The series of a table, the rows refused and the cleaning done."""

    series: list[Series] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)


def columns_by_role(columns: Sequence[str]) -> dict[str, str]:
    """The column of each role that a table has."""
    plain = {column.strip().casefold(): column for column in columns}
    return {role: plain[name] for role, names in NAMES.items() for name in names if name in plain}


def layout_of(columns: Sequence[str]) -> str:
    """`long` (a ticker in each row), `ohlcv` (a file per ticker), `wide` (a column per ticker), or ""."""
    roles = columns_by_role(columns)
    known = {"open", "high", "low", "adjusted", "volume"} & set(roles)
    if {"day", "close"} <= set(roles) and known and len(columns) <= len(NAMES) + 3:
        return "long" if "ticker" in roles else "ohlcv"
    others = [column for column in columns if column != roles.get("day")]
    if "day" in roles and columns[0] == roles["day"] and others and all(map(_TICKER.fullmatch, others)):
        return "wide"
    return ""


def read_series(table: Table, exchange: str, ticker: str) -> Read:
    """All series of a table of one exchange; `ticker` is that of a file that names none."""
    layout, roles, found = layout_of(table.columns), columns_by_role(table.columns), Read()
    found.refused += table.refused
    if layout == "wide":
        for name in table.columns[1:]:
            _add(found, table.frame, roles | {"close": name}, exchange, name)
        return found
    if layout == "ohlcv":
        _add(found, table.frame, roles, exchange, ticker)
        return found
    if layout != "long":
        raise RecordError("the table has no prices; expected columns date and close beside open, high, low or volume")
    named = table.frame.with_columns(pl.col(roles["ticker"]).str.strip_chars().str.to_uppercase().alias("#ticker"))
    bad = named.filter(pl.col("#ticker").is_null())
    found.refused += [Refusal(f"row:{row}", "the row names no ticker") for row in bad[ROW]]
    for (name,), part in sorted(
        named.filter(pl.col("#ticker").is_not_null()).group_by("#ticker"), key=lambda g: str(g[0])
    ):
        _add(found, part.sort(ROW), roles, exchange, str(name))
    return found


def _add(found: Read, rows: pl.DataFrame, roles: Mapping[str, str], exchange: str, ticker: str) -> None:
    typed = rows.select(
        ROW,
        pl.col(roles["day"]).str.strip_chars().str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).alias("day"),
        pl.col(roles["day"]).alias("#day"),
        pl.col(roles["close"]).alias("#close"),
        (pl.col(roles["volume"]) if "volume" in roles else pl.lit("")).alias("#volume"),
        *(_amount(roles, role) for role in ("close", "adjusted", "open", "high", "low")),
        _amount(roles, "volume").cast(pl.Float64),
    ).with_columns(pl.coalesce("adjusted", "close").alias("adjusted"))
    if (days := typed["day"].drop_nulls()).is_empty():
        _refuse(found, typed, pl.lit("the row has no ISO date"))
        return
    opens = sessions(exchange, days.min(), days.max())  # type: ignore[arg-type]  # of dates it is a date
    typed = typed.join(opens, on="day", how="left", maintain_order="left")
    again = pl.col("day").is_duplicated() & pl.col("day").is_not_null()
    same = pl.struct("close", "adjusted", "volume") == pl.struct("close", "adjusted", "volume").first().over("day")
    first = pl.col(ROW) == pl.col(ROW).first().over("day")
    typed = typed.with_columns((again & ~first & same).alias("#same"), (again & ~first & ~same).alias("#other"))
    found.rules["market.repeated_day"] += int(typed["#same"].sum())
    good = _judged(found, typed.filter(~pl.col("#same")), exchange)
    found.rules["market.missing_session"] += _missing(good, opens)
    if good.height:
        found.series.append(Series(ticker, _doubted(good.sort("day"), found.rules), dict(roles)))


def _amount(roles: Mapping[str, str], role: str) -> pl.Expr:
    return decimals(roles[role]).alias(role) if role in roles else pl.lit(None, pl.Decimal(38, 9)).alias(role)


def _judged(found: Read, typed: pl.DataFrame, exchange: str) -> pl.DataFrame:
    """Rows of a session with a price; the others are refused with a reason."""
    empty = pl.col("#close").fill_null("").str.to_lowercase().is_in(["", "null", "nan", "na", "n/a"])
    close = pl.col("#close").fill_null("(empty)")
    reason = pl.coalesce(
        pl.when(pl.col("day").is_null()).then(pl.format("{} is not an ISO date", pl.col("#day").fill_null("(empty)"))),
        pl.when(pl.col("closed").is_null()).then(pl.format("{} is no session of {}", "day", pl.lit(exchange))),
        pl.when(empty).then(pl.lit("the row has no closing price")),
        pl.when((pl.col("close") > 0).fill_null(False).not_()).then(
            pl.format("close {} is not a positive price", close)
        ),
        pl.when("#other").then(pl.format("{} stands in the table already with other prices", "day")),
    )
    judged = typed.with_columns(reason.alias("#reason"))
    found.rules["market.no_session"] += judged.filter(pl.col("day").is_not_null() & pl.col("closed").is_null()).height
    found.rules["market.empty_price"] += judged.filter(pl.col("closed").is_not_null() & empty).height
    _refuse(found, judged.filter(pl.col("#reason").is_not_null()), pl.col("#reason"))
    return judged.filter(pl.col("#reason").is_null())


def _refuse(found: Read, rows: pl.DataFrame, reason: pl.Expr) -> None:
    for row, why in rows.select(ROW, reason.alias("why")).iter_rows():
        found.refused.append(Refusal(f"row:{row}", why))


def _missing(good: pl.DataFrame, opens: pl.DataFrame) -> int:
    """Sessions between the first and the last day that have no row."""
    if not good.height:
        return 0
    between = opens.filter(pl.col("day").is_between(good["day"].min(), good["day"].max()))
    return between.height - good["day"].n_unique()


def _doubted(frame: pl.DataFrame, rules: Counter[str]) -> pl.DataFrame:
    """Rows with `doubt`: a move far beyond those of the sessions before, or a close outside the day's range."""
    far = outliers(frame["adjusted"].cast(pl.Float64).to_numpy())
    slack = 1.0001  # prices in files are rounded
    close, low, high = (pl.col(name).cast(pl.Float64) for name in ("close", "low", "high"))
    outside = frame.select(((close * slack < low) | (close > high * slack)).fill_null(False)).to_series().to_numpy()
    rules["market.outlier"] += int(far.sum())
    rules["market.outside_range"] += int(outside.sum())
    quotes = (pl.col(name).fill_null("").alias(f"#quote-{name[1:]}") for name in ("#close", "#volume"))
    kept = frame.select(ROW, "day", "closed", "close", "adjusted", "volume", *quotes)
    return kept.with_columns(pl.Series("doubt", far | outside), pl.col("volume").fill_null(float("nan")))


def outliers(prices: Floats) -> npt.NDArray[np.bool_]:
    """Moves more than FAR robust deviations from the median of the BEFORE log returns before them."""
    far = np.zeros(len(prices), dtype=bool)
    if len(prices) < BEFORE + 2:
        return far
    returns = np.diff(np.log(prices))
    windows = np.lib.stride_tricks.sliding_window_view(returns, BEFORE)[:-1]
    middle = np.median(windows, axis=1)
    spread = 1.4826 * np.median(np.abs(windows - middle[:, None]), axis=1)
    far[BEFORE + 1 :] = np.abs(returns[BEFORE:] - middle) > FAR * np.maximum(spread, 1e-6)
    return far
