"""Holdings are firms in other firms, said by an adjective, a noun of control or a venture and not by a plain verb.

`Acme-owned Beta`, `Beta, 75 percent owned by Acme`, `a Acme company`, `through its Beta subsidiary`, `under the control
of Acme`, `a joint venture of Acme and Beta`, `the stake of Acme in Beta`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import ORDER, Certainty, certainty
from ingest.extract.clauses.grammar import Parsed, after, objects, passive, subjects
from ingest.extract.clauses.match import Match, edges
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.text import lexicon as lex
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

_HELD: Final = {"owned": "OWNS", "held": "OWNS", "controlled": "SUBSIDIARY_OF"}
_FIRM: Final = lex.words("company firm business bank brand")
_ROOF: Final = lex.words("control roof umbrella ownership wing")
_STANDS: Final = lex.words("be come operate stand fall trade run sit remain pass belong rank work")
_RULES: Final = lex.words("have hold exercise wield retain keep gain take get assume win secure")
_CHEST: Final = lex.words("portfolio asset holding investment")
_SPENDS: Final = lex.words("put invest inject spend pour pay")
_MAKES: Final = lex.words("turn convert make transform")


def holdings(parsed: Parsed, referents: Referents) -> Iterator[Match]:
    """What is held by whom, with how certain it is."""
    for token in parsed.doc:
        lemma = token.lemma_.lower()
        if token.i in parsed.mentions:
            continue
        if (type := _HELD.get(token.lower_.lstrip("-"))) and token.tag_ in ("VBN", "VBD", "JJ"):
            yield from _held(token, type, referents)
        elif lemma in lex.SUBSIDIARY:
            yield from _subsidiary(token, referents)
        elif lemma in _FIRM:
            yield from _of_group(token, referents)
        elif lemma == "venture":
            yield from _venture(token, referents)
        elif lemma in _ROOF and token.pos_ == "NOUN":
            yield from chain(_roofed(token, referents), _control(token, referents))
        elif lemma in lex.STAKE or token.lower_ == "holding":
            yield from _share(token, referents)
        elif token.pos_ == "VERB":
            yield from chain(_below(token, referents), _left(token, referents))


def _firms(tokens: Sequence[Token], referents: Referents) -> list[Mention]:
    return distinct([m for t in tokens for m in referents.firms(t)])


def _link(type: str, owners: list[Mention], owned: list[Mention], grade: Certainty) -> Iterator[Match]:
    ids = {m.id for m in owned}
    owners = [m for m in owners if m.id not in ids]
    ends = (owners, owned) if type == "OWNS" else (owned, owners)
    yield from edges(type, *ends, Certainty.OPEN if grade is Certainty.FUTURE else grade)


def _held(word: Token, type: str, referents: Referents) -> Iterator[Match]:
    """`Acme-owned Beta`, `is majority-owned by Acme`, `Beta, 75 percent owned by Acme`, `a firm controlled by Acme`."""
    head = word.head
    if word.dep_ == "amod":
        yield from _link(type, _firms(list(word.lefts), referents), _firms([head], referents), Certainty.SAID)
        return
    owners = _firms(after(word, "by"), referents)
    if word.dep_ == "acomp":
        yield from _link(type, owners, _firms(subjects(head), referents), certainty(head))
    elif word.dep_ in ("acl", "amod") and head.dep_ == "attr":
        yield from _link(type, owners, _firms(subjects(head.head), referents), certainty(head))
    elif word.dep_ == "acl" and head.lower_ in ("%", "percent", "cent"):
        yield from _link(type, owners, _before(head, referents), Certainty.SAID)


def _before(percent: Token, referents: Referents) -> list[Mention]:
    """The name before `, 75 percent owned by`."""
    first = min(t.i for t in percent.subtree)
    comma = first > 1 and percent.doc[first - 1].lower_ in (",", "(")
    return _firms([percent.doc[first - 2]], referents) if comma else []


def _subsidiary(noun: Token, referents: Referents) -> Iterator[Match]:
    """`its Beta subsidiary`, `a Acme subsidiary`, `a subsidiary called Beta`, `through Beta, a subsidiary`."""
    named = _firms([c for c in noun.children if c.dep_ in ("compound", "nmod")], referents)
    holders = _firms([c for c in noun.children if c.dep_ == "poss"], referents)
    called = [g for c in noun.children if c.dep_ == "acl" and c.lemma_ in ("call", "name") for g in objects(c)]
    verb = noun.head
    if named and holders:
        yield from _link("SUBSIDIARY_OF", holders, named, certainty(noun))
    elif named:
        yield from _link("SUBSIDIARY_OF", named, _bearers(noun, referents), certainty(noun))
    if called:
        owner = subjects(verb) if noun.dep_ == "dobj" and verb.lemma_ in ("have", "own", "set", "form", "found") else []
        yield from _link(
            "SUBSIDIARY_OF", holders or _firms(owner, referents), _firms(called, referents), certainty(noun)
        )
    alone = not (named or holders or called or after(noun, "of"))
    if alone and noun.dep_ == "appos" and verb.dep_ == "pobj" and verb.head.lower_ in ("through", "via"):
        owners = _firms(subjects(_clause(verb)), referents)
        yield from _link("SUBSIDIARY_OF", owners, _firms([verb], referents), certainty(noun))
    if alone and noun.dep_ == "pobj" and verb.lower_ == "into" and verb.head.lemma_ in _MAKES:
        owned = subjects(verb.head) if passive(verb.head) else objects(verb.head)
        owners = _firms(after(verb.head, "by") if passive(verb.head) else subjects(verb.head), referents)
        yield from _link("SUBSIDIARY_OF", owners, _firms(owned, referents), certainty(verb.head))


def _clause(token: Token) -> Token:
    """The verb above a word, else the root."""
    return next((a for a in token.ancestors if a.pos_ in ("VERB", "AUX")), token.sent.root)


def _bearers(noun: Token, referents: Referents) -> list[Mention]:
    """Who is called so, by `is` or in apposition."""
    if noun.dep_ == "attr":
        return _firms(subjects(noun.head), referents)
    return _firms([noun.head], referents) if noun.dep_ == "appos" else []


def _of_group(noun: Token, referents: Referents) -> Iterator[Match]:
    """`Beta, a Acme company`, `a company of the Acme group`; not the company Acme itself."""
    indefinite = any(c.lower_ in ("a", "an", "another", "one") for c in noun.children if c.dep_ in ("det", "nummod"))
    if not indefinite:
        return
    groups = [t for t in after(noun, "of", "in", "within") if t.lemma_.lower() == "group"]
    above = [c for t in (noun, *groups) for c in t.children if c.dep_ in ("compound", "nmod", "poss")]
    above += [x for t in groups for x in after(t, "of")]
    yield from _link("SUBSIDIARY_OF", _firms(above, referents), _bearers(noun, referents), certainty(noun))


def _venture(noun: Token, referents: Referents) -> Iterator[Match]:
    """`a 50-50 joint venture of Acme and Gamma`."""
    partners = _firms(after(noun, "of", "between", "by"), referents)
    owned = _bearers(noun, referents)
    grade = certainty(noun)
    if len(partners) < 2 or not owned or grade in (Certainty.FUTURE, Certainty.OPEN):
        return
    said = " ".join(t.lower_ for t in noun.subtree)
    half = len(partners) == 2 and any(w in said for w in ("50 - 50", "50-50", "50/50", "50 / 50", "50:50", "equal"))
    yield from edges("OWNS", partners, owned, grade, share=0.5 if half else None)


def _roofed(noun: Token, referents: Referents) -> Iterator[Match]:
    """`is under the control of Acme`, `operates under Acme's roof`."""
    under = noun.head
    if noun.dep_ != "pobj" or under.lower_ != "under" or under.head.lemma_ not in _STANDS:
        return
    owners = [c for c in noun.children if c.dep_ == "poss"] or after(noun, "of")
    owned = _firms(subjects(under.head), referents)
    yield from _link("SUBSIDIARY_OF", _firms(owners, referents), owned, certainty(under.head))


def _control(noun: Token, referents: Referents) -> Iterator[Match]:
    """`exercises control over Beta`, `control of Beta lies with Acme`."""
    verb, below = noun.head, after(noun, "over", "of")
    if noun.lemma_ != "control" or verb.pos_ != "VERB" or not below:
        return
    owners: list[Token] = []
    if noun.dep_ == "dobj" and verb.lemma_ in _RULES:
        owners = subjects(verb)
    elif noun.dep_ == "nsubj" and verb.lemma_ in ("lie", "rest", "sit", "remain", "pass", "go"):
        owners = after(verb, "with", "to", "at")
    yield from _link("SUBSIDIARY_OF", _firms(owners, referents), _firms(below, referents), certainty(verb))


def _share(noun: Token, referents: Referents) -> Iterator[Match]:
    """`the stake of Acme in Beta`, `Beta is a 30 percent holding of Acme`, what a portfolio includes or money buys."""
    verb = noun.head
    owners = _firms([t for c in noun.children if c.lower_ == "of" for t in c.children if t.dep_ == "pobj"], referents)
    inside = _firms(after(noun, "in"), referents)
    if owners and inside:
        yield from _link("OWNS", owners, inside, certainty(noun))
    elif owners and noun.dep_ in ("attr", "appos") and noun.lower_ in ("holding", "investment"):
        yield from _link("OWNS", owners, _bearers(noun, referents), certainty(noun))
    elif noun.dep_ == "dobj" and verb.lemma_ in ("include", "comprise", "contain"):
        chests = [t for t in subjects(verb) if t.lemma_.lower() in _CHEST]
        whose = [c for t in chests for c in t.children if c.dep_ == "poss"] or [
            x for t in chests for x in after(t, "of")
        ]
        yield from _link("OWNS", _firms(whose, referents), owners or inside, certainty(verb))
    elif noun.dep_ == "pobj" and verb.lower_ in ("for", "of", "with") and verb.head.pos_ == "VERB":
        yield from _paid(noun, verb.head, inside, referents)


def _paid(noun: Token, verb: Token, inside: list[Mention], referents: Referents) -> Iterator[Match]:
    """`put $40 million into Beta for a stake`, `disposed of its stake in Beta`."""
    own = any(c.dep_ == "poss" for c in noun.children)
    if verb.lemma_ in _SPENDS and noun.head.lower_ == "for":
        firms = inside or _firms(after(verb, "into", "in"), referents)
        yield from _link("OWNS", _firms(subjects(verb), referents), firms, certainty(verb))
    elif own and (verb.lemma_, noun.head.lower_) in (("dispose", "of"), ("part", "with"), ("divest", "of")):
        grade = max(Certainty.ENDED, certainty(verb), key=ORDER.index)
        yield from _link("OWNS", _firms(subjects(verb), referents), inside, grade)


def _below(verb: Token, referents: Referents) -> Iterator[Match]:
    """`Beta falls under Acme`, `Beta sits under Acme`."""
    if verb.lemma_ in ("fall", "sit", "come", "rank"):
        owners = _firms([t for c in verb.children if c.lower_ == "under" for t in c.children], referents)
        yield from _link("SUBSIDIARY_OF", owners, _firms(subjects(verb), referents), certainty(verb))


def _left(verb: Token, referents: Referents) -> Iterator[Match]:
    """`Beta left the Acme group`."""
    if verb.lemma_ not in ("leave", "quit", "exit"):
        return
    groups = [t for t in objects(verb) if t.lemma_.lower() == "group"]
    above = [c for t in groups for c in t.children if c.dep_ in ("compound", "nmod", "poss")]
    grade = max(Certainty.ENDED, certainty(verb), key=ORDER.index)
    yield from _link("SUBSIDIARY_OF", _firms(above, referents), _firms(subjects(verb), referents), grade)
