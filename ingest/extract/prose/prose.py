"""Prose becomes claims: who is named in a text, what its sentences assert of them, and in what tone.

Every source of running text (articles, filings, PDF pages, calls) goes through here, so that one sentence gives the
same claims wherever it stands. The origin says how a stretch of the text is cited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from ingest.extract.prose.assertions import Origin, event_id, names_to_claims, to_claims
from ingest.extract.prose.chinese import sentences as chinese_sentences
from ingest.extract.prose.chinese_relations import findings
from ingest.extract.prose.chinese_tone import chinese_tone
from ingest.extract.prose.relations import Finding, relations
from ingest.extract.prose.tone import Judge, tone, tone_towards
from ingest.extract.text.language import lines
from ingest.extract.text.names import Gazetteer, Mention
from ingest.extract.text.recognise import written_names
from ingest.extract.text.sentences import sentences
from ingest.source import Models
from kg.model import Claim, Edge, Facts


def prose(
    text: str, origin: Origin, document: str, models: Models, speaker: Mention | None = None, known_only: bool = False
) -> Iterator[Claim]:
    """Claims of a text: names, MENTIONED_IN the document, relations, events REPORTED_IN it, sentiment.

    `speaker` is who `we` is. With `known_only`, names that no register or filing gave are left out with all they take
    part in: for texts whose spelling cannot be trusted, such as heard speech.
    """
    gazetteer = models.gazetteer or Gazetteer()
    named, found = read(text, gazetteer, models, origin.published, speaker)
    if known_only:
        found = [f for f in found if all(trusted(m, speaker) for _, m in f.parties)]
        named = [m for m in named if m.entity]
    yield from told(named, found, text, origin, document)


def told(
    named: Sequence[Mention], found: Sequence[Finding], text: str, origin: Origin, document: str
) -> Iterator[Claim]:
    """Claims of the names and findings of a text."""
    yield from names_to_claims(named, text, origin)
    yield from mentioned(named, document, text, origin)
    yield from to_claims(found, text, origin)
    yield from reported(found, document, text, origin)
    yield from toned(named, text, origin)


def read(
    text: str, gazetteer: Gazetteer, models: Models, published: datetime, speaker: Mention | None = None
) -> tuple[list[Mention], list[Finding]]:
    """Names in a text and what it asserts: Chinese lines by their patterns, all others by their trees."""
    spans = list(lines(text))
    chinese = [(start, end) for start, end, is_chinese in spans if is_chinese]
    others = [(start, end) for start, end, is_chinese in spans if not is_chinese]
    if not chinese:
        found = relations(text, models, published, speaker)
        return mentions(text, gazetteer, found), found
    found = relations(text, models, published, speaker, only=others) if others else []
    named = [m for m in mentions(text, gazetteer, found) if any(a <= m.start and m.end <= b for a, b in others)]
    also_named, also_found = findings(text, chinese, gazetteer, published)
    return sorted([*named, *also_named], key=lambda m: m.start), [*found, *also_found]


def trusted(mention: Mention, speaker: Mention | None) -> bool:
    return bool(mention.entity) or mention is speaker or (speaker is not None and mention.entity == speaker.entity)


def mentions(text: str, gazetteer: Gazetteer, found: Sequence[Finding]) -> list[Mention]:
    """Names written out, and those that only a finding vouches for; each place once."""
    places = {(m.start, m.end): m for m in written_names(text, gazetteer)}
    for finding in found:
        for _, m in finding.parties:
            if m.text == m.name:
                places.setdefault((m.start, m.end), m)
    return [places[place] for place in sorted(places)]


def mentioned(named: Sequence[Mention], document: str, text: str, origin: Origin) -> Iterator[Claim]:
    """One edge per entity with how often it is named, at its first mention."""
    counts = Counter(m.id for m in named)
    for m in named:
        if times := counts.pop(m.id, 0):
            edge = Edge("MENTIONED_IN", m.id, document, {"count": times})
            evidence = origin.evidence(text, (m.start, m.end), 0.9 if m.entity else 0.7)
            yield Claim(edge, evidence, origin.published, origin.published)


def reported(found: Sequence[Finding], document: str, text: str, origin: Origin) -> Iterator[Claim]:
    """Each event REPORTED_IN the document, by the sentence that tells it."""
    for finding in found:
        if finding.event:
            evidence = origin.evidence(text, (finding.start, finding.end), finding.confidence)
            edge = Edge("REPORTED_IN", event_id(finding), document)
            yield Claim(edge, evidence, origin.published, finding.valid_from or origin.published)


def toned(named: Sequence[Mention], text: str, origin: Origin) -> Iterator[Claim]:
    """How the text speaks of each firm: `sentiment`, keyed by the document, by the sentence that says most."""
    cut = list(judged(text))
    firms = [m for m in named if m.label != "Person"]
    for id, (m, heard) in sorted(tone_towards(text, firms, cut=cut).items()):
        span = next(((start, end) for start, end, _ in cut if start <= m.start < end), (m.start, m.end))
        evidence = origin.evidence(text, span, round(heard.confidence, 4))
        props = {"sentiment": round(heard.value, 4)}
        yield Claim(Facts(id, props, f"doc:{origin.document}"), evidence, origin.published, origin.published)


def judged(text: str) -> Iterator[tuple[int, int, Judge]]:
    """The sentences of a text, each with what tells its tone: a regression in English, lists of words in Chinese."""
    chinese = [(start, end) for start, end, is_chinese in lines(text) if is_chinese]
    for start, end in sentences(text):
        if not any(a <= start < b for a, b in chinese):
            yield start, end, tone
    for a, b in chinese:
        yield from ((start, end, chinese_tone) for start, end in chinese_sentences(text, a, b))
