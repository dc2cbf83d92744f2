"""Search: entities by name, texts by words, things by meaning, pages and recordings by what they show and say."""

from __future__ import annotations

from typing import Annotated, Literal

import pyarrow as pa
from fastapi import Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from kg.errors import ModelError
from kg.model import AsOf
from kgrisk.meaning import SHA256
from kgrisk.serve import answer
from kgrisk.serve.desk import Desk, NotYetError, UnknownError
from kgrisk.serve.door import At, Routes, The, Who
from kgrisk.serve.finding import named
from kgrisk.serve.keys import Holder
from kgrisk.serve.names import InBody, Label

router = Routes(tags=["search"])
Words = Annotated[str, Query(min_length=1, max_length=500, description="Words sought.")]
Most = Annotated[int, Query(ge=1, le=100, description="Hits at most.")]
By = Annotated[
    Literal["name", "text", "meaning"],
    Query(description="Likeness of names or ids, words that stand in texts, or nearness in meaning."),
]
Modality = Literal["audio", "image", "table", "text"]
PART = r"^(time:\d{1,6}(\.\d{1,3})?-\d{1,6}(\.\d{1,3})?)?$"


class Sought(BaseModel):
    """What things are wanted near to."""

    model_config = ConfigDict(extra="forbid", strict=True)
    what: str = Field(min_length=1, max_length=500, description="Words, or the sha256 of a page or recording here.")
    by: Annotated[Literal["text", "image", "audio"], Field(description="What `what` is.")] = "text"
    part: Annotated[str, Field(pattern=PART, description="Seconds of a recording, such as time:3.00-7.50.")] = ""
    modalities: Annotated[list[Modality], Field(max_length=4, description="None: all.")] = []
    labels: Annotated[list[InBody], Field(max_length=20, description="None: all.")] = []
    k: Annotated[int, Field(ge=1, le=100, description="Hits at most.")] = 10

    @model_validator(mode="after")
    def _fits(self) -> Sought:
        if self.by != "text" and not SHA256.fullmatch(self.what):
            raise ValueError(f"a question by {self.by} is the sha256 of a document of the graph: 64 hex digits")
        if self.part and self.by != "audio":
            raise ValueError("a part is of a recording: ask by audio")
        return self


Asked = Annotated[Sought, Body()]


@router.on("GET", "/v1/search", "read", responses=answer.TABLE)
def search(
    request: Request, the: The, who: Who, at: At, q: Words, by: By = "name", label: Label = "", k: Most = 20
) -> Response:
    """What is nearest to words. Nearness in meaning needs an index: `kgrisk index`."""
    view = the.view(at, who)
    if by == "name":
        return answer.rows(request, view, named(view, q, label, k))
    if by == "text":
        return answer.rows(request, view, view.texts.find(q, label, k))
    sought = Sought(what=q, labels=[label] if label else [], k=k)
    return answer.rows(request, view, _near(the, who, sought, view.snapshot.at))


@router.on("POST", "/v1/search", "read", responses=answer.TABLE)
def across(request: Request, the: The, who: Who, at: At, asked: Asked) -> Response:
    """Texts, pages, stretches of recordings and figures nearest to words, an image or a recording of the graph."""
    view = the.view(at, who)
    return answer.rows(request, view, _near(the, who, asked, view.snapshot.at))


def _near(the: Desk, who: Holder, sought: Sought, at: AsOf) -> pa.Table:
    """What is near; a file is taken from the graph alone, never from where a name from outside leads."""
    with the.turn():
        graph = the.graph_of(who)
        what: str | bytes = sought.what
        if sought.by != "text":
            the.document(who, sought.what)
            if sought.what not in graph.files:
                raise UnknownError(f"no document {sought.what}; take digests from the evidence of a statement")
            what = graph.files.get(sought.what)
        try:
            own = sought.model_dump(include={"by", "part", "modalities", "labels", "k"})
            return graph.find(what, at=at, **own).table
        except ModelError as error:
            raise NotYetError(str(error)) from error
