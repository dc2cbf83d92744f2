"""Leaving is how an office ends: who steps down, is let go or clears a desk, whose term is over, who was replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.grammar import after, has, objects, passive, subjects
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.clauses.titles import TITLES, Office, firms_of, on_board, only_firm, role_said, titles_near
from ingest.extract.text.lexicon import DISMISS, ENDS, EXPIRES, GONE, LEAVE, NEGATORS, POST, SERVE, TERM, words

if TYPE_CHECKING:
    from spacy.tokens import Token

_IDIOMS: Final = frozenset(
    {
        ("be", "out"),
        ("be", "gone"),
        ("be", "off"),
        ("bid", "farewell"),
        ("bow", "out"),
        ("call", "day"),
        ("clear", "desk"),
        ("force", "out"),
        ("give", "up"),
        ("go", "ways"),
        ("hand", "over"),
        ("lay", "down"),
        ("let", "go"),
        ("lose", "job"),
        ("lose", "post"),
        ("lose", "position"),
        ("lose", "seat"),
        ("make", "way"),
        ("pack", "bag"),
        ("push", "out"),
        ("say", "goodbye"),
        ("say", "farewell"),
        ("set", "down"),
        ("show", "door"),
        ("stand", "aside"),
        ("stand", "back"),
        ("stand", "down"),
        ("step", "aside"),
        ("step", "back"),
        ("step", "down"),
        ("stop", "out"),
        ("throw", "towel"),
        ("vote", "off"),
        ("vote", "out"),
    }
)
"""Verbs that say leaving with a word beside or below them."""
_ALONE: Final = words("step stand hand bow stop lose")
"""Verbs of the lexicon that say it only so."""
_ALSO: Final = words("strip surrender die")
_REMOVES: Final = words("force push let vote strip show bid say")
"""Verbs and idioms whose patient leaves."""
_PERIOD: Final = re.compile(
    r"\b(?:until|till)\b|\b(?:from|between) (?:\w+ )?\d{4} (?:to|and|until|till) (?:\w+ )?\d{4}\b"
)
_YEARS: Final = TERM | words("year month decade day")


def leaves(verb: Token) -> bool:
    """`step down`, `hand over`, `clear the desk`; neither `step up` nor `leave open`."""
    if verb.lemma_ in LEAVE | DISMISS | _ALSO and verb.lemma_ not in _ALONE:
        return True
    if verb.lemma_ == "lose" and not has_idiom(verb):
        return bool(objects(verb)) or passive(verb)
    return has_idiom(verb)


def has_idiom(verb: Token) -> bool:
    near = {w for c in verb.children for t in (c, *c.children) for w in (t.lower_, t.lemma_)}
    return any(verb.lemma_ == lemma and word in near for lemma, word in _IDIOMS)


def removes(verb: Token) -> bool:
    """True if its patient leaves, not its subject."""
    if verb.lemma_ == "lose":
        return not has_idiom(verb)
    return verb.lemma_ in DISMISS | _REMOVES


def bygone(verb: Token) -> bool:
    """`served until May`, `from 2012 to 2018`: what was and is over."""
    if verb.tag_ != "VBD" and not any(c.dep_ in ("aux", "auxpass") and c.tag_ == "VBD" for c in verb.children):
        return False
    return bool(_PERIOD.search(" ".join(t.lower_ for t in verb.subtree)))


def leavers_of(verb: Token) -> list[Token]:
    """Who leaves by this verb."""
    if verb.lemma_ in ("say", "bid"):
        return after(verb, "to") or objects(verb)
    found = subjects(verb) if removes(verb) == passive(verb) else objects(verb)
    if verb.lemma_ in ("part", "go"):  # with somebody, or they and somebody
        found = [*after(verb, "with"), *subjects(verb)]
    return found


def leavers(verb: Token, referents: Referents) -> set[str]:
    """Who leaves by a verb that names no office itself."""
    if not leaves(verb) or certainty(verb) not in (Certainty.SAID, Certainty.FUTURE):
        return set()
    if titles_near(verb, explicit=True):
        return set()
    if any(c.dep_ == "xcomp" and c.lemma_ in SERVE for c in verb.children):  # left Acme to join Beta
        return set()
    return {m.id for t in leavers_of(verb) for m in referents.people(t)}


def departed(noun: Token, referents: Referents) -> set[str]:
    """Who hands in a resignation, or whose it is."""
    if certainty(noun) not in (Certainty.SAID, Certainty.FUTURE):
        return set()
    who = [c for c in noun.children if c.dep_ == "poss"] + after(noun, "of")
    if noun.dep_ == "dobj" and noun.head.lemma_ in ("hand", "tender", "submit", "announce", "give"):
        who += subjects(noun.head)
    return {m.id for t in who for m in referents.people(t)}


def terms(noun: Token, referents: Referents) -> Iterator[Office]:
    """Offices that a noun says are over: a term that ended, a departure, somebody's successor."""
    lemma = noun.lemma_
    if lemma in _YEARS and _over(noun):
        holders = [c for c in noun.children if c.dep_ == "poss"] or after(noun, "of") or _mover(noun)
    elif lemma in GONE and certainty(noun) in (Certainty.SAID, Certainty.FUTURE):
        holders = [c for c in noun.children if c.dep_ == "poss"] or after(noun, "of")
    elif lemma in ("successor", "replacement"):
        holders = [c for c in noun.children if c.dep_ == "poss"] or after(noun, "to", "of", "for")
    else:
        return
    persons = distinct([m for t in holders for m in referents.people(t)])
    for title in _offices_of(noun):
        firms = distinct(firms_of(title, referents)) or only_firm(referents, persons, title)
        for person, firm in product(persons, firms):
            yield Office(person, firm, role_said(title, referents), Certainty.ENDED)


def _offices_of(noun: Token) -> list[Token]:
    beside = [*after(noun, "as", "from"), *after(noun.head, "as")]
    beside += [t for x in beside if x.lemma_.lower() in POST for t in after(x, "of")]
    return list({t.i: t for t in beside if t.lemma_.lower() in TITLES or on_board(t)}.values())


def _over(noun: Token) -> bool:
    """`her term expired`, `his contract was not renewed`, `after eight years as chair`, `the last day as chair`."""
    verb = noun.head
    if noun.dep_ == "pobj":
        return verb.lower_ == "after" and bool(after(noun, "as"))
    if noun.lemma_ == "day" and noun.dep_ == "attr":
        return has(noun, "last", "final")
    denied = any(c.lower_ in NEGATORS for c in verb.children) and verb.lemma_ in ("renew", "extend", "prolong")
    return denied or has(verb, "over", "up") or verb.lemma_ in ENDS | EXPIRES or _at_an_end(verb)


def _at_an_end(verb: Token) -> bool:
    """`has come to an end`."""
    return verb.lemma_ in ("come", "draw") and any(t.lemma_ in ("end", "close") for t in after(verb, "to"))


def _mover(noun: Token) -> list[Token]:
    """Who moves on `after eight years as chair`, or ends `her time`."""
    return subjects(noun.head.head) if noun.dep_ == "pobj" and noun.head.head.pos_ in ("VERB", "AUX") else []
