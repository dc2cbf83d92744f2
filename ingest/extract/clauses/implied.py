"""What names and a telling word imply where no rule of grammar reads the clause: less sure, and only if none denies it.

A bank and one firm beside a word of debt are lender and borrower; one person and one firm beside a title are officer
and employer; a stake *in* one belongs to the only other. A clause with any word of denial, doubt or wish implies
nothing, and nothing is implied of a pair that a rule has already judged, in whatever sense.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import ORDER, Certainty, certainty
from ingest.extract.clauses.denials import TALES, WRONGLY, untrue
from ingest.extract.clauses.grammar import Parsed, after
from ingest.extract.clauses.leaving import leaves
from ingest.extract.clauses.lending import CREDIT
from ingest.extract.clauses.match import Match, edges
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.clauses.titles import role_of
from ingest.extract.text import lexicon as lex
from ingest.extract.text.names import Mention
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Token

_DEBT: Final = (CREDIT - lex.words("line bond note advance")) | lex.words(
    "debt indebtedness borrowings lender creditor borrower lend borrow owe refinance"
)
_OTHERWISE: Final = lex.words(
    "rating analyst share stock sue lawsuit advise adviser advisor acquire acquisition buy sell card swiss rival "
    "compete deposit trustee bookrunner downgrade survey index"
)
"""Words beside which a bank and a firm have other business."""
_STAKE: Final = (lex.STAKE - lex.words("quarter third half position")) | lex.words(
    "vote threshold foothold hand ownership possession"
)
_HANDS: Final = lex.words("hand ownership possession")
_NO_STAKE: Final = lex.words("subsidiary price dividend profit revenue sale rise fall drop gain loss bond loan index")
"""Words beside which a share is not one of the capital."""
_REST: Final = lex.words(
    "belong lie pass go rest sit remain be hold own stay stand have cross reach pass exceed speak control put invest "
    "buy account represent gain win get come emerge rise move do total comprise"
)
_TAKES: Final = lex.words(
    "have get tap turn settle hand go fill be move give find take become place put land fall pass opt plump bring "
    "begin start name fill gain welcome install call lead head run win accept assume secure earn clinch enter step "
    "hold keep occupy arrive rise double"
)
_GIVES_UP: Final = lex.words("give end relinquish vacate")
_RUNNERS: Final = lex.words("over candidate contender favourite favorite frontrunner runner adviser shortlist race")
"""Who may get a post has none."""
_AWAY: Final = lex.words("up tenure term reign ended ends")
_DOUBT: Final = (
    lex.NEGATORS | lex.DOUBT_ADVERBS | lex.MODALS | lex.words("if unless whether nothing false untrue wrong")
)


def implied(parsed: Parsed, referents: Referents, told: Iterable[Match]) -> Iterator[Match]:
    """Relations that clauses imply beyond what was told."""
    judged = {(m.type, frozenset(x.id for _, x in m.parties)) for m in told}
    for clause in _clauses(parsed):
        if _doubtful(clause) or not any(t.pos_ in ("VERB", "AUX") for t in clause):
            continue
        firms = distinct([m for t in clause if (m := parsed.mention(t)) and m.label in FIRMS])
        named = [m for t in clause if (m := parsed.mention(t)) and _person(m, firms)]
        people = distinct([Referents.as_person(m) for m in named])
        firms = [m for m in firms if m not in named]
        for match in (*_loans(clause, firms), *_stakes(clause, firms, referents), *_posts(clause, people, firms)):
            if (match.type, frozenset(x.id for _, x in match.parties)) not in judged:
                yield match


def _person(m: Mention, firms: list[Mention]) -> bool:
    """A person, or what looks like one beside a known firm."""
    return m.label == "Person" or (Referents.could_be_person(m) and any(f.entity for f in firms))


def _clauses(parsed: Parsed) -> Iterator[list[Token]]:
    """Words by the clause they stand in; what somebody says or reports is of one clause with who says it."""
    found: dict[int, list[Token]] = {}
    for token in parsed.doc:
        head = token
        while not _opens(head):
            head = head.head
        found.setdefault(head.i, []).append(token)
    yield from found.values()


def _opens(token: Token) -> bool:
    if token.head.i == token.i:
        return True
    if token.dep_ == "conj" and token.pos_ in ("VERB", "AUX"):
        return any(c.dep_ in ("nsubj", "nsubjpass") for c in token.children)
    if token.dep_ == "ccomp":
        return token.head.lemma_ not in lex.SAYING
    return token.dep_ in ("advcl", "parataxis", "csubj")


def _doubtful(clause: list[Token]) -> bool:
    for token in clause:
        lemma = token.lemma_.lower()
        if token.lower_ in _DOUBT | WRONGLY or lemma in TALES or lemma in lex.NOT_YET or token.text == "?":
            return True
        if token.pos_ == "VERB" and (lemma in lex.HEDGES | lex.LAPSE or untrue(token)):
            return True
    return False


def _grade(clause: list[Token], word: Token) -> Certainty:
    verbs = [t for t in clause if t.pos_ in ("VERB", "AUX") and t.dep_ not in ("aux", "auxpass")]
    grades = [certainty(t) for t in (word, *verbs)]
    if any(t.lemma_ in lex.ENDS for t in verbs):
        grades.append(Certainty.ENDED)
    return max(grades, key=ORDER.index)


def _loans(clause: list[Token], firms: list[Mention]) -> Iterator[Match]:
    word = next((t for t in clause if t.lemma_.lower() in _DEBT or t.lower_ in _DEBT), None)
    if word is None or any(t.lemma_.lower() in _OTHERWISE for t in clause):
        return
    banks, others = ([m for m in firms if (m.label == "Bank") == bank] for bank in (True, False))
    if banks and len(others) == 1 and (grade := _grade(clause, word)) is not Certainty.OPEN:
        yield from edges("LENDS_TO", banks, others, grade, implied=True)


def _stakes(clause: list[Token], firms: list[Mention], referents: Referents) -> Iterator[Match]:
    """`a stake in Beta belongs to Acme`, `Beta is in the hands of Acme`: the one below the stake is held."""
    words = [t for t in clause if t.lemma_.lower() in _STAKE and t.lower_ != "interests"]
    if not words or len(firms) != 2 or any(t.lemma_.lower() in _NO_STAKE for t in clause):
        return
    verbs = {t.lemma_ for t in clause if t.pos_ in ("VERB", "AUX") and t.dep_ not in ("aux", "auxpass")}
    below: list[Mention] = []
    for word in words:
        hands = word.lemma_.lower() in _HANDS and word.dep_ == "pobj"
        near = [m for t in after(word, "of") for m in referents.firms(t)]
        if hands and near:  # the hands are the holder's
            below += [m for m in firms if m.id != near[0].id]
        elif not hands:
            near = [m for t in after(word, "in", "of", "at") for m in referents.firms(t, "in", "of")]
            owned = (
                [c for c in word.children if c.dep_ == "poss"] if word.lemma_ in ("share", "stock", "capital") else []
            )
            below += near or [m for c in owned for m in referents.firms(c)]
    held = distinct(below)
    if len(held) == 1 and verbs and verbs <= _REST and (others := [m for m in firms if m.id != held[0].id]):
        yield from edges("OWNS", others, held, _grade(clause, words[0]), implied=True)


def _posts(clause: list[Token], people: list[Mention], firms: list[Mention]) -> Iterator[Match]:
    """`the top job at Acme goes to Jane Doe`: one person, one firm and a post between verbs that give or leave it."""
    posts = [t for t in clause if {t.lemma_.lower(), t.lower_} & lex.POSTS and not _inner(t)]
    verbs = {t.lemma_ for t in clause if t.pos_ == "VERB" and t.dep_ not in ("aux", "auxpass")}
    if len(people) != 1 or len(firms) != 1 or not posts or not verbs or not verbs <= _TAKES | lex.LEAVE | _GIVES_UP:
        return
    near = [t for t in clause if t.pos_ == "VERB"]
    grade = max((certainty(t) for t in (posts[0], *near)), key=ORDER.index)
    lemmas = {t.lemma_.lower() for t in clause}
    if lemmas & _RUNNERS:
        return
    if lemmas & lex.GONE or any(leaves(t) for t in near) or (verbs & _GIVES_UP and {t.lower_ for t in clause} & _AWAY):
        grade = max(Certainty.ENDED, grade, key=ORDER.index)
    if grade is not Certainty.OPEN:
        yield from edges("OFFICER_OF", people, firms, grade, implied=True, role=role_of(posts))


def _inner(title: Token) -> bool:
    return title.dep_ in ("compound", "amod", "nmod") and title.head.lemma_.lower() in lex.POSTS
