"""Jobs: refreshes asked for over HTTP, done one at a time in a process of their own, told as they go, called off.

A job tells of the whole graph what it read and counted, so whoever may see only a part of it is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from threading import Lock
from typing import Annotated, Any, Literal, cast

from fastapi import Body, Depends, FastAPI, Header, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from kgrisk.jobs.job import Job, Order, State
from kgrisk.jobs.queue import FullError, OverError
from kgrisk.jobs.table import Table
from kgrisk.jobs.worker import Retries, Standby, Worker
from kgrisk.serve.desk import Desk, UnknownError
from kgrisk.serve.door import PROBLEM, Cursor, Limit, Routes, The, Who, from_cursor, to_cursor
from kgrisk.serve.problem import Problem

LARGEST = 2**62
"""No table has more rows, and SQLite counts no further."""
_making = Lock()


def table_of(app: FastAPI) -> Table:
    """The run table of the graph that is served."""
    with _making:
        if not hasattr(app.state, "jobs"):
            app.state.jobs = Table(cast(Desk, app.state.desk).graph.home)
        return cast(Table, app.state.jobs)


@asynccontextmanager
async def working(app: FastAPI) -> AsyncIterator[None]:
    """A worker for as long as the application runs; a run in progress at its end is put back to wait.

    Runs leave the store alone, which this process holds: the next question brings it up to date.
    """
    graph, table = cast(Desk, app.state.desk).graph, table_of(app)
    app.state.worker = Standby(Worker(table, graph.home, ["--no-sync"], Retries(seed=graph.settings.seed)))
    app.state.worker.start()
    try:
        yield
    finally:
        await run_in_threadpool(app.state.worker.stop)
        table.close()
        del app.state.jobs


def table(request: Request) -> Table:
    return table_of(request.app)


router = Routes(tags=["jobs"], lifespan=working)
Jobs = Annotated[Table, Depends(table)]
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a job.")]
GONE: dict[int | str, dict[str, Any]] = {404: {**PROBLEM, "description": "No such job."}}


class Refresh(BaseModel):
    """What a refresh is to do. It reads no folder that is named from outside."""

    model_config = ConfigDict(extra="forbid", strict=True)
    kind: Literal["refresh"] = "refresh"
    folder: Literal["", "inputs"] = Field("", description="`inputs`: read the folder of the setting `inputs` first.")
    whole: bool = Field(False, description="Train and assess even where nothing is new.")


@router.on(
    "POST",
    "/v1/jobs",
    "operate",
    status_code=202,
    responses={202: {"description": "It waits its turn."}, 429: {**PROBLEM, "description": "Too many jobs wait."}},
)
def ask(
    request: Request,
    the: The,
    who: Who,
    jobs: Jobs,
    asked: Annotated[Refresh, Body()],
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key", pattern="^[A-Za-z0-9._:-]{1,200}$", description="The same key is the same job."
        ),
    ] = None,
) -> JSONResponse:
    """Ask for a refresh; its progress stands at the address in Location."""
    the.whole(who)
    folder = ""
    if asked.folder:
        inputs = the.graph.settings.inputs
        if inputs is None:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "this server has no folder to read; set `inputs` in kgrisk.toml or KGRISK_INPUTS, or leave out folder",
            )
        folder = str(inputs.resolve())
    try:
        order = Order("refresh", {"folder": folder, "whole": asked.whole, "sync": False})
        job = jobs.submit(order, who.name, key)
    except FullError as error:
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), Retry_After="60") from error
    if (worker := getattr(request.app.state, "worker", None)) is not None:
        worker.wake()
    return JSONResponse(job.told(), HTTPStatus.ACCEPTED, {"Location": f"/v1/jobs/{job.id}"})


@router.on("GET", "/v1/jobs", "operate")
def listed(
    the: The,
    who: Who,
    jobs: Jobs,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """Jobs of schedules, of this API and by hand, newest first."""
    the.whole(who)
    found = jobs.page(limit + 1, _before(cursor), state or "")
    more = to_cursor(found[limit - 1].number) if len(found) > limit else None
    return {"rows": [job.told() for job in found[:limit]], "next_cursor": more}


@router.on("GET", "/v1/failures", "operate")
def failures(the: The, who: Who, jobs: Jobs, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    """Runs that failed at every try or were lost, newest first."""
    the.whole(who)
    found = jobs.alerts(limit + 1, _before(cursor))
    more = to_cursor(found[limit - 1]["number"]) if len(found) > limit else None
    return {"rows": found[:limit], "next_cursor": more}


@router.on("GET", "/v1/jobs/{id}", "operate", responses=GONE)
def one(the: The, who: Who, jobs: Jobs, id: Id) -> dict[str, Any]:
    """How far a job is, or how it ended."""
    the.whole(who)
    return _found(jobs, id).told()


@router.on(
    "DELETE",
    "/v1/jobs/{id}",
    "operate",
    responses={
        **GONE,
        202: {"description": "It runs, and was told to stop."},
        409: {**PROBLEM, "description": "It is over."},
    },
)
def stop(the: The, who: Who, jobs: Jobs, id: Id) -> JSONResponse:
    """Call a job off. One that runs ends before its next write, or is ended some seconds later."""
    the.whole(who)
    _found(jobs, id)
    try:
        job = jobs.cancel(id)
    except OverError as error:
        raise Problem(HTTPStatus.CONFLICT, str(error)) from error
    return JSONResponse(job.told(), HTTPStatus.OK if job.over else HTTPStatus.ACCEPTED)


def _found(jobs: Table, id: str) -> Job:
    job = jobs.find(id)
    if job is None:
        raise UnknownError(f"no job {id!r}; those there are stand at /v1/jobs")
    return job


def _before(cursor: str) -> int | None:
    (number,) = from_cursor(cursor, int) or (None,)
    return None if number is None else max(-LARGEST, min(int(number), LARGEST))
