"""Commands that ask: named queries, evidence, vectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from kgrisk.answering import ask_file, extract_lines
from kgrisk.api import Graph
from kgrisk.console import emit, out, progress, show
from kgrisk.options import Home, Json, Known, Published, Store, Valid, answer, asked, opened, pair
from kgrisk.questions.answered import Answered
from kgrisk.questions.handed import hand
from kgrisk.questions.spoken import heard, seen
from queries.catalog import Catalog

app = typer.Typer()


@app.command()
def query(
    name: Annotated[str, typer.Argument(help="A named query, see `kgrisk queries`.")],
    params: Annotated[list[str] | None, typer.Argument(help="Parameters as name=value.")] = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Run a named query."""
    given = dict(pair(text) for text in params or ())
    at = asked(valid, known, published)
    with opened(home, store) as graph:
        answer(graph.query(name, at, **given), json)


@app.command()
def queries(
    name: Annotated[str | None, typer.Argument(help="Show the text and parameters of one.")] = None,
    json: Json = False,
) -> None:
    """List the named queries, or show one."""
    catalog = Catalog()
    if name is None:
        rows = [{"name": q.name, "tells": q.tells, "parameters": ", ".join(q.inputs)} for q in catalog]
        emit(rows) if json else show("named queries", rows, limit=len(rows))
        return
    found = catalog[name]
    told = {"name": found.name, "tells": found.tells, "examples": found.examples, "text": found.text()}
    emit(told) if json else out.print(found.text(), markup=False, highlight=False)


@app.command()
def links(
    relation: Annotated[str, typer.Argument(help="Only this relation, such as LENDS_TO.")] = "",
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the links a model expects and no source states, best first."""
    at = asked(valid, known, published)
    with opened(home) as graph:
        answer(graph.predict_links(relation, at), json)


@app.command()
def scores(
    score: Annotated[str, typer.Argument(help="The score.")] = "distress",
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the latest score of every entity, highest first."""
    at = asked(valid, known, published)
    with opened(home) as graph:
        answer(graph.scores(score, at), json)


@app.command()
def ask(
    what: Annotated[str, typer.Argument(help="A file or the sha256 of a document, or the question itself.")] = "",
    question: Annotated[str, typer.Argument(help="The question, where a document is given; else all is asked.")] = "",
    k: Annotated[int, typer.Option("-k", min=1, help="Most extracts.")] = 3,
    audio: Annotated[Path | None, typer.Option("--audio", help="The question, spoken.")] = None,
    image: Annotated[Path | None, typer.Option("--image", help="The question, on a picture.")] = None,
    hand_over: Annotated[
        str, typer.Option("--hand-over", help="Your name: what is not in the graph becomes a case for an analyst.")
    ] = "",
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Answer in sentences that cite the graph, or in extracts of a recording or document; else `not in the graph`."""
    if sum(map(bool, (what, audio, image))) != 1:
        raise typer.BadParameter("give one question: its words, --audio FILE or --image FILE")
    if audio or image:
        what = heard(audio) if audio else seen(image)  # type: ignore[arg-type]  # one of them is given
        progress(f"understood: {what}")
    document, question = (what, question) if question else ("", what)
    at = asked(valid, known, published)
    if not document:
        with opened(home) as graph:
            _answer(graph, graph.answer(question, at), hand_over, json)
        return
    if Path(document).is_file():
        extracts = ask_file(question, Path(document), k)
    else:
        with opened(home) as graph:
            extracts = graph.ask(question, document, k, at)
    if json:
        emit({"question": question, "answers": extracts.rows(), "remarks": extracts.remarks})
        return
    _print([*(told for row in extracts for told in extract_lines(row)), *extracts.remarks])


def _answer(graph: Graph, found: Answered, hand_over: str, json: bool) -> None:
    """Show an answer; where there is none and somebody hands it over, open a case."""
    told, lines = found.to_dict(), list(found.lines())
    if hand_over and found.abstained:
        told["case"]["id"] = id = hand(found, graph.home / "cases", hand_over)
        lines = [lines[0], f"  handed over as case {id}: `kgrisk cases show {id}`"]
    emit(told) if json else _print(lines)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        out.print(line, markup=False, highlight=False, soft_wrap=True)
