"""`kgrisk cases`: what somebody looks into, from the terminal."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kg.errors import SourceError
from kg.model import AsOf, iso
from kgrisk.case_pack import pack
from kgrisk.cases import Case, Cases, Item
from kgrisk.console import emit, progress, show
from kgrisk.evidence import Explainer
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened
from kgrisk.settings import Settings

app = typer.Typer(help="Cases: things to look into, notes, and their evidence as one file.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="Id of the case, see `kgrisk cases list`.")]
What = Annotated[list[str], typer.Argument(help="Entities, edges, statements or property:entity.")]
By = Annotated[str, typer.Option("--by", help="Who acts; default: the user of this machine.")]
Why = Annotated[str, typer.Option("--why", help="Why it belongs to the case.")]


def _cases(home: Path | None) -> Cases:
    return Cases(Settings.load(home=home).home / "cases")


@app.command(name="list")
def listed(home: Home = None, json: Json = False) -> None:
    """All cases, the one changed last first."""
    rows = [case.row() for case in _cases(home)]
    emit(rows) if json else show("cases", rows)


@app.command(name="show")
def shown(id: Id, home: Home = None, json: Json = False) -> None:
    """What a case is about, and every entry."""
    _tell(_cases(home)[id], json)


@app.command(name="open")
def begin(
    title: Annotated[str, typer.Argument(help="What it is about, in a few words.")],
    what: Annotated[list[str] | None, typer.Argument(help="Entities, edges, statements or property:entity.")] = None,
    why: Why = "",
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    by: By = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """A new case."""
    items = _items(home, what or [], why, asked(valid, known, published))
    _tell(_cases(home).open(title, by or getpass.getuser(), items), json)


@app.command()
def add(
    id: Id,
    what: What,
    why: Why = "",
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    by: By = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """More things to look at, at these instants."""
    items = _items(home, what, why, asked(valid, known, published))
    _tell(_cases(home).add(id, by or getpass.getuser(), items), json)


@app.command()
def note(
    id: Id,
    text: Annotated[str, typer.Argument(help="The note.")],
    by: By = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Write a note; nobody can change or remove it."""
    _tell(_cases(home).note(id, by or getpass.getuser(), text), json)


@app.command()
def close(
    id: Id,
    reason: Annotated[str, typer.Argument(help="Why it is closed.")],
    by: By = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """End a case."""
    _tell(_cases(home).close(id, by or getpass.getuser(), reason), json)


@app.command()
def reopen(
    id: Id,
    reason: Annotated[str, typer.Argument(help="Why it is taken up again.")],
    by: By = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Take a closed case up again."""
    _tell(_cases(home).reopen(id, by or getpass.getuser(), reason), json)


@app.command(name="pack")
def packed(
    id: Id,
    file: Annotated[Path, typer.Argument(help="Zip file to write; one that is there stays.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the evidence of a case as one zip file."""
    case = _cases(home)[id]
    with opened(home) as graph:
        content = pack(graph, case)
    try:
        with file.open("xb") as out:
            out.write(content)
    except OSError as error:
        raise SourceError(
            f"{file} cannot be written ({error.strerror}); name a new file in a folder that is"
        ) from error
    told = {"case": id, "file": str(file), "bytes": len(content)}
    emit(told) if json else progress(f"case {id} as {file}, {len(content):,} bytes")


def _items(home: Path | None, what: list[str], why: str, at: AsOf) -> list[Item]:
    """Items at these instants. KgRiskError for what is not there then."""
    if not what:
        return []
    clocks = {name: iso(moment) for name in ("valid", "known", "published") if (moment := getattr(at, name))}
    with opened(home) as graph:
        explainer = Explainer(graph.ledger, graph.files, at)
        for name in what:
            if name not in explainer.snapshot.index:
                explainer.explain(name)
    return [Item(name, why, **clocks) for name in what]


def _tell(case: Case, json: bool) -> None:
    if json:
        emit(case.told())
        return
    show(f"case {case.id}: {case.title} ({case.state})", [asdict(item) for item in case.items])
    entries = [{"at": e.at, "by": e.by, "act": e.act, "text": e.text, "items": len(e.items)} for e in case.entries]
    show("entries", entries)
