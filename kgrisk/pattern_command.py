"""The commands `kgrisk patterns` and `kgrisk owners`: shapes of laundering, and who stands behind an entity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kg.errors import KgRiskError
from kgrisk import patterns as room
from kgrisk.console import emit, out, progress, show
from kgrisk.options import Home, Json, Known, Published, asked, opened, pair
from kgrisk.owners import Owners
from kgrisk.owners import owners as owners_of
from queries.ownership.regimes import Regime

app = typer.Typer()
SHOWN = ("score", "subject", "amount", "unit", "start", "end", "remark", "edges")
STAKE = ("owner_name", "owned_name", "share", "high", "kind", "told", "statement")


@app.command()
def patterns(
    name: Annotated[str | None, typer.Argument(help="A pattern; without one, the list of them.")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="name=value; may be repeated.")] = None,
    payments: Annotated[
        Path | None, typer.Option("--payments", help="No graph: CSV or Parquet with id,source,target,amount,time.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Most findings told.")] = 1_000,
    save: Annotated[bool, typer.Option("--save", help="Graph: put the findings into the ledger as claims.")] = False,
    valid: Annotated[str | None, typer.Option("--valid", "--at", help="True in the world at this time.")] = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Look for cycles, fans, layering, structuring, mule rings, shared identifiers or tainted money."""
    if name is None:
        rows = room.listing()
        emit(rows) if json else show("patterns", rows, limit=len(rows))
        return
    given = dict(pair(text) for text in param or ())
    if payments is not None:
        if save:
            raise KgRiskError("--save puts findings of a graph into its ledger; a plain file of payments has none")
        found = room.find_in(payments, name, given)
    else:
        with opened(home) as graph:
            found = graph.pattern(name, asked(valid, known, published), save=save, **given)
    rows = found.rows()[:top]
    for remark in found.remarks:
        progress(remark)
    if json:
        emit({"pattern": name, "found": len(found), "findings": rows, "remarks": found.remarks})
        return
    show(f"{name}: {len(found)} found", rows, SHOWN)


@app.command()
def owners(
    id: Annotated[str, typer.Argument(help="The entity, such as lei:...")],
    regime: Annotated[Regime, typer.Option("--regime", help="Whose sanctions rule: ofac, eu or uk.")] = "ofac",
    listed: Annotated[list[str] | None, typer.Option("--listed", help="Take this id as listed too.")] = None,
    valid: Annotated[
        str | None, typer.Option("--at", "--valid", help="Who owned it, and by which rules, on this day.")
    ] = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Tell who owns and controls an entity and whether sanctions reach it, with the evidence of every hop."""
    at = asked(valid, known, published)
    with opened(home) as graph:
        found = owners_of(graph.snapshot(at), id, regime, at.valid.date() if at.valid else None, listed or ())
    if json:
        emit(found.to_dict())
        return
    _tell(found)


def _tell(found: Owners) -> None:
    for remark in found.remarks:
        progress(remark)
    day = f" on {found.on}" if found.on else ""
    held = f"{found.low:.2%}" if found.low == found.high else f"{found.low:.2%} to {found.high:.2%}"
    line = f"{found.name} ({found.id}) by {found.regime}{day}: {found.status}; listed parties hold {held}"
    out.print(line, markup=False, highlight=False, soft_wrap=True)
    for controller in found.controlled_by:
        out.print(f"controlled by {controller}", markup=False, highlight=False)
    show("how sanctions reach it", list(found.reached_by), STAKE) if found.reached_by else None
    columns = ("name", "owner", "low", "high", "by_share", "group_share", "by_control")
    show("beneficial owners", [{key: row[key] for key in columns} for row in found.owners], columns)
    for row in found.owners:
        show(f"path of {row['name']}", list(row["path"]), STAKE)
