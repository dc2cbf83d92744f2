"""Results that surprise: estimates beaten or missed, outlooks raised or cut, profit warnings, unexpected losses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.grammar import after, objects, subjects, together
from ingest.extract.clauses.match import Match
from ingest.extract.clauses.referents import distinct
from ingest.extract.happenings.scene import Scene, told
from ingest.extract.text.lexicon import words
from ingest.extract.text.names import Mention
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Token

_BEAT: Final = words("beat top exceed surpass outstrip miss undershoot trounce lag trail crush smash")
_YARDSTICK: Final = words("estimate expectation forecast consensus guidance target projection prediction view")
_REVISE: Final = words("cut lower reduce trim slash raise lift increase hike boost upgrade downgrade withdraw scrap")
_OUTLOOK: Final = words("outlook guidance forecast projection")
_RESULT: Final = words("profit earnings result loss revenue income sale turnover margin quarter")
_REPORT: Final = words("report post record announce swing deliver book say publish unveil show suffer slip log have be")
_WARN: Final = words("warn")
_COMPARED: Final = re.compile(
    r"(?:above|below|short of|ahead of|better|worse|wider|narrower|higher|lower|larger|smaller|bigger|more|less|"
    r"stronger|weaker)\b[^.;]{0,40}\b(?:expect|forecast|estimat|consensus|predict|project|anticipat)",
    re.I,
)
_SURPRISE: Final = words("surprise unexpected unforeseen surprising")


def results(scene: Scene) -> Iterator[Match]:
    for verb in scene.verbs(_BEAT):
        if _holds(objects(verb), _YARDSTICK):
            yield from _of(scene, subjects(verb), verb)
    for verb in scene.verbs(words("fall come")):
        if any(c.lower_ == "short" for c in verb.children) and _names_any(verb, _YARDSTICK):
            yield from _of(scene, subjects(verb), verb)
    for verb in scene.verbs(_REVISE):
        if _holds(scene.patient(verb), _OUTLOOK):
            doers = scene.held(scene.doer(verb)) or scene.held(scene.patient(verb))
            yield from told("earnings_surprise", [("subject", doers)], certainty(verb))
    yield from _warnings(scene)
    for verb in scene.verbs(_REPORT):
        if _names_any(verb, _RESULT) and (_names_any(verb, _SURPRISE) or _COMPARED.search(_words(verb))):
            yield from _of(scene, subjects(verb), verb)


def _warnings(scene: Scene) -> Iterator[Match]:
    for verb in scene.verbs(words("issue give make publish release send")):
        if any(t.lemma_ == "warning" and _near(t, _RESULT) for t in objects(verb)):
            yield from _of(scene, subjects(verb), verb)
    for verb in scene.verbs(_WARN):
        below = [t for t in verb.subtree if t.lemma_.lower() in _RESULT]
        subject_free = [t for t in below if t not in subjects(verb)]
        if subject_free and (after(verb, "on", "of", "about") or _COMPARED.search(_words(verb))):
            yield from _of(scene, subjects(verb), verb)


def _of(scene: Scene, tokens: list[Token], verb: Token) -> Iterator[Match]:
    firms = [m for m in scene.held(tokens) if m.label in FIRMS] or _first(scene, verb)
    yield from told("earnings_surprise", [("subject", firms[:1])], _grade(verb))


def _grade(verb: Token) -> Certainty:
    """Certainty of the verb; what a firm says of its own result is said."""
    return certainty(verb)


def _first(scene: Scene, verb: Token) -> list[Mention]:
    """The only firm of the sentence."""
    firms = distinct([m for m in scene.parsed.mentions.values() if m.label in FIRMS])
    return firms if len(firms) == 1 else []


def _holds(tokens: list[Token], lemmas: frozenset[str]) -> bool:
    return any(x.lemma_.lower() in lemmas for t in tokens for x in together(t))


def _near(noun: Token, lemmas: frozenset[str]) -> bool:
    return any(t.lemma_.lower() in lemmas for c in noun.lefts for t in c.subtree) or any(
        t.lemma_.lower() in lemmas for t in after(noun, "on", "about")
    )


def _names_any(verb: Token, lemmas: frozenset[str]) -> bool:
    return any(t.lemma_.lower() in lemmas for t in verb.subtree)


def _words(verb: Token) -> str:
    return " ".join(t.text for t in sorted(verb.subtree, key=lambda t: t.i))
