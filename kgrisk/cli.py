"""The command line: one command per thing the engine does; data on stdout, progress on stderr.

Exit codes: 0 done, 1 an error that the message explains, 2 wrong usage, 3 done with quarantined records,
130 interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ingest.rulings import Author
from kg import plugins
from kg.disk import disk_error
from kg.errors import KgRiskError
from kgrisk import (
    __version__,
    asking,
    audit_command,
    brief_command,
    cases_command,
    casestudy_command,
    champion_command,
    cypher_command,
    doctor,
    erase_command,
    explaining_command,
    export_command,
    extraction,
    fairness_command,
    figure_command,
    fusion_command,
    gathering,
    kyc_command,
    lineage_command,
    mcp_command,
    meaning_command,
    migrate_command,
    pattern_command,
    payment_command,
    reconstruct_command,
    refresh_command,
    reviewing,
    reviews,
    risk_command,
    run_command,
    scenario_command,
    serve_command,
    supply_command,
    train_command,
    warning_command,
)
from kgrisk.console import complain, emit, emit_lines, err, out, progress, show
from kgrisk.options import Home, Json, Store, opened
from kgrisk.settings import Settings

QUARANTINED = 3
app = typer.Typer(
    help="Financial risk on a knowledge graph: evidence and three clocks on every number.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(asking.app)
app.add_typer(explaining_command.app)
app.add_typer(mcp_command.app)
app.add_typer(brief_command.app)
app.add_typer(meaning_command.app)
app.add_typer(migrate_command.app)
app.add_typer(risk_command.app)
app.add_typer(scenario_command.app)
app.add_typer(warning_command.app)
app.add_typer(champion_command.top)
app.add_typer(champion_command.app, name="champion")
app.add_typer(figure_command.app)
app.add_typer(fairness_command.app)
app.add_typer(lineage_command.app)
app.add_typer(fusion_command.app)
app.add_typer(reconstruct_command.app)
app.add_typer(casestudy_command.app)
app.add_typer(cypher_command.app)
app.add_typer(export_command.app)
app.add_typer(supply_command.app)
app.add_typer(gathering.app)
app.add_typer(kyc_command.app)
app.add_typer(pattern_command.app)
app.add_typer(refresh_command.app)
app.add_typer(refresh_command.jobs_app, name="jobs")
app.add_typer(run_command.app)
app.add_typer(train_command.app)
app.add_typer(payment_command.app, name="payments")
app.add_typer(serve_command.app)
app.add_typer(audit_command.app, name="audit")
app.add_typer(erase_command.app)
app.add_typer(serve_command.keys_app, name="keys")
app.add_typer(cases_command.app, name="cases")


def main() -> None:
    """Entry point: run a command, turn what went wrong on purpose into one line and an exit code."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stderr)
    try:
        with audit_command.written_down(sys.argv[1:]):
            app()
    except KgRiskError as error:
        complain(str(error))
        sys.exit(1)
    except BrokenPipeError:  # the reader of a pipe went away: that is no error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if (refused := disk_error(error)) is None:
            raise
        complain(str(refused))
        sys.exit(1)


@app.callback(invoke_without_command=True)
def top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        out.print(f"kgrisk {__version__}")
        raise typer.Exit


@app.command(name="demo")
def run_demo(
    home: Annotated[Path, typer.Option("--home", help="A folder of its own; made anew each time.")] = Path("demo-home"),
    report: Annotated[Path, typer.Option("--out", help="Where the HTML report goes.")] = Path("demo-report.html"),
    json: Json = False,
) -> None:
    """Run the whole engine on the bundled fictional sample, offline, and say what came out."""
    from kgrisk.demo import demo

    result = demo(home, report, out if not json else err)
    if json:
        emit(result)


