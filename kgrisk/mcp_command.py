"""`kgrisk mcp`: the agents' door. It starts by itself, without the rest of the command line, to be there at once."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from kg.errors import KgRiskError, SettingsError
from kgrisk.console import complain
from kgrisk.extras import need
from kgrisk.flags import Home, Store
from kgrisk.serve.keys import Keys
from kgrisk.settings import Settings

app = typer.Typer()
HOST = "127.0.0.1"
PORT = 8081


@app.command()
def mcp(
    writes: Annotated[
        bool, typer.Option("--writes/--read-only", help="Also list the tools that change something.")
    ] = False,
    http: Annotated[bool, typer.Option("--http", help="Streamable HTTP on loopback instead of stdio.")] = False,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help=f"With --http; 0: any that is free, else {PORT}.")
    ] = None,
    home: Home = None,
    store: Store = None,
) -> None:
    """Answer agents over MCP: on stdio, or on loopback with a key."""
    settings = Settings.load(home=home, store=store)
    if not http:
        if port is not None:
            raise typer.BadParameter("goes with --http; on stdio there is no port", param_hint="--port")
        _there(settings)
        need("kgrisk.agents.server", "agents").build(settings, writes).run("stdio")
        return
    if writes:
        raise SettingsError("over HTTP agents only read; write over stdio, or by POST /v1/jobs with an operator's key")
    keys = Keys(settings.home / "keys.json")
    if not len(keys):
        raise SettingsError("over HTTP every agent needs a key; make one with `kgrisk keys add NAME --role analyst`")
    _there(settings)
    need("kgrisk.agents.http", "agents").serve(settings, keys, HOST, PORT if port is None else port)


def _there(settings: Settings) -> None:
    """SettingsError where there is no graph: an agent would learn of it only when it asks."""
    home = settings.home
    if not (home / "ledger").exists():
        raise SettingsError(f"{home} holds no graph; run `kgrisk ingest FOLDER --home {home}` first")


def main() -> None:
    """Entry point of `kgrisk mcp` alone."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stderr)
    try:
        app(sys.argv[2:], prog_name="kgrisk mcp")
    except KgRiskError as error:
        complain(str(error))
        sys.exit(1)
