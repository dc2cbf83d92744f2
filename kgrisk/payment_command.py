"""Commands about payments: a detector of laundering is trained, and payments are scored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kgrisk.console import emit, out, progress, show
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened

app = typer.Typer(help="Payments that may launder money: train a detector, score payments.", no_args_is_help=True)
SHOWN = ("probability", "low", "high", "source", "target", "amount", "time", "why")


@app.command()
def train(
    cut: Annotated[str, typer.Option("--cut", help="Learn from what was published by this day; test on the rest.")],
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", help="CSV or Parquet: payment (edge or statement), truth (0, 1); else flags of accounts."
        ),
    ] = None,
    currency: Annotated[str, typer.Option("--currency", help="Count in this currency, by the setting `rates`.")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Train a detector of laundering on the payments of the graph, and keep it as a run."""
    with opened(home) as graph:
        found = graph.payments.train(cut, labels, currency)
    rows = found.metrics.to_pylist()
    if json:
        proof = found.certificate.to_dict() if found.certificate else None
        emit({"run": found.run, "cut": found.cut, "metrics": rows, "certificate": proof, "remarks": found.remarks})
        return
    show(f"run {found.run[:12]}", rows)
    for remark in found.remarks:
        out.print(remark, markup=False)


@app.command()
def score(
    since: Annotated[str | None, typer.Option("--since", help="From this day on; default: the detector's cut.")] = None,
    run: Annotated[str, typer.Option("--run", help="The detector of this run; default: the latest.")] = "",
    least: Annotated[
        float | None,
        typer.Option("--least", min=0.0, max=1.0, help="Publish from this probability on; default: the alerts."),
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Put the suspicions into the ledger as claims.")] = False,
    currency: Annotated[str, typer.Option("--currency", help="Count in this currency, by the setting `rates`.")] = "",
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Tell of each payment how likely it launders money, highest first, with its interval and reasons."""
    at = asked(valid, known, published)
    with opened(home) as graph:
        found = graph.payments.score(since, at, run=run, least=least, publish=publish, currency=currency)
    for remark in found.remarks:
        progress(remark)
    emit(found.rows()) if json else show(found.name, found.rows(), SHOWN)
