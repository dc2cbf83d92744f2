"""Asked sentences are those of a text that may say something, each with the names in it, ready to be parsed.

Names are those that the writing gives away, then those that the model sees between them; it is asked about all
sentences of a stretch at once, and only where a capital is not yet explained.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from ingest.extract.happenings.happenings import EVENT_WORDS
from ingest.extract.prose.worth import worth_parsing
from ingest.extract.text.names import Gazetteer, Mention, longest
from ingest.extract.text.quantities import money
from ingest.extract.text.recognise import guessed_names, recognised, seen_names, unexplained
from kg.ontology import FIRMS

if TYPE_CHECKING:
    from spacy.tokens import Doc

Span = tuple[int, int]
_LONGEST: Final = 2000
"""Characters of the longest sentence that is read; a longer one is a table."""
_BLOCK: Final = 256
"""Sentences that are looked at together."""
TRIGGER: Final = re.compile(
    r"\b(own|stake|sharehold|stockhold|interest|acqui|bought|buy|purchas|take ?over|took over|takes over|"
    r"taken over|taking over|merge|"
    r"absorb|subsidiar|parent|unit of|arm of|division of|control|belong|lend|lent|loan|borrow|credit|facilit|"
    r"financ|ow(?:e|es|ed|ing)\b|"
    r"mortgage|suppl|deliver|customer|vendor|order|contract|rel(?:y|ies|ied)\b|depend|sourc|procur|provid|"
    r"furnish|ship|sell|sold|"
    r"appoint|nam(?:e|es|ed|ing)\b|elect|hire|promot|join|chie|chair|presid|director|ceo\b|cfo\b|coo\b|officer|"
    r"head of|treasurer|"
    r"resign|retir|step|quit|left\b|leav|depart|dismiss|oust|fired|succe|replac|becom|became|serv(?:e|es|ed|"
    r"ing)\b|sue|suing|lawsuit|"
    r"suit\b|complaint|litigation|court|legal|default|miss|fail|unable|repay|bankrupt|insolv|chapter (?:7|11)|"
    r"administrat|receiver|"
    r"liquidat|lower|\bcut\b|junk|payment|coupon|interest|debt|obligation|servicing|behind|creditor|wound up|"
    r"wind(?:ing)?.up|collaps|downgrad|rating|percent|per cent|%|" + EVENT_WORDS + r")",
    re.I,
)
BESIDE_NAMES: Final = re.compile(
    r"\b(expos|guarant|receivab|compet|rival|vie[sd]?\b|vying|drew\b|draw|tap|advanc|indebt|liabilit|claims?\b|"
    r"runs?\b|led by|leads?\b|leading|heads?\b|boss|in charge|helm|reins|sworn|board|job\b)",
    re.I,
)
"""Words too common to look for names because of them, that tell something where a firm is named."""
_NO_NAME: Final = re.compile(r"(?:Neither|Either|Both|Not|No|Former|Ex)\s+(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Asked:
    """A sentence that may say something."""

    span: Span
    names: list[Mention]
    topic: Mention | None
    """The one firm of the sentence before, which `the company` then is."""


@dataclass(slots=True)
class _Memory:
    """What earlier sentences of the text leave behind for later ones."""

    people: dict[str, Mention] = field(default_factory=dict)
    """Full mention of each person by surname."""
    topic: Mention | None = None


class Reader:
    """The names of one text, and who speaks in it."""

    def __init__(self, text: str, names: Sequence[Mention], gazetteer: Gazetteer, speaker: Mention | None) -> None:
        self._text = text
        self._names = sorted(names, key=lambda m: m.start)
        self._starts = [m.start for m in self._names]
        self._gazetteer = gazetteer
        self._speaker = speaker

    def asked(self, spans: Iterable[Span]) -> Iterator[Asked]:
        """Those of the sentences that may say something, in their order."""
        memory, spans = _Memory(), iter(spans)
        while block := list(islice(spans, _BLOCK)):
            yield from self._block(block, memory)

    def _block(self, block: Sequence[Span], memory: _Memory) -> Iterator[Asked]:
        written = {span: self._within(span) for span in block}
        telling = {span for span in block if _telling(self._sentence(span), written[span])}
        unsure = [s for s in block if s in telling and unexplained(self._sentence(s), s[0], written[s])]
        seen = recognised(self._text, unsure)
        for span in block:
            topic, inside = memory.topic, written[span]
            if span in telling:
                inside = self._named(span, inside, seen.get(span), memory)
                if worth_parsing(self._sentence(span), span[0], inside, topic, self._speaker):
                    yield Asked(span, inside, topic)
            memory.topic = _topic(inside)

    def _sentence(self, span: Span) -> str:
        return self._text[span[0] : span[1]]

    def _within(self, span: Span) -> list[Mention]:
        first, last = bisect_left(self._starts, span[0]), bisect_left(self._starts, span[1])
        return [m for m in self._names[first:last] if m.end <= span[1]]

    def _named(self, span: Span, written: list[Mention], doc: Doc | None, memory: _Memory) -> list[Mention]:
        """Names found by writing, then those the model sees; a lone surname is the person named before."""
        inside = [_bare(m) for m in written]
        if doc is not None:
            sums = [(span[0] + m.start, span[0] + m.end) for m in money(self._sentence(span))]
            seen = seen_names(doc, span[0], self._text, self._gazetteer)
            inside = [_bare(m) for m in _added(written, seen, sums)]
        for m in inside:
            if m.label == "Person":
                memory.people.setdefault(m.name.split()[-1], m)
        inside = longest([*inside, *_surnames(self._text, span, inside, memory)])
        if doc is None:
            return inside
        return _added(inside, guessed_names(doc, span, self._text, self._gazetteer), [])


def _telling(sentence: str, written: Sequence[Mention]) -> bool:
    firms = len({m.id for m in written if m.label in FIRMS})
    if len(sentence) > _LONGEST:
        return False
    return firms > 1 or bool(TRIGGER.search(sentence) or (firms and BESIDE_NAMES.search(sentence)))


def _topic(names: Sequence[Mention]) -> Mention | None:
    firms = {m.id: m for m in names if m.label in FIRMS}
    return next(iter(firms.values())) if len(firms) == 1 else None


def _bare(m: Mention) -> Mention:
    """A name without the word of denial that the model took for its first."""
    match = _NO_NAME.match(m.text)
    if not match or m.entity:
        return m
    rest = m.text[match.end() :]
    return replace(m, start=m.start + match.end(), text=rest, name=m.name.removeprefix(match[0]))


def _added(found: list[Mention], more: Iterable[Mention], taken: list[tuple[int, int]]) -> list[Mention]:
    """Names found, and those of the others that overlap neither them nor the places taken."""
    places = {i for start, end in (*taken, *((m.start, m.end) for m in found)) for i in range(start, end)}
    return longest([*found, *(m for m in more if places.isdisjoint(range(m.start, m.end)))])


def _surnames(text: str, span: tuple[int, int], inside: list[Mention], memory: _Memory) -> Iterator[Mention]:
    taken = {i for m in inside for i in range(m.start, m.end)}
    for surname, person in memory.people.items():
        for match in re.finditer(rf"(?<![\w-]){re.escape(surname)}(?![\w-])", text[span[0] : span[1]]):
            start, end = span[0] + match.start(), span[0] + match.end()
            if taken.isdisjoint(range(start, end)):
                yield replace(person, start=start, end=end, text=match[0])
