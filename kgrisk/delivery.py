"""The second delivery of the demo: one file or more of every other kind of input, read on top of a filled graph.

What the files state is planted, so that each statement can be looked for after reading and resolution.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console

from ingest.report import RunReport
from kg.identity import clusters
from kg.model import AsOf
from kg.snapshot import Snapshot
from kgrisk.api import Graph
from kgrisk.console import grid, head, say
from kgrisk.doctor import SAMPLE

MORE = SAMPLE.parent / "more"
TRUTH = SAMPLE.parent / "more-truth.json"
AT = AsOf(valid=datetime(2023, 12, 31, tzinfo=UTC))
_SOURCES = {".ogg": "audio", ".mp4": "video", ".pdf": "pdf", ".jsonl": "news", ".csv": "gleif"}
"""Source that reads a file of the truth, by its ending."""
_TELLING = ("LENDS_TO", "OBLIGED_TO", "SUPPLIES", "OWNS", "SUBSIDIARY_OF", "AFFECTED_BY", "CORRELATES_WITH", "PAID",
            "SHARES_IDENTIFIER", "OFFICER_OF", "MENTIONED_IN")  # fmt: skip
"""Edge types an example is taken from, the most telling first."""


def received(graph: Graph, tell: Callable[[str], None]) -> dict[str, Any]:
    """Read the delivery, resolve, bring the store up to date; what came in, by source, and what was found of it."""
    before = graph.ledger.head
    report = graph.ingest(MORE, progress=lambda source, done, files: tell(f"{source} {done} of {files} files"))
    resolved = graph.resolve()
    synced = graph.sync()
    now, was = graph.snapshot(AT), graph.snapshot(AsOf(valid=AT.valid, known=graph.ledger.known(before)))
    new = _new_edges(graph, before)
    return {
        "sources": [
            _row(graph, now, source, new, report) for source in report.sources if report.sources[source].records
        ],
        "quarantined": [asdict(row) for row in report.quarantined],
        "planted": _planted(graph, new),
        "judgements": resolved.judgements,
        "versions": synced.opened if synced else 0,
        "sync_seconds": synced.seconds if synced else 0.0,
        "edges": {"before": was.edges.num_rows, "after": now.edges.num_rows},
    }


def _new_edges(graph: Graph, since: int) -> pa.Table:
    """Claims of edges asserted after a commit."""
    alive = graph.ledger.alive()
    new = pc.greater(alive["known_from"], graph.ledger.known(since))
    return alive.filter(pc.and_(new, pc.equal(alive["kind"], "edge")))


def _row(graph: Graph, now: Snapshot, source: str, new: pa.Table, report: RunReport) -> dict[str, Any]:
    """Counts of one source, and one of its edges with the place it was read from."""
    count = report.sources[source]
    own = new.filter(pc.starts_with(new["extractor"], f"{source}."))
    rows = sorted(own.to_pylist(), key=lambda row: _TELLING.index(row["name"]) if row["name"] in _TELLING else 99)
    said = f"{_called(now, rows[0]['subject'])} {rows[0]['name']} {_called(now, rows[0]['object'])}" if rows else ""
    return {
        "source": source,
        "records": count.records,
        "claims": count.claims,
        "says, for one": said,
        "at": rows[0]["locator"][:44] if rows else "",
        "in these words": rows[0]["quote"][:60] if rows else "",
    }


def _called(now: Snapshot, id: str) -> str:
    """A name of an entity in a few letters, else its id."""
    return (now.names[now.index[id]] if id in now.index else id).removeprefix("name:")[:28]


def _planted(graph: Graph, new: pa.Table) -> list[dict[str, Any]]:
    """Each planted statement, and whether its source's claims say it of the same two entities."""
    same = _identities(graph)
    said = {
        (
            row["extractor"].partition(".")[0],
            row["name"],
            same.get(row["subject"], row["subject"]),
            same.get(row["object"], row["object"]),
        ): row
        for row in new.to_pylist()
    }
    told: list[dict[str, Any]] = []
    for one in json.loads(TRUTH.read_text()):
        source = _SOURCES["." + one["file"].rpartition(".")[2]]
        ends = (same.get(one["source"], one["source"]), same.get(one["target"], one["target"]))
        row = said.get((source, one["relation"], *ends))
        amount = None if row is None else row["value_decimal"]
        right = row is not None and ("amount" not in one or amount == one["amount"])
        told.append({"source": source, **one, "found": row is not None, "right": right})
    return told


def _identities(graph: Graph) -> Mapping[str, str]:
    """Canonical id of every id that is judged the same as another."""
    alive = graph.ledger.alive()
    judged = {
        kind: [(row["subject"], row["object"]) for row in alive.filter(pc.equal(alive["kind"], kind)).to_pylist()]
        for kind in ("same", "not_same")
    }
    return clusters(judged["same"], {frozenset(pair) for pair in judged["not_same"]})


def told(console: Console, facts: Mapping[str, Any]) -> None:
    """Section 9: what every other kind of input gave, and whether what was planted in it was found."""
    found = facts["delivery"]
    head(console, "10. A second delivery: every other kind of input, on top of the graph")
    grid(console, "", found["sources"])
    planted, right = found["planted"], sum(row["right"] for row in found["planted"])
    say(
        console,
        f"{right} of {len(planted)} statements planted in these files were found with both ends and amount right.",
    )
    missed = [f"{row['file']}: {row['relation']}" for row in planted if not row["right"]]
    if missed:
        say(console, f"Not found: {'; '.join(missed)}.", "yellow")
    grid(console, "quarantined", found["quarantined"], ("source", "path", "locator", "reason"))
    edges = found["edges"]
    say(
        console,
        f"{found['judgements']} more names were resolved; {found['versions']:,} versions went into the store in "
        f"{found['sync_seconds']:.1f} s. Who asks as known before the delivery still sees {edges['before']:,} edges, "
        f"who asks now {edges['after']:,}.",
    )
