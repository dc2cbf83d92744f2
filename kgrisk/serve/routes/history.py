"""History: every value a fact was ever said to have, by both clocks."""

from __future__ import annotations

from fastapi import Request, Response

from kgrisk.history import MOST, history
from kgrisk.serve import answer
from kgrisk.serve.door import At, Routes, The, Who
from kgrisk.serve.names import Fact

router = Routes(tags=["entities"])


@router.on("GET", "/v1/entities/{id}/history", "read")
def told(request: Request, the: The, who: Who, at: At, id: str, property: Fact) -> Response:
    """Values of a fact in the order of valid time, when each was recorded, and when it was taken back."""
    view = the.view(at, who)
    the.row(view, id)
    with the.turn():
        values = history(the.graph_of(who).ledger, id, property, view.snapshot.at)
    return answer.told(request, view, property=property, values=values, truncated=len(values) >= MOST)
