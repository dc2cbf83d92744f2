"""`kgrisk refresh`, `schedule` and `jobs`: bring everything up to date, now, by the clock, and how that went."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kg.errors import KgRiskError
from kgrisk.console import emit, emit_lines, progress, show
from kgrisk.flags import Workers
from kgrisk.jobs.database import FILE, KEEP
from kgrisk.jobs.hold import Hold, by_hand, given, stats
from kgrisk.jobs.job import Job, Order
from kgrisk.jobs.rules import Cron, Every, Rule, coming, interval
from kgrisk.jobs.schedule import Schedule
from kgrisk.jobs.table import Table
from kgrisk.jobs.watch import Watch
from kgrisk.jobs.worker import Retries, Worker
from kgrisk.options import Home, Json, Store, made
from kgrisk.refresh import How
from kgrisk.refresh import refresh as refresh_graph
from kgrisk.settings import Settings

QUARANTINED = 3
app = typer.Typer()
jobs_app = typer.Typer(help="Refreshes that ran, run and wait, and what went wrong.", no_args_is_help=True)
Folder = Annotated[Path | None, typer.Argument(help="Folder to read; default: the setting `inputs`.")]
Whole = Annotated[bool, typer.Option("--whole", help="Train and assess even where nothing is new.")]
Id = Annotated[str, typer.Argument(help="Id of a job, or how it begins.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Most rows shown.")]
SHORT = 8
"""Digits of an id shown in a list; enough to name it."""


@app.command()
def refresh(
    folder: Folder = None,
    sync: Annotated[
        bool, typer.Option("--sync/--no-sync", help="Bring the store up to date too; else the next question does.")
    ] = True,
    whole: Whole = False,
    workers: Workers = None,
    ticket: Annotated[str, typer.Option("--ticket", hidden=True, help="Job and token of the worker.")] = "",
    home: Home = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Ingest, resolve, train, publish, assess risk and fill the store, under a lock."""
    with made(home, store) as graph:
        table = Table(graph.home)

        def run(hold: Hold) -> dict[str, Any]:
            args = hold.job.args
            read = Path(args["folder"]) if args.get("folder") else None

            def tell(line: str) -> None:
                hold.tell(line)
                progress(line)

            how: How = {"check": hold.check, "executor": workers, "whole": bool(args.get("whole"))}
            return dict(refresh_graph(graph, read, tell, **how | {"sync": sync and args.get("sync", True)}))

        if ticket:
            told = run(given(table, ticket))
        else:
            read = folder or graph.settings.inputs
            with by_hand(table, Order("refresh", {"folder": str(read) if read else "", "whole": whole})) as hold:
                told = run(hold)
                table.end(hold.job, "done", stats(told))
        table.close()
    emit(told) if json else show("refresh", told["stages"])
    for stage, reason in told["skipped"].items():
        progress(f"{stage} left out: {reason}")
    if told.get("quarantined"):
        raise typer.Exit(QUARANTINED)


