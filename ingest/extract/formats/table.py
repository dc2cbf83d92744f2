"""A table is a CSV or Parquet file as text cells: rows are numbered from 1, and each row can be read back as it
was. Cells of a CSV are parted by commas, or by tabs or semicolons where the header has no comma.

Everything is read as text, so that no amount passes through a float; columns are turned into decimals and instants
by the expressions of `ingest.clean`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import polars as pl

from ingest.clean import decimals, decode
from ingest.diagnosis import MAX_COLUMNS
from ingest.source import Refusal
from kg.errors import RecordError

ROW = "#row"
"""Column with the number of each row."""
QUOTE = "#quote"
"""Column with the row as it is quoted: its cells joined by commas."""

MOST_CELLS = 8_000_000
"""Most cells of a Parquet table; a few bytes of it can say a million times the same."""


@dataclass(frozen=True)
class Table:
    """All rows that could be read as text, and those that could not."""

    frame: pl.DataFrame
    """Cells as text (null where empty), with ROW and QUOTE."""
    columns: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()
    encoding: str = "utf-8"


@lru_cache(maxsize=2)
def read_table(content: bytes) -> Table:
    """Table in the bytes of a CSV or Parquet file; RecordError if they are neither."""
    if not content.strip():
        raise RecordError("the file is empty; expected a CSV with a header line or a Parquet file")
    frame, refused = _parquet(content) if content[:4] == b"PAR1" else _csv(content)
    columns = tuple(frame.columns)
    quote = pl.concat_str([pl.col(name).fill_null("") for name in columns], separator=",").alias(QUOTE)
    cells = [pl.col(name).replace("", None) for name in columns]
    rows = frame if ROW in frame.columns else frame.with_row_index(ROW, 1)
    encoding = "utf-8" if content[:4] == b"PAR1" else decode(content)[1]
    return Table(rows.select(pl.col(ROW).cast(pl.Int64), quote, *cells), columns, refused, encoding)


def _parquet(content: bytes) -> tuple[pl.DataFrame, tuple[Refusal, ...]]:
    try:
        wide, rows = len(pl.read_parquet_schema(io.BytesIO(content))), _height(content)
        if wide * rows > MOST_CELLS:
            raise RecordError(
                f"a Parquet file of {len(content)} bytes with {rows} rows of {wide} columns; at most {MOST_CELLS} "
                "cells of a table are held in memory: split it"
            )
        return pl.scan_parquet(io.BytesIO(content)).select(pl.all().cast(pl.String)).collect(engine="streaming"), ()
    except pl.exceptions.PolarsError as error:
        raise RecordError(f"the Parquet file cannot be read: {error}") from error


def _height(content: bytes) -> int:
    """Rows of a Parquet file as its foot says, without reading them."""
    return int(pl.scan_parquet(io.BytesIO(content)).select(pl.len()).collect().item())


def _csv(content: bytes) -> tuple[pl.DataFrame, tuple[Refusal, ...]]:
    text = decode(content)[0]
    header = text.split("\n", 1)[0]
    parted = separator(header)
    if header.count(parted) >= MAX_COLUMNS:
        raise RecordError(f"the header has {header.count(parted) + 1} columns; at most {MAX_COLUMNS} are read")
    try:
        frame = pl.scan_csv(io.BytesIO(text.encode()), infer_schema=False, separator=parted).collect(engine="streaming")
        return frame.rename(str.strip), ()
    except pl.exceptions.PolarsError:
        return _ragged(text, parted)


def separator(header: str) -> str:
    """What parts the cells of a CSV: a comma, else a tab or a semicolon, whichever the header has more of."""
    found = {mark: header.count(mark) for mark in "\t;"}
    best = max(found, key=lambda mark: found[mark])
    return best if "," not in header and found[best] else ","


def _ragged(text: str, parted: str = ",") -> tuple[pl.DataFrame, tuple[Refusal, ...]]:
    """The slow way, for a CSV with rows of another width: those rows are refused and the others kept.

    A refused row keeps its number but its cells are empty, so that the numbers of the others stay true.
    """
    try:
        head, *rows = csv.reader(io.StringIO(text), delimiter=parted, strict=True)
    except (csv.Error, ValueError) as error:
        raise RecordError(f"the CSV cannot be read: {error}; expected a header line and rows of its width") from error
    names = [name.strip() for name in head]
    if len(set(names)) != len(names):
        raise RecordError(f"the CSV has two columns of one name: {', '.join(names)}")
    refused = tuple(
        Refusal(f"row:{n}", f"the row has {len(row)} cells; the header has {len(names)}")
        for n, row in enumerate(rows, 1)
        if row and len(row) != len(names)
    )
    kept = [row if len(row) == len(names) else [""] * len(names) for row in rows if row]
    frame = pl.DataFrame(kept, schema=dict.fromkeys(names, pl.String), orient="row")
    return frame, refused


def read_row(content: bytes, number: int) -> str:
    """The cells of one row, joined by commas."""
    frame = read_table(content).frame
    if not 1 <= number <= frame.height:
        raise RecordError(f"row {number} is not there: the table has {frame.height} rows")
    return str(frame[QUOTE][number - 1])


def read_cells(content: bytes, number: int, columns: Sequence[str]) -> str:
    """Some cells of one row, joined by commas."""
    table = read_table(content)
    if not 1 <= number <= table.frame.height or not set(columns) <= set(table.columns):
        raise RecordError(f"row {number} or a column of {', '.join(columns)} is not in the table")
    return ",".join(cell or "" for cell in table.frame.select(columns).row(number - 1))


def read_rows(content: bytes, numbers: Sequence[int], column: str) -> str:
    """How several rows are quoted: their count and the exact sum of one column."""
    table = read_table(content)
    if column not in table.columns or not 1 <= min(numbers) <= max(numbers) <= table.frame.height:
        raise RecordError(f"rows {numbers} or column {column!r} are not in the table of {table.frame.height} rows")
    picked = table.frame[[number - 1 for number in numbers]].select(decimals(column).sum()).item()
    return rows_quote(len(numbers), picked)


def rows_quote(count: int, total: Decimal) -> str:
    """`count 3, sum 12.5`, without trailing zeros."""
    return f"count {count}, sum {plain(total)}"


def read_mean(content: bytes, numbers: Sequence[int], column: str) -> str:
    """How the mean of one column over several rows is quoted."""
    table = read_table(content)
    if column not in table.columns or not 1 <= min(numbers) <= max(numbers) <= table.frame.height:
        raise RecordError(f"rows {numbers} or column {column!r} are not in the table of {table.frame.height} rows")
    cells = table.frame[[number - 1 for number in numbers]][column].str.strip_chars().cast(pl.Float64)
    return mean_quote(len(numbers), math.fsum(cells) / len(numbers))


def mean_quote(count: int, mean: float) -> str:
    """`count 3, mean 12.5`, to six digits."""
    return f"count {count}, mean {mean:.6g}"


def plain(amount: Decimal) -> str:
    """Decimal without exponent and without trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def columns_of(content: bytes) -> tuple[str, ...]:
    """Names of the columns, read from the head of the file only; none if it is no table."""
    try:
        if content[:4] == b"PAR1":
            return tuple(pl.read_parquet_schema(io.BytesIO(content)))
        head = decode(content[:65_536].split(b"\n", 1)[0])[0].strip()
        names = tuple(name.strip() for name in next(csv.reader([head], delimiter=separator(head)), []))
        told = [name for name in names if name]
        clear = len(names) <= MAX_COLUMNS and len(told) == len(set(told))
        return names if clear else ()  # no source takes it, and the run tells why
    except (pl.exceptions.PolarsError, csv.Error):
        return ()


def columns_in(path: Path) -> tuple[str, ...]:
    """Names of the columns of a file, of which the head only is read, however large it is."""
    with path.open("rb") as file:
        head = file.read(65_536)
    if head[:4] != b"PAR1":
        return columns_of(head)
    try:
        return parquet_columns(path)
    except pl.exceptions.PolarsError:
        return ()


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Names of the columns of a Parquet file; `*`, `?` and `[` in the name of the file are letters."""
    return tuple(pl.scan_parquet(path, glob=False).collect_schema())
