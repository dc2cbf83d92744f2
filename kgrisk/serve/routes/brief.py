"""Briefs: a page on one entity, every sentence of which cites the statements it rests on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response

from kgrisk.brief import brief as brief_of
from kgrisk.serve import answer
from kgrisk.serve.door import TIME, At, Routes, The, Who, moment

router = Routes(tags=["questions"])
Since = Annotated[str, Query(**TIME, description="Also what was published from this day on.")]


@router.on("GET", "/v1/brief/{id}", "read")
def brief(
    request: Request, the: The, at: At, who: Who, id: Annotated[str, Path(max_length=300)], since: Since = ""
) -> Response:
    """Who an entity is, its money, owners, exposures, scores, news and alerts, in sentences that cite statements."""
    view, day = the.view(at, who), moment("since", since)
    the.row(view, id)
    with the.turn():
        made = brief_of(the.graph_of(who), id, view.snapshot.at, day, view)
    return answer.told(request, view, brief=made.to_dict())
