"""How a Chinese sentence speaks of each firm in it, by words that speak well or ill and by who they are said of.

The sentence is cut into clauses, in which each firm is one sign. A clause has a subject, the first firm that no
preposition stands before, or the subject of the clause before; what is said is said of it, unless a verb does something
to another firm (`A起诉B`, `A被B起诉`, `A不敌B`). Growth of a burden (亏损, 不良率) is ill; what is negated, escaped
or cleared turns; what is denied falls away. Two numbers fitted on marked headlines make probabilities of the sum.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.extract.prose.chinese_tone_words import lists
from ingest.extract.prose.tone import Tone

FIRM: Final = "\ue000"
SLOPE: Final = 2.6
BAR: Final = 1.1
"""Probabilities are the softmax of SLOPE x - BAR, 0 and -SLOPE x - BAR for a sum x of what is said of the firm.

Below the likeliest values for the sentences that the lists were tuned on (3.2, 1.3), as others are read less well.
"""
_WALL: Final = re.compile(rf"[，。；：！？,;:!?\n]|但是?|然而|不过|却|而(?={FIRM}|竞争|同行|后者|其)|并(?=购买|被)")
_CASE: Final = re.compile(r"(?:向|与|和|同|跟|对|给|为|由|从|将|把|比|于|自|及|到|被|遭|获|受|随着|由于|相比|针对|至)$")
_JOINED: Final = re.compile(r"(?:、|和|与|及|以及)$")
_PASSIVE: Final = re.compile(r"[被遭获受]")
_TOWARDS: Final = re.compile(r"[对将把向给与][^，。]{0,6}$")
_NOTHING: Final = re.compile(
    r"(?:没有|并无|无|并未|未)[^，。]{0,12}(?:计划|打算|意向|安排|置评|回应|评论)|[不未]受[^，。]{0,8}影响"
)
"""What says of a thing that there is none of it, or says nothing."""
_AMID: Final = re.compile(rf"在[^，。{FIRM}]{{1,12}}(?:中|期间|之下|之际|背景下|环境下)")
"""A circumstance, which says nothing of the firm."""
_BUT: Final = re.compile(r"虽|尽管|纵然|即使|即便")
_BEFORE: Final = re.compile(r"(?:上年|去年|上一?年度?|前一?年)同期")
"""What was so a year ago speaks for the opposite now."""
_REACH: Final = 8
"""How many signs a negator or a direction reaches."""
_NEAR: Final = 14
"""How far from its verb the firm may stand to which something is done."""


@dataclass(frozen=True, slots=True)
class _Hit:
    """A word of the lists in a clause, and all that it may be."""

    start: int
    end: int
    text: str
    kinds: frozenset[str]


@dataclass
class _Clause:
    """A stretch between walls: its masked text, the firms at its signs, and its words."""

    text: str
    firms: dict[int, int]
    """Which name stands at each sign."""
    hits: list[_Hit] = field(default_factory=list)

    def __post_init__(self) -> None:
        known = lists()
        for match in known.pattern.finditer(self.text):
            self.hits.append(_Hit(match.start(), match.end(), match[0], known.kinds[match[0]]))
        amid = _AMID.search(self.text)
        self.hits = [
            h for h in self.hits if "plain" not in h.kinds and not (amid and amid.start() <= h.start < amid.end())
        ]

    def subjects(self) -> list[int]:
        """Signs of the first firm that no preposition stands before, and of those joined to it."""
        signs = sorted(self.firms)
        first = next((s for s in signs if not _CASE.search(self.text[:s])), None)
        if first is None:
            return []
        found = [first]
        for sign in signs:
            if sign > first and _JOINED.fullmatch(self.text[found[-1] + 1 : sign]):
                found.append(sign)
        return found


def chinese_tone(text: str, spans: Sequence[tuple[int, int]]) -> list[Tone]:
    """How a sentence speaks of each name; give all names of it, for each is read beside the others."""
    sums = [0.0] * len(spans)
    denied: set[int] = set()
    topic: list[int] = []
    waiting = 0.0
    for clause in _clauses(text, spans):
        told = dict.fromkeys(range(len(spans)), 0.0)
        topic, waiting = _read(clause, topic, waiting, told, denied)
        for which, value in told.items():
            sums[which] += value
    return [_told(max(s, 0.0) if n in denied else s) for n, s in enumerate(sums)]


def _clauses(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[_Clause]:
    masked, firms = _masked(text, spans)
    at = 0
    for start, end in [*((m.start(), m.end()) for m in _WALL.finditer(masked)), (len(masked), len(masked))]:
        for left, right in _speeches(masked, at, start):
            if left < right:
                yield _Clause(masked[left:right], {s - left: n for s, n in firms.items() if left <= s < right})
        at = end


def _speeches(masked: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A stretch parted behind a verb of speech if a firm is named on."""
    verb = next((v for v in lists().speech.finditer(masked, start, end) if FIRM in masked[v.end() : end]), None)
    if verb:
        yield start, verb.start()
        yield verb.end(), end
    else:
        yield start, end


