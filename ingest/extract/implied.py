"""What names and a telling word imply where no rule of grammar reads the clause: less sure, and only if none denies it.

A bank and one firm beside a word of debt are lender and borrower; one person and one firm beside a title are officer
and employer; a stake *in* one belongs to the only other. A clause with any word of denial, doubt or wish implies
nothing, and nothing is implied of a pair that a rule has already judged, in whatever sense.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract import lexicon as lex
from ingest.extract.certainty import ORDER, Certainty, certainty
from ingest.extract.grammar import Parsed, after
from ingest.extract.lending import CREDIT, DUE
from ingest.extract.match import Match, edges
from ingest.extract.names import Mention
from ingest.extract.referents import Referents, distinct
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Token

_DEBT: Final = (CREDIT - lex.words("line bond note advance")) | lex.words(
    "debt indebtedness borrowings lender creditor borrower lend borrow owe refinance"
)
_OTHERWISE: Final = lex.words(
    "rating analyst share stock sue lawsuit advise adviser advisor acquire acquisition buy sell card swiss rival compete "
    "deposit trustee bookrunner downgrade survey index"
)
"""Words beside which a bank and a firm have other business."""
_REST: Final = lex.words("belong lie pass go rest sit remain be hold own stay")
_DOUBT: Final = lex.NEGATORS | lex.DOUBT_ADVERBS | lex.MODALS | lex.words("if unless whether nothing false untrue wrong")


def implied(parsed: Parsed, referents: Referents, told: Iterable[Match]) -> Iterator[Match]:
    """Relations that clauses imply beyond what was told."""
    judged = {(m.type, frozenset(x.id for _, x in m.parties)) for m in told}
    for clause in _clauses(parsed):
        if _doubtful(clause):
            continue
        firms = distinct([m for t in clause if (m := parsed.mention(t)) and m.label in FIRMS])
        for match in (*_loans(clause, firms), *_stakes(clause, firms, referents)):
            if (match.type, frozenset(x.id for _, x in match.parties)) not in judged:
                yield match


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
        if token.lower_ in _DOUBT or lemma in lex.DOUBT_NOUNS or lemma in lex.NOT_YET or token.text == "?":
            return True
        if token.pos_ == "VERB" and lemma in lex.HEDGES | lex.LAPSE:
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
    for word in clause:
        if word.lemma_.lower() not in lex.STAKE or not (word.dep_ in ("nsubj", "nsubjpass")):
            continue
        held = distinct([m for t in after(word, "in", "of") for m in referents.firms(t, "in", "of")])
        ids = {m.id for m in held}
        others = [m for m in firms if m.id not in ids]
        if word.head.lemma_ in _REST and len(held) == 1 and len(others) == 1:
            yield from edges("OWNS", others, held, _grade(clause, word), implied=True)
