"""Names in text: the gazetteer of known entities, what a name says about its bearer, and the ids of written names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from ingest.extract.text.chinese_names import is_chinese, label_of_chinese, short_forms, unspaced, without_form
from ingest.extract.text.lexicon import DOTTED, FORMS, GROUPS, ORDINARY
from kg.ontology import FIRMS, SCHEMES, scheme

TEXT_LABELS: Final = (*FIRMS, "Person")
"""Labels that a name found in text can have."""

_BANK: Final = re.compile(
    r"\b(bank|banks|banco|banca|banque|bancorp|bancshares|bankers|sparkasse|landesbank|savings|(?!(?:river|em|soft|food|snow|bur|green)bank)\w+bank)\b",
    re.I,
)
_FUND: Final = re.compile(r"\b(funds?|etf|etfs|sicav|ucits|hedge fund)\b", re.I)
_SPACES: Final = re.compile(r"\s+")
_DOTS: Final = re.compile(r"\b(?:\w\.){2,}")
_WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)
_EXCHANGE: Final = re.compile(
    r"(?:\$|(?:NYSE|NASDAQ|Nasdaq|LSE|AMEX|XETRA|ticker|symbol|TSX|ASX|HKEX|SIX)[:\s]+[\"“]?)$"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A name where it stands in a text."""

    start: int
    end: int
    text: str
    label: str
    """Company, Bank, Fund or Person."""
    name: str
    """The name it stands for: as written, or in full where the document defined the short form."""
    entity: str = ""
    """Id of the one known entity of that name, "" where none or several are known."""

    @property
    def id(self) -> str:
        return text_id(self.name, self.label)


