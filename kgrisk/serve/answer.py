"""Answer: a table or a dict as a response, in the form that was asked for, with its clocks and where it comes from."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from fastapi import Request, Response

from kgrisk.result import as_json, dicts, plain
from kgrisk.serve.problem import Problem
from kgrisk.serve.view import View

JSON: Final = "application/json"
ANYTHING: Final = ("", "*/*", "application/*", JSON, "text/html")
"""Media types that JSON answers; browsers ask for a page where a link leads here."""
RUNS: Final = 20
"""Runs named in a header, whose length is bounded; JSON has them all."""


def _arrow(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _csv(table: pa.Table) -> bytes:
    """Lists and structs, for which CSV has no form, become JSON text."""
    sink = io.BytesIO()
    pyarrow.csv.write_csv(flat(table), sink)
    return sink.getvalue()


def _lines(table: pa.Table) -> bytes:
    return b"".join(as_json(row).encode() + b"\n" for row in dicts(table))


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue()


FORMS: Final[Mapping[str, tuple[str, Callable[[pa.Table], bytes]]]] = {
    "arrow": ("application/vnd.apache.arrow.stream", _arrow),
    "csv": ("text/csv; charset=utf-8", _csv),
    "ndjson": ("application/x-ndjson", _lines),
    "parquet": ("application/vnd.apache.parquet", _parquet),
}
"""Forms beside JSON: their name in `?format=`, their media type, and how they are written."""


TABLE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A table: under `rows` as JSON, or in the form that Accept or `?format=` asks for.",
        "content": {
            JSON: {"schema": {"type": "object"}},
            **{media.partition(";")[0]: {"schema": {"type": "string"}} for media, _ in FORMS.values()},
        },
    }
}
"""What the OpenAPI page says of an answer by `rows`."""


def flat(table: pa.Table) -> pa.Table:
    """The table with nested columns, decimals and binaries as text."""
    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_decimal(kind):
            texts = [_text(value) for value in column.to_pylist()]
            column = pa.array(texts, pa.string())
        columns.append(column)
    return pa.table(columns, names=table.column_names)


def _text(value: Any) -> str | None:
    told = plain(value)
    return told if told is None or isinstance(told, str) else json.dumps(told, ensure_ascii=False)


def _accepted(request: Request) -> list[str]:
    """Media types that Accept names, in its order."""
    return [part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(",")]


def form_of(request: Request) -> str:
    """Name of the form asked for by `?format=` or Accept; `json` unless another. Problem 406 for one there is not."""
    asked = request.query_params.get("format")
    if asked:
        if asked != "json" and asked not in FORMS:
            raise Problem(HTTPStatus.NOT_ACCEPTABLE, f"format {asked!r} is unknown; known: json, {', '.join(FORMS)}")
        return asked
    wanted = _accepted(request)
    for media in wanted:
        if media in ANYTHING:
            return "json"
        for name, (own, _) in FORMS.items():
            if media == own.partition(";")[0]:
                return name
    known = [JSON, *(own.partition(";")[0] for own, _ in FORMS.values())]
    raise Problem(HTTPStatus.NOT_ACCEPTABLE, f"none of {', '.join(wanted)} can be given; known: {', '.join(known)}")


def rows(request: Request, view: View, table: pa.Table, **more: Any) -> Response:
    """A table in the form asked for. As JSON it stands under `rows`, beside its clocks, commit and `more`."""
    form = form_of(request)
    if form == "json":
        return _object(request, view, rows=dicts(table), **more)
    media, write = FORMS[form]
    headers = {**_stamp(view), **{f"X-{name.replace('_', '-')}": str(value) for name, value in more.items() if value}}
    return _sent(request, write(table), media, headers)


def told(request: Request, view: View, **content: Any) -> Response:
    """A JSON object with its clocks, ledger, commit, and the runs whose results the graph holds.

    Problem 406 where another form is asked for: only tables have others.
    """
    form = request.query_params.get("format")
    if form != "json" if form else not {*_accepted(request)} & {*ANYTHING}:
        raise Problem(
            HTTPStatus.NOT_ACCEPTABLE,
            "this answer is one object, which is told as JSON alone; tables have other forms, such as those of "
            "/v1/entities, /v1/scores/{property} and /v1/links",
        )
    return _object(request, view, **content)


def _object(request: Request, view: View, **content: Any) -> Response:
    stamp = {"commit": view.snapshot.commit, "ledger": view.snapshot.ledger, "runs": list(view.runs)}
    body = {**content, "at": view.clocks, **stamp}
    return _sent(request, as_json(body).encode(), JSON, _stamp(view))


def _stamp(view: View) -> dict[str, str]:
    at = {f"X-{name.title()}": moment for name, moment in view.clocks.items()}
    runs = {"X-Runs": ", ".join(view.runs[:RUNS])} if view.runs else {}
    return {**at, "X-Commit": str(view.snapshot.commit), "X-Ledger": view.snapshot.ledger, **runs}


def _sent(request: Request, body: bytes, media: str, headers: Mapping[str, str]) -> Response:
    """The bytes with their ETag, or 304 where the asker has them."""
    mark = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    own = {**headers, "ETag": mark, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, X-Api-Key"}
    given = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if request.method == "GET" and (mark in given or "*" in given):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=own)
    return Response(body, media_type=media, headers=own)
