"""Frames and nouns of the lexicon matched against a parsed sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from ingest.extract import lexicon as lex
from ingest.extract.certainty import Certainty, certainty
from ingest.extract.grammar import Parsed, after, objects, passive, receivers, subjects, together
from ingest.extract.lexicon import FRAMES, Frame
from ingest.extract.names import Mention
from ingest.extract.officers import offices
from ingest.extract.referents import Referents, distinct

if TYPE_CHECKING:
    from spacy.tokens import Token

Parties = tuple[tuple[str, Mention], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A relation or event found at one place of a sentence."""

    type: str
    parties: Parties
    place: int
    """Where in the text its quantities are looked for first."""
    certainty: Certainty
    event: str = ""
    role: str = ""
    share: float | None = None
    """A share that the words say without a number: `wholly owned`."""


def matches(parsed: Parsed, topic: Mention | None, speaker: Mention | None) -> Iterator[Match]:
    """All that the sentence says, ended statements included; denied and open ones are left out."""
    referents = Referents(parsed, topic, speaker)
    found = [*_verbs(parsed, referents), *_nouns(parsed, referents), *_distress(parsed, referents)]
    for office in offices(parsed, referents):
        parties = (("source", office.person), ("target", office.firm))
        found.append(Match("OFFICER_OF", parties, office.person.start, office.certainty, role=office.role))
    for match in found:
        if match.certainty is Certainty.OPEN or (match.event and match.certainty is not Certainty.SAID):
            continue
        yield match


def _verbs(parsed: Parsed, referents: Referents) -> Iterator[Match]:
    for verb in parsed.doc:
        if verb.pos_ in ("VERB", "AUX"):
            for frame in FRAMES:
                if verb.lemma_ in frame.verbs and _particle(verb, frame):
                    yield from _frame(frame, verb, referents)


def _particle(verb: Token, frame: Frame) -> bool:
    particles = {c.lower_ for c in verb.children if c.dep_ in ("prt", "advmod")}
    return frame.particle in particles if frame.particle else not (verb.lemma_ == "take" and "over" in particles)


def _frame(frame: Frame, verb: Token, referents: Referents) -> Iterator[Match]:
    noun = _object(frame, verb)
    if (frame.noun and noun is None) or (frame.avoid and _avoided(frame, verb)):
        return
    certain = certainty(verb)
    if noun is not None and certain is not Certainty.OPEN and any(c.lower_ == "no" for c in noun.children):
        return
    if certain is Certainty.FUTURE and not frame.future:
        return
    slots = []
    for party, places in frame.parties:
        mentions = _party(places, verb, noun, referents)
        if mentions:
            slots.append([(party, m) for m in mentions])
        elif party not in frame.optional:
            return
    if frame.type == "LENDS_TO" and not _lending(frame, verb, referents):
        return
    for parties in product(*slots):
        yield Match(frame.type, tuple(parties), parties[-1][1].start, certain, frame.event)


def _object(frame: Frame, verb: Token) -> Token | None:
    """The noun the frame asks for among what the verb is about."""
    if not frame.noun:
        return None
    near = [t for p in (_patients(verb), after(verb, "into", "for", "to", "with", "in")) for x in p for t in together(x)]
    for token in near:
        if token.lemma_.lower() in frame.noun or (token.lower_ == "%" and "%" in frame.noun):
            return token
        if any(c.dep_ in ("compound", "nmod") and c.lemma_.lower() in frame.noun for c in token.children):
            return token
    return None


def _avoided(frame: Frame, verb: Token) -> bool:
    return any(t.lemma_.lower() in frame.avoid for p in _patients(verb) for t in together(p))


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
    if not place.startswith("noun:"):
        return after(verb, place)
    if noun is None:
        return []
    preposition = place.removeprefix("noun:")
    return [c for c in noun.children if c.dep_ == "poss"] if preposition == "poss" else after(noun, preposition)


def _lending(frame: Frame, verb: Token, referents: Referents) -> bool:
    """`financed Beta` is a loan only with a sum or a loan beside it; `owe` only with a sum."""
    if not verb.lemma_ in ("finance", "fund", "refinance", "bankroll", "owe", "loan"):
        return True
    return any(t.lower_ == "$" or t.lemma_.lower() in lex.LOAN_SURE for t in verb.subtree)


