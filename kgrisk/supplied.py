"""Supplied: which customer loses sales for want of which input, when suppliers of the graph stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from queries.contagion.supply import binding_path
from queries.exposures import Exposures
from queries.measures.supply_cascade import SupplyCascade
from queries.parameter import suggestion
from queries.scenario import Shocks, Spec


def at_risk(
    snapshot: Snapshot,
    measure: SupplyCascade,
    shock: Spec,
    customer: str,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """The chain of scarcest inputs from who stops to the customer, supplier first: one row a hop, with what the buyer
    loses in sales for want of it, and the statements behind the supply. Empty if the customer lacks nothing."""
    if customer not in snapshot.index:
        raise MeasureError(f"{customer} is not in the graph at this instant{suggestion(customer, [*snapshot.ids])}")
    x = Exposures.from_snapshot(snapshot, measure.over, currency, rates=rates)
    if not len(x):
        raise MeasureError("no SUPPLIES edge with an amount is here; ingest supplies with amounts first")
    fitted = measure.fitted(snapshot, x)
    left = 1.0 - np.clip(Shocks.parse(x, shock, snapshot=snapshot).distress[0], 0.0, 1.0)
    statements = dict(zip(x.edges["id"].to_pylist(), x.edges["statement"].to_pylist(), strict=True))
    return [
        {
            "supplier": hop.supplier,
            "supplier_name": snapshot.names[snapshot.index[hop.supplier]],
            "customer": hop.customer,
            "customer_name": snapshot.names[snapshot.index[hop.customer]],
            "essential": hop.essential,
            "short": hop.short,
            "sales_at_risk": hop.sales_at_risk,
            "currency": x.currency,
            "statements": [statements[edge] for edge in hop.edges],
        }
        for hop in binding_path(fitted.chain(x), left, customer, measure.coupled)
    ]
