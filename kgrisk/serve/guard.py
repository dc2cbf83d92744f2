"""Guard: what is checked of every request before any route sees it, and what every response carries.

Written on the bare ASGI interface, because a body has to be counted while it is read: a chunked one says no length.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kgrisk.serve.problem import problem

LOCAL = ("127.0.0.1", "localhost", "[::1]")
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
BODY = 1 << 20
"""Bytes of a request's body at most."""
KNOWN = 10_000
"""Askers whose rate is remembered; who asked least lately is forgotten first."""


class Rate:
    """A token bucket per asker: `burst` at once, `per_second` in the long run."""

    def __init__(self, per_second: float, burst: int) -> None:
        self.per_second, self.burst = per_second, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, asker: str, now: float) -> float:
        """Seconds to wait before this request is served; 0 if it is served now."""
        left, since = self._left.pop(asker, (float(self.burst), now))
        left = min(self.burst, left + (now - since) * self.per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self.per_second
        self._left[asker] = (left - 1 if not wait else left, now)
        while len(self._left) > KNOWN:
            self._left.popitem(last=False)
        return wait


class Guard:
    """Hosts, origins, rate, path and body of a request; security headers of a response."""

    def __init__(
        self, app: ASGIApp, hosts: Sequence[str] = LOCAL, body: int = 1 << 20, rate: Rate | None = None
    ) -> None:
        self.app, self.hosts, self.body = app, frozenset(hosts), body
        self.rate = rate or Rate(200, 400)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        carried = _carrying(send)
        if (refusal := self._refused(scope)) is not None:
            status, detail, headers = refusal
            await problem(status, detail, str(scope["path"]), headers)(scope, receive, carried)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.body:  # the app answers this as it does every other problem
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_long)
            return message

        await self.app(scope, counted, carried)

    @property
    def _too_long(self) -> str:
        return f"a body may have {self.body} bytes; send less, or let `kgrisk ingest` read a file"

    def _refused(self, scope: Scope) -> tuple[int, str, dict[str, str]] | None:
        """Status, reason and headers, if this request goes no further."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name(host) not in self.hosts:
            return 421, f"host {host[:100]!r} is not served here; known: {', '.join(sorted(self.hosts))}", {}
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, f"a page of {origin[:100]!r} may not ask; open the page of this server itself", {}
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self.body:
            return 413, self._too_long, {}
        asker = headers.get("authorization") or headers.get("x-api-key") or str((scope.get("client") or [""])[0])
        if wait := self.rate.wait(asker, time.monotonic()):
            return 429, f"too many requests; wait {wait:.2f} s", {"Retry-After": str(max(1, round(wait)))}
        return None


def _name(host: str) -> str:
    """The host without its port."""
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host


def _carrying(send: Send) -> Send:
    async def carried(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY.items():
                headers.setdefault(name, value)
        await send(message)

    return carried
