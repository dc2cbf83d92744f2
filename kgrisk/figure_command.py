"""The commands `kgrisk figure` and `kgrisk figures`: risk figures of a plain table, or of the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kgrisk import figures as room
from kgrisk.console import emit, progress, show
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened, pair
from kgrisk.result import Result
from queries.figure import params as params_of

app = typer.Typer()


@app.command(name="figures")
def list_figures(json: Json = False) -> None:
    """List the risk figures: what each tells, which columns it needs, its parameters."""
    rows = room.listing()
    emit(rows) if json else show("risk figures", rows, limit=len(rows))


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="A risk figure, see `kgrisk figures`.")],
    table: Annotated[
        Path | None, typer.Option("--table", help="CSV or Parquet file; without one the graph's own rows.")
    ] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="name=value; may be repeated.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write the answer to this CSV or Parquet file.")
    ] = None,
    holder: Annotated[str, typer.Option("--holder", help="Graph: whose loans, positions or losses.")] = "",
    security: Annotated[list[str] | None, typer.Option("--security", help="Graph: only these securities.")] = None,
    market: Annotated[str, typer.Option("--market", help="Graph: the security that stands for the market.")] = "",
    lgd: Annotated[
        float, typer.Option("--lgd", min=0.0, max=1.0, help="Graph: loss given default of all loans.")
    ] = 0.45,
    currency: Annotated[str | None, typer.Option("--currency", help="Graph: count in this currency.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Graph: put the numbers into the ledger.")] = False,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Compute a risk figure: expected loss, capital, value at risk, back-tests, look-through and more."""
    given = dict(pair(text) for text in param or ())
    if table is not None:
        _tell(room.of_table(name, table, given), out, json)
        return
    which: dict[str, Any] = {"holder": holder, "securities": tuple(security or ()), "market": market, "lgd": lgd}
    with opened(home, currency=currency) as graph:
        counted = graph.settings
        which |= {"currency": counted.currency or None, "rates": counted.rates or {}}
        found = graph.figure(name, given, asked(valid, known, published), publish=publish, **which)
        commit = graph.ledger.head
    if publish:
        progress(f"the numbers are in the ledger, commit {commit}")
    _tell(found, out, json)


def _tell(found: Result, out: Path | None, json: bool) -> None:
    """The answer on stdout, remarks on stderr."""
    if out is not None:
        room.write(found.table, out)
    if json:
        told = {"figure": found.name, "params": params_of(found.table), "rows": found.rows(), "remarks": found.remarks}
        emit(told)
        return
    for remark in found.remarks:
        progress(remark)
    show(found.name, found.rows(), found.columns)
