"""Stated: the payments of a graph at an instant as the table a detector reads, with what is known of their truth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnn.payments.amlsim import START
from gnn.payments.table import DAY, micro
from kg.clocks import FIRST
from kg.errors import ModelError
from kg.snapshot import Snapshot

FLAG: Final = "fraud"
STEP: Final = "fraud step"
"""Key of the measure in which the AMLSim sample says at which step an account first moved its scheme's money."""
ROWS: Final = pa.schema(
    [(name, pa.string()) for name in ("id", "source", "target", "currency", "edge")]
    + [("amount", pa.float64()), ("time", pa.timestamp("us", "UTC")), ("published", pa.timestamp("us", "UTC"))]
)
"""What `payments` gives: `id` is the statement, so that a score speaks of exactly what was stated."""


def payments(snapshot: Snapshot, currency: str = "", rates: Mapping[str, float] = {}) -> pa.Table:
    """The PAID edges that hold at the instant of a snapshot, in ROWS.

    One edge is what one account paid another in a day (or by one transaction). With a currency, others are counted in
    it by `rates`; without one all must be in the same. Edges without a date or with nothing left of their amount are
    left out. ModelError where a rate is missing or there are no payments.
    """
    edges = snapshot.edges_of("PAID")
    edges = edges.filter(pc.and_(pc.is_valid(edges["value_decimal"]), pc.greater(edges["valid_from"], FIRST)))
    ids = pa.array(snapshot.ids, pa.string())
    amount = edges["value_decimal"].cast(pa.string()).cast(pa.float64()).to_numpy()
    made = {
        "id": edges["statement"],
        "source": ids.take(edges["source"].combine_chunks()),
        "target": ids.take(edges["target"].combine_chunks()),
        "currency": edges["unit"],
        "edge": edges["id"],
        "amount": pa.array(amount * _worth(edges["unit"], currency, rates), pa.float64()),
        "time": edges["valid_from"],
        "published": edges["published"],
    }
    table = pa.table(made).select(ROWS.names).cast(ROWS)
    table = table.filter(pc.greater_equal(table["amount"], 0.005)).drop(["currency"])
    if not len(table):
        raise ModelError("no payment is stated at that instant; ingest a table of payments first (docs/sources/trades)")
    return table


def _worth(units: pa.ChunkedArray, currency: str, rates: Mapping[str, float]) -> np.ndarray:
    """(edges,) what one unit of each edge's currency is worth in the one that is counted in."""
    found = sorted(pc.unique(units).to_pylist())
    target = currency or (found[0] if len(found) == 1 else "")
    if len(found) > 1 and not target:
        raise ModelError(
            f"payments are in {', '.join(found)}: name one currency and the rates of the others (settings `currency` "
            "and `rates`)"
        )
    if lost := [unit for unit in found if unit != target and not rates.get(unit, 0.0) > 0]:
        raise ModelError(f"no rate from {', '.join(lost)} to {target}; give the worth of one unit in `rates`")
    worth = {unit: 1.0 if unit == target else rates[unit] for unit in found}
    return np.array([worth[unit] for unit in units.to_pylist()], dtype=np.float64)


def labelled(table: pa.Table, snapshot: Snapshot, labels: pa.Table | None = None) -> pa.Table:
    """The table with `truth`: by a table of labels (`payment`, an edge or statement; `truth`, 0 or 1), else by flags.

    Payments that no label names count as harmless. By flags: both accounts are flagged as fraud; where first
    steps are told, as in AMLSim, the payments of a payer on the day of its own alone.
    ModelError where nothing tells the truth.
    """
    truth = _by_table(table, labels) if labels is not None else _by_flags(table, snapshot)
    return table.append_column("truth", pa.array(truth, pa.float64()))


def _by_table(table: pa.Table, labels: pa.Table) -> np.ndarray:
    if lost := [name for name in ("payment", "truth") if name not in labels.column_names]:
        raise ModelError(f"labels need the columns payment, truth; {', '.join(lost)} is missing")
    given = dict(zip(labels["payment"].cast(pa.string()).to_pylist(), labels["truth"].to_pylist(), strict=True))
    if bad := [f"{name}: {value!r}" for name, value in given.items() if value not in (0, 1)]:
        raise ModelError(f"the truth of {bad[0]} is neither 0 nor 1 ({len(bad)} such labels); mend or leave them out")
    ids, edges = table["id"].to_pylist(), table["edge"].to_pylist()
    return np.array([given.get(id, given.get(edge, 0)) for id, edge in zip(ids, edges, strict=True)], np.float64)


def spoken_of(labels: pa.Table | None, table: pa.Table) -> None:
    """ModelError where labels name payments that are not in the table: they would count for nothing, unsaid."""
    if labels is None or "payment" not in labels.column_names:
        return
    given = set(labels["payment"].cast(pa.string()).to_pylist())
    if lost := sorted(map(str, given.difference(table["id"].to_pylist(), table["edge"].to_pylist()))):
        raise ModelError(
            f"{len(lost)} of {len(given)} labels name no payment of the graph, first {lost[0]}; "
            "take the ids or statements of PAID edges"
        )


def _by_flags(table: pa.Table, snapshot: Snapshot) -> np.ndarray:
    facts = snapshot.facts_of("flag")
    flagged = {snapshot.ids[row] for row in facts.filter(pc.equal(facts["value_text"], FLAG))["subject"].to_pylist()}
    if not flagged:
        raise ModelError(
            f"no account is flagged as {FLAG!r} at that instant, so nothing tells which payments launder; give labels"
        )
    marked = pa.array(sorted(flagged))
    truth = pc.and_(pc.is_in(table["source"], marked), pc.is_in(table["target"], marked)).to_numpy()
    first = _first_days(snapshot)
    days = table["time"].cast(pa.int64()).to_numpy() // DAY
    own = np.array([first.get(payer, -1) for payer in table["source"].to_pylist()])
    found: np.ndarray = (truth & (own == days) if first else truth).astype(np.float64)
    return found


def _first_days(snapshot: Snapshot) -> dict[str, int]:
    """Days since 1970 on which accounts first moved their scheme's money, where it is told."""
    facts = snapshot.facts_of("measure")
    steps = facts.filter(pc.equal(facts["key"], STEP)).select(["subject", "value_real"]).to_pylist()
    return {snapshot.ids[row["subject"]]: micro(START + timedelta(days=row["value_real"])) // DAY for row in steps}
