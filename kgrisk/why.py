"""Why a model says what it says: shares that add up, paths, figures, edges and marked places, with their evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from kg.errors import KgRiskError
from kg.model import AsOf
from kg.snapshot import Snapshot
from kgrisk.console import cell
from kgrisk.evidence import Explanation
from kgrisk.extras import need
from kgrisk.opened import Opened
from kgrisk.proof import Proofs

if TYPE_CHECKING:
    from gnn.explaining.of_run import Told

RANGE = ("distress_low", "distress_high")
MOMENT = timedelta(microseconds=1)
ADDS = "what each part adds to the log odds:"
SAME = 1e-9
"""Ends no further from a score than this are that score, rounding aside."""


def run_of(graph: Opened, folder: Path, later: Mapping[str, Any] | None = None) -> Told:
    """A finished run of a graph, on the graph as it was known to it. ModelError if the folder holds none.

    `later` is the manifest of a scoring by its head of a later day, which is then what it is asked of.
    """
    facts = need("gnn.checkpoint", "learn").load_tensors(folder)[1]
    moved = {"commit": later["commit"], "cut": later["day"]} if later and later.get("kind") == "score" else {}
    facts |= moved
    known = graph.ledger.known(int(facts["commit"])) if facts.get("commit") else None

    def then(at: AsOf) -> Snapshot:
        return graph.ledger.view(replace(at, known=known))

    given = then, graph.files, folder, graph.home / "cache", graph.settings.clip
    found: Told = need("gnn.explaining.of_run", "learn").Told.of(*given)
    return replace(found, facts={**found.facts, **moved})


def proofs(graph: Opened, run: Told) -> Proofs:
    """What can be read back of what the run was given."""
    known = graph.ledger.known(int(run.facts["commit"])) if run.facts.get("commit") else None
    return Proofs(graph.ledger, graph.files, AsOf(valid=run.cut - MOMENT, known=known, published=run.cut))


def story(graph: Opened, found: Explanation, saliency: bool = False) -> dict[str, Any]:
    """What made a model expect a link or give a score; empty of what no model of links or distress said.

    Of a score with `saliency` also the spans, boxes, seconds and days it rests on. KgRiskError where the folder of the
    run is gone, or keeps no head, or saliency is asked of a link.
    """
    what = found.what
    if what.get("type") != "PREDICTED" and what.get("property") != "distress":
        if saliency:
            raise KgRiskError("saliency is of a score: ask `kgrisk explain distress:ENTITY --saliency`")
        return {}
    run = _run(graph, found)
    if "type" in what:
        if saliency:
            raise KgRiskError("saliency is of a score, this is a link; leave --saliency out")
        return _of_link(graph, run, what)
    return _of_score(graph, run, what, saliency)


def figures(graph: Opened, found: Explanation) -> list[dict[str, Any]]:
    """The figures that move a score, as its story has them, without reading them back from documents."""
    if found.what.get("property") != "distress":
        return []
    told = need("gnn.explaining.firm", "learn").figures(_run(graph, found), found.what["subject"])
    return [asdict(figure) for figure in told]


def _run(graph: Opened, found: Explanation) -> Told:
    """The run that said it. KgRiskError if its folder is gone."""
    folder = graph.home / "runs" / found.run.get("of", found.run.get("run", "-"))
    if not folder.is_dir():
        raise KgRiskError(f"the run {folder.name[:12]} that said it is not in {folder.parent}; train again to know why")
    return run_of(graph, folder, found.run)


def of_links(graph: Opened, folder: Path, triples: Sequence[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """The stories of links (source, relation, target) by the run in a folder, without their proof."""
    room, run = need("gnn.explaining.of_run", "learn"), run_of(graph, folder)
    return [asdict(room.story(run, triple)) for triple in triples]


def _of_link(graph: Opened, run: Told, what: Mapping[str, Any]) -> dict[str, Any]:
    room, read = need("gnn.explaining.of_run", "learn"), proofs(graph, run)
    told = asdict(room.story(run, (what["source"], what["key"], what["target"])))
    for reason in told["reasons"]:
        reason["proof"] = [{"edge": edge, **read.of(edge)} for edge in reason["edges"]]
    return told


def _of_score(graph: Opened, run: Told, what: Mapping[str, Any], saliency: bool) -> dict[str, Any]:
    told, read = asdict(need("gnn.explaining.firm", "learn").told(run, what["subject"])), proofs(graph, run)
    told |= {"published": what["value"], "interval": interval(graph, what)}
    if not told["interval"] and run.facts["settings"].get("members") == 1:
        told["remark"] = "no interval: one member tells no disagreement"
    for figure in told["figures"]:
        figure["evidence"] = [{**row, **read.of(row["statement"])} for row in figure["evidence"]]
    for edge in told["edges"]:
        edge["proof"] = read.of(edge["edge"])
    if saliency:
        marked = need("gnn.explaining.marked", "learn").marked(run, what["subject"])
        told["saliency"] = [asdict(value) for value in marked]
        for value in told["saliency"]:
            value["parts"] = [{**part, **read.part(part, value["modality"])} for part in value["parts"]]
    return told


def interval(graph: Opened, what: Mapping[str, Any]) -> list[float] | None:
    """The ends that were published with a score; None where the run told none, or one member had nobody to differ
    from: ends that both are the score are no sign of certainty."""
    snapshot = graph.ledger.view(AsOf(valid=what["valid_from"], published=what["published"]))
    row, ends = snapshot.index[what["subject"]], list[float]()
    for name in RANGE:
        own = snapshot.facts_of(name)
        own = own.filter(pc.and_(pc.equal(own["subject"], row), pc.equal(own["valid_from"], _time(what["valid_from"]))))
        ends += own["value_real"].to_pylist()[-1:]
    return ends if len(ends) == len(RANGE) and max(abs(end - what["value"]) for end in ends) > SAME else None


def _time(moment: datetime) -> Any:
    import pyarrow as pa

    return pa.scalar(moment, pa.timestamp("us", "UTC"))


def sums(told: Mapping[str, Any]) -> str:
    """The log odds as a sum: `2.31 = -0.40 alone + 1.80 structure + 0.91 text`."""
    parts = " ".join(f"{'+' if value >= 0 else '-'} {abs(value):.2f} {name}" for name, value in told["shares"].items())
    return f"{told['log_odds']:.2f} = {told['base']:.2f} alone {parts}"


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The story in words; every signed number is what that part adds to the log odds, as `effect` in JSON."""
    if told:
        yield from _link_lines(told) if "reasons" in told else _score_lines(told)


