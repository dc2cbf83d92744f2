"""Relations that a noun says: `a subsidiary of Acme`, `Beta's loan to Acme`, `the acquisition of Acme by Beta`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.grammar import Parsed, after, objects, passive, subjects
from ingest.extract.clauses.lending import lending
from ingest.extract.clauses.match import Match, edges, event
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.text import lexicon as lex
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

_BEARERS: Final[tuple[tuple[frozenset[str], str, bool, tuple[str, ...]], ...]] = (
    (lex.SUBSIDIARY | lex.words("part member"), "SUBSIDIARY_OF", True, ("of",)),
    (lex.PARENT, "SUBSIDIARY_OF", False, ("of", "to")),
    (lex.words("hold"), "SUBSIDIARY_OF", False, ("of", "for")),
    (lex.words("guarantor"), "EXPOSED_TO", True, ("of", "for")),
    (lex.SHAREHOLDER | lex.words("investor co-owner"), "OWNS", True, ("of", "in")),
    (lex.LENDER, "LENDS_TO", True, ("to", "of")),
    (lex.BORROWER, "LENDS_TO", False, ("of",)),
    (lex.SUPPLIER, "SUPPLIES", True, ("to", "for", "of")),
    (lex.CUSTOMER, "SUPPLIES", False, ("of", "for")),
    (lex.RIVAL, "COMPETES_WITH", True, ("of", "to", "for")),
)
"""Noun, relation, whether its bearer is the source, and the prepositions of the other party."""
_CLOSE: Final = lex.words("close complete conclude go take finalise finalize seal")
_NAMES: Final = lex.words("name accuse target")
_COURT: Final = lex.words("dismiss drop withdraw throw reject threaten plan consider rule avoid settle abandon prepare")


def nominals(parsed: Parsed, referents: Referents) -> Iterator[Match]:
    """What the nouns of the sentence say."""
    for token in parsed.doc:
        lemma = token.lemma_.lower()
        if token.i in parsed.mentions:
            continue
        if lemma == "indebted":
            lenders = [m for t in after(token, "to") for m in referents.firms(t)]
            borrowers = [m for t in subjects(token.head) for m in referents.firms(t)]
            yield from edges("LENDS_TO", lenders, borrowers, certainty(token.head))
        elif (
            token.pos_ in ("NOUN", "PROPN")
            or token.lower_ in ("holding", "financing", "lending")
            or _beside(token, parsed)
        ):
            yield from _noun(token, lemma, referents)


def _beside(token: Token, parsed: Parsed) -> bool:
    """`its rival Acme`: what stands before a name as if it were an adjective."""
    return token.dep_ in ("amod", "compound", "nmod") and token.head.i in parsed.mentions


def _noun(token: Token, lemma: str, referents: Referents) -> Iterator[Match]:
    for nouns, type, first, prepositions in _BEARERS:
        if lemma in nouns:
            yield from _bearer(token, (type, first, prepositions), referents)
    if lemma in lex.OWED and not (lemma == "line" and token.head.lower_ == "in"):  # in line for a post
        yield from lending(token, referents)
    elif lemma in lex.LAWSUIT_SURE:
        yield from _lawsuit(token, referents)
    elif lemma in lex.TAKEOVER:
        yield from _takeover(token, referents)
    elif lemma in lex.STAKE or token.lower_ == "holding":
        yield from _stake(token, referents)


def _bearer(noun: Token, rule: tuple[str, bool, tuple[str, ...]], referents: Referents) -> Iterator[Match]:
    type, first, prepositions = rule
    holder = _company_noun(noun)
    bearers = distinct([m for t in _called(holder) for m in referents.firms(t)])
    others = [m for t in _possessors(holder, noun) for m in referents.firms(t)]
    others = others or [m for p in prepositions for t in after(holder, p) for m in referents.firms(t, "of", "in")]
    if type == "SUPPLIES" and not others:  # the buyer of most of its output
        below = [t for p in prepositions for t in after(holder, p)]
        below += [x for t in below for x in after(t, "of")]
        others = [m for t in below for x in _holders(t) for m in referents.firms(x)]
    ids = {b.id for b in bearers}
    others = distinct([m for m in others if m.id not in ids])
    grade = Certainty.ENDED if _former(noun) or _former(holder) else certainty(holder)
    if grade is Certainty.FUTURE and type in ("OWNS", "SUBSIDIARY_OF"):  # what will be held is not held
        grade = Certainty.OPEN
    share = 1.0 if type == "SUBSIDIARY_OF" and _wholly(noun) else None
    ends = (bearers, others) if first else (others, bearers)
    yield from edges(type, *ends, grade, share=share)


def _company_noun(noun: Token) -> Token:
    """`company` of `parent company`, which takes the noun's place in the tree."""
    modifies = noun.dep_ in ("compound", "amod", "nmod")
    return noun.head if modifies and noun.head.lemma_ in ("company", "firm", "bank", "entity") else noun


