"""Evidence: what stands behind a statement, and the place in the document where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import Path, Query, Request, Response

from kg.errors import KgRiskError, LedgerError, RecordError
from kgrisk import preview
from kgrisk.evidence import Explainer
from kgrisk.serve import answer
from kgrisk.serve.desk import UnknownError
from kgrisk.serve.door import At, Routes, The
from kgrisk.serve.view import View

_T = TypeVar("_T")
router = Routes(tags=["evidence"])
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="sha256 of the document.")]
Locator = Annotated[str, Query(max_length=2000, description="Where it stands, such as chars:120-188.")]
Source = Annotated[str, Query(pattern="^[a-z_]+$", max_length=50, description="First part of the extractor's name.")]
Second = Annotated[float | None, Query(ge=0, description="Of a video: the second of its picture.")]
FRAME = {200: {"content": {"image/png": {}}, "description": "The page as PNG."}}
SOUND = {200: {"content": {"audio/wav": {}}, "description": "The stretch as WAV."}}


@router.on("GET", "/v1/evidence/{what:path}", "read")
def evidence(request: Request, the: The, at: At, what: Annotated[str, Path(max_length=500)]) -> Response:
    """A statement, edge, claim or `property:entity`, and every claim that says it, each with a link to its place."""
    view = the.view(at)
    with the.turn():
        try:
            explained = Explainer(the.graph.ledger, the.graph.files, view.snapshot.at).explain(what)
        except KgRiskError as error:
            raise UnknownError(str(error)) from error
    claims = [{**row, "place": _link(view, row)} for row in explained.evidence.rows()]
    return answer.told(request, view, what=explained.what, claims=claims, run=explained.run)


def _link(view: View, row: dict[str, Any]) -> str:
    source = row["extractor"].partition(".")[0]
    return f"/v1/documents/{row['document']}/place?locator={quote(row['locator'])}&source={source}"


@router.on("GET", "/v1/documents/{digest}/place", "read")
def place(the: The, digest: Digest, locator: Locator, source: Source = "filings") -> dict[str, Any]:
    """What stands at a locator and around it; pictures and sound are links."""
    found = _read(lambda: preview.place(the.graph.files, digest, locator, source))
    told = {name: value for name, value in vars(found).items() if value not in ((), None, 0, "")}
    if found.kind == "page":
        at = f"&second={found.second:.2f}" if found.second is not None else ""
        told["picture"] = f"/v1/documents/{digest}/page?number={found.page}{at}"
    if found.seconds:
        begin, end = found.seconds
        told["sound"] = f"/v1/documents/{digest}/sound?begin={begin:.2f}&end={end:.2f}"
    return told


@router.on("GET", "/v1/documents/{digest}/page", "read", response_class=Response, responses=FRAME)
def page(
    the: The, digest: Digest, number: Annotated[int, Query(ge=1, le=10_000)] = 1, second: Second = None
) -> Response:
    """A page image, a page of a PDF or a frame of a video, decoded and encoded anew."""
    content = _read(lambda: preview.picture(the.graph.files, digest, number, second))
    return Response(content, media_type="image/png", headers={"Cache-Control": "private, max-age=86400, immutable"})


@router.on("GET", "/v1/documents/{digest}/sound", "read", response_class=Response, responses=SOUND)
def sound(
    the: The,
    digest: Digest,
    begin: Annotated[float, Query(ge=0, description="Second.")],
    end: Annotated[float, Query(gt=0, description="Second.")],
) -> Response:
    """Seconds of a recording, with a moment before and after."""
    content = _read(lambda: preview.sound(the.graph.files, digest, begin, end))
    return Response(content, media_type="audio/wav", headers={"Cache-Control": "private, max-age=86400, immutable"})


def _read(work: Callable[[], _T]) -> _T:
    """What was read; what is not in the files or not at its place is a 404."""
    try:
        return work()
    except (LedgerError, RecordError) as error:
        raise UnknownError(str(error)) from error
