"""Questions in English: answered in sentences that cite statements, or told as not in the graph."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kgrisk.questions.kinds import KINDS
from kgrisk.questions.router import answer as answer_of
from kgrisk.serve import answer
from kgrisk.serve.door import At, Routes, The, Who

router = Routes(tags=["questions"])


class Asked(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, max_length=1000, description="In English, such as `who owns NAME`.")


@router.on("POST", "/v1/ask", "read")
def ask(request: Request, the: The, at: At, who: Who, asked: Annotated[Asked, Body()]) -> Response:
    """The answer, each sentence with its statements and claims; or `not in the graph`, why, and the case to hand on."""
    view = the.view(at, who)
    with the.turn():
        found = answer_of(the.graph_of(who), asked.question, view.snapshot.at, view)
    return answer.told(request, view, **found.to_dict())


@router.on("GET", "/v1/questions", "read")
def questions() -> dict[str, object]:
    """The kinds of question that are covered."""
    kinds = [{"name": kind.name, "tells": kind.tells, "time": kind.time, "query": kind.query} for kind in KINDS]
    return {"kinds": kinds}
