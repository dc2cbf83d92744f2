"""Payments with planted laundering: the AMLSim sample as schemes, and a seeded world of background and instances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa

from kg.model import AsOf
from kg.snapshot import EDGES, FACTS, NODES, Snapshot
from queries.payments.flows import DAY

ORIGIN = int(datetime(2017, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


@dataclass(frozen=True)
class Scheme:
    """One planted instance: the ids of its payments, and when the last of them was made."""

    kind: str
    edges: frozenset[str]
    end: int


def amlsim(sample: pa.Table) -> tuple[pa.Table, list[Scheme]]:
    """The sample summed by day as the source `trades` does, and its schemes as far as they were carried out.

    The sample marks accounts and their step; a connected part of the marked transfers is a cycle where three or more of
    its accounts lie on one circle, else a fan-in for each account that two or more of them pay.
    """
    frame = sample.to_pandas()
    by = ["source", "target", "time"]
    days = frame.groupby(by, as_index=False).agg(
        amount=("amount", "sum"), count=("amount", "size"), truth=("truth", "max")
    )
    days["id"] = [f"e{k:06}" for k in range(len(days))]
    marked = days[days.truth > 0]
    graph = nx.DiGraph(zip(marked.source, marked.target, strict=True))
    schemes = []
    for part in nx.weakly_connected_components(graph):
        own = marked[marked.source.isin(part) & marked.target.isin(part)]
        rings = [ring for ring in nx.strongly_connected_components(graph.subgraph(part)) if len(ring) >= 3]
        groups = [("cycle", own[own.source.isin(ring) & own.target.isin(ring)]) for ring in rings]
        rest = own[~own.target.isin(set().union(*rings))] if rings else own
        groups += [("fan_in", fan) for _, fan in rest.groupby("target") if fan.source.nunique() >= 2]
        for kind, rows in groups:
            end = int(rows.time.max().value // 1_000)
            schemes.append(Scheme(kind, frozenset(rows.id), end))
    table = pa.Table.from_pandas(days.drop(columns="truth"), preserve_index=False)
    for name in ("source", "target"):
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
    return table, schemes


@dataclass
class Planted:
    """A world in the making: background payments, and instances whose sums and delays vary around what is usual."""

    seed: int = 0
    accounts: int = 10_000
    payments: int = 100_000
    days: int = 180
    instances: int = 40
    rows: list[tuple[str, str, float, int]] = field(default_factory=list)
    uses: list[tuple[str, str]] = field(default_factory=list)
    schemes: list[tuple[str, list[int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = np.random.default_rng(self.seed)
        self._background()
        for kind in ("cycles", "fan_in", "fan_out", "layering", "scatter_gather", "structuring", "mule_ring"):
            for number in range(self.instances):
                self._plant(kind, list(getattr(self, f"_{kind}")(f"{kind}{number}-", self._start())))

    def _background(self) -> None:
        """Each account pays a few others, regular sums with noise; some accounts are paid by many, as shops are."""
        r, n = self.draw, self.payments
        popular = r.zipf(1.6, n) % self.accounts
        source, target = (
            r.integers(0, self.accounts, n),
            np.where(r.random(n) < 0.3, popular, r.integers(0, self.accounts, n)),
        )
        usual = r.lognormal(5.5, 0.8, self.accounts)
        amount = np.round(usual[source] * r.lognormal(0, 0.4, n), 2) + 0.01
        time = (r.random(n) * self.days * DAY).astype(np.int64)
        for a, b, x, t in zip(source.tolist(), target.tolist(), amount.tolist(), time.tolist(), strict=True):
            if a != b:
                self.rows.append((f"acct:{a}", f"acct:{b}", x, t))
        shared = r.choice(self.accounts, (self.accounts // 100, 2), replace=False)
        self.uses += [(f"acct:{who}", f"device:home{k}") for k, pair in enumerate(shared.tolist()) for who in pair]

    def _start(self) -> int:
        return int(self.draw.integers(0, (self.days - 25) * DAY))

    def _plant(self, kind: str, made: list[tuple[str, str, float, int]]) -> None:
        first = len(self.rows)
        self.rows += [(a, b, round(x, 2), t) for a, b, x, t in made]
        self.schemes.append((kind, list(range(first, len(self.rows)))))

    def _some(self, count: int) -> list[str]:
        """Accounts that also pay and are paid for other reasons."""
        return [f"acct:{k}" for k in self.draw.choice(self.accounts, count, replace=False)]

    def _wait(self, most: float) -> int:
        """A delay that now and then exceeds what a pattern allows by default."""
        return int(self.draw.random() * most * 1.15 * DAY) + 1

    def _cycles(self, name: str, t: int) -> Iterator[tuple[str, str, float, int]]:
        ring, x = self._some(int(self.draw.integers(3, 6))), float(self.draw.lognormal(8, 0.5))
        for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
            yield a, b, x, t
            x, t = x * (1 - 0.08 * self.draw.random()), t + self._wait(10 / len(ring))

    def _fan(self, t: int) -> tuple[str, list[str], list[float], list[int]]:
        hub, *many = self._some(int(self.draw.integers(7, 15)))
        sums = self.draw.lognormal(7.5, 0.2, len(many)).tolist()
        return hub, many, sums, [t + self._wait(6.5) for _ in many]

    def _fan_in(self, name: str, t: int) -> Iterator[tuple[str, str, float, int]]:
        hub, many, sums, times = self._fan(t)
        yield from ((a, hub, x, when) for a, x, when in zip(many, sums, times, strict=True))

    def _fan_out(self, name: str, t: int) -> Iterator[tuple[str, str, float, int]]:
        hub, many, sums, times = self._fan(t)
        yield from ((hub, a, x, when) for a, x, when in zip(many, sums, times, strict=True))

    def _layering(self, name: str, t: int) -> Iterator[tuple[str, str, float, int]]:
        chain, x = self._some(int(self.draw.integers(5, 9))), float(self.draw.lognormal(8.5, 0.5))
        for a, b in pairwise(chain):
            yield a, b, x, t
            x, t = x * (1 - 0.08 * self.draw.random()), t + self._wait(2.5)

    def _scatter_gather(self, name: str, t: int) -> Iterator[tuple[str, str, float, int]]:
        first, last, *middle = self._some(int(self.draw.integers(6, 10)))
        for account in middle:
            x, when = float(self.draw.lognormal(7.5, 0.3)), t + self._wait(1)
            yield first, account, x, when
            yield account, last, x * (1 - 0.15 * self.draw.random()), when + self._wait(3.5)

    def _structuring(self, name: str, t: int) -> Iterator[tuple[str, str, float, int]]:
        payer, *payees = self._some(3)
        for _ in range(int(self.draw.integers(4, 9))):
            share = 0.78 + 0.21 * self.draw.random()
            yield payer, payees[int(self.draw.integers(0, 2))], 10_000 * share, t + self._wait(6)

    def _mule_ring(self, name: str, t: int) -> Iterator[tuple[str, str, float, int]]:
        boss, *mules = self._some(int(self.draw.integers(5, 9)))
        for k, mule in enumerate(mules):
            self.uses += [(mule, f"device:{name}{k // 2}"), (mule, f"device:{name}{(k + 1) // 2}")]
            x, when = float(self.draw.lognormal(7, 0.3)), t + self._wait(5)
            yield self._some(1)[0], mule, x, when
            yield mule, boss, x * (1 - 0.15 * self.draw.random()), when + self._wait(2.6)

    def table(self) -> pa.Table:
        source, target, amount, time = zip(*self.rows, strict=True)
        ids = [f"e{k:07}" for k in range(len(self.rows))]
        times = pa.array([ORIGIN + t for t in time], pa.timestamp("us", "UTC"))
        return pa.table({"id": ids, "source": source, "target": target, "amount": amount, "time": times})

    def truth(self) -> list[Scheme]:
        times = [row[3] for row in self.rows]
        return [
            Scheme(kind, frozenset(f"e{k:07}" for k in rows), ORIGIN + max(times[k] for k in rows))
            for kind, rows in self.schemes
        ]

    def snapshot(self) -> Snapshot:
        """The same as the snapshot of a ledger would hold it."""
        ids = sorted({end for row in self.rows for end in row[:2]} | {end for pair in self.uses for end in pair})
        place = {id: k for k, id in enumerate(ids)}
        labels = ["Device" if id.startswith("device") else "Account" for id in ids]
        paid = [
            _edge(f"e{k:07}", "PAID", place[a], place[b], ORIGIN + t) | {"value_decimal": f"{x:.2f}", "value_int": 1}
            for k, (a, b, x, t) in enumerate(self.rows)
        ]
        used = [_edge(f"u{k}", "USES", place[a], place[b], ORIGIN) for k, (a, b) in enumerate(sorted(set(self.uses)))]
        edges = pa.Table.from_pylist([*paid, *used], schema=_texts(EDGES))
        nodes = pa.table({"id": ids, "label": labels}, schema=NODES)
        return Snapshot(nodes, edges.cast(EDGES), FACTS.empty_table(), AsOf(), 0)


def _edge(id: str, type: str, source: int, target: int, time: int) -> dict[str, Any]:
    ends = {"id": id, "type": type, "source": source, "target": target, "key": id, "unit": "EUR", "statement": id}
    return {**ends, "valid_from": time, "confidence": 1.0}


def _texts(schema: pa.Schema) -> pa.Schema:
    """The schema with money as text, which casts exactly."""
    place = schema.get_field_index("value_decimal")
    return schema.set(place, pa.field("value_decimal", pa.string()))
