"""Cases: open one, add to it, write notes, close it, and take away its evidence as one file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from kg.errors import KgRiskError
from kg.model import AsOf, iso
from kgrisk.case_pack import pack
from kgrisk.cases import LONGEST, Case, Cases, Item, NoCaseError
from kgrisk.evidence import Explainer
from kgrisk.serve.desk import NOTHING, Desk, UnknownError
from kgrisk.serve.door import At, Routes, The, Who
from kgrisk.serve.keys import Holder

router = Routes(tags=["cases"])
Id = Annotated[str, Path(pattern="^[0-9a-f]{12}$", description="Id of a case.")]
Words = Annotated[str, Field(max_length=LONGEST)]
What = Annotated[str, Field(min_length=1, max_length=500, description="Entity, edge, statement or property:entity.")]
ZIP = {200: {"content": {"application/zip": {}}, "description": "The evidence pack."}}
ABSENT = {404: {"description": "No such case, or nothing of that id at this instant."}}
STATE = {409: {"description": "The case is closed, or open already."}}


class Things(BaseModel):
    """What a case is to be about."""

    model_config = ConfigDict(extra="forbid")
    items: list[What] = Field(min_length=1, max_length=100)
    why: Words = ""


class Opening(BaseModel):
    """A new case."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=300, pattern=r"\S")
    items: list[What] = Field([], max_length=100)
    why: Words = ""


class Note(BaseModel):
    """Words about a case."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=LONGEST, pattern=r"\S")


Opened = Annotated[Opening, Body()]
Added = Annotated[Things, Body()]
Said = Annotated[Note, Body()]


def kept(the: Desk) -> Cases:
    """The cases of the home folder."""
    return Cases(the.graph.home / "cases")


def seen(case: Case, who: Holder) -> Case:
    """What somebody sees of a case: who sees a part of the graph, only what they did themselves in their own.

    What others looked at or wrote may tell of what is hidden. NoCaseError for a case of others, as for none at all.
    """
    if who.hidden == NOTHING:
        return case
    if case.by != who.name:
        raise NoCaseError(f"there is no case {case.id!r}")
    return Case(case.id, tuple(entry for entry in case.entries if entry.by == who.name))


@router.on("GET", "/v1/cases", "assess")
def cases(the: The, who: Who) -> dict[str, Any]:
    """All cases, the one changed last first."""
    own = (case for case in kept(the) if who.hidden == NOTHING or case.by == who.name)
    return {"rows": [seen(case, who).row() for case in own]}


@router.on("POST", "/v1/cases", "assess", status_code=201, responses=ABSENT)
def begin(the: The, who: Who, at: At, asked: Opened) -> dict[str, Any]:
    """A new case about what is named; everything named has to be there at the instant."""
    return kept(the).open(asked.title, who.name, _items(the, who, at, asked)).told()


@router.on("GET", "/v1/cases/{id}", "assess", responses=ABSENT)
def case(the: The, who: Who, id: Id) -> dict[str, Any]:
    """One case: what it is about, and every entry."""
    return seen(kept(the)[id], who).told()


@router.on("POST", "/v1/cases/{id}/items", "assess", responses=ABSENT | STATE)
def add(the: The, who: Who, at: At, id: Id, asked: Added) -> dict[str, Any]:
    """More things to look at, with the instant of the question."""
    seen(kept(the)[id], who)
    return seen(kept(the).add(id, who.name, _items(the, who, at, asked)), who).told()


@router.on("POST", "/v1/cases/{id}/notes", "assess", responses=ABSENT | STATE)
def note(the: The, who: Who, id: Id, asked: Said) -> dict[str, Any]:
    """A note; nobody can change or remove it."""
    seen(kept(the)[id], who)
    return seen(kept(the).note(id, who.name, asked.text), who).told()


@router.on("POST", "/v1/cases/{id}/close", "assess", responses=ABSENT | STATE)
def close(the: The, who: Who, id: Id, asked: Said) -> dict[str, Any]:
    """End a case, with the reason."""
    seen(kept(the)[id], who)
    return seen(kept(the).close(id, who.name, asked.text), who).told()


@router.on("POST", "/v1/cases/{id}/reopen", "assess", responses=ABSENT | STATE)
def reopen(the: The, who: Who, id: Id, asked: Said) -> dict[str, Any]:
    """Take a closed case up again, with the reason."""
    seen(kept(the)[id], who)
    return seen(kept(the).reopen(id, who.name, asked.text), who).told()


@router.on("GET", "/v1/cases/{id}/pack", "assess", response_class=Response, responses=ZIP | ABSENT)
def packed(the: The, who: Who, id: Id) -> Response:
    """The evidence pack: a zip of the case, its notes, every claim with its words, pictures and seconds, and sums."""
    found = seen(kept(the)[id], who)
    with the.turn():
        content = pack(the.graph_of(who), found)
    name = f'attachment; filename="case-{id}.zip"'
    return Response(content, media_type="application/zip", headers={"Content-Disposition": name})


def _items(the: Desk, who: Holder, at: AsOf, asked: Opening | Things) -> list[Item]:
    """Items at the instants of the question. UnknownError for what is not there."""
    view = the.view(at, who)
    clocks = {name: iso(moment) for name in ("valid", "known", "published") if (moment := getattr(at, name))}
    with the.turn():
        graph = the.graph_of(who)
        for what in asked.items:
            if what in view.snapshot.index:
                continue
            try:
                Explainer(graph.ledger, graph.files, view.snapshot.at).explain(what)
            except KgRiskError as error:
                raise UnknownError(str(error)) from error
    return [Item(what, asked.why, **clocks) for what in asked.items]
