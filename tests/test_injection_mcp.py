"""Values that want to be code, in every text that a reading tool of the agents' door takes."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from kg.errors import KgRiskError
from kgrisk.agents.server import build
from kgrisk.api import open as open_graph
from kgrisk.settings import Settings
from tests.injection_values import VALUES
from tests.kgrisk_world import BIG, SMALL, write_registers

RIGHT = {"words": "bank", "id": BIG, "source": SMALL, "target": BIG, "name": "hit_if_fails", "what": f"equity:{BIG}"}
EACH = 4
"""Values of each parameter, other ones of each."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("agents")
    settings = Settings(home=folder / "home", store=f"arcadedb://{folder}/store", mcp_seconds=600)
    with open_graph(folder / "home", settings=settings) as made:
        made.ingest(write_registers(folder / "in"))
        made.query("hit_if_fails", id=BIG)
    return settings


def hashed(settings: Settings) -> str:
    with open_graph(settings.home, settings=settings) as graph:
        return graph.store.graph_hash()


def texts(schema: dict[str, Any]) -> list[str]:
    """Names of the parameters that take a text."""
    told = schema["properties"].items()
    return [name for name, kind in told if kind.get("type") == "string" and "enum" not in kind]


def root(error: BaseException) -> BaseException:
    """What an error came of in the end, as it was raised on purpose: one of ours, or a value that is none."""
    while isinstance(error, ToolError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def test_no_value_of_any_reading_tool_is_more_than_a_value(settings: Settings, tmp_path: Path) -> None:
    before, asked, dice = hashed(settings), 0, random.Random(11)

    async def ask() -> int:
        asked, server = 0, build(settings)
        for tool in await server.list_tools():
            schema = tool.input_schema
            for name in texts(schema):
                for value in dice.sample(VALUES, EACH):
                    given = {own: RIGHT.get(own, "x") for own in schema.get("required", [])} | {name: value}
                    try:
                        told = str(await server.call_tool(tool.name, given))
                    except ToolError as error:
                        told = str(error)
                        assert isinstance(root(error), KgRiskError | ValueError | ToolError), (tool.name, name, value)
                    assert "Traceback" not in told and 'File "/' not in told, (tool.name, name, value, told)
                    asked += 1
        return asked

    asked = asyncio.run(ask())
    assert asked > 20 * EACH
    assert hashed(settings) == before
