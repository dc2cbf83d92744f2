"""The commands about who is served, `kgrisk champion list | promote RUN | rollback`, and `kgrisk monitor`."""

from __future__ import annotations

from typing import Annotated

import typer

from kgrisk.champion import listed
from kgrisk.console import emit, out, progress, show
from kgrisk.options import Home, Json, opened
from kgrisk.promoting import promoted, rolled_back
from kgrisk.result import Result

app = typer.Typer(help="Which training run's scores are served; put another in its place, or the one before it.")
top = typer.Typer()
SHOWN = ("run", "role", "cut", "since", "brier", "champion_brier", "low", "high", "rule")
WATCHED = ("monitor", "what", "value", "limit", "unit", "alert", "since", "note")


@app.command(name="list")
def list_runs(home: Home = None, json: Json = False) -> None:
    """List champion, shadow and former runs with their figures beside the champion of their time."""
    with opened(home) as graph:
        found = listed(graph)
    emit(found.rows()) if json else show(found.name, _short(found), SHOWN)


@app.command()
def promote(
    run: Annotated[str, typer.Argument(help="A training run; its first digits do.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Put a run in the champion's place: its links, vectors and scores are served from now on."""
    with opened(home) as graph:
        told = promoted(graph, run)
    emit(told) if json else out.print(f"run {told['champion'][:12]} is served since commit {told['commit']}")


@app.command()
def rollback(home: Home = None, json: Json = False) -> None:
    """Take the last promotion back: what was served just before it is served again, to the bit."""
    with opened(home) as graph:
        told = rolled_back(graph)
    emit(told) if json else out.print(f"run {told['champion'][:12]} is served again since commit {told['commit']}")


@top.command()
def monitor(
    fail: Annotated[bool, typer.Option("--fail", help="Exit code 1 if anything is an alert.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Look at drift, freshness, calibration and latency; alerts first, each with what to do."""
    with opened(home) as graph:
        found = graph.monitors()
    alerts = [row for row in found if row["alert"]]
    emit(found.rows()) if json else show(found.name, found.rows(), WATCHED)
    for row in alerts:
        progress(f"alert: {row['monitor']} {row['what']}: {row['note']}; {row['todo']}")
    if fail and alerts:
        raise typer.Exit(1)


def _short(found: Result) -> list[dict[str, object]]:
    return [{**row, "run": row["run"][:12], "since": (row["since"] or "")[:16]} for row in found]
