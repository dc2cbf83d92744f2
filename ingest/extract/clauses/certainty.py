"""Whether a sentence says that something is so: denied, hedged and asked statements are not facts, ended ones are
past."""

from __future__ import annotations

from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.denials import (
    CALLS,
    REPORTS,
    SHAMS,
    SHRINKS,
    TALES,
    URGES,
    WRONGLY,
    belied,
    branded,
    enlarged,
    forged,
    inverted,
    stands_for,
    surely,
    unfailing,
    untrue,
)
from ingest.extract.text.lexicon import (
    DOUBT_ADVERBS,
    DOUBT_NOUNS,
    ENDED_ADVERBS,
    ENDING,
    ENDS,
    EXPIRES,
    GRANTING,
    HEDGES,
    LAPSE,
    MODALS,
    NEGATORS,
    NOT_YET,
    OPEN_MARKS,
    REFUSALS,
    SAYING,
)

if TYPE_CHECKING:
    from spacy.tokens import Token


_SEALING: Final = frozenset({"confirm", "ratify", "finalise", "finalize", "endorse", "accept", "seal", "conclude"})
"""Verbs without which their subject is not yet so."""


_POINTING: Final = frozenset({"note", "remember", "recall", "see", "consider", "meet"})
"""Orders that point at something that is so."""


class Certainty(Enum):
    """How a sentence stands to what it speaks of."""

    SAID = "said"
    FUTURE = "future"
    """Announced: `will supply`."""
    ENDED = "ended"
    """It was so and is no more: `no longer supplies`."""
    OPEN = "open"
    """Denied, wished, feared, asked or supposed."""


ORDER: Final = (Certainty.SAID, Certainty.FUTURE, Certainty.ENDED, Certainty.OPEN)
"""From the strongest to the weakest."""


def certainty(trigger: Token) -> Certainty:
    """The weakest of what stands between the trigger word and the root of its sentence."""
    if branded(trigger.doc) or trigger.doc[-1].text == "?" or any(t.text == "?" for t in trigger.sent):
        return Certainty.OPEN
    return Certainty.OPEN if _ordered(trigger.sent.root) else _climb(trigger, _local(trigger))


def _ordered(root: Token) -> bool:
    """`Record that Acme owns Beta`: who gives an order states nothing, but by `Note that` and the like."""
    first = next((t for t in root.sent if t.is_alpha and t.lower_ != "please"), root)
    alone = not any(c.dep_ in ("nsubj", "nsubjpass", "aux", "auxpass") for c in root.children)
    return root.i == first.i and root.tag_ == "VB" and alone and root.lemma_.lower() not in _POINTING


def governed(trigger: Token) -> Certainty:
    """The same without what the word's own dependants say: for `did not pay`, which is a default."""
    return _climb(trigger, Certainty.SAID)


def _climb(token: Token, grade: Certainty) -> Certainty:
    while grade is not Certainty.OPEN and token.head is not token:
        up = _step(token)
        if up is None:
            break
        grade, token = max(grade, up, key=ORDER.index), token.head
    return grade


def _local(token: Token) -> Certainty:
    """What the word's own dependants say of it."""
    noun = token.pos_ not in ("VERB", "AUX")
    helpers = [g for c in token.children if c.dep_ in ("aux", "auxpass") for g in c.children]  # never has she been
    near = [c for c in token.children if not (noun and c.dep_ == "neg" and c.i > token.i)]  # chair, not of Acme
    words = {c.lower_ for c in (*near, *helpers) if not enlarged(c)}
    if (words & {"longer", "anymore"} and words & {"no", "not", "n't"}) or _no_longer(token):
        return Certainty.ENDED
    if words & NEGATORS or words & (DOUBT_ADVERBS | WRONGLY) or _scopes_neither(token):
        return Certainty.OPEN
    if _refuses(token) or _not_yet(token) or (token.pos_ in ("VERB", "AUX") and (inverted(token) or forged(token))):
        return Certainty.OPEN
    modals = {c.lower_ for c in token.children if c.dep_ == "aux"}
    announced = modals == {"would"} and token.dep_ == "ccomp" and token.head.lemma_ in SAYING
    if (modals & MODALS and not announced) or _marked(token) or _to_come(token) or _conditional(token):
        return Certainty.OPEN
    if words & ENDED_ADVERBS or ("used" in {a.lower_ for a in (token.head,)} and token.dep_ == "xcomp"):
        return Certainty.ENDED
    return Certainty.FUTURE if announced or modals & {"will", "wo", "'ll", "’ll"} else Certainty.SAID


