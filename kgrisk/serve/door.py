"""Door: what every route is handed: the desk, who asks, the clocks of the question, and where in a listing they are.

A route is declared through `Routes`, which asks for a permission; there is no other way to declare one, so none can be
without. The permission stands in the OpenAPI page as `x-permission`.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request

from kg.errors import KgRiskError, SettingsError
from kg.model import AsOf, as_time
from kgrisk.opened import day
from kgrisk.serve.desk import Desk
from kgrisk.serve.keys import LOCAL, Holder, Keys, Permission, key_of
from kgrisk.serve.problem import MEDIA, SCHEMA, Problem
from kgrisk.serve.strict import StrictRoute

PAGE, MOST = 50, 500
"""Rows of a page unless asked otherwise, and at most."""
CURSOR = r"^[A-Za-z0-9_-]*$"
MOMENT = (
    r"^((\d{3}[1-9]|\d{2}[1-9]\d|\d[1-9]\d{2}|[1-9]\d{3})-"
    r"((0[13-9]|1[0-2])-(0[1-9]|[12]\d|30)|(0[13578]|1[02])-31|02-(0[1-9]|[12]\d))"
    r"(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))?)?$"
)
"""A day, or a moment of one with its zone, as ISO 8601 writes it; empty: none."""
TIME: dict[str, Any] = {"max_length": 40, "json_schema_extra": {"pattern": MOMENT}}
"""What the OpenAPI page says of a clock; `moment` says the same in words."""
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key of `kgrisk keys add`."},
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The same key."},
}
"""Ways to send a key, as the OpenAPI page tells them."""
PROBLEM = {
    "description": "A problem as RFC 9457 says: what was given, what was expected, what to do next.",
    "content": {MEDIA: {"schema": SCHEMA}},
}
log = logging.getLogger(__name__)


async def desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


def holder(request: Request) -> Holder:
    """Who asks. Where no key was ever seen, whoever reaches loopback is the local analyst."""
    keys = cast(Keys, request.app.state.keys)
    given = key_of(request.headers)
    try:
        none = not len(keys)
    except SettingsError as error:  # its words are the administrator's: they may quote the file
        log.error("nobody is let in: %s", error)
        raise Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"the key file {keys.path.name} in the home folder of this server is spoiled, so nobody is let in; the "
            "server's log says how; restore it, or move it away and make keys anew",
        ) from error
    if none and not given and not keys.needed:
        return LOCAL
    found = keys.find(given) if given else None
    if found is None:
        detail = "this key is not known, or is past its day" if given else "no key was given"
        detail += " and no key is left, but this server was closed and stays so" if none and keys.needed else ""
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            f"{detail}; send it as `Authorization: Bearer KEY`, made by `kgrisk keys add NAME --role viewer`",
            WWW_Authenticate="Bearer",
        )
    return found


async def asker(request: Request) -> Holder:
    """Who asks, for a route; noted for what is counted."""
    found = holder(request)
    request.scope["kgrisk.role"] = found.role
    return found


def needs(permission: Permission) -> Callable[[Holder], Awaitable[Holder]]:
    """The check that whoever asks may do this."""

    async def check(who: Annotated[Holder, Depends(asker)]) -> Holder:
        if not who.may(permission):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                f"{who.name} is {who.role}, which may not {permission}; ask for a key of another role",
            )
        return who

    return check


class Routes(APIRouter):
    """A router whose every route names the permission it needs, and reads bodies strictly."""

    def __init__(self, **more: Any) -> None:
        super().__init__(route_class=StrictRoute, **more)

    def on(self, method: str, path: str, permission: Permission, **more: Any) -> Callable[[Any], Any]:
        """Declare a route: `@routes.on("GET", "/v1/entities", "read")`."""
        guard = [] if permission == "open" else [Depends(needs(permission))]
        keys: list[dict[str, list[str]]] = [] if permission == "open" else [{name: []} for name in SCHEMES]
        extra = {"x-permission": permission, "security": keys, **more.pop("openapi_extra", {})}
        own = {422: {}, "default": {}, **more.get("responses", {})}
        wrong = {code: {**PROBLEM, **told} for code, told in own.items() if code == "default" or int(code) >= 400}
        more["responses"] = {**own, **wrong}
        return self.api_route(path, methods=[method], dependencies=guard, openapi_extra=extra, **more)


async def clocks(
    valid: Annotated[
        str, Query(**TIME, description="True in the world at this time, such as 2022-12-31; empty: `known`.")
    ] = "",
    known: Annotated[str, Query(**TIME, description="As recorded by this time; empty: by the last commit.")] = "",
    published: Annotated[str, Query(**TIME, description="As published by this time; empty: at any time.")] = "",
) -> AsOf:
    """The three instants of a question; not said, `known` is that of the last commit, `valid` is `known`, and whatever
    was ever published counts."""
    return AsOf(*(moment(name, text) for name, text in zip(AsOf.__slots__, (valid, known, published), strict=True)))


def moment(name: str, text: str) -> datetime | None:
    """The moment that the text of a parameter says; none for an empty one. Problem 422 if it says none."""
    if not text:
        return None
    try:
        return as_time(day(text))
    except (KgRiskError, OverflowError) as error:  # the latter of a zone that leads out of the calendar
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
Who = Annotated[Holder, Depends(asker)]
At = Annotated[AsOf, Depends(clocks)]
Cursor = Annotated[str, Query(pattern=CURSOR, max_length=2000, description="next_cursor of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page.")]
