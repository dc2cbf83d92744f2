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

from kgrisk.result import plain
from kgrisk.serve.problem import Problem
from kgrisk.serve.view import View

JSON: Final = "application/json"


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
    return b"".join(json.dumps(plain(row), ensure_ascii=False).encode() + b"\n" for row in table.to_pylist())


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


def form_of(request: Request) -> str:
    """Name of the form asked for by `?format=` or Accept; `json` unless another. Problem 406 for one there is not."""
    asked = request.query_params.get("format")
    if asked:
        if asked != "json" and asked not in FORMS:
            raise Problem(HTTPStatus.NOT_ACCEPTABLE, f"format {asked!r} is unknown; known: json, {', '.join(FORMS)}")
        return asked
    wanted = [part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(",")]
    for media in wanted:
        if media in ("", "*/*", "application/*", JSON, "text/html"):
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
        return told(request, view, rows=table.to_pylist(), **more)
    media, write = FORMS[form]
    headers = {**_stamp(view), **{f"X-{name.replace('_', '-')}": str(value) for name, value in more.items() if value}}
    return _sent(request, write(table), media, headers)


def told(request: Request, view: View, **content: Any) -> Response:
    """A JSON object with its clocks, ledger and commit."""
    body = {**content, "at": view.clocks, "commit": view.snapshot.commit, "ledger": view.snapshot.ledger}
    return _sent(request, json.dumps(plain(body), ensure_ascii=False).encode(), JSON, _stamp(view))


def _stamp(view: View) -> dict[str, str]:
    at = {f"X-{name.title()}": moment for name, moment in view.clocks.items()}
    return {**at, "X-Commit": str(view.snapshot.commit), "X-Ledger": view.snapshot.ledger}


def _sent(request: Request, body: bytes, media: str, headers: Mapping[str, str]) -> Response:
    """The bytes with their ETag, or 304 where the asker has them."""
    mark = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    own = {**headers, "ETag": mark, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, X-Api-Key"}
    given = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if request.method == "GET" and (mark in given or "*" in given):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=own)
    return Response(body, media_type=media, headers=own)
