"""Titles in a parsed sentence: which ones a verb gives or takes, at which firm, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty
from ingest.extract.clauses.grammar import after, objects, phrase, subjects
from ingest.extract.clauses.referents import Referents
from ingest.extract.text.lexicon import APPOINT, DISMISS, HELM, LEAVE, POST, REPLACES, SERVE, words
from ingest.extract.text.lexicon import TITLES as WRITTEN
from ingest.extract.text.names import Mention
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Token

TITLES: Final = WRITTEN | words("boss chairmanship directorship treasurership trustee")
"""Head nouns of what an officer is called, those of the press with them."""
MAKES: Final = APPOINT | words(
    "make elevate swear vote unveil present introduce announce prefer tap anoint crown "
    "install instal turn trust assign recall enlist engage approve retain opt lure attract keep"
)
"""Verbs that give somebody a title, where they have one beside them."""
_BEATS: Final = words("beat pip defeat outdo edge trump overtake best")
_PLACES: Final = ("of", "at", "for", "in")
_ASIDE: Final = words(
    "previously formerly once new former its their outgoing the a an longtime current incoming next then acting own"
)
_RANKS: Final = words(
    "chief vice deputy executive managing senior non-executive financial operating risk general group"
)


@dataclass(frozen=True, slots=True)
class Office:
    """A person, a firm and what the person is there."""

    person: Mention
    firm: Mention
    role: str
    certainty: Certainty
    implied: bool = False
    """True if the firm is only the one the sentence names."""


def titles_near(verb: Token, explicit: bool = False) -> list[Token]:
    """Titles the verb gives or takes: its complement, or what stands after `as`, `to`, `from`.

    Explicit ones are said to be what is left: `as chairman`, `from the board`, `the post of treasurer`.
    """
    level = (
        []
        if explicit
        else [
            c
            for c in verb.children
            if c.dep_ in ("oprd", "attr", "dobj", "appos", "npadvmod", "dative", "ccomp", "xcomp")
        ]
    )
    level += [t for p in ("as", "to", "from", "with", "of", "at", "on", "off") for t in after(verb, p)]
    level += [
        g
        for c in level
        for g in c.children
        if c.dep_ in ("dobj", "oprd", "ccomp") and g.dep_ in ("appos", "oprd", "attr")
    ]
    level += [
        t for c in (*level, *objects(verb)) for p in ("of", "as") for t in after(c, p) if c.lemma_.lower() in POST
    ]
    level += [x for t in level for c in t.children if c.dep_ == "conj" for x in (c,)]
    if verb.lemma_ in REPLACES | DISMISS and not explicit:  # replaced its chief executive Jane Doe
        level += [c for t in objects(verb) for c in t.children if c.dep_ in ("compound", "amod", "nmod")]
    return [t for t in level if t.lemma_.lower() in TITLES or t.lower_ in HELM or _on_board(t, verb)]


def _on_board(noun: Token, verb: Token) -> bool:
    verbs = SERVE | MAKES | LEAVE | DISMISS | {"be", "give", "lose"}
    return on_board(noun) and verb.lemma_ in verbs and noun.dep_ != "nsubj"


def on_board(noun: Token) -> bool:
    return noun.lemma_ == "board"


def firms_of(title: Token, referents: Referents) -> list[Mention]:
    """The firm of a title, or of the titles joined with it: `Vice President and Treasurer of Acme`."""
    joined = [c for c in title.children if c.dep_ == "conj" and c.lemma_.lower() in TITLES]
    return _firms_beside(title, referents) or [m for t in joined for m in firms_of(t, referents)]


def _firms_beside(title: Token, referents: Referents) -> list[Mention]:
    owned = [m for c in title.children if c.dep_ in ("poss", "compound", "nmod") for m in referents.firms(c)]
    if owned:
        return owned
    near = [t for p in _PLACES for t in after(title, p)]
    return [m for t in near for m in referents.firms(t)] or [
        m for t in near for x in after(t, "of") for m in referents.firms(x)
    ]


def only_firm(referents: Referents, persons: list[Mention], title: Token) -> list[Mention]:
    """The one firm of the sentence, if it names one and one person only."""
    surely = {m.start for m in referents.parsed.mentions.values() if m.label == "Person"}
    given = title.dep_ == "attr" or (title.dep_ == "pobj" and title.head.lower_ == "as")
    if not given and not all(p.start in surely for p in persons):
        return []
    mentions = [m for m in referents.parsed.mentions.values() if m.name not in {p.name for p in persons}]
    firms = {m.id: m for m in mentions}
    return list(firms.values()) if len(firms) == 1 and all(m.label in FIRMS for m in mentions) else []


def role_said(title: Token, referents: Referents) -> str:
    """The title as written, in small letters: `chief financial officer`, `chair of the supervisory board`."""
    if title.lemma_ in HELM or title.lower_ == "board" or (title.lower_ == "chair" and title.dep_ == "dobj"):
        return ""
    inner = {*phrase(title), *_ranks(title)}
    tokens = [
        t
        for t in sorted(inner, key=lambda t: t.i)
        if (t.i not in referents.parsed.mentions and t.lower_ not in _ASIDE and t.pos_ != "PROPN") or t.lower_ in TITLES
    ]
    for child in title.children:
        if child.dep_ == "prep" and child.lower_ == "of":
            below = [t for t in child.subtree if t.i < _first_name(child, referents)]
            tokens += list(takewhile(lambda t: t.pos_ != "ADP" or t.lower_ == "of", below))
    return " ".join(t.text for t in tokens if t.pos_ != "PUNCT").lower().removesuffix(" of").removesuffix(" of the")


def role_of(posts: list[Token]) -> str:
    """The title among these nouns as written; "" if none is one."""
    last = (t for t in posts if t.i + 1 == len(t.doc) or t.nbor(1).lower_ not in TITLES)
    title = next((t for t in last if t.lemma_.lower() in TITLES), None)
    if title is None:
        return ""
    left = [t for t in phrase(title) if t.text.islower() and t.lower_ not in _ASIDE and t.pos_ in ("NOUN", "ADJ")]
    return " ".join(t.text for t in sorted({*left, *_ranks(title), title}, key=lambda t: t.i)).lower()


def _ranks(title: Token) -> list[Token]:
    """Words of rank right before a title that the tree hangs on a name behind it: `chief` of `chief executive Doe`."""
    found: list[Token] = []
    at = title.i - 1
    while at >= 0 and title.doc[at].lower_ in _RANKS:
        found.append(title.doc[at])
        at -= 1
    return found


def _first_name(token: Token, referents: Referents) -> int:
    """Where the first name below the token stands; its first word may be an article or preposition of that name."""
    return min(
        (t.i for t in token.subtree if t.i in referents.parsed.mentions or t.pos_ == "PROPN"), default=token.i + 6
    )


def before_name(title: Token) -> bool:
    """The last word of `chief executive Jane Doe` where the tree takes it for an adjective."""
    return title.dep_ == "amod" and title.head.pos_ == "PROPN" and title.nbor(1).lower_ not in TITLES


def who(verb: Token) -> list[Token]:
    """Who does it: of `beat John Roe to become` and `left Acme to join` the one who beat and left."""
    if verb.dep_ == "xcomp" and verb.head.lemma_ in LEAVE | _BEATS:
        return subjects(verb.head)
    return _cleft(verb) or subjects(verb)


def _cleft(verb: Token) -> list[Token]:
    """Jane Doe, of `it was Jane Doe who became`."""
    asked = any(c.dep_ == "nsubj" and c.lower_ in ("who", "that") for c in verb.children)
    if not asked or verb.dep_ not in ("ccomp", "advcl") or verb.head.lemma_ != "be":
        return []
    return [c for c in verb.head.children if c.dep_ == "attr"]
