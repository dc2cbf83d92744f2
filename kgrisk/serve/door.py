"""Door: what every route is handed: the desk, who asks, the clocks of the question, and where in a listing they are.

A route is declared through `Routes`, which asks for a permission; there is no other way to declare one, so none can be
without. The permission stands in the OpenAPI page as `x-permission`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request

from kg.errors import KgRiskError
from kg.model import AsOf, as_time
from kgrisk.opened import day
from kgrisk.serve.desk import Desk
from kgrisk.serve.keys import LOCAL, Holder, Keys, Permission
from kgrisk.serve.problem import Problem

PAGE, MOST = 50, 500
"""Rows of a page unless asked otherwise, and at most."""
CURSOR = r"^[A-Za-z0-9_-]*$"


def desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


def holder(request: Request) -> Holder:
    """Who asks. Without any key in the file, whoever reaches loopback is the local analyst."""
    keys = cast(Keys, request.app.state.keys)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = request.headers.get("x-api-key") or (token if scheme.lower() == "bearer" else "")
    if not given and not len(keys):
        return LOCAL
    found = keys.find(given.strip()) if given else None
    if found is None:
        detail = "this key is not known" if given else "no key was given"
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            f"{detail}; send it as `Authorization: Bearer KEY`, made by `kgrisk keys add NAME --role viewer`",
            WWW_Authenticate="Bearer",
        )
    return found


def needs(permission: Permission) -> Callable[[Holder], Holder]:
    """The check that whoever asks may do this."""

    def check(who: Annotated[Holder, Depends(holder)]) -> Holder:
        if not who.may(permission):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                f"{who.name} is {who.role}, which may not {permission}; ask for a key of another role",
            )
        return who

    return check


class Routes(APIRouter):
    """A router whose every route names the permission it needs."""

    def on(self, method: str, path: str, permission: Permission, **more: Any) -> Callable[[Any], Any]:
        """Declare a route: `@routes.on("GET", "/v1/entities", "read")`."""
        guard = [] if permission == "open" else [Depends(needs(permission))]
        extra = {"x-permission": permission, **more.pop("openapi_extra", {})}
        return self.api_route(path, methods=[method], dependencies=guard, openapi_extra=extra, **more)


def clocks(
    valid: Annotated[str | None, Query(description="True in the world at this time, such as 2022-12-31.")] = None,
    known: Annotated[str | None, Query(description="As recorded by this time.")] = None,
    published: Annotated[str | None, Query(description="As published by this time.")] = None,
) -> AsOf:
    """The three instants of a question; what is not said is now."""
    return AsOf(*(_moment(name, text) for name, text in zip(AsOf.__slots__, (valid, known, published), strict=True)))


def _moment(name: str, text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return as_time(day(text))
    except KgRiskError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}: {error}") from error


def to_cursor(*key: str | int | float) -> str:
    """Where a listing goes on: the sort key of the last row, opaque to whoever carries it."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def from_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The key in a cursor; none for an empty one. Problem 422 if this API did not make it."""
    if not cursor:
        return []
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(key, list) or len(key) != len(kinds):
            raise ValueError("another listing's")
        if not all(isinstance(part, kind) for part, kind in zip(key, kinds, strict=True)):
            raise ValueError("another listing's")
    except ValueError as error:  # of base64, of JSON, of text that is no UTF-8, or our own
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"cursor {cursor[:40]!r} is none of this listing; take next_cursor of the page before, unchanged",
        ) from error
    return key


The = Annotated[Desk, Depends(desk)]
Who = Annotated[Holder, Depends(holder)]
At = Annotated[AsOf, Depends(clocks)]
Cursor = Annotated[str, Query(pattern=CURSOR, max_length=2000, description="next_cursor of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page.")]
