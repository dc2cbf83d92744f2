"""Commands that ask: named queries, evidence, vectors, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kgrisk.answering import ask_file, extract_lines
from kgrisk.console import emit, out, show
from kgrisk.export import FORMS, export
from kgrisk.options import Home, Json, Known, Published, Store, Valid, answer, asked, opened, pair
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
    what: Annotated[str, typer.Argument(help="A file or the sha256 of a document, or the question itself.")],
    question: Annotated[str, typer.Argument(help="The question, where a document is given; else all is asked.")] = "",
    k: Annotated[int, typer.Option("-k", min=1, help="Most extracts.")] = 3,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Answer out of a recording, a document or all evidence: extracts with their place, never words of our own."""
    document, question = (what, question) if question else ("", what)
    if document and Path(document).is_file():
        found = ask_file(question, Path(document), k)
    else:
        with opened(home) as graph:
            found = graph.ask(question, document, k, asked(valid, known, published))
    if json:
        emit({"question": question, "answers": found.rows(), "remarks": found.remarks})
        return
    for line in [*(told for row in found for told in extract_lines(row)), *found.remarks]:
        out.print(line, markup=False, highlight=False, soft_wrap=True)


@app.command(name="export")
def run_export(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMS)}.")] = "parquet",
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write nodes, edges and facts as Parquet, CSV or GraphML."""
    at = asked(valid, known, published)
    with opened(home) as graph:
        files = export(graph.snapshot(at), folder, form)
    rows = [{"file": str(file), "bytes": file.stat().st_size} for file in files]
    emit(rows) if json else show("written", rows)
