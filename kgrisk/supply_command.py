"""The command `kgrisk supply`: the chain of missing inputs from a supplier that stops to a customer."""

from __future__ import annotations

from typing import Annotated

import typer

from kgrisk.console import emit, out, show
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened, pair
from kgrisk.supplied import at_risk
from queries.measure import RiskMeasure, build
from queries.measures.supply_cascade import SupplyCascade

app = typer.Typer()
SHOWN = ("supplier_name", "customer_name", "essential", "short", "sales_at_risk", "currency")


@app.command()
def supply(
    customer: Annotated[str, typer.Argument(help="Id of the firm whose sales are asked for.")],
    shock: Annotated[str, typer.Option("--shock", help="Id of the supplier that stops, or id=0.3.")],
    param: Annotated[list[str] | None, typer.Option("--param", help="name=value of supply_cascade.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Count in this currency.")] = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Tell by which missing inputs a stopped supplier costs a customer sales."""
    measure = build(RiskMeasure, "supply_cascade", dict(pair(text) for text in param or ()))  # type: ignore[type-abstract]  # a role
    assert isinstance(measure, SupplyCascade)
    with opened(home, currency=currency) as graph:
        counted, snapshot = graph.settings, graph.snapshot(asked(valid, known, published))
        rows = at_risk(snapshot, measure, shock, customer, counted.currency or None, counted.rates or None)
    if json:
        emit(rows)
    elif rows:
        show(f"{customer} lacks", rows, SHOWN)
    else:
        out.print(f"{customer} lacks no input", markup=False, highlight=False)
