"""The table of payments every pattern starts from: its columns, read whatever form they came in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import MeasureError
from kg.model import TIME

COLUMNS: Final[Mapping[str, Any]] = MappingProxyType(
    {"id": pa.string(), "source": pa.string(), "target": pa.string(), "amount": pa.float64(), "time": TIME}
)
"""What each payment must have; a time without a zone is taken as UTC."""
OPTIONAL: Final[Mapping[str, Any]] = MappingProxyType(
    {"currency": pa.string(), "count": pa.int64(), "statement": pa.string()}
)
"""What is read where it is there."""


def shaped(table: pa.Table) -> pa.Table:
    """COLUMNS and OPTIONAL, each cast, in one order.

    MeasureError names the column that is missing, and the payment with an empty cell, what is no number or time, an
    amount that is not above 0, or an id given before.
    """
    if lost := [name for name in COLUMNS if name not in table.column_names]:
        raise MeasureError(f"payments need the columns {', '.join(COLUMNS)}; {', '.join(lost)} is missing")
    made = {}
    for name, kind in {**COLUMNS, **OPTIONAL}.items():
        if not table.num_rows:
            made[name] = pa.array([], kind)
        elif name in table.column_names:
            made[name] = _cast(table[name], name, kind)
        else:
            made[name] = pa.nulls(table.num_rows, kind) if name == "count" else pa.array([""] * table.num_rows, kind)
    found = pa.table(made)
    for name in COLUMNS:
        _refuse(found, name, pc.is_null(found[name], nan_is_null=True), "is empty")
    good = pc.and_(pc.greater(found["amount"], 0), pc.is_finite(found["amount"]))
    _refuse(found, "amount", pc.invert(good), "is no number above 0: leave refunds out or turn them round")
    if pc.count_distinct(found["id"]).as_py() < len(found):
        counts = pc.value_counts(found["id"].combine_chunks()).to_pylist()
        twice = next(row["values"] for row in counts if row["counts"] > 1)
        raise MeasureError(f"payment {twice} is there twice; give each payment an id of its own")
    return found


def _cast(column: pa.ChunkedArray, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    try:
        if kind == TIME and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            zoned = pc.match_substring_regex(column.slice(0, 1), r"(Z|[+-]\d\d:?\d\d)$")[0].as_py()
            column = column if zoned else column.cast(pa.timestamp("us"))
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        told = "times such as 2024-09-28T12:00:00Z" if kind == TIME else f"{kind}"
        raise MeasureError(f"column {name} of the payments holds {column.type}, expected {told} ({error})") from error


def _refuse(table: pa.Table, name: str, wrong: pa.ChunkedArray, why: str) -> None:
    """MeasureError at the first payment whose value is wrong."""
    if (row := pc.index(wrong, True).as_py()) >= 0:
        id, value = (table[column][row].as_py() for column in ("id", name))
        raise MeasureError(f"{name} of payment {id or f'in row {row + 1}'} is {value!r}: it {why}")
