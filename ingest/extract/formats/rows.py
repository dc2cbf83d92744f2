"""Rows of claims made by the column: polars expressions in, frames in the ledger's schema out.

Tables of any size become claims without one Python object per row. A frame has the columns `published` and either
ROW and QUOTE (evidence is the row) or `locator` and `quote` (evidence is a sum of rows).
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from ingest.clean import figures, moments, touched
from ingest.extract.formats.table import QUOTE, ROW
from ingest.source import Refusal
from kg.model import FIRST, LAST, SCHEMA, ClaimBatch

CLOCK = pl.Datetime("us", "UTC")
_DEFAULTS: dict[str, pl.Expr] = {
    "object": pl.lit(""),
    "key": pl.lit(""),
    "value_text": pl.lit(None, pl.String),
    "value_int": pl.lit(None, pl.Int64),
    "value_real": pl.lit(None, pl.Float64),
    "value_decimal": pl.lit(None, pl.Decimal(38, 9)),
    "value_time": pl.lit(None, CLOCK),
    "unit": pl.lit(""),
    "valid_from": pl.lit(FIRST, CLOCK),
    "valid_to": pl.lit(LAST, CLOCK),
    "published": pl.col("published"),
    "confidence": pl.lit(1.0),
}


class RowClaims:
    """Collects the claims of one table, under one document and extractor."""

    def __init__(self, document: str, extractor: str) -> None:
        self._fixed = {"document": pl.lit(document), "extractor": pl.lit(extractor)}
        self._frames: list[pl.DataFrame] = []
        self.rules: Counter[str] = Counter()
        """Rows that each cleaning rule touched."""

    def cleaned(self, frame: pl.DataFrame, column: str, into: str) -> pl.DataFrame:
        """The frame with the figures (Decimal, or null) of a column of texts, whatever they are written like."""
        found = figures(frame[column])
        self.rules.update(touched(found))
        return frame.with_columns(found["value"].alias(into))

    def dated(self, frame: pl.DataFrame, column: str, into: str) -> pl.DataFrame:
        """The frame with the instants (or null) of a column of dates, whatever they are written like."""
        found = moments(frame[column])
        self.rules.update(touched(found))
        return frame.with_columns(found["value"].alias(into))

    def add(self, frame: pl.DataFrame, kind: str, **columns: pl.Expr | str) -> None:
        """One claim per row of the frame; a text is a constant, an expression is computed."""
        given = {name: pl.lit(value) if isinstance(value, str) else value for name, value in columns.items()}
        every = _DEFAULTS | _where(frame) | self._fixed | given | {"kind": pl.lit(kind)}
        self._frames.append(frame.select(every[name].alias(name) for name in SCHEMA.names))

    def nodes(self, frame: pl.DataFrame, id: pl.Expr, label: pl.Expr | str) -> None:
        """Node rows, one for each id: the first row that names it is the evidence."""
        first = (
            frame.with_columns(id.alias("#id"))
            .filter(pl.col("#id").is_not_null())
            .unique("#id", keep="first", maintain_order=True)
        )
        self.add(first, "node", subject=pl.col("#id"), name=label)

    def properties(self, frame: pl.DataFrame, name: str, value: pl.Expr, **columns: pl.Expr | str) -> None:
        """Property rows of the column `id` where the value is not null; the type of the value picks its column."""
        given = frame.with_columns(value.alias("#value")).filter(pl.col("#value").is_not_null())
        column = _column(given.schema["#value"])
        self.add(given, "property", subject=pl.col("id"), name=name, **{column: pl.col("#value")}, **columns)

    def take(self, other: RowClaims) -> None:
        """Add what another document of the same record gave."""
        self._frames += other._frames

    def batch(self) -> ClaimBatch:
        """Everything added, in the order it was added."""
        return ClaimBatch.concat(_arrow(frame) for frame in self._frames if frame.height)


def _where(frame: pl.DataFrame) -> dict[str, pl.Expr]:
    """Evidence: the columns `locator` and `quote` where the frame has them, else the row."""
    if "locator" in frame.columns:
        return {"locator": pl.col("locator"), "quote": pl.col("quote")}
    return {"locator": pl.format("row:{}", pl.col(ROW)), "quote": pl.col(QUOTE)}


def _column(dtype: pl.DataType) -> str:
    if dtype == pl.String:
        return "value_text"
    if dtype.is_decimal():
        return "value_decimal"
    return "value_time" if dtype == CLOCK else "value_int" if dtype.is_integer() else "value_real"


def _arrow(frame: pl.DataFrame) -> ClaimBatch:
    return ClaimBatch(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))


_SIGNED = "(USD|EUR|GBP|CHF|JPY|CNY|RMB|HKD|CAD|AUD|€|£|₹|%)"
_CURRENCY_OF = {"RMB": "CNY", "€": "EUR", "£": "GBP", "₹": "INR"}
"""Currency of a sign; `$` and `¥` are those of several."""


def other_money(column: str) -> pl.Expr:
    """Why the texts of a column are no money in the currency of their row, as `USD 5` or `5 %`; null if they are."""
    sign = pl.col(column).str.extract(_SIGNED).replace(_CURRENCY_OF)
    return pl.when(sign != pl.col("currency")).then(
        pl.format("{} {} is not money in {}, its currency", pl.lit(column), pl.col(column), pl.col("currency"))
    )


def split(frame: pl.DataFrame, reason: pl.Expr) -> tuple[pl.DataFrame, list[Refusal]]:
    """Rows without a reason, and a refusal for each of the others; wholly empty rows are neither."""
    judged = frame.with_columns(reason.alias("#reason"))
    wrong = pl.col("#reason").is_not_null()
    if "locator" in frame.columns:
        bad = judged.filter(wrong).select("locator", "#reason")
    else:
        bad = judged.filter(wrong & (pl.col(QUOTE).str.strip_chars(",") != ""))
        bad = bad.select(pl.format("row:{}", ROW), "#reason")
    refused = [Refusal(where, why) for where, why in bad.iter_rows()]
    return judged.filter(pl.col("#reason").is_null()), refused


def missing(column: str, raw: str, wanted: str) -> pl.Expr:
    """Reason of a refusal: the column made from `raw` is null."""
    value = pl.format("{} {} is not {}", pl.lit(raw), pl.col(raw).fill_null("(empty)"), pl.lit(wanted))
    return pl.when(pl.col(column).is_null()).then(value)
