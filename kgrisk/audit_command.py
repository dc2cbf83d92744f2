"""`kgrisk audit`: the log of who did what; and what writes every command down that may change or hand out something."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from kg.errors import KgRiskError
from kg.model import as_time
from kgrisk.audit import Act, Audit
from kgrisk.audit_check import Anchor, Verdict, verify
from kgrisk.audit_list import listed
from kgrisk.audit_safe import words
from kgrisk.audit_user import user
from kgrisk.console import emit, out, show
from kgrisk.opened import day
from kgrisk.options import Home, Json
from kgrisk.settings import Settings

app = typer.Typer(help="Who did what, and whether the log of it is whole.", no_args_is_help=True)
WRITES: Final = frozenset(
    (
        "cases",
        "champion",
        "erase",
        "export",
        "fetch",
        "index",
        "ingest",
        "jobs",
        "keys",
        "kyc-match",
        "mcp",
        "migrate",
        "payments",
        "pseudonym",
        "refresh",
        "resolve",
        "schedule",
        "serve",
        "train",
    )
)
"""Commands that change something or hand data out; with one of FLAGS any other does too."""
FLAGS: Final = frozenset(
    (
        *("--publish", "--save", "--hand-over"),
        *("--html", "--mlflow", "--out", "--tensorboard", "--to", "--wandb"),
    )
)
"""Options that put something into the home, and those that name a file or folder to write."""
OWN: Final = frozenset({"demo"})
"""Commands that write into a home which they make anew, and its log with it."""
NAMELESS: Final = frozenset({"erase", "pseudonym"})
"""Commands whose first word names a person, which is not written down."""
Since = Annotated[str | None, typer.Option("--since", help="Only acts from this time on, such as 2026-01-31.")]


@app.command(name="list")
def list_acts(
    who: Annotated[str, typer.Option("--who", help="Only acts of who has this name.")] = "",
    since: Since = None,
    after: Annotated[int, typer.Option("--after", min=0, help="Only entries after this number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most entries shown.")] = 100,
    home: Home = None,
    json: Json = False,
) -> None:
    """Entries of the log, the oldest first."""
    found = listed(_audit(home), who, as_time(day(since)) if since else None, after)
    rows = list(islice(found, limit))
    shown = ("sequence", "time", "who", "role", "door", "what", "status", "parameters")
    emit(rows) if json else show("audit", [{name: row[name] for name in shown} for row in rows])


@app.command(name="verify")
def check(
    anchor: Annotated[str, typer.Option("--anchor", help="What `kgrisk audit anchor` printed: COUNT:HASH.")] = "",
    key: Annotated[Path | None, typer.Option("--key", help="The copy of audit.key that is kept elsewhere.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Is every entry what was written, in its place and whole? Exit code 1 names the first that is not."""
    found = verify(_audit(home), Anchor.read(anchor) if anchor else None, key)
    emit({"whole": found.whole, **vars(found)}) if json else out.print(told(found), soft_wrap=True, highlight=False)
    if not found.whole:
        raise typer.Exit(1)


@app.command(name="anchor")
def print_anchor(home: Home = None, json: Json = False) -> None:
    """Print how many entries there are and the hash of the last, to be kept where nobody who writes the log can."""
    found = verify(_audit(home))
    if not found.whole:
        raise KgRiskError(f"{told(found)}; an anchor is only made of a whole log")
    anchor = Anchor(found.entries, found.head)
    emit({"anchor": str(anchor), **vars(anchor)}) if json else out.print(str(anchor), soft_wrap=True, highlight=False)


@app.command(name="key")
def make_key(home: Home = None, json: Json = False) -> None:
    """Seal the log with a key of its own from the next entry on; copy the file to where the log is checked."""
    audit = _audit(home)
    since = audit.make_key(Act(user(), "", "cli", "audit key", {}))
    rows = {"key": str(audit.key), "from": since}
    emit(rows) if json else show("audit key", [rows])


def told(found: Verdict) -> str:
    """A verdict in one line."""
    if not found.whole:
        return f"entry {found.broken} is broken{f' ({found.file})' if found.file else ''}: {found.reason}"
    more = [f"{found.keyed} sealed by the key"] if found.keyed else []
    more += [f"{found.erased} without parameters, erased with a person"] if found.erased else []
    more += [f"torn lines cut off before entries {', '.join(map(str, found.repaired))}"] if found.repaired else []
    return f"all {found.entries} entries are whole{''.join(f'; {part}' for part in more)}"


@contextmanager
def written_down(args: Sequence[str], door: str = "cli") -> Iterator[None]:
    """Write a command down when it begins and when it ends, if it may change something.

    What began and has no end was killed. A home that is not there is not made for it.
    """
    home = _home(args) if _writes(args) else None
    if home is None:
        yield
        return
    act, began = Act(user(), "", door, _command(args), _parameters(args), "begun"), time.perf_counter()
    if home.is_dir():
        _write(home, act)
    status: int | str = "failed"
    try:
        yield
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise
    except KgRiskError:
        status = 1
        raise
    except KeyboardInterrupt:
        status = 130
        raise
    finally:
        if home.is_dir():
            _write(home, replace(act, status=status, ms=round((time.perf_counter() - began) * 1000)))


def _write(home: Path, act: Act) -> None:
    """One entry. KgRiskError where the log cannot be written: what is not written down is not begun."""
    try:
        Audit(home).append([act])
    except OSError as error:
        raise KgRiskError(
            f"the audit log in {home / 'audit'} cannot be written ({error}); set that right first"
        ) from error


def _writes(args: Sequence[str]) -> bool:
    if not args or args[0].startswith("-") or {"--help", "-h"} & set(args):
        return False
    flagged = FLAGS & {word.partition("=")[0] for word in args}
    return args[0] in WRITES or (bool(flagged) and args[0] not in OWN)


def _command(args: Sequence[str]) -> str:
    """The command, with the act of one that has several."""
    several = args[0] in ("cases", "champion", "jobs", "keys", "payments")
    return " ".join(args[:2]) if several and len(args) > 1 and args[1].isalpha() else args[0]


def _parameters(args: Sequence[str]) -> Mapping[str, Any]:
    if args[0] not in NAMELESS:
        return {"words": words(args[1:])}
    return {"options": sorted(word.partition("=")[0] for word in args[1:] if word.startswith("--"))}


def _home(args: Sequence[str]) -> Path | None:
    """The home folder that a command speaks of; None where its settings are wrong, which it will say itself."""
    named = None
    for place, word in enumerate(args):
        name, equals, value = word.partition("=")
        if name == "--home":
            named = value if equals else (args[place + 1] if place + 1 < len(args) else None)
    try:
        return Settings.load(home=Path(named) if named else None).home
    except KgRiskError:
        return None


def _audit(home: Path | None) -> Audit:
    found = Audit(Settings.load(home=home).home)
    if not found.folder.is_dir():
        raise KgRiskError(f"{found.folder} is not there: nothing was written down yet in this home; see --home")
    return found
