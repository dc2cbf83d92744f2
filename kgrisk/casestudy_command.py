"""The command `kgrisk casestudy`: documented runs over the EBA's and the BIS's files that are in a graph."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from kgrisk.casestudies import CountryFailure, SovereignShock, bis, bis_from_margins, eba
from kgrisk.console import emit, out, show
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened

app = typer.Typer()


@app.command()
def casestudy(
    study: Annotated[Literal["eba", "bis", "bis-margins"], typer.Argument(help="Which study.")],
    country: Annotated[list[str] | None, typer.Option("--country", help="ISO code of who fails or falls.")] = None,
    fall: Annotated[float, typer.Option("--fall", min=0.0, max=1.0, help="eba: fall of the bonds.")] = 0.1,
    equity: Annotated[float, typer.Option("--equity", min=0.0, max=1.0, help="bis: assumed share of claims.")] = 0.2,
    recovery: Annotated[float, typer.Option("--recovery", min=0.0, max=1.0, help="bis: share got back.")] = 0.55,
    draws: Annotated[int, typer.Option("--draws", min=1, help="bis-margins: networks drawn.")] = 20,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Run a case study on what was ingested from the EBA's or the BIS's files."""
    with opened(home) as graph:
        snapshot = graph.snapshot(asked(valid, known, published))
    if study == "eba":
        shock = SovereignShock(tuple(country), fall) if country else SovereignShock(fall=fall)
        _tell(eba(snapshot, shock), json)
        return
    failure = CountryFailure((country or ["US"])[0], equity, recovery, draws)
    _tell(bis(snapshot, failure) if study == "bis" else bis_from_margins(snapshot, failure), json)


def _tell(figures: dict[str, Any], json: bool) -> None:
    """Single figures, then tables."""
    if json:
        emit(figures)
        return
    for name, value in figures.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            show(name, value)
        elif isinstance(value, dict):
            show(name, [value])
        else:
            out.print(f"{name}: {value}", markup=False, highlight=False)
