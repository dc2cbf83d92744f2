"""Who holds which office where: appointments, resignations, and titles that stand beside a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product, takewhile
from typing import TYPE_CHECKING, Final

from ingest.extract.certainty import ORDER, Certainty, certainty
from ingest.extract.grammar import Parsed, after, has, objects, passive, phrase, subjects
from ingest.extract.lexicon import TITLES, words
from ingest.extract.names import Mention
from ingest.extract.referents import Referents, distinct
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Token

APPOINT: Final = words(
    "appoint name elect hire promote choose pick select install designate recruit reappoint reelect "
    "confirm bring poach entrust welcome put"
)
SERVE: Final = words(
    "join serve act work become remain continue start begin take succeed replace assume rejoin lead head "
    "run move follow switch return sit chair stay assist"
)
LEADS: Final = words("lead head run chair")
"""Verbs that say an office without a title."""
REPLACES: Final = words("succeed replace follow")
"""Verbs whose object leaves the office."""
LEAVE: Final = words("resign retire step stand quit leave depart exit relinquish vacate part hand stop")
DISMISS: Final = words("dismiss fire sack oust remove suspend relieve axe eject")
_HELM: Final = words("helm reins")
"""Nouns that say an office and no title."""
_POST: Final = words("post position role office job duty seat place responsibility title")
_GONE: Final = words("resignation departure retirement dismissal exit removal ouster")
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
    implied: bool = False
    """True if the firm is only the one the sentence names."""


def offices(parsed: Parsed, referents: Referents) -> Iterator[Office]:
    """Offices the sentence speaks of. Who leaves without a word of the office leaves the one the sentence gives."""
    found: list[Office] = []
    gone: set[str] = set()
    for token in parsed.doc:
        if token.pos_ == "VERB" and token.lemma_ in APPOINT | SERVE | LEAVE | DISMISS:
            found += _of_verb(token, referents)
            gone |= _leavers(token, referents)
        elif token.pos_ == "NOUN" and token.lemma_ in _MADE:
            found += _of_appointment(token, referents)
        elif token.pos_ == "NOUN" and token.lemma_ in _GONE:
            gone |= _departed(token, referents)
        elif token.pos_ in ("NOUN", "PROPN", "ADJ") and token.lemma_.lower() in TITLES and _is_head(token):
            found += _of_title(token, referents)
    yield from (replace(o, certainty=Certainty.ENDED) if _over(o, gone) else o for o in found)


def _over(office: Office, gone: set[str]) -> bool:
    return office.person.id in gone and office.certainty is not Certainty.OPEN


def _is_head(token: Token) -> bool:
    """`officer` of `chief executive officer`, not its first words."""
    return not (token.dep_ in ("compound", "amod", "nmod") and token.head.lemma_.lower() in TITLES)


def _leaves(verb: Token) -> bool:
    """`step down`, `hand over`, `stand aside`; neither `step up` nor `leave open`."""
    if verb.lemma_ in ("step", "stand"):
        return has(verb, "down", "aside", "back")
    if verb.lemma_ in ("hand", "part", "stop"):
        return has(verb, "over") if verb.lemma_ == "hand" else verb.lemma_ == "part"
    return verb.lemma_ in LEAVE | DISMISS


def _leavers(verb: Token, referents: Referents) -> set[str]:
    """Who leaves by a verb that names no office itself."""
    if not _leaves(verb) or certainty(verb) not in (Certainty.SAID, Certainty.FUTURE):
        return set()
    if _titles_near(verb, explicit=True):
        return set()
    dismissed = verb.lemma_ in DISMISS
    who = subjects(verb) if dismissed == passive(verb) else objects(verb)
    if verb.lemma_ == "part":
        who = after(verb, "with")
    return {m.id for t in who for m in referents.people(t)}


def _departed(noun: Token, referents: Referents) -> set[str]:
    """Who hands in a resignation, or whose it is."""
    if certainty(noun) not in (Certainty.SAID, Certainty.FUTURE):
        return set()
    who = [c for c in noun.children if c.dep_ == "poss"] + after(noun, "of")
    if noun.dep_ == "dobj" and noun.head.lemma_ in ("hand", "tender", "submit", "announce", "give"):
        who += subjects(noun.head)
    return {m.id for t in who for m in referents.people(t)}


def _of_verb(verb: Token, referents: Referents) -> Iterator[Office]:
    lemma, certain = verb.lemma_, certainty(verb)
    agents = after(verb, "by") if passive(verb) else subjects(verb)
    patients = subjects(verb) if passive(verb) else objects(verb)
    titles = _titles_near(verb)
    people, employers = (patients, agents) if lemma in APPOINT | DISMISS else (agents, patients)
    persons = distinct([m for t in people for m in referents.people(t)])
    if not persons and lemma in APPOINT:  # elected Jane Doe chair
        persons = distinct(
            [m for t in titles for c in t.children if c.dep_ in (*_INNER, "appos") for m in referents.people(c)]
        )
    firms = _employers(verb, titles, employers, persons, referents)
    untitled = (lemma in LEADS) or (lemma in LEAVE | {"join", "rejoin"} and persons)
    if not titles and not untitled:
        return
    role = _role(titles[0], referents) if titles else ""
    leaves = _leaves(verb)
    if lemma in LEAVE | DISMISS and not leaves and not has(verb, "up"):
        return
    if leaves and certain is Certainty.FUTURE:
        certain = Certainty.SAID
    ended = leaves and certain is Certainty.SAID
    for person, firm in product(persons, distinct(firms)):
        yield Office(person, firm, role, Certainty.ENDED if ended else certain)
    if lemma in REPLACES and certain in (Certainty.SAID, Certainty.FUTURE):
        ids = {p.id for p in persons}
        before = distinct([m for t in patients for m in referents.people(t) if m.id not in ids])
        for person, firm in product(before, distinct(firms)):
            yield Office(person, firm, role, Certainty.ENDED)


def _employers(
    verb: Token, titles: list[Token], employers: list[Token], persons: list[Mention], referents: Referents
) -> list[Mention]:
    """The firm of the office: beside the title, else who appoints, else beside the verb; never the person."""
    names = {p.name for p in persons}
    places = [
        [m for title in titles for m in _firms_of(title, referents)],
        [m for t in employers for m in referents.firms(t, "of")],
        [m for t in after(verb, "from", "at", "by", "to", "of", "with") for m in referents.firms(t, "of")],
        [m for t in subjects(verb) for m in referents.firms(t, "of")],
    ]
    return next((fit for found in places if (fit := [m for m in found if m.name not in names])), [])


def _titles_near(verb: Token, explicit: bool = False) -> list[Token]:
    """Titles the verb gives or takes: its complement, or what stands after `as`, `to`, `from`.

    Explicit ones are said to be what is left: `as chairman`, `from the board`, `the post of treasurer`.
    """
    level = [] if explicit else [
        c for c in verb.children if c.dep_ in ("oprd", "attr", "dobj", "appos", "npadvmod", "dative", "ccomp", "xcomp")
    ]
    level += [t for p in ("as", "to", "from", "with", "of", "at", "on") for t in after(verb, p)]
    level += [
        g
        for c in level
        for g in c.children
        if c.dep_ in ("dobj", "oprd", "ccomp") and g.dep_ in ("appos", "oprd", "attr")
    ]
    level += [
        t for c in (*level, *objects(verb)) for p in ("of", "as") for t in after(c, p) if c.lemma_.lower() in _POST
    ]
    level += [x for t in level for c in t.children if c.dep_ == "conj" for x in (c,)]
    return [t for t in level if t.lemma_.lower() in TITLES | _HELM or _on_board(t, verb)]


def _on_board(noun: Token, verb: Token) -> bool:
    return noun.lemma_ == "board" and verb.lemma_ in SERVE | APPOINT | LEAVE | DISMISS and noun.dep_ != "nsubj"


def _firms_of(title: Token, referents: Referents) -> list[Mention]:
    """The firm of a title, or of the titles joined with it: `Vice President and Treasurer of Acme`."""
    joined = [c for c in title.children if c.dep_ == "conj" and c.lemma_.lower() in TITLES]
    return _firms_beside(title, referents) or [m for t in joined for m in _firms_of(t, referents)]


def _firms_beside(title: Token, referents: Referents) -> list[Mention]:
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
    if title.dep_ == "conj" and title.head.dep_ == "appos" and title.head.lemma_.lower() in TITLES:
        people.append(title.head.head)  # Jane Doe, Vice President and Treasurer of Acme
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
    elif title.dep_ == "pobj" and title.head.dep_ == "prep" and title.head.head.lemma_ in _POST:
        people += _given(title.head.head)
    people += _beside(title)
    persons = distinct([m for t in people for m in referents.people(t)])
    firms = [m for m in firms if m.name not in {p.name for p in persons}]
    only = _only_firm(referents, persons) if persons and not firms else []
    past = title.dep_ == "attr" and title.head.tag_ == "VBD"  # she was chairman
    ended = past or has(title, "until", "once", "formerly") or any(t.lower_ in _ENDED for t in phrase(title))
    certain = max(Certainty.ENDED, _standing(title), key=ORDER.index) if ended else _standing(title)
    for person, firm in product(persons, firms or only):
        yield Office(person, firm, _role(title, referents), certain, implied=not firms)


def _given(post: Token) -> list[Token]:
    """To whom a post goes."""
    return after(post.head, "to") if post.dep_ == "nsubj" and post.head.lemma_ in ("go", "fall", "pass") else []


def _only_firm(referents: Referents, persons: list[Mention]) -> list[Mention]:
    """The one firm of the sentence, if it names one and one person only."""
    surely = {m.start for m in referents.parsed.mentions.values() if m.label == "Person"}
    if not all(p.start in surely for p in persons):
        return []
    mentions = [m for m in referents.parsed.mentions.values() if m.name not in {p.name for p in persons}]
    firms = {m.id: m for m in mentions}
    return list(firms.values()) if len(firms) == 1 and all(m.label in FIRMS for m in mentions) else []


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
    above = next((a for a in title.ancestors if a.pos_ == "VERB"), None)
    if above is not None and above.lemma_ in APPOINT and above.i < title.i:  # did not name Jane Doe chair
        return certainty(above)
    return Certainty.SAID


def _role(title: Token, referents: Referents) -> str:
    """The title as written, in small letters: `chief financial officer`, `chair of the supervisory board`."""
    if title.lemma_ in _HELM or title.lower_ in ("chair", "board"):
        return ""
    inner = {*phrase(title), *_ranks(title)}
    tokens = [
        t
        for t in sorted(inner, key=lambda t: t.i)
        if t.i not in referents.parsed.mentions and t.lower_ not in _ASIDE and t.pos_ != "PROPN" or t.lower_ in TITLES
    ]
    for child in title.children:
        if child.dep_ == "prep" and child.lower_ == "of":
            inner = [t for t in child.subtree if t.i < _first_name(child, referents)]
            tokens += list(takewhile(lambda t: t.pos_ != "ADP" or t.lower_ == "of", inner))
    return " ".join(t.text for t in tokens if t.pos_ != "PUNCT").lower().removesuffix(" of").removesuffix(" of the")


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


_ASIDE: Final = words("new former its their outgoing the a an longtime current incoming next then acting own")
_RANKS: Final = words("chief vice deputy executive managing senior non-executive financial operating risk general group")