def _link_lines(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"log odds against chance {sums(told)}"
    yield ADDS
    for reason in told["reasons"]:
        yield f"{reason['effect']:+.2f} {reason['words']}"
        yield from (_stands(proof) for proof in reason["proof"])
    for id, figures in told["figures"].items():
        yield f"figures of {id}: " + ", ".join(f"{name} {value:+.2f}" for name, value in figures.items())


def _score_lines(told: Mapping[str, Any]) -> Iterator[str]:
    ends = told["interval"]
    between = f", from {ends[0]:.4f} to {ends[1]:.4f}" if ends else f" ({told['remark']})" if "remark" in told else ""
    yield f"probability {told['published']:.4f}{between}; log odds {sums(told)}"
    yield ADDS
    yield from _figure_lines(told["figures"])
    for edge in told["edges"]:
        yield f"{edge['effect']:+.2f} edge {edge['words']}"
        yield _stands(edge["proof"])
    for value in told.get("saliency", ()):
        yield f"{value['effect']:+.2f} {value['modality']} of {value['node']}"
        for part in value["parts"]:
            yield f"  {part['weight']:+.2f} {part['where']} {part['words'][:100]}".rstrip()
            yield _stands(part)


def _figure_lines(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What each figure adds with the values it is made of; then, once each, the places where those stand."""
    places: dict[str, dict[str, None]] = {}
    for figure in figures:
        made = [f"{row['property']} {cell(row['value'])} {row['unit'] or ''}".rstrip() for row in figure["evidence"]]
        yield f"{figure['effect']:+.2f} figure {figure['name']}" + (f" ({'; '.join(made)})" if made else "")
        for row in figure["evidence"]:
            places.setdefault(_stands(row), {})[str(row["property"])] = None
    for place, names in places.items():
        yield f"  {', '.join(names)}:"
        yield place


def _stands(proof: Mapping[str, Any]) -> str:
    """Where it stands, in one line."""
    if not proof.get("document"):
        return "    (no evidence is recorded)"
    mark = "" if proof.get("read_back") else f" [{proof.get('note') or 'does not read back'}]"
    return f"    {proof['document'][:12]} {proof['locator']}: {str(proof['quote'])[:160]}{mark}"
