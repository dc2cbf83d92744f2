"""`kgrisk cypher`: a reading Cypher text of one's own."""

from __future__ import annotations

import json as jsons
from typing import Annotated, Any

import typer

from kg.store import LIMIT, truncated
from kgrisk.console import progress
from kgrisk.free_cypher import Asked, ask
from kgrisk.options import Home, Json, Known, Published, Store, Valid, answer, asked, named, opened

app = typer.Typer()


@app.command()
def cypher(
    text: Annotated[str, typer.Argument(help="One statement that only reads; it sees $valid, $known and $published.")],
    param: Annotated[list[str] | None, typer.Option("--param", help="name=value, a JSON value or else text.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows at most.")] = LIMIT,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Ask the store a Cypher text of your own; what writes, or is not known to only read, is refused."""
    at = asked(valid, known, published)
    with opened(home, store) as graph:
        rows = min(limit, graph.settings.row_limit)
        result = ask(graph.store, Asked(text, values(param), rows, graph.settings.timeout), at)
    answer(result, json)
    if truncated(result.table):
        progress(f"these are the first {rows:,} rows; narrow the question, or raise --limit and the setting row_limit")


def values(texts: list[str] | None) -> dict[str, Any]:
    """Parameters by name; `n=5` is a number, `id=lei:5` and `id="5"` are texts."""
    found: dict[str, Any] = {}
    for name, text in (named(texts) or {}).items():
        try:
            found[name] = jsons.loads(text)
        except ValueError:
            found[name] = text
    return found
