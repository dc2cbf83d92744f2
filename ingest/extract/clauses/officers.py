"""Who holds which office where: appointments, resignations, and titles that stand beside a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import ORDER, Certainty, certainty
from ingest.extract.clauses.denials import passed_over, undone
from ingest.extract.clauses.grammar import Parsed, after, has, objects, passive, phrase, subjects
from ingest.extract.clauses.leaving import bygone, departed, leavers, leavers_of, leaves, removes, terms
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.clauses.titles import (
    MAKES,
    TITLES,
    Office,
    before_name,
    firms_of,
    on_board,
    only_firm,
    role_said,
    titles_near,
    who,
)
from ingest.extract.text.lexicon import (
    BOARD,
    DISMISS,
    GONE,
    LEADS,
    LEAVE,
    POST,
    REPLACES,
    SAYING,
    SERVE,
    words,
)
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

_ENDED: Final = words("former ex outgoing departing retired previous late previously formerly once sometime")


def offices(parsed: Parsed, referents: Referents) -> Iterator[Office]:
    """Offices the sentence speaks of. Who leaves without a word of the office leaves the one the sentence gives."""
    found: list[Office] = []
    gone: set[str] = set()
    for token in parsed.doc:
        if token.pos_ in ("VERB", "AUX") and (token.lemma_ in MAKES | SERVE | LEAVE | DISMISS or leaves(token)):
            found += _of_verb(token, referents)
            gone |= leavers(token, referents)
        elif token.pos_ == "NOUN" and token.lemma_ in _MADE:
            found += _of_appointment(token, referents)
        elif token.pos_ == "NOUN" and token.lemma_ == "charge":
            found += _in_charge(token, referents)
        elif token.pos_ == "NOUN":
            found += terms(token, referents)
            gone |= departed(token, referents) if token.lemma_ in GONE else set()
        if token.pos_ in ("NOUN", "PROPN", "ADJ") and _is_title(token):
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


def _is_title(token: Token) -> bool:
    """`officer` of `chief executive officer`, not its first words; the board where it is said who sits on it."""
    if token.lemma_.lower() not in TITLES:
        return on_board(token) and token.dep_ == "nsubj" and token.head.lemma_ in ("include", "comprise")
    return not (token.dep_ in ("compound", "amod", "nmod") and token.head.lemma_.lower() in TITLES)


def _of_verb(verb: Token, referents: Referents) -> Iterator[Office]:
    """Who is given an office by a verb, who leaves one, and who had it before."""
    lemma, certain, titles, left = verb.lemma_, certainty(verb), titles_near(verb), leaves(verb)
    if lemma in LEAVE | DISMISS and not left and not has(verb, "up"):
        return
    people, employers = _roles(verb, left)
    persons = distinct([m for t in people for m in referents.people(t)])
    if not persons and lemma in MAKES:  # elected Jane Doe chair
        beside = [c for t in titles for c in t.children if c.dep_ in ("compound", "nmod", "appos", "nsubj")]
        persons = distinct([m for c in beside for m in referents.people(c)])
    if not titles and not (lemma in LEADS or (lemma in LEAVE | {"join", "rejoin"} and persons)):
        return
    firms = distinct(_employers(verb, titles, employers, persons, referents))
    if left and titles and not firms:
        firms = only_firm(referents, persons, titles[0])
    role = role_said(titles[0], referents) if titles else ""
    if any(c.lower_ in ("no", "neither") for t in employers for c in t.children):  # joined neither Acme nor Beta
        certain = Certainty.OPEN
    over = left or bygone(verb) or (lemma in LEADS and _pluperfect(verb) and not _told(verb))
    ended = over and (certain is Certainty.SAID or (left and certain is Certainty.FUTURE))
    for person, firm in product(persons, firms):
        yield Office(person, firm, role, Certainty.ENDED if ended else certain)
    if certain in (Certainty.SAID, Certainty.FUTURE):
        ids = {p.id for p in persons}
        for tokens, grade in ((_predecessors(verb), Certainty.ENDED), (_heirs(verb), certain)):
            others = distinct([m for t in tokens for m in referents.people(t) if m.id not in ids])
            yield from (Office(person, firm, role, grade) for person, firm in product(others, firms))


def _roles(verb: Token, left: bool) -> tuple[list[Token], list[Token]]:
    """Who gets or leaves the office, and beside whom the firm may stand."""
    agents = after(verb, "by") if passive(verb) else who(verb)
    patients = subjects(verb) if passive(verb) else objects(verb)
    if left:
        return leavers_of(verb), agents if removes(verb) else patients
    if verb.lemma_ in _TURNS and not passive(verb):
        return after(verb, "to", "for", "on"), agents
    if verb.lemma_ == "replace" and (successors := after(verb, "with", "by")):
        return successors, agents
    return (patients, agents) if verb.lemma_ in MAKES else (agents, patients)


_TURNS: Final = words("turn opt")


def _predecessors(verb: Token) -> list[Token]:
    """Whose office somebody takes."""
    return (subjects(verb) if passive(verb) else objects(verb)) if verb.lemma_ in REPLACES else []


def _heirs(verb: Token) -> list[Token]:
    """To whom somebody hands over, for whom somebody makes way."""
    if verb.lemma_ == "hand" and leaves(verb):
        return after(verb, "to")
    return after(verb, "for", "to") if verb.lemma_ in ("make", "give") and leaves(verb) and has(verb, "way") else []


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
    people, said = [c for c in title.children if c.dep_ == "appos"] + _styled(title), _standing(title)
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
    elif title.dep_ == "pobj" and title.head.lower_ in ("at", "in") and title.head.head.lemma_ == "be":
        people += subjects(title.head.head)  # she has been at the head of Beta
        said = certainty(title.head.head)
    elif title.dep_ == "nsubj" and title.head.lemma_ in ("include", "comprise"):
        people += objects(title.head)
    elif title.dep_ == "nsubj" and title.head.lemma_ == "be":
        people += [c for c in title.head.children if c.dep_ in ("attr", "acomp")]
    elif title.dep_ == "pobj" and title.head.lower_ == "as" and title.i < title.head.head.i:  # As chairman of Beta, she
        people += subjects(title.head.head)
    elif title.dep_ == "dobj" and title.head.lemma_ in ("have", "get", "find"):
        firms = firms or distinct([m for t in subjects(title.head) for m in referents.firms(t)])
        people += after(title.head, "in")
    elif title.dep_ == "pobj" and title.head.dep_ == "prep" and title.head.head.lemma_ in POST:
        people += _given(title.head.head)
        said = certainty(title.head.head.head) if people else said
    people += _beside(title)
    persons = distinct([m for t in people for m in referents.people(t)])
    firms = [m for m in firms if m.name not in {p.name for p in persons}]
    only = only_firm(referents, persons, title) if persons and not firms else []
    certain = max(Certainty.ENDED, said, key=ORDER.index) if _past(title) else said
    for person, firm in product(persons, firms or only):
        yield Office(person, firm, role_said(title, referents), certain, implied=not firms)


def _past(title: Token) -> bool:
    """True where the words about a title say that its time is past: she was, or had been, chairman; once chairman."""
    was = title.head.tag_ == "VBD" or (title.head.lemma_ == "be" and _pluperfect(title.head))
    past = title.dep_ == "attr" and was and not _told(title.head)
    return (
        past or has(title, "until", "once", "formerly", "previously") or any(t.lower_ in _ENDED for t in phrase(title))
    )


def _styled(title: Token) -> list[Token]:
    """`the treasurer, who is called Jane Doe`, `its finance chief is called Jane Doe`."""
    verbs = [c for c in title.children if c.dep_ in ("relcl", "acl")]
    verbs += [title.head] if title.dep_ == "nsubjpass" else []
    return [c for v in verbs if v.lemma_ == "call" for c in v.children if c.dep_ == "oprd"]


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
    posts += after(noun.head, "as") if noun.dep_ == "dobj" and not posts else []
    posts += [t for c in noun.children if c.dep_ == "acl" for t in c.children if t.dep_ == "dobj"]  # "to finance chief"
    certain = Certainty.OPEN if undone(noun) else certainty(noun)
    for title in [t for t in posts if t.lemma_.lower() in TITLES | BOARD]:
        firms = distinct(firms_of(title, referents))
        announced = noun.dep_ == "dobj" and noun.head.lemma_ in ("announce", "confirm", "approve", "report")
        told = [
            m
            for t in subjects(noun.head)
            for m in referents.firms(t) or referents.firms(t, "of") or _beneath(t, referents)
        ]
        firms = firms or (distinct(told) if announced else [])
        for person, firm in product(persons, firms):
            yield Office(person, firm, role_said(title, referents), certain)


def _beneath(noun: Token, referents: Referents) -> list[Mention]:
    """Acme, of `shareholders of Acme`."""
    return [m for t in after(noun, "of", "at") for m in referents.firms(t)]


def _in_charge(noun: Token, referents: Referents) -> Iterator[Office]:
    """`has been in charge of Acme as chief executive`."""
    verb = noun.head.head
    if noun.dep_ != "pobj" or noun.head.lower_ != "in" or verb.lemma_ not in ("be", "remain", "stay"):
        return
    titles = [t for t in (*after(noun, "as"), *after(verb, "as")) if t.lemma_.lower() in TITLES]
    role = role_said(titles[0], referents) if titles else ""
    persons = distinct([m for t in subjects(verb) for m in referents.people(t)])
    for person, firm in product(persons, distinct(_beneath(noun, referents))):
        yield Office(person, firm, role, certainty(verb))


def _standing(title: Token) -> Certainty:
    """A title in apposition holds whatever the sentence denies or wishes; a predicate does not."""
    if title.dep_ == "dobj" and title.head.lemma_ in REPLACES | DISMISS and has(title, "its", "their"):
        return Certainty.SAID  # no plans to replace its chair, Jane Doe
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
