"""Ratings that move: raised, cut, taken up or down, and the failures that a noun tells (`the bankruptcy of Acme`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.grammar import after, objects, passive, subjects
from ingest.extract.clauses.match import Match
from ingest.extract.happenings.scene import Scene, told
from ingest.extract.text.lexicon import RATING, words
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

_UP: Final = words("raise lift increase boost upgrade move bump push take")
_DOWN: Final = words("cut lower reduce slash drop downgrade move push take")
_GRADE: Final = re.compile(
    r"(?:AAA|AA|A|BBB|BB|B|CCC|CC|C|D|Aaa|Aa|Baa|Ba|Caa|Ca|SD|RD)[1-3]?[+-]?|junk|speculative|investment|"
    r"buy|hold|sell|neutral|overweight|underweight|outperform|underperform|stable"
)
_GOOD: Final = words("buy overweight outperform investment")
_BAD: Final = words("junk speculative selective sell underweight underperform")
_NOUNS: Final = {"upgrade": "upgrade", "downgrade": "downgrade"}
_FAILURES: Final = {"bankruptcy": "bankruptcy", "insolvency": "bankruptcy", "liquidation": "bankruptcy"} | {
    "default": "default",
    "up": "bankruptcy",
}


def ratings(scene: Scene) -> Iterator[Match]:
    for verb in scene.verbs(_UP | _DOWN):
        yield from _moved(scene, verb)
        if verb.lemma_ in _NOUNS:
            yield from _rated(scene, verb, verb.lemma_, scene.named(scene.patient(verb)))
    yield from _headline(scene)
    for token in scene.parsed.doc:
        lemma = token.lemma_.lower()
        if lemma in _NOUNS and token.pos_ in ("NOUN", "PROPN"):
            yield from _noun(scene, token, _NOUNS[lemma])
        elif lemma in _FAILURES and token.i not in scene.parsed.mentions:
            yield from _failure(scene, token, _FAILURES[lemma])
        elif lemma == "bust" and token.head.lemma_ == "go":
            yield from told("bankruptcy", [("subject", scene.named(subjects(token.head)))], certainty(token.head))


def _moved(scene: Scene, verb: Token) -> Iterator[Match]:
    """`raised its rating on Acme`, `Acme's rating was cut by Fitch`, `cut Acme to sell`, `Acme slashed to CCC`."""
    patients = scene.patient(verb)
    rating = next((t for t in patients if t.lemma_.lower() in RATING), None)
    if rating is not None:
        kind = "upgrade" if verb.lemma_ in _UP - _DOWN else "downgrade"
        kind = _direction(verb) or kind if verb.lemma_ in _UP & _DOWN else kind
        rated = _owned(scene, rating) or scene.named(after(verb, "on", "of", "for"))
        yield from _rated(scene, verb, kind, rated)
    elif grades := _grades(scene, verb):
        kind = _kind(verb, grades)
        rated = scene.named(patients)
        if not rated and not passive(verb) and not objects(verb):  # Acme slashed to CCC: a headline without `is`
            rated = scene.named(subjects(verb))
        if kind:
            yield from _rated(scene, verb, kind, rated)


def _owned(scene: Scene, rating: Token) -> list[Mention]:
    """Whose rating it is; `its` is the agency's that gives it."""
    own = [c for c in rating.children if c.dep_ in ("poss", "compound", "nmod") and c.pos_ != "PRON"]
    return scene.named(own) or scene.named(after(rating, "on", "of", "for"))


def _rated(scene: Scene, verb: Token, kind: str, rated: list[Mention]) -> Iterator[Match]:
    ids = {m.id for m in rated}
    doers = [m for m in (scene.held(after(verb, "by")) or scene.held(scene.doer(verb))) if m.id not in ids]
    yield from told(kind, [("subject", rated), ("agency", doers)], certainty(verb), needs="subject")


def _headline(scene: Scene) -> Iterator[Match]:
    """`Acme hit by Fitch downgrade`, where the parser takes the last word for the verb."""
    doc = scene.parsed.doc
    if any(t.dep_ in ("neg", "aux") or t.lemma_ in _UNSURE for t in doc):
        return
    for noun in doc[3:]:
        agency, rated = scene.parsed.mention(noun.nbor(-1)), scene.parsed.mention(doc[0])
        if noun.lower_ in _NOUNS and noun.nbor(-2).lower_ in ("by", "from", "after") and agency and rated:
            roles = [("agency", [agency]), ("subject", [rated])]
            yield from told(noun.lower_, roles, Certainty.SAID, needs="subject")


_UNSURE: Final = words("avoid escape fear fend dodge appeal risk face")


def _grades(scene: Scene, verb: Token) -> list[str]:
    """The grade the rating moves to; a recogniser may have taken `CCC` for a firm."""
    near = [x for p in after(verb, "to", "into", "at") for x in (p, *p.children)]
    near += [t for t in verb.subtree if t.head.lower_ == "to"]
    written = [m.text if (m := scene.parsed.mention(t)) else t.text for t in near]
    return [text for text in written if _GRADE.fullmatch(text)]


def _direction(verb: Token) -> str:
    said = {c.lower_ for c in verb.children}
    return "upgrade" if "up" in said else "downgrade" if "down" in said else ""


def _kind(verb: Token, grades: list[str]) -> str:
    if way := _direction(verb):
        return way
    if verb.lemma_ in _UP & _DOWN:
        return "upgrade" if set(grades) & _GOOD else "downgrade" if set(grades) & _BAD else ""
    return "upgrade" if verb.lemma_ in _UP else "downgrade"


def _noun(scene: Scene, noun: Token, kind: str) -> Iterator[Match]:
    """`a downgrade of Acme by Fitch`, `Acme hit by Fitch downgrade`, `Fitch's upgrade of Acme`."""
    if not scene.stands(noun) or scene.past(noun):
        return
    agency = scene.named(after(noun, "by", "from")) or scene.named(
        c for c in noun.children if c.dep_ in ("poss", "compound", "nmod")
    )
    rated = scene.named(after(noun, "of", "for"))
    verb = noun.head.head if noun.dep_ == "pobj" else noun.head
    if not rated and verb.pos_ == "VERB" and verb.lemma_ in ("hit", "suffer", "receive", "win", "get", "earn", "see"):
        rated = scene.named(scene.patient(verb)) if verb.lemma_ == "hit" else scene.named(subjects(verb))
        rated = rated or scene.named(subjects(verb))
    yield from told(kind, [("subject", rated), ("agency", agency)], certainty(noun), needs="subject")


def _failure(scene: Scene, noun: Token, kind: str) -> Iterator[Match]:
    """`the bankruptcy of Acme left`, `a payment default by Acme was announced`, `ordered the winding up of Acme`."""
    head = noun.head
    if noun.lower_ == "up":
        if head.lower_ != "winding":
            return
        noun = head
    if scene.past(noun) or not scene.stands(noun) or noun.dep_ not in ("nsubj", "nsubjpass", "dobj", "ROOT"):
        return
    if noun.dep_ == "dobj" and noun.head.lemma_ not in ("order", "announce", "confirm", "report", "trigger", "cause"):
        return
    holders = [c for c in noun.children if c.dep_ == "poss"] or after(noun, "of", "by", "at")
    yield from told(kind, [("subject", scene.named(holders))], certainty(noun), needs="subject")
