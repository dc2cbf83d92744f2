"""Watch: patterns looked for in payments as they come in, which tells only what is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import MeasureError
from kg.model import TIME
from queries.pattern import FINDINGS
from queries.payments.flows import Flows
from queries.payments.pattern import PaymentPattern

COLUMNS = {"id": pa.string(), "source": pa.string(), "target": pa.string(), "amount": pa.float64(), "time": TIME}
"""Columns that payments must have."""
OPTIONAL = {"currency": pa.string(), "count": pa.int64(), "statement": pa.string()}


@dataclass
class Watch:
    """The payments so far, by time. `take` adds a batch and tells what it completes.

    A finding is new where a full run over all payments has it after the batch and had not before. What a pattern finds
    depends only on payments within its `reach`, so only those around the batch are looked at, before and after it.
    """

    patterns: Sequence[PaymentPattern]
    payments: pa.Table = field(default_factory=lambda: pa.schema({**COLUMNS, **OPTIONAL}).empty_table())
    """All payments so far, in order of time."""

    def __post_init__(self) -> None:
        self.payments = _shaped(self.payments).sort_by("time")
        self._ids = set(self.payments["id"].to_pylist())
        self._times = _micro(self.payments)

    def take(self, batch: pa.Table) -> pa.Table:
        """New findings, worst first. MeasureError for a batch that is no table of payments, or holds a known id."""
        batch = _shaped(batch)
        ids = batch["id"].to_pylist()
        if known := [id for id in ids if id in self._ids] or [id for id in ids if ids.count(id) > 1]:
            raise MeasureError(f"payment {known[0]} was taken before; give each payment an id of its own")
        if not ids:
            return FINDINGS.empty_table()
        Flows.of(batch)  # what is wrong with an amount shows before anything is kept
        near = self._near(batch)
        after, before = Flows.of(pa.concat_tables([near, batch])), Flows.of(near) if len(near) else None
        found = [self._new(pattern, before, after) for pattern in self.patterns]
        self._keep(batch, ids)
        return pa.concat_tables(found).sort_by([("score", "descending"), ("id", "ascending")])

    def _near(self, batch: pa.Table) -> pa.Table:
        """The payments so far that can have to do with a finding the batch completes."""
        times, reach = _micro(batch), max((pattern.reach for pattern in self.patterns), default=0)
        low, high = np.searchsorted(self._times, [times.min() - reach, times.max() + reach + 1])
        return self.payments.slice(low, high - low)

    def _new(self, pattern: PaymentPattern, before: Flows | None, after: Flows) -> pa.Table:
        fresh = pattern.among(after).replace_schema_metadata(None)
        if not len(fresh) or before is None:
            return fresh
        known = pattern.among(before)["id"].combine_chunks()
        return fresh.filter(pc.invert(pc.is_in(fresh["id"], known)))

    def _keep(self, batch: pa.Table, ids: list[str]) -> None:
        """Add the batch; only payments not older than its oldest one have to move."""
        batch = batch.sort_by("time")
        cut = int(np.searchsorted(self._times, _micro(batch)[0]))
        tail = pa.concat_tables([self.payments.slice(cut), batch]).sort_by("time")
        self.payments = pa.concat_tables([self.payments.slice(0, cut), tail])
        self._times = np.concatenate([self._times[:cut], _micro(tail)])
        self._ids |= set(ids)


def _shaped(table: pa.Table) -> pa.Table:
    """The columns of payments, each cast, in one order."""
    if lost := [name for name in COLUMNS if name not in table.column_names]:
        raise MeasureError(f"payments need the columns {', '.join(COLUMNS)}; {', '.join(lost)} is missing")
    made = {name: table[name].cast(kind) for name, kind in COLUMNS.items()}
    for name, kind in OPTIONAL.items():
        empty = pa.nulls(len(table), kind) if name == "count" else pa.array([""] * len(table), kind)
        made[name] = table[name].cast(kind) if name in table.column_names else empty
    return pa.table(made)


def _micro(table: pa.Table) -> np.ndarray:
    found: np.ndarray = table["time"].cast(pa.int64()).to_numpy()
    return found
