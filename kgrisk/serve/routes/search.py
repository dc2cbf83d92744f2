"""Search: entities by name, things by meaning, and pages or recordings by what they show and say."""

from __future__ import annotations

from typing import Annotated, Literal

import pyarrow as pa
from fastapi import Query, Request, Response
from rapidfuzz import fuzz, process

from kgrisk.serve import answer
from kgrisk.serve.door import At, Routes, The
from kgrisk.serve.view import View

router = Routes(tags=["search"])
LIKE = 60.0
"""Likeness of names, of 100, below which a hit is none."""
ROWS = pa.schema([*((name, pa.string()) for name in ("id", "label", "name")), ("score", pa.float64())])
Words = Annotated[str, Query(min_length=1, max_length=500, description="Words sought.")]
Most = Annotated[int, Query(ge=1, le=100, description="Hits at most.")]
Label = Annotated[str, Query(max_length=100, description="Kind of entity; empty: all.")]
By = Annotated[Literal["name", "meaning"], Query(description="Likeness of names or ids, or nearness in meaning.")]


@router.on("GET", "/v1/search", "read")
def search(request: Request, the: The, at: At, q: Words, by: By = "name", label: Label = "", k: Most = 20) -> Response:
    """What is nearest to words. Nearness in meaning needs an index: `kgrisk index`."""
    view = the.view(at)
    if by == "name":
        return answer.rows(request, view, named(view, q, label, k))
    with the.turn():
        found = the.graph.find(q, labels=[label] if label else (), k=k, at=view.snapshot.at)
    return answer.rows(request, view, found.table)


def named(view: View, words: str, label: str, k: int) -> pa.Table:
    """Entities whose name or id is most like the words: equal first, then those that begin so, then by likeness."""
    s, sought = view.snapshot, words.casefold().strip()
    rows = {row: text for row, text in enumerate(view.folded) if not label or s.labels[row] == label}
    hits: dict[int, float] = {}
    if (row := s.index.get(words.strip())) in rows:
        hits[row] = 1.0
    for _, likeness, row in process.extract(sought, rows, scorer=fuzz.WRatio, limit=k * 4, score_cutoff=LIKE):
        begins = rows[row].startswith(sought)
        hits.setdefault(row, 1.0 if rows[row] == sought else (90 + likeness / 11 if begins else likeness * 0.9) / 100)
    best = sorted(hits.items(), key=lambda hit: (-hit[1], len(rows[hit[0]]), s.ids[hit[0]]))[:k]
    return pa.Table.from_pylist([{**view.entity(row), "score": score} for row, score in best], ROWS)
