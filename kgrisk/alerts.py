"""Alerts: what the engine itself calls worth a look, out of the claims of its runs, as one list.

Three kinds of run speak: early warnings above their alarm, findings of patterns, and links that a model expects and no
source states. Their scores are not of one scale, so the list is ordered within each kind and by rank across them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from kg.snapshot import Snapshot
from kgrisk.published import links

KINDS: Final = ("warning", "finding", "laundering", "link")
_TEXTS = ("id", "kind", "subject", "name", "says", "since", "other", "other_name")
ROWS: Final = pa.schema(
    [
        ("rank", pa.int64()),
        *((name, pa.string()) for name in _TEXTS),
        ("score", pa.float64()),
        ("edges", pa.list_(pa.string())),
    ]
)
"""`id` is the statement behind the alert, `edges` are those it stands on."""


def alerts(snapshot: Snapshot, kind: str = "") -> pa.Table:
    """Alerts in ROWS, the best of each kind first."""
    found: list[dict[str, Any]] = []
    for name, of_kind in (("warning", _warnings), ("finding", _findings), ("laundering", _payments), ("link", _links)):
        if kind in ("", name):
            rows = sorted(of_kind(snapshot), key=lambda row: (-row["score"], row["id"]))
            found += [{"kind": name, "rank": rank, **row} for rank, row in enumerate(rows, 1)]
    found.sort(key=lambda row: (row["rank"], KINDS.index(row["kind"])))
    return pa.Table.from_pylist(found, ROWS)


def _facts(snapshot: Snapshot, *properties: str) -> list[dict[str, Any]]:
    facts = snapshot.facts
    rows: list[dict[str, Any]] = facts.filter(pc.is_in(facts["property"], pa.array(properties))).to_pylist()
    return rows


def _row(snapshot: Snapshot, fact: dict[str, Any], says: str, edges: list[str] | None = None) -> dict[str, Any]:
    subject = fact["subject"]
    return {
        "id": fact["statement"],
        "subject": snapshot.ids[subject],
        "name": snapshot.names[subject],
        "score": fact["value_real"],
        "says": says,
        "since": fact["valid_from"].date().isoformat(),
        "edges": edges or [],
    }


def _warnings(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """Firms whose index is above the alarm of the same run."""
    facts = _facts(snapshot, "warning", "alarm")
    alarm = {(row["subject"], row["key"]): row["value_real"] for row in facts if row["property"] == "alarm"}
    for row in facts:
        limit = alarm.get((row["subject"], row["key"]))
        if row["property"] == "warning" and limit is not None and row["value_real"] > limit:
            yield _row(snapshot, row, f"early warning {row['value_real']:.3f}, above the alarm {limit:.3f}")


def _findings(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """What patterns found; their edges in the order in which the finding tells them."""
    facts = _facts(snapshot, "finding", "finding_edge")
    edges: dict[str, list[tuple[float, str]]] = {}
    for row in facts:
        if row["property"] == "finding_edge":
            finding, _, edge = row["key"].rpartition("|")
            edges.setdefault(finding, []).append((row["value_real"], edge))
    for row in facts:
        if row["property"] == "finding":
            own = [edge for _, edge in sorted(edges.get(row["key"], []))]
            pattern = row["key"].partition("|")[0].replace("_", " ")
            yield _row(snapshot, row, f"pattern {pattern}, {len(own)} edges", own)


def _payments(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """Payments that a detector suspects."""
    for row in _facts(snapshot, "laundering"):
        yield _row(snapshot, row, f"suspected of laundering, {row['value_real']:.0%}", [row["key"]])


def _links(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """Links a model expects; one alert each, told of its source."""
    for row in links(snapshot).to_pylist():
        yield {
            "id": row["statement"],
            "subject": row["source"],
            "name": row["source_name"],
            "other": row["target"],
            "other_name": row["target_name"],
            "score": row["score"],
            "says": f"expected {row['relation']} to {row['target_name']}, stated by no source",
            "since": row["published"].date().isoformat(),
            "edges": [row["edge"]],
        }
