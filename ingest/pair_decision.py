"""Pair decision: what is known of two entities weighed into merge, undecided or no.

Identifiers decide first: an equal one merges, a contradicting one vetoes. Then the best pair of names counts, lowered
by countries, dates of incorporation or legal forms that differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from ingest.pair_score import Kind, PairScore, Reason, Weigh, pair_score

Band = Literal["merge", "undecided", "no"]
MERGE: Final = 0.95
"""Least score that merges without being asked."""
UNDECIDED: Final = 0.75
"""Least score that is worth a person's look."""
COUNTRY: Final = 0.12
INCORPORATED: Final = 0.3
UNIQUE: Final = ("lei", "cik", "isin", "cusip")


@dataclass(frozen=True, slots=True)
class Named:
    """A name and when it was in use."""

    text: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What identity can be told from."""

    id: str
    names: Sequence[Named]
    kind: Kind = "firm"
    identifiers: frozenset[str] = frozenset()
    """`scheme:value` of every identifier, its own id among them."""
    countries: frozenset[str] = frozenset()
    incorporated: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision about two entities, with the parts of its score."""

    band: Band
    score: float
    reasons: tuple[Reason, ...]
    vetoes: tuple[str, ...] = field(default=())
    names: tuple[str, str] = ("", "")
    """The two names that were most alike."""

    def told(self) -> str:
        parts = sorted(self.reasons, key=lambda r: (-abs(r.contribution), r.feature))
        return "; ".join([*(f"veto: {v}" for v in self.vetoes), *(f"{r.feature} {r.contribution:+.2f}" for r in parts)])


def decide(a: Profile, b: Profile, weigh: Weigh | None = None) -> Verdict:
    """Merge, undecided or no, and why."""
    if vetoes := contradictions(a, b):
        return Verdict("no", 0.0, (), vetoes)
    if shared := sorted(i for i in a.identifiers & b.identifiers if i.partition(":")[0] in UNIQUE):
        return Verdict("merge", 1.0, (Reason(f"same identifier {shared[0]}", 1.0),))
    best, pair = _best(a, b, weigh)
    if best is None:
        return Verdict("no", 0.0, ())
    reasons = [*best.reasons, *_circumstances(a, b)]
    total = sum(r.contribution for r in reasons)
    if total < 0:
        reasons.append(Reason("kept within 0 and 1", -total))
    score = max(total, 0.0)
    return Verdict(_band(score, best), score, tuple(reasons), (), pair)


def contradictions(a: Profile, b: Profile) -> tuple[str, ...]:
    """Schemes of which each has one identifier, and these differ."""
    found = []
    for scheme in UNIQUE:
        left, right = ({i for i in p.identifiers if i.startswith(f"{scheme}:")} for p in (a, b))
        if left and right and not left & right:
            found.append(f"different {scheme}")
    return tuple(found)


def _best(a: Profile, b: Profile, weigh: Weigh | None) -> tuple[PairScore | None, tuple[str, str]]:
    """The most alike of all their names: aliases, former names and names in other scripts take part."""
    best: PairScore | None = None
    names = ("", "")
    for left in a.names:
        for right in b.names:
            found = pair_score(left.text, right.text, a.kind, weigh)
            if best is None or found.value > best.value:
                best, names = found, (left.text, right.text)
    return best, names


def _circumstances(a: Profile, b: Profile) -> list[Reason]:
    found = []
    if a.countries and b.countries and not a.countries & b.countries:
        found.append(Reason("countries differ", -COUNTRY))
    if a.incorporated and b.incorporated and a.incorporated.date() != b.incorporated.date():
        found.append(Reason("incorporated on other days", -INCORPORATED))
    return found


def _band(score: float, names: PairScore) -> Band:
    if score >= MERGE and not names.clashes:
        return "merge"
    return "undecided" if score >= UNDECIDED and "words" not in names.clashes else "no"
