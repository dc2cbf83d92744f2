"""Strict: a server that takes no argument it does not know, and says in plain words what is wrong with one.

An argument that is left out unread is worse than an error: a time under a wrong name would be answered as of now.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, InputRequiredResult, Tool
from pydantic import ValidationError

CLOCKS: Final = ("valid", "known", "published")
TIMES: Final = frozenset(("as_of", "asof", "as_at", "at", "date", "day", "moment", "time", "timestamp", "when"))
"""What others call a time, which is one of three here."""


class Strict(MCPServer):
    """A server whose tools are strict about their arguments."""

    async def list_tools(self) -> list[Tool]:
        """The tools, each closed to arguments that its schema does not name."""
        tools = await super().list_tools()
        return [
            tool.model_copy(update={"input_schema": {**tool.input_schema, "additionalProperties": False}})
            for tool in tools
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """The answer of a tool. ToolError names an argument that it does not take, and the known one that is near."""
        for tool in await self.list_tools():
            if tool.name == name:
                _known(name, arguments, list(tool.input_schema.get("properties", {})))
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(f"{name}: {_words(error.__cause__)}") from error
            raise


def _known(tool: str, given: dict[str, Any], known: list[str]) -> None:
    for name in given:
        if name in known:
            continue
        near = get_close_matches(name, known, 1)
        if name.casefold() in TIMES and set(CLOCKS) <= set(known):
            near = [", ".join(CLOCKS[:-1]) + " or " + CLOCKS[-1]]
        hint = f"; did you mean {near[0]}?" if near else ""
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise ToolError(f"{tool} has no argument {name[:100]!r}{hint} ({takes}); nothing was asked")


def _words(error: ValidationError) -> str:
    """What is wrong with each argument, without the text that it has in the library."""
    told = []
    for one in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in one["loc"]) or "the arguments"
        given = "" if one["type"] == "missing" else f", not {str(one['input'])[:80]!r}"
        wrong = "is missing" if one["type"] == "missing" else one["msg"].replace("Input should", "should")
        told.append(f"{where} {wrong}{given}")
    return "; ".join(told)
