"""Results: tables that turn into whatever the reader works with, and into plain JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from kg.model import TIME

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


@dataclass(frozen=True)
class Result:
    """The answer to one question: a table, what was asked, and remarks on it."""

    table: pa.Table
    name: str = ""
    remarks: tuple[str, ...] = field(default=())

    def to_arrow(self) -> pa.Table:
        """The Arrow table itself, nothing copied."""
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """A pandas frame; money becomes Decimal objects."""
        return self.table.to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """A polars frame."""
        import polars as pl

        made = pl.from_arrow(self.table)
        assert isinstance(made, pl.DataFrame)
        return made

    def rows(self) -> list[dict[str, Any]]:
        """One dict per row, in order."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        names: list[str] = self.table.column_names
        return names

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def __getitem__(self, column: str) -> list[Any]:
        values: list[Any] = self.table[column].to_pylist()
        return values

    def _repr_html_(self) -> str:
        """Table for notebooks."""
        html: str = self.to_pandas().to_html(index=False, max_rows=50, escape=True)
        return html


def dicts(table: pa.Table) -> list[dict[str, Any]]:
    """What `table.to_pylist()` gives, in a fraction of the time where the table has clocks."""
    columns = [_times(column) if column.type == TIME else column.to_pylist() for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _times(column: pa.ChunkedArray) -> list[datetime | None]:
    """Moments in UTC; Arrow itself looks the zone up for every one of them."""
    moments: list[datetime | None] = column.to_numpy().astype("datetime64[us]").tolist()
    return [moment and moment.replace(tzinfo=UTC) for moment in moments]


def as_json(value: Any) -> str:
    """JSON text of `plain(value)`; only what JSON has no form for is turned into something else first."""
    try:
        return json.dumps(value, default=plain, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):  # a key that is no text, or a number that is none
        return json.dumps(plain(value), ensure_ascii=False)


def plain(value: Any) -> Any:
    """The value as JSON can hold it: money as text to keep every digit, times as ISO, bytes as base64, NaN as null."""
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(part) for part in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (str, int, bool)) or value is None:
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)
