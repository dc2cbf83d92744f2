"""Metrics: what the server did and how it stands, as Prometheus reads it."""

from __future__ import annotations

from typing import cast

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from kgrisk.serve.counted import Counts
from kgrisk.serve.door import Routes, The

router = Routes(tags=["health"])
TEXT = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Numbers, one a line."}}


@router.on("GET", "/metrics", "read", response_class=Response, responses=TEXT)
def metrics(request: Request, the: The) -> Response:
    """Requests by route, status and role, seconds, requests at work, views, commit, lag of the store, jobs, memory."""
    counts = cast(Counts, request.app.state.counts)
    with the.turn():
        content = generate_latest(counts.registry)
    return Response(content, media_type=CONTENT_TYPE_LATEST)
