"""The agents' door over HTTP: on loopback, for known hosts and origins, with a key that may see everything."""

from __future__ import annotations

import time
from http import HTTPStatus
from pathlib import Path

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from kgrisk.agents.audited import HOLDER
from kgrisk.agents.server import build
from kgrisk.audit import Act, Audit
from kgrisk.console import progress
from kgrisk.serve.keys import Holder, Keys, key_of
from kgrisk.serve.rate import Rate, asker
from kgrisk.settings import Settings

BODY = 1 << 20
"""Bytes of a request at most."""
Refusal = tuple[HTTPStatus, str, dict[str, str]]


class Keyed:
    """Lets a request through whose key may read the whole graph, and that is not one of too many.

    Who is turned away for their key stands in the audit log, if there is a home to keep it in.
    """

    def __init__(self, app: ASGIApp, keys: Keys, home: Path | None = None, rate: Rate | None = None) -> None:
        self.app, self.keys, self.home, self.rate = app, keys, home, rate or Rate(200, 400)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        key = key_of(Headers(scope=scope))
        holder = self.keys.find(key) if key else None
        refusal = self._too_often(scope, holder)
        if refusal is None and (refusal := _refused(holder)) is not None:
            await self._put(scope, holder, refusal[0])
        if refusal is None:
            await self.app({**scope, HOLDER: holder}, receive, send)
            return
        status, detail, headers = refusal
        await JSONResponse({"status": status, "detail": detail}, status, headers)(scope, receive, send)

    def _too_often(self, scope: Scope, holder: Holder | None) -> Refusal | None:
        wait = self.rate.wait(asker(scope, holder), time.monotonic())
        return (HTTPStatus.TOO_MANY_REQUESTS, self.rate.told(wait), self.rate.headers(wait)) if wait else None

    async def _put(self, scope: Scope, holder: Holder | None, status: HTTPStatus) -> None:
        who, role = (holder.name, holder.role) if holder else ("", "")
        if self.home is not None and self.home.is_dir():
            act = Act(who, role, "mcp", f"{scope['method']} /mcp", {}, int(status))
            await run_in_threadpool(Audit(self.home).append, [act])


def _refused(holder: Holder | None) -> Refusal | None:
    """Status, reason and headers, if whoever holds the key does not get in."""
    if holder is None:
        known = "send one key as `Authorization: Bearer KEY`; see `kgrisk keys add`"
        return HTTPStatus.UNAUTHORIZED, known, {"WWW-Authenticate": "Bearer"}
    if not holder.may("assess"):
        return HTTPStatus.FORBIDDEN, f"{holder.name} is {holder.role}; agents need a key of an analyst", {}
    if holder.hidden_labels or holder.hidden_sources:
        return HTTPStatus.FORBIDDEN, "this key may not see the whole graph; ask over /v1, which leaves that out", {}
    return None


def serve(settings: Settings, keys: Keys, host: str, port: int) -> None:
    """Answer until stopped."""
    config = uvicorn.Config("", host=host, port=port, log_level="warning", server_header=False)
    socket = config.bind_socket()
    socket.listen(config.backlog)
    bound = socket.getsockname()[1]
    names = [f"{name}:{bound}" for name in (host, "localhost")]
    secure = TransportSecuritySettings(allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names])
    app = build(settings).streamable_http_app(
        host=host, transport_security=secure, max_request_body_size=BODY, max_sessions=100
    )
    keyed = Keyed(app, keys, settings.home, Rate(settings.serve_rate, settings.serve_burst))
    config = uvicorn.Config(keyed, host=host, port=bound, log_level="warning", server_header=False)
    progress(f"agents are answered at http://{host}:{bound}/mcp with a key; Ctrl+C stops")
    uvicorn.Server(config).run(sockets=[socket])
