"""Commands about vectors: those of entities, and the search by meaning in words, pages, recordings and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kg.errors import KgRiskError
from kgrisk.console import bars, emit, out, progress, show
from kgrisk.flags import Workers
from kgrisk.options import Home, Json, Known, Published, Store, Valid, answer, asked, opened
from kgrisk.result import Result

app = typer.Typer()
FOUND = ("score", "probability", "modality", "label", "name", "document", "locator", "quote")


@app.command()
def embeddings(
    near: Annotated[str | None, typer.Option("--near", help="Only the entities nearest to this id.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write all vectors to this file: .parquet, or .arrow / .feather.")
    ] = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Print or save the vectors of entities with the run and commit they are of, or the entities nearest to one."""
    at = asked(valid, known, published)
    with opened(home, store) as graph:
        result = graph.nearest(near, k, at=at) if near else graph.embeddings(at)
    if not len(result):
        progress("no entity has a vector at that instant; train first: `kgrisk train`")
    if to is not None:
        write(result, to)
        progress(f"{len(result)} rows in {to}")
    elif json or near:
        answer(result, json)
    else:
        rows = [{**row, "run": row["run"][:12], "vector": f"{len(row['vector'])} numbers"} for row in result]
        show("vectors (--json or --to FILE gives the numbers)", rows)


def write(result: Result, path: Path) -> None:
    """A result as a Parquet file, or as an Arrow file by its ending. KgRiskError for another ending."""
    from pyarrow import feather, parquet

    if path.suffix not in (".parquet", ".arrow", ".feather"):
        raise KgRiskError(f"{path} would be of no known kind; let it end in .parquet, .arrow or .feather")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet.write_table(result.table, path)
    else:
        feather.write_feather(result.table, path, compression="uncompressed")


@app.command(name="index")
def index_texts(
    shared: Annotated[
        bool | None,
        typer.Option(
            "--shared/--texts-only",
            help="Learn a space of texts, pages, sound and figures anew, or leave all but texts out; "
            "default: use the space learned last, if there is one.",
        ),
    ] = None,
    cut: Annotated[str | None, typer.Option("--cut", help="Learn the space from what was published by then.")] = None,
    workers: Workers = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make vectors of every text, and with a shared space of pages, recordings and figures, for `kgrisk search`."""
    if cut and not shared:
        raise typer.BadParameter("--cut is of the space that --shared learns; give both")
    with opened(home) as graph:
        learned = graph.learn_space(cut) if shared else None
        with bars() as bar:
            commit = graph.index_texts(shared is not False, workers, bar)
    if json:
        emit({"commit": commit, "space": learned.rows() if learned else []})
        return
    if learned is not None:
        show(learned.name, learned.rows())
    out.print(f"commit {commit}")


@app.command()
def search(
    what: Annotated[str, typer.Argument(help="Words in any language; with --by image or audio, a file or a sha256.")],
    by: Annotated[str, typer.Option("--by", help="What the question is: text, image, audio.")] = "text",
    part: Annotated[str, typer.Option("--part", help="Seconds of a recording asked by: time:1.20-3.40.")] = "",
    modality: Annotated[
        list[str] | None,
        typer.Option("--modality", help="Find only: text, image, audio, table; may be repeated; `all` for every one."),
    ] = None,
    label: Annotated[str | None, typer.Option("--label", help="What to find: Document, Page, Event, Company.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Find what is nearest in meaning, across languages and kinds of content; run `kgrisk index` first.

    With --by or --modality, pages, stretches of recordings and figures are found too, each with the place it stands at.
    """
    at = asked(valid, known, published)
    with opened(home, store) as graph:
        if by == "text" and not modality:
            answer(graph.search(what, label or "Document", k, at), json)
            return
        kinds = () if not modality or "all" in modality else tuple(modality)
        found = graph.find(what, by=by, part=part, modalities=kinds, labels=(label,) if label else (), k=k, at=at)
    emit(found.rows()) if json else show(found.name, found.rows(), FOUND)
