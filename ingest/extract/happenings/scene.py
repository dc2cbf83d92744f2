"""A scene is one parsed sentence seen from the words that tell an event: who stands at them, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.certainty import Certainty, certainty, governed
from ingest.extract.clauses.grammar import Parsed, after, objects, passive, subjects, together
from ingest.extract.clauses.match import Match, event
from ingest.extract.clauses.referents import Referents, distinct
from ingest.extract.text.lexicon import words
from ingest.extract.text.names import Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

_OWNERS: Final = ("poss", "compound", "nmod")
_PLACES: Final = ("of", "at", "for", "in", "from", "by")
_ALLEGED: Final = words("allegedly reportedly supposedly purportedly alleged suspected")
_CLEARED: Final = words(
    "lift drop dismiss deny clear acquit avert avoid escape reject withdraw overturn quash rule end resume restore "
    "abandon block review fear expect hope await discuss consider urge detect prevent"
)
"""Verbs whose object did not come about or is over: `the sanctions were lifted`, `fears a downgrade`."""
_UNDONE: Final = words("collapse fail fall end expire lapse loom")
"""Verbs whose subject did not come about or is over: `the merger collapsed`."""
URGE: Final = words("urge call press demand want ask pressure tell advise recommend")
"""Verbs whose complement is what somebody wishes of another."""

Roles = Sequence[tuple[str, Sequence[Mention]]]


class Scene:
    """The sentence, and ways to ask it."""

    def __init__(self, parsed: Parsed, topic: Mention | None, speaker: Mention | None) -> None:
        self.parsed = parsed
        self.referents = Referents(parsed, topic, speaker)
        words = [(token.lemma_.lower(), token.pos_, token) for token in parsed.doc]  # asked for many times over
        self._verbs = [(lemma, t) for lemma, pos, t in words if pos in ("VERB", "AUX")]
        self._nouns = [(x, t) for x, pos, t in words if pos in ("NOUN", "PROPN", "ADJ") and t.i not in parsed.mentions]

    def verbs(self, lemmas: frozenset[str]) -> Iterator[Token]:
        return (verb for lemma, verb in self._verbs if lemma in lemmas)

    def nouns(self, lemmas: frozenset[str]) -> Iterator[Token]:
        """Nouns with these lemmas that belong to no name; headlines turn verbs into nouns, so adjectives count too."""
        return (noun for lemma, noun in self._nouns if lemma in lemmas)

    def named(self, tokens: Iterable[Token]) -> list[Mention]:
        """Whom these words name themselves."""
        return distinct([m for t in tokens for m in self.referents.of(t)])

    def held(self, tokens: Iterable[Token], *prepositions: str) -> list[Mention]:
        """Whom these words name, else whom they belong to: `Acme's profit`, `results of Acme`, `analysts at Acme`."""
        tokens = list(tokens)
        return self.named(tokens) or self.named(
            o for t in tokens for x in together(t) for o in self.owners(x, *(prepositions or _PLACES))
        )

    def owners(self, noun: Token, *prepositions: str) -> list[Token]:
        near = [c for c in noun.children if c.dep_ in _OWNERS and self.named([c])]
        return near or after(noun, *(prepositions or _PLACES))

    def doer(self, verb: Token) -> list[Token]:
        return after(verb, "by") if passive(verb) else subjects(verb)

    def patient(self, verb: Token) -> list[Token]:
        return subjects(verb) if passive(verb) else [t for t in objects(verb) if t.dep_ in ("dobj", "oprd")]

    def doubted(self, token: Token) -> bool:
        """True if an adverb or adjective at the word says that somebody alleges it."""
        return any(c.lower_ in _ALLEGED for c in token.children)

    def plain(self, verb: Token) -> bool:
        """True if a verb is neither denied nor supposed, whatever adverb of doubt stands beside it."""
        modals = any(c.dep_ == "aux" and c.lemma_.lower() not in ("have", "be", "do") for c in verb.children)
        return not modals and not any(c.dep_ == "neg" for c in verb.children) and governed(verb) is Certainty.SAID

    def grade(self, trigger: Token) -> Certainty:
        """How certain the sentence is, an `allegedly` at the word itself left out (that is doubt, not denial)."""
        if not self.doubted(trigger):
            return certainty(trigger)
        return Certainty.SAID if self.plain(trigger) else Certainty.OPEN

    def stands(self, noun: Token) -> bool:
        """True if a noun names something that came about: not `avoided a downgrade`, not `the fine was overturned`."""
        if self.grade(noun) is not Certainty.SAID or any(c.lower_ in ("no", "possible") for c in noun.children):
            return False
        below, verb = noun, noun
        while verb.pos_ not in ("VERB", "AUX") and verb.dep_ != "ROOT" and verb.head.i != verb.i:
            below, verb = verb, verb.head
            if verb.lemma_.lower() in _DOUBTFUL:
                return False
        undoing = _UNDONE if below.dep_ == "nsubj" else _CLEARED
        return verb.lemma_ not in undoing and not any(c.dep_ == "neg" for c in verb.children)

    def urged(self, verb: Token) -> bool:
        """True for what somebody asks of another: `urged Acme to replace its chairman`."""
        return verb.dep_ in ("xcomp", "ccomp", "advcl") and verb.head.lemma_ in URGE

    def past(self, noun: Token) -> bool:
        """True for a comparison with what was once: `the largest fraud since the collapse of Acme`."""
        return noun.dep_ == "pobj" and noun.head.lower_ in ("since", "than", "like", "as", "from", "against")


_DOUBTFUL: Final = words(
    "rumour rumor fear risk threat talk plan possibility allegation claim denial review chance hope prospect option "
    "speculation warning rule law software protection appeal"
)


def told(
    kind: str, roles: Roles, grade: Certainty, doubt: bool = False, needs: str = "", place: int | None = None
) -> Iterator[Match]:
    """Matches of an event if it is said to have happened and the role it needs is filled; nobody is in two roles."""
    if grade is not Certainty.SAID:
        return
    taken: set[str] = set()
    filled: list[tuple[str, list[Mention]]] = []
    for role, mentions in roles:
        free = [m for m in mentions if m.id not in taken]
        taken |= {m.id for m in free}
        filled.append((role, free))
    if needs and not dict(filled).get(needs):
        return
    named = sorted((pair for pair in filled if pair[1]), key=lambda pair: pair[0] == needs)
    if named:
        for match in event(kind, named, grade):
            yield replace(match, doubt=doubt, place=match.place if place is None else place)
