"""A parsed sentence in which every name is one token, and who stands in which role of its verbs and nouns.

The parser never sees the names themselves: each is replaced by a plain, well-known one, and each amount of money by a
plain amount, so that an invented or odd name cannot bend the tree. A map leads back to the characters of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ingest.extract.text.names import Mention
from ingest.extract.text.quantities import Money

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Token

_FIRMS: Final = ("Google", "Microsoft", "Amazon", "Intel", "Oracle", "Boeing", "Nokia", "Siemens", "Toyota", "Samsung")
_PEOPLE: Final = ("Smith", "Jones", "Brown", "Miller", "Wilson")
_BATCH: Final = 128
"""Sentences that are parsed together."""
_ASIDE: Final = re.compile(
    r"\s?\((?:[^()]{0,12}(?:NYSE|NASDAQ|Nasdaq|LSE|TSX|XETRA|ticker)[^()]*|[^()]{0,40}[“\"][^()]*)\)"
)
_CLAUSES: Final = frozenset({"relcl", "advcl", "ccomp", "parataxis", "csubj"})
_NOUN: Final = ("NOUN", "PROPN", "PRON", "NUM", "SYM", "ADJ", "X", "DET")


@dataclass(frozen=True)
class Parsed:
    """A sentence with its tree and the mention that each token stands for."""

    start: int
    text: str
    doc: Doc
    spans: Sequence[tuple[int, int]]
    """Characters of the whole text under each token."""
    mentions: dict[int, Mention]
    """Mention of each token that stands for one."""

    @property
    def verbal(self) -> bool:
        """True if the root of the tree is a verb."""
        return any(t.dep_ == "ROOT" and t.pos_ in ("VERB", "AUX") for t in self.doc)

    def mention(self, token: Token) -> Mention | None:
        return self.mentions.get(token.i)

    def place(self, token: Token) -> int:
        """Where the token begins in the whole text."""
        return self.spans[token.i][0]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to be parsed: text[span] with the names and amounts of money in it."""

    text: str
    span: tuple[int, int]
    names: Sequence[Mention]
    sums: Sequence[Money]
    """Amounts that overlap a name are left alone."""


@dataclass(frozen=True, slots=True)
class _Words:
    """The tokens that the parser is given for a sentence, and what stands under them."""

    sentence: Sentence
    words: list[str]
    spaces: list[bool]
    spans: list[tuple[int, int]]
    mentions: dict[int, Mention]


def parses(nlp: Language, sentences: Sequence[Sentence]) -> Iterator[Iterator[Parsed]]:
    """For each sentence its trees, the likeliest first; the first trees of all sentences are made together.

    A tree without a verb at its root is nearly always a mistake (`ships` read as a noun), which a pronoun in place
    of the first name often mends. A reader to whom the first tree says nothing may ask for one more.
    """
    firsts = _parsed(nlp, [_tokens(nlp, sentence, "") for sentence in sentences])
    for sentence, first in zip(sentences, firsts, strict=True):
        yield _trees(nlp, sentence, first)


def _trees(nlp: Language, sentence: Sentence, first: Parsed) -> Iterator[Parsed]:
    if first.verbal or not first.mentions:
        yield first
    (second,) = _parsed(nlp, [_tokens(nlp, sentence, "It")])
    if second.verbal or first.verbal:
        yield second
    if not first.verbal and first.mentions:
        yield first


def _parsed(nlp: Language, given: Sequence[_Words]) -> list[Parsed]:
    from spacy.tokens import Doc

    docs = [Doc(nlp.vocab, words=one.words, spaces=one.spaces) for one in given]
    for name in ("tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer"):
        docs = list(nlp.get_pipe(name).pipe(docs, batch_size=_BATCH))  # type: ignore[attr-defined]
    return [
        Parsed(one.sentence.span[0], one.sentence.text[slice(*one.sentence.span)], doc, one.spans, one.mentions)
        for one, doc in zip(given, docs, strict=True)
    ]


def _tokens(nlp: Language, sentence: Sentence, opening: str) -> _Words:
    """`opening` stands for the first name if it is given."""
    text, span = sentence.text, sentence.span
    made = _Words(sentence, [], [], [], {})
    at = span[0]
    for piece in _pieces(span, sentence.names, sentence.sums):
        _plain(nlp, (at, piece.start), made)
        if isinstance(piece, Mention):
            made.mentions[len(made.words)] = piece
            pool = _PEOPLE if piece.label == "Person" else _FIRMS
            count = len(made.mentions)
            placeholder = [opening if opening and count == 1 else pool[count % len(pool)]]
        else:
            placeholder = ["$", "5", "million"]
        made.words.extend(placeholder)
        made.spaces.extend([False] * len(placeholder))
        made.spans.extend([(piece.start, piece.end)] * len(placeholder))
        at = piece.end
        if isinstance(piece, Mention) and (aside := _ASIDE.match(text, at, span[1])):
            at = aside.end()
    _plain(nlp, (at, span[1]), made)
    return made


def _pieces(span: tuple[int, int], names: Sequence[Mention], sums: Sequence[Money]) -> list[Mention | Money]:
    inside: list[Mention | Money] = [m for m in names if span[0] <= m.start and m.end <= span[1]]
    free = [s for s in sums if span[0] <= s.start and s.end <= span[1]]
    inside += [s for s in free if not any(m.start < s.end and s.start < m.end for m in inside)]
    return sorted(inside, key=lambda piece: piece.start)


