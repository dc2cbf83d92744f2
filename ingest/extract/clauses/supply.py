"""Who supplies whom by nouns and by turns of verbs: deliveries to, sales with, dependent on, chosen to provide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import ORDER, Certainty, certainty
from ingest.extract.clauses.grammar import Parsed, after, has, objects, passive, subjects
from ingest.extract.clauses.lending import doers, tellers
from ingest.extract.clauses.match import Match, edges
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.text import lexicon as lex
from ingest.extract.text.names import Mention
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Token

_FLOW: Final = lex.words("delivery shipment supply export")
_TURNOVER: Final = lex.words("sale revenue turnover order business")
_DEAL: Final = lex.words("contract deal agreement order")
_NEEDS: Final = lex.words("dependent reliant")
_CHOOSE: Final = lex.words("choose select pick contract hire commission appoint engage retain tap use")
_PROVIDE: Final = lex.words("supply provide deliver furnish make build manufacture produce equip")
_COME: Final = lex.words("come originate stem")
_DROPS: Final = lex.words("drop ditch lose replace remove dump axe")


def supply(parsed: Parsed, referents: Referents) -> Iterator[Match]:
    """Supplies of the sentence that no verb frame reads."""
    for token in parsed.doc:
        lemma = token.lemma_.lower()
        if token.i in parsed.mentions:
            continue
        if lemma in _NEEDS:
            yield from _needs(token, referents)
        elif token.pos_ in ("NOUN", "PROPN"):
            yield from _noun(token, lemma, referents)
        elif token.pos_ == "VERB" and lemma in _PROVIDE:
            yield from _chosen(token, referents)
        elif token.pos_ == "VERB" and lemma in _COME:
            yield from _comes(token, referents)


def _noun(noun: Token, lemma: str, referents: Referents) -> Iterator[Match]:
    if lemma in _FLOW:
        yield from _flow(noun, referents)
    if lemma in _TURNOVER:
        yield from _turnover(noun, referents)
    if lemma in _DEAL and _of_supply(noun):
        yield from _deal(noun, referents)
    if lemma in lex.SUPPLIER | lex.CUSTOMER and noun.dep_ == "pobj" and noun.head.lower_ == "as":
        yield from _taken_as(noun, lemma, referents)


def _firms(tokens: list[Token], referents: Referents) -> list[Mention]:
    return distinct([m for t in tokens for m in referents.firms(t)])


def _holders(noun: Token) -> list[Token]:
    return [c for c in noun.children if c.dep_ == "poss"]


def _flow(noun: Token, referents: Referents) -> Iterator[Match]:
    """`deliveries from Ostby Steel to Corvina`, `ended its shipments to Corvina`."""
    to = _firms(after(noun, "to") or after(noun.head, "to"), referents)
    givers = _holders(noun) or after(noun, "from", "by") or after(noun.head, "from")
    yield from _edges(_firms(givers, referents) or _firms(doers(noun), referents), to, certainty(noun))


def _turnover(noun: Token, referents: Referents) -> Iterator[Match]:
    """`makes 40% of its sales with Corvina`; `Corvina accounts for 40% of Ostby Steel's revenue`."""
    holders = _firms(_holders(noun) or doers(noun), referents)
    buyers = _firms(after(noun, "to", "with") or after(noun.head, "with", "from"), referents)
    if not holders and buyers and noun.dep_ == "nsubj":  # sales to Corvina made up a third of its revenue
        others = (t for t in noun.head.subtree if t.lemma_.lower() in _TURNOVER and t.i != noun.i)
        holders = [m for t in others for m in _firms(_holders(t) or after(t, "of"), referents)]
    verb = next((a for a in noun.ancestors if a.pos_ == "VERB"), None)
    if not buyers and verb is not None and verb.lemma_ in ("account", "contribute", "generate", "represent"):
        buyers = _firms(subjects(verb), referents)
    ids = {m.id for m in holders}
    if holders and buyers and {m.id for m in buyers} != ids and noun.lemma_ != "business":
        yield from _edges(holders, [m for m in buyers if m.id not in ids], certainty(noun))


def _of_supply(noun: Token) -> bool:
    """`a supply contract`, `a contract for the delivery of`, `an agreement to supply`."""
    beside = [t for c in noun.lefts if c.dep_ != "poss" for t in c.subtree]
    beside += [c for c in noun.children if c.dep_ in ("acl", "relcl")]
    below = [
        t for p in after(noun, "for", "under", "on") for t in (p, *(c for c in p.children if c.dep_ == "compound"))
    ]
    return any(t.lemma_.lower() in _FLOW | _PROVIDE | {"supplier"} for t in (*beside, *below))


def _deal(noun: Token, referents: Referents) -> Iterator[Match]:
    """`Ostby Steel's supply contract with Corvina`: where no verb says who supplies, whose contract it is does."""
    partners = _firms(after(noun, "with", "from", "to") or after(noun.head, "with", "from"), referents)
    near = [*noun.children, *(c for t in after(noun, "with") for c in t.children)]
    clauses = [c for c in near if c.dep_ in ("relcl", "acl") and c.lemma_ in _PROVIDE]
    suppliers = _firms([t for v in clauses if not passive(v) for t in subjects(v)], referents)
    holders = _firms(_holders(noun), referents) or _firms(doers(noun), referents)
    parties = distinct([*holders, *partners])
    suppliers = suppliers if len(suppliers) == 1 else [m for m in holders if m.id not in {p.id for p in partners}]
    if not clauses and any(a.lemma_ == "enter" for a in noun.ancestors):  # who enters into one is mostly supplied
        suppliers = partners
    ids = {m.id for m in suppliers}
    yield from _edges(suppliers, [m for m in parties if m.id not in ids], certainty(noun), implied=not clauses)


def _taken_as(noun: Token, lemma: str, referents: Referents) -> Iterator[Match]:
    """`chose Ostby Steel as supplier of seats`, `dropped it as a supplier`, `won Corvina as a customer`."""
    verb = noun.head.head
    if verb.pos_ != "VERB":
        return
    who = after(verb, "by") if passive(verb) else subjects(verb)
    whom = subjects(verb) if passive(verb) else [t for t in objects(verb) if t.dep_ == "dobj"]
    sources, targets = _firms(whom, referents), _firms(who, referents)
    grade = certainty(verb)
    if verb.lemma_ in _DROPS:
        grade = max(Certainty.ENDED, grade, key=ORDER.index)
    ends = (sources, targets) if lemma in lex.SUPPLIER else (targets, sources)
    yield from _edges(*ends, grade)


def _needs(word: Token, referents: Referents) -> Iterator[Match]:
    """`is dependent on Ostby Steel for steel`."""
    who = subjects(word.head) if word.dep_ in ("acomp", "oprd", "attr") else [word.head]
    yield from _edges(_firms(after(word, "on", "upon"), referents), _firms(who, referents), certainty(word.head))


def _chosen(verb: Token, referents: Referents) -> Iterator[Match]:
    """`selected Ostby Steel to provide its beams`."""
    above = verb.head
    if verb.dep_ not in ("xcomp", "ccomp", "advcl", "acl") or above.lemma_ not in _CHOOSE or not has(verb, "to"):
        return
    who = after(above, "by") if passive(above) else subjects(above)
    whom = subjects(above) if passive(above) else [*objects(above), *(c for c in verb.children if c.dep_ == "nsubj")]
    yield from _edges(_firms(whom, referents), _firms(who, referents), certainty(above))


def _comes(verb: Token, referents: Referents) -> Iterator[Match]:
    """`seats for Corvina come from Ostby Steel`, `its seats come from`, `the seats come from ..., Corvina said`."""
    goods = subjects(verb)
    using = [x for t in goods for c in t.children if c.dep_ == "relcl" for x in subjects(c) if x.i != t.i]
    who = [x for t in goods for x in (*after(t, "for"), *_holders(t))] or using or after(verb, "for") or tellers(verb)
    yield from _edges(_firms(after(verb, "from"), referents), _firms(who, referents), certainty(verb))


def _edges(sources: list[Mention], targets: list[Mention], grade: Certainty, implied: bool = False) -> Iterator[Match]:
    ids = {m.id for m in sources}
    buyers = [m for m in targets if m.id not in ids and m.label in FIRMS]
    yield from edges("SUPPLIES", sources, buyers, grade, implied=implied)
