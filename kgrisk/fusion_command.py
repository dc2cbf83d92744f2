"""Command that compares ways to read and to fuse what is known of an entity, by how well new links are found."""

from __future__ import annotations

from typing import Annotated

import typer

from kg.errors import KgRiskError
from kgrisk.console import emit, progress, show
from kgrisk.options import Home, Json, opened

app = typer.Typer()


@app.command()
def fusions(
    cut: Annotated[str | None, typer.Option("--cut", help="Learn from what was published by this day.")] = None,
    way: Annotated[list[str] | None, typer.Option("--way", help="A way to fuse; default: all. Repeatable.")] = None,
    encoders: Annotated[
        list[str] | None,
        typer.Option("--encoders", help="Encoders beside the usual ones: text=multilingual,image=cnn. Repeatable."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=2, help="Runs of each way.")] = 3,
    home: Home = None,
    json: Json = False,
) -> None:
    """Compare ways to fuse modalities and encoders, with intervals over seeds, beside structure alone."""
    choices = [{}, *(named(text) for text in encoders or [])]
    with opened(home) as graph:
        found = graph.compare_fusions(cut, way, choices, seeds=seeds, progress=progress)
    for remark in found.remarks:
        progress(remark)
    shown = [name for name in found.columns if name != "certificate"]
    emit(found.rows()) if json else show("new links by way to fuse", found.rows(), shown)


def named(text: str) -> dict[str, str]:
    """Encoder by modality out of `text=multilingual,image=cnn`; KgRiskError if it reads otherwise."""
    pairs = [part.partition("=") for part in text.split(",")]
    if wrong := [modality for modality, equals, name in pairs if not (modality and equals and name)]:
        raise KgRiskError(f"--encoders {text}: {wrong[0]!r} names no encoder; write modality=name,modality=name")
    return {modality.strip(): name.strip() for modality, _, name in pairs}
