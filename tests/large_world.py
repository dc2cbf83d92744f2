"""A snapshot of as many loans as a test wants, with the balance sheets of a tenth as many banks."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from kg.model import MONEY, AsOf
from kg.snapshot import EDGES, FACTS, NODES, Snapshot

DAY = datetime(2024, 1, 1, tzinfo=UTC)
AT = AsOf(DAY, DAY, datetime(9999, 1, 1, tzinfo=UTC))
BANKS = 10
"""Loans to a bank."""


def large(loans: int) -> Snapshot:
    """Loans between random banks, each bank with its assets and equity; ids are as long as hashes."""
    draw, banks = np.random.default_rng(0), loans // BANKS
    ends = {name: np.sort(draw.integers(0, banks, loans)).astype(np.int32) for name in ("source", "target")}
    ends["target"] = draw.permutation(ends["target"])
    edges = _table(EDGES, loans, {"type": "LENDS_TO", "amounts": draw.integers(1, 10**6, loans)}, ends)
    who = {"subject": np.repeat(np.arange(banks, dtype=np.int32), 2)}
    facts = _table(FACTS, 2 * banks, {"amounts": draw.integers(10**6, 10**8, 2 * banks)}, who)
    told = pa.array(np.tile(np.array(["assets", "equity"], object), banks), pa.string())
    facts = facts.set_column(facts.column_names.index("property"), "property", told)
    nodes = pa.table({"id": [f"lei:{n:018d}" for n in range(banks)], "label": ["Bank"] * banks}, NODES)
    return Snapshot(nodes, edges, facts, AT, 1, "u")


def _table(schema: pa.Schema, rows: int, same: dict[str, object], given: dict[str, np.ndarray]) -> pa.Table:
    """Rows of a snapshot in euro, published at one instant, each with a statement of its own."""
    names = pa.array([f"{row:032x}" for row in range(rows)], pa.string())
    columns: dict[str, pa.Array] = {name: pa.array(values) for name, values in given.items()}
    columns |= dict.fromkeys(("id", "statement", "claim"), names)
    columns["value_decimal"] = pa.array(same.pop("amounts"), pa.int64()).cast(MONEY)
    constants = {"type": "", "key": "", "unit": "EUR", "confidence": 1.0, **same}
    constants |= dict.fromkeys(("valid_from", "valid_to", "known_from", "published"), DAY)
    for field in schema:
        if field.name not in columns and field.name in constants:
            columns[field.name] = pa.repeat(pa.scalar(constants[field.name], field.type), rows)
    arrays = [columns.get(field.name, pa.nulls(rows, field.type)) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)
