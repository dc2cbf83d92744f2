"""Findings become claims: name nodes, edges, and events with those who take part in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from ingest.extract.prose.relations import Finding
from ingest.extract.text.names import Mention
from kg.model import Claim, Edge, Evidence, Node, as_time

_MONTHLY: Final = frozenset({"downgrade", "upgrade", "sanction", "earnings_surprise", "supply_disruption"})
"""Events that the same parties can live through several times a year."""
_MAIN: Final[dict[str, tuple[tuple[str, ...], ...]]] = {"supply_disruption": (("supplier",), ("customer",))}
"""Roles that tell an event from another, those preferred first; of other types all roles but `agency`."""
_HIT: Final = frozenset({"subject", "defendant", "target", "party"})
"""Roles that the amount belongs to."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where findings were made: what every claim from them says of its source."""

    document: str
    published: datetime
    extractor: str
    prefix: str = ""
    """What stands before `chars:` in each locator, such as `part:2 `."""

    def evidence(self, text: str, span: tuple[int, int], confidence: float) -> Evidence:
        """Evidence on text[span], quoted as it stands there."""
        start, end = span
        locator = f"{self.prefix}chars:{start}-{end}"
        return Evidence(self.document, locator, text[start:end], self.extractor, confidence)


def to_claims(findings: Iterable[Finding], text: str, origin: Origin) -> Iterator[Claim]:
    """Claims of the findings. The quote is the sentence; for a name it is the name itself."""
    findings = list(findings)
    yield from names_to_claims((m for f in findings for _, m in f.parties), text, origin)
    for finding in findings:
        evidence = origin.evidence(text, (finding.start, finding.end), finding.confidence)
        yield from _event(finding, evidence, origin) if finding.event else _edge(finding, evidence, origin)


def names_to_claims(mentions: Iterable[Mention], text: str, origin: Origin) -> Iterator[Claim]:
    """A node with its name for each different entity, at its first full mention."""
    seen: set[str] = set()
    for m in sorted(mentions, key=lambda m: (m.text != m.name, m.start)):
        if m.id not in seen:
            seen.add(m.id)
            evidence = origin.evidence(text, (m.start, m.end), 0.9 if m.entity else 0.7)
            yield Claim(Node(m.label, m.id, {"name": m.name}), evidence, origin.published)


def _edge(finding: Finding, evidence: Evidence, origin: Origin) -> Iterator[Claim]:
    key = str(finding.props.get("role", "")) if finding.type == "OFFICER_OF" else ""
    if finding.type == "OBLIGED_TO":  # each clause of each document is a duty of its own
        place = f"{finding.clause} {finding.start}-{finding.end}".strip()
        key = f"{origin.document[:16]}:{place}"
    edge = Edge(finding.type, finding.source.id, finding.target.id, finding.props, key)
    yield Claim(edge, evidence, origin.published, finding.valid_from, finding.valid_to)


def _event(finding: Finding, evidence: Evidence, origin: Origin) -> Iterator[Claim]:
    id = event_id(finding)
    title = f"{finding.event}: " + ", ".join(m.name for _, m in finding.parties)
    yield Claim(Node("Event", id, {"event_type": finding.event, "title": title}), evidence, origin.published)
    amount = {k: v for k, v in finding.props.items() if k in ("amount", "currency")}
    for role, m in finding.parties:
        props = {"role": role, **(amount if role in _HIT else {})}
        edge = Edge("AFFECTED_BY", m.id, id, props, key=role)
        yield Claim(edge, evidence, origin.published, finding.valid_from)


def event_id(finding: Finding) -> str:
    """Id of an event: articles of one year that name the same parties tell of one (a downgrade: of one month).

    Who rates and who lacks a supply does not tell two events apart; neither do document, amount and confidence.
    """
    when = as_time(finding.valid_from) if finding.valid_from else None
    time = when.strftime("%Y-%m" if finding.event in _MONTHLY else "%Y") if when else ""
    told = [(role, m) for role, m in finding.parties if role != "agency"]
    mains = ([p for p in told if p[0] in roles] for roles in _MAIN.get(finding.event, ()))
    who = sorted(f"{role}={m.id}" for role, m in next(filter(None, mains), told))
    return f"event:{sha256('|'.join([finding.event, time, *who]).encode()).hexdigest()[:24]}"