@app.command()
def extract(
    source: Annotated[str, typer.Argument(help="A source, see `kgrisk sources`.")],
    files: Annotated[list[Path], typer.Argument(help="Files to read.")],
    json: Json = False,
) -> None:
    """Print the claims of files, one JSON object a line, without touching a graph."""
    refused = 0
    for item in extraction.extract(source, files):
        if isinstance(item, extraction.Refused):
            refused += 1
            progress(f"quarantined: {item.path} {item.locator}: {item.reason}")
        elif json:
            emit_lines([item])
        else:
            name = item.get("label") or item.get("type") or item.get("property") or item["kind"]
            ends = item.get("id") or f"{item.get('source', item.get('a'))} -> {item.get('target', item.get('b'))}"
            out.print(
                f"{name} {ends} {item['props']} [{item['locator']}]", markup=False, highlight=False, soft_wrap=True
            )
    if refused:
        raise typer.Exit(QUARANTINED)


@app.command()
def resolve(
    undo: Annotated[tuple[str, str] | None, typer.Option("--undo", help="Take back that two ids are one.")] = None,
    forbid: Annotated[tuple[str, str] | None, typer.Option("--forbid", help="Say that two ids are two.")] = None,
    review: Annotated[bool, typer.Option("--review", help="Undecided pairs, to judge at the prompt.")] = False,
    judge: Annotated[
        tuple[str, str, str] | None, typer.Option("--judge", help="A B same|different, with --by, --why.")
    ] = None,
    loan: Annotated[
        tuple[str, str, str] | None,
        typer.Option("--loan", help="STATEMENT KEY same|different: a loan told without its facility is that one."),
    ] = None,
    preview: Annotated[tuple[str, str] | None, typer.Option("--preview", help="What merging A and B changes.")] = None,
    act: Annotated[reviewing.Act, typer.Option("--act", help="What --preview tries out.")] = "merge",
    by: Annotated[str, typer.Option("--by", help="Who judges.")] = "",
    why: Annotated[str, typer.Option("--why", help="Why; kept as evidence.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most pairs shown.")] = 50,
    home: Home = None,
    json: Json = False,
) -> None:
    """Judge which ids are one entity: identifiers first, names last; or review, judge, undo and look ahead."""
    if sum(map(bool, (undo, forbid, review, judge, loan, preview))) > 1:
        raise typer.BadParameter("give one act: --undo, --forbid, --review, --judge, --loan or --preview")
    told: dict[str, object] = {}
    with opened(home) as graph:
        if review:
            reviews.review(graph, by, limit, json)
        elif preview:
            reviews.preview(graph, *preview, act, json)
        elif said := judge or loan:
            act_on = reviewing.judge if judge else reviewing.judge_loan
            commit = act_on(graph, *said[:2], reviewing.read_verdict(said[2]), Author(by, why))
            told = {"judged": list(said), "by": by, "why": why, "commit": commit}
        elif undo:
            told = {"undone": list(undo), "commit": graph.undo(*undo)}
        elif forbid:
            told = {"forbidden": list(forbid), "commit": graph.forbid(*forbid)}
        else:
            told = asdict(graph.resolve())
    if told:
        emit(told) if json else show("resolved", [told])


@app.command()
def sources(json: Json = False) -> None:
    """List what kinds of input can be read."""
    rows = [{"source": name, "reads": doc} for name, doc in plugins.summaries(extraction.PACKAGE).items()]
    emit(rows) if json else show("sources", rows)


@app.command(name="doctor")
def run_doctor(
    home: Home = None,
    store: Store = None,
    compare: Annotated[bool, typer.Option("--compare", help="Hold every row of the store against the ledger.")] = False,
    json: Json = False,
) -> None:
    """Check what has to be right on this machine; exit code 1 if something fails."""
    settings = Settings.load(home=home, store=store)
    findings = doctor.examine(doctor.Patient(settings.home, settings, compare=compare))
    rows = [{"check": f.check, "state": f.state, "detail": f.detail, "remedy": f.remedy} for f in findings]
    emit(rows) if json else show("doctor", rows)
    if not doctor.healthy(findings):
        raise typer.Exit(1)


@app.command()
def config(json: Json = False) -> None:
    """Show every setting, where it can be set, and its value; secrets are masked."""
    shown = Settings.load().shown()
    if json:
        emit(shown)
        return
    fields = Settings.model_fields
    show("settings", [{"setting": n, "value": str(v), "means": fields[n].description} for n, v in shown.items()])


if __name__ == "__main__":
    main()
