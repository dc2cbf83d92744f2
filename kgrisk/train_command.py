"""The commands that train, on a graph as of a cut or on a folder of triples, and that list the models for it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from kgrisk.console import emit, out, progress, show
from kgrisk.flags import Workers
from kgrisk.options import Home, Json, answer, opened, pair
from kgrisk.trials import models, on_triples, rows_of

app = typer.Typer()
Processes = Annotated[
    int | None,
    typer.Option("--processes", min=1, help="Processes that train together, here or on the Ray cluster of --workers."),
]


@app.command()
def train(
    cut: Annotated[str | None, typer.Option("--cut", help="Learn from what was published by this day.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Epochs of the link models at most.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of all that is drawn; default: see `kgrisk config`.")
    ] = None,
    triples: Annotated[
        Path | None,
        typer.Option("--triples", help="Learn a folder of train.txt, valid.txt, test.txt, without a graph."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Link model, see `kgrisk models`; default: relational, of --triples complex."),
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--setting", help="name=value of a run on a graph, such as fusion=late.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="Where link models compute: cpu, or cuda.")] = "cpu",
    processes: Processes = None,
    workers: Workers = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="Bound of training --triples.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Train on the past, test on what came after, publish links, scores and vectors."""
    if triples is not None:
        _without_graph(setting=setting, cut=cut, home=home, processes=(processes or 1) > 1, workers=workers)
        told = on_triples(triples, model or "complex", minutes, epochs, seed, device)
        _show_trial(told, triples.name, json)
        return
    if minutes:
        raise typer.BadParameter("--minutes goes with --triples: a run on a graph is bounded by --epochs")
    settings = dict(pair(text) for text in setting or ()) | ({"device": device} if device != "cpu" else {})
    if model and settings.setdefault("model", model) != model:
        raise typer.BadParameter(f"--model {model} and --setting model={settings['model']} name two models; name one")
    with opened(home, epochs=epochs, seed=seed) as graph:
        result = graph.train(cut, progress=progress, settings=settings, executor=workers, processes=processes)
        stages = [asdict(stage) for stage in graph.run(result.run).stages]
    emit({**told_of(result), "stages": stages}) if json else _show(result)


def _show_trial(told: dict[str, Any], name: str, json: bool) -> None:
    emit(told) if json else show(f"{told['model']} on {name}", rows_of(told))
    for remark in (*told["remarks"], told["certificate"]["remark"]):
        progress(remark)


def _without_graph(**given: object) -> None:
    """Refuse what only a run on a graph can be asked for."""
    if wrong := [name for name, value in given.items() if value]:
        takes = "--model, --minutes, --epochs, --seed and --device"
        raise typer.BadParameter(f"--{wrong[0]} goes with a graph; --triples takes {takes}")


@app.command(name="models")
def list_models(json: Json = False) -> None:
    """List the link models of `kgrisk train`: what each is, what it learns on, and what it can be asked for."""
    answer(models(), json)


def _show(result: Any) -> None:
    """A `TrainResult` for people: figures, what modalities are worth where the model reads any, and remarks."""
    show(f"cut {result.cut:%Y-%m-%d}", result.metrics.to_pylist())
    if result.modalities.num_rows:
        show("what each modality is worth to links", result.modalities.to_pylist())
    for remark in result.remarks:
        out.print(remark, markup=False)


def told_of(result: Any) -> dict[str, Any]:
    """A `TrainResult` as JSON: its tables, its remarks, and the no-peek certificate, null where none was asked for."""
    tables = {name: getattr(result, name).to_pylist() for name in ("metrics", "modalities", "relations")}
    proof = result.certificate.to_dict() if result.certificate else None
    kept = {"run": result.run, "model": result.model, "cut": result.cut, "seed": result.seed}
    return {**kept, **tables, "certificate": proof, "remarks": result.remarks}
