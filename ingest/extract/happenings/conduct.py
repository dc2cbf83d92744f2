"""Conduct before the law: fraud and its like, liability and damages, sanctions that a noun or headline tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty
from ingest.extract.clauses.grammar import after, has, objects, passive, subjects
from ingest.extract.clauses.match import Match
from ingest.extract.happenings.scene import Scene, told
from ingest.extract.text.lexicon import words
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

_CRIME: Final = words(
    "fraud bribery embezzlement corruption laundering manipulation forgery racketeering misconduct dealing trading "
    "scheme bribe book falsification"
)
_QUALIFIED: Final = {
    "trading": words("insider"),
    "dealing": words("insider"),
    "scheme": words("ponzi pyramid fraudulent"),
    "manipulation": words("market price"),
    "misconduct": words("financial accounting"),
    "book": words(""),
}
_CHARGE: Final = words("charge indict convict sentence jail")
_SUSPECT: Final = words("accuse suspect investigate probe arrest raid detain implicate")
_ADMIT: Final = words("admit confess plead commit perpetrate run operate engage conceal")
_DO: Final = words("defraud embezzle falsify launder bribe swindle forge misstate overstate cook inflate doctor")
_NEEDS: Final = {
    "inflate": words("sale revenue profit account earnings figure book asset"),
    "misstate": words("sale revenue profit account earnings figure book asset result"),
    "overstate": words("sale revenue profit account earnings figure book asset result"),
    "cook": words("book"),
    "doctor": words("account book figure"),
}
_SCANDAL: Final = words("scandal affair")
_INDICTED: Final = re.compile(r"\b(?:alleg|accus|suspect|suspicion|indictment|prosecutors (?:say|said|claim))", re.I)


def conduct(scene: Scene) -> Iterator[Match]:
    yield from _accused(scene)
    yield from _admitted(scene)
    yield from _done(scene)
    yield from _named_fraud(scene)
    yield from _liable(scene)
    yield from _sanctions(scene)
    yield from _settled(scene)


def _crimes(tokens: list[Token]) -> list[Token]:
    found = [x for t in tokens for x in t.subtree if x.lemma_.lower() in _CRIME and not has(x, "no")]
    return [t for t in found if t.lemma_.lower() not in _QUALIFIED or _qualified(t)]


def _qualified(noun: Token) -> bool:
    return any(c.lower_ in _QUALIFIED[noun.lemma_.lower()] for c in noun.children)


def _fraud(scene: Scene, who: list[Mention], grade: Certainty, doubt: bool, verb: Token) -> Iterator[Match]:
    doubt = doubt or bool(_INDICTED.search(scene.parsed.text))
    yield from told("fraud", [("subject", who[:1])], grade, doubt, place=scene.parsed.place(verb))


def _accused(scene: Scene) -> Iterator[Match]:
    for verb in scene.verbs(_CHARGE | _SUSPECT):
        crimes = _crimes([*after(verb, "with", "of", "for", "over", "on", "in"), *_cooking(verb)])
        who = scene.named(scene.patient(verb))
        if not who and not objects(verb) and after(verb, "of"):  # a headline without `is`: Acme accused of fraud
            who = scene.named(subjects(verb))
        if crimes and who:
            yield from _fraud(scene, who, certainty(verb), verb.lemma_ in _SUSPECT, verb)


def _cooking(verb: Token) -> list[Token]:
    """`accused of cooking its books`: the deed is a verb."""
    deeds = [t for t in verb.subtree if t.lemma_ in _DO and t.dep_ == "pcomp"]
    return [x for t in deeds for x in t.subtree if x.lemma_.lower() in _CRIME] or []


def _admitted(scene: Scene) -> Iterator[Match]:
    for verb in scene.verbs(_ADMIT):
        near = [t for t in objects(verb) if t.dep_ == "dobj"] + after(verb, "to", "in") + _pleaded(verb)
        if _crimes(near) and not has(verb, "not") and not any(t.lower_ == "not" for t in near):
            yield from _fraud(scene, scene.named(scene.doer(verb)), scene.grade(verb), scene.doubted(verb), verb)


def _pleaded(verb: Token) -> list[Token]:
    guilty = [c for c in verb.children if c.lower_ == "guilty" and not has(c, "not")]
    return [t for c in guilty for t in after(c, "to", "of")]


def _done(scene: Scene) -> Iterator[Match]:
    for verb in scene.verbs(_DO):
        if (needed := _NEEDS.get(verb.lemma_)) and not any(t.lemma_.lower() in needed for t in objects(verb)):
            continue
        if verb.dep_ == "pcomp":
            continue
        doubt = scene.doubted(verb)
        yield from _fraud(scene, scene.named(scene.doer(verb)), scene.grade(verb), doubt, verb)


def _named_fraud(scene: Scene) -> Iterator[Match]:
    """`a fraud at Acme cost its lenders`, `Acme is at the centre of a bribery scandal`, `was convicted of fraud`."""
    for noun in scene.nouns(_CRIME | _SCANDAL):
        if scene.past(noun) or not scene.stands(noun) or (noun.lemma_.lower() in _QUALIFIED and not _qualified(noun)):
            continue
        if noun.lemma_.lower() in _SCANDAL:
            if not any(t.lemma_.lower() in _CRIME for t in noun.lefts):
                continue
            verb = next((a for a in noun.ancestors if a.lemma_ == "be"), None)
            if verb is not None:
                yield from _fraud(scene, scene.named(subjects(verb)), certainty(verb), True, noun)
        elif noun.dep_ in ("nsubj", "nsubjpass", "ROOT"):
            who = scene.named(c for c in noun.children if c.dep_ == "poss") or scene.named(after(noun, "at", "by"))
            yield from _fraud(scene, who, certainty(noun), scene.doubted(noun), noun)


def _liable(scene: Scene) -> Iterator[Match]:
    """`was found liable and must pay Beta`, `ordered Acme to pay $5 million in damages`."""
    for token in scene.parsed.doc:
        if token.lower_ in ("liable", "negligent") and not has(token, "not", "never") and token.head.lemma_ in _FOUND:
            verb = token.head
            who = scene.named(subjects(verb) if passive(verb) or verb.lemma_ == "be" else objects(verb))
            paid = [t for t in verb.subtree if t.lemma_ in ("pay", "owe", "compensate")]
            others = scene.named([t for p in paid for t in (*after(p, "to"), *objects(p))])
            roles = [("plaintiff", [m for m in others if m.id not in {w.id for w in who}]), ("defendant", who)]
            yield from told("lawsuit", roles, certainty(verb), needs="defendant")
    for verb in scene.verbs(words("order")):
        pays = [t for t in verb.subtree if t.lemma_ == "pay" and t.dep_ in ("xcomp", "ccomp")]
        who = scene.named(scene.patient(verb)) or scene.named(s for p in pays for s in p.children if s.dep_ == "nsubj")
        below = {t.lemma_.lower() for p in pays for t in p.subtree}
        if below & words("damage damages compensation restitution"):
            others = scene.named(t for p in pays for t in after(p, "to"))
            yield from told("lawsuit", [("plaintiff", others), ("defendant", who)], certainty(verb), needs="defendant")
        elif below & words("fine penalty"):
            yield from told("sanction", [("target", who)], certainty(verb))


_FOUND: Final = words("find hold be rule declare deem")


def _sanctions(scene: Scene) -> Iterator[Match]:
    """`sanctions against Acme took effect`; `Britain sanctions Acme`, which a parser takes for a noun."""
    for noun in scene.nouns(words("sanction sanctions")):
        verb = noun.head
        if noun.dep_ in ("nsubj", "nsubjpass") and verb.lemma_ in ("take", "enter", "apply", "come", "hit", "follow"):
            yield from told("sanction", [("target", scene.named(after(noun, "on", "against")))], certainty(verb))
        elif noun.dep_ in ("compound", "nmod", "ROOT") and noun.i < 3 and noun.i + 1 < len(scene.parsed.doc):
            following = scene.parsed.doc[noun.i + 1]
            if noun.i and following.i in scene.parsed.mentions:
                yield from told("sanction", [("target", scene.named([following]))], Certainty.SAID)
    for noun in scene.nouns(words("fine penalty")):
        verb = noun.head.head if noun.dep_ == "pobj" else noun.head
        if noun.dep_ == "pobj" and verb.lemma_ in ("hit", "slap") and not has(verb, "not"):
            who = scene.named(scene.patient(verb)) or scene.named(subjects(verb))
            yield from told("sanction", [("target", who)], certainty(verb))


def _settled(scene: Scene) -> Iterator[Match]:
    """`agreed to settle a lawsuit brought by Beta`."""
    for noun in scene.nouns(words("lawsuit suit complaint litigation")):
        verb = noun.head
        if noun.dep_ == "dobj" and verb.lemma_ in ("settle", "face", "fight", "lose", "defend", "contest"):
            doers = [t for c in noun.children if c.dep_ in ("acl", "relcl") for t in (*after(c, "by"), *_relative(c))]
            plaintiffs = scene.named(doers)
            roles = [("plaintiff", plaintiffs), ("defendant", scene.named(subjects(verb)))]
            if plaintiffs:
                yield from told("lawsuit", roles, certainty(verb), needs="defendant")


def _relative(clause: Token) -> list[Token]:
    return [] if passive(clause) or clause.dep_ == "acl" else [c for c in clause.children if c.dep_ == "nsubj"]
