"""Sentences of distress: what was due and is not paid, default, insolvency, and ratings that fall."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty, governed
from ingest.extract.clauses.grammar import Parsed, after, has, objects, passive, subjects, together
from ingest.extract.clauses.match import Match, event
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.text import lexicon as lex

if TYPE_CHECKING:
    from spacy.tokens import Token

_PAY: Final = lex.words("pay repay meet make honour honor service settle redeem")
_STOP: Final = lex.words("stop cease halt suspend")
_DOWN: Final = lex.words("cut lower reduce slash drop take move push downgrade relegate")
_FORMAL: Final = lex.words("proceeding proceedings petition administrator receiver liquidator filing application")
_PLACE: Final = lex.words("place put force push tip")
_CAUSES: Final = lex.words("to after following since of by amid")
_RATING: Final = re.compile(
    r"(?:AAA|AA|A|BBB|BB|B|CCC|CC|C|D|Aa|Baa|Ba|Caa|Ca|SD|RD)[1-3]?[+-]?|junk|speculative|selective"
)
_Found = tuple[str, list["Token"], Certainty]


def distress(parsed: Parsed, referents: Referents) -> Iterator[Match]:
    """Defaults, bankruptcies and downgrades that no verb frame covers."""
    for token in parsed.doc:
        for kind, who, grade in (*_unpaid(token), *_default(token), *_insolvent(token), *_downgraded(token, referents)):
            mentions = distinct([m for t in who for m in referents.of(t)])
            if mentions:
                yield from event(kind, [("subject", mentions)], grade)


def _unpaid(verb: Token) -> Iterator[_Found]:
    """`failed to pay`, `was unable to repay`, `did not make the payment`, `stopped paying interest`."""
    if verb.pos_ != "VERB" or verb.lemma_ not in _PAY or not _due(verb):
        return
    head = verb.head
    if verb.dep_ == "xcomp" and (head.lemma_ == "fail" or head.lemma_ in _STOP):
        yield "default", subjects(head), certainty(head)
    elif verb.dep_ == "xcomp" and head.lower_ in ("unable", "incapable") and head.head.lemma_ in ("be", "become"):
        yield "default", subjects(head.head), certainty(head.head)
    elif has(verb, "not", "n't", "never") and not has(verb, "may", "might", "should", "must", "will", "would"):
        yield "default", subjects(verb), governed(verb)


def _due(verb: Token) -> bool:
    """True if what is to be paid is a debt: interest, a bond, an instalment; no dividend and no bill."""
    things = {t.lemma_.lower() for o in objects(verb) for x in together(o) for t in x.subtree}
    if verb.lemma_ in ("pay", "make", "settle"):
        return bool(things & (lex.PAYMENT - {"payment", "note", "liability"}) or {"payment", "due"} <= things)
    return bool(things & lex.PAYMENT) or verb.lemma_ == "repay"


def _default(token: Token) -> Iterator[_Found]:
    if token.lemma_.lower() == "default" and token.pos_ == "NOUN":
        if token.head.lower_ in ("in", "into"):
            verb = token.head.head
            active = verb.lemma_ in ("declare", "place", "put", "hold", "find", "consider") and not passive(verb)
            yield "default", objects(verb) if active else subjects(verb), certainty(verb)
        elif has(token, "on") and (holders := [c for c in token.children if c.dep_ == "poss"]):
            yield "default", holders, certainty(token)
    elif token.lemma_ == "fall" and has(token, "behind") and _names(after(token, "on", "with", "in"), lex.PAYMENT):
        yield "default", subjects(token), certainty(token)


def _names(tokens: list[Token], lemmas: frozenset[str]) -> bool:
    return any(t.lemma_.lower() in lemmas for t in tokens)


def _insolvent(token: Token) -> Iterator[_Found]:
    lemma, head = token.lemma_.lower(), token.head
    if lemma in ("bankrupt", "insolvent"):
        yield "bankruptcy", _called(token), certainty(token)
    elif lemma in _FORMAL and _of_insolvency(token):
        if token.dep_ in ("nsubjpass", "dobj") and head.lemma_ in (
            "open",
            "appoint",
            "grant",
            "accept",
            "initiate",
            "approve",
        ):
            yield "bankruptcy", after(head, "against", "over", "to", "for", "at"), certainty(head)
        elif holders := [c for c in token.children if c.dep_ == "poss"]:
            yield "bankruptcy", holders, certainty(token)
    elif lemma in ("bankruptcy", "insolvency") and token.dep_ == "pobj" and head.lower_ in _CAUSES:
        yield "bankruptcy", after(token, "of") or [c for c in token.children if c.dep_ == "poss"], certainty(token)
    elif passive(token) and _wound_up(token, lemma):
        yield "bankruptcy", subjects(token), certainty(token)


def _wound_up(verb: Token, lemma: str) -> bool:
    """`was wound up`, `was placed in administration`."""
    placed = lemma in _PLACE and _names(after(verb, "in", "into", "under"), lex.INSOLVENCY)
    return placed or (lemma == "wind" and has(verb, "up"))


def _of_insolvency(noun: Token) -> bool:
    near = {t.lemma_.lower() for c in noun.lefts for t in c.subtree} | {t.lemma_.lower() for t in after(noun, "for")}
    return bool(near & lex.INSOLVENCY) or noun.lemma_.lower() in ("administrator", "receiver", "liquidator")


def _called(token: Token) -> list[Token]:
    """Who is called bankrupt: `declared Acme insolvent`, `Acme was declared bankrupt`, `insolvent Acme`."""
    if token.dep_ == "amod":
        return [token.head]
    if own := [c for c in token.children if c.dep_ == "nsubj"]:
        return own
    head = token.head
    if head.pos_ not in ("VERB", "AUX"):
        return []
    if passive(head) or head.lemma_ in ("be", "become", "go", "turn"):
        return subjects(head)
    return [t for t in objects(head) if t is not token]


def _downgraded(token: Token, referents: Referents) -> Iterator[_Found]:
    lemma = token.lemma_.lower()
    if lemma in lex.RATING and token.head.lemma_ in _DOWN and token.dep_ in ("nsubj", "nsubjpass", "dobj"):
        holders = [c for c in token.children if c.dep_ == "poss"]
        if token.dep_ != "dobj" or any(c.pos_ != "PRON" for c in holders):  # an agency lowers `its rating` on another
            yield "downgrade", holders, certainty(token.head)
    elif lemma == "downgrade" and token.pos_ == "NOUN":
        holders = [c for c in token.children if c.dep_ == "poss"] or after(token, "of", "for")
        suffers = token.head.lemma_ in ("suffer", "receive", "see", "get", "undergo", "experience", "announce", "issue")
        if suffers and token.dep_ == "dobj":
            active = token.head.lemma_ in ("announce", "issue")
            yield "downgrade", holders if active else subjects(token.head), certainty(token.head)
    elif token.lemma_ in _DOWN and token.pos_ == "VERB" and _to_rating(token):
        yield "downgrade", subjects(token) if passive(token) else objects(token), certainty(token)


def _to_rating(verb: Token) -> bool:
    """`cut to BB-`, `lowered to junk`."""
    return any(_RATING.fullmatch(t.text) for p in after(verb, "to", "into") for t in (p, *p.children))
