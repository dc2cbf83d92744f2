"""`kgrisk migrate`: takes a home and its store to another format, up to what this version makes, or down again."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, Protocol
from urllib.parse import unquote, urlsplit

import typer

from kg.errors import FormatError, KgRiskError
from kg.lease import Lease
from kg.ledger import OnIO, no_io
from kg.migrations import FORMAT, FORMATS, Carrier, HomeMark, Mark, migrate, opened, path
from kg.store import open_store
from kgrisk import __version__
from kgrisk.console import emit, out, show
from kgrisk.flags import Home, Json, Store
from kgrisk.jobs.database import FILE as RUN_TABLE
from kgrisk.runfile import lock
from kgrisk.settings import Settings

app = typer.Typer()
UNNUMBERED: Final = 0
"""`user_version` of a run table of format 1, which carries no number."""


class Numbered(Protocol):
    """The part of a store that carries its format."""

    format: int

    def move(self, to: int, on_io: OnIO = no_io) -> None: ...


class StoreNumber:
    """The carrier that is a graph store."""

    name = "store"

    def __init__(self, store: Numbered) -> None:
        self._store = store

    @property
    def format(self) -> int:
        return self._store.format

    def move(self, to: int, on_io: OnIO = no_io) -> None:
        self._store.move(to, on_io)


class RunTable:
    """The carrier that is the run table of a home: SQLite's own number of a file's schema."""

    name = "run table"

    def __init__(self, home: Path) -> None:
        self.path = home / RUN_TABLE

    @property
    def format(self) -> int:
        with closing(sqlite3.connect(self.path, timeout=30)) as db:
            try:
                (number,) = db.execute("PRAGMA user_version").fetchone()
            except sqlite3.DatabaseError as error:
                raise FormatError(f"{self.path} is no run table ({error}); move it away to begin anew") from error
        return int(number) or 1

    def move(self, to: int, on_io: OnIO = no_io) -> None:
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as db:
            db.execute(f"PRAGMA user_version = {UNNUMBERED if to == 1 else to:d}")


@app.command(name="migrate")
def run_migrate(
    to: Annotated[int, typer.Option("--to", help="The format to go to, up or down.")] = FORMAT,
    plan: Annotated[bool, typer.Option("--plan", help="Tell what would be done, and do nothing.")] = False,
    home: Home = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Take home and store to another format; each step leaves the old or the new, and the same again goes on."""
    settings = Settings.load(home=home, store=store)
    told = migrated(settings, to, plan=plan)
    if json:
        emit(told)
        return
    show("left to do" if plan else "migrated", told["steps"]) if told["steps"] else None
    out.print(f"{told['home']}: format {told['format']}, {FORMATS[told['format']]}", soft_wrap=True, highlight=False)


def migrated(settings: Settings, to: int = FORMAT, *, plan: bool = False, on_io: OnIO = no_io) -> dict[str, Any]:
    """Take a home and its store to a format; tells the steps and the history. Nobody may write to it meanwhile.

    KgRiskError if there is no graph, LeaseHeldError if somebody writes, FormatError for an unknown format.
    """
    home = settings.home
    if not (home / "ledger").exists():
        raise KgRiskError(f"{home} holds no graph to migrate; name its folder with --home")
    with ExitStack() as held:
        held.enter_context(lock(home))
        held.enter_context(Lease(home / "ledger" / "lease.json", "migrating"))
        carriers = _carriers(settings, held)
        if plan:
            steps = [{"carrier": c.name, "before": c.format, "after": n} for c, n in path(carriers, to)]
        else:
            steps = [asdict(step) for step in migrate(carriers, to, on_io)]
    mark = Mark.read(home)
    return {"home": str(home), "format": mark.format, "steps": steps, "history": [dict(step) for step in mark.history]}


def _carriers(settings: Settings, held: ExitStack) -> list[Carrier]:
    """What carries a number in this home: its store and its run table if there are any, and the home itself."""
    carriers: list[Carrier] = []
    opened(settings.home, __version__)  # a home of a newer version is refused before anything of it is opened
    url = settings.url(settings.home)
    parts = urlsplit(url)
    if parts.scheme != "arcadedb" or Path(unquote(parts.path)).exists():
        store = open_store(url, settings.home)
        held.callback(store.close)
        carriers.append(StoreNumber(store))
    if (settings.home / RUN_TABLE).exists():
        carriers.append(RunTable(settings.home))
    return [*carriers, HomeMark(settings.home, __version__)]
