"""What models have published into a graph, read from a snapshot: predicted links, scores, and the cut to learn by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import KgRiskError
from kg.ledger import Ledger
from kg.model import COMPUTED, OWN, as_time, sources_of
from kg.ontology import PROPERTIES
from kg.snapshot import Snapshot

LINK_ROWS = pa.schema(
    [(name, pa.string()) for name in ("relation", "source", "source_name", "target", "target_name")]
    + [("score", pa.float64()), ("published", pa.timestamp("us", "UTC")), ("edge", pa.string())]
    + [("statement", pa.string())]
)


def links(snapshot: Snapshot, relation: str = "") -> pa.Table:
    """Predicted links that no source states at the instant of the snapshot, best first."""
    predicted = [row for row in snapshot.edges_of("PREDICTED").to_pylist() if relation in ("", row["key"])]
    edges = snapshot.edges_of(*{row["key"] for row in predicted}).select(["source", "type", "target"])
    stated = set(zip(*(column.to_pylist() for column in edges.columns), strict=True))
    rows = [_link(snapshot, row) for row in predicted if (row["source"], row["key"], row["target"]) not in stated]
    rows.sort(key=lambda row: (-row["score"], row["edge"]))
    return pa.Table.from_pylist(rows, LINK_ROWS)


def _link(snapshot: Snapshot, row: dict[str, Any]) -> dict[str, Any]:
    """A predicted edge for people."""
    source, target = row["source"], row["target"]
    return {
        "relation": row["key"],
        "source": snapshot.ids[source],
        "source_name": snapshot.names[source],
        "target": snapshot.ids[target],
        "target_name": snapshot.names[target],
        "score": row["value_real"],
        "published": row["published"],
        "edge": row["id"],
        "statement": row["statement"],
    }


def scores(snapshot: Snapshot, property: str) -> pa.Table:
    """The latest score of every entity that has one, highest first."""
    rows, values = snapshot.latest(property)
    made = [
        {"id": snapshot.ids[row], "name": snapshot.names[row], "label": snapshot.labels[row], property: float(value)}
        for row, value in zip(rows.tolist(), values.tolist(), strict=True)
    ]
    made.sort(key=lambda row: (-row[property], row["id"]))
    text = [(name, pa.string()) for name in ("id", "name", "label")]
    return pa.Table.from_pylist(made, pa.schema([*text, (property, pa.float64())]))


def sourced(snapshot: Snapshot, scored: pa.Table, property: str) -> pa.Table:
    """Scores with when each was published and its statement, which leads to the evidence and the run."""
    facts = snapshot.latest_facts(property).select(["subject", "published", "statement"]).to_pylist()
    own = {snapshot.ids[fact["subject"]]: fact for fact in facts}
    told = [own[id] for id in scored["id"].to_pylist()]
    for name, kind in (("published", pa.timestamp("us", "UTC")), ("statement", pa.string())):
        scored = scored.append_column(name, pa.array([fact[name] for fact in told], kind))
    return scored


def runs(ledger: Ledger, snapshot: Snapshot) -> list[str]:
    """Ids of the runs of models and risk whose scores, losses and expected links a snapshot holds, sorted."""
    scored = [name for name, kind in PROPERTIES.items() if kind.node == "Score"]
    facts = snapshot.facts.filter(pc.is_in(snapshot.facts["property"], pa.array(scored)))
    told = pa.concat_tables([facts.select(["claim"]), snapshot.edges_of("PREDICTED").select(["claim"])])
    if not len(told):
        return []
    cursor = ledger.cursor()
    cursor.register("told", told)
    found = cursor.sql(
        "SELECT DISTINCT document FROM events JOIN told USING (claim) WHERE op = 'assert' AND commit <= $head AND "
        "list_contains($computed, split_part(extractor, '.', 1)) ORDER BY document",
        params={"head": snapshot.commit, "computed": list(COMPUTED)},
    )
    return [row[0] for row in found.fetchall()]


def span(alive: pa.Table) -> tuple[datetime, datetime] | None:
    """When a source first published and when one last did; None where no source said anything.

    Judgements, scores and losses do not count: they are dated by the clock of this machine, which may be after
    everything the files tell.
    """
    own = pc.is_in(alive["kind"], pa.array(["same", "not_same"]))
    own = pc.or_(own, pc.is_in(sources_of(alive["extractor"]), pa.array(OWN)))
    published = alive.filter(pc.invert(own))["published"]
    if not len(published):
        return None
    ends = pc.min_max(published).as_py()
    return ends["min"], ends["max"]


def year_before_last(alive: pa.Table) -> datetime | None:
    """A year before a source last published, so that something is left to test on; None where none said anything."""
    told = span(alive)
    if told is None:
        return None
    last = told[1]
    return as_time(last.date().replace(year=last.year - 1, day=min(last.day, 28)))


def testable(alive: pa.Table, cut: datetime) -> datetime:
    """The cut; KgRiskError if it is after all that sources published, for then nothing is left to test on."""
    told = span(alive)
    if told is not None and cut > told[1]:
        first, last = (f"{moment:%Y-%m-%d}" for moment in told)
        raise KgRiskError(
            f"cut {cut:%Y-%m-%d} is after all that sources published, from {first} to {last}: nothing would be left to "
            "test on; name a day in between, or none for a year before the last one"
        )
    return cut


def named(snapshot: Snapshot, found: pa.Table) -> pa.Table:
    """Answers of a nearest-neighbour question with a column of names: the title of a document, else a name."""
    titles = snapshot.facts_of("title").select(["subject", "value_text"]).to_pylist()
    called = {snapshot.ids[row["subject"]]: row["value_text"] for row in titles}
    names = [called.get(id) or snapshot.names[snapshot.index[id]] for id in found["id"].to_pylist()]
    return found.add_column(1, "name", pa.array(names, pa.string()))