def _no_longer(token: Token) -> bool:
    """`no longer a subsidiary`, `not chair any more`: the adverb may hang on the verb, the noun or the word before."""
    if token.lemma_ == "be" and any(c.lower_ in NEGATORS for c in token.children):
        below = list(token.subtree)
        return any(a.lower_ == "any" and b.lower_ in ("longer", "more") for a, b in pairwise(below))
    for child in token.children:
        if child.lower_ == "longer" and any(c.lower_ in ("no", "any") for c in child.children):
            return True
    return False


def _refuses(verb: Token) -> bool:
    """`ruled out a loan`, `talks broke down`, `according to rumours`."""
    if any((verb.lemma_, c.lower_) in REFUSALS for c in verb.children):
        return True
    if any((verb.lemma_, t.lower_) in SHRINKS for c in verb.children for t in (c, *c.children)):
        return True
    doubted = (t for c in verb.children if c.lower_ == "according" for t in c.subtree)
    return any(t.lemma_ in DOUBT_NOUNS for t in doubted)


def _not_yet(noun: Token) -> bool:
    return noun.pos_ == "NOUN" and any(c.lemma_ in NOT_YET for c in noun.children if c.dep_ in ("amod", "compound"))


def _scopes_neither(token: Token) -> bool:
    return any(
        c.dep_ in ("nsubj", "nsubjpass") and (c.lower_ in ("neither", "nobody", "none") or _denied(c))
        for c in token.children
    )


def _denied(noun: Token) -> bool:
    if noun.text.startswith("Neither ") or (noun.i and noun.nbor(-1).lower_ == "neither"):
        return True
    return any(c.lower_ in ("no", "neither") and c.dep_ in ("det", "preconj", "cc", "neg") for c in noun.children)


def _marked(token: Token) -> bool:
    return any(c.dep_ in ("mark", "advmod") and c.lower_ in OPEN_MARKS for c in token.children)


def _conditional(token: Token) -> bool:
    """`will become a unit if the deal closes`."""
    clauses = (c for c in token.children if c.dep_ == "advcl")
    return any(t.dep_ == "mark" and t.lower_ in ("if", "unless") for c in clauses for t in c.children)


def _to_come(token: Token) -> bool:
    """`is to buy`: an infinitive under a form of be."""
    infinitive = any(c.dep_ == "aux" and c.lower_ == "to" for c in token.children)
    return infinitive and token.dep_ in ("xcomp", "ccomp") and token.head.lemma_ == "be"


def _step(token: Token) -> Certainty | None:
    """What the governor says of its dependant; None where its word does not reach down."""
    head, dep = token.head, token.dep_
    if (
        dep == "relcl" and head.lemma_.lower() in REPORTS | TALES | CALLS
    ):  # the parser's other reading of `the story that`
        return _governed(head)
    if dep in ("relcl", "parataxis", "ROOT"):
        return None
    if dep == "advcl":
        purpose = any(c.dep_ == "aux" and c.lower_ == "to" for c in token.children)
        return Certainty.OPEN if purpose and (_scopes_neither(head) or stands_for(head)) else None
    if dep == "pcomp" and head.lower_ in ("against", "without", "from", "of", "about"):
        return Certainty.OPEN
    if dep in ("xcomp", "ccomp", "pcomp", "csubj") or (dep == "acl" and token.tag_ != "VBN"):
        return _governed(head)
    if dep == "prep" or dep == "pobj" or dep == "agent":
        return Certainty.OPEN if token.lower_ in ("without", "despite") or _against(token) else _nominal(token, head)
    if dep == "conj":
        return _joined(token, head)
    return _nominal(token, head)


def _against(token: Token) -> bool:
    return token.lower_ == "instead" or (token.lower_ == "than" and token.head.lower_ == "rather")


