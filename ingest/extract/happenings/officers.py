"""Changes of officers: who takes an office and who leaves it, in which firm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.grammar import after, has, objects, passive
from ingest.extract.clauses.match import Match
from ingest.extract.clauses.referents import distinct
from ingest.extract.happenings.scene import Scene, told
from ingest.extract.text.lexicon import TITLES, words
from ingest.extract.text.names import Mention
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Token

_APPOINT: Final = words("appoint name elect hire promote install designate recruit poach pick choose select tap")
_COME: Final = words("join rejoin become")
_FOLLOW: Final = words("succeed replace")
_GO: Final = words("resign retire quit leave depart exit step")
_OUST: Final = words("dismiss fire sack oust remove suspend")
_LOSS: Final = words("departure resignation retirement exit dismissal ouster")
_GAIN: Final = words("appointment election promotion nomination hiring")
_OFFICES: Final = TITLES | words("chair board finance chairmanship post role")


def officer_changes(scene: Scene) -> Iterator[Match]:
    for verb in scene.verbs(_APPOINT | _COME | _FOLLOW | _GO | _OUST):
        if _office(verb) and _said(verb) and not scene.urged(verb):
            yield from _of_verb(scene, verb)
    for noun in scene.nouns(_LOSS | _GAIN):
        yield from _of_noun(scene, noun)


def _said(verb: Token) -> bool:
    return certainty(verb) in (Certainty.SAID, Certainty.FUTURE, Certainty.ENDED)


def _office(verb: Token) -> bool:
    """True if the clause speaks of an office."""
    return any(t.lemma_.lower() in _OFFICES for t in verb.subtree)


def _of_verb(scene: Scene, verb: Token) -> Iterator[Match]:
    comers: list[Mention] = []
    goers: list[Mention] = []
    lemma = verb.lemma_.lower()
    doers, patients = _people(scene, scene.doer(verb)), _people(scene, scene.patient(verb))
    if lemma in _APPOINT:
        comers = patients or _people(scene, [c for t in objects(verb) for c in t.children])
    elif lemma in _OUST:
        goers = patients
    elif lemma in _COME or (lemma == "step" and has(verb, "up")):
        comers = doers
    elif lemma in _GO and (lemma != "step" or has(verb, "down", "aside", "back")):
        goers = doers
    elif lemma in _FOLLOW:
        comers = _people(scene, after(verb, "with" if not passive(verb) else "by")) or doers
        goers = patients
    yield from _changed(scene, verb, comers, goers)


def _people(scene: Scene, tokens: list[Token]) -> list[Mention]:
    """Persons the words name; `its finance chief Jane Doe` names the one in apposition."""
    found = [m for t in tokens for m in scene.referents.people(t)]
    if not found:
        near = [c for t in tokens for c in t.children if c.dep_ in ("appos", "compound", "nmod") or c.pos_ == "PROPN"]
        found = [m for t in near for m in scene.referents.of(t) if m.label == "Person"]
    return distinct([m for m in found if m.label == "Person"])


def _changed(scene: Scene, trigger: Token, comers: list[Mention], goers: list[Mention]) -> Iterator[Match]:
    places = {m.start for m in (*comers, *goers)}  # a person whom a recogniser took for a firm is no firm as well
    firms = [m for m in _firms(scene, trigger) if m.start not in places] or [
        m for m in scene.named(scene.doer(trigger)) if m.label in FIRMS and m.start not in places
    ]
    if not (comers or goers) or not firms:
        return
    ids = {m.id for m in comers}
    roles = [("company", firms[:1]), ("former_officer", [m for m in goers if m.id not in ids]), ("officer", comers)]
    yield from told("officer_change", roles, Certainty.SAID, needs="company", place=scene.parsed.place(trigger))


def _firms(scene: Scene, trigger: Token) -> list[Mention]:
    """The firm of the office: the one nearest below the trigger, else who appoints, else the only one named."""
    hires = trigger.pos_ == "VERB" and trigger.lemma_.lower() in _APPOINT | _OUST
    if hires and (employers := [m for m in scene.named(scene.doer(trigger)) if m.label in FIRMS]):
        return employers
    below = distinct([m for t in trigger.subtree if (m := scene.parsed.mention(t)) and m.label in FIRMS])
    if len(below) <= 1:
        return below or _alone(scene, trigger)
    doers = [m for m in scene.named(scene.doer(trigger)) if m.label in FIRMS] if trigger.pos_ == "VERB" else []
    titled = [
        m
        for t in trigger.subtree
        if t.lemma_.lower() in TITLES
        for m in scene.named(scene.owners(t, "of", "at", "for", "in"))
        if m.label in FIRMS
    ]
    return distinct(titled) or doers or below


def _alone(scene: Scene, trigger: Token) -> list[Mention]:
    doers = [m for m in scene.named(scene.doer(trigger)) if m.label in FIRMS] if trigger.pos_ == "VERB" else []
    firms = distinct([m for m in scene.parsed.mentions.values() if m.label in FIRMS])
    topic = [scene.referents.topic] if scene.referents.topic else []
    return doers or (firms if len(firms) == 1 else topic if not firms else [])


def _of_noun(scene: Scene, noun: Token) -> Iterator[Match]:
    """`announced the departure of its president, Jane Doe`, `the appointment of Jane Doe as chairman of Acme`."""
    if not scene.stands(noun) or scene.past(noun):
        return
    people = _people(scene, [c for c in noun.children if c.dep_ == "poss"] + after(noun, "of"))
    verb = noun.head if noun.head.pos_ == "VERB" else noun
    if not any(t.lemma_.lower() in _OFFICES for t in (*noun.subtree, *verb.subtree)):
        return
    leaving = noun.lemma_.lower() in _LOSS
    yield from _changed(scene, verb, [] if leaving else people, people if leaving else [])
