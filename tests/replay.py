"""A brute-force replay of a ledger's log: an independent, slow answer to every as-of question.

Written from the definition (which claims are alive, who is one entity, which claim of a group wins) in plain Python,
row by row. It shares no code with kg.project or kg.identity beyond the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from kg.ontology import HAS, PROPERTIES, RELIABILITY, SCHEMES
from kg.snapshot import Snapshot

VALUES = ("value_text", "value_int", "value_real", "value_decimal", "value_time", "unit")
Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What is visible at one point of the three clocks, as sets of plain tuples."""

    nodes: frozenset[tuple[str, str]]
    edges: frozenset[tuple[Any, ...]]
    facts: frozenset[tuple[Any, ...]]
    exist: frozenset[str]
    """Ids whose existence is itself claimed then."""


def _hash(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _alive(events: list[Row], known: datetime) -> list[Row]:
    last: dict[str, Row] = {}
    for row in sorted(events, key=lambda r: r["commit"]):
        if row["known_from"] <= known:
            last[row["claim"]] = row
    return [row for row in last.values() if row["op"] == "assert"]


def canonical(alive: list[Row]) -> dict[str, str]:
    """What each judged id is called, from the rows alive."""
    refused = [{r["subject"], r["object"]} for r in alive if r["kind"] == "not_same"]
    cluster: dict[str, set[str]] = {}
    judged = [r for r in alive if r["kind"] == "same"]
    for row in sorted(judged, key=lambda r: (r["commit"], sorted((r["subject"], r["object"])))):
        joined = cluster.get(row["subject"], {row["subject"]}) | cluster.get(row["object"], {row["object"]})
        if any(pair <= joined for pair in refused):  # a forbidden pair, by way of whatever third ids
            continue
        for id in joined:
            cluster[id] = joined
    rank = {name: n for n, name in enumerate(SCHEMES)}
    return {id: min(ids, key=lambda i: (rank[i.split(":")[0]], i)) for id, ids in cluster.items()}


def given_keys(alive: list[Row]) -> dict[tuple[str, str], str]:
    """The key that judgements give to a statement: the one judged last and not denied, by (statement, subject)."""
    denied = {(r["value_text"], r["subject"], r["key"]) for r in alive if r["kind"] == "not_same_edge"}
    judged = [r for r in alive if r["kind"] == "same_edge"]
    judged = [r for r in judged if (r["value_text"], r["subject"], r["key"]) not in denied]
    judged.sort(key=lambda r: r["claim"], reverse=True)
    judged.sort(key=lambda r: r["commit"])
    return {(r["value_text"], r["subject"]): r["key"] for r in judged}


def replay(events: list[Row], valid: datetime, known: datetime, published: datetime) -> Answer:
    """The answer by definition. `events` are the rows of Ledger.events()."""
    alive = _alive(events, known)
    called, keys = canonical(alive), given_keys(alive)
    labels: dict[str, str] = {}
    for row in sorted(events, key=lambda r: r["commit"]):
        if row["kind"] == "node" and row["op"] == "assert" and row["known_from"] <= known:
            labels.setdefault(row["subject"], row["name"])
    best: dict[str, tuple[tuple[Any, ...], Row]] = {}
    told: dict[str, list[Row]] = {}
    for row in alive:
        if "same" in row["kind"] or row["published"] > published:
            continue
        row = dict(
            row,
            source=called.get(row["subject"], row["subject"]),
            target=called.get(row["object"], row["object"]),
            key=keys.get((row["statement"], row["subject"]), row["key"]),
            joined=(row["statement"], row["subject"]) in keys,
        )
        told.setdefault(_group(row), []).append(row)
    for group, rows in told.items():
        for row in rows:
            if not _covers(row, valid, published) or any(_ends(row, other, valid) for other in rows):
                continue
            if group not in best or _better(row, best[group][1]):
                best[group] = ((), row)
    winners = {group: row for group, (_, row) in best.items()}
    ids = {r["source"] for r in winners.values()} | {r["target"] for r in winners.values() if r["kind"] == "edge"}
    return Answer(
        frozenset((id, labels[id]) for id in ids),
        frozenset(_edge(g, r) for g, r in winners.items() if r["kind"] == "edge"),
        frozenset(_fact(r) for r in winners.values() if r["kind"] == "property"),
        frozenset(r["source"] for r in winners.values() if r["kind"] == "node"),
    )


def _covers(row: Row, valid: datetime, published: datetime) -> bool:
    return bool(row["published"] <= published and row["valid_from"] <= valid < row["valid_to"])


def _ends(row: Row, other: Row, valid: datetime) -> bool:
    """True if the same document said later that what the row says had ended by then."""
    same = ("document", "valid_from", *VALUES)
    later = other["published"] > row["published"] and other["valid_to"] < row["valid_to"]
    return later and other["valid_to"] <= valid and all(row[name] == other[name] for name in same)


def _group(row: Row) -> str:
    if row["kind"] == "edge":
        return _hash(row["name"], row["source"], row["target"], "", row["key"], "")
    if row["kind"] == "node":
        return _hash("HAS_FACT", row["source"], "", "label", row["key"], "")
    prop = PROPERTIES[row["name"]]
    return _hash(HAS[prop.node], row["source"], "", row["name"], row["key"], row["value_text"] if prop.many else "")


def _better(a: Row, b: Row) -> bool:
    def order(row: Row) -> tuple[Any, ...]:
        reliability = RELIABILITY.get(row["extractor"].split(".")[0], 1)
        return not row["joined"], reliability, row["published"], row["valid_from"], row["confidence"]

    return order(a) > order(b) or (order(a) == order(b) and a["claim"] < b["claim"])


def _edge(group: str, row: Row) -> tuple[Any, ...]:
    return (group, row["name"], row["source"], row["target"], row["key"], *(row[v] for v in VALUES), row["statement"])


def _fact(row: Row) -> tuple[Any, ...]:
    return (row["source"], row["name"], row["key"], *(row[v] for v in VALUES), row["statement"])


def answer_of(snapshot: Snapshot) -> Answer:
    """A snapshot in the same form (existence is not part of a snapshot)."""
    ids = snapshot.ids
    edges = frozenset(
        (e["id"], e["type"], ids[e["source"]], ids[e["target"]], e["key"], *(e[v] for v in VALUES), e["statement"])
        for e in snapshot.edges.to_pylist()
    )
    facts = frozenset(
        (ids[f["subject"]], f["property"], f["key"], *(f[v] for v in VALUES), f["statement"])
        for f in snapshot.facts.to_pylist()
    )
    return Answer(frozenset(zip(ids, snapshot.labels, strict=True)), edges, facts, frozenset())
