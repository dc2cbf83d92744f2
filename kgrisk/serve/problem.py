"""Problems: every error of the API as RFC 9457 says, with what was given, what was expected and what to do next."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
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
    QueryTimeoutError,
    SettingsError,
    StoreError,
    StoreLockedError,
)
from kgrisk.serve.desk import UnknownError

MEDIA = "application/problem+json"
STATUS: Mapping[type[KgRiskError], HTTPStatus] = {
    UnknownError: HTTPStatus.NOT_FOUND,
    CatalogError: HTTPStatus.UNPROCESSABLE_ENTITY,
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
        detail = f"{error.detail}; the routes are listed at /docs" if error.status_code == 404 else str(error.detail)
        return problem(error.status_code, detail, request.url.path, error.headers)

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> JSONResponse:
        trace = uuid.uuid4().hex
        log.error("trace %s", trace, exc_info=error)
        detail = "an error of the engine itself; the server's log has it under this trace id"
        return problem(500, detail, request.url.path, trace=trace)
