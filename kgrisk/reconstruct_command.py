"""The command `kgrisk reconstruct`: networks, and losses with error bars, from published sums."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from kgrisk.console import emit, out, progress, show
from kgrisk.options import Json, pair, unread
from kgrisk.reconstructed import Drawing, Published, Way, cells, ranged_risk, read, told
from queries.measure import RiskMeasure, build
from queries.scenario import Kind

app = typer.Typer()
DRAWS = Drawing.draws
"""Networks of an ensemble, unless asked otherwise."""


@app.command()
def reconstruct(
    margins: Annotated[Path, typer.Argument(help="CSV: id,assets,liabilities[,equity,external_assets,shock ...].")],
    known: Annotated[Path | None, typer.Option("--known", help="Disclosed cells: creditor,debtor,amount.")] = None,
    way: Annotated[Way, typer.Option("--way", help="The evenest network, the sparsest, or many drawn.")] = "ensemble",
    draws: Annotated[
        int | None, typer.Option("--draws", min=1, help="Networks of an ensemble a measure is asked of; default 100.")
    ] = None,
    density: Annotated[float | None, typer.Option("--density", help="Share of pairs that are links, if known.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same networks.")] = 0,
    measure: Annotated[str | None, typer.Option("--measure", help="Spread a shock over each network.")] = None,
    shock: Annotated[str | None, typer.Option("--shock", help="An id that fails, or id=0.3.")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="name=value; may be repeated.")] = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="What a fraction of a shock is of.")] = None,
    file: Annotated[Path | None, typer.Option("--out", help="Write the (first) network as CSV here.")] = None,
    json: Json = False,
) -> None:
    """Make the networks that published sums allow, and tell what a shock costs over them."""
    if way != "ensemble":
        ensembles = {"--draws": draws, "--density": density is not None}
        unread(ensembles, f"is of an ensemble; --way {way} makes one network, and chooses its links itself")
    if measure is None:
        without = {"--draws": draws, "--shock": shock, "--param": param, "--kind": kind}
        unread(without, "is of a measure, and without one a single network is made; add --measure")
    published, drawing = read(margins, known), Drawing(way, draws or DRAWS, density, seed)
    for remark in published.sheets.remarks:
        progress(remark)
    if file is not None or measure is None:
        _network(published, drawing, file, json and measure is None)
    if measure is None:
        return
    built = build(RiskMeasure, measure, dict(pair(text) for text in param or ()))  # type: ignore[type-abstract]  # a role
    answer = told(ranged_risk(published, built, drawing, shock, kind))
    if json:
        emit({**answer, "way": way, "density": density, "seed": seed})
        return
    several, total = answer["networks"] > 1, answer["total"]
    over = f"{answer['networks']} networks" if several else "1 network"
    show(f"{measure} over {over}", [{"id": id, **row} for id, row in answer["losses"].items()])
    ranged = "total {mean:,.2f}, 90 % of the networks from {low:,.2f} to {high:,.2f}"
    out.print((ranged if several else "total {mean:,.2f}; one network has no range").format(**total))


def _network(published: Published, drawing: Drawing, file: Path | None, json: bool) -> None:
    """The first network, to a file or to the console."""
    rows = cells(published.margins, next(drawing.networks(published.margins)))
    if file is not None:
        with file.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.DictWriter(opened, ["creditor", "debtor", "amount"], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        progress(f"{len(rows)} claims written to {file}")
    elif json:
        emit(rows)
    else:
        show(f"{drawing.way}: {len(rows)} claims", rows)
