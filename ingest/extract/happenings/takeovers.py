"""Mergers, and takeovers that a headline announces (`Acme to buy Beta`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.grammar import after, has, objects, subjects
from ingest.extract.clauses.match import Match
from ingest.extract.happenings.scene import Scene, told
from ingest.extract.text.lexicon import STAKE, words
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

_BUY: Final = words("acquire buy purchase absorb swallow")
_ANNOUNCE: Final = words("announce agree complete close sign finalise finalize seal approve unveil clinch")


def takeovers(scene: Scene) -> Iterator[Match]:
    for verb in scene.verbs(words("merge")):
        parties = scene.named([*subjects(verb), *after(verb, "with"), *objects(verb)])
        if len(parties) > 1:
            yield from _merged(parties, certainty(verb))
    for noun in scene.nouns(words("merger")):
        yield from _merger(scene, noun)
    for verb in scene.verbs(_BUY):
        agreed = verb.dep_ == "xcomp" and verb.head.lemma_ == "agree" and certainty(verb.head) is Certainty.SAID
        if (agreed or verb.dep_ == "ROOT") and has(verb, "to") and not has(verb, "be", "is", "was"):
            yield from _announced(scene, verb)


def _merger(scene: Scene, noun: Token) -> Iterator[Match]:
    verb = noun.head
    if not scene.stands(noun) or scene.past(noun):
        return
    parties = scene.named(after(noun, "with", "of", "between"))
    if noun.dep_ == "dobj" and verb.lemma_ in _ANNOUNCE:
        others = scene.named(subjects(verb))
        parties = [*others, *(m for m in parties if m.id not in {o.id for o in others})]
    elif noun.dep_ not in ("nsubj", "nsubjpass") or verb.lemma_ not in _ANNOUNCE | {"create", "take", "make"}:
        return
    if len(parties) > 1:
        yield from _merged(parties, certainty(noun))


def _merged(parties: list[Mention], grade: Certainty) -> Iterator[Match]:
    """Two that merge are parties of one event, neither of them the buyer."""
    for other in parties[1:]:
        if grade is Certainty.SAID:
            yield Match("AFFECTED_BY", (("party", parties[0]), ("party", other)), other.start, grade, "acquisition")


def _announced(scene: Scene, verb: Token) -> Iterator[Match]:
    """`Acme to buy Beta for $5 million`, the headline of a deal that is signed."""
    targets = [t for t in objects(verb) if t.lemma_.lower() not in STAKE]
    roles = [("acquirer", scene.named(subjects(verb))), ("target", scene.named(targets))]
    if all(mentions for _, mentions in roles) and not has(verb, "not", "may"):
        yield from told("acquisition", roles, Certainty.SAID, doubt=True, needs="target")
