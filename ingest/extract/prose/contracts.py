"""Contracts: the parties a text defines (`Acme AG (the "Borrower")`), and what a clause binds one of them to do.

Clauses are read by their formulas, which contracts keep to: party, `shall`, what to do, `to` whom, by when, on which
condition. A segment reaches from one party that shall do something to the next. What one may do, or shall not, or need
not, is no duty to do; a clause that names no second party binds the first to the only other one, less surely.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ingest.extract.text.names import Mention
from ingest.extract.text.quantities import Moment, Money, dates, money
from ingest.extract.text.sentences import sentences

_REACH: Final = 320
"""Characters between a name and the brackets that define it: seat, register number, who acts for it."""
_BRACKETS: Final = re.compile(
    r"\((?:[^()“\"”]{0,60}\s)?(?:the\s+|each\s+an?\s+|an?\s+)?"
    r"[“\"'‘](?:the\s+)?([A-Z][\w\- ]{1,38}?)[”\"'’][^()]{0,60}\)"
)
_AS: Final = re.compile(
    r",?\s+(?:acting\s+)?as\s+(?:the\s+)?((?:sole |original )?(?:borrower|lender|guarantor|seller|buyer|purchaser|"
    r"vendor|supplier|customer|issuer|licensor|licensee|lessor|lessee|landlord|tenant|agent|trustee|contractor|client))\b",
    re.I,
)
_SEVERAL: Final = re.compile(r"(?:[a-z]s|ties)$")
"""A term in the plural stands for more than the name before it."""
_MODAL: Final = (
    r"(?:shall|must|will|(?:hereby |irrevocably |unconditionally )*(?:undertakes?|agrees?|covenants?|promises?)"
    r"(?: and (?:undertakes?|agrees?|covenants?))?(?: with [^,;]{3,40}?)? to|"
    r"(?:is|are|shall be) (?:obliged|obligated|required|bound) to)"
)
_DOES: Final = re.compile(rf",?\s*(?:[^.;:]{{0,160}}?,\s+)?(?:each |jointly and severally )?{_MODAL}\s+", re.S)
_DONE: Final = re.compile(r"\b(?:shall|must|will|is to|are to) be (\w+)\b")
_NO_DUTY: Final = re.compile(
    r"(?:not|be entitled|be deemed|have the (?:right|option)|be (?:relieved|released|discharged)|mean|never|cease|"
    r"survive|have no|be (?:not )?liable|not be)\b"
)
_WHOM: Final = (
    r"(?:to|unto|in favou?r of|for the (?:benefit|account) of|with|from|upon|indemnify|reimburse|pay|compensate|notify)"
)
_DUE: Final = re.compile(
    r"(?:on or before|on or prior to|not later than|no later than|at the latest by|by|until|on|due(?: on)?)\s+"
    r"(?:the\s+)?$"
)
_WITHIN: Final = re.compile(
    r"within (?:[a-z\-]+ \()?(\d{1,3})\)? (calendar |business )?(day|week|month)s? (?:of|after|from|following) "
    r"(?:the )?(?:date (?:of (?:this|the) \w+|hereof)|effective date|signing)",
    re.I,
)
_DATED: Final = re.compile(
    r"(?:dated|made|entered into|effective)(?: as)?(?: of| on)?\s+(?:the\s+)?(?=\d|[A-Z][a-z]+ \d)"
)
_CONDITION: Final = re.compile(
    r"\b(?:if|unless|provided that|subject to|upon|in the event (?:that|of)|to the extent that|as long as|so long as|"
    r"following|when)\b[^.;]*",
    re.I,
)
_LEAD: Final = re.compile(rf"{_MODAL}\s*:$")
_ITEM: Final = re.compile(r"\((?:[a-z]{1,2}|[ivx]+|\d{1,2})\)\s+")
_NUMBER: Final = re.compile(r"(?:(?:Section|Clause|Article)\s+)?(\d{1,2}(?:\.\d{1,2}){0,3}|§\s?\d+)[.)]?\s")


@dataclass(frozen=True, slots=True)
class Duty:
    """What one clause binds a party to do for another; `text[start:end]` is the clause."""

    obligor: Mention
    obligee: Mention
    start: int
    end: int
    clause: str
    """Number of the clause as printed, "" if it has none."""
    sum: Money | None
    due: datetime | None
    since: datetime | None
    """Date of the contract, where it says one."""
    condition: str
    named: bool
    """False if the obligee is only the other party of two."""


def parties(text: str, names: Sequence[Mention]) -> dict[str, Mention]:
    """Defined term in small letters -> the name it stands for; empty unless a text defines two."""
    found: dict[str, Mention] = {}
    nexts = [*(m.start for m in names[1:]), len(text)]
    for m, after in zip(names, nexts, strict=False):
        stop = min(m.end + _REACH, after)
        match = _BRACKETS.search(text, m.end, stop) or _AS.match(text, m.end, stop)
        if (
            match
            and len(match[1].split()) <= 4
            and not _SEVERAL.search(match[1])
            and match[1].lower() != m.name.lower()
        ):
            found.setdefault(match[1].lower(), m)
    return found if len({m.id for m in found.values()}) > 1 else {}


def uses(text: str, terms: dict[str, Mention]) -> list[Mention]:
    """Each use of a defined term, with its article, as a mention of who it stands for."""
    if not terms:
        return []
    written = "|".join(sorted((re.escape(t) for t in terms), key=len, reverse=True))
    found = []
    for match in re.finditer(rf"(?<![\w“\"'‘])(?:(?i:the)\s+)?((?i:{written}))(?![\w”\"'’])", text):
        if match[1][0].isupper():
            meant = terms[match[1].lower()]
            found.append(replace(meant, start=match.start(), end=match.end(), text=match[0]))
    return found


def duties(text: str, terms: dict[str, Mention], mentions: Sequence[Mention], published: datetime) -> Iterator[Duty]:
    """Duties of the contract's clauses in the order of the text; `mentions` are all names and uses of terms in it."""
    sides = {m.id: m for m in terms.values()}
    named = sorted((m for m in mentions if m.id in sides), key=lambda m: m.start)
    contract = _Contract(text, sides, named, published, _since(text, published))
    clause, lead = "", None
    for start, end in sentences(text):
        sentence = text[start:end]
        if number := _NUMBER.match(sentence + " "):
            clause = number[1]
        inside = [m for m in named if start <= m.start and m.end <= end]
        item = _ITEM.match(sentence)
        lead = lead if item else None
        if _LEAD.search(sentence) and inside:
            lead = inside[0]
            continue
        for bound in contract.bound((start, end), inside, lead):
            if duty := contract.duty(bound, (start, end), inside, clause):
                yield duty


