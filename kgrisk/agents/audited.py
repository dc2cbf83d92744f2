"""Audited: every call at the agents' door, written down with who asked, what for, and how it went, refused ones too.

It stands around all that the server answers, so no tool can be without. A writing tool has an entry before it begins;
the one at its end is written by the tool itself, in the thread that did the act, so that an act which nobody waited for
any more is told as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR
from pydantic import BaseModel

from kg.clocks import EVER, iso
from kg.errors import KgRiskError
from kgrisk.audit import Act, Audit
from kgrisk.audit_user import user
from kgrisk.shown import EVERYTHING

HOLDER: Final = "kgrisk.holder"
"""Where a request over HTTP carries whose key it came with."""
READ: Final = "resources/read"


class Call:
    """One call in the audit log."""

    def __init__(self, home: Path, act: Act) -> None:
        self.audit, self.act = Audit(home), act
        self.over, self._began = False, time.perf_counter()

    def begin(self) -> None:
        self.audit.append([replace(self.act, status="begun")])

    def end(self, status: int | str, error: str = "", **more: Any) -> None:
        """How it went; `more` are fields of the entry."""
        parameters = {**self.act.parameters, **({"error": error} if error else {})}
        took = round((time.perf_counter() - self._began) * 1000)
        self.audit.append([replace(self.act, status=status, ms=took, parameters=parameters, **more)])
        self.over = True


CALL: ContextVar[Call | None] = ContextVar("kgrisk_call", default=None)
"""The call that is being answered."""


class Audited:
    """Around every message: calls of tools and reads of resources are written down."""

    def __init__(self, server: MCPServer, home: Path) -> None:
        self.server, self.home = server, home

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method not in ("tools/call", READ) or not self.home.is_dir():
            return await call_next(ctx)
        tools = {tool.name: tool.annotations for tool in await self.server.list_tools()}
        call = Call(self.home, _act(ctx, tools))
        hints = tools.get(call.act.what)
        if hints is not None and not hints.read_only_hint:
            await _put(call.begin)
        token, end = CALL.set(call), partial(call.end, "failed")
        try:
            result = await call_next(ctx)
            end = partial(call.end, **_told(result))
            return result
        except Exception as error:
            end = partial(call.end, 1, str(error))
            raise
        finally:
            CALL.reset(token)
            if not call.over:
                with anyio.CancelScope(shield=True):  # who went away has asked all the same
                    await _put(end)


def _act(ctx: ServerRequestContext[Any, Any], tools: Collection[str]) -> Act:
    """What is asked for, and by whom: the holder of a key, else whoever runs this process."""
    given = ctx.params or {}
    if ctx.method == READ:
        what, parameters = "read_resource", {"uri": str(given.get("uri", ""))}
    else:
        what, arguments = str(given.get("name", "")), given.get("arguments")
        parameters = dict(arguments) if isinstance(arguments, Mapping) else {}
        if what not in tools:
            what, parameters = "(no tool)", {"tool": what, **parameters}
    holder = ctx.request.scope.get(HOLDER) if ctx.request is not None else None
    who, role = (holder.name, holder.role) if holder is not None else (user(), "")
    return Act(who, role, "mcp", what, parameters)


async def _put(write: Callable[[], None]) -> None:
    """Write on a thread. What cannot be written down is not answered."""
    try:
        await anyio.to_thread.run_sync(write)
    except (OSError, ValueError, KgRiskError) as error:
        raise MCPError(
            INTERNAL_ERROR, f"the audit log cannot be written ({error}); nothing is answered until it can"
        ) from error


def _told(result: HandlerResult) -> dict[str, Any]:
    """What stands in the log of an answer: how it went, at which clocks, of which commit and runs."""
    told: Mapping[str, Any] = result.model_dump() if isinstance(result, BaseModel) else result or {}
    if told.get("is_error") or told.get("isError"):
        blocks: Sequence[Mapping[str, Any]] = told.get("content") or ()
        return {"status": 1, "error": " ".join(str(block.get("text", "")) for block in blocks)}
    answer = told.get("structured_content") or told.get("structuredContent") or {}
    at: Mapping[str, Any] = answer.get("at") or {}
    clocks = {name: iso(EVER) if value == EVERYTHING else str(value) for name, value in at.items()}
    run = (answer.get("told") or {}).get("run")
    return {"status": 0, "clocks": clocks, "commit": answer.get("commit"), "ids": [str(run)] if run else []}