def collapse(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


def text_id(name: str, label: str) -> str:
    """Id of an entity known only by its name; a person's is opaque, so that the person can be erased."""
    written = "name:" + collapse(name).casefold()
    return f"person:{sha256(written.encode()).hexdigest()[:16]}" if label == "Person" else written


def label_of(name: str) -> str:
    """Label of a firm by its name alone: the same name has the same label for ever."""
    if is_chinese(name):
        return label_of_chinese(name)
    if _FUND.search(name):
        return "Fund"
    return "Bank" if _BANK.search(name) else "Company"


@lru_cache(maxsize=1 << 17)
def squash(name: str) -> str:
    """Letters and digits in small letters, words apart: names that differ only in signs and case are equal."""
    return " ".join(w.lower() for w in _WORD.findall(_undot(name)))


def _undot(name: str) -> str:
    """S.p.A. -> SpA, L.P. -> LP, so that a form is one word."""
    name = name.replace("A/S", "AS")
    return _DOTS.sub(lambda m: m[0].replace(".", ""), name) if "." in name else name


@lru_cache(maxsize=1 << 17)
def plain_name(name: str) -> str:
    """The name without its legal form: `Acme Holdings` of `Acme Holdings plc`."""
    from cleanco import basename

    if is_chinese(name):
        return without_form(collapse(name))
    words = collapse(basename(name) or name).split(" ")
    while len(words) > 1 and (squash(words[-1]).replace(" ", "") in FORMS or not squash(words[-1])):
        words.pop()
    while len(words) > 1 and squash(words[0]) in {"ooo", "oao", "pt", "the"}:
        words.pop(0)
    return " ".join(words).strip(" ,")


def short_name(name: str) -> str:
    """The plain name without Holdings, Group and the like; "" where nothing telling is left."""
    words = plain_name(name).split(" ")
    while len(words) > 1 and squash(words[-1]) in GROUPS:
        words.pop()
    short = " ".join(words).strip(" ,&")
    return short if _telling(short) else ""


def _telling(short: str) -> bool:
    words = squash(short).split()
    if not words or len("".join(words)) < 3:
        return False
    return len(words) > 1 or (words[0] not in ORDINARY and not words[0].isdigit())


def lower_each(text: str) -> str:
    """Small letters, one for one, so that offsets stay the same."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A way to write a known name."""

    written: str
    label: str
    entity: str
    symbol: bool


class Gazetteer:
    """The names by which known entities are found in text.

    Each full name also gives its plain name (no legal form) and its short name (no Holdings or Group), unless two
    different entities would share it: then the mention is still found but stands for no entity.
    """

    def __init__(self, rows: Iterable[tuple[str, str, str]] = ()) -> None:
        known = sorted({(i, label, collapse(n)) for i, label, n in rows if label in TEXT_LABELS and len(n.strip()) > 1})
        self.fingerprint = sha256(repr(known).encode()).hexdigest()[:16]
        self.labels: Mapping[str, str] = {i: label for i, label, _ in known}
        """Label of every id known, which an id keeps for ever."""
        falling = sorted(known, key=lambda row: row[2], reverse=True)
        self._name_of = {i: n for i, _, n in sorted(falling, key=lambda row: not _symbol(row[2]))}
        self._by_squash = _owners((squash(n), i) for i, _, n in known)
        self._keys = _owners((i, key) for key, owners in self._by_squash.items() for i in owners)
        self._full = {squash(n): n for _, label, n in known if label != "Person" and squash(n)}
        shorter = _shorter(known)
        self._by_short = {k: v for k, v in shorter.items() if k not in self._by_squash}
        self._automaton = self._build(known)

    def __len__(self) -> int:
        return len(self.labels)

    def name_of(self, id: str) -> str:
        """A name of a known id: of several the first in the alphabet that is no symbol."""
        return self._name_of[id]

    def full_names(self) -> Iterable[str]:
        """Every full name known of a firm."""
        return self._full.values()

    def lookup(self, name: str) -> str | None:
        """The one entity a full name or an unambiguous plain or short name stands for, else None."""
        key = squash(name)
        ids = self._by_squash.get(key) or self._by_short.get(key) or self._by_short.get(squash(plain_name(name)))
        return _strongest(ids) if ids and (key in self._by_squash or self._one(ids)) else None

    def nearest(self, name: str, likeness: float = 92.0) -> str | None:
        """The one known full name that is most like this one; `likeness` is the least edit likeness in percent."""
        from rapidfuzz import fuzz, process

        key = squash(name)
        if key in self._full:
            return self._full[key]
        found = process.extract(key, self._full.keys(), scorer=fuzz.ratio, score_cutoff=likeness, limit=2)
        if not found or (len(found) > 1 and found[1][1] >= found[0][1]):
            return None
        return self._full[found[0][0]]

    def label(self, written: str) -> str:
        """Label of what bears this name: the ledger's own, else its entities', else by its words."""
        own = self.labels.get(text_id(written, "Company"))
        key = squash(written)
        ids = self._by_squash.get(key) or self._by_short.get(key) or ()
        return own or (self.labels[_strongest(ids)] if ids else label_of(written))

    def find(self, text: str) -> list[Mention]:
        """Known names in the text, longest first, none overlapping, in order."""
        if self._automaton is None:
            return []
        hits = [h for h in self._hits(text) if _bounded(text, h[0], h[1])]
        return longest(self._mention(text, start, end, entry) for start, end, entry in hits)

    def _build(self, known: list[tuple[str, str, str]]) -> Any:
        import ahocorasick

        automaton = ahocorasick.Automaton()
        for written in _spellings(known):
            key = lower_each(written)
            entry = _Entry(written, self.label(written), self.lookup(written) or "", _symbol(written))
            automaton.add_word(key, (*automaton.get(key, ()), entry))
        if len(automaton):
            automaton.make_automaton()
            return automaton
        return None

    def _hits(self, text: str) -> Iterator[tuple[int, int, _Entry]]:
        for last, entries in self._automaton.iter(lower_each(text)):
            for entry in entries:
                start, end = last + 1 - len(entry.written), last + 1
                if _written_like(text, start, end, entry):
                    yield start, end, entry
                    break

    @staticmethod
    def _mention(text: str, start: int, end: int, entry: _Entry) -> Mention:
        written = text[start:end]
        return Mention(start, end, written, entry.label, entry.written if entry.symbol else written, entry.entity)

    def _one(self, ids: Iterable[str]) -> bool:
        """True if these ids share a full name, so that they are one entity as far as names can tell."""
        ids = set(ids)
        return len(ids) == 1 or any(ids <= self._by_squash[key] for key in self._keys[min(ids)])


def longest(mentions: Iterable[Mention]) -> list[Mention]:
    """Mentions that do not overlap: longer before shorter, then earlier before later; in order of the text."""
    kept: list[Mention] = []
    taken: set[int] = set()
    for m in sorted(mentions, key=lambda m: (m.start - m.end, m.start, m.entity == "")):
        if taken.isdisjoint(range(m.start, m.end)):
            taken.update(range(m.start, m.end))
            kept.append(m)
    return sorted(kept, key=lambda m: m.start)


def _owners(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for key, id in pairs:
        if key:
            found[key].add(id)
    return {key: frozenset(ids) for key, ids in found.items()}


def _shorter(known: list[tuple[str, str, str]]) -> dict[str, frozenset[str]]:
    """Who may be meant by each plain or short name."""
    firms = [(i, n) for i, label, n in known if label != "Person"]
    return _owners((squash(s), i) for i, n in firms for s in _short_forms(n))


@lru_cache(maxsize=1 << 17)
def _short_forms(name: str) -> frozenset[str]:
    """The telling ones of the plain and short names of a firm."""
    if is_chinese(name):
        return frozenset(short_forms(collapse(name)))
    return frozenset(s for s in {plain_name(name), short_name(name)} if _telling(s))


def _spellings(known: list[tuple[str, str, str]]) -> list[str]:
    """Every way to write the names: in full, with and without a last dot, plain and short."""
    found: set[str] = set()
    for _, label, name in known:
        found |= {name, name.rstrip(".")}
        if label != "Person":
            found |= _short_forms(name)
            if squash(name).split()[-1:] and squash(name).split()[-1] in DOTTED:
                found.add(name.rstrip(".") + ".")
    return sorted(f for f in found if len(f) > 1)


def _symbol(name: str) -> bool:
    return name.isupper() and " " not in name and len(name) <= 5


def _written_like(text: str, start: int, end: int, entry: _Entry) -> bool:
    """A name begins with a capital or digit; a symbol is written in capitals, a short one after its exchange."""
    written = text[start:end]
    if not entry.symbol:
        return not written[0].islower() or written == entry.written
    if written != entry.written:
        return False
    free = len(written) >= 3 and written.lower() not in ORDINARY and not text[max(0, start - 20) : end + 20].isupper()
    return free or bool(_EXCHANGE.search(text[max(0, start - 12) : start]))


def _bounded(text: str, start: int, end: int) -> bool:
    """True if no word goes on at the ends of text[start:end]; Chinese is written without gaps and bounds any name."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if (before.isalnum() and not (unspaced(before) or unspaced(text[start]))) or before in ("_", "&", "@"):
        return False
    if after in ("_", "@", "&") or (after == "." and text[end + 1 : end + 2].islower()):  # Amazon in Amazon.com
        return False
    return not (after.isalnum() and text[end - 1].isalnum()) or unspaced(after) or unspaced(text[end - 1])


def _strongest(ids: Collection[str]) -> str:
    if len(ids) == 1:
        return next(iter(ids))
    return min(ids, key=lambda i: (SCHEMES.index(scheme(i)) if scheme(i) in SCHEMES else len(SCHEMES), i))