def _governed(head: Token) -> Certainty:
    if unfailing(head) or surely(head):
        return Certainty.SAID
    if head.pos_ in ("VERB", "AUX"):
        if head.lemma_ in ENDING:
            return max(Certainty.ENDED, _local(head), key=ORDER.index)
        yet = head.lemma_ in ("have", "be") and any(c.lower_ == "yet" for c in head.children)  # has yet to
        return (
            Certainty.OPEN
            if yet
            or head.lemma_ in HEDGES | URGES | SHAMS
            or (head.dep_ == "nsubj" and head.lemma_ in TALES)
            or untrue(head)
            else _local(head)
        )
    if head.lower_ == "none" or (head.pos_ == "NOUN" and head.head.pos_ in ("VERB", "AUX") and _denied_subject(head)):
        return Certainty.OPEN
    if head.lemma_.lower() in TALES | HEDGES | CALLS or _denied(head) or belied(head):
        return Certainty.OPEN
    if head.pos_ == "ADJ":  # likely to buy, set to buy, ready to lend; but: able, happy to confirm it had
        return Certainty.OPEN
    return Certainty.SAID


def _denied_subject(noun: Token) -> bool:
    """`no decision has been taken to`: what a denied noun is about is denied."""
    return noun.dep_ in ("nsubj", "nsubjpass", "dobj", "attr") and _denied(noun)


def _joined(token: Token, head: Token) -> Certainty | None:
    """A second verb shares `may` with the first if it has no word of its own: `may sue or acquire`."""
    if token.pos_ not in ("VERB", "AUX"):
        return Certainty.OPEN if _denied(head) else Certainty.SAID
    if any(c.lower_ == "nor" and c.dep_ in ("cc", "neg", "preconj") for c in (*head.children, *token.children)):
        return Certainty.OPEN
    own = any(c.dep_ in ("aux", "auxpass", "nsubj", "nsubjpass") for c in token.children)
    if own or token.tag_ in ("VBZ", "VBP", "VBD"):
        return Certainty.SAID if _reported(head) else None
    return _local(head)


def _reported(head: Token) -> bool:
    return head.dep_ in ("ccomp", "xcomp")


def _reached(token: Token) -> bool:
    """True if the verb's word reaches this noun or phrase: its object, or what it turns `from` or `down`."""
    if token.dep_ == "prep":
        return token.i > token.head.i and token.lower_ in ("from", "of", "for", "about", "against", "on", "to", "at")
    return token.dep_ in ("dobj", "nsubjpass", "pobj", "attr")


def _over(token: Token, verb: Token) -> Certainty | None:
    """What a verb of ending says of its object or subject: what is still to be repaid is not over."""
    subject = token.dep_ in ("nsubj", "nsubjpass")
    if not (verb.lemma_ in EXPIRES | ENDING if token.dep_ == "nsubj" else verb.lemma_ in ENDS | ENDING):
        return None
    if not subject and not _reached(token):
        return None
    said = _local(verb)
    pending = said is not Certainty.SAID or verb.dep_ == "xcomp" or any(c.lower_ == "to" for c in verb.children)
    return (
        Certainty.SAID
        if pending and verb.lemma_ in ("repay", "prepay", "redeem", "expire", "end")
        else max(Certainty.ENDED, said, key=ORDER.index)
    )


def _nominal(token: Token, head: Token) -> Certainty:
    """A noun in the object or phrase of a verb or noun: `has no loans`, `rejected the loan`, `rumours of a default`."""
    if surely(token):
        return Certainty.SAID
    if _denied(token):
        return Certainty.OPEN
    if head.pos_ in ("VERB", "AUX"):
        if over := _over(token, head):
            return over
        if _reached(token) and head.lemma_ in HEDGES | LAPSE | SHAMS:
            return Certainty.OPEN
        presupposed = (
            token.dep_ in ("nsubj", "nsubjpass") and head.lemma_ not in GRANTING | _SEALING and not _refuses(head)
        )
        return Certainty.SAID if presupposed else _local(head)
    if head.lemma_.lower() in DOUBT_NOUNS or _denied(head):
        return Certainty.OPEN
    return Certainty.SAID