_BEARERS: tuple[tuple[frozenset[str], str, bool, tuple[str, ...]], ...] = (
    (lex.SUBSIDIARY, "SUBSIDIARY_OF", True, ("of",)),
    (lex.PARENT, "SUBSIDIARY_OF", False, ("of",)),
    (lex.SHAREHOLDER, "OWNS", True, ("of", "in")),
    (lex.LENDER, "LENDS_TO", True, ("to", "of")),
    (lex.BORROWER, "LENDS_TO", False, ("of",)),
    (lex.SUPPLIER, "SUPPLIES", True, ("to", "for", "of")),
    (lex.CUSTOMER, "SUPPLIES", False, ("of", "for")),
)
"""Noun, relation, whether its bearer is the source, and the prepositions of the other party."""


def _nouns(parsed: Parsed, referents: Referents) -> Iterator[Match]:
    for token in parsed.doc:
        lemma = token.lemma_.lower()
        if token.pos_ not in ("NOUN", "PROPN") or token.i in parsed.mentions:
            continue
        for nouns, type, first, prepositions in _BEARERS:
            if lemma in nouns:
                yield from _bearer(token, (type, first, prepositions), referents)
        if lemma in lex.STAKE or lemma in lex.TAKEOVER or lemma in lex.LOAN_SURE:
            yield from _possessed(token, lemma, referents)


def _bearer(noun: Token, rule: tuple[str, bool, tuple[str, ...]], referents: Referents) -> Iterator[Match]:
    type, first, prepositions = rule
    holder = _company_noun(noun)
    bearers = distinct([m for t in bearer_tokens(holder) for m in referents.firms(t)])
    others = [m for t in _possessors(holder, noun) for m in referents.firms(t)]
    others = others or [m for p in prepositions for t in after(holder, p) for m in referents.firms(t)]
    ids = {b.id for b in bearers}
    certain = certainty(holder) if not _former(noun) and not _former(holder) else Certainty.ENDED
    share = 1.0 if type == "SUBSIDIARY_OF" and _wholly(noun) else None
    for bearer, other in product(bearers, distinct([m for m in others if m.id not in ids])):
        parties = (("source", bearer), ("target", other)) if first else (("source", other), ("target", bearer))
        yield Match(type, parties, bearer.start, certain, share=share)


def _company_noun(noun: Token) -> Token:
    """`company` of `parent company`, which takes the noun's place in the tree."""
    return noun.head if noun.dep_ in ("compound", "amod", "nmod") and noun.head.lemma_ in ("company", "firm", "bank") else noun


def bearer_tokens(noun: Token) -> list[Token]:
    """Who is called by this noun: by `is`, by apposition on either side, as its last name, or after `as`."""
    found = [c for c in noun.children if c.dep_ == "appos"]
    if noun.dep_ in ("attr", "oprd") or (noun.dep_ == "dobj" and noun.head.lemma_ in ("become", "remain")):
        found += _patients(noun.head) if noun.dep_ == "oprd" else subjects(noun.head)
    elif noun.dep_ == "appos":
        found += [noun.head]
    elif noun.dep_ in ("compound", "nmod", "amod"):
        found += [noun.head]
    elif noun.dep_ == "pobj" and noun.head.lower_ == "as":
        verb = noun.head.head
        found += _patients(verb) or subjects(verb) if verb.pos_ == "VERB" else []
    elif noun.dep_ in ("nsubj",) and noun.head.lemma_ == "be":
        found += [c for c in noun.head.children if c.dep_ == "attr"]
    return [t for t in found if t is not noun]


def _possessors(holder: Token, noun: Token) -> list[Token]:
    near = {holder, noun} | ({holder.head} if holder.dep_ in ("compound", "nmod", "amod", "appos") else set())
    return [c for t in near for c in t.children if c.dep_ == "poss"]


def _former(noun: Token) -> bool:
    return any(c.lower_ in ("former", "ex", "ex-", "erstwhile", "previous", "onetime") for c in noun.children)


def _wholly(noun: Token) -> bool:
    return any(t.lower_ in ("wholly", "fully", "100") for c in noun.lefts for t in c.subtree)


