"""The graph as a whole: how large it is at an instant, and how far its clocks reach."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import Request, Response

from kg.model import FIRST, LAST, iso
from kg.ontology import PROPERTIES
from kgrisk.serve import answer
from kgrisk.serve.door import At, Routes, The, Who
from kgrisk.serve.view import View

router = Routes(tags=["graph"])


@router.on("GET", "/v1/graph", "read")
def graph(request: Request, the: The, who: Who, at: At) -> Response:
    """Counts by kind, the span of valid time, every commit with its known time, and the scores there are."""
    view = the.view(at, who)
    s = view.snapshot
    with the.turn():
        commits = the.graph_of(who).ledger.commits().select(["commit", "known_from", "asserted", "retracted"])
    counts = {"nodes": Counter(s.labels), "edges": Counter(view.types)}
    told = {name: dict(found.most_common()) for name, found in counts.items()}
    facts = set(pc.unique(s.facts["property"]).to_pylist())
    scores = sorted(name for name in facts if PROPERTIES[name].node == "Score")
    return answer.told(request, view, **told, valid=span(view), commits=commits.to_pylist(), scores=scores)


def span(view: View) -> list[str]:
    """First and last day on which something began or ended; none where nothing is dated."""
    ends: list[Any] = []
    for table in (view.snapshot.edges, view.snapshot.facts):
        for column in ("valid_from", "valid_to"):
            times = table[column]
            open_ends = pa.array([FIRST, LAST], times.type)
            dated = times.filter(pc.invert(pc.is_in(times, open_ends)))
            if len(dated):
                found = pc.min_max(dated)
                ends += [found["min"].as_py(), found["max"].as_py()]
    return [iso(min(ends)), iso(max(ends))] if ends else []
