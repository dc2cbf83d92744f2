"""The command `kgrisk fairness`: a published score by groups of entities, as a report or as a gate."""

from __future__ import annotations

from typing import Annotated

import typer

from gnn.fairness import Rate
from kgrisk.console import emit, progress, show
from kgrisk.fairness import Fairness
from kgrisk.options import Home, Json, Known, Published, Valid, asked, opened

app = typer.Typer()


@app.command()
def fairness(
    score: Annotated[str, typer.Argument(help="A published score, such as distress.")] = "distress",
    by: Annotated[str, typer.Option("--by", help="country, sector, size, language, label or a property.")] = "country",
    max_gap: Annotated[
        float | None, typer.Option("--max-gap", min=0.0, max=1.0, help="Exit code 1 where a real gap is larger.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Score from which one is called; else as many as fell.")
    ] = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Tell whether a score treats groups alike: true and false positive rates and calibration after its cut."""
    with opened(home) as graph:
        found = graph.fairness(score, by, asked(valid, known, published), limit=max_gap, threshold=threshold)
    emit(found.told()) if json else _show(found)
    if not found.fair:
        raise typer.Exit(1)


def _show(found: Fairness) -> None:
    named = ("called", "true_positive_rate", "false_positive_rate", "calibration")
    rows = [
        {"group": own.name, "entities": own.count, "fell": own.fell}
        | {name.replace("_", " "): _told(getattr(own, name)) for name in named}
        for own in found.groups
    ]
    show(f"{found.score} by {found.by}, cut {found.cut:%Y-%m-%d}, called from {found.threshold:.3f}", rows)
    for gap in found.gaps:
        pair = f"{gap.most} over {gap.least}"
        judged = "" if found.limit is None else f": over {found.limit:g}" if gap.over else ": not over the limit"
        name = gap.measure.replace("_", " ")
        progress(f"{name}: {pair} by {gap.gap:.3f} ({gap.low:.3f} to {gap.high:.3f}){judged}")
    for remark in found.remarks:
        progress(remark)


def _told(rate: Rate) -> str:
    return f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})" if rate.count else "of none"
