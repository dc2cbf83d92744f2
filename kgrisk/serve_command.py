"""`kgrisk serve` and `kgrisk keys`: the engine over HTTP, and who may ask it."""

from __future__ import annotations

import ipaddress
from datetime import date
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Annotated

import typer

from kg.errors import SettingsError
from kgrisk.console import emit, progress, show
from kgrisk.extras import need
from kgrisk.options import Home, Json, Store, made, opened
from kgrisk.serve.keys import Keys, Role
from kgrisk.settings import Settings

app = typer.Typer()
keys_app = typer.Typer(help="Who may ask the server, and what each may do.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Who holds the key.")]


@app.command()
def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; any but loopback needs keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8080,
    allow: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Name under which browsers reach it; may be repeated.")
    ] = None,
    make: Annotated[bool, typer.Option("--make", help="Where there is no graph yet, begin with an empty one.")] = False,
    home: Home = None,
    store: Store = None,
) -> None:
    """Answer over HTTP until stopped: API, its page at /docs, and the explorer."""
    room, uvicorn = need("kgrisk.serve.app", "serve"), need("uvicorn", "serve")
    settings = Settings.load(home=home, store=store)
    keyed = bool(len(_keys(settings.home)))
    check_bind(host, keyed)
    with (made if make else opened)(home, store) as graph:
        hosts = [*need("kgrisk.serve.guard", "serve").LOCAL, host, *(allow or ())]
        served = room.build(graph, hosts, keyed)
        config = uvicorn.Config(
            served, host=host, port=port, log_level="warning", server_header=False, **_limits(settings)
        )
        server, socket = uvicorn.Server(config), config.bind_socket()
        socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # else a body waits 40 ms for its header's receipt
        socket.listen(config.backlog)  # who reads the line below may ask at once
        address = f"http://{host if ':' not in host else f'[{host}]'}:{socket.getsockname()[1]}"
        who = "with a key" if keyed else "without a key, as the local analyst"
        progress(f"serving {settings.home} at {address} {who}; the API is told at {address}/docs; Ctrl+C stops")
        server.run(sockets=[socket])
        served.state.desk.close()


def _limits(settings: Settings) -> dict[str, object]:
    """What keeps one asker from taking all places: on connections, idle ones, and heads that never end."""
    patient = need("kgrisk.serve.patience", "serve").Patient
    return {"http": patient, "limit_concurrency": settings.serve_connections, "timeout_keep_alive": 5, "backlog": 512}


def check_bind(host: str, keyed: bool) -> None:
    """SettingsError for an address that others can reach while anybody may come in."""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local and not keyed:
        raise SettingsError(
            f"{host} can be reached from outside and there are no keys, so anybody could ask; make one with "
            "`kgrisk keys add NAME --role viewer`, or serve at 127.0.0.1"
        )


@keys_app.command(name="add")
def add(
    name: Name,
    role: Annotated[Role, typer.Option("--role", help="What its holder may do.")] = "viewer",
    hide_label: Annotated[
        list[str] | None, typer.Option("--hide-label", help="Kind of entity never shown, such as Person; repeatable.")
    ] = None,
    hide_source: Annotated[
        list[str] | None, typer.Option("--hide-source", help="Source never shown, such as sanctions; repeatable.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="Last day it is good for, such as 2027-12-31.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a key; it is shown once and kept as its sha256."""
    keys, until = _keys(Settings.load(home=home).home), _day(expires) if expires else None
    key = keys.add(name, role, hide_label or (), hide_source or (), until)
    row = {"name": name, "role": role, "key": key, "expires": expires or ""}
    emit(row) if json else show("key", [row])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"--expires {text!r} is no day; write it as 2027-12-31") from error


@keys_app.command(name="list")
def listed(home: Home = None, json: Json = False) -> None:
    """Who holds keys."""
    holders = _keys(Settings.load(home=home).home).holders
    rows = [
        {
            "name": own.name,
            "role": own.role,
            "hidden_labels": list(own.hidden_labels),
            "hidden_sources": list(own.hidden_sources),
            "expires": own.expires,
        }
        for own in holders
    ]
    emit(rows) if json else show("keys", rows)


@keys_app.command(name="revoke")
def revoke(name: Name, home: Home = None, json: Json = False) -> None:
    """Take a key away, from now on."""
    _keys(Settings.load(home=home).home).revoke(name)
    emit({"revoked": name}) if json else show("revoked", [{"name": name}])


def _keys(home: Path) -> Keys:
    return Keys(home / "keys.json")