def _possessed(noun: Token, lemma: str, referents: Referents) -> Iterator[Match]:
    """`Acme's 30% stake in Beta`, `the acquisition of Beta by Acme`, `a loan from Acme to Beta`."""
    holders = [c for c in noun.children if c.dep_ == "poss"]
    certain = certainty(noun)
    if lemma in lex.LOAN_SURE:
        givers = [t for t in after(noun, "from", "by")] or [t for t in holders]
        takers = [t for t in after(noun, "to")]
        yield from _pairs("LENDS_TO", givers, takers, certain, referents)
        return
    if noun.head.lemma_ in lex.LAPSE | lex.HEDGES:
        return
    if lemma in lex.TAKEOVER:
        if noun.head.dep_ == "prep" or noun.head.lower_ in ("after", "since", "following", "through", "via", "with", "from"):
            for event in ("", "acquisition"):
                owners = holders or after(noun, "by")
                yield from _pairs("OWNS", owners, after(noun, "of"), certain, referents, event)
    elif holders:
        yield from _pairs("OWNS", holders, after(noun, "in", "of"), certain, referents)


def _pairs(
    type: str, sources: list[Token], targets: list[Token], certain: Certainty, referents: Referents, event: str = ""
) -> Iterator[Match]:
    roles = ("acquirer", "target") if event else ("source", "target")
    left = distinct([m for t in sources for m in referents.of(t)])
    right = distinct([m for t in targets for m in referents.of(t, "of", "in")])
    for a, b in product(left, right):
        yield Match("AFFECTED_BY" if event else type, ((roles[0], a), (roles[1], b)), b.start, certain, event)


def _distress(parsed: Parsed, referents: Referents) -> Iterator[Match]:
    """Failing to pay, being in default, bankrupt or insolvent, and proceedings opened against a firm."""
    for token in parsed.doc:
        for event, who in _distressed(token):
            mentions = distinct([m for t in who for m in referents.of(t)])
            for m in mentions:
                yield Match("AFFECTED_BY", (("subject", m),), m.start, certainty(token), event)


def _distressed(token: Token) -> Iterator[tuple[str, list[Token]]]:
    lemma, head = token.lemma_.lower(), token.head
    if lemma in ("pay", "repay", "meet", "make", "honour", "honor", "service") and _unpaid(token):
        if any(t.lemma_.lower() in lex.PAYMENT for o in objects(token) for t in together(o)) or lemma == "repay":
            yield "default", subjects(head if head.pos_ != "ADJ" else head.head)
    elif lemma == "default" and token.pos_ == "NOUN" and head.lower_ in ("in", "into"):
        verb = head.head
        yield "default", subjects(verb) if verb.pos_ in ("VERB", "AUX") else []
    elif lemma in ("bankrupt", "insolvent") and token.dep_ in ("acomp", "oprd", "ccomp", "amod", "xcomp", "attr", "advcl"):
        yield "bankruptcy", _called(token)
    elif lemma in ("proceeding", "proceedings", "petition", "administrator", "receiver", "liquidator"):
        if token.dep_ in ("nsubjpass", "dobj") and head.lemma_ in ("open", "appoint", "grant", "accept", "initiate"):
            if lemma.startswith("proceeding") and not any(t.lemma_.lower() in lex.INSOLVENCY for t in token.lefts):
                return
            yield "bankruptcy", after(head, "against", "over", "to", "for", "at")
    elif lemma == "wind" and passive(token) and any(c.lower_ == "up" for c in token.children):
        yield "bankruptcy", subjects(token)
    elif lemma in ("place", "put", "force", "push", "tip") and passive(token):
        if any(t.lemma_.lower() in lex.INSOLVENCY for t in after(token, "in", "into", "under")):
            yield "bankruptcy", subjects(token)


def _unpaid(verb: Token) -> bool:
    """`failed to pay`, `was unable to pay`, `could not repay`."""
    if verb.dep_ == "xcomp" and (verb.head.lemma_ == "fail" or verb.head.lower_ == "unable"):
        return True
    return False


def _called(token: Token) -> list[Token]:
    """Who is called bankrupt: `declared Acme insolvent`, `Acme was declared bankrupt`, `insolvent Acme`."""
    if token.dep_ == "amod":
        return [token.head]
    own = [c for c in token.children if c.dep_ == "nsubj"]
    if own:
        return own
    head = token.head
    if passive(head) or head.lemma_ in ("be", "become", "go", "turn"):
        return subjects(head)
    return [t for t in objects(head) if t is not token]