@dataclass(frozen=True, slots=True)
class _Bound:
    """A party and the segment of a sentence that says what it shall do."""

    obligor: Mention
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Contract:
    """A text with its parties."""

    text: str
    sides: dict[str, Mention]
    named: Sequence[Mention]
    published: datetime
    since: datetime | None

    def bound(self, span: tuple[int, int], inside: list[Mention], lead: Mention | None) -> list[_Bound]:
        """Who is bound in a sentence: by `shall`, by a passive, or by the sentence that leads in its list."""
        starts = [(m, match.end()) for m in inside if (match := _DOES.match(self.text, m.end, span[1]))]
        starts = [
            (m, at) for m, at in starts if not any(m.end <= o.start < at and (o, at) in starts for o, _ in starts)
        ]
        if lead and not starts and (item := _ITEM.match(self.text, *span)):
            starts = [(lead, item.end())]
        if not starts and (done := _DONE.search(self.text, *span)):
            by = [m for m in inside if self.text[max(span[0], m.start - 4) : m.start].lower() == " by "]
            starts = [(m, done.start(1)) for m in by[:1]]
        stops = [*(m.start for m, _ in starts[1:]), span[1]][: len(starts)]
        bounds = [_Bound(m, at, stop) for (m, at), stop in zip(starts, stops, strict=True)]
        return [b for b in bounds if b.end > b.start and not _NO_DUTY.match(self.text, b.start, b.end)]

    def duty(self, bound: _Bound, span: tuple[int, int], inside: list[Mention], clause: str) -> Duty | None:
        """What the segment says; None where nobody can be whom it is owed to."""
        whole = bound.obligor.start >= bound.start  # a passive names its party behind
        first = not any(m.start < bound.obligor.start for m in inside)
        left = span[0] if whole or first else bound.obligor.start
        obligee, named = self._obligee(bound, inside, span if whole else (bound.start, bound.end))
        if obligee is None:
            return None
        scope = span if len([m for m in inside if m.start > bound.end]) == 0 else (left, bound.end)
        amounts = money(self.text[bound.start : bound.end]) or (money(self.text[slice(*span)]) if whole else [])
        due = self._due((left, span[1] if whole else bound.end))
        condition = _condition(self.text[slice(*scope)])
        sum_ = amounts[0] if amounts else None
        return Duty(bound.obligor, obligee, *span, clause, sum_, due, self.since, condition, named)

    def _obligee(self, bound: _Bound, inside: list[Mention], scope: tuple[int, int]) -> tuple[Mention | None, bool]:
        """Whom the segment names behind `to`, `in favour of` or its verb; else the only other party."""
        others = [m for m in inside if m.id != bound.obligor.id and scope[0] <= m.start and m.end <= scope[1]]
        for m in others:
            if re.search(rf"{_WHOM}\s+(?:each of )?$", self.text[max(scope[0], m.start - 30) : m.start], re.I):
                return m, True
        if others and others[0].start - bound.start < 24:  # pay the Lender
            return others[0], True
        rest = [m for id, m in self.sides.items() if id != bound.obligor.id]
        if len(rest) != 1:
            return None, False
        return (others[0] if others else rest[0]), False

    def _due(self, scope: tuple[int, int]) -> datetime | None:
        """The day by which it is to be done, where it is a day or counted from the date of the contract."""
        segment = self.text[slice(*scope)]
        found: list[Moment] = dates(segment, self.published)
        for day in found:
            if _DUE.search(segment[: day.start].lower()):
                return day.when
        within = _WITHIN.search(segment)
        if not within or self.since is None or within[2] or within[3].lower() == "month":
            return None  # business days and months are counted by calendars that the clause may define
        return self.since + timedelta(days=int(within[1]) * (7 if within[3].lower() == "week" else 1))


def _condition(clause: str) -> str:
    """The first condition of a clause as written, without the duty that follows it."""
    match = _CONDITION.search(clause)
    if not match:
        return ""
    said = re.split(rf",\s+(?:then\s+)?(?=(?:the|each|such)?\s*[A-Z][\w ]{{2,40}}? {_MODAL})", match[0])[0]
    return re.sub(r"\s+", " ", said).strip(" ,")


def _since(text: str, published: datetime) -> datetime | None:
    """The date the contract bears, said once near its beginning."""
    match = _DATED.search(text[:3000])
    found = dates(text[match.end() : match.end() + 40], published) if match else []
    return found[0].when if found and found[0].start == 0 else None
