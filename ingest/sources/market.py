"""Market series: daily prices and volumes of CSV and Parquet, features at month ends, which returns move together.

A close is public when the session of its exchange ends. Features (returns, volatility, drawdown, volume, RSI, beta) use
no later session than their own. All files of one exchange are also read together, for correlations over windows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import polars as pl

from ingest.extract.formats.rows import CLOCK, RowClaims
from ingest.extract.formats.table import ROW, columns_in, read_table
from ingest.extract.market.calendar import ends, traded_at
from ingest.extract.market.features import features
from ingest.extract.market.series import Series, layout_of, read_series
from ingest.extract.market.series_together import (
    closing,
    correlated,
    manifest,
    month_betas,
    quoted,
    read_together,
    table_of,
)
from ingest.source import Extract, Models, Record, Source
from kg.errors import RecordError

NOTE = "market.json"
"""File beside price files that says their `exchange` (ISO 10383) and `currency`."""
TOGETHER = "together"
_LEAST = 61
"""Sessions from which a table of many series says anything."""


class Market(Source):
    """Daily prices of securities."""

    extractor = "market.series@3"
    patterns = ("*.csv", "*.parquet")

    def records(self) -> Iterator[Record]:
        """One record per file of prices, then one per exchange for all its series together."""
        together: dict[str, list[Record]] = {}
        for path in self.files:
            if not layout_of(columns_in(path)):
                continue
            name, beside = path.relative_to(self.folder).as_posix(), path.parent / NOTE
            note = beside.read_bytes() if beside.is_file() else b""
            record = Record("market", name, path.read_bytes(), None, _place(path.stem, note), note)
            together.setdefault(record.meta["exchange"], []).append(record)
            yield record
        for exchange, records in sorted(together.items()):
            if (made := _table(exchange, records)) is not None:
                yield made

    def claims(self, record: Record, models: Models) -> Extract:
        meta = record.meta
        if meta.get("kind") == TOGETHER:
            return self._together(record)
        ticker, exchange, currency = str(meta["ticker"]), str(meta["exchange"]), str(meta["currency"])
        read = read_series(read_table(record.content), exchange, ticker)
        out = RowClaims(record.document, self.extractor)
        for one in read.series:
            _prices(one, out, exchange, currency)
            _features(one, out, exchange)
        if meta.get("assumed"):
            read.rules["market.assumed_exchange"] += len(read.series)
        return Extract(out.batch(), tuple(read.refused), (), +read.rules)

    def _together(self, record: Record) -> Extract:
        table = read_together(record.content)
        exchange = str(record.meta["exchange"])
        closed = closing(exchange, table.days)
        out = RowClaims(record.document, self.extractor)
        moves = _closed(pl.DataFrame(list(correlated(table)), infer_schema_length=None), closed)
        slopes = _closed(pl.DataFrame(list(month_betas(table)), infer_schema_length=None), closed)
        if moves.height:
            out.add(
                moves,
                "edge",
                subject=_security(pl.col("a"), exchange),
                name="CORRELATES_WITH",
                object=_security(pl.col("b"), exchange),
                key=pl.format("{}|{}|{}", "window", "method", "day"),
                value_real=pl.col("r"),
                value_int=pl.col("window").cast(pl.Int64),
                value_text=pl.col("role"),
                valid_from=pl.col("published"),
            )
        if slopes.height:
            slopes = slopes.with_columns(_security(pl.col("ticker"), exchange).alias("id"))
            _measured(slopes, out, "beta|60")
        return Extract(out.batch())


def _place(stem: str, note: bytes) -> dict[str, Any]:
    """Ticker, exchange and currency of a file: by the note beside it, else by the end of its name."""
    ticker = stem.strip().lstrip("$").upper()
    exchange, currency = traded_at(ticker)
    said: Mapping[str, Any] = {}
    with suppress(ValueError):  # a note that cannot be read says nothing
        said = json.loads(note) if note else {}
    said = said if isinstance(said, dict) else {}
    place = {"exchange": str(said.get("exchange", exchange)), "currency": str(said.get("currency", currency))}
    return {"ticker": ticker, **place, "assumed": "exchange" not in said and "." not in ticker}


def _table(exchange: str, records: list[Record]) -> Record | None:
    """The table of all series of an exchange, as a record of the folder; None if it would say nothing."""
    series: dict[str, Series] = {}
    for record in records:
        try:
            read = read_series(read_table(record.content), exchange, str(record.meta["ticker"]))
        except RecordError:
            continue  # its own record tells why
        for one in read.series:
            series.setdefault(one.ticker, one)
    days = {day for one in series.values() for day in one.frame["day"]}
    if len(series) < 2 or len(days) < _LEAST:
        return None
    beside = manifest(exchange, {record.path: record.document for record in records})
    content = table_of([series[name] for name in sorted(series)])
    return Record("market", f"#{TOGETHER}-{exchange}", content, None, {"kind": TOGETHER, "exchange": exchange}, beside)


def _prices(one: Series, out: RowClaims, exchange: str, currency: str) -> None:
    """The security, and its close and volume of every session."""
    cells = [one.columns["close"]] if "close" in one.columns else []
    rows = one.frame.with_columns(
        _security(pl.lit(one.ticker), exchange).alias("id"),
        pl.col("closed").alias("published"),
        pl.format(f"row:{{}} cells:{cells[0]}", ROW).alias("locator"),
        pl.col("#quote-close").alias("quote"),
        pl.when("doubt").then(0.5).otherwise(1.0).alias("confidence"),
    )
    out.nodes(rows, pl.col("id"), "Security")
    shared = {
        "key": pl.col("day").cast(pl.String),
        "valid_from": pl.col("published"),
        "confidence": pl.col("confidence"),
    }
    first = rows.head(1)
    out.properties(first, "ticker", pl.lit(one.ticker))
    out.properties(rows, "close", pl.col("close"), unit=currency, **shared)
    if "volume" in one.columns:
        moved = rows.with_columns(
            pl.format(f"row:{{}} cells:{one.columns['volume']}", ROW).alias("locator"),
            pl.col("#quote-volume").alias("quote"),
        )
        out.properties(moved, "volume", pl.col("volume").fill_nan(None), unit="units", **shared)


def _security(ticker: pl.Expr, exchange: str) -> pl.Expr:
    """Id of what is traded under a ticker at an exchange; a register may call the firm itself by the bare ticker."""
    return pl.format(f"ticker:{{}}@{exchange}", ticker)


def _features(one: Series, out: RowClaims, exchange: str) -> None:
    """Features at the ends of months."""
    last = ends(one.frame["day"], "1mo").to_numpy()
    rows = one.frame.select(ROW, "day", pl.col("closed").alias("published"))
    for name, values in features(one.prices, one.volumes).items():
        kept = last & np.isfinite(values)
        if not kept.any():
            continue
        found = rows.filter(pl.Series(kept)).with_columns(
            _security(pl.lit(one.ticker), exchange).alias("id"),
            pl.Series("value", values[kept]),
            pl.format(f"feature:{name}|{one.ticker}@{exchange} row:{{}}", ROW).alias("locator"),
            pl.Series("quote", [quoted(name, float(value)) for value in values[kept]]),
        )
        _measured(found, out, name)


def _measured(rows: pl.DataFrame, out: RowClaims, name: str) -> None:
    key = pl.format(f"{name}|{{}}", pl.col("day").cast(pl.String))
    out.properties(rows, "measure", pl.col("value"), key=key, valid_from=pl.col("published"))


def _closed(rows: pl.DataFrame, closed: Mapping[Any, Any]) -> pl.DataFrame:
    """Rows with the time when the session of their day closed."""
    if not rows.height:
        return rows
    times = pl.DataFrame(
        {"day": list(closed), "published": list(closed.values())}, schema_overrides={"published": CLOCK}
    )
    return rows.join(times, on="day", how="left", maintain_order="left")
