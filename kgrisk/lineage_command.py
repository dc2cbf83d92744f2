"""The command `kgrisk lineage`: a number or a run followed back to its documents."""

from __future__ import annotations

from typing import Annotated

import typer

from kgrisk.console import emit, out
from kgrisk.lineage import DRAWN, lines
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened

app = typer.Typer()


@app.command()
def lineage(
    what: Annotated[str, typer.Argument(help="property:entity, an edge, statement, claim, or a run's first digits.")],
    draw: Annotated[int, typer.Option("--draw", min=0, help="Claims that are read back from their documents.")] = DRAWN,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Tell what a number rests on: run, model, snapshot, statements, claims, documents, with counts and digests."""
    with opened(home) as graph:
        steps = graph.lineage(what, asked(valid, known, published), draw=draw)
    if json:
        emit(steps)
        return
    for line in lines(steps):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
