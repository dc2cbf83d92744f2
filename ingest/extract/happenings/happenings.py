"""Happenings are events that a sentence tells: what came about, to whom, and by whom.

Relations and distress have readers of their own; here are upgrades, mergers, sanctions, suits, changes of officers,
surprising results, stoppages and fraud. What is denied, feared or planned is none; what is only alleged or announced
is told with doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

from ingest.extract.clauses.certainty import Certainty
from ingest.extract.clauses.denials import recurrent
from ingest.extract.clauses.frames import FRAMES
from ingest.extract.clauses.grammar import Parsed
from ingest.extract.clauses.match import Match
from ingest.extract.clauses.patterns import framed
from ingest.extract.happenings.conduct import conduct
from ingest.extract.happenings.frames import HAPPENINGS
from ingest.extract.happenings.officers import officer_changes
from ingest.extract.happenings.ratings import ratings
from ingest.extract.happenings.results import results
from ingest.extract.happenings.scene import Scene
from ingest.extract.happenings.stoppages import stoppages
from ingest.extract.happenings.takeovers import takeovers
from ingest.extract.text.names import Mention

EVENT_WORDS: Final = (
    r"upgrad|downgrad|raised?\b|raises|lift|sanction|blacklist|penalt|\bfine[ds]?\b|banned|\bban\b|frozen?|freez|merg|"
    r"settle|liable|damages|arbitrat|snap|quit|promot|depart|replac|\bhired?\b|profit|earnings|results|revenue|sales|"
    r"estimate|forecast|expectation|expected|outlook|guidance|warn|unexpected|surprise|halt|suspend|production|output|"
    r"deliver|shipment|suppl|strike|shut|closed?\b|idle|force majeure|shortage|standstill|recall|disrupt|interrupt|"
    r"(?:de)?fraud|brib|launder|embezzl|corrupt|ponzi|insider|falsif|inflat|books|misstat|forge|racket|manipulat|bust|"
    r"liquidat|winding"
)
"""Words of which a sentence must hold one to be parsed for an event."""


def happenings(parsed: Parsed, topic: Mention | None, speaker: Mention | None) -> list[Match]:
    """All events of a parsed sentence that no other reader finds; one that several rules find is told once."""
    if recurrent(parsed.doc):
        return []
    scene = Scene(parsed, topic, speaker)
    readers = (ratings, takeovers, conduct, officer_changes, results, stoppages)
    found = chain(_framed(scene), _reported(scene), *(read(scene) for read in readers))
    return list(_fullest(list(found)))


def _framed(scene: Scene) -> Iterator[Match]:
    for match in framed(scene.parsed, scene.referents, HAPPENINGS):
        starts = {m.start for _, m in match.parties}
        if len(starts) == len(match.parties):
            yield match


def _reported(scene: Scene) -> Iterator[Match]:
    """Events of a verb that somebody only alleges: `Acme reportedly defaulted`."""
    for verb in scene.parsed.doc:
        if scene.doubted(verb) and verb.pos_ == "VERB" and scene.plain(verb):
            frames = [f for f in (*FRAMES, *HAPPENINGS) if f.event and verb.lemma_ in f.verbs]
            for match in framed(scene.parsed, scene.referents, frames):
                if match.certainty is Certainty.OPEN:
                    yield replace(match, certainty=Certainty.SAID, doubt=True)


def _fullest(found: list[Match]) -> Iterator[Match]:
    """Of two readings of one event the one with more parties; said plainly once, it is not in doubt."""
    sure = {(m.event, p) for m in found if m.certainty is Certainty.SAID and not m.doubt for p in m.parties}
    for match in found:
        parties = set(match.parties)
        if any(m is not match and m.event == match.event and parties < set(m.parties) for m in found):
            continue
        yield replace(match, doubt=False) if match.doubt and all((match.event, p) in sure for p in parties) else match
