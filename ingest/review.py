"""Review: the pairs that no rule decides, with their score, its reasons and what was said of either side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest.candidates import candidates
from ingest.clusters import Clusters, Known
from ingest.pair_decision import Verdict, decide
from ingest.word_weights import Weights
from kg.ledger import Ledger
from kg.ontology import FIRMS

QUOTES = 5
"""Quotes shown of each side."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Two ids that are not yet one, and the decision about them."""

    a: str
    b: str
    verdict: Verdict

    def other(self, id: str) -> str:
        return self.b if id == self.a else self.a


@dataclass(frozen=True, slots=True)
class Doubt:
    """An undecided pair as a person is asked about it."""

    a: str
    b: str
    score: float
    names: tuple[str, str]
    reasons: tuple[tuple[str, float], ...]
    """(feature, contribution); they add up to the score."""
    evidence: dict[str, list[dict[str, Any]]]
    """By id: property, value, quote, document, locator, published."""


def scored(known: Known, clusters: Clusters) -> list[Scored]:
    """Firms whose names are alike and that may be one, best first."""
    firms = sorted(id for id, label in known.labels.items() if label in FIRMS and known.names.get(id))
    rows = list(known.called(firms))
    weights = Weights(name for _, name in rows)
    pairs = {
        (min(a, b), max(a, b))
        for i, j in candidates([name for _, name in rows], weights)
        if (a := rows[i][0]) != (b := rows[j][0]) and clusters.find(a) != clusters.find(b)
    }
    found = (
        Scored(a, b, decide(known.profile(a), known.profile(b), weights))
        for a, b in sorted(pairs)
        if not clusters.forbids(a, b)
    )
    return sorted((f for f in found if f.verdict.band != "no"), key=lambda f: (-f.verdict.score, f.a, f.b))


def undecided(known: Known, clusters: Clusters, alike: Sequence[Scored] | None = None) -> list[Scored]:
    """A pair for each two clusters that may be one entity, best first: firms, and persons of one firm."""
    best: dict[tuple[str, str], Scored] = {}
    for pair in [*(scored(known, clusters) if alike is None else alike), *_colleagues(known, clusters)]:
        a, b = sorted((clusters.find(pair.a), clusters.find(pair.b)))
        if a != b and not clusters.forbids(a, b):
            best.setdefault((a, b), pair)
    return sorted(best.values(), key=lambda f: (-f.verdict.score, f.a, f.b))


def _colleagues(known: Known, clusters: Clusters) -> Iterator[Scored]:
    staff: dict[str, set[str]] = defaultdict(set)
    for person, firm in known.offices:
        if known.labels.get(person) == "Person" and known.names.get(person):
            staff[clusters.find(firm)].add(person)
    seen: set[tuple[str, str]] = set()
    for people in staff.values():
        ids = sorted(people)
        for n, a in enumerate(ids):
            for b in ids[n + 1 :]:
                if (a, b) in seen or clusters.forbids(a, b) or clusters.find(a) == clusters.find(b):
                    continue
                seen.add((a, b))
                verdict = decide(known.profile(a), known.profile(b))
                if verdict.band != "no":
                    yield Scored(a, b, verdict)


def doubts(ledger: Ledger, limit: int = 50) -> list[Doubt]:
    """What a person is asked, the likeliest first."""
    alive = ledger.alive()
    known = Known(alive)
    pairs = undecided(known, Clusters(known))[:limit]
    said = _said(alive, {id for pair in pairs for id in (pair.a, pair.b)})
    return [
        Doubt(
            pair.a,
            pair.b,
            pair.verdict.score,
            pair.verdict.names,
            tuple((r.feature, r.contribution) for r in pair.verdict.reasons),
            {id: said.get(id, []) for id in (pair.a, pair.b)},
        )
        for pair in pairs
    ]


def _said(alive: pa.Table, ids: set[str]) -> dict[str, list[dict[str, Any]]]:
    """The first claims about each id that tell who it is, with their quotes."""
    wanted = pa.array(sorted(ids), pa.string())
    told = pc.is_in(alive["kind"], pa.array(["property", "edge"]))
    rows = alive.filter(pc.and_(pc.is_in(alive["subject"], wanted), told)).sort_by(
        [("published", "ascending"), ("claim", "ascending")]
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    first = ("name", "identifier", "ticker", "IN_COUNTRY", "incorporated")
    ranked = sorted(rows.to_pylist(), key=lambda r: first.index(r["name"]) if r["name"] in first else len(first))
    for row in ranked:
        if len(found[row["subject"]]) < QUOTES:
            value = row["object"] or next((row[c] for c in _VALUES if row[c] is not None), "")
            evidence = {name: row[name] for name in ("quote", "document", "locator", "published")}
            found[row["subject"]].append({"says": row["name"], "value": value, **evidence})
    return found


_VALUES = ("value_text", "value_decimal", "value_real", "value_int", "value_time")