def _masked(text: str, spans: Sequence[tuple[int, int]]) -> tuple[str, dict[int, int]]:
    """The text with a sign for each name (the longest, where they overlap), and which name each sign is."""
    out, firms, at = "", {}, 0
    for start, end, which in sorted((a, b, n) for n, (a, b) in enumerate(spans)):
        if start < at:
            continue
        out += text[at:start]
        firms[len(out)] = which
        out, at = out + FIRM, end
    return out + text[at:], firms


def _read(
    clause: _Clause, topic: list[int], waiting: float, told: dict[int, float], denied: set[int]
) -> tuple[list[int], float]:
    """Add what a clause says; give back of whom the next one without a name speaks, and what waits for a name."""
    if "后者" in clause.text and not clause.firms and told:
        topic = topic[-1:]
    subjects = [clause.firms[s] for s in clause.subjects()] or topic
    used, done_to = _upon(clause, told, subjects)
    value = _value([h for h in clause.hits if h not in used], clause.text) * _weight(clause.text)
    if any("denial" in h.kinds for h in clause.hits):
        denied.update(subjects)
    if not subjects:
        return topic, waiting + value / 2
    for which in subjects:
        told[which] += value + waiting
    return (done_to or subjects), 0.0


def _weight(text: str) -> float:
    """1 for what is said plainly, less for what is conceded, the reverse for what was so a year ago."""
    if _BEFORE.search(text):
        return -0.6
    return 0.5 if _BUT.search(text) else 1.0


def _upon(clause: _Clause, told: dict[int, float], subjects: list[int]) -> tuple[list[_Hit], list[int]]:
    """Add what verbs mean for the firms of the clause to whom something is done; the words that this uses up."""
    used: list[_Hit] = []
    topic: list[int] = []
    for hit in (h for h in clause.hits if "upon" in h.kinds and not _NOTHING.search(clause.text)):
        parties = _parties(clause, hit, subjects)
        if parties is None:
            continue
        doer, object_ = parties
        turn = -1.0 if _turned(clause, hit) else 1.0
        does, suffers = lists().upon[hit.text]
        for which, value in ((doer, does), (object_, suffers)):
            if which is not None:
                told[which] += turn * value
        used += [hit, *(h for h in clause.hits if object_ is not None and _owned(clause, h, object_))]
        topic = [object_] if object_ is not None and suffers and not does else topic
    return used, topic


def _owned(clause: _Clause, hit: _Hit, which: int) -> bool:
    """True for what is said of the firm right before it: the 垄断 of `A打破B垄断`."""
    return any(n == which and s < hit.start <= s + 2 for s, n in clause.firms.items()) and _ill(hit)


