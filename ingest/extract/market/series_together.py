"""Prices of many series side by side: a table made from their files, and what is read from it as a whole.

The table (day, one column per ticker, prices as the files write them) is a document of its own; its sidecar names the
files it was made from. Correlations and betas point into it and are computed again when they are read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ingest.extract.formats.table import ROW, plain, read_table
from ingest.extract.market.calendar import ends, sessions
from ingest.extract.market.correlation import METHODS, matrix, p_values, pairs, told
from ingest.extract.market.features import BETA, betas, features
from ingest.extract.market.series import Series, read_series
from kg.errors import RecordError

Floats = npt.NDArray[np.float64]
WINDOWS: Final[Mapping[int, str]] = {60: "1q", 250: "1y"}
"""Returns of a correlation, and the ends of which spans it is made for: quarters, years."""


@dataclass(frozen=True)
class Together:
    """The table as it is read: days, tickers and prices, nan where one has none."""

    days: pl.Series
    tickers: tuple[str, ...]
    prices: Floats

    def returns(self, row: int, window: int) -> Floats:
        """The last log returns up to a row (counted from 1) of all series, nan where a price is missing."""
        part = self.prices[row - window - 1 : row]
        with np.errstate(invalid="ignore"):
            found: Floats = np.log(part[1:] / part[:-1])
        return found


def table_of(series: Sequence[Series]) -> bytes:
    """CSV of the prices of series of one exchange, in the order of days and tickers."""
    frame = pl.concat(
        one.frame.select("day", pl.lit(one.ticker).alias("ticker"), pl.col("adjusted").alias("price")) for one in series
    )
    wide = frame.sort("ticker", "day").pivot(on="ticker", index="day", values="price", aggregate_function="first")
    names = sorted(column for column in wide.columns if column != "day")
    texts = [pl.col(name).map_elements(plain, return_dtype=pl.String, skip_nulls=True) for name in names]
    return wide.sort("day").select(pl.col("day").cast(pl.String), *texts).write_csv().encode()


def manifest(exchange: str, files: Mapping[str, str]) -> bytes:
    """What a table was made from: path and digest of each file."""
    return json.dumps({"exchange": exchange, "files": dict(files)}, indent=1, sort_keys=True).encode()


@lru_cache(maxsize=2)
def read_together(content: bytes) -> Together:
    """The table in its bytes; RecordError if it is none."""
    table = read_table(content)
    if len(table.columns) < 3 or table.columns[0] != "day" or table.refused:
        raise RecordError("expected a table of a day and at least two tickers, made from price files")
    try:
        days = table.frame["day"].str.to_date("%Y-%m-%d")
        prices = table.frame.select(pl.col(table.columns[1:]).cast(pl.Float64)).to_numpy()
    except pl.exceptions.PolarsError as error:
        raise RecordError(f"expected ISO days and numbers: {error}") from error
    return Together(days, table.columns[1:], np.where(np.isnan(prices), np.nan, prices))


def correlated(table: Together) -> Iterator[dict[str, Any]]:
    """Pairs that stand out at the end of each span, with the row of its last day."""
    for window, every in WINDOWS.items():
        rows = [n for n, last in enumerate(ends(table.days, every), 1) if last and n > window]
        for row in rows:
            returns = table.returns(row, window)
            there = np.flatnonzero(np.isfinite(returns).all(axis=0))
            for method in METHODS if len(there) > 1 else ():
                for i, j, r, p in zip(*pairs(returns[:, there], method), strict=True):
                    a, b = sorted((table.tickers[there[i]], table.tickers[there[j]]))
                    yield {
                        "a": a,
                        "b": b,
                        "row": row,
                        "day": table.days[row - 1],
                        "window": window,
                        "method": method,
                        "r": float(r),
                        "role": f"p={p:.3g}",
                        "locator": f"correlation:{method}|{window}|{a}|{b} row:{row}",
                        "quote": told(method, float(r), float(p), window),
                    }


def month_betas(table: Together) -> Iterator[dict[str, Any]]:
    """Beta of each series to the equal-weight index of all, at the ends of months."""
    rows = [n for n, last in enumerate(ends(table.days, "1mo"), 1) if last]
    values = betas(table.prices)
    for row in rows:
        for i in np.flatnonzero(np.isfinite(values[row - 1])):
            yield {
                "ticker": table.tickers[i],
                "row": row,
                "day": table.days[row - 1],
                "value": float(values[row - 1, i]),
                "locator": f"feature:beta|{BETA}|{table.tickers[i]} row:{row}",
                "quote": quoted(f"beta|{BETA}", float(values[row - 1, i])),
            }


def quoted(name: str, value: float) -> str:
    """How a feature is quoted."""
    return f"{name} {value:.9g}"


def read_correlation(content: bytes, what: str, row: int) -> str:
    """`pearson|60|A|B` at a row of a table, computed again."""
    table = read_together(content)
    try:
        method, window, *ends_ = what.split("|")
        pair = [table.tickers.index(name) for name in ends_]
        returns = table.returns(row, int(window))[:, pair]
        if method not in METHODS or not 1 <= int(window) < row <= len(table.days) or len(pair) != 2:
            raise ValueError(what)
    except ValueError as error:
        raise RecordError(f"correlation {what!r} at row {row} is not of this table") from error
    r = float(matrix(returns, method)[0, 1])
    return told(method, r, float(p_values(np.array([r]), len(returns))[0]), len(returns))


def read_feature(content: bytes, what: str, row: int) -> str:
    """A feature, computed again: `return|20|A@XNYS` at a row of a price file of an exchange, `beta|60|A` at one of a
    table of many series.
    """
    what, _, exchange = what.partition("@")
    name, _, ticker = what.rpartition("|")
    try:
        if exchange:
            rows, values = _of_file(content, exchange, ticker)
            return quoted(name, float(values[name][rows.index(row)]))
        table = read_together(content)
        if name != f"beta|{BETA}" or not 1 <= row <= len(table.days):
            raise ValueError(name)
        return quoted(name, float(_betas(content)[row - 1, table.tickers.index(ticker)]))
    except (KeyError, ValueError) as error:
        raise RecordError(f"feature {what!r} at row {row} is not of this table") from error


@lru_cache(maxsize=4)
def _of_file(content: bytes, exchange: str, ticker: str) -> tuple[list[int], dict[str, Floats]]:
    """Rows of a series of a file, and its features."""
    found = {one.ticker: one for one in read_series(read_table(content), exchange, ticker).series}
    one = found[ticker]
    return one.frame[ROW].to_list(), features(one.prices, one.volumes)


@lru_cache(maxsize=2)
def _betas(content: bytes) -> Floats:
    return betas(read_together(content).prices)


def closing(exchange: str, days: pl.Series) -> dict[date, Any]:
    """When the session of each day closed."""
    opens = sessions(exchange, days.min(), days.max())  # type: ignore[arg-type]  # of dates it is a date
    return dict(opens.iter_rows())
