"""Who holds which office where: appointments, resignations, and titles that stand beside a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import ORDER, Certainty, certainty
from ingest.extract.clauses.denials import passed_over, undone
from ingest.extract.clauses.grammar import Parsed, after, has, objects, passive, phrase, subjects
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.clauses.titles import MAKES, TITLES, before_name, firms_of, role_said, titles_near, who
from ingest.extract.text.lexicon import (
    BOARD,
    DISMISS,
    ENDS,
    EXPIRES,
    GONE,
    LEADS,
    LEAVE,
    NEGATORS,
    POST,
    REPLACES,
    SAYING,
    SERVE,
    TERM,
    words,
)
from ingest.extract.text.names import Mention
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Token

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
        if token.pos_ == "VERB" and token.lemma_ in MAKES | SERVE | LEAVE | DISMISS:
            found += _of_verb(token, referents)
            gone |= _leavers(token, referents)
        elif token.pos_ == "NOUN" and token.lemma_ in _MADE:
            found += _of_appointment(token, referents)
        elif token.pos_ == "NOUN" and token.lemma_ in TERM:
            found += _of_term(token, referents)
        elif token.pos_ == "NOUN" and token.lemma_ in GONE:
            gone |= _departed(token, referents)
        elif token.pos_ in ("NOUN", "PROPN", "ADJ") and token.lemma_.lower() in TITLES and _is_head(token):
            found += _of_title(token, referents)
    aside = {parsed.place(t) for t in parsed.doc if t.pos_ == "PROPN" and passed_over(t)}
    denied = {(o.person.id, o.firm.id) for o in found if o.certainty is Certainty.OPEN}
    for office in found:
        doubted = office.implied and (office.person.id, office.firm.id) in denied
        if doubted or office.person.start in aside or office.firm.start in aside:
            office = replace(office, certainty=Certainty.OPEN)
        yield replace(office, certainty=Certainty.ENDED) if _over(office, gone) else office


def _over(office: Office, gone: set[str]) -> bool:
    return office.person.id in gone and office.certainty is not Certainty.OPEN


def _is_head(token: Token) -> bool:
    """`officer` of `chief executive officer`, not its first words."""
    return not (token.dep_ in ("compound", "amod", "nmod") and token.head.lemma_.lower() in TITLES)


def leaves(verb: Token) -> bool:
    """`step down`, `hand over`, `stand aside`; neither `step up` nor `leave open`."""
    if verb.lemma_ in ("step", "stand"):
        return has(verb, "down", "aside", "back")
    if verb.lemma_ in ("hand", "bow", "stop"):
        return has(verb, "over", "out")
    return verb.lemma_ in LEAVE | DISMISS


def _leavers(verb: Token, referents: Referents) -> set[str]:
    """Who leaves by a verb that names no office itself."""
    if not leaves(verb) or certainty(verb) not in (Certainty.SAID, Certainty.FUTURE):
        return set()
    if titles_near(verb, explicit=True):
        return set()
    if any(c.dep_ == "xcomp" and c.lemma_ in SERVE for c in verb.children):  # left Acme to join Beta
        return set()
    dismissed = verb.lemma_ in DISMISS
    leavers = subjects(verb) if dismissed == passive(verb) else objects(verb)
    if verb.lemma_ == "part":  # with somebody, or they and somebody
        leavers = [*after(verb, "with"), *subjects(verb)]
    return {m.id for t in leavers for m in referents.people(t)}


def _of_term(noun: Token, referents: Referents) -> Iterator[Office]:
    """`her term as chairman of Acme has expired`, `his contract as chief executive was not renewed`."""
    verb = noun.head
    denied = any(c.lower_ in NEGATORS for c in verb.children) and verb.lemma_ in ("renew", "extend", "prolong")
    if not (denied or has(verb, "over") or verb.lemma_ in ENDS | EXPIRES) or noun.dep_ == "pobj":
        return
    holders = [c for c in noun.children if c.dep_ == "poss"] or after(noun, "of")
    persons = distinct([m for t in holders for m in referents.people(t)])
    for title in [t for t in after(noun, "as") if t.lemma_.lower() in TITLES]:
        for person, firm in product(persons, distinct(firms_of(title, referents))):
            yield Office(person, firm, role_said(title, referents), Certainty.ENDED)


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
    agents = after(verb, "by") if passive(verb) else who(verb)
    patients = subjects(verb) if passive(verb) else objects(verb)
    titles = titles_near(verb)
    people, employers = (patients, agents) if lemma in MAKES | DISMISS else (agents, patients)
    persons = distinct([m for t in people for m in referents.people(t)])
    if not persons and lemma in MAKES:  # elected Jane Doe chair
        persons = distinct(
            [
                m
                for t in titles
                for c in t.children
                if c.dep_ in ("compound", "nmod", "appos", "nsubj")
                for m in referents.people(c)
            ]
        )
    firms = _employers(verb, titles, employers, persons, referents)
    untitled = (lemma in LEADS) or (lemma in LEAVE | {"join", "rejoin"} and persons)
    if not titles and not untitled:
        return
    role = role_said(titles[0], referents) if titles else ""
    if any(c.lower_ in ("no", "neither") for t in patients for c in t.children):  # joined neither Acme nor Beta
        certain = Certainty.OPEN
    left = leaves(verb)
    if lemma in LEAVE | DISMISS and not left and not has(verb, "up"):
        return
    if left and certain is Certainty.FUTURE:
        certain = Certainty.SAID
    over = left or (lemma in LEADS and _pluperfect(verb) and not _told(verb))
    ended = over and certain is Certainty.SAID
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
        [m for title in titles for m in firms_of(title, referents)],
        [m for t in employers for m in referents.firms(t, "of")],
        [m for t in after(verb, "from", "at", "by", "to", "of", "with") for m in referents.firms(t, "of")],
        [m for t in subjects(verb) for m in referents.firms(t, "of")],
    ]
    return next((fit for found in places if (fit := [m for m in found if m.name not in names])), [])


def _of_title(title: Token, referents: Referents) -> Iterator[Office]:
    """`Jane Doe, chief executive of Acme`, `Acme's chairman, Jane Doe`, `Acme chief executive Jane Doe`."""
    firms = distinct(firms_of(title, referents))
    people, said = [c for c in title.children if c.dep_ == "appos"], _standing(title)
    if title.dep_ == "conj" and title.head.dep_ == "appos" and title.head.lemma_.lower() in TITLES:
        people.append(title.head.head)  # Jane Doe, Vice President and Treasurer of Acme
    if title.dep_ == "appos":
        people.append(title.head)
    elif title.dep_ == "attr" and title.head.lemma_ in ("be", "remain"):
        people += subjects(title.head)
    elif title.dep_ in ("compound", "nmod") or before_name(title):
        people.append(title.head)
        firms = firms or distinct([m for c in title.head.lefts if c.i != title.i for m in referents.firms(c)])
        firms = firms or _under(title.head, referents)
    elif title.dep_ == "nsubj" and title.head.lemma_ == "be":
        people += [c for c in title.head.children if c.dep_ in ("attr", "acomp")]
    elif title.dep_ == "pobj" and title.head.lower_ == "as" and title.i < title.head.head.i:  # As chairman of Beta, she
        people += subjects(title.head.head)
    elif title.dep_ == "dobj" and title.head.lemma_ in ("have", "get", "find"):
        firms = firms or distinct([m for t in subjects(title.head) for m in referents.firms(t)])
    elif title.dep_ == "pobj" and title.head.dep_ == "prep" and title.head.head.lemma_ in POST:
        people += _given(title.head.head)
        said = certainty(title.head.head.head) if people else said
    people += _beside(title)
    persons = distinct([m for t in people for m in referents.people(t)])
    firms = [m for m in firms if m.name not in {p.name for p in persons}]
    only = _only_firm(referents, persons, title) if persons and not firms else []
    was = title.head.tag_ == "VBD" or (title.head.lemma_ == "be" and _pluperfect(title.head))
    past = title.dep_ == "attr" and was and not _told(title.head)  # she was, or had been, chairman
    ended = past or has(title, "until", "once", "formerly") or any(t.lower_ in _ENDED for t in phrase(title))
    certain = max(Certainty.ENDED, said, key=ORDER.index) if ended else said
    for person, firm in product(persons, firms or only):
        yield Office(person, firm, role_said(title, referents), certain, implied=not firms)


def _pluperfect(verb: Token) -> bool:
    """`had led`, `had been`: over before something else that is past."""
    return verb.tag_ == "VBN" and any(c.lemma_ == "have" and c.tag_ == "VBD" for c in verb.children)


def _told(verb: Token) -> bool:
    """`said she was its new chairman`: the past of reported speech."""
    return verb.dep_ == "ccomp" and verb.head.lemma_ in SAYING and verb.head.tag_ == "VBD"


def _under(person: Token, referents: Referents) -> list[Mention]:
    """Beta, of `Under chief executive Jane Doe, Beta doubled its sales`."""
    led = person.dep_ == "pobj" and person.head.lower_ == "under" and person.head.head.pos_ in ("VERB", "AUX")
    return distinct([m for t in subjects(person.head.head) for m in referents.firms(t)]) if led else []


def _given(post: Token) -> list[Token]:
    """To whom a post goes."""
    return after(post.head, "to") if post.dep_ == "nsubj" and post.head.lemma_ in ("go", "fall", "pass") else []


def _only_firm(referents: Referents, persons: list[Mention], title: Token) -> list[Mention]:
    """The one firm of the sentence, if it names one and one person only."""
    surely = {m.start for m in referents.parsed.mentions.values() if m.label == "Person"}
    if title.dep_ != "attr" and not all(p.start in surely for p in persons):
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
    posts = [t for p in ("as", "to") for t in after(noun, p)]
    posts += [t for c in noun.children if c.dep_ == "acl" for t in c.children if t.dep_ == "dobj"]  # "to finance chief"
    certain = Certainty.OPEN if undone(noun) else certainty(noun)
    for title in [t for t in posts if t.lemma_.lower() in TITLES | BOARD]:
        firms = distinct(firms_of(title, referents))
        announced = noun.dep_ == "dobj" and noun.head.lemma_ in ("announce", "confirm", "approve", "report")
        firms = firms or (distinct([m for t in subjects(noun.head) for m in referents.firms(t)]) if announced else [])
        for person, firm in product(persons, firms):
            yield Office(person, firm, role_said(title, referents), certain)


def _standing(title: Token) -> Certainty:
    """A title in apposition holds whatever the sentence denies or wishes; a predicate does not."""
    if title.dep_ in ("attr", "nsubj", "dobj"):
        return certainty(title)
    if title.dep_ == "appos" and any(c.dep_ == "neg" and c.i < title.i for c in title.head.children):
        return Certainty.OPEN  # Jane Doe, not yet chair
    said = title.head.head
    if title.dep_ == "appos" and title.head.dep_ == "nsubj" and said.lemma_ == "be" and said.i < title.head.i:
        return certainty(said)  # at no time was Jane Doe chair
    above = next((a for a in title.ancestors if a.pos_ == "VERB"), None)
    if above is not None and above.lemma_ in MAKES and above.i < title.i:  # did not name Jane Doe chair
        return certainty(above)
    return Certainty.SAID
