"""The MCP server: tools with their schemas, listed before any graph is opened.

The graph and all that asks it are loaded at the first call, so that an agent gets its list of tools at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Annotated, Any, Final, Literal

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from kg.errors import KgRiskError
from kgrisk import __version__
from kgrisk.agents.answer import DATA, Answer, Caps
from kgrisk.agents.audited import Audited
from kgrisk.agents.strict import Strict
from kgrisk.extras import need
from kgrisk.settings import Settings

ABOUT: Final = f"""Financial risk on a knowledge graph. Search for an entity first: every other tool takes its id.
`ask` answers a question in sentences that each name the statements behind them, or says that it is not in the graph;
it never guesses. `explain` leads from a statement to the words of a document. Times: `valid` is when a thing is true
in the world, `known` when the ledger recorded it, `published` when it was published; left empty, `known` is that of
the last commit, `valid` is `known`, and whatever was ever published counts. Amounts ending in _minor are in the
smallest unit of the currency. {DATA}"""
READS: Final = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
WRITES: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
Id = Annotated[str, Field(min_length=1, max_length=300, description="Id of an entity, as `search` gives it.")]
When = Annotated[str, Field(max_length=40, description="A day or time, such as 2022-12-31; empty: of the last commit.")]
Most = Annotated[int, Field(ge=1, le=1000, description="Rows at most; the server has a cap of its own.")]
Types = Annotated[list[str] | None, Field(max_length=40, description="Edge types such as LENDS_TO.")]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
By = Annotated[str, Field(min_length=1, max_length=200, description="Who says so; it is kept.")]
Kind = Annotated[str, Field(max_length=60, description="Kind of entity, such as Bank; empty: all.")]


class Room:
    """The tools over a graph that is opened at the first call."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.caps = Caps(settings.mcp_rows, settings.mcp_seconds, settings.mcp_tokens)
        self._tools: Any = None
        self._lock = Lock()

    async def ask(self, tool: str, clocks: Mapping[str, str], **given: Any) -> Answer:
        """The answer of a tool; what goes wrong on purpose is told in the words of the command line."""
        try:
            with anyio.fail_after(self.caps.seconds):
                work = partial(self.work, tool, clocks, given)
                found: Answer = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
                return found
        except KgRiskError as error:
            raise ToolError(str(error)) from error
        except TimeoutError as error:
            raise ToolError(
                f"{tool} took more than {self.caps.seconds:g} seconds and is not waited for; ask for less, ask again "
                "in a moment (a store is filled at its first question), or raise KGRISK_MCP_SECONDS"
            ) from error

    def work(self, tool: str, clocks: Mapping[str, str], given: Mapping[str, Any]) -> Any:
        with self._lock:
            if self._tools is None:
                self._tools = need("kgrisk.agents.tools", "agents").Tools(self.settings)
        return self._tools.ask(tool, clocks, given)


def build(settings: Settings, writes: bool = False) -> MCPServer:
    """The server; without `writes` it has no tool that changes anything."""
    room = Room(settings)
    about = f"{ABOUT}\nCaps: {room.caps.told()}; an answer that was cut says so by truncated, more and cut_by."
    server = Strict("kgrisk", instructions=about, version=__version__, log_level="WARNING")
    _finding(server, room)
    _ties(server, room)
    _asking(server, room)
    _judging(server, room)
    _resources(server, room)
    if writes:
        _writing(server, room)
    server.middleware.append(Audited(server, settings.home))
    return server


def _finding(server: MCPServer, room: Room) -> None:
    read = partial(server.tool, annotations=READS, structured_output=True)

    @read(title="Search")
    async def search(
        words: Text,
        label: Kind = "",
        by: Annotated[Literal["name", "meaning"], Field(description="meaning needs `kgrisk index`.")] = "name",
        k: Most = 10,
        valid: When = "",
        known: When = "",
        published: When = "",
    ) -> Answer:
        """Entities by name or id, best first; or documents, pages and recordings by meaning."""
        return await room.ask("search", _clocks(valid, known, published), words=words, label=label, by=by, k=k)

    @read(title="Entity")
    async def entity(id: Id, valid: When = "", known: When = "", published: When = "") -> Answer:
        """One entity: names, figures, scores and texts, newest first, each with its clocks and its statement."""
        return await room.ask("entity", _clocks(valid, known, published), id=id)

    @read(title="Neighbours")
    async def neighbours(
        id: Id, types: Types = None, k: Most = 20, valid: When = "", known: When = "", published: When = ""
    ) -> Answer:
        """Edges at an entity, newest first, with amounts, clocks and statements."""
        return await room.ask("neighbours", _clocks(valid, known, published), id=id, types=types or (), k=k)


def _ties(server: MCPServer, room: Room) -> None:
    read = partial(server.tool, annotations=READS, structured_output=True)

    @read(title="Path")
    async def path(
        source: Id,
        target: Id,
        hops: Annotated[int, Field(ge=1, le=6, description="Edges of a path at most.")] = 4,
        k: Annotated[int, Field(ge=1, le=50, description="Paths at most.")] = 5,
        types: Types = None,
        valid: When = "",
        known: When = "",
        published: When = "",
    ) -> Answer:
        """Shortest paths between two entities, in either direction of each edge, not through a country, a sector or a
        document, nor over predicted edges, unless `types` says so; `given_up` if too wide."""
        given = {"source": source, "target": target, "hops": hops, "k": k, "types": types or ()}
        return await room.ask("path", _clocks(valid, known, published), **given)


