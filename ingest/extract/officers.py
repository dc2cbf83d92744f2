"""Who holds which office where: appointments, resignations, and titles that stand beside a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from ingest.extract.certainty import ORDER, Certainty, certainty
from ingest.extract.grammar import Parsed, after, objects, passive, phrase, subjects
from ingest.extract.lexicon import TITLES, words
from ingest.extract.names import Mention
from ingest.extract.referents import Referents, distinct

if TYPE_CHECKING:
    from spacy.tokens import Token

APPOINT: Final = words(
    "appoint name elect hire promote choose pick select install designate recruit reappoint reelect confirm bring poach"
)
SERVE: Final = words(
    "join serve act work become remain continue start begin take succeed replace assume rejoin lead head run"
)
LEAVE: Final = words("resign retire step quit leave depart exit")
DISMISS: Final = words("dismiss fire sack oust remove suspend")
_PLACES: Final = ("of", "at", "for", "in")
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
    firms = [m for title in titles for m in _firms_of(title, referents)]
    firms = firms or [m for t in employers for m in referents.firms(t, "of")]
    firms = firms or [m for t in after(verb, "from", "at", "by") for m in referents.firms(t, "of")]
    if not titles and not (lemma in LEAVE | {"join", "rejoin"} and persons):
        return
    role = _role(titles[0], referents) if titles else ""
    ended = lemma in LEAVE | DISMISS and certain in (Certainty.SAID, Certainty.FUTURE)
    for person, firm in product(persons, distinct(firms)):
        yield Office(person, firm, role, Certainty.ENDED if ended else certain)


def _titles_near(verb: Token) -> list[Token]:
    """Titles the verb gives or takes: its complement, or what stands after `as`, `to`, `from`."""
    level = [
        c for c in verb.children if c.dep_ in ("oprd", "attr", "dobj", "appos", "npadvmod", "dative", "ccomp", "xcomp")
    ]
    level += [t for t in after(verb, "as", "to", "from")]
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
    elif title.dep_ == "dobj" and title.head.lemma_ in ("have", "get", "find"):
        firms = firms or distinct([m for t in subjects(title.head) for m in referents.firms(t)])
    persons = distinct([m for t in people for m in referents.people(t)])
    past = title.dep_ == "attr" and title.head.tag_ == "VBD"  # she was chairman
    ended = past or any(t.lower_ in _ENDED for t in phrase(title))
    certain = max(Certainty.ENDED, _standing(title), key=ORDER.index) if ended else _standing(title)
    for person, firm in product(persons, firms):
        yield Office(person, firm, _role(title, referents), certain)


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
            tokens += inner[:-1] if inner and inner[-1].pos_ in ("ADP", "DET") and len(inner) > 2 else inner
    return " ".join(t.text for t in tokens if t.pos_ != "PUNCT").lower().removesuffix(" of").removesuffix(" of the")


def _first_name(token: Token, referents: Referents) -> int:
    """Where the first name below the token stands; its first word may be an article or preposition of that name."""
    return min(
        (t.i for t in token.subtree if t.i in referents.parsed.mentions or t.pos_ == "PROPN"), default=token.i + 6
    )


_ASIDE: Final = words("new former its their outgoing the a an longtime current incoming")
