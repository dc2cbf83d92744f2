"""Signals: what was public of a firm at a date and may announce its distress, each with the statement it stands on.

Every signal is read from a snapshot as published by the date, so nothing later can be in it. Higher is worse; NaN where
nothing is known. Firms that are known to be in distress already are not at risk and get none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.ontology import DISTRESS_EVENTS, ENTITY_SCHEMES, FIRMS
from kg.snapshot import Snapshot
from queries.balance import as_float

Floats = NDArray[np.float64]
RECENT = timedelta(days=90)
"""Tone of documents is read over this long."""
YEAR = timedelta(days=365)
"""Distress of partners counts for this long."""
SHORT, LONG = 60, 250
"""Trading days over which prices are read."""
Reader = Callable[["Public"], "Found"]


@dataclass(frozen=True)
class Found:
    """One signal of every row of nodes."""

    value: Floats
    statement: Mapping[int, str]
    """By row, the statement that says most of it."""


@dataclass(frozen=True)
class Public:
    """A snapshot as published by a date, and who was in distress by then."""

    snapshot: Snapshot
    date: datetime
    failed: Mapping[int, datetime]
    """Row of nodes to the date of its first distress event."""

    @classmethod
    def of(cls, snapshot: Snapshot, date: datetime) -> Public:
        return cls(snapshot, date, failures(snapshot))

    def lately(self, row: int) -> bool:
        """Did it come into distress within a year?"""
        return row in self.failed and self.failed[row] > self.date - YEAR

    def empty(self) -> Floats:
        return np.full(len(self.snapshot), np.nan)


@dataclass(frozen=True)
class Signals:
    """(firms, signals) at one date."""

    date: datetime
    ids: tuple[str, ...]
    value: Floats
    statement: tuple[Mapping[str, str], ...]
    """By signal: id of the firm to the statement that says most."""


def failures(snapshot: Snapshot) -> dict[int, datetime]:
    """Row of nodes to the date of the first distress event whose subject it is."""
    kinds = snapshot.facts_of("event_type")
    kinds = kinds.filter(pc.is_in(kinds["value_text"], pa.array(DISTRESS_EVENTS)))
    events = set(kinds["subject"].to_pylist())
    hits = snapshot.edges_of("AFFECTED_BY")
    hits = hits.filter(pc.equal(hits["value_text"], "subject")).select(["source", "target", "valid_from"])
    found: dict[int, datetime] = {}
    for source, target, moment in zip(*(column.to_pylist() for column in hits.columns), strict=True):
        if target in events:
            found[source] = min(found.get(source, moment), moment)
    return found


def signals(snapshot: Snapshot, date: datetime) -> Signals:
    """Every signal of every firm at risk."""
    public = Public.of(snapshot, date)
    rows = [
        row
        for row, (id, label) in enumerate(zip(snapshot.ids, snapshot.labels, strict=True))
        if label in FIRMS and row not in public.failed and id.partition(":")[0] in ENTITY_SCHEMES
    ]
    found = [read(public) for read in READERS.values()]
    value = np.array([one.value[rows] for one in found]).T.reshape(len(rows), len(found))
    told = tuple({snapshot.ids[row]: text for row, text in one.statement.items()} for one in found)
    return Signals(date, tuple(snapshot.ids[row] for row in rows), value, told)


def _score(public: Public) -> Found:
    """The latest published probability of distress."""
    facts = public.snapshot.facts_of("distress").sort_by([("valid_from", "ascending"), ("published", "ascending")])
    return _worst(public, facts, latest=True)


def _tone(public: Public) -> Found:
    """Less the mean tone of what was published of it lately; the statement is the worst one."""
    facts = public.snapshot.facts_of("sentiment")
    since = pa.scalar(public.date - RECENT, facts["valid_from"].type)
    facts = facts.filter(pc.greater(facts["valid_from"], since))
    value, count, worst, told = public.empty(), np.zeros(len(public.snapshot)), public.empty(), dict[int, str]()
    columns = (facts[name].to_pylist() for name in ("subject", "value_real", "statement"))
    for row, tone, statement in zip(*columns, strict=True):
        value[row] = np.nan_to_num(value[row]) - tone
        count[row] += 1
        if np.isnan(worst[row]) or tone < worst[row]:
            worst[row], told[row] = tone, statement
    return Found(np.divide(value, count, out=public.empty(), where=count > 0), told)


def _worst(public: Public, facts: pa.Table, *, latest: bool) -> Found:
    value, told = public.empty(), dict[int, str]()
    columns = (facts[name].to_pylist() for name in ("subject", "value_real", "statement"))
    for row, number, statement in zip(*columns, strict=True):
        if number is not None and (latest or np.isnan(value[row]) or number > value[row]):
            value[row], told[row] = number, statement
    return Found(value, told)


def _prices(public: Public, read: Callable[[Floats], float]) -> Found:
    """A figure of the closes of what the firm issued; of several securities the worst."""
    s, value, told = public.snapshot, public.empty(), dict[int, str]()
    closes = s.facts_of("close").sort_by([("subject", "ascending"), ("valid_from", "ascending"), ("key", "ascending")])
    subject, price = closes["subject"].to_numpy(), as_float(closes["value_decimal"]).to_numpy()
    statement, issued = closes["statement"], s.edges_of("ISSUED")
    owner = dict(zip(issued["target"].to_pylist(), issued["source"].to_pylist(), strict=True))
    for security in np.unique(subject).tolist():
        rows = np.flatnonzero(subject == security)
        figure = read(price[rows]) if len(rows) > SHORT else np.nan
        firm = owner.get(security)
        if firm is not None and figure == figure and not figure <= value[firm]:
            value[firm], told[firm] = figure, statement[int(rows[-1])].as_py()
    return Found(value, told)


def _fall(price: Floats) -> float:
    """How far the last close lies below the highest of a year, 0 to 1."""
    return float(1 - price[-1] / price[-LONG:].max())


def _unrest(price: Floats) -> float:
    """Deviation of daily returns lately beside that of the year."""
    returns = np.diff(np.log(price[-LONG:]))
    usual = returns.std()
    return float(returns[-SHORT:].std() / usual) if usual > 0 else float("nan")


def _debtors(public: Public) -> Found:
    """The part of what it lent that stands with debtors in distress, 0 to 1; a loan without amount counts as one."""
    edges = public.snapshot.edges_of("LENDS_TO", "EXPOSED_TO")
    weight = np.nan_to_num(as_float(edges["value_decimal"]).to_numpy(zero_copy_only=False).astype(float), nan=1.0)
    return _partners(public, edges, "source", "target", weight, relative=True)


def _suppliers(public: Public) -> Found:
    """How many of those that it buys from or sells to came into distress lately."""
    edges = public.snapshot.edges_of("SUPPLIES")
    one = np.ones(edges.num_rows)
    buyers = _partners(public, edges, "source", "target", one, relative=False)
    sellers = _partners(public, edges, "target", "source", one, relative=False)
    return Found(np.fmax(buyers.value, sellers.value), {**buyers.statement, **sellers.statement})


def _partners(public: Public, edges: pa.Table, own: str, other: str, weight: Floats, *, relative: bool) -> Found:
    source, target = edges[own].to_numpy(), edges[other].to_numpy()
    bad = np.array([public.lately(row) for row in target.tolist()], bool)
    n, told, heaviest = len(public.snapshot), dict[int, str](), np.zeros(len(public.snapshot))
    every, hit = np.bincount(source, weight, minlength=n), np.bincount(source[bad], weight[bad], minlength=n)
    for place in np.flatnonzero(bad).tolist():
        if weight[place] > heaviest[source[place]]:
            heaviest[source[place]], told[int(source[place])] = weight[place], edges["statement"][place].as_py()
    value = np.divide(hit, every, out=public.empty(), where=every > 0) if relative else np.where(every > 0, hit, np.nan)
    return Found(value, told)


def _leverage(public: Public) -> Found:
    """Liabilities over assets, by the latest statement of both."""
    s, value, told = public.snapshot, public.empty(), dict[int, str]()
    rows, owed = s.latest("liabilities")
    held = dict(zip(*(part.tolist() for part in s.latest("assets")), strict=True))
    facts: dict[int, Any] = {}
    table = s.facts_of("liabilities").sort_by("valid_from")
    for row, statement in zip(table["subject"].to_pylist(), table["statement"].to_pylist(), strict=True):
        facts[row] = statement
    for row, debt in zip(rows.tolist(), owed.tolist(), strict=True):
        if held.get(row, 0.0) > 0:
            value[row], told[row] = debt / held[row], facts[row]
    return Found(value, told)


READERS: Final[Mapping[str, Reader]] = {
    "score": _score,
    "tone": _tone,
    "fall": lambda public: _prices(public, _fall),
    "unrest": lambda public: _prices(public, _unrest),
    "debtors": _debtors,
    "suppliers": _suppliers,
    "leverage": _leverage,
}
"""The signals by name: model, press, market (two), network (two), accounts."""