@app.command()
def schedule(
    folder: Folder = None,
    every: Annotated[str, typer.Option("--every", help="How often: 90s, 15m, 1h (default), 1d, 1w.")] = "",
    cron: Annotated[str, typer.Option("--cron", help="Days and time, 'mon-fri 06:30', or crontab's five fields.")] = "",
    watch: Annotated[
        Path | None, typer.Option("--watch", help="Whenever files in this folder changed and settled.")
    ] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="Where the times of --cron are told.")] = "UTC",
    times: Annotated[int | None, typer.Option("--times", min=1, help="Stop after so many runs.")] = None,
    retries: Annotated[int, typer.Option("--retries", min=0, max=10, help="Tries after a failure.")] = 2,
    wait: Annotated[str, typer.Option("--wait", help="Before the first of them; doubled each time.")] = "30s",
    lease: Annotated[str, typer.Option("--lease", help="Silence after which a run is given up as lost.")] = "1m",
    keep: Annotated[int, typer.Option("--keep", min=1, help="Runs kept in the history.")] = KEEP,
    sync: Annotated[
        bool | None, typer.Option("--sync/--no-sync", help="Fill the store; default: a server, not an embedded one.")
    ] = None,
    whole: Whole = False,
    home: Home = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Refresh again and again, one at a time; slots that are missed and runs that fail are recorded."""
    settings = Settings.load(home=home, store=store)
    if timezone != "UTC" and not cron:
        raise typer.BadParameter("--timezone is read by --cron alone")
    rule = _rule(every, cron, watch, timezone)
    read = folder or watch or settings.inputs
    if sync is None:
        sync = not settings.url(settings.home).startswith("arcadedb:")
    order = Order("refresh", {"folder": str(read.resolve()) if read else "", "sync": sync, "whole": whole})
    table = Table(settings.home, lease=interval(lease, "--lease").total_seconds(), keep=keep)
    tries = Retries(retries, interval(wait, "--wait").total_seconds(), settings.seed)
    worker = Worker(table, settings.home, ["--store", store] if store else [], tries)
    Schedule(rule, order, worker, times, (lambda job: emit_lines([job.told()])) if json else _say).run()
    table.close()


def _rule(every: str, cron: str, watch: Path | None, timezone: str) -> Rule | Watch:
    """The one rule that was given; its next times are told."""
    if sum(map(bool, (every, cron, watch))) > 1:
        raise typer.BadParameter("give one of --every, --cron and --watch")
    if watch:
        return Watch(watch)
    rule = Cron(cron, timezone) if cron else Every(every or "1h")
    times = ", ".join(f"{moment:%a %Y-%m-%d %H:%M:%S %Z}" for moment in coming(rule, datetime.now(UTC)))
    progress(f"{rule.name}: next at {times}")
    return rule


def _say(job: Job) -> None:
    """One line on how a run stands."""
    if job.state == "done":
        progress(f"refresh done at commit {job.stats.get('commit')}")
    else:
        progress(f"refresh {job.id} {job.state}: {job.error}")


@jobs_app.command(name="list")
def listed(
    state: Annotated[str, typer.Option("--state", help="Only those in this state.")] = "",
    limit: Limit = 20,
    home: Home = None,
    json: Json = False,
) -> None:
    """Jobs, newest first."""
    jobs = _table(home).page(limit, state=state)
    emit([job.told() for job in jobs]) if json else show("jobs", [_row(job) for job in jobs], limit=limit)


def _row(job: Job) -> dict[str, object]:
    """A job as one line of a list."""
    begun = job.begun or job.due
    slow = f"{job.ended - begun:,.0f}" if job.ended and job.begun else ""
    asked = {"job": job.id[:SHORT], "state": job.state, "asked by": job.schedule or job.who}
    when = f"{datetime.fromtimestamp(begun, UTC):%Y-%m-%d %H:%M:%S}"
    return {**asked, "begun or due": when, "seconds": slow, "stage": job.stage, "try": job.attempt, "error": job.error}


@jobs_app.command(name="show")
def shown(id: Id, home: Home = None, json: Json = False) -> None:
    """One job: how far it is, or how it ended."""
    told = _table(home).named(id).told()
    emit(told) if json else show("job", [{"what": name, "is": value} for name, value in told.items() if value])


@jobs_app.command(name="cancel")
def cancel(id: Id, home: Home = None, json: Json = False) -> None:
    """Call a job off; one that runs ends before its next stage, or is ended a few seconds later."""
    table = _table(home)
    told = table.cancel(table.named(id).id).told()
    emit(told) if json else progress(f"job {id} is {told['state']}" + (", told to stop" if not told["ended"] else ""))


@jobs_app.command(name="alerts")
def alerts(limit: Limit = 20, home: Home = None, json: Json = False) -> None:
    """Runs that failed or were lost, newest first."""
    rows = _table(home).alerts(limit)
    emit(rows) if json else show("alerts", rows, ("at", "kind", "job", "detail"), limit)


def _table(home: Path | None) -> Table:
    """The run table of a home that has one."""
    folder = Settings.load(home=home).home
    if not (folder / FILE).exists():
        raise KgRiskError(f"{folder} has no run table yet; `kgrisk refresh` or `kgrisk schedule` makes it")
    return Table(folder)
