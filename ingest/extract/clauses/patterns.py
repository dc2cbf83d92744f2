"""Frames and nouns of the lexicon matched against a parsed sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.denials import passed_over, recurrent
from ingest.extract.clauses.distress import distress
from ingest.extract.clauses.exposures import exposures
from ingest.extract.clauses.frames import FRAMES, Frame
from ingest.extract.clauses.grammar import Parsed, after, has, objects, passive, receivers, subjects, together
from ingest.extract.clauses.holdings import holdings
from ingest.extract.clauses.implied import implied
from ingest.extract.clauses.match import Match, edges
from ingest.extract.clauses.nominals import nominals
from ingest.extract.clauses.officers import offices
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.clauses.supply import supply
from ingest.extract.text import lexicon as lex
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token


def matches(parsed: Parsed, topic: Mention | None, speaker: Mention | None) -> list[Match]:
    """All that the sentence speaks of, with how certain it is; denied and open statements too."""
    referents = Referents(parsed, topic, speaker)
    found = [*framed(parsed, referents), *nominals(parsed, referents), *distress(parsed, referents)]
    found += [*exposures(parsed, referents), *supply(parsed, referents), *holdings(parsed, referents)]
    for office in offices(parsed, referents):
        parties = (("source", office.person), ("target", office.firm))
        place, sure = office.person.start, office.certainty
        found.append(Match("OFFICER_OF", parties, place, sure, role=office.role, implied=office.implied))
    found += implied(parsed, referents, found)
    aside = {m.start for i, m in parsed.mentions.items() if passed_over(parsed.doc[i]) and parsed.doc[i].dep_ != "poss"}
    told = [m for m in found if aside.isdisjoint(party.start for _, party in m.parties)]
    return [m for m in told if not m.event] if recurrent(parsed.doc) else told


def framed(parsed: Parsed, referents: Referents, frames: Sequence[Frame] = FRAMES) -> Iterator[Match]:
    """What the verbs of the sentence say by these frames."""
    for verb in parsed.doc:
        if verb.pos_ in ("VERB", "AUX"):
            for frame in frames:
                if verb.lemma_ in frame.verbs and _particle(verb, frame):
                    yield from _frame(frame, verb, referents)


def _particle(verb: Token, frame: Frame) -> bool:
    particles = {c.lower_ for c in verb.children if c.dep_ in ("prt", "advmod")}
    return frame.particle in particles if frame.particle else not (verb.lemma_ == "take" and "over" in particles)


def _frame(frame: Frame, verb: Token, referents: Referents) -> Iterator[Match]:
    noun = _object(frame, verb)
    if (frame.noun and noun is None) or _avoided(frame, verb, referents):
        return
    if frame.adverbs and not any(c.lower_ in frame.adverbs for c in _close(verb)):
        return
    certain = certainty(verb)
    if noun is not None and certain is not Certainty.OPEN and any(c.lower_ == "no" for c in noun.children):
        return
    if certain is Certainty.FUTURE and not frame.future:
        return
    if frame.type == "OWNS" and _agreed(verb):
        return
    if frame.ended and certain in (Certainty.SAID, Certainty.FUTURE):  # what will be repaid is still owed
        certain = Certainty.ENDED if certain is Certainty.SAID else Certainty.SAID
    if frame.type == "LENDS_TO" and noun is not None and "from" in frame.parties[0][1]:
        yield from _both(verb, noun, referents)
    slots = []
    for party, places in frame.parties:
        mentions = _party(places, verb, noun, referents)
        if mentions:
            slots.append([(party, m) for m in mentions])
        elif party not in frame.optional:
            return
    if frame.type == "LENDS_TO" and not _lending(frame, verb, referents):
        return
    if frame.type == "LENDS_TO" and verb.lemma_ in _MUTUAL:
        slots = _bank_lends(slots)
    whole = 1.0 if verb.lemma_ == "own" and has(verb, "wholly", "fully", "entirely", "outright") else None
    if frame.type == "OWNS" and slots[1] and {m.id for _, m in slots[0]} == {m.id for _, m in slots[1]}:
        slots[1] = [("target", m) for m in _teller(verb, referents)]
    for parties in product(*slots):
        yield Match(frame.type, tuple(parties), parties[-1][1].start, certain, frame.event, share=whole)


def _teller(verb: Token, referents: Referents) -> list[Mention]:
    """Beta, of `Beta said that Acme held 18 percent of its shares`."""
    told = verb.dep_ == "ccomp" and verb.head.lemma_ in lex.SAYING | {"show"}
    return distinct([m for t in subjects(verb.head) for m in referents.firms(t)]) if told else []


def _agreed(verb: Token) -> bool:
    """`Acme to buy Beta`, `agreed to buy Beta`: what is announced is not held yet."""
    if not any(c.dep_ == "aux" and c.lower_ == "to" for c in verb.children):
        return False
    return verb.dep_ == "ROOT" or verb.head.lemma_ in ("agree", "commit", "contract", "undertake", "arrange", "set")


def _close(verb: Token) -> list[Token]:
    """Dependants of a verb, and their own."""
    return [t for c in verb.children for t in (c, *c.children)]


def _object(frame: Frame, verb: Token) -> Token | None:
    """The noun the frame asks for among what the verb is about."""
    if not frame.noun:
        return None
    things = [
        t
        for p in (
            _patients(verb),
            after(verb, "into", "for", "to", "with", "in", "on", "of", "under", "from", "through"),
        )
        for x in p
        for t in together(x)
    ]
    for token in things:
        if frame.event == "lawsuit" and any(c.lemma_.lower() in lex.INSOLVENCY for c in token.lefts):
            continue
        legal = any(c.lower_ == "legal" for c in token.children) and "lawsuit" in frame.noun
        if legal and token.lemma_ in ("action", "proceeding", "proceedings", "claim"):
            return token
        if frame.noun & {token.lemma_.lower(), token.lower_}:
            return token
        if any(c.dep_ in ("compound", "nmod") and c.lemma_.lower() in frame.noun for c in token.children):
            return token
    return None


def _avoided(frame: Frame, verb: Token, referents: Referents) -> bool:
    if frame.ended and frame.type == "OWNS" and not any(_whole(t) for t in _patients(verb)):
        return True
    if verb.lemma_ in _HANDED and any(referents.firms(t) for t in _patients(verb)):  # to sell a firm supplies nobody
        return frame.type == "SUPPLIES" and frame.parties[1][1] == ("to",)
    if frame.type == "SUPPLIES":  # to provide with a loan is to lend
        given = {t.lemma_.lower() for t in after(verb, "with")}
        if given & (lex.LOAN_SURE | {"$", "million"}):
            return True
    return any(t.lemma_.lower() in frame.avoid for p in _patients(verb) for t in together(p))


_HANDED: Final = lex.words("sell deliver ship transfer")


def _whole(stake: Token) -> bool:
    """`its stake`, `all shares`, `the entire interest`; not a part of it."""
    near = {t.lower_ for c in stake.lefts for t in c.subtree} | {t.lower_ for t in stake.lefts}
    own = any(c.dep_ == "poss" for c in stake.children) or near & {"all", "entire", "whole", "remaining", "full"}
    return bool(own) and not near & {"part", "half", "some", "most"}


def _patients(verb: Token) -> list[Token]:
    if not passive(verb):
        return objects(verb)
    others = [t for t in objects(verb) if t.dep_ != "attr"]  # was granted a loan: both are patients
    return [*subjects(verb), *others]


def _party(places: tuple[str, ...], verb: Token, noun: Token | None, referents: Referents) -> list[Mention]:
    for place in places:
        found = [m for t in _tokens(place, verb, noun) for m in referents.of(t, *_below(place))]
        if found:
            return distinct(found)
    return []


def _below(place: str) -> tuple[str, ...]:
    """A patient may be named below a noun: `owns 30% of the shares in Beta`."""
    return ("of", "in") if place in ("patient", "noun:of", "noun:in") else ()


def _tokens(place: str, verb: Token, noun: Token | None) -> list[Token]:
    if place == "agent":
        return after(verb, "by") if passive(verb) else subjects(verb)
    if place == "patient":
        return _patients(verb)
    if place == "dative":  # a passive may promote the receiver: "Beta was granted a loan"
        promoted = [c for c in verb.children if c.dep_ == "nsubjpass"] if passive(verb) and objects(verb) else []
        return receivers(verb) or promoted
    if place.startswith("subject:"):
        return [t for s in _patients(verb) for t in after(s, place.removeprefix("subject:"))]
    if not place.startswith("noun:"):
        return after(verb, place)
    if noun is None:
        return []
    preposition = place.removeprefix("noun:")
    return [c for c in noun.children if c.dep_ == "poss"] if preposition == "poss" else after(noun, preposition)


def _both(verb: Token, noun: Token, referents: Referents) -> Iterator[Match]:
    """`Alpha Bank and Beta signed a credit agreement`: of two who sign, the one bank lends."""
    if verb.lemma_ not in ("sign", "conclude", "close", "agree", "enter"):
        return
    signers = distinct([m for t in subjects(verb) for m in referents.of(t)])
    banks, others = ([m for m in signers if (m.label == "Bank") == bank] for bank in (True, False))
    if len(banks) == 1 and others:
        yield from edges("LENDS_TO", banks, others, certainty(verb))


_MUTUAL: Final = lex.words("sign conclude close agree enter negotiate arrange have maintain")


def _bank_lends(slots: list[list[tuple[str, Mention]]]) -> list[list[tuple[str, Mention]]]:
    """Of two who sign a loan with each other the bank lends, whoever stands first."""
    lenders, borrowers = ([m for _, m in slot] for slot in slots)
    if all(m.label == "Bank" for m in borrowers) and not any(m.label == "Bank" for m in lenders):
        lenders, borrowers = borrowers, lenders
    return [[("source", m) for m in lenders], [("target", m) for m in borrowers]]


def _lending(frame: Frame, verb: Token, referents: Referents) -> bool:
    """`financed Beta` is a loan only with a sum or a loan beside it; `owe` only with a sum."""
    if verb.lemma_ not in ("finance", "fund", "refinance", "bankroll", "owe", "loan", "advance"):
        return True
    return any(t.lower_ == "$" or t.lemma_.lower() in lex.LOAN_SURE for t in verb.subtree)
