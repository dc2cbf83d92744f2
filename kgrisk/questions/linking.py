"""Linking: which entities of the graph a question names, by the resolver's own reading of names, and which it cannot.

A name counts if it is one in full, or without its legal form. Two entities of one name are told as ambiguous and a
name that is none of the graph as unknown: neither is guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz import fuzz, process

from ingest.legal_forms import split
from ingest.transliterate import words
from kgrisk.questions.vocabulary import COMMON
from kgrisk.serve.view import View

LABELS: Final = ("Company", "Bank", "Fund", "Person", "Country", "Sector")
"""Kinds that are named in questions; a security is called by its id, as it has its issuer's name."""
IDS: Final = re.compile(r"^(?:lei|cik|name|person|isin|acct|iso|sector|event|doc):\S+$")
Words = tuple[str, ...]
LIKE: Final = 75.0
"""Likeness of words, of 100, from which one may be meant by the other."""
LONGEST: Final = 12
"""Words of a name at most."""


@dataclass(frozen=True)
class Linked:
    """A question read for names."""

    text: str
    """Words in small letters, `E1`, `E2` in place of the entities."""
    rows: tuple[int, ...]
    """Rows of the entities in the order of their places; -1 for who is unknown."""
    texts: tuple[str, ...] = ()
    """How each is called."""
    unknown: tuple[str, ...] = field(default=())
    """What is written like a name and is none of the graph."""
    ambiguous: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Names that several entities have."""


class Names:
    """The names of a view, as the resolver reads them."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.full: dict[Words, set[int]] = defaultdict(set)
        self.core: dict[Words, set[int]] = defaultdict(set)
        self.forms: dict[int, set[str]] = defaultdict(set)
        s = view.snapshot
        for property in ("name", "ticker"):
            facts = s.facts_of(property)
            for row, text in zip(facts["subject"].to_pylist(), facts["value_text"].to_pylist(), strict=True):
                if s.labels[row] in LABELS:
                    self._add(row, words(text))

    def _add(self, row: int, name: Words) -> None:
        if not name:
            return
        self.full[name].add(row)
        core, forms = split(name)
        if sum(map(len, core)) > 2:
            self.core[core].add(row)
        self.forms[row] |= forms

    def read(self, question: str) -> Linked:
        """The question with its entities in place of their names."""
        tokens = [token.strip(',;:!?"“”()') for token in question.replace("?", " ").split()]
        tokens = [token for token in tokens if token]
        read: list[Words] = [() if IDS.match(token) else words(token) for token in tokens]
        out, rows, texts, unknown = list[str](), list[int](), list[str](), list[str]()
        ambiguous: dict[str, tuple[int, ...]] = {}
        at = 0
        while at < len(tokens):
            size, found = self._at(tokens, read, at)
            if not size:
                out.append(" ".join(read[at]) or tokens[at].lower())
                at += 1
                continue
            text = " ".join(tokens[at : at + size])
            if len(found) > 1:
                ambiguous[text] = tuple(sorted(found))
            elif not found:
                unknown.append(text)
            rows.append(min(found, default=-1))
            texts.append(text)
            out.append(f"E{len(rows)}")
            at += size
        return Linked(" ".join(out), tuple(rows), tuple(texts), tuple(unknown), ambiguous)

    def _at(self, tokens: list[str], read: list[Words], at: int) -> tuple[int, set[int]]:
        """Tokens of the name that begins here, and who has it; none who has it if nobody does."""
        if IDS.match(tokens[at]):
            row = self.view.snapshot.index.get(tokens[at])
            return 1, set() if row is None else {row}
        for size in range(min(LONGEST, len(tokens) - at), 0, -1):
            if not _written(tokens[at : at + size]):
                continue
            name: Words = sum(read[at : at + size], ())
            if found := self.full.get(name) or self._by_core(name):
                more = _more(tokens, at, size)
                return (more, set()) if more > size else (size, found)
        size = _more(tokens, at, 0)
        return (size, set()) if size else (0, set())

    def _by_core(self, name: Words) -> set[int]:
        """Entities of that name but for its legal form; who gives another form than theirs means somebody else."""
        core, forms = split(name)
        rows = self.core.get(core) or self.core.get(name) or set()
        return {row for row in rows if not forms or not self.forms[row] or forms & self.forms[row]}

    def near(self, text: str, most: int = 3) -> list[int]:
        """Entities whose names are like a text."""
        known = {" ".join(name): rows for name, rows in self.full.items()}
        sought = " ".join(words(text))
        hits = process.extract(sought, list(known), limit=10 * most, score_cutoff=80)
        return list(dict.fromkeys(min(known[hit]) for hit, _, _ in hits if _like(sought, hit)))[:most]


def _like(text: str, name: str) -> bool:
    """True if a whole word of one is much like one of the other, or all are: `api` stands in `capital`, and is not."""
    pairs = ((a, b) for a in text.split() for b in name.split() if min(len(a), len(b)) > 3)
    return fuzz.ratio(text, name) >= LIKE or any(fuzz.ratio(a, b) >= LIKE for a, b in pairs)


def _written(tokens: list[str]) -> bool:
    """True for what can be a name: in capitals or of several words; of words that all questions have, both."""
    first = tokens[0]
    telling = len(tokens) > 1 or first[0].isupper() or first[0].isdigit()
    if all(_plain(token) in COMMON for token in tokens):
        return len(tokens) > 1 and all(token[0].isupper() for token in tokens)
    return telling


def _more(tokens: list[str], at: int, size: int) -> int:
    """Tokens from a place to where a run of words in capitals ends; 0 where none begins."""
    if size and tokens[at + size - 1] != _unowned(tokens[at + size - 1]):
        return size  # `Acme's Board`: what follows is of Acme, not its name
    end = at + size
    while end < len(tokens) and tokens[end][0].isupper():
        begun = end > at and not size  # `Steel Works`: the rest of an unknown name may be of common words
        if _plain(tokens[end]) in COMMON and not begun:
            break
        end += 1
    reach = end - at
    return 0 if not size and at == 0 and reach == 1 else reach  # one capital opens every sentence


def _plain(token: str) -> str:
    return _unowned(token).lower().strip(".")


def _unowned(token: str) -> str:
    return token.removesuffix("'s").removesuffix("’s")
