"""Strict: bodies as RFC 8259 says JSON is: UTF-8, no NaN, no infinity, no name twice, no nesting without end.

Where two readers of one body understand different things (the first or the last of two names, NaN or nothing), one of
them is deceived.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


def strictly(content: bytes) -> Any:
    """The value of a JSON text. ValueError says what is wrong with it."""
    try:
        return json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
    except RecursionError as error:
        raise json.JSONDecodeError("nested too deep", "", 0) from error
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError(f"no UTF-8 ({error.reason})", "", error.start) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise json.JSONDecodeError(f"the name {twice[:40]!r} stands twice", "", 0)
    return found


def _no_number(text: str) -> Any:
    raise json.JSONDecodeError(f"{text} is no number of JSON", "", 0)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise json.JSONDecodeError(f"{text[:40]} is too large", "", 0)
    return value


class _Strict(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_strictly"):
            self._strictly = strictly(await self.body())
        return self._strictly


class StrictRoute(APIRoute):
    """A route that reads bodies so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def read(request: Request) -> Response:
            return await answer(_Strict(request.scope, request.receive))

        return read