def _called(noun: Token) -> list[Token]:
    """Who is called so: by `is`, in apposition on either side, as the name behind it, after `as` or `among`."""
    found = [c for c in noun.children if c.dep_ == "appos"]
    head = noun.head
    if noun.dep_ in ("attr", "oprd") or (noun.dep_ == "dobj" and head.lemma_ in ("become", "remain", "form")):
        found += _patients(head) if noun.dep_ == "oprd" else subjects(head)
    elif noun.dep_ == "appos" or noun.dep_ in ("compound", "nmod", "amod"):
        found += [head]
    elif noun.dep_ == "pobj":
        found += _by_preposition(head)
    elif noun.dep_ == "nsubj" and head.lemma_ in ("be", "include"):
        found += objects(head)
    if noun.i + 1 < len(noun.doc) and noun.doc[noun.i + 1].pos_ == "PROPN" and noun.dep_ in ("nsubj", "pobj", "dobj"):
        found.append(noun.doc[noun.i + 1])
    return [t for t in found if t is not noun]


def _by_preposition(preposition: Token) -> list[Token]:
    """`serves as a supplier`, `one of the lenders`, `counts Beta among its customers`."""
    above = preposition.head
    if preposition.lower_ == "of" and above.lower_ in ("one", "some", "two", "part"):
        return _called(above)
    if preposition.lower_ not in ("as", "among", "amongst"):
        return []
    fronted = any(s.i > preposition.i for s in subjects(above)) if above.pos_ == "VERB" else False
    if fronted and preposition.lower_ == "as":  # As a subsidiary of Acme, Beta pays no tax
        return subjects(above)
    if above.lemma_ == "be":
        return [*subjects(above), *objects(above)]
    return (_patients(above) or subjects(above)) if above.pos_ == "VERB" else []


def _patients(verb: Token) -> list[Token]:
    return subjects(verb) if passive(verb) else [t for t in objects(verb) if t.dep_ == "dobj"]


def _possessors(holder: Token, noun: Token) -> list[Token]:
    near = {holder, noun} | ({holder.head} if holder.dep_ in ("compound", "nmod", "amod", "appos") else set())
    return [c for t in near for c in t.children if c.dep_ == "poss"]


def _former(noun: Token) -> bool:
    return any(
        c.lower_ in ("former", "ex", "ex-", "erstwhile", "previous", "onetime", "formerly", "once")
        for c in noun.children
    )


def _wholly(noun: Token) -> bool:
    return any(t.lower_ in ("wholly", "fully", "100") for c in noun.lefts for t in c.subtree)


def _holders(noun: Token) -> list[Token]:
    return [c for c in noun.children if c.dep_ == "poss"]


def _firms(tokens: list[Token], referents: Referents, *prepositions: str) -> list[Mention]:
    return distinct([m for t in tokens for m in referents.of(t, *prepositions)])


