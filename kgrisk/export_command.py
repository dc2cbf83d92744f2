"""`kgrisk export`: the graph as files, at an instant or whole for the bulk import of Neo4j."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kg.errors import KgRiskError
from kgrisk.console import emit, show
from kgrisk.export import FORMS, export
from kgrisk.export_neo4j import FORM, export_import
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened, unread
from kgrisk.pseudonyms import Masked

app = typer.Typer()
_KNOWN = (*FORMS, FORM)


@app.command(name="export")
def run_export(
    words: Annotated[list[str], typer.Argument(metavar="[FORMAT] FOLDER", help="Where the files go.")],
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(_KNOWN)}; parquet by default.")] = "",
    pseudonyms: Annotated[bool, typer.Option("--pseudonyms", help="Natural persons under keyed pseudonyms.")] = False,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write nodes, edges and facts as Parquet, CSV or GraphML; or every version for `neo4j-admin database import`."""
    form, folder = _read(words, form)
    with opened(home) as graph:
        if form == FORM:
            clocks = {"--valid": valid, "--known": known, "--published": published}
            unread(clocks, f"and {FORM} do not go together: it writes every version with its clocks")
            unread({"--pseudonyms": pseudonyms}, f"and {FORM} do not go together: the store would be of no ledger")
            files = export_import(graph.ledger, graph.files, folder)
        else:
            whole = graph.snapshot(asked(valid, known, published))
            files = export(Masked(whole, graph.home).snapshot if pseudonyms else whole, folder, form)
    rows = [{"file": str(file), "bytes": file.stat().st_size} for file in files]
    emit(rows) if json else show("written", rows)


def _read(words: list[str], form: str) -> tuple[str, Path]:
    """Form and folder of `FOLDER`, `FORMAT FOLDER` or `FOLDER --format FORMAT`. KgRiskError for an unknown form."""
    *named, folder = words
    if len(named) > 1 or (named and form and named != [form]):
        raise typer.BadParameter(f"{' '.join(words)!r}: write one format and one folder, `kgrisk export {FORM} OUT`")
    form = form or (named[0] if named else "parquet")
    if form not in _KNOWN:
        raise KgRiskError(f"format {form!r} is unknown; known: {', '.join(_KNOWN)}")
    return form, Path(folder)
