"""Relations and events that Chinese sentences assert, by patterns over the sentence with its names masked.

What is denied, doubted or planned is left out; what has ended carries its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from ingest.extract.prose.chinese import mentions, sentences
from ingest.extract.prose.chinese_patterns import (
    DAY,
    DENIED,
    DOUBTED,
    FIRM,
    PART,
    PATTERNS,
    PERSON,
    SUM,
    TAKEN_BACK,
    UNABLE,
    Pattern,
)  # fmt: skip
from ingest.extract.prose.chinese_quantities import dates, money, shares
from ingest.extract.prose.relations import Finding
from ingest.extract.text.names import Gazetteer, Mention
from ingest.extract.text.quantities import Moment, Money, Share
from kg.model import Value, as_time
from kg.ontology import EDGES, FIRMS

_Q = TypeVar("_Q", Money, Share, Moment)
_ROLES: Final = (
    "source", "plaintiff", "acquirer", "company", "subject", "target", "defendant", "agency", "officer",
    "former_officer",
)  # fmt: skip
_AGE: Final = timedelta(days=365 * 40)
_HE: Final = re.compile(r"(?<![\u4e00-\u9fff])(?:该|本)?公司(?!债|债券|治理|章程|法)|该(?:银行|集团|行|企业)|后者")


def findings(
    text: str, spans: Sequence[tuple[int, int]], gazetteer: Gazetteer, published: datetime
) -> tuple[list[Mention], list[Finding]]:
    """Names in these stretches of Chinese, and what their sentences assert, in the order of the text."""
    cut = [sentence for start, end in spans for sentence in sentences(text, start, end)]
    named = mentions(text, cut, gazetteer)
    found: list[Finding] = []
    topic: Mention | None = None
    for span in cut:
        masked = _Masked(text, span, named[span], topic, published)
        found += masked.findings()
        firms = {m.id: m for m in named[span] if m.label in FIRMS}
        topic = next(iter(firms.values())) if len(firms) == 1 else None
    return [m for span in cut for m in named[span]], found


class _Masked:
    """A sentence in which each name, amount, share and date is one sign."""

    def __init__(
        self, text: str, span: tuple[int, int], named: Sequence[Mention], topic: Mention | None, published: datetime
    ) -> None:
        self._span, self._published = span, published
        sentence = text[span[0] : span[1]]
        self._sums, self._shares, self._days = money(sentence), shares(sentence), dates(sentence, published)
        inside = [replace(m, start=m.start - span[0], end=m.end - span[0]) for m in named]
        units: list[tuple[int, int, str, Mention | None]] = [
            (m.start, m.end, PERSON if m.label == "Person" else FIRM, m) for m in inside
        ]
        taken = {i for start, end, _, _ in units for i in range(start, end)}
        for sign, things in ((SUM, self._sums), (PART, self._shares), (DAY, self._days)):
            for thing in things:
                if taken.isdisjoint(range(thing.start, thing.end)):
                    units.append((thing.start, thing.end, sign, None))
        units += self._referring(sentence, inside, taken, topic)
        self.text, self._mentions, self._places = _mask(sentence, sorted(units, key=lambda u: u[:2]))

    @staticmethod
    def _referring(
        sentence: str, inside: Sequence[Mention], taken: set[int], topic: Mention | None
    ) -> Iterator[tuple[int, int, str, Mention | None]]:
        """`公司` as the first firm of the sentence or the topic, `后者` as the last before it."""
        for match in _HE.finditer(sentence):
            before = [m for m in inside if m.label in FIRMS and m.end <= match.start()]
            meant = (before[-1] if match[0] == "后者" else before[0]) if before else topic
            if meant and taken.isdisjoint(range(match.start(), match.end())):
                yield match.start(), match.end(), FIRM, meant

    def findings(self) -> list[Finding]:
        """What the sentence asserts, each thing once."""
        found: list[Finding] = []
        seen: list[tuple[str, frozenset[str]]] = []
        for pattern in PATTERNS:
            for match in pattern.expression.finditer(self.text):
                finding = None if self._open(match) else self._finding(pattern, match)
                if finding is None:
                    continue
                who = frozenset(f"{role}={m.id}" for role, m in finding.parties)
                kind = finding.event or finding.type
                if not any(kind == k and who <= w for k, w in seen):
                    seen.append((kind, who))
                    found.append(finding)
        return found

    def _open(self, match: re.Match[str]) -> bool:
        """True for what is denied, doubted, planned or asked."""
        clause = max(self.text.rfind(mark, 0, match.start()) for mark in "。；") + 1
        before = UNABLE.sub("", self.text[clause : match.end()])
        if DENIED.search(before.replace("不再", "")) or DOUBTED.search(before):
            return True
        return bool(TAKEN_BACK.search(self.text[match.end() :]))

    def _finding(self, pattern: Pattern, match: re.Match[str]) -> Finding | None:
        roles = [r for r in match.re.groupindex if r not in ("role", "whole")]
        parties = tuple((role, self._mentions[match.start(role)]) for role in sorted(roles, key=_order))
        if len({m.id for _, m in parties}) < len(parties) or not _allowed(pattern, parties):
            return None
        said = self._props(pattern, match)
        place = self._places[match.end() - 1]
        day = _nearest([d for d in self._days if self._published - _AGE < d.when <= as_time(self._published)], place)
        when = day.when if day else self._published
        start, end = (None, when) if pattern.ended else (when, None)
        sure = 0.75 if all(m.entity for _, m in parties) else 0.55
        return Finding(pattern.type, parties, *self._span, pattern.event, said, start, end, sure)

    def _props(self, pattern: Pattern, match: re.Match[str]) -> dict[str, Value]:
        groups, takes = match.groupdict(), EDGES[pattern.type].props
        props: dict[str, Value] = {"role": groups["role"]} if groups.get("role") else {}
        first, last = self._places[match.start()], self._places[match.end() - 1]
        if "amount" in takes and (sum_ := _said(self._sums, first, last)):
            props |= {"amount": sum_.amount, "currency": sum_.currency}
        if "share" in takes and groups.get("whole"):
            props["share"] = 1.0
        elif pattern.type == "OWNS" and (share := _said(self._shares, first, last)):
            props["share"] = share.value
        return props


def _mask(
    sentence: str, units: list[tuple[int, int, str, Mention | None]]
) -> tuple[str, dict[int, Mention], list[int]]:
    """The masked text, the mention at each of its signs, and for each of its characters the place in the sentence."""
    masked: list[str] = []
    places: list[int] = []
    meant: dict[int, Mention] = {}
    at = 0
    for start, end, sign, mention in units:
        if start < at:
            continue
        masked += sentence[at:start]
        places += range(at, start)
        if mention:
            meant[len(masked)] = mention
        masked.append(sign)
        places.append(start)
        at = end
    masked += sentence[at:]
    places += range(at, len(sentence))
    return "".join(masked), meant, places


def _order(role: str) -> int:
    return _ROLES.index(role)


def _allowed(pattern: Pattern, parties: Sequence[tuple[str, Mention]]) -> bool:
    spec = EDGES[pattern.type]
    if pattern.event:
        return all(m.label in spec.source for _, m in parties)
    return parties[0][1].label in spec.source and parties[1][1].label in spec.target


def _said(found: Sequence[_Q], first: int, last: int) -> _Q | None:
    """The quantity inside the words of a match, else the one that follows them soonest."""
    inside = [q for q in found if first <= q.start <= last]
    after = [q for q in found if last < q.start]
    return inside[-1] if inside else after[0] if after else None


def _nearest(found: Sequence[_Q], place: int) -> _Q | None:
    return min(found, key=lambda q: (abs(q.start - place), q.start), default=None)
