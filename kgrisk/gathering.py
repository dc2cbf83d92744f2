"""Commands about what comes in: fetching filings, reading files, and the quality of what was read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ingest.edgar.fetching import Hosts, Wanted
from ingest.edgar.fetching import fetch as fetch_filings
from kg.errors import SettingsError
from kgrisk.console import bars, emit, out, show
from kgrisk.flags import Workers
from kgrisk.options import Home, Json, Known, Published, Valid, asked, made, opened
from kgrisk.settings import Settings

app = typer.Typer()
_DAY = ["%Y-%m-%d"]
QUARANTINED = 3
"""What a command ends with that left something out."""


@app.command()
def fetch(
    folder: Annotated[Path, typer.Argument(help="Where the filings go; `kgrisk ingest` reads it then.")],
    cik: Annotated[list[str], typer.Option("--cik", help="A filer; may be repeated.")],
    form: Annotated[list[str] | None, typer.Option("--form", help="Only this form; may be repeated.")] = None,
    since: Annotated[datetime | None, typer.Option("--since", formats=_DAY, help="First filing date.")] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=_DAY, help="Last filing date.")] = None,
    facts: Annotated[bool, typer.Option("--facts", help="Company facts as well.")] = False,
    host: Annotated[str, typer.Option("--host", help="A mirror instead of EDGAR itself.")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Fetch filings from EDGAR: at most 10 requests a second, nothing twice, what was cut goes on."""
    settings = Settings.load(home=home)
    if not settings.user_agent:
        raise SettingsError(
            "EDGAR wants to know who asks: set KGRISK_USER_AGENT to a name and a mail address, such as "
            "'Example Bank risk@example.com'"
        )
    wanted = Wanted(cik, form or (), since and since.date(), until and until.date(), facts)
    hosts = Hosts(host, host) if host else Hosts()
    with bars() as bar:
        found = fetch_filings(wanted, folder, settings.home / "cache" / "edgar", settings.user_agent, hosts, bar)
    new = [str(path) for path in found.new]
    if json:
        emit({"new": new, "kept": len(found.kept), "missing": found.missing, "requests": found.requests})
        return
    show("fetched", [{"file": path} for path in new])
    out.print(f"{len(found.new)} new, {len(found.kept)} there already, {len(found.missing)} missing")


@app.command()
def ingest(
    folder: Annotated[Path, typer.Argument(help="Every file below it that a source knows is read.")],
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")] = None,
    workers: Workers = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Read files into the ledger; the same files again add nothing."""
    with made(home) as graph, bars() as bar:
        report = graph.ingest(folder, sources=source or (), progress=bar, executor=workers)
    told = report.to_dict()
    if json:
        emit(told)
    else:
        show("read", [{"source": name, **count} for name, count in told["sources"].items()])
        show("quarantined", told["quarantined"]) if told["quarantined"] else None
        out.print(f"commit {report.commit}" if report.committed else f"nothing new; head is commit {report.commit}")
    if report.quarantined:
        raise typer.Exit(QUARANTINED)


@app.command()
def quality(
    valid: Valid = None,
    known: Known = None,
    published: Published = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report as a page.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """What is missing, doubtful, contradictory or out of date in the graph."""
    with opened(home) as graph:
        found = graph.quality(asked(valid, known, published))
    if html:
        page = f"<!doctype html><meta charset='utf-8'><title>Data quality</title>{found.to_html()}"
        html.write_text(page, encoding="utf-8")
    emit(found.to_dict()) if json else show("quality", found.rows())