def _lawsuit(noun: Token, referents: Referents) -> Iterator[Match]:
    """`Acme's lawsuit against Beta`, `the defendant in a suit brought by Acme`."""
    if any(a.lemma_ in _COURT for a in noun.ancestors) or any(c.lemma_ in _COURT for c in noun.children):
        return
    doers = [t for c in noun.children if c.dep_ == "acl" for t in after(c, "by")]
    if noun.dep_ == "dobj" and noun.head.lemma_ in ("file", "bring", "launch", "lodge", "commence", "initiate"):
        doers += after(noun.head, "by") if passive(noun.head) else subjects(noun.head)
    plaintiffs = _firms(_holders(noun), referents) or _firms(doers or after(noun, "by", "from"), referents)
    defendants = _firms(after(noun, "against"), referents) or _firms(_defendants(noun), referents)
    ids = {m.id for m in defendants}
    plaintiffs = [m for m in plaintiffs if m.id not in ids]
    if defendants and (plaintiffs or _naming(noun)):
        yield from event("lawsuit", [("plaintiff", plaintiffs), ("defendant", defendants)], certainty(noun))


def _naming(noun: Token) -> list[Token]:
    """Whom a suit names: `a complaint naming Acme and Beta as respondents`."""
    verbs = [c for c in (*noun.children, *noun.head.children) if c.dep_ in ("acl", "advcl") and c.lemma_ in _NAMES]
    return [t for v in verbs for t in objects(v) if t.dep_ == "dobj"]


def _defendants(noun: Token) -> list[Token]:
    """Who is called defendant in it, or whom it accuses or names."""
    if named := _naming(noun):
        return named
    verb = noun.head
    if verb.lower_ == "in" and verb.head.lemma_ == "defendant":
        return _called(verb.head)
    if noun.dep_ == "nsubj" and verb.lemma_ in ("accuse", "name", "allege", "target"):
        return objects(verb)
    return subjects(verb) if noun.dep_ == "dobj" and verb.lemma_ in ("face", "answer", "fight", "contest") else []


def _takeover(noun: Token, referents: Referents) -> Iterator[Match]:
    """`the acquisition of Beta by Acme closed`, `since its purchase of Beta`; a plan or offer is none."""
    head = noun.head
    closed = noun.dep_ in ("nsubj", "nsubjpass") and head.lemma_ in _CLOSE
    known = noun.dep_ == "pobj" and head.lower_ in ("after", "since", "following", "through", "via", "with", "from")
    announced = noun.dep_ == "pobj" and head.lower_ == "of" and head.head.lemma_ in ("completion", "closing")
    if not (closed or known or announced):
        return
    grade = certainty(head if closed else head.head if announced else noun)
    if grade is Certainty.FUTURE and known:
        grade = Certainty.SAID
    if grade is not Certainty.SAID:
        return
    buyers = _firms(_holders(noun) or after(noun, "by"), referents)
    if announced and not buyers:
        verb = head.head.head
        buyers = _firms(subjects(verb) if verb.pos_ == "VERB" else [], referents)
    bought = _firms(after(noun, "of"), referents, "of", "in")
    yield from edges("OWNS", buyers, bought, grade)
    if buyers and bought:
        yield from event("acquisition", [("acquirer", buyers), ("target", bought)], grade)


def _stake(noun: Token, referents: Referents) -> Iterator[Match]:
    """`Acme's 30% stake in Beta`; not one that is sold or sought."""
    trimmed = noun.head.lemma_ in ("cut", "reduce", "lower", "trim") and after(noun.head, "to")
    if noun.head.lemma_ in lex.LAPSE | lex.HEDGES and not trimmed:
        return
    targets = _firms(after(noun, "in", "of"), referents, "of", "in")
    yield from edges("OWNS", _firms(_holders(noun), referents), targets, certainty(noun))
