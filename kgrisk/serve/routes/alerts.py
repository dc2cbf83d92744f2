"""Alerts: what runs of the engine call worth a look, as one list."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from kgrisk import alerts as found
from kgrisk.serve import answer
from kgrisk.serve.door import PAGE, At, Cursor, Limit, Routes, The, Who, from_cursor, to_cursor

router = Routes(tags=["alerts"])
Kind = Annotated[Literal["", "warning", "finding", "laundering", "link"], Query(description="Of one kind; empty: all.")]


@router.on("GET", "/v1/alerts", "read")
def alerts(
    request: Request, the: The, who: Who, at: At, kind: Kind = "", cursor: Cursor = "", limit: Limit = PAGE
) -> Response:
    """Early warnings above their alarm, findings of patterns, suspected payments, and links a model expects."""
    view = the.view(at, who)
    table = found.alerts(view.snapshot, kind)
    ids, key = table["id"].to_pylist(), from_cursor(cursor, str)
    begin = ids.index(key[0]) + 1 if key and key[0] in ids else 0
    end = begin + limit
    more = to_cursor(ids[end - 1]) if end < len(ids) else None
    return answer.rows(request, view, table.slice(begin, limit), next_cursor=more, total=len(ids))
