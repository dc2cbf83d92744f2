"""Commands that suppose: scenarios, what they cost, the smallest that is enough, and a past number asked again."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from kgrisk import risk_paths
from kgrisk.console import bars, emit, out, progress, show
from kgrisk.figures import write
from kgrisk.flags import Workers
from kgrisk.options import Home, Json, Known, Published, Valid, answer, asked, named, opened, pair, unread
from kgrisk.result import plain
from kgrisk.risk import Risk, for_people, run_of
from kgrisk.supposing import Supposition
from kgrisk.supposing_blocks import BLOCK
from queries.recorded import SHORT
from queries.scenario import Kind
from queries.whatif import find, library

app = typer.Typer()
Measure = Annotated[str | None, typer.Option("--measure", help="A risk measure; default: the setting.")]
Param = Annotated[list[str] | None, typer.Option("--param", help="Parameter of the measure, name=value.")]
Shock = Annotated[str | None, typer.Option("--shock", help="An id that fails, id=0.3, or score:distress.")]
Name = Annotated[str | None, typer.Option("--scenario", help="A scenario of the library, or a YAML file.")]
Currency = Annotated[str | None, typer.Option("--currency", help="Count in this currency.")]


@app.command()
def scenarios(
    name: Annotated[str | None, typer.Argument(help="Show one: a name, or a YAML file.")] = None, json: Json = False
) -> None:
    """List the scenarios of the library, or show one."""
    found = [find(name)] if name else list(library().values())
    if json:
        emit([plain(asdict(scenario)) for scenario in found])
        return
    rows = [{"name": s.name, "date": s.date, "narrative": s.narrative, "source": s.source} for s in found]
    show("scenarios", rows)
    for scenario in found if name else ():
        for line in (*scenario.shocks, *scenario.changes):
            out.print(f"  {dict(line)}", markup=False, highlight=False)


@app.command()
def suppose(
    name: Annotated[str, typer.Argument(help="A scenario of the library, or a YAML file.")],
    params: Annotated[list[str] | None, typer.Argument(help="Parameters of --query as name=value.")] = None,
    measure: Measure = None,
    param: Param = None,
    query: Annotated[str | None, typer.Option("--query", help="Ask this named query in place of a measure.")] = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only the rows that the scenario changes.")] = False,
    save: Annotated[bool, typer.Option("--save", help="Put the run and its losses into the ledger.")] = False,
    over: Annotated[float | None, typer.Option("--over", min=0.0, help="Save losses of more than this.")] = None,
    currency: Currency = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Suppose a scenario, and ask a measure or a named query; nothing is written unless it is saved."""
    given = dict(pair(text) for text in params or ())
    if query:
        losses = {"--measure": measure, "--param": param, "--save": save, "--over": over is not None}
        unread(losses, "is of a measure; --query asks a named query, which has no losses")
    else:
        unread({"--changed": changed, " ".join(params or ()): params}, "is of a named query; name one with --query")
        unread({"--over": over is not None and not save}, "says which losses are saved; add --save")
    with opened(home, currency=currency) as graph:
        what_if = graph.suppose(name, asked(valid, known, published))
        if query:
            report = graph.sync()
            if report is not None and report.from_commit < report.to_commit:
                progress(
                    f"the store was brought from commit {report.from_commit} to {report.to_commit} of the ledger first"
                )
            answer(what_if.changed(query, **given) if changed else what_if.query(query, **given), json)
            return
        risk = what_if.risk(measure, params=named(param))
        run = run_of(risk, over or 0.0) if save else ""
        if save:
            progress(f"the run {run[:SHORT]} is in the ledger, commit {what_if.save(risk, over or 0.0)}")
    _tell(risk, what_if, run, json)


def _tell(risk: Risk, what_if: Supposition, run: str, json: bool) -> None:
    """Losses under a scenario as JSON, or as a table for people."""
    losses, scenario = risk.table(), what_if.scenario.name
    if json:
        told = {"scenario": scenario, "measure": risk.losses.measure, "unit": risk.unit, "total": risk.total}
        told |= {"converged": risk.losses.converged, "losses": losses.rows()}
        told |= {"stages": [asdict(stage) for stage in risk.stages], **({"run": run} if run else {})}
        emit({**told, "remarks": (*what_if.remarks, *losses.remarks)})
        return
    for remark in what_if.remarks:
        progress(remark)
    answer(for_people(losses), False)
    out.print(f"total {risk.total:,.0f} {risk.unit}")


