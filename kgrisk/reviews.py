"""Reviews on the console: undecided pairs and previews as people read them, and the prompt that takes judgements."""

from __future__ import annotations

import getpass
import sys
from dataclasses import asdict

import typer

from ingest.review import Doubt
from kg.errors import KgRiskError
from kgrisk import reviewing
from kgrisk.api import Graph
from kgrisk.console import emit, out, progress, show


def review(graph: Graph, by: str, limit: int, json: bool) -> None:
    """Undecided pairs: as JSON, as text where nobody sits at a terminal, else one by one with a prompt."""
    if json:
        emit([asdict(doubt) for doubt in reviewing.listed(graph, limit)])
        return
    if not sys.stdin.isatty():
        for doubt in reviewing.listed(graph, limit):
            tell(doubt)
        return
    name = by or getpass.getuser()
    done = reviewing.interview(graph, name, tell, _ask, limit)
    show(f"judged by {name}", done) if done else progress("nothing was judged")


def tell(doubt: Doubt) -> None:
    """One pair: score, its parts, and what was said of both sides."""
    _line(f"\n{doubt.a}  ?  {doubt.b}   score {doubt.score:.2f}")
    _line(f"  {doubt.names[0]!r} beside {doubt.names[1]!r}")
    for feature, contribution in sorted(doubt.reasons, key=lambda reason: -abs(reason[1])):
        _line(f"  {contribution:+.2f} {feature}")
    for id, rows in doubt.evidence.items():
        _line(f"  said of {id}:")
        for row in rows:
            quote = " ".join(str(row["quote"]).split())
            _line(f"    {row['says']} {row['value']}: {quote[:160]!r} [{row['document'][:12]} {row['locator']}]")


def preview(graph: Graph, a: str, b: str, act: reviewing.Act, json: bool) -> None:
    """What an act would change."""
    found = reviewing.impact(graph, a, b, act)
    if json:
        emit(found.plain())
        return
    rows = [asdict(d) | {"by": d.by} for d in found.differences]
    show(f"{act} {a} and {b}: {len(rows)} things would be otherwise", rows)
    for answer in found.answers:
        given = " ".join(f"{name}={value}" for name, value in answer.params.items())
        show(
            f"{'alert' if answer.alert else 'answer'} {answer.query} {given}",
            [*({"row": "gone", **row} for row in answer.gone), *({"row": "new", **row} for row in answer.new)],
            ["row", *(answer.gone or answer.new)[0]] if answer.gone or answer.new else (),
        )
    left = f"; {found.left_out} touched entities were not asked about" if found.left_out else ""
    progress(f"{found.asked} questions asked before and after, {len(found.answers)} answers differ{left}")


def _ask(doubt: Doubt) -> reviewing.Reply:
    while True:
        try:
            verdict = reviewing.read_reply(typer.prompt("same, different, skip, quit", default="skip", err=True))
        except KgRiskError as error:
            progress(str(error))
            continue
        why = typer.prompt("why", err=True) if verdict in ("same", "different") else ""
        return reviewing.Reply(verdict, why)


def _line(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
