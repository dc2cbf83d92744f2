"""The command `kgrisk risk`: one shock spread over exposures, of the graph or of two plain files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kg.model import AsOf
from kgrisk.console import emit, out, progress, show
from kgrisk.options import Home, Json, Known, Published, Valid, answer, asked, opened, pair, unread
from kgrisk.plain_risk import answer as plain_answer
from kgrisk.plain_risk import assess_files
from kgrisk.risk import Risk, for_people, run_of, shortened
from queries.recorded import SHORT
from queries.scenario import Kind

app = typer.Typer()
TELLING = 3
"""Documents told that would change the total most."""
CARRIED = ("debtor_name", "creditor_name", "amount", "carried", "predicted", "statement")


@app.command()
def risk(
    measure: Annotated[str | None, typer.Argument(help="A risk measure; default: the setting.")] = None,
    shock: Annotated[str | None, typer.Option("--shock", help="An id that fails, id=0.3, or score:distress.")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="name=value; may be repeated.")] = None,
    include_predicted: Annotated[
        float | None, typer.Option("--include-predicted", min=0.0, max=1.0, help="Least score of a predicted loan.")
    ] = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="What a fraction of a shock is of.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Count in this currency.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Put the losses into the ledger, for queries.")] = False,
    label: Annotated[str, typer.Option("--label", help="Only one kind of entity, such as Bank.")] = "",
    draws: Annotated[
        int | None, typer.Option("--draws", min=1, help="Ranges by how sure the evidence is, over so many worlds.")
    ] = None,
    exposures: Annotated[
        Path | None, typer.Option("--exposures", help="No graph: creditor,debtor,amount in this CSV file.")
    ] = None,
    banks: Annotated[
        Path | None, typer.Option("--banks", help="id,external_assets,external_liabilities,equity,shock.")
    ] = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Spread a shock over the exposures and tell who loses what."""
    at, params = asked(valid, known, published), dict(pair(text) for text in param or ())
    if exposures or banks:
        _refuse({"--include-predicted": include_predicted is not None, "--currency": currency, "--publish": publish})
        _refuse({"--label": label, "--draws": draws, "--home": home, "a clock": at != AsOf()})
        _on_files(measure, (exposures, banks), params, (shock, kind), json)
        return
    with opened(home, currency=currency) as graph:
        more = {"kind": kind, "draws": draws, "params": params or None}
        found = graph.risk(measure, shock, include_predicted=include_predicted, publish=publish, at=at, **more)
        telling, run = graph.telling(found).rows()[:TELLING] if draws else [], run_of(found) if publish else ""
        if publish:
            progress(f"losses are in the ledger as run {run[:SHORT]}, commit {graph.ledger.head}")
    _tell(found, label, telling, run, json)


def _tell(found: Risk, label: str, telling: list[dict[str, object]], run: str, json: bool) -> None:
    """The answer as JSON, or as tables for people."""
    table, steps, ranged = found.table(label), found.steps(found.path()), found.uncertain is not None
    if json:
        saved = {"stages": [asdict(stage) for stage in found.stages]} | ({"run": run} if run else {})
        head = {"measure": found.losses.measure, "shock": table.name, "unit": found.unit, "total": found.total}
        doubt = {"range": found.range, "telling": telling} if ranged else {}
        emit({**head, "losses": table.rows(), "path": steps, "remarks": table.remarks, **doubt, **saved})
        return
    answer(for_people(found.named(table)), False)
    out.print(f"total {found.total:,.0f} {found.unit}")
    if ranged:
        out.print("90 % of the worlds lie from {low:,.0f} to {high:,.0f}, mean {mean:,.0f}".format(**found.range))
    show("the path that carries most", steps, CARRIED)
    if ranged:
        show("the documents that would change the total most", telling, ("document", "title", "change", "quote"))


def _refuse(given: Mapping[str, object]) -> None:
    """Options that only a graph can answer."""
    unread(given, "asks a graph; a run on plain files has none")


def _on_files(
    measure: str | None,
    files: tuple[Path | None, Path | None],
    params: dict[str, str],
    shock: tuple[str | None, Kind | None],
    json: bool,
) -> None:
    """The answer of a measure on two plain files; remarks on stderr."""
    exposures, banks = files
    if measure is None or exposures is None or banks is None:
        raise typer.BadParameter("a run on plain files takes all three: MEASURE --exposures FILE --banks FILE")
    losses, remarks = assess_files(measure, (exposures, banks), params, *shock)
    for remark in remarks:
        progress(shortened(remark))
    told = plain_answer(losses)
    if json:
        emit(told)
        return
    named = {"payment": told["payments"], "loss": told["losses"], "equity": told["equity"]}
    rows = [{"id": id, **{name: by[id] for name, by in named.items()}} for id in losses.exposures.ids]
    show(measure, [{**row, "default": row["id"] in told["defaults"]} for row in rows])
    out.print(f"{told['rounds']} rounds, {'settled' if told['converged'] else 'NOT settled: take no number as final'}")