def _parties(clause: _Clause, hit: _Hit, subjects: list[int]) -> tuple[int | None, int | None] | None:
    """Who does it and to whom, None if no firm of the clause is acted upon."""
    before = [s for s in sorted(clause.firms) if s < hit.start]
    after = [s for s in sorted(clause.firms) if hit.end <= s <= hit.end + _NEAR]
    first = subjects[0] if subjects and (before or subjects[0] not in clause.firms.values()) else None
    marker = next((m for m in _PASSIVE.finditer(clause.text, 0, hit.start)), None)
    if marker and first is not None:
        agent = next((clause.firms[s] for s in before if s > marker.start()), None)
        return (agent, first) if agent != first else None
    if any("wish" in h.kinds and h.start == hit.end for h in clause.hits):
        return None
    oblique = [s for s in before if _TOWARDS.search(clause.text[:s]) and clause.firms[s] not in subjects[:1]]
    if oblique:
        return first, clause.firms[oblique[-1]]
    if after and clause.firms[after[0]] != first:
        return first, clause.firms[after[0]]
    return None


def _turned(clause: _Clause, hit: _Hit) -> bool:
    return any("negator" in h.kinds and 0 <= hit.start - h.end <= _REACH for h in clause.hits)


def _value(hits: Sequence[_Hit], text: str) -> float:
    """What the words of a clause come to, between -2 and 2."""
    if _NOTHING.search(text) or any("nothing" in h.kinds for h in hits):
        return 0.0
    total, loose = 0.0, [h for h in hits if "negator" in h.kinds and "unable" in h.kinds]
    for n, hit in enumerate(hits):
        sign = _sign(hits, n)
        if not sign:
            continue
        negators = [h for h in hits[:n] if _reaches(h, hit, text)]
        loose = [h for h in loose if h not in negators]
        total += sign * (-0.9) ** len(negators) if len(negators) < 3 else sign
    return max(-2.0, min(2.0, total - 0.8 * len(loose)))


def _reaches(negator: _Hit, hit: _Hit, text: str) -> bool:
    """True if a negator turns a word: it is near, and no firm stands between them unless something is not *found*."""
    if "negator" not in negator.kinds or not 0 <= hit.start - negator.end <= _REACH:
        return False
    return negator.text.endswith("发现") or FIRM not in text[negator.end : hit.start]


def _sign(hits: Sequence[_Hit], n: int) -> float:
    """1 for a word that speaks well, -1 for one that speaks ill, 0 for one that only serves others."""
    hit = hits[n]
    before = [h for h in hits[:n] if hit.start - h.end <= _REACH]
    after = [h for h in hits[n + 1 :] if h.start - hit.end <= _REACH]
    if "wish" in hit.kinds:
        return -1.0 if any("refused" in h.kinds for h in after) else 0.0
    if any("wish" in h.kinds for h in before) and "refused" in hit.kinds:
        return 0.0
    if hit.kinds & {"up", "down"} and (_burden(before, after) or not hit.kinds & {"good", "bad"}):
        rises = 1.0 if "up" in hit.kinds else -1.0
        return -rises if _burden(before, after) else rises
    if "cleared" in hit.kinds and any(_ill(h) for h in before):
        return 0.0
    if _ill(hit):
        if any(h.kinds & {"up", "down"} for h in (*before, *after)) and "burden" in hit.kinds:
            return 0.0
        if any("escape" in h.kinds for h in before) or any("cleared" in h.kinds for h in after):
            return 1.0
        return -1.0
    spoilt = any("spoiler" in h.kinds and hit.start - h.end <= 4 for h in before)
    return 1.0 if "good" in hit.kinds and not spoilt else 0.0


def _burden(before: Sequence[_Hit], after: Sequence[_Hit]) -> bool:
    """True if what rises or falls is what it is bad to have more of: the word before, else the one after."""
    return any("burden" in h.kinds for h in before[-2:]) or bool(after and "burden" in after[0].kinds)


def _ill(hit: _Hit) -> bool:
    return "bad" in hit.kinds or "ill" in hit.kinds


def _told(value: float) -> Tone:
    """Softmax of SLOPE times the value less BAR, nought, and the same of its opposite."""
    odds = [math.exp(-SLOPE * value - BAR), 1.0, math.exp(SLOPE * value - BAR)]
    negative, neutral, positive = (o / sum(odds) for o in odds)
    return Tone(negative, neutral, positive)
