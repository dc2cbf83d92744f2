"""`kgrisk brief`: a page on one entity whose every sentence cites what it rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kg.model import as_time
from kgrisk.brief_page import page
from kgrisk.console import emit, out, progress
from kgrisk.opened import day
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened

app = typer.Typer()


@app.command()
def brief(
    id: Annotated[str, typer.Argument(help="Id of an entity, such as lei:...")],
    since: Annotated[str | None, typer.Option("--since", help="Also what was published from this day on.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with the evidence to this file.")] = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Who an entity is, its money, owners, exposures, scores, news and alerts; every sentence cites statements."""
    with opened(home) as graph:
        made = graph.brief(id, asked(valid, known, published), as_time(day(since)) if since else None)
    if html:
        html.write_text(page(made), encoding="utf-8")
        progress(f"written: {html}")
    if json:
        emit(made.to_dict())
    elif not html:
        for line in made.lines():
            out.print(line, markup=False, highlight=False, soft_wrap=True)
