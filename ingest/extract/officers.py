"""Who holds which office where: appointments, resignations, and titles that stand beside a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product, takewhile
from typing import TYPE_CHECKING, Final

from ingest.extract.certainty import ORDER, Certainty, certainty
from ingest.extract.grammar import Parsed, after, has, objects, passive, phrase, subjects
from ingest.extract.lexicon import TITLES, words
from ingest.extract.names import Mention
from ingest.extract.referents import Referents, distinct

if TYPE_CHECKING:
    from spacy.tokens import Token

APPOINT: Final = words(
    "appoint name elect hire promote choose pick select install designate recruit reappoint reelect "
    "confirm bring poach entrust welcome put"
)
SERVE: Final = words(
    "join serve act work become remain continue start begin take succeed replace assume rejoin lead head "
    "run move follow switch"
)
LEAVE: Final = words("resign retire step quit leave depart exit")
DISMISS: Final = words("dismiss fire sack oust remove suspend")
_PLACES: Final = ("of", "at", "for", "in")
_INNER: Final = ("compound", "nmod")
_ENDED: Final = words("former ex outgoing departing retired previous late")


@dataclass(frozen=True, slots=True)
class Office:
    """A person, a firm and what the person is there."""

    person: Mention
    firm: Mention
    role: str
    certainty: Certainty


def offices(parsed: Parsed, referents: Referents) -> Iterator[Office]:
    """Offices the sentence speaks of."""
    for token in parsed.doc:
        if token.pos_ == "VERB" and token.lemma_ in APPOINT | SERVE | LEAVE | DISMISS:
            yield from _of_verb(token, referents)
        elif token.pos_ == "NOUN" and token.lemma_ in _MADE:
            yield from _of_appointment(token, referents)
        elif token.pos_ in ("NOUN", "PROPN", "ADJ") and token.lemma_.lower() in TITLES and _is_head(token):
            yield from _of_title(token, referents)


def _is_head(token: Token) -> bool:
    """`officer` of `chief executive officer`, not its first words."""
    return not (token.dep_ in ("compound", "amod", "nmod") and token.head.lemma_.lower() in TITLES)


def _of_verb(verb: Token, referents: Referents) -> Iterator[Office]:
    lemma, certain = verb.lemma_, certainty(verb)
    agents = after(verb, "by") if passive(verb) else subjects(verb)
    patients = subjects(verb) if passive(verb) else objects(verb)
    titles = _titles_near(verb)
    if lemma in APPOINT or lemma in DISMISS:
        people, employers = patients, agents
    else:
        people, employers = agents, patients
    persons = distinct([m for t in people for m in referents.people(t)])
    if not persons and lemma in APPOINT:  # elected Jane Doe chair
        persons = distinct([m for t in titles for c in t.children if c.dep_ in _INNER for m in referents.people(c)])
    firms = [m for title in titles for m in _firms_of(title, referents)]
    firms = firms or [m for t in employers for m in referents.firms(t, "of")]
    firms = firms or [m for t in after(verb, "from", "at", "by", "to") for m in referents.firms(t, "of")]
    if not titles and not (lemma in LEAVE | {"join", "rejoin"} and persons):
        return
    role = _role(titles[0], referents) if titles else ""
    climbs = lemma == "step" and has(verb, "up")
    ended = lemma in LEAVE | DISMISS and not climbs and certain in (Certainty.SAID, Certainty.FUTURE)
    for person, firm in product(persons, distinct(firms)):
        yield Office(person, firm, role, Certainty.ENDED if ended else certain)


def _titles_near(verb: Token) -> list[Token]:
    """Titles the verb gives or takes: its complement, or what stands after `as`, `to`, `from`."""
    level = [
        c for c in verb.children if c.dep_ in ("oprd", "attr", "dobj", "appos", "npadvmod", "dative", "ccomp", "xcomp")
    ]
    level += [t for p in ("as", "to", "from", "with") for t in after(verb, p)]
    level += [
        g
        for c in level
        for g in c.children
        if c.dep_ in ("dobj", "oprd", "ccomp") and g.dep_ in ("appos", "oprd", "attr")
    ]
    level += [
        t for c in level for t in after(c, "of") if c.lemma_.lower() in ("post", "position", "role", "office", "job")
    ]
    return [t for t in level if t.lemma_.lower() in TITLES or (t.lemma_ == "board" and verb.lemma_ in SERVE | APPOINT)]


def _firms_of(title: Token, referents: Referents) -> list[Mention]:
    owned = [m for c in title.children if c.dep_ in ("poss", "compound", "nmod") for m in referents.firms(c)]
    if owned:
        return owned
    near = [t for p in _PLACES for t in after(title, p)]
    return [m for t in near for m in referents.firms(t)] or [
        m for t in near for x in after(t, "of") for m in referents.firms(x)
    ]


def _of_title(title: Token, referents: Referents) -> Iterator[Office]:
    """`Jane Doe, chief executive of Acme`, `Acme's chairman, Jane Doe`, `Acme chief executive Jane Doe`."""
    firms = distinct(_firms_of(title, referents))
    people = [c for c in title.children if c.dep_ == "appos"]
    if title.dep_ == "appos":
        people.append(title.head)
    elif title.dep_ == "attr" and title.head.lemma_ in ("be", "remain"):
        people += subjects(title.head)
    elif title.dep_ in ("compound", "nmod"):
        people.append(title.head)
        firms = firms or distinct([m for c in title.head.lefts if c is not title for m in referents.firms(c)])
    elif title.dep_ == "nsubj" and title.head.lemma_ == "be":
        people += [c for c in title.head.children if c.dep_ == "attr"]
    elif title.dep_ == "pobj" and title.head.lower_ == "as" and title.i < title.head.head.i:  # As chairman of Beta, she
        people += subjects(title.head.head)
    elif title.dep_ == "dobj" and title.head.lemma_ in ("have", "get", "find"):
        firms = firms or distinct([m for t in subjects(title.head) for m in referents.firms(t)])
    people += _beside(title)
    persons = distinct([m for t in people for m in referents.people(t)])
    past = title.dep_ == "attr" and title.head.tag_ == "VBD"  # she was chairman
    ended = past or has(title, "until", "once", "formerly") or any(t.lower_ in _ENDED for t in phrase(title))
    certain = max(Certainty.ENDED, _standing(title), key=ORDER.index) if ended else _standing(title)
    for person, firm in product(persons, firms):
        yield Office(person, firm, _role(title, referents), certain)


def _beside(title: Token) -> list[Token]:
    """The name right behind a title and its phrase: `Acme's head of treasury, Jane Doe, said`."""
    inner = [t for c in title.children if c.dep_ == "prep" and c.lower_ == "of" for t in c.children]
    named = [c for t in inner for c in t.children if c.dep_ == "appos"]
    after_comma = [t for t in inner if t.dep_ == "pobj" and t.i + 1 < len(t.doc) and t.nbor(1).pos_ == "PROPN"]
    return named + [t.nbor(1) for t in after_comma]


_MADE: Final = words("appointment election promotion nomination hiring")


def _of_appointment(noun: Token, referents: Referents) -> Iterator[Office]:
    """`the appointment of Jane Doe as chairman of Acme`; of the firm that announces it, if none is named."""
    people = [c for c in noun.children if c.dep_ == "poss"] or after(noun, "of")
    persons = distinct([m for t in people for m in referents.people(t)])
    for title in [t for p in ("as", "to") for t in after(noun, p) if t.lemma_.lower() in TITLES]:
        firms = distinct(_firms_of(title, referents))
        announced = noun.dep_ == "dobj" and noun.head.lemma_ in ("announce", "confirm", "approve", "report")
        firms = firms or (distinct([m for t in subjects(noun.head) for m in referents.firms(t)]) if announced else [])
        for person, firm in product(persons, firms):
            yield Office(person, firm, _role(title, referents), certainty(noun))


def _standing(title: Token) -> Certainty:
    """A title in apposition holds whatever the sentence denies or wishes; a predicate does not."""
    if title.dep_ in ("attr", "nsubj", "dobj"):
        return certainty(title)
    return Certainty.SAID


def _role(title: Token, referents: Referents) -> str:
    """The title as written, in small letters: `chief financial officer`, `chair of the supervisory board`."""
    tokens = [t for t in phrase(title) if t.i not in referents.parsed.mentions and t.lower_ not in _ASIDE]
    for child in title.children:
        if child.dep_ == "prep" and child.lower_ == "of":
            inner = [t for t in child.subtree if t.i < _first_name(child, referents)]
            tokens += list(takewhile(lambda t: t.pos_ != "ADP" or t.lower_ == "of", inner))
    return " ".join(t.text for t in tokens if t.pos_ != "PUNCT").lower().removesuffix(" of").removesuffix(" of the")


def _first_name(token: Token, referents: Referents) -> int:
    """Where the first name below the token stands; its first word may be an article or preposition of that name."""
    return min(
        (t.i for t in token.subtree if t.i in referents.parsed.mentions or t.pos_ == "PROPN"), default=token.i + 6
    )


_ASIDE: Final = words("new former its their outgoing the a an longtime current incoming")
