"""Saved views: what somebody saw, opened again by a link."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from fastapi import Body, Path
from pydantic import BaseModel, ConfigDict, Field

from kgrisk.serve.desk import NOTHING, Desk
from kgrisk.serve.door import Routes, The, Who
from kgrisk.views import NoViewError, SavedViews

router = Routes(tags=["views"])
Id = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="Id of a saved view.")]
Number = Annotated[float, Field(ge=-1e9, le=1e9, strict=True)]
Key = Annotated[str, Field(max_length=500)]
ABSENT = {404: {"description": "There is no saved view of that id."}}


class Camera(BaseModel):
    """Where the canvas was looked at from."""

    model_config = ConfigDict(extra="forbid")
    x: Number = 0.5
    y: Number = 0.5
    ratio: Annotated[float, Field(gt=0, le=1e6, strict=True)] = 1.0
    angle: Number = 0.0


class View(BaseModel):
    """What is shown: the state of the page, where nodes lie, and the camera."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field("", max_length=300)
    state: dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=20_000)]] = Field(max_length=40)
    positions: dict[Key, Annotated[list[Number], Field(min_length=2, max_length=2)]] = Field({}, max_length=5000)
    camera: Camera = Field(default_factory=Camera)


Saved = Annotated[View, Body()]


def kept(the: Desk) -> SavedViews:
    """The saved views of the home folder."""
    return SavedViews(the.graph.home / "views")


@router.on("GET", "/v1/views", "read")
def views(the: The, who: Who) -> dict[str, Any]:
    """Saved views, the latest first; who sees a part of the graph has only their own."""
    own = (view for view in kept(the) if who.hidden == NOTHING or view["by"] == who.name)
    return {"rows": list(islice(own, 500))}


@router.on("POST", "/v1/views", "assess", status_code=201)
def save(the: The, who: Who, asked: Saved) -> dict[str, Any]:
    """Keep what is shown; `?view=id` on the page opens it again."""
    id = kept(the).save({**asked.model_dump(), "by": who.name})
    return {"id": id, "link": f"/?view={id}"}


@router.on("GET", "/v1/views/{id}", "read", responses=ABSENT)
def view(the: The, who: Who, id: Id) -> dict[str, Any]:
    """One saved view, as it was saved."""
    found = kept(the)[id]
    if who.hidden != NOTHING and found["by"] != who.name:
        raise NoViewError(f"there is no saved view {id!r}")
    return {"id": id, **found}
