"""What was said where, what contradicts it, and what changed since."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from kg.model import AsOf, iso
from tests.oracles.answer import MONEY, Answer, earlier, ordered
from tests.poison import Row, Seen, World
from tests.poison.said import LOST, PROPERTIES, SCORED


def evidence_behind_edge(world: World, at: AsOf, source: str, relation: str, target: str) -> Answer:
    rows = (
        {
            "edge": r.id,
            "edge_key": r.key,
            "document": r.said.document,
            "locator": r.said.locator,
            "quote": r.said.quote,
            "extractor": r.said.extractor,
            "confidence": r.said.confidence,
            "statement": r.statement,
            "claims": r.claims,
            "conflicts": r.conflict,
        }
        for r in world.seen(at).out(source, relation)
        if r.target == target
    )
    return ordered(rows, "edge")


def what_changed_between(world: World, at: AsOf, id: str, known_before: str) -> Answer:
    def touching(seen: Seen) -> dict[tuple[str, str], Row]:
        return {(r.id, r.statement): r for r in seen.edges() if id in (r.source, r.target)}

    now, before = touching(world.seen(at)), touching(earlier(world, at, known_before))
    learned = [("learned", r) for key, r in now.items() if key not in before]
    dropped = [("dropped", r) for key, r in before.items() if key not in now]
    rows = (
        {
            "change": change,
            "edge": r.id,
            "relation": r.type,
            "other": r.target if r.source == id else r.source,
            "said": r.statement,
            "quote": r.said.quote,
        }
        for change, r in learned + dropped
    )
    return ordered(rows, "change", "edge", "said")


def restatements(world: World, at: AsOf, property: str, known_before: str) -> Answer:
    before = {(r.source, r.key): r for r in earlier(world, at, known_before).of(property)}
    rows = (
        {
            "entity": r.source,
            "period": r.key,
            "currency": r.currency,
            "before_minor": old.minor,
            "now_minor": r.minor,
            "change_minor": r.minor - old.minor,
            "document": r.said.document,
        }
        for r in world.seen(at).of(property)
        if (old := before.get((r.source, r.key))) and old.statement != r.statement
    )
    return ordered(rows, "entity", "period")


def believed_at(world: World, at: AsOf, id: str, known_then: str) -> Answer:
    now = {r.id: r for r in world.seen(at).of("LENDS_TO")}
    rows = (
        {
            "debtor": r.target,
            "edge": r.id,
            "currency": r.currency,
            "then_minor": r.minor,
            "now_minor": now[r.id].minor if r.id in now else None,
            "document_then": r.said.document,
            "quote_then": r.said.quote,
        }
        for r in earlier(world, at, known_then).out(id, "LENDS_TO")
    )
    return ordered(rows, "edge")


def conflicting_sources(world: World, at: AsOf, top: int) -> Answer:
    rows = (
        {
            "relation": r.type,
            "source": r.source,
            "target": r.target,
            "edge_key": r.key,
            "conflicts": r.conflict,
            "amount_minor": r.minor,
            "share": r.share,
            "winner": r.said.extractor,
            "statement": r.statement,
            "edge": r.id,
        }
        for r in world.seen(at).of(*MONEY, "OWNS", "SUPPLIES")
        if r.conflict > 0
    )
    return ordered(rows, "-conflicts", "edge")[:top]


def documents_that_mention_both(world: World, at: AsOf, a: str, b: str) -> Answer:
    seen = world.seen(at)
    rows = (
        {
            "document": r.target,
            "label": seen.labels[r.target],
            "published": iso(r.said.published),
            "words_a": r.said.quote,
            "words_b": q.said.quote,
            "place_a": r.said.locator,
            "place_b": q.said.locator,
            "edge_a": r.id,
            "edge_b": q.id,
        }
        for r in seen.out(a, "MENTIONED_IN")
        for q in seen.out(b, "MENTIONED_IN")
        if r.target == q.target
    )
    return ordered(rows, "-published", "document", "edge_a", "edge_b")


def entity_profile(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    rows = []
    for r in seen.out(id, "label", "name", "equity", "event_type", *SCORED, *LOST):
        value = r.value
        rows.append(
            {
                "property": r.type,
                "period": r.key,
                "text": value if isinstance(value, str) else None,
                "number": value if isinstance(value, (int, float)) else None,
                "amount_minor": r.minor,
                "currency": r.currency,
                "since": r.since,
                "document": r.said.document,
                "statement": r.statement,
            }
        )
    return ordered(rows, "property", "period", "statement")


UNSAID = ("PREDICTED", "label")
"""What no document says of an entity, besides all that models and runs found."""


def said_about(world: World, at: AsOf, id: str, since: str, until: str) -> Answer:
    seen = world.seen(at)
    told = [r for r in seen.rows if id in (r.source, r.target) and r.type not in UNSAID and _read(r)]
    return ordered(
        (_told(r, id) | {"known_from": _learned(world, at, r)} for r in told if since <= iso(r.said.published) < until),
        "-published",
        "edge",
        "statement",
    )


def _learned(world: World, at: AsOf, row: Row) -> str:
    """When we began to know the row as it is: the first of the commits since which nothing of it changed."""
    learned, *before = _back(world, at)
    for commit in before:
        if not commit[1].shows(row):
            break
        learned = commit
    return learned[0]


@cache
def _back(world: World, at: AsOf) -> list[tuple[str, Seen]]:
    """Every commit known by then, from the last to the first: when it was made and what was seen after it."""
    now = world.ledger.commit_at(at.known) or 0
    valid = at.valid or world.ledger.known(now)
    instants = [world.ledger.known(commit) for commit in range(now, 0, -1)]
    return [(iso(known), world.seen(replace(at, known=known, valid=valid))) for known in instants]


def _read(r: Row) -> bool:
    return r.said.extractor.partition(".")[0] not in ("model", "risk")


def _told(r: Row, id: str) -> dict[str, Any]:
    props, stated = r.said.props, r.type in PROPERTIES
    return {
        "published": iso(r.said.published),
        "document": r.said.document,
        "source": r.said.extractor.partition(".")[0],
        "locator": r.said.locator,
        "quote": r.said.quote,
        "says": r.type,
        "side": "of it" if r.source == id else "to it",
        "what": (r.target if r.source == id else r.source)
        if not stated
        else props[r.type]
        if isinstance(props[r.type], str)
        else None,
        "role": r.role,
        "number": props[r.type] if stated and isinstance(props[r.type], (int, float)) else None,
        "amount_minor": r.minor,
        "currency": r.currency,
        "confidence": r.said.confidence,
        "valid_from": r.since,
        "valid_to": iso(r.said.valid_to),
        "edge": r.id,
        "statement": r.statement,
    }
