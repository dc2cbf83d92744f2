"""Watch: patterns looked for in payments as they come in, which tells only what is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import MeasureError
from queries.pattern import FINDINGS
from queries.payments.flows import Flows, Ints
from queries.payments.pattern import PaymentPattern
from queries.payments.table import COLUMNS, OPTIONAL, shaped

CHUNKS = 256
"""Batches kept apart before they are joined."""


@dataclass
class Watch:
    """The payments so far, by time. `take` adds a batch and tells what it completes.

    A finding is new where a full run over all payments has it after the batch and had not before. What a pattern finds
    depends only on payments within its `reach` in time and its `hops` in the network, so only those around the batch
    are looked at, before and after it.
    """

    patterns: Sequence[PaymentPattern]
    payments: pa.Table = field(default_factory=lambda: pa.schema(list({**COLUMNS, **OPTIONAL}.items())).empty_table())
    """All payments so far, in order of time."""

    def __post_init__(self) -> None:
        self.payments = shaped(self.payments).sort_by("time")
        self._ids = set(self.payments["id"].to_pylist())
        self._number: dict[str, int] = {}
        self._times = _micro(self.payments)
        self._ends = self._coded(self.payments)

    def take(self, batch: pa.Table) -> pa.Table:
        """New findings, worst first. MeasureError for a batch that is no table of payments, or holds a known id."""
        batch = shaped(batch)
        ids = batch["id"].to_pylist()
        if known := [id for id in ids if id in self._ids]:
            raise MeasureError(f"payment {known[0]} was taken before; give each payment an id of its own")
        if not ids:
            return FINDINGS.empty_table()
        batch = batch.sort_by("time")
        ends = self._coded(batch)
        found = [self._new(pattern, batch, ends) for pattern in self.patterns]
        self._keep(batch, ends)
        self._ids |= set(ids)
        return pa.concat_tables(found).sort_by([("score", "descending"), ("id", "ascending")])

    def _new(self, pattern: PaymentPattern, batch: pa.Table, ends: Ints) -> pa.Table:
        near = self._around(pattern, batch, ends)
        fresh = pattern.among(Flows.of(pa.concat_tables([near, batch]))).replace_schema_metadata(None)
        if not len(fresh) or not len(near):
            return fresh
        known = pattern.among(Flows.of(near))["id"].combine_chunks()
        return fresh.filter(pc.invert(pc.is_in(fresh["id"], known)))

    def _around(self, pattern: PaymentPattern, batch: pa.Table, ends: Ints) -> pa.Table:
        """The payments so far that can have to do with a finding the batch completes or ends."""
        times = _micro(batch)
        low, high = np.searchsorted(self._times, [times[0] - pattern.reach, times[-1] + pattern.reach + 1]).tolist()
        source, target = self._ends[:, low:high]
        near = np.zeros(len(self._number), bool)
        near[ends.ravel()] = True
        for _ in range(pattern.hops - 1):
            touched = near[source] | near[target]
            near[source[touched]] = near[target[touched]] = True
        rows = np.flatnonzero(near[source] | near[target])
        return self.payments.slice(low, high - low).take(pa.array(rows))

    def _coded(self, table: pa.Table) -> Ints:
        """(2, payments) numbers of payers and payees; new accounts get the next ones."""
        found = []
        for name in ("source", "target"):
            coded = table[name].combine_chunks().dictionary_encode()
            coded = pa.concat_arrays(coded.chunks) if isinstance(coded, pa.ChunkedArray) else coded
            numbers = [self._number.setdefault(id, len(self._number)) for id in coded.dictionary.to_pylist()]
            found.append(np.array(numbers, np.int64)[coded.indices.to_numpy()])
        return np.stack(found)

    def _keep(self, batch: pa.Table, ends: Ints) -> None:
        """Add the batch; only payments later than its first one have to move."""
        cut = int(np.searchsorted(self._times, _micro(batch)[0]))
        times = np.concatenate([self._times[cut:], _micro(batch)])
        order = np.argsort(times, kind="stable")
        tail = pa.concat_tables([self.payments.slice(cut), batch]).take(pa.array(order))
        self.payments = pa.concat_tables([self.payments.slice(0, cut), tail])
        if self.payments["id"].num_chunks > CHUNKS:
            self.payments = self.payments.combine_chunks()
        self._times = np.concatenate([self._times[:cut], times[order]])
        moved = np.concatenate([self._ends[:, cut:], ends], axis=1)[:, order]
        self._ends = np.concatenate([self._ends[:, :cut], moved], axis=1)


def _micro(table: pa.Table) -> Ints:
    found: Ints = table["time"].cast(pa.int64()).to_numpy()
    return found
