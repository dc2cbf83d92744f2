"""Blots: the words that name an erased person, found in text of any spelling and covered by blocks of the same length.

A word is covered character by character, so that every other place in a text stays where it was. Names that others
bear, or that stand inside the longer name of another (a firm called after its founder), are not covered.
"""

from __future__ import annotations

import html.entities
import json
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

BLOCK, PLAIN_BLOCK = "█", "*"
"""What covers a character, and where the encoding of a file has no such character."""
SHORTEST = 4
"""Characters below which a word is too common to be looked for."""
SURE = 6
"""Characters from which a word is no accident among any bytes."""
JOINED = 9
"""Letters of a name from which it is known where its words are written as one."""
TURNED = 4
"""Words of a name at most that are looked for in every order of first and last names; of more the last one alone."""
GAP = r"(?:[^\w<&]|<[^>]*>|&#?\w+;)*?"
"""What may stand between two words of a text as it is marked up: anything but a word."""
_ONE = re.compile(r"&#?\w+;|\\u[0-9a-fA-F]{4}|(?:%[0-9A-Fa-f]{2})+|\w")
"""One character, as it may be written in HTML, JSON or an address."""
_OUTSIDE = re.compile(r"(<[^>]*>)|&#?\w+;|\\u[0-9a-fA-F]{4}|\w")


class Blot:
    """Words to cover, and longer ones of others that stay as they are."""

    def __init__(self, words: Iterable[str], others: Iterable[str] = ()) -> None:
        folded = {" ".join(word.split()) for word in words}
        self.words = sorted({word for word in folded if len(word) >= SHORTEST}, key=lambda w: (-len(w), w))
        inside = re.compile("|".join(_forms_all(self.words)) or r"(?!)", re.IGNORECASE)
        self.others = sorted({o for o in others if inside.search(o)} - set(self.words), key=lambda o: (-len(o), o))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Group 1 is what to cover; a match without it is what stays."""
        stay = "|".join(re.escape(other) for other in self.others)
        forms = sorted({form for word in self.words for form in _forms(word)}, key=lambda form: (-len(form), form))
        cover = rf"(?<!\w)({'|'.join(forms)})(?!\w)" if forms else r"((?!))"
        return re.compile(f"{stay}|{cover}" if stay else cover, re.IGNORECASE)

    @cached_property
    def in_bytes(self) -> re.Pattern[bytes]:
        """The same over the bytes of a text in UTF-8."""
        text = self.pattern.pattern.replace(r"(?<!\w)", r"(?<![A-Za-z0-9_])").replace(r"(?!\w)", r"(?![A-Za-z0-9_])")
        return re.compile(text.encode(), re.IGNORECASE)

    @cached_property
    def in_binary(self) -> re.Pattern[bytes]:
        """The same where a text may touch any byte: what stands beside it tells nothing, unless the word is short."""
        long = Blot((word for word in self.words if len(word) >= SURE), self.others)
        short = Blot((word for word in self.words if len(word) < SURE), self.others)
        bare = long.in_bytes.pattern.replace(rb"(?<![A-Za-z0-9_])", b"").replace(rb"(?![A-Za-z0-9_])", b"")
        return re.compile(bare + b"|" + short.in_bytes.pattern, re.IGNORECASE)

    def finds(self, text: str) -> bool:
        """Does the text name the person?"""
        return any(match[1] for match in self.pattern.finditer(text))

    def finds_in(self, content: bytes) -> bool:
        """Do the bytes, as UTF-8 or UTF-16, name the person?"""
        if self.count_in(content):
            return True
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:200]
        return wide and any(w.encode(code) in content for w in self.words for code in ("utf-16-le", "utf-16-be"))

    def count_in(self, content: bytes) -> int:
        """How often the bytes, as UTF-8, name the person."""
        pattern = self.in_binary if b"\0" in content else self.in_bytes
        return sum(any(match.groups()) for match in pattern.finditer(content))

    def replace(self, text: str, instead: Callable[[str], str]) -> str:
        """The text with something else in the place of every name of the person."""
        return self.pattern.sub(lambda match: instead(match[0]) if match[1] else match[0], text)

    def cover(self, text: str, block: str = BLOCK) -> str:
        """The text with every name of the person covered."""
        return self.replace(text, lambda found: covered(found, block))

    def cover_column(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """A column of texts with every name covered; the very same column where nothing is found."""
        if not self.words or not pc.any(self._maybe(column)).as_py():
            return column
        return pa.chunked_array([pa.array([t and self.cover(t) for t in column.to_pylist()], column.type)])

    def _maybe(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """A quick look, which may find too much."""
        return pc.match_substring_regex(column, "|".join(_forms_all(self.words)), ignore_case=True)


def covered(text: str, block: str = BLOCK) -> str:
    """Every character of its words covered, each as one, however it is written."""
    return _ONE.sub(block, text)


def covered_outside_tags(text: str, block: str = BLOCK) -> str:
    """The same of marked-up text, whose tags stay."""
    return _OUTSIDE.sub(lambda match: match[1] or block, text)


def loose(words: str) -> re.Pattern[str] | None:
    """Finds a quoted text in the markup it was read from; None where it has too few words to be told from others."""
    parts = re.findall(r"\w+", words)
    if len("".join(parts)) < SHORTEST:
        return None
    return re.compile(rf"(?<!\w){GAP.join(_any(part) for part in parts)}(?!\w)", re.IGNORECASE)


def _any(part: str) -> str:
    """A word as text or HTML writes it."""
    forms = sorted({re.escape(form) for form in (part, *_spelled(part))}, key=lambda form: (-len(form), form))
    return f"(?:{'|'.join(forms)})" if len(forms) > 1 else forms[0]


def _forms_all(words: Iterable[str]) -> list[str]:
    return sorted({form for word in words for form in _forms(word)})


def _forms(word: str) -> set[str]:
    """Patterns of a word as text, HTML, JSON and addresses write it; a name also with the surname first."""
    told = {word, *(_orders(word) if ":" not in word else ())}
    joined = {_gap(name).join(re.escape(part) for part in name.split()) for name in told}
    return joined | {re.escape(form) for name in told for form in _spelled(name) if form != name}


def _orders(name: str) -> set[str]:
    """A name with its last words first and its first words last, with a comma there and without."""
    parts = [part for part in (part.strip(",;") for part in name.split()) if part]
    turns = range(1, len(parts)) if len(parts) <= TURNED else (len(parts) - 1,)
    turned = {(" ".join(parts[turn:]), " ".join(parts[:turn])) for turn in turns}
    if len(parts) == 2:
        turned |= {(first, last) for last, first in turned}  # it may be written with the surname first itself
    return {f"{last}{mark} {first}" for last, first in turned for mark in ("", ",")}


def _gap(name: str) -> str:
    """What may part the words of a name, in an address such as `/vera-lomskaya` too; of a long name also nothing."""
    return r"(?:[^\w]|_|%20|%2C)" + ("{0,3}" if len(re.sub(r"\W", "", name)) >= JOINED else "{1,3}")


def _spelled(name: str) -> set[str]:
    numbers = name.encode("ascii", "xmlcharrefreplace").decode()
    named = "".join(
        f"&{html.entities.codepoint2name[ord(c)]};" if ord(c) in html.entities.codepoint2name else c for c in name
    )
    return {html.escape(name), numbers, named, json.dumps(name)[1:-1], quote(name), quote(name, safe="")}
