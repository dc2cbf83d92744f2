"""Problems: every error of the API as RFC 9457 says, with what was given, what was expected and what to do next."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from kg.errors import (
    CatalogError,
    KgRiskError,
    LeaseHeldError,
    MissingExtraError,
    QueryError,
    QueryMemoryError,
    QueryTimeoutError,
    SettingsError,
    StoreError,
    StoreLockedError,
    TooLargeError,
)
from kgrisk.cases import ClosedCaseError, NoCaseError
from kgrisk.serve.desk import BusyError, ForbiddenError, NotYetError, UnknownError
from kgrisk.views import NoViewError

MEDIA = "application/problem+json"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "trace": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
STATUS: Mapping[type[KgRiskError], HTTPStatus] = {
    UnknownError: HTTPStatus.NOT_FOUND,
    NoCaseError: HTTPStatus.NOT_FOUND,
    NoViewError: HTTPStatus.NOT_FOUND,
    ClosedCaseError: HTTPStatus.CONFLICT,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotYetError: HTTPStatus.CONFLICT,
    BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    CatalogError: HTTPStatus.UNPROCESSABLE_ENTITY,
    QueryError: HTTPStatus.UNPROCESSABLE_ENTITY,
    QueryMemoryError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    QueryTimeoutError: HTTPStatus.GATEWAY_TIMEOUT,
    LeaseHeldError: HTTPStatus.CONFLICT,
    StoreLockedError: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    MissingExtraError: HTTPStatus.NOT_IMPLEMENTED,
    SettingsError: HTTPStatus.INTERNAL_SERVER_ERROR,
    KgRiskError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Status by error; the nearest class above it counts."""
RETRY = "5"
"""Seconds after which a store that is down is worth asking again."""
log = logging.getLogger(__name__)


class Problem(Exception):
    """An error of the door itself: a missing key, too many requests, a body that is too long."""

    def __init__(self, status: HTTPStatus, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def problem(
    status: int, detail: str, instance: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """One problem as a response."""
    known = HTTPStatus(status)
    kind = known.phrase.lower().replace(" ", "-")
    body = {"type": f"urn:kgrisk:problem:{kind}", "title": known.phrase, "status": status, "detail": detail}
    body |= {"instance": instance} if instance else {}
    return JSONResponse(body | more, status, dict(headers or {}), MEDIA)


def allowed(routes: Iterable[Any], path: str) -> set[str]:
    """Methods that a path answers, over all routes of that path."""
    found: set[str] = set()
    for route in routes:
        if (inner := getattr(route, "original_router", None)) is not None:
            found |= allowed(inner.routes, path)
        elif (pattern := getattr(route, "path_regex", None)) is not None and pattern.match(path):
            found |= set(getattr(route, "methods", None) or ())
    return found | ({"HEAD"} if "GET" in found else set())


def install(app: FastAPI) -> None:
    """Let an app answer every error so."""

    @app.exception_handler(KgRiskError)
    def on_purpose(request: Request, error: KgRiskError) -> JSONResponse:
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        headers = {"Retry-After": RETRY} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
        return problem(status, str(error), request.url.path, headers)

    @app.exception_handler(Problem)
    def at_the_door(request: Request, error: Problem) -> JSONResponse:
        return problem(error.status, error.detail, request.url.path, error.headers)

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [{"at": "/".join(map(str, fault["loc"])), "detail": fault["msg"]} for fault in error.errors()]
        detail = "; ".join(f"{fault['at']}: {fault['detail']}" for fault in faults)
        return problem(422, f"the request does not fit: {detail}", request.url.path, errors=faults)

    @app.exception_handler(HTTPException)
    def routed(request: Request, error: HTTPException) -> JSONResponse:
        status, headers = error.status_code, dict(error.headers or {})
        methods = allowed(app.routes, request.url.path)
        if status == HTTPStatus.METHOD_NOT_ALLOWED and not methods:  # said by the page's files, which only are read
            outside = request.url.path.startswith("/v1/")
            status, methods = (404, methods) if outside else (status, {"GET", "HEAD"})
        if status == HTTPStatus.METHOD_NOT_ALLOWED or (status == 404 and methods and request.method not in methods):
            status, headers["Allow"] = HTTPStatus.METHOD_NOT_ALLOWED, ", ".join(sorted(methods))
            detail = f"{request.method[:20]} is not answered here; allowed: {headers['Allow'] or 'nothing'}"
            return problem(status, f"{detail}; the routes are listed at /docs", request.url.path, headers)
        nothing = f"nothing is at {request.url.path[:200]!r}; the routes are listed at /docs"
        detail = nothing if status == 404 else str(error.detail)
        return problem(status, detail, request.url.path, headers)

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> JSONResponse:
        trace = uuid.uuid4().hex
        log.error("trace %s", trace, exc_info=error)
        detail = "an error of the engine itself; the server's log has it under this trace id"
        return problem(500, detail, request.url.path, trace=trace)
