"""Evidence: what stands behind a statement, and the place in the document where it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import pyarrow.compute as pc
from fastapi import Path, Query, Request, Response

from kg.errors import KgRiskError, LedgerError, RecordError
from kg.files import Files
from kg.partial import WITHHELD
from kgrisk import preview
from kgrisk.api import Graph
from kgrisk.serve import answer
from kgrisk.serve.desk import UnknownError
from kgrisk.serve.door import At, Routes, The, Who
from kgrisk.serve.part import PartialGraph
from kgrisk.serve.view import View

_T = TypeVar("_T")
router = Routes(tags=["evidence"])
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="sha256 of the document.")]
Locator = Annotated[str, Query(max_length=2000, description="Where it stands, such as chars:120-188.")]
Source = Annotated[str, Query(pattern="^[a-z_]+$", max_length=50, description="First part of the extractor's name.")]
Second = Annotated[float | None, Query(ge=0, le=1e6, description="Of a video: the second of its picture.")]
FRAME = {200: {"content": {"image/png": {}}, "description": "The page as PNG."}}
KEPT = {"Cache-Control": "private, max-age=86400, immutable", "Vary": "Authorization, X-Api-Key"}
MOST = 1e6
"""Seconds of a recording or a video at most."""
SOUND = {200: {"content": {"audio/wav": {}}, "description": "The stretch as WAV."}}


@router.on("GET", "/v1/evidence/{what:path}", "read")
def evidence(request: Request, the: The, who: Who, at: At, what: Annotated[str, Path(max_length=500)]) -> Response:
    """A statement, edge, claim or `property:entity`, and every claim that says it, each with a link to its place."""
    view = the.view(at, who)
    with the.turn():
        try:
            explained = the.graph_of(who).explain(what, view.snapshot.at)
        except KgRiskError as error:
            raise UnknownError(str(error)) from error
    claims = [{**row, "place": _link(view, row)} for row in explained.evidence.rows()]
    return answer.told(request, view, what=explained.what, claims=claims, run=explained.run)


def _link(view: View, row: dict[str, Any]) -> str:
    source = row["extractor"].partition(".")[0]
    return f"/v1/documents/{row['document']}/place?locator={quote(row['locator'])}&source={source}"


@router.on("GET", "/v1/documents/{digest}/place", "read")
def place(the: The, who: Who, digest: Digest, locator: Locator, source: Source = "filings") -> dict[str, Any]:
    """What stands at a locator and around it; pictures and sound are links."""
    found = _read(lambda: _place(the, who, digest, locator, source))
    told = {name: value for name, value in vars(found).items() if value not in ((), None, 0, "")}
    if found.kind == "page":
        at = f"&second={found.second:.2f}" if found.second is not None else ""
        told["picture"] = f"/v1/documents/{digest}/page?number={found.page}{at}"
    if found.seconds:
        begin, end = found.seconds
        told["sound"] = f"/v1/documents/{digest}/sound?begin={begin:.2f}&end={end:.2f}"
    return told


def _place(the: The, who: Who, digest: str, locator: str, source: str) -> preview.Place:
    """A place as somebody may see it: where something hidden stands in the document, the bare words of a claim."""
    the.document(who, digest)
    with the.turn():
        graph = the.graph_of(who)
        if not isinstance(graph, PartialGraph):
            whole = True
        elif whole := graph.files.whole(digest):
            found = preview.place(graph.files, digest, locator, source)
            whole = not graph.ledger.speaks(json.dumps(asdict(found), ensure_ascii=False))
        if not whole:
            return preview.Place("quote", _words(graph, digest, locator))
    return preview.place(graph.files, digest, locator, source)


def _words(graph: Graph, digest: str, locator: str) -> str:
    """What a claim quotes from a place. UnknownError where no claim does."""
    claims = graph.ledger.alive()
    same = pc.and_(pc.equal(claims["document"], digest), pc.equal(claims["locator"], locator))
    quotes = claims.filter(same)["quote"].to_pylist()
    if not quotes or locator == WITHHELD:
        raise UnknownError(f"no claim stands at {locator[:100]!r} of document {digest}; take places from its evidence")
    return str(quotes[0])


@router.on("GET", "/v1/documents/{digest}/page", "read", response_class=Response, responses=FRAME)
def page(
    the: The, who: Who, digest: Digest, number: Annotated[int, Query(ge=1, le=10_000)] = 1, second: Second = None
) -> Response:
    """A page image, a page of a PDF or a frame of a video, decoded and encoded anew."""
    content = _read(lambda: preview.picture(_files(the, who, digest), digest, number, second))
    return Response(content, media_type="image/png", headers=KEPT)


@router.on("GET", "/v1/documents/{digest}/sound", "read", response_class=Response, responses=SOUND)
def sound(
    the: The,
    who: Who,
    digest: Digest,
    begin: Annotated[float, Query(ge=0, le=MOST, description="Second.")],
    end: Annotated[float, Query(gt=0, le=MOST, description="Second.")],
) -> Response:
    """Seconds of a recording, with a moment before and after."""
    content = _read(lambda: preview.sound(_files(the, who, digest), digest, begin, end))
    return Response(content, media_type="audio/wav", headers=KEPT)


def _files(the: The, who: Who, digest: str) -> Files:
    """The files, if all of a document may be seen: nothing can be cut out of a picture or a recording."""
    the.document(who, digest)
    with the.turn():
        graph = the.graph_of(who)
        if isinstance(graph, PartialGraph) and not graph.files.whole(digest):
            raise UnknownError(f"no page or sound of document {digest}; take digests from the evidence of a statement")
        return graph.files


def _read(work: Callable[[], _T]) -> _T:
    """What was read; what is not in the files or not at its place is a 404."""
    try:
        return work()
    except (LedgerError, RecordError) as error:
        raise UnknownError(str(error)) from error