@app.command(name="suppose-many")
def suppose_many(
    file: Annotated[Path | None, typer.Argument(help="A YAML file with a list of scenarios.")] = None,
    draw: Annotated[int | None, typer.Option("--draw", min=1, help="Draw so many scenarios instead.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the drawn scenarios.")] = 0,
    label: Annotated[str, typer.Option("--label", help="Kind of entity that drawn scenarios hit.")] = "Bank",
    measure: Measure = None,
    param: Param = None,
    top: Annotated[int, typer.Option("--top", min=0, help="Entities told of each scenario.")] = 5,
    to: Annotated[Path | None, typer.Option("--out", help="All differences as a .csv or .parquet file.")] = None,
    block: Annotated[int, typer.Option("--block", min=1, help="Scenarios at a time: memory grows with it.")] = BLOCK,
    workers: Workers = None,
    currency: Currency = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Suppose many scenarios in one run, each with its id and what it changes; nothing is written to the graph."""
    if (file is None) == (draw is None):
        raise typer.BadParameter("give either a YAML FILE with a list of scenarios, or --draw N")
    with opened(home, currency=currency) as graph:
        more = {"at": asked(valid, known, published), "seed": seed, "label": label, "params": named(param)}
        more |= {"executor": workers, "block": block}
        more |= {"most": None if to else top}  # differences of all can be more than memory holds
        with bars() as bar:
            found = graph.suppose_many(file or draw or 1, measure, progress=partial(bar, "scenarios"), **more)
    if to is not None:
        write(found.difference, to)
    rows, hit = found.summary.rows(), found.by_scenario(top)
    if json:
        told = [row | {"difference": hit[row["id"]]} for row in rows]
        emit({"unit": found.unit, "scenarios": told, "stages": [asdict(stage) for stage in found.stages]})
        return
    show(found.summary.name, rows, ("id", "scenario", "total", "more", "touched", "failing", "worst", "worst_more"))


@app.command()
def compare(
    one: Annotated[str, typer.Argument(help="A scenario.")],
    other: Annotated[str, typer.Argument(help="Another.")],
    measure: Measure = None,
    param: Param = None,
    currency: Currency = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Losses under two scenarios side by side, largest difference first."""
    with opened(home, currency=currency) as graph:
        params = named(param)
        answer(graph.compare(one, other, measure, at=asked(valid, known, published), params=params), json)


@app.command()
def reverse(
    target: Annotated[str, typer.Argument(help="fails:ID, loss>=1e9, loss:ID>=1e6 or defaults>=3.")],
    scenario: Name = None,
    measure: Measure = None,
    param: Param = None,
    currency: Currency = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """The smallest shock that is enough: how much of a scenario, or without one whose failure."""
    with opened(home, currency=currency) as graph:
        params = named(param)
        answer(graph.reverse(target, measure, scenario, at=asked(valid, known, published), params=params), json)


@app.command()
def attribute(
    name: Annotated[str | None, typer.Argument(metavar="[MEASURE]", help="A risk measure, as in `risk`.")] = None,
    shock: Shock = None,
    scenario: Name = None,
    entity: Annotated[str, typer.Option("--entity", help="Whose loss; default: everyone's.")] = "",
    measure: Annotated[str | None, typer.Option("--measure", help="The same; default: eisenberg_noe.")] = None,
    param: Param = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="What a fraction of a shock is of.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many paths.")] = 5,
    publish: Annotated[bool, typer.Option("--publish", help="Put losses and paths into the ledger.")] = False,
    currency: Currency = None,
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Take a loss apart by path, in money that adds up, with the words behind every hop."""
    if name and measure and name != measure:
        raise typer.BadParameter(f"{name} and --measure {measure} are two measures; give one")
    at, measure = asked(valid, known, published), name or measure or "eisenberg_noe"
    with opened(home, currency=currency) as graph:
        params = named(param)
        if scenario:
            risk = graph.suppose(scenario, at).risk(measure, params=params)
        else:
            risk = graph.risk(measure, shock, at=at, params=params, kind=kind)
        found = graph.attribution(risk, entity, top, publish=publish)
        run = risk_paths.run_of(risk, entity, top) if publish else ""
        if publish:
            progress(f"losses and paths are in the ledger as run {run[:SHORT]}, commit {graph.ledger.head}")
    if json:
        saved = {"run": run} if run else {}
        emit({"name": found.name, "paths": found.rows(), "remarks": found.remarks, **saved})
        return
    for remark in found.remarks:
        progress(remark)
    show(found.name, found.rows(), ("path", "loss", "share", "without", "quotes"))


@app.command()
def replay(
    score: Annotated[str, typer.Argument(help="A score such as contagion_loss:lei:..., a claim, or a run.")],
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Ask for a past number again on the data it was made from; exit code 1 unless every bit is the same."""
    with opened(home) as graph:
        found = graph.replay(score, asked(valid, known, published))
    if json:
        emit({**asdict(found), "same": found.same})
    else:
        out.print(f"{found.kind} run {found.run[:12]} on commit {found.commit}, asked again: {found.told}")
    if not found.same:
        raise typer.Exit(1)
