"""Stoppages: production halted, plants shut, deliveries that do not come; whose supply it is and who lacks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import certainty
from ingest.extract.clauses.grammar import after, has, objects, passive, subjects, together
from ingest.extract.clauses.match import Match
from ingest.extract.happenings.scene import Scene, told
from ingest.extract.text.lexicon import words
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

_STOP: Final = words(
    "halt suspend stop cease pause shut close idle curtail interrupt disrupt cut hamper cripple paralyse paralyze "
    "delay mothball"
)
_OUTPUT: Final = words(
    "production output delivery shipment supply plant factory line mine refinery operation manufacturing assembly "
    "smelter mill export works shipping pipeline unit site chain"
)
_SUPPLY: Final = words("delivery shipment supply export gas")
_BUILT: Final = words("plant factory mine refinery smelter mill pipeline line works")
_LIMITS: Final = {"cut": _SUPPLY, "delay": _SUPPLY, "close": _BUILT, "shut": _BUILT}
"""What these verbs must stop: a cut in output is no stoppage, a cut in supplies is; a closed unit or loan is none."""
_LINES: Final = words("assembly production manufacturing bottling packaging power supply rail")
"""A line that is no credit line."""
_STILL: Final = words("standstill halt stop")
_LACK: Final = words("shortage lack scarcity")
_FORCE: Final = words("force compel cause oblige lead")


def stoppages(scene: Scene) -> Iterator[Match]:
    for verb in scene.verbs(_STOP):
        yield from _stopped(scene, verb)
    for noun in scene.nouns(_STILL):
        verb = noun.head.head if noun.dep_ == "pobj" else noun.head
        if verb.lemma_ in ("come", "grind", "bring") and (
            things := _things([*subjects(verb), *objects(verb)], _OUTPUT)
        ):
            yield from _lost(scene, verb, scene.held(things), [])
    for verb in scene.verbs(words("declare")):
        if any(t.lower_ == "majeure" for t in verb.subtree):
            buyers = scene.named(after(verb, "to"))
            yield from _lost(scene, verb, scene.named(scene.doer(verb)), buyers)
    for verb in scene.verbs(words("run")):
        if has(verb, "out") and after(verb, "of"):
            yield from _lost(scene, verb, [], scene.named(subjects(verb)))


def _things(tokens: list[Token], lemmas: frozenset[str]) -> list[Token]:
    found = [x for t in tokens for x in together(t) if x.lemma_.lower() in lemmas]
    return [t for t in found if t.lemma_ != "line" or any(c.lower_ in _LINES for c in t.children)]


def _stopped(scene: Scene, verb: Token) -> Iterator[Match]:
    things = _things(scene.patient(verb), _LIMITS.get(verb.lemma_, _OUTPUT))
    if verb.lemma_ in ("stop", "halt", "cease") and not things:  # the assembly line stopped; stopped deliveries
        things = _things([] if objects(verb) else subjects(verb), _OUTPUT)
    if not things:
        return
    doers = [] if passive(verb) else [m for m in scene.named(subjects(verb)) if m.label != "Person"]
    doers = doers or _forced(scene, verb)
    owners = scene.named(o for t in things for o in scene.owners(t, "of", "at", "from", "by"))
    chain = any(t.lemma_ == "chain" for t in things)
    receivers = scene.named(after(things[0], "to", "for")) or scene.named(after(verb, "to"))
    ids = {m.id for m in receivers}
    losers = [m for m in (doers or owners) if m.id not in ids]
    if chain:
        yield from _lost(scene, verb, [], losers)
    elif lacking := _lacking(scene, verb):
        yield from _lost(scene, verb, scene.named(o for t in lacking for o in after(t, "from", "at", "by")), losers)
    elif above := _ran_out(scene, verb):
        yield from _lost(scene, verb, losers, above)
    else:
        yield from _lost(scene, verb, losers, receivers)


def _forced(scene: Scene, verb: Token) -> list[Mention]:
    """`an explosion forced Acme to shut its refinery`."""
    head = verb.head
    return scene.named(objects(head)) if verb.dep_ in ("xcomp", "ccomp") and head.lemma_ in _FORCE else []


def _lacking(scene: Scene, verb: Token) -> list[Token]:
    """The shortage that made it stop, if one did."""
    top = verb.head if verb.head.lemma_ in _FORCE else verb
    return [t for t in top.subtree if t.lemma_.lower() in _LACK]


def _ran_out(scene: Scene, verb: Token) -> list[Mention]:
    """Who ran out of stock because of it: `Beta ran out of stock after Acme stopped deliveries`."""
    head = verb.head
    return scene.named(subjects(head)) if verb.dep_ == "advcl" and head.lemma_ == "run" and has(head, "out") else []


def _lost(scene: Scene, verb: Token, suppliers: list[Mention], customers: list[Mention]) -> Iterator[Match]:
    roles = [("customer", customers), ("supplier", suppliers)]
    yield from told("supply_disruption", roles, certainty(verb), place=scene.parsed.place(verb))
