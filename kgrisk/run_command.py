"""The command about training runs: they are listed, shown with their card, compared, and handed to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kgrisk.console import emit, out, show
from kgrisk.options import Home, Json, answer, opened

app = typer.Typer()
LISTED = ("run", "ended", "model", "cut", "seed", "commit", "code", "seconds", "peak_bytes", "mrr", "brier", "auprc")


@app.command()
def runs(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Show one run, or compare two; their first digits do.")
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", help="Write event files of the run below this folder.")
    ] = None,
    wandb: Annotated[
        Path | None, typer.Option("--wandb", help="Write an offline run of W&B below this folder.")
    ] = None,
    mlflow: Annotated[Path | None, typer.Option("--mlflow", help="Write into an MLflow store in this folder.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List training runs; show one with its model card and data sheet, hand it to another tool, or compare two."""
    asked, tools = list(ids or ()), {"tensorboard": tensorboard, "wandb": wandb, "mlflow": mlflow}
    if len(asked) > 2:
        raise typer.BadParameter("name no run to list all, one to see it, or two to compare them")
    if any(tools.values()) and len(asked) != 1:
        raise typer.BadParameter("name the one run that is to be handed over")
    with opened(home) as graph:
        if not asked:
            found = graph.runs()
            emit(found.rows()) if json else show(found.name, [_short(row) for row in found], LISTED)
        elif len(asked) == 2:
            answer(graph.compare_runs(*asked), json)
        elif any(tools.values()):
            written = {name: graph.export_run(asked[0], name, folder) for name, folder in tools.items() if folder}
            emit(written) if json else show(
                "written", [{"tool": name, "in": str(path)} for name, path in written.items()]
            )
        else:
            _tell(graph.run(asked[0]), json)


def _tell(run: Any, json: bool) -> None:
    """One run with its card: what it was asked, on which data, what it found, what it took."""
    stages = [
        {"stage": s.name, "seconds": s.seconds, "cpu_seconds": s.cpu_seconds, "peak_bytes": s.peak_bytes}
        for s in run.stages
    ]
    if json:
        told = {"run": run.id, "ended": run.ended, "code": run.code, "config": run.config, "metrics": run.metrics}
        emit({**told, "stages": stages, "losses": list(run.losses), "card": run.card})
        return
    out.print(run.card_text, markup=False, highlight=False, soft_wrap=True)
    show("what it took", stages)


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "run": row["run"][:12], "ended": row["ended"][:16], "cut": (row["cut"] or "")[:10]}