def _plain(nlp: Language, span: tuple[int, int], made: _Words) -> None:
    """Append the ordinary tokens of text[span]; white space only sets the mark of the token before it."""
    if span[0] >= span[1]:
        return
    for token in nlp.make_doc(made.sentence.text[span[0] : span[1]]):
        if token.is_space:
            if made.spaces:
                made.spaces[-1] = True
            continue
        start = span[0] + token.idx
        made.words.append(token.text)
        made.spaces.append(bool(token.whitespace_))
        made.spans.append((start, start + len(token.text)))


def passive(verb: Token) -> bool:
    """`was sued`, `sued by` (a participle after its noun)."""
    if any(c.dep_ in ("auxpass", "nsubjpass") for c in verb.children):
        return True
    if any(c.dep_ == "agent" for c in verb.children):
        return True
    return verb.tag_ == "VBN" and verb.dep_ == "acl"


def subjects(verb: Token) -> list[Token]:
    """Grammatical subjects, also where they stand with a governing verb or before a participle or relative clause."""
    own = [c for c in verb.children if c.dep_ in ("nsubj", "nsubjpass", "csubj")]
    if own:
        return [_antecedent(t, verb) for t in own]
    head = verb.head
    if verb.dep_ == "acl" and verb.tag_ in ("VBN", "VBG"):
        measured = head.lower_ in ("%", "percent") and head.dep_ == "attr"  # Beta is 30 percent owned by
        return subjects(head.head) if measured else [head]
    if verb.dep_ in ("acl", "relcl"):  # "a contract to supply": who has the contract
        return _owners(head)
    if verb.dep_ in ("xcomp", "conj", "advcl", "pcomp", "ccomp", "dep") and head is not verb:
        if verb.dep_ == "xcomp" and (controlled := [c for c in head.children if c.dep_ == "dobj"]):
            return controlled
        if verb.dep_ == "pcomp" and head.head.pos_ in ("VERB", "AUX"):
            return subjects(head.head)
        return subjects(head) if head.pos_ in ("VERB", "AUX") else _owners(head)
    return []


def _owners(noun: Token) -> list[Token]:
    """Who has this noun: its possessor, else the subject of the verb it is an object of."""
    if holders := [c for c in noun.children if c.dep_ == "poss"]:
        return holders
    verb = noun.head
    while verb.dep_ in ("prep", "pobj", "conj", "attr", "appos") and verb.head is not verb:
        verb = verb.head
    return subjects(verb) if verb is not noun and verb.pos_ in ("VERB", "AUX") else []


def _antecedent(token: Token, verb: Token) -> Token:
    """Noun a relative pronoun stands for, else the token."""
    if token.lower_ in ("which", "who", "that", "whom") and verb.dep_ == "relcl":
        return verb.head
    return token


def objects(verb: Token) -> list[Token]:
    """Direct objects; a relative pronoun gives its noun."""
    return [_antecedent(c, verb) for c in verb.children if c.dep_ in ("dobj", "oprd", "attr", "acomp")]


def receivers(verb: Token) -> list[Token]:
    """Indirect objects without a preposition: `granted Beta a loan`."""
    return [c for c in verb.children if c.dep_ == "dative" and c.pos_ != "ADP"]


def after(head: Token, *prepositions: str) -> list[Token]:
    """Objects of these prepositions below the head, those nearest in the tree; clauses of their own are not entered.

    Which word a preposition belongs to is the parser's most frequent mistake, so the whole phrase is searched.
    """
    level = [head]
    while level:
        found = [t for x in level for t in _prepositional(x, prepositions)]
        if found:
            return found
        level = [c for x in level for c in x.children if _within(x, c)]
    return []


def _prepositional(head: Token, prepositions: Sequence[str], *links: str) -> Iterator[Token]:
    for child in head.children:
        if child.dep_ in (links or ("prep", "agent", "dative")) and child.lower_ in prepositions:
            yield from (t for t in child.children if t.dep_ in ("pobj", "pcomp"))
            yield from _prepositional(child, prepositions, "conj")  # of Acme and of Beta


def _within(parent: Token, child: Token) -> bool:
    if child.dep_ in _CLAUSES or child.dep_ in ("nsubj", "nsubjpass"):
        return False
    return not (child.dep_ in ("conj", "acl", "xcomp") and child.pos_ in ("VERB", "AUX") and parent.pos_ != "ADP")


def together(token: Token) -> list[Token]:
    """The token and what is coordinated with it: `Acme and Beta`."""
    return [token, *(t for c in token.children if c.dep_ == "conj" and c.pos_ in _NOUN for t in together(c))]


def ancestors(token: Token) -> Iterator[Token]:
    while token.head is not token:
        token = token.head
        yield token


def has(token: Token, *words: str) -> bool:
    return any(c.lower_ in words for c in token.children)


def phrase(token: Token) -> list[Token]:
    """A noun with its modifiers before it, in order: `chief financial officer`."""
    left: list[Token] = [
        t for t in token.lefts if t.dep_ in ("compound", "amod", "nmod", "punct", "advmod", "cc", "conj")
    ]
    return sorted({x for t in left for x in t.subtree} | {token}, key=lambda t: t.i)


def nouns(doc: Any, lemmas: frozenset[str]) -> Iterator[Token]:
    for token in doc:
        if token.pos_ in ("NOUN", "PROPN", "ADJ") and token.lemma_.lower() in lemmas:
            yield token
