"""A named question to a warm snapshot of a million loans, end to end, beside the kernel that answers it.

The question is `assess` as `Graph.risk` asks it; the snapshot has been asked once before. What its
measure spends in `queries.kernels` is the kernel.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.exposed import network
from benchmarks.figure import Figure
from kg.model import MONEY, AsOf
from kg.snapshot import EDGES, FACTS, NODES, Snapshot
from kgrisk.risk import Question, assess
from queries.contagion import clearing
from queries.exposures import Exposures
from queries.measures import debtrank
from queries.scenario import Kind

COUNT, AIM, HIT, ROUNDS = 1_000_000, 1.5, 0.3, 7
KINDS: dict[str, Kind] = {"debtrank": "equity", "eisenberg_noe": "external"}
AT = datetime(2026, 1, 1, tzinfo=UTC)


def table(schema: pa.Schema, **columns: Any) -> pa.Table:
    """A table of the schema; columns that are not given hold nothing."""
    rows = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name]).cast(field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def snapshot(edges: int) -> Snapshot:
    """Banks that lend to each other, with stated equity and outside assets."""
    claims = network(edges, np.float64, seed=2).tocoo()
    i, j = (part[claims.coords[0] != claims.coords[1]] for part in claims.coords)
    amounts = np.maximum(claims.data[claims.coords[0] != claims.coords[1]], 0.01).round(2)
    n, r, count = claims.shape[0], np.random.default_rng(2), len(i)
    names = np.char.add("lei:", np.char.zfill(np.arange(n).astype(str), 18))
    held, owed = (np.bincount(part, amounts, n) for part in (i, j))
    equity = (0.6 * held * r.random(n) + 1).round(2)
    stated = {"equity": equity, "external_assets": (np.maximum(owed + equity - held, 0) + r.random(n) + 1).round(2)}
    loans = np.arange(count).astype(str)
    return Snapshot(
        table(NODES, id=names, label=np.full(n, "Bank")),
        table(
            EDGES,
            id=np.char.add("loan", loans),
            type=np.full(count, "LENDS_TO"),
            source=i,
            target=j,
            unit=np.full(count, "EUR"),
            value_decimal=money(amounts),
            statement=np.char.add("s", loans),
        ),
        table(
            FACTS,
            subject=np.tile(np.arange(n), 2),
            property=np.repeat(list(stated), n),
            unit=np.full(2 * n, "EUR"),
            value_decimal=money(np.concatenate(list(stated.values()))),
            statement=np.arange(2 * n).astype(str),
        ),
        AsOf(AT, AT, AT),
        1,
    )


def money(amounts: Any) -> pa.Array:
    return pa.array(np.char.mod("%.2f", amounts)).cast(MONEY)


def measure() -> list[Figure]:
    seen = snapshot(COUNT)
    exposures = Exposures.from_snapshot(seen)
    shock = dict.fromkeys(exposures.ids[::100], HIT)
    return [asked(name, seen, Question(name, shock, kind=kind)) for name, kind in KINDS.items()]


def asked(name: str, seen: Snapshot, question: Question) -> Figure:
    """CPU seconds of the whole question over those spent in sweeps, each the median of several."""
    assess(seen, question)
    whole, swept, fixed = [], [], []
    for _ in range(ROUNDS):
        with (
            timed(clearing, "greatest") as greatest,
            timed(clearing, "sweep") as once,
            timed(debtrank, "least") as least,
        ):
            began = time.process_time()
            assess(seen, question)
            whole.append(time.process_time() - began)
        swept.append(sum(greatest) + sum(once) + sum(least))
        fixed.append(sum(greatest) + sum(least))
    note = (
        f"{median(whole) * 1e3:.0f} ms, of which sweeps {median(swept) * 1e3:.0f} ms; "
        f"over the sweeps of the fixed points alone {median(whole) / median(fixed):.2f}"
    )
    return Figure(
        f"{name}, a million loans: whole question over its sweeps", median(whole) / median(swept), AIM, False, note=note
    )


@contextmanager
def timed(module: ModuleType, name: str) -> Iterator[list[float]]:
    """CPU seconds of each call of a function of a module."""
    real, seconds = getattr(module, name), []

    def call(*args: Any) -> Any:
        began = time.process_time()
        try:
            return real(*args)
        finally:
            seconds.append(time.process_time() - began)

    setattr(module, name, call)
    try:
        yield seconds
    finally:
        setattr(module, name, real)
