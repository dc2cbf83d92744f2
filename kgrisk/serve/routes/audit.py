"""The audit log, for who administers: its entries page by page, and whether all of them are what was written."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from fastapi import Query

from kg.model import as_time
from kgrisk.audit import Audit
from kgrisk.audit_check import Anchor, verify
from kgrisk.audit_list import listed
from kgrisk.opened import day
from kgrisk.serve.door import PAGE, Cursor, Limit, Routes, The, Who, from_cursor, to_cursor

router = Routes(tags=["audit"])
Asker = Annotated[str, Query(max_length=200, description="Only acts of who has this name; empty: of all.")]
Since = Annotated[str | None, Query(max_length=40, description="Only acts from this time on, such as 2026-01-31.")]
Kept = Annotated[
    str, Query(pattern=r"^(\d{1,12}:[0-9a-f]{64})?$", description="What `kgrisk audit anchor` printed: COUNT:HASH.")
]


@router.on("GET", "/v1/audit", "administer")
def entries(
    the: The, asker: Who, who: Asker = "", since: Since = None, cursor: Cursor = "", limit: Limit = PAGE
) -> dict[str, Any]:
    """Entries of the audit log, the oldest first; they may name anything, so who sees a part of the graph has none."""
    the.whole(asker)
    key = from_cursor(cursor, int)
    found = listed(Audit(the.graph.home), who, as_time(day(since)) if since else None, key[0] if key else 0)
    rows = list(islice(found, limit + 1))
    more = to_cursor(rows[limit - 1]["sequence"]) if len(rows) > limit else None
    return {"rows": rows[:limit], "next_cursor": more}


@router.on("GET", "/v1/audit/verify", "administer")
def check(the: The, asker: Who, anchor: Kept = "") -> dict[str, Any]:
    """Is every entry what was written, in its place and whole? If not, the first that is not."""
    the.whole(asker)
    found = verify(Audit(the.graph.home), Anchor.read(anchor) if anchor else None)
    return {"whole": found.whole, **vars(found)}
