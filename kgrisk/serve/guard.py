"""Guard: what is checked of every request before any route sees it, and what every response carries.

Written on the bare ASGI interface, because a body has to be counted while it is read: a chunked one says no length.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kg.errors import SettingsError
from kgrisk.serve.keys import Keys, key_of
from kgrisk.serve.problem import problem
from kgrisk.serve.rate import Rate, asker

LOCAL = ("127.0.0.1", "localhost", "[::1]")
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
BODY = 1 << 20
"""Bytes of a request's body at most."""
SLOWEST = 30.0
"""Seconds in which a body has to be there."""
ADDRESS = 8192
"""Characters of a path with its query at most."""
KEPT = ("route", "kgrisk.role")
"""What is found out of a request and counted outside."""
Refusal = tuple[int, str, dict[str, str]]


class Guard:
    """Hosts, origins, rate, path and body of a request; security headers of a response."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Sequence[str] = LOCAL,
        body: int = BODY,
        rate: Rate | None = None,
        keys: Keys | None = None,
    ) -> None:
        self.app, self.hosts, self.body = app, frozenset(hosts), body
        self.rate, self.keys = rate or Rate(200, 400), keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"  # a GET of which only the headers are sent
        own = {**scope, "method": "GET"} if head else scope
        carried = _carrying(send, head)
        if (refusal := self._refused(own)) is not None:
            status, detail, headers = refusal
            await problem(status, detail, str(scope["path"])[:ADDRESS], headers)(own, receive, carried)
            return
        await self.app(own, self._counting(receive), carried)
        scope.update({name: own[name] for name in KEPT if name in own})

    def _counting(self, receive: Receive) -> Receive:
        """A receive that counts the bytes of the body, and the seconds until all of it is there."""
        read, over, end = 0, False, time.monotonic() + SLOWEST

        async def counted() -> Message:
            nonlocal read, over
            try:
                message = await (receive() if over else asyncio.wait_for(receive(), max(0.0, end - time.monotonic())))
            except TimeoutError as error:
                detail = f"the body was not there after {SLOWEST:g} s; send it in one go"
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail, {"Connection": "close"}) from error
            read += len(message.get("body", b""))
            over = not message.get("more_body", False)
            if read > self.body:  # the app answers this as it does every other problem
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_long)
            return message

        return counted

    @property
    def _too_long(self) -> str:
        return (
            f"a body may have {self.body} bytes; send less, let `kgrisk ingest` read a file, or raise serve_body of "
            "the server's settings"
        )

    def _refused(self, scope: Scope) -> Refusal | None:
        """Status, reason and headers, if this request goes no further."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name(host) not in self.hosts or len(headers.getlist("host")) != 1:
            return 421, f"host {host[:100]!r} is not served here; known: {', '.join(sorted(self.hosts))}", {}
        origin = headers.get("origin")
        if origin is not None and _place(origin) != host:
            return 403, f"a page of {origin[:100]!r} may not ask; open the page of this server itself", {}
        return self._ill_formed(scope, headers) or self._too_often(scope, headers)

    def _ill_formed(self, scope: Scope, headers: Headers) -> Refusal | None:
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self.body:
            return 413, self._too_long, {}
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > ADDRESS:
            return 414, f"an address may have {ADDRESS} characters; send long values in the body of a POST", {}
        if any(ord(sign) < 32 or sign == "\x7f" for sign in str(scope["path"])):
            return 404, "nothing has a control character in its path; take paths from /docs and ids from answers", {}
        return None

    def _too_often(self, scope: Scope, headers: Headers) -> Refusal | None:
        wait = self.rate.wait(self._asker(scope, headers), time.monotonic())
        if not wait:
            return None
        return 429, self.rate.told(wait), self.rate.headers(wait)

    def _asker(self, scope: Scope, headers: Headers) -> str:
        """Whose rate counts: the holder of a key that is known, else the address, whatever is sent as a key."""
        key = key_of(headers) if self.keys is not None else ""
        try:
            found = self.keys.find(key) if key and self.keys is not None else None
        except SettingsError:  # routes that need a key say that its file is spoiled; the others answer
            found = None
        return asker(scope, found)


def _name(host: str) -> str:
    """The host without its port."""
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host


def _place(origin: str) -> str:
    """Host and port of an origin; empty for one that is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _carrying(send: Send, head: bool) -> Send:
    async def carried(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY.items():
                headers.setdefault(name, value)
        elif head:
            message = {**message, "body": b""}
        await send(message)

    return carried
