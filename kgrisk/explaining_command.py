"""Commands that say why: the evidence behind a statement, and what a model's link or score rests on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from kg.errors import KgRiskError
from kgrisk import why
from kgrisk.console import emit, out, progress, show
from kgrisk.evidence import lines
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened

app = typer.Typer()
Of = Literal["firms", "links"]
Parts = Literal["edges", "figures", "modalities"]
Kind = Literal["tree", "linear"]
Run = Annotated[str, typer.Option("--run", help="First digits of a run, see `kgrisk runs`; default: the last one.")]
Count = Annotated[int, typer.Option("--count", min=2, help="How many firms or links are taken apart.")]


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
        found, fault = graph.explain(what, at), ""
        try:
            story = why.story(graph, found, saliency)
        except KgRiskError as error:  # the evidence is told all the same
            story, fault = {}, str(error)
    if json:
        told = {"story": story} if story else {}
        emit({"what": found.what, "evidence": found.evidence.rows(), "run": found.run} | told)
    else:
        for line in (*lines(found), *why.lines(story)):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
    if fault:
        progress(f"why the model said so cannot be told: {fault}")
        raise typer.Exit(1)


@app.command()
def faithful(
    of: Annotated[Of, typer.Option("--of", help="What is explained.")] = "firms",
    parts: Annotated[Parts, typer.Option("--parts", help="By what; figures are of firms only.")] = "edges",
    count: Count = 12,
    run: Run = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Test explanations of a run: what they call important is taken away, and given alone, beside random orders."""
    with opened(home) as graph:
        found = graph.faithfulness(of, parts, run=run, count=count)
    if json:
        emit({"of": of, "parts": parts, **asdict(found), "holds": found.found(), "verdict": found.verdict()})
        return
    show(f"log odds of {of}, by share of their {parts}", found.curve)
    out.print(found.verdict(), markup=False, highlight=False)


@app.command()
def attention(
    of: Annotated[Of, typer.Option("--of", help="Of firms, or of the ends of links.")] = "links",
    count: Count = 12,
    run: Run = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Show what a run's attention went to, and whether that is what its answers rest on."""
    with opened(home) as graph:
        found = graph.attention(of, run=run, count=count)
    if json:
        tested = found.faithfulness
        told = asdict(found) | {"verdict": found.verdict()}
        told["faithfulness"] = asdict(tested) | {"holds": tested.found()} if tested else None
        emit(told)
        return
    show(f"attention of {found.fusion} over the modalities of {of}", [asdict(row) for row in found.rows])
    out.print(found.verdict(), markup=False, highlight=False)


@app.command()
def surrogate(
    kind: Annotated[Kind, typer.Option("--kind", help="A tree gives groups, a regression weights.")] = "tree",
    depth: Annotated[int, typer.Option("--depth", min=1, max=8, help="Of a tree.")] = 3,
    run: Run = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Say what a run's scores say by a small tree or regression on readable figures, and how true to them it is.

    Amounts and ratios are in their own units, amounts in the currency each was stated in; an unknown figure counts as
    the mean; trouble of partners is the sum of exp(-age in years) of the last distress of each.
    """
    with opened(home) as graph:
        found = graph.surrogate(kind, depth, run=run)
    if json:
        emit(asdict(found) | {"verdict": found.verdict()})
        return
    out.print("figures in their own units, amounts in the currency stated; an unknown figure counts as the mean")
    for rule in found.rules:
        out.print(rule, markup=False, highlight=False, soft_wrap=True)
    out.print(found.verdict(), markup=False, highlight=False)
