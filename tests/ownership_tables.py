"""Tables of stakes, and what a figure makes of them by name."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from queries.figures.fifty_percent import FiftyPercent


def stakes(*rows: tuple[Any, ...], **columns: list[Any]) -> pa.Table:
    """Owner, owned, share and, in the fourth place, the most it may be."""
    table = {
        "owner": [row[0] for row in rows],
        "owned": [row[1] for row in rows],
        "share": [float(row[2]) for row in rows],
        "high": [float(row[3] if len(row) > 3 else row[2]) for row in rows],
    }
    return pa.table({**table, **columns})


def shares(table: pa.Table, column: str = "share") -> dict[tuple[str, str], float]:
    return {(row["owner"], row["owned"]): row[column] for row in table.to_pylist()}


def status(table: pa.Table, **asked: Any) -> dict[str, str]:
    return {row["id"]: row["status"] for row in FiftyPercent(**asked).compute(table).to_pylist()}


CIRCLE = stakes(("1", "2", 0.1), ("2", "1", 0.5), ("2", "3", 0.2), ("3", "2", 0.5))
