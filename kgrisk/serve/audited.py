"""Audited: every request of the API, written into the audit log.

Written on the bare ASGI interface, like the guard. One thread writes what has come in together in one go (one fsync).
A request that may write is answered once its entry is on disk; one that only reads (GET, HEAD) is answered at once
and its entry follows within milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import re
import threading
import time
from collections.abc import MutableMapping
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kg.errors import KgRiskError
from kgrisk.audit import Act, Audit
from kgrisk.serve.door import holder
from kgrisk.serve.problem import Problem, problem

API = "/v1/"
"""Begins the paths that tell of the graph; of others only what may write is written down."""
READS = ("GET", "HEAD", "OPTIONS")
SHOWN = 4096
"""Bytes of a request's body that are read for its parameters, and 16 times as many of an answer for the ids in it."""
IDS = re.compile(rb'"(?:run|run_id|job|case|scenario_id|again)":\s*"([A-Za-z0-9_.:-]{6,80})"')
MOST = 20
"""Ids that are written down of one answer."""
WAITING = 10_000
log = logging.getLogger(__name__)


class Scribe:
    """The one thread of a server that writes the log."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit
        self.failed = False
        """Did the last writing fail? Then reads wait for theirs as well."""
        self._acts: queue.Queue[tuple[Act, Future[None]]] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def put(self, act: Act) -> Future[None]:
        """Hand in an act; the future is done when it is on disk."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
                self._thread.start()
        done: Future[None] = Future()
        self._acts.put((act, done))
        return done

    def _write(self) -> None:
        while True:
            waiting = [self._acts.get()]
            while len(waiting) < WAITING:
                try:
                    waiting.append(self._acts.get_nowait())
                except queue.Empty:
                    break
            # who asked may be gone: the entry is written all the same, and nobody is told
            told = [done for _, done in waiting if done.set_running_or_notify_cancel()]
            try:
                self.audit.append([act for act, _ in waiting])
                self.failed = False
                for done in told:
                    done.set_result(None)
            except Exception as error:  # whatever it is: who waits is told, and the thread goes on
                self.failed = True
                log.error("the audit log in %s cannot be written: %s", self.audit.folder, error)
                for done in told:
                    done.set_exception(error)

    def flush(self) -> None:
        """Wait until everything handed in is on disk."""
        if self._thread is not None:
            try:
                self.put(Act("log", "", "http", "stop", {})).result(30)
            except (KgRiskError, OSError, TimeoutError) as error:
                log.error("the audit log in %s was not written to its end: %s", self.audit.folder, error)


class Audited:
    """The middleware: who asked what, with which parameters, and what came of it."""

    def __init__(self, app: ASGIApp, audit: Audit) -> None:
        self.app, self.scribe = app, Scribe(audit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self.app(scope, receive, send)
            finally:
                self.scribe.flush()
            return
        if scope["type"] != "http" or (scope["method"] in READS and not scope["path"].startswith(API)):
            await self.app(scope, receive, send)
            return
        heard = _Heard(scope)
        try:
            await self.app(scope, heard.listening(receive), self._answering(heard, receive, send))
        except BaseException:
            if not heard.told:
                await self._write_down(heard, HTTPStatus.INTERNAL_SERVER_ERROR, b"")
            raise

    def _answering(self, heard: _Heard, receive: Receive, send: Send) -> Send:
        """A send that holds the head of the answer back until its entry is written."""
        held: list[Message] = []

        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start" and not heard.told:
                held.append(message)
                return
            if held:
                start = held.pop()
                heard.headers = Headers(raw=start["headers"])
                if await self._write_down(heard, start["status"], message.get("body", b"")):
                    await send(start)
                else:
                    detail = (
                        "the audit log cannot be written, so nothing is answered; what was asked may have been done"
                    )
                    refusal = problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, str(heard.scope["path"]))
                    heard.refused = True
                    await refusal(heard.scope, receive, send)
            if not heard.refused:
                await send(message)

        return answering

    async def _write_down(self, heard: _Heard, status: int, body: bytes) -> bool:
        """Write the entry; False if an answer must not leave because it could not be written."""
        heard.told = True
        done = self.scribe.put(heard.act(status, body))
        if heard.scope["method"] in READS and not self.scribe.failed:
            return True
        try:
            await asyncio.wrap_future(done)
        except (KgRiskError, OSError, ValueError):
            return False
        return True


class _Heard:
    """What is known of one request."""

    def __init__(self, scope: Scope) -> None:
        self.scope, self.began = scope, time.perf_counter()
        self.body, self.size = b"", 0
        self.headers: Headers | None = None
        self.told = self.refused = False

    def listening(self, receive: Receive) -> Receive:
        async def listening() -> Message:
            message = await receive()
            piece = message.get("body", b"")
            self.size += len(piece)
            if len(self.body) <= SHOWN:
                self.body += piece[: SHOWN + 1]
            return message

        return listening

    def act(self, status: int, body: bytes) -> Act:
        """The request as it is written down."""
        who, role = _who(self.scope)
        route = getattr(self.scope.get("route"), "path", "")
        what = f"{self.scope['method']} {route or '(no route)'}"
        parameters = self._parameters() | ({} if route else {"path": self.scope["path"]})
        told = self.headers or Headers()
        commit = told.get("x-commit", "")
        return Act(
            who,
            role,
            "http",
            what,
            parameters,
            int(status),
            round((time.perf_counter() - self.began) * 1000),
            {name: told[f"x-{name}"] for name in ("valid", "known", "published") if f"x-{name}" in told},
            int(commit) if commit.isdigit() else None,
            _ids(body, told.get("content-type", "")),
        )

    def _parameters(self) -> dict[str, Any]:
        """Those of the path, of the query and of the body, each under its own name."""
        found: MutableMapping[str, Any] = dict(self.scope.get("path_params") or {})
        for name, value in parse_qsl(self.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True):
            found[name] = [*_several(found[name]), value] if name in found else value
        if self.size:
            found["body"] = _parsed(self.body) if self.size <= SHOWN else {"bytes": self.size}
        return dict(found)


def _who(scope: Scope) -> tuple[str, str]:
    """Name and role of who asks; nobody, where the key is not known."""
    try:
        found = holder(Request(scope))
    except (Problem, KgRiskError):
        return "", ""
    return found.name, found.role


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parsed(body: bytes) -> Any:
    """A JSON body; of any other only its length, because nobody can tell what in it is a secret."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return {"bytes": len(body)}


def _ids(body: bytes, kind: str) -> list[str]:
    """Runs, jobs and cases that an answer names."""
    if not kind.startswith("application/json") or len(body) > 16 * SHOWN:
        return []
    return sorted({found.decode() for found in IDS.findall(body)})[:MOST]
