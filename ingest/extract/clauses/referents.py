"""Who a word of a parsed sentence stands for: a name, `its supplier Beta`, `the company`, `we`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.extract.clauses.grammar import Parsed, after, has, together
from ingest.extract.text.lexicon import DRILL, GENERIC, METONYMS
from ingest.extract.text.names import Mention, collapse, text_id
from ingest.extract.text.recognise import PERSON, titled
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Token


class Referents:
    """The mentions of one sentence by the tokens that lead to them."""

    def __init__(self, parsed: Parsed, topic: Mention | None, speaker: Mention | None) -> None:
        self.parsed = parsed
        self.topic = topic
        self.speaker = speaker

    def of(self, token: Token, *prepositions: str, depth: int = 3) -> list[Mention]:
        """Mentions the token stands for, coordinated ones with it; below these prepositions if it names none itself."""
        direct = [m for t in together(token) for m in self._one(t)]
        if direct or not prepositions or depth == 0 or token.lemma_.lower() not in DRILL:
            return direct
        return [m for t in after(token, *prepositions) for m in self.of(t, *prepositions, depth=depth - 1)]

    def people(self, token: Token) -> list[Mention]:
        """Persons the token stands for; a proper noun without a mention counts where only a person can stand."""
        found = [m for t in together(token) for m in (self._one(t) or list(self._proper(t)) or self._titled(t))]
        return [self.as_person(m) for m in found if m.label == "Person" or self.could_be_person(m)]

    def _titled(self, token: Token) -> list[Mention]:
        """An unrecognised name in apposition: `the chairman of Acme, Jane Doe`."""
        return [m for c in token.children if c.dep_ == "appos" for m in self._proper(c)]

    def firms(self, token: Token, *prepositions: str) -> list[Mention]:
        return [m for m in self.of(token, *prepositions) if m.label in FIRMS]

    def _one(self, token: Token) -> list[Mention]:
        if mention := self.parsed.mention(token):
            return [mention]
        if named := [m for c in token.children if c.dep_ == "appos" and (m := self.parsed.mention(c))]:
            return named
        if token.pos_ == "NOUN" and token.dep_ == "appos" and (named_ := self.parsed.mention(token.head)):
            return [named_]
        if listed := self._listed(token):
            return listed
        if token.lower_ in ("which", "whom", "who", "whose", "that") and (verb := _clause(token)) is not None:
            return self._one(verb.head)
        if token.lemma_.lower() in METONYMS and (owner := self._owner(token)):
            return owner
        return [m for m in [self._pronoun(token)] if m]

    def _listed(self, token: Token) -> list[Mention]:
        """Alpha Bank, of `banks such as Alpha Bank`."""
        if token.tag_ != "NNS":
            return []
        heads = [
            c for c in token.children if c.dep_ == "prep" and (c.lower_ in ("like", "including") or has(c, "such"))
        ]
        return [m for h in heads for t in h.children if t.dep_ == "pobj" for x in together(t) for m in self._one(x)]

    def _owner(self, token: Token) -> list[Mention]:
        """Beta, of `Beta's board` and `the assets of Beta`."""
        near = [c for c in token.children if c.dep_ in ("poss", "compound", "nmod")] or after(token, "of")
        return [m for t in near for m in self._one(t)]

    def _pronoun(self, token: Token) -> Mention | None:
        word = token.lower_
        if self.speaker and (word in ("we", "us", "our") or (word == "registrant")):
            return self._here(self.speaker, token)
        definite = any(c.lower_ == "the" for c in token.children)
        before = token.nbor(-1).lower_ if token.i else ""
        if self.speaker and token.text == "Company" and (definite or before in ("the", "our")):
            return self._here(self.speaker, token)
        if word in ("it", "its", "itself", "they", "their", "themselves", "he", "she", "his", "her", "him"):
            return self._before(token, person=word in ("he", "she", "his", "her", "him"))
        generic = definite and token.lemma_.lower() in GENERIC and not any(c.dep_ == "prep" for c in token.children)
        return self._here(self.topic, token) if self.topic and generic and token.pos_ == "NOUN" else None

    def _here(self, mention: Mention, token: Token) -> Mention:
        """The same entity, mentioned again by this word."""
        start, end = self.parsed.spans[token.i]
        written = self.parsed.text[start - self.parsed.start : end - self.parsed.start]
        return Mention(start, end, written, mention.label, mention.name, mention.entity)

    def _before(self, token: Token, person: bool) -> Mention | None:
        """Antecedent of a pronoun: the subject of the clause above it, else the nearest fitting name before it."""
        fits = [
            (i, m) for i, m in sorted(self.parsed.mentions.items()) if i < token.i and (m.label == "Person") == person
        ]
        for i, m in fits:
            name = self.parsed.doc[i]
            if name.dep_ in ("nsubj", "nsubjpass") and name.head in list(token.ancestors):
                return self._here(m, token)
        if fits:
            return self._here(fits[-1][1], token)
        for root in (t for t in self.parsed.doc if t.dep_ == "ROOT"):  # "Through its subsidiary Beta, Acme sells wood"
            heads = [self.parsed.mention(c) for c in root.children if c.dep_ in ("nsubj", "nsubjpass")]
            if fit := [h for h in heads if h and (h.label == "Person") == person]:
                return self._here(fit[0], token)
        return self._here(self.topic, token) if self.topic and not person else None

    def _proper(self, token: Token) -> Iterator[Mention]:
        """A run of proper nouns that no one recognised as a name."""
        if token.pos_ != "PROPN" or token.i in self.parsed.mentions:
            return
        left = [c for c in token.lefts if c.dep_ in ("compound", "nmod") and c.pos_ == "PROPN"]
        start = self.parsed.place(min([*left, token], key=lambda t: t.i))
        end = self.parsed.spans[token.i][1]
        written = self.parsed.text[start - self.parsed.start : end - self.parsed.start]
        if PERSON.fullmatch(written) and not titled(written):
            yield Mention(start, end, written, "Person", collapse(written))

    @staticmethod
    def could_be_person(m: Mention) -> bool:
        """An unknown `Company` of two plain words, where only a person can be meant."""
        plain = m.label == "Company" and not m.entity and 2 <= len(m.text.split()) <= 4
        return plain and not titled(m.text) and PERSON.fullmatch(m.text) is not None

    @staticmethod
    def as_person(m: Mention) -> Mention:
        return m if m.label == "Person" else Mention(m.start, m.end, m.text, "Person", m.name)


def _clause(token: Token) -> Token | None:
    """The verb of the relative clause that a relative pronoun opens."""
    return next((a for a in token.ancestors if a.dep_ == "relcl"), None)


def distinct(mentions: list[Mention]) -> list[Mention]:
    """The first mention of each entity."""
    return list({text_id(m.name, m.label): m for m in reversed(mentions)}.values())[::-1]
