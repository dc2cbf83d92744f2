"""Who would lose if another failed, and who competes with whom: exposures, guarantees, receivables and rivalry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.grammar import Parsed, after, objects, passive, subjects, together
from ingest.extract.clauses.lending import doers
from ingest.extract.clauses.match import Match, edges
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.text import lexicon as lex
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

_FAIL: Final = lex.words("fail collapse default go fold insolvent bankrupt become fall be")
_AGAINST: Final = ("with", "against", "from")


def exposures(parsed: Parsed, referents: Referents) -> Iterator[Match]:
    """Exposures, guarantees and rivalry of the sentence."""
    for token in parsed.doc:
        if token.i in parsed.mentions:
            continue
        lemma = token.lemma_.lower()
        if rule := _RULES.get(lemma):
            yield from rule(token, referents)


def _named(tokens: list[Token], referents: Referents) -> list[Mention]:
    """Firms that the words stand for, or whose obligations or creditors they are."""
    direct = [m for t in tokens for m in referents.firms(t)]
    held = (x for t in tokens for y in together(t) for x in (*_holders(y), *after(y, "of", "by")))
    return distinct(direct or [m for x in held for m in referents.firms(x)])


def _holders(noun: Token) -> list[Token]:
    return [c for c in noun.children if c.dep_ == "poss"]


def _exposure(noun: Token, referents: Referents) -> Iterator[Match]:
    """`its exposure to Beta`, `exposure of Alpha Bank to Beta`."""
    below = after(noun, "to", "towards") or (after(noun.head, "to") if noun.dep_ == "dobj" else [])
    targets = _named(below, referents)
    holders = _holders(noun) or after(noun, "of", "at") or doers(noun)
    sources = _named(holders, referents) or _named(doers(noun), referents)
    yield from _edges(sources, targets, certainty(noun))


def _exposed(word: Token, referents: Referents) -> Iterator[Match]:
    """`is exposed to Beta`, `the banks exposed to Beta include Alpha Bank`."""
    targets = _named(after(word, "to"), referents)
    if word.dep_ in ("acomp", "oprd"):
        found = subjects(word.head)
        grade = certainty(word.head)
    elif word.dep_ in ("acl", "amod"):
        found, grade = [word.head], certainty(word)
        verb = next((a for a in word.ancestors if a.pos_ in ("VERB", "AUX")), None)
        if verb is not None and verb.lemma_ in ("be", "include"):
            found = [*found, *subjects(verb), *objects(verb)]
    else:
        found, grade = subjects(word), certainty(word)
    yield from _edges(_named(found, referents), targets, grade)


def _guarantee(word: Token, referents: Referents) -> Iterator[Match]:
    """`guaranteed the bonds of Beta`, `issued a guarantee for Beta`."""
    if word.pos_ == "VERB":
        sources = after(word, "by") if passive(word) else subjects(word)
        things = subjects(word) if passive(word) else objects(word)
        below = after(word, "for") or [x for t in things for x in (t, *after(t, "of"))]
    else:
        sources, below = _holders(word) or after(word, "by", "from", "of") or doers(word), after(word, "for")
        below = below or after(word, "of") or after(word.head, "for")
        below = below or [x for t in after(word, "in") if t.lemma_ in ("favour", "favor") for x in after(t, "of")]
    targets = _named(below, referents) or distinct([m for t in below for x in t.subtree for m in referents.firms(x)])
    yield from _edges(_named(sources, referents), targets, certainty(word))


def _loses(verb: Token, referents: Referents) -> Iterator[Match]:
    """`would lose EUR 5 million if Beta failed`."""
    above = verb.head if verb.dep_ in ("xcomp", "ccomp") else verb
    clauses = [c for v in {verb, above} for c in v.children if c.dep_ == "advcl"]
    fails = [c for c in clauses if c.lemma_ in _FAIL and any(t.lower_ in ("if", "should", "were") for t in c.children)]
    denied = any(c.dep_ == "neg" or c.lower_ in lex.NEGATORS for v in (verb, above) for c in v.children)
    if fails and not denied:
        yield from _edges(
            _named(subjects(verb) or subjects(above), referents),
            _named([t for c in fails for t in subjects(c)], referents),
            Certainty.SAID,
        )


def _loss(noun: Token, referents: Referents) -> Iterator[Match]:
    """`faces a loss if Beta fails`."""
    if noun.dep_ == "dobj" and noun.head.lemma_ in ("face", "suffer", "take", "incur", "make"):
        yield from _loses(noun.head, referents)


def _receivable(noun: Token, referents: Referents) -> Iterator[Match]:
    """`has receivables of EUR 5 million from Beta`."""
    targets = _named(after(noun, "against", "from", "on") or after(noun.head, "against", "from"), referents)
    yield from _edges(_named(_holders(noun) or doers(noun) or after(noun, "of"), referents), targets, certainty(noun))


def _competes(verb: Token, referents: Referents) -> Iterator[Match]:
    rivals = _named(after(verb, *_AGAINST), referents)
    who = _named(subjects(verb), referents)
    pairs = [(a, b) for i, a in enumerate(who) for b in who[i + 1 :]]
    if rivals:
        yield from edges("COMPETES_WITH", who, rivals, certainty(verb))
    for a, b in pairs if not rivals else []:
        yield from edges("COMPETES_WITH", [a], [b], certainty(verb))


def _competition(noun: Token, referents: Referents) -> Iterator[Match]:
    """`faces competition from Beta`, `in competition with Beta`."""
    rivals = _named(after(noun, "from", "with"), referents)
    who = _named(_holders(noun) or doers(noun), referents)
    if both := _named(after(noun, "between", "of"), referents)[:2]:
        who, rivals = both[:1], both[1:] or rivals
    yield from edges("COMPETES_WITH", who, rivals, certainty(noun))


def _rivals(noun: Token, referents: Referents) -> Iterator[Match]:
    """`Acme and Beta are competitors`: all of several subjects are each other's."""
    plain = not (_holders(noun) or after(noun, "of", "to"))
    if noun.dep_ == "pobj" and noun.head.lower_ == "as" and noun.head.head.lemma_ in ("regard", "see", "view"):
        verb = noun.head.head
        yield from edges(
            "COMPETES_WITH", _named(subjects(verb), referents), _named(objects(verb), referents), certainty(verb)
        )
    if noun.dep_ != "attr" or not plain:
        return
    who = _named(subjects(noun.head), referents)
    for i, one in enumerate(who):
        yield from edges("COMPETES_WITH", [one], who[i + 1 :], certainty(noun))


def _up(preposition: Token, referents: Referents) -> Iterator[Match]:
    """`is up against Beta`."""
    verb = preposition.head if preposition.head.pos_ in ("VERB", "AUX") else preposition.head.head
    if preposition.i and preposition.nbor(-1).lower_ == "up" and verb.lemma_ in ("be", "come", "go"):
        rivals = _named([c for c in preposition.children if c.dep_ == "pobj"], referents)
        yield from edges("COMPETES_WITH", _named(subjects(verb), referents), rivals, certainty(verb))


def _edges(sources: list[Mention], targets: list[Mention], grade: Certainty) -> Iterator[Match]:
    ids = {m.id for m in targets}
    yield from edges("EXPOSED_TO", [m for m in sources if m.id not in ids], targets, grade)


_RULES: Final = {
    "exposure": _exposure,
    "exposed": _exposed,
    "expose": _exposed,
    "guarantee": _guarantee,
    "guaranty": _guarantee,
    "lose": _loses,
    "loss": _loss,
    "receivable": _receivable,
    "compete": _competes,
    "vie": _competes,
    "competition": _competition,
    "rival": _rivals,
    "competitor": _rivals,
    "against": _up,
}
