"""Free Cypher: one reading text of somebody whose role may write their own."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kg.free import LONGEST
from kg.store import truncated
from kgrisk.free_cypher import Asked, ask
from kgrisk.serve import answer
from kgrisk.serve.door import At, Routes, The, Who

router = Routes(tags=["cypher"])
ROWS = 1000
COSTLY: dict[int | str, dict[str, Any]] = {
    413: {"description": "The query needs more memory than the store gives to one."},
    504: {"description": "The query took too long and was ended."},
}


class Question(BaseModel):
    """A Cypher text and its parameters."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(
        min_length=1,
        max_length=LONGEST,
        description="One statement that only reads; it sees the clocks as $valid, $known and $published.",
        examples=["MATCH (n:Bank) RETURN n.id AS id ORDER BY id LIMIT 10"],
    )
    params: dict[str, Any] = Field({}, description="Values of its $parameters by name.")
    limit: int = Field(ROWS, ge=1, le=10_000, description="Rows at most; the server's own cap may be lower.")


@router.on("POST", "/v1/cypher", "cypher", responses=answer.TABLE | COSTLY)
def cypher(request: Request, the: The, who: Who, at: At, question: Annotated[Question, Body()]) -> Response:
    """Rows of a Cypher text. What is refused, and what is allowed in its place, is told by a problem of status 422.

    A query that takes too long is a 504, one that needs too much memory a 413; neither is tried again.
    """
    view = the.view(at, who)
    with the.turn():
        store = the.graph_of(who).store
    s = the.graph.settings
    rows, seconds = min(question.limit, s.serve_rows, s.row_limit), min(s.serve_seconds, s.timeout)
    # Without a turn: a store can be asked by many threads, and a long question must not hold up the short ones.
    found = ask(store, Asked(question.text, question.params, rows, seconds), view.snapshot.at)
    listed = list(found.remarks)
    remarks = listed if answer.form_of(request) == "json" else json.dumps(listed)  # a header takes ASCII alone
    return answer.rows(request, view, found.table, truncated=truncated(found.table), remarks=remarks)
