"""Monitors and champion: what is watched, what of it is an alert, and whose scores are served.

They speak of everything in the graph, so whoever may see only a part of it is refused. Nothing is trained or scored to
answer: freshness and latency are as they are now, of the champion it is told what the last refresh found.
"""

from __future__ import annotations

from typing import Annotated

import pyarrow.compute as pc
from fastapi import Query, Request, Response

from kgrisk.champion import listed
from kgrisk.monitor import at_hand
from kgrisk.serve import answer
from kgrisk.serve.door import Routes, The, Who

router = Routes(tags=["operations"])


@router.on("GET", "/v1/monitors", "read")
def monitors(
    request: Request,
    the: The,
    who: Who,
    alerts: Annotated[bool, Query(description="Only what is an alert.")] = False,
) -> Response:
    """What is watched, alerts first: value, limit, since when, and what to do."""
    the.whole(who)
    with the.turn():
        found = at_hand(the.graph).table
    shown = found.filter(found["alert"]) if alerts else found
    return answer.rows(request, the.view(who=who), shown, raised=int(pc.sum(found["alert"]).as_py() or 0))


@router.on("GET", "/v1/champions", "read")
def champions(request: Request, the: The, who: Who) -> Response:
    """Training runs: the champion, those in the shadow with their figures, and former champions."""
    the.whole(who)
    with the.turn():
        found = listed(the.graph).table
    return answer.rows(request, the.view(who=who), found)