def _asking(server: MCPServer, room: Room) -> None:
    read = partial(server.tool, annotations=READS, structured_output=True)

    @read(title="Named queries")
    async def list_queries() -> Answer:
        """The named queries with what each tells and takes."""
        return await room.ask("list_queries", {})

    @read(title="Named query")
    async def named_query(
        name: Annotated[str, Field(max_length=100, description="As `list_queries` gives it.")],
        parameters: Annotated[dict[str, Any] | None, Field(description="Its parameters by name.")] = None,
        valid: When = "",
        known: When = "",
        published: When = "",
    ) -> Answer:
        """Rows of a named query. Free Cypher is not taken here."""
        return await room.ask("named_query", _clocks(valid, known, published), name=name, parameters=parameters or {})

    @read(title="Risk")
    async def risk(
        measure: Annotated[str, Field(max_length=60, description="Such as debtrank or eisenberg_noe.")] = "debtrank",
        shock: Annotated[
            str | dict[str, Annotated[float, Field(ge=0, le=1)]],
            Field(description="An id that fails, fractions by id, or `score:distress`."),
        ] = "score:distress",
        scenario: Annotated[str, Field(max_length=100, description="One of the library, in place of a shock.")] = "",
        label: Kind = "",
        k: Most = 20,
        valid: When = "",
        known: When = "",
        published: When = "",
    ) -> Answer:
        """Losses after a shock, largest first, and their total. Nothing is written."""
        given = {"measure": measure, "shock": shock, "scenario": scenario, "label": label, "k": k}
        return await room.ask("risk", _clocks(valid, known, published), **given)


def _judging(server: MCPServer, room: Room) -> None:
    read = partial(server.tool, annotations=READS, structured_output=True)

    @read(title="Ask")
    async def ask(question: Text, valid: When = "", known: When = "", published: When = "") -> Answer:
        """A question in English, answered in sentences that each name the statements behind them; else `not in the
        graph` with the reason and who should look."""
        return await room.ask("question", _clocks(valid, known, published), question=question)

    @read(title="Explain")
    async def explain(
        what: Annotated[str, Field(min_length=1, max_length=500, description="Statement, edge, claim or score:id.")],
        why: Annotated[bool, Field(description="Also what made the model say so; needs its run.")] = False,
        valid: When = "",
        known: When = "",
        published: When = "",
    ) -> Answer:
        """What stands behind a statement: every claim with document, locator, quote, and if it reads back."""
        return await room.ask("explain", _clocks(valid, known, published), what=what, why=why)

    @read(title="Brief")
    async def brief(id: Id, since: When = "", valid: When = "", known: When = "", published: When = "") -> Answer:
        """A company brief: sentences that each cite statements; `since` adds what was published after that day."""
        return await room.ask("brief", _clocks(valid, known, published), id=id, since=since)


def _resources(server: MCPServer, room: Room) -> None:
    @server.resource("kgrisk://entity/{id}", name="entity", mime_type="application/json")
    async def entity(id: str) -> str:
        """An entity as it stands now: the same as the tool of that name."""
        try:
            return (await room.ask("entity", {}, id=id)).model_dump_json()
        except ToolError as error:
            raise ResourceError(str(error)) from error


def _writing(server: MCPServer, room: Room) -> None:
    write = partial(server.tool, annotations=WRITES, structured_output=True)

    @write(title="Judge")
    async def resolve_judgement(
        a: Id,
        b: Id,
        verdict: Literal["same", "different"],
        by: By,
        why: Annotated[str, Field(min_length=1, max_length=2000, description="Why; kept as evidence.")],
    ) -> Answer:
        """Commit a judgement that two ids are one entity, or two. It can be taken back: `kgrisk resolve --undo`."""
        return await room.ask("judge", {}, a=a, b=b, verdict=verdict, by=by, why=why)

    @write(title="Save a case")
    async def save_case(
        title: Text,
        by: By,
        items: Annotated[list[Id], Field(max_length=100, description="Entities it is about.")],
        note: Annotated[str, Field(max_length=5000, description="What was found, and what is to be looked at.")] = "",
    ) -> Answer:
        """Open a case for a person to look into; cases are only ever added to."""
        return await room.ask("save_case", {}, title=title, by=by, items=items, note=note)

    @write(title="Refresh")
    async def refresh_job(
        by: By, whole: Annotated[bool, Field(description="Train and assess even where nothing is new.")] = False
    ) -> Answer:
        """Ask for a refresh of the configured folder; it runs when `kgrisk serve` or `kgrisk schedule` has its turn."""
        return await room.ask("refresh", {}, by=by, whole=whole)


def _clocks(valid: str, known: str, published: str) -> dict[str, str]:
    return {"valid": valid, "known": known, "published": published}
