"""Who lends to whom by the nouns of debt: a loan from A to B, B's debt to A, a facility with A, a claim of A on B.

A noun of debt looks at its two ends from one side. A *credit* (loan, facility) is given to one and comes from or lies
with the other; what is *due* (debt, liability, the amount owed) is somebody's and is due to the other; a *claim* is
somebody's against the other. Words between noun and name (granted by, owed to, drawn under) say the same again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.grammar import after, objects, passive, receivers, subjects
from ingest.extract.clauses.match import Match, edges
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.text import lexicon as lex
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

CREDIT: Final = lex.LOAN_SURE | lex.words("funding refinancing advance tranche note bond refinance drawdown")
DUE: Final = lex.words("debt indebtedness liability amount balance sum borrowing obligation principal payable")
CLAIM: Final = lex.words("claim")
GIVE: Final = lex.words(
    "grant extend provide make give advance offer arrange fund approve commit hold underwrite disburse furnish open "
    "renew increase lend raise"
)
OWE: Final = lex.words("owe outstanding owing due payable repayable")
FROM: Final = ("from", "by", "with", "at", "through")
_HELP: Final = lex.words("help back support finance refinance fund assist bail rescue")
_TALKS: Final = lex.words("discussion negotiation talk review dispute")
_DUMMIES: Final = ("under", "in", "on", "of", "with", "through", "via", "by", "from", "for")


def lending(noun: Token, referents: Referents) -> Iterator[Match]:
    """Loans that this noun of debt tells of."""
    lemma = noun.lemma_.lower()
    if lemma in CLAIM:
        ends = _claim(noun, referents)
    elif lemma in DUE:
        ends = _due(noun, referents)
    elif lemma in CREDIT:
        ends = _credit(noun, referents)
    else:
        return
    lenders, borrowers = ends
    ids = {m.id for m in borrowers} if lemma in DUE else {m.id for m in lenders}
    if lemma in DUE:
        lenders = [m for m in lenders if m.id not in ids]
    else:
        borrowers = [m for m in borrowers if m.id not in ids]
    yield from edges("LENDS_TO", lenders, borrowers, _standing(noun))


def _standing(noun: Token) -> Certainty:
    """A loan under discussion is none yet."""
    above = noun.head
    talked = {t.lemma_ for t in (*after(above, "under", "in"), above, above.head)} & _TALKS
    return Certainty.OPEN if talked else certainty(noun)


def _firms(tokens: list[Token], referents: Referents) -> list[Mention]:
    return distinct([m for t in tokens for m in referents.of(t)])


def _holders(noun: Token) -> list[Token]:
    return [c for c in noun.children if c.dep_ == "poss"]


def _claim(noun: Token, referents: Referents) -> tuple[list[Mention], list[Mention]]:
    """Only of a bank is a claim surely a loan."""
    holders = _firms(_holders(noun) or after(noun, "of"), referents) or _firms(doers(noun), referents)
    debtors = _firms(after(noun, "against", "on") or after(noun.head, "against", "on"), referents)
    return [m for m in holders if m.label == "Bank"], debtors


def _due(noun: Token, referents: Referents) -> tuple[list[Mention], list[Mention]]:
    to, by = _participles(noun, OWE)
    borrowing = noun.lemma_.lower() == "borrowing"
    creditors = to or ([] if noun.lemma_ in ("amount", "sum") else after(noun, "to", *(FROM if borrowing else ())))
    lenders = _firms(creditors, referents)
    if not lenders:
        return [], []
    debtors = _firms(by or _holders(noun) or after(noun, "of"), referents)
    return lenders, debtors or _firms(doers(noun) or tellers(noun), referents)


def _participles(noun: Token, lemmas: frozenset[str]) -> tuple[list[Token], list[Token]]:
    """To whom, and by whom, of `owed to A by B`, also where the noun is its subject."""
    near = [c for c in noun.children if c.dep_ in ("acl", "amod", "relcl", "advcl", "appos")]
    if noun.dep_ in ("nsubj", "nsubjpass"):
        near += [noun.head, *(c for c in noun.head.children if c.dep_ in ("acomp", "xcomp", "attr", "oprd", "acl"))]
    found = [t for t in near if t.lemma_ in lemmas or t.lower_ in lemmas]
    return [x for t in found for x in after(t, "to")], [x for t in found for x in after(t, "by", "from")]


def _credit(noun: Token, referents: Referents) -> tuple[list[Mention], list[Mention]]:
    clause = [c for c in noun.children if c.dep_ in ("acl", "relcl")]
    given = [c for c in clause if c.lemma_ in GIVE]
    if issuers := [t for c in clause if c.lemma_ == "issue" for t in after(c, "by")]:
        return _firms(doers(noun), referents), _firms(issuers, referents)
    to = after(noun, "to", "for")
    givers = [t for c in clause if passive(c) for t in after(c, "by")] or after(noun, *FROM)
    to += [t for c in given for t in (*receivers(c), *after(c, "to"))]
    to += [t for c in given for t in objects(c) if t.i != noun.i and t.tag_ != "WDT"]
    if not givers:
        givers = [t for c in given if not passive(c) for t in subjects(c) if t.i != noun.i]
    if noun.dep_ == "nsubj" and not (givers or to):  # a loan went from Acme to Beta
        givers, to = after(noun.head, "from"), after(noun.head, "to")
    if noun.dep_ == "pobj" and noun.head.lower_ == "with" and not givers and noun.head.head.pos_ == "VERB":
        givers, to = subjects(noun.head.head), to or after(noun, "for") or _helped(noun.head.head)
    return _completed(noun, _firms(givers, referents), to, referents)


def _helped(verb: Token) -> list[Token]:
    return [
        *objects(verb),
        *(t for c in verb.children if c.dep_ in ("ccomp", "xcomp") for t in c.children if t.dep_ == "nsubj"),
    ]


def _completed(
    noun: Token, given: list[Mention], to: list[Token], referents: Referents
) -> tuple[list[Mention], list[Mention]]:
    """Where the words beside the noun name one end, the other is its holder or the one whose clause it stands in."""
    holders = _holders(noun)
    borrowers = _firms(to, referents)
    if given:
        return given, borrowers or _firms(holders, referents) or _firms(_takers(noun), referents)
    if not borrowers:
        return [], []
    lenders = _firms(holders, referents)
    kept = noun.dep_ == "nsubj" and noun.head.lemma_ == "be" and after(noun.head, "on")
    return lenders or (_firms(after(noun, "of"), referents) if kept else []), borrowers


def _takers(noun: Token) -> list[Token]:
    """Who uses a loan: the subject of the clause it stands in, or whom the loan helps."""
    if noun.dep_ in ("nsubj", "nsubjpass"):
        verb = noun.head
        own = [s for c in verb.children if c.dep_ in ("ccomp", "xcomp") for s in c.children if s.dep_ == "nsubj"]
        return own or objects(verb)
    above = next((a for a in noun.ancestors if a.pos_ == "VERB"), None)
    if above is None or above.lemma_ in lex.LAPSE or above.lemma_ in _HELP:
        return []
    return subjects(above)


def doers(noun: Token) -> list[Token]:
    """The subject of the verb that the noun is an object of."""
    verb = noun.head
    while verb.dep_ in ("prep", "pobj", "conj", "attr", "dobj") and verb.pos_ not in ("VERB", "AUX"):
        verb = verb.head
    if noun.dep_ in ("nsubj", "nsubjpass") or verb.pos_ not in ("VERB", "AUX"):
        return []
    return subjects(verb)


def tellers(noun: Token) -> list[Token]:
    """Who reports of its own debt: `debts to Alpha Bank rose, Beta said`."""
    said = (a for a in noun.ancestors if a.pos_ == "VERB" and (a.lemma_ in lex.SAYING or a.lemma_ == "disclose"))
    return [t for verb in said for t in subjects(verb)]
