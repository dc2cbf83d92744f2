"""Commands that say why: the evidence behind a statement, and what a model's link or score rests on."""

from __future__ import annotations

from typing import Annotated

import typer

from kg.errors import KgRiskError
from kgrisk import why
from kgrisk.console import emit, out, progress
from kgrisk.evidence import lines
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened

app = typer.Typer()


@app.command()
def explain(
    what: Annotated[
        str, typer.Argument(help="An edge, statement or claim id, or property:entity such as distress:lei:...")
    ],
    saliency: Annotated[
        bool, typer.Option("--saliency", help="Of a score: spans of text, boxes, seconds and days it rests on.")
    ] = False,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show the evidence behind a statement, and of a model's link or score what made the model say it."""
    at = asked(valid, known, published)
    with opened(home) as graph:
        found = graph.explain(what, at)
        try:
            story = why.story(graph, found, saliency)
        except KgRiskError as error:
            if saliency:
                raise
            story = {}
            progress(f"why the model said so cannot be told: {error}")
    if json:
        told = {"story": story} if story else {}
        emit({"what": found.what, "evidence": found.evidence.rows(), "run": found.run} | told)
        return
    for line in (*lines(found), *why.lines(story)):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
