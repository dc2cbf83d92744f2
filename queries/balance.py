"""Balance sheets and priced claims as a snapshot states them: the money that exposures are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.errors import MeasureError
from kg.snapshot import Snapshot

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Conversion:
    """What one unit of each currency is worth in `currency`."""

    currency: str
    rates: Mapping[str, float]

    def of(self, units: pa.ChunkedArray) -> Floats:
        """(rows,) factor of each row; 1 where there is no unit (no value either)."""
        known = pa.array(list(self.rates), pa.string())
        place = pc.fill_null(pc.index_in(units, known), len(known)).to_numpy()
        return np.asarray(np.array([*self.rates.values(), 1.0], float)[place])


@dataclass(frozen=True)
class Outside:
    """What each has and owes outside the network."""

    assets: Floats
    liabilities: Floats
    assumed: NDArray[np.bool_]


def to_currency(units: Sequence[pa.ChunkedArray], currency: str | None, rates: Mapping[str, float]) -> Conversion:
    """The one currency to count in; MeasureError names the currencies for which `rates` gives no value."""
    found = sorted({unit for column in units for unit in pc.unique(column).to_pylist() if unit})
    target = currency or (found[0] if len(found) == 1 else None)
    if target is None and found:
        raise MeasureError(
            f"exposures are in several currencies ({', '.join(found)}); name one as `currency` and give `rates`, "
            "the value of one unit of each other currency in it"
        )
    missing = [unit for unit in found if unit != target and unit not in rates]
    if missing:
        raise MeasureError(
            f"no rate from {', '.join(missing)} to {target}; give rates={{{missing[0]!r}: <value of one "
            f"{missing[0]} in {target}>}}; currencies found: {', '.join(found)}"
        )
    bad = [unit for unit, rate in rates.items() if not (np.isfinite(rate) and rate > 0)]
    if bad:
        raise MeasureError(f"rate of {', '.join(bad)} must be a finite number above 0, not {rates[bad[0]]}")
    return Conversion(target or "", {**dict(rates), target or "": 1.0})


def priced_edges(
    snapshot: Snapshot, types: tuple[str, ...], include_predicted: float | None
) -> tuple[pa.Table, tuple[str, ...]]:
    """Edges with an amount (id, type, source, target, amount, unit, statement, predicted), and the ids without."""
    stated = snapshot.edges_of(*types)
    stated = stated.filter(pc.not_equal(stated["source"], stated["target"]))
    unpriced = stated.filter(pc.is_null(stated["value_decimal"]))["id"].to_pylist()
    table = _plain(stated.filter(pc.is_valid(stated["value_decimal"])))
    if include_predicted is not None:
        table = pa.concat_tables([table, _expected(snapshot, types, include_predicted, table)])
    return table, tuple(unpriced)


def as_float(amounts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The nearest float of each decimal (Arrow's own cast makes 30.000000000000004 of 30)."""
    return pc.cast(pc.cast(amounts, pa.string()), pa.float64())


def _plain(edges: pa.Table) -> pa.Table:
    columns = edges.select(["id", "type", "source", "target", "unit", "statement"])
    amount = as_float(edges["value_decimal"])
    return columns.append_column("amount", amount).append_column(
        "predicted", pa.array([False] * len(edges), pa.bool_())
    )


def _expected(snapshot: Snapshot, types: tuple[str, ...], threshold: float, stated: pa.Table) -> pa.Table:
    """Predicted edges no source states, at score times the amount the model gives or the creditor's typical loan."""
    edges = snapshot.edges_of("PREDICTED")
    edges = edges.filter(
        pc.and_(
            pc.and_(
                pc.is_in(edges["key"], pa.array(types, pa.string())),
                pc.greater_equal(edges["value_real"], threshold),
            ),
            pc.not_equal(edges["source"], edges["target"]),
        )
    )
    pairs = set(zip(stated["source"].to_pylist(), stated["target"].to_pylist(), strict=True))
    typical = _typical(stated)
    rows = []
    for edge in edges.to_pylist():
        if (edge["source"], edge["target"]) in pairs:
            continue
        amount, unit = typical.get(edge["source"]) or typical.get(-1) or (None, "")
        if edge["value_decimal"] is not None:
            amount, unit = float(edge["value_decimal"]), edge["unit"]
        if amount is None:
            raise MeasureError(
                f"predicted exposure {edge['id']} cannot be priced: no {' or '.join(types)} edge states an amount; "
                "leave out include_predicted or ingest exposures first"
            )
        kept = {name: edge[name] for name in ("id", "source", "target", "statement")}
        rows.append(
            kept | {"type": edge["key"], "unit": unit, "amount": edge["value_real"] * amount, "predicted": True}
        )
    return pa.Table.from_pylist(rows, schema=stated.schema)


def _typical(stated: pa.Table) -> dict[int, tuple[float, str]]:
    """Median amount and its currency by creditor, in the creditor's commonest currency; -1 is everyone."""
    by: dict[tuple[int, str], list[float]] = {}
    columns = (stated[name].to_pylist() for name in ("source", "unit", "amount"))
    for source, unit, amount in zip(*columns, strict=True):
        by.setdefault((source, unit), []).append(amount)
        by.setdefault((-1, unit), []).append(amount)
    best: dict[int, tuple[float, str]] = {}
    for (source, unit), amounts in sorted(by.items(), key=lambda item: (len(item[1]), item[0][1])):
        best[source] = (float(np.median(amounts)), unit)
    return best


def latest_money(snapshot: Snapshot, property: str, rows: NDArray[np.int64]) -> tuple[Floats, pa.ChunkedArray]:
    """Latest amount of the property for each row of nodes (NaN where none) and its currency (null where none)."""
    facts = snapshot.facts_of(property)
    wanted = pc.is_in(facts["subject"], pa.array(rows, facts["subject"].type))
    facts = facts.filter(pc.and_(wanted, pc.is_valid(facts["value_decimal"])))
    order = ["subject", "valid_from", "published", "key", "statement"]
    facts = facts.sort_by([(name, "ascending") for name in order])
    amounts = as_float(facts["value_decimal"]).to_pylist()
    latest = dict(zip(facts["subject"].to_pylist(), zip(amounts, facts["unit"].to_pylist(), strict=True), strict=True))
    pairs = [latest.get(int(row), (float("nan"), None)) for row in rows]
    units = pa.chunked_array([pa.array([unit for _, unit in pairs], pa.string())])
    return np.array([amount for amount, _ in pairs], float), units


def fill_outside(known: Mapping[str, Floats], held: Floats, owed: Floats, predicted: Floats) -> Outside:
    """Close every balance sheet with what stands outside the network.

    Outside assets are those stated, else total assets less the claims held. Where neither is stated they
    are assumed: with equity known, equity plus whatever it owes inside beyond what it holds; with nothing
    known, just what it owes, so that an entity nobody describes pays its debts and passes no losses on.
    Loans a model expects come out of the outside assets. Outside liabilities are what then remains, never
    below 0.
    """
    equity = known["equity"]
    total = held + predicted
    stated = np.where(np.isnan(known["external_assets"]), known["assets"] - held, known["external_assets"])
    derived = np.where(np.isnan(equity), owed, np.maximum(equity, 0) + np.maximum(owed - total, 0))
    assumed = np.isnan(stated)
    assets = np.where(assumed, derived, np.maximum(stated - predicted, 0))
    liabilities = np.where(np.isnan(equity), 0.0, assets + total - owed - equity)
    return Outside(assets, np.maximum(liabilities, 0), assumed)
