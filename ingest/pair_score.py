"""Pair score: how likely two written names are one entity's, from 0 to 1, as a sum whose every part has a name.

Words of the two names are assigned to each other so that their likeness is greatest (Kuhn-Munkres); each pair gives its
likeness times its share of all the weight, rare words weighing most. What contradicts (a word of each name left
without a partner, other numbers, other legal forms) is taken away. The parts add up to the score.

All weights are set by hand; nothing here is fitted to labelled pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from ingest import legal_forms
from ingest.pair_words import Spelt, spelt
from ingest.word_likeness import Likeness, likeness

Kind = Literal["firm", "person"]
Weigh = Callable[[str], float]
"""Weight of a word; `ingest.word_weights` learns one from a register."""

CONFLICT: Final[dict[Kind, float]] = {"firm": 0.22, "person": 0.22}
"""Taken away where each name has a telling word that the other lacks."""
EXTRA: Final[dict[Kind, float]] = {"firm": 1.0, "person": 0.35}
"""How much of its weight a word counts that only one name has: people drop middle names, firms seldom drop words."""
FORM_CLASH: Final = 0.1
NUMBER_CLASH: Final = 0.12
SERIES: Final = 0.12
"""One name has a number that the other lacks."""
TELLING: Final = 0.35
"""Least weight of a word that tells who is meant."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a score."""

    feature: str
    contribution: float


@dataclass(frozen=True, slots=True)
class PairScore:
    """A score and what it is made of."""

    value: float
    reasons: tuple[Reason, ...]
    """Their contributions add up to the value."""
    clashes: frozenset[str]
    """What contradicts: `words`, `numbers`, `form`. A score is never so high that these may be overlooked."""

    def told(self) -> str:
        """The reasons in one line, the weightiest first."""
        parts = sorted(self.reasons, key=lambda r: (-abs(r.contribution), r.feature))
        return "; ".join(f"{r.feature} {r.contribution:+.2f}" for r in parts)


def pair_score(a: str, b: str, kind: Kind = "firm", weigh: Weigh | None = None) -> PairScore:
    """The score of two names. `weigh` gives each word its weight, else a small table built in does."""
    whole = compare(spelt(a, kind), spelt(b, kind), kind, weigh)
    from_han = _native(a, b, kind, weigh)
    return from_han if from_han is not None else whole


def _native(a: str, b: str, kind: Kind, weigh: Weigh | None) -> PairScore | None:
    """Two names in Chinese signs are compared sign by sign: what sounds alike is not yet alike."""
    if a.isascii() or b.isascii():
        return None
    left, right = spelt(a, kind, True), spelt(b, kind, True)
    return compare(left, right, kind, weigh) if left.native and right.native else None


def compare(a: Spelt, b: Spelt, kind: Kind = "firm", weigh: Weigh | None = None) -> PairScore:
    """The score of two names whose words are known."""
    reasons = _aligned(a, b, kind, weigh)
    joined = _joined(a, b)
    if joined and joined[0].contribution > sum(r.contribution for r in reasons):
        reasons = joined
    clashes = frozenset(_CLASH[r.feature.split(" ")[0]] for r in reasons if r.feature.split(" ")[0] in _CLASH)
    total = sum(r.contribution for r in reasons)
    if not 0 <= total <= 1:
        reasons = [*reasons, Reason("kept within 0 and 1", min(max(total, 0.0), 1.0) - total)]
    return PairScore(min(max(total, 0.0), 1.0), tuple(reasons), clashes)


_CLASH: Final = {"conflict": "words", "numbers": "numbers", "series": "numbers", "forms": "form"}


def _aligned(a: Spelt, b: Spelt, kind: Kind, weigh: Weigh | None) -> list[Reason]:
    """The parts of a score by words."""
    left = [_weight(word, n, a, kind, weigh) for n, word in enumerate(a.words)]
    right = [_weight(word, n, b, kind, weigh) for n, word in enumerate(b.words)]
    pairs = assign(a, b, left, right)
    for i, j, like in pairs:
        if like.how in ("typo", "sound"):  # rare only because it is misspelt
            left[i[0]] = right[j[0]] = min(left[i[0]], right[j[0]])
    lone_left = sorted(set(range(len(left))) - {n for i, _, _ in pairs for n in i})
    lone_right = sorted(set(range(len(right))) - {n for _, j, _ in pairs for n in j})
    paired = sum(left[n] for i, _, _ in pairs for n in i) + sum(right[n] for _, j, _ in pairs for n in j)
    lone = [sum(left[n] for n in lone_left), sum(right[n] for n in lone_right)]
    both = min(lone) > 0
    share = 1.0 if both else EXTRA[kind]
    total = paired + share * sum(lone)
    if not total:
        return [Reason("nothing to compare", 0.0)]
    reasons = []
    for i, j, like in pairs:
        weight = sum(left[n] for n in i) + sum(right[n] for n in j)
        words = f"{' '.join(a.words[n] for n in i)} ~ {' '.join(b.words[n] for n in j)}"
        reasons.append(Reason(f"{like.how} {words}", like.value * weight / total))
    return [*reasons, *_against(a, b, kind, [left[n] for n in lone_left], [right[n] for n in lone_right], pairs)]


Group = tuple[tuple[int, ...], tuple[int, ...], Likeness]


def _against(
    a: Spelt, b: Spelt, kind: Kind, left: Sequence[float], right: Sequence[float], pairs: Sequence[Group]
) -> list[Reason]:
    """What speaks against two names, with less than 0 each."""
    found = []
    if max(left, default=0) >= TELLING and max(right, default=0) >= TELLING:
        found.append(Reason("conflict of words", -CONFLICT[kind]))
    if a.numbers != b.numbers:
        either = a.numbers and b.numbers
        found.append(Reason("numbers differ", -NUMBER_CLASH) if either else Reason("series number missing", -SERIES))
    if kind == "firm" and legal_forms.clash(a.forms, b.forms):
        found.append(Reason("forms clash", -FORM_CLASH))
    return found


def _joined(a: Spelt, b: Spelt) -> list[Reason]:
    """The names as one word each: `SergeiLavrov`, `Patr ushev`, `van der bilt`."""
    x, y = "".join(a.words), "".join(b.words)
    if len(a.words) == len(b.words) or min(len(x), len(y)) < 6 or a.numbers != b.numbers:
        return []
    like = likeness(x, y)
    return [Reason(f"joined {x} ~ {y}", like.value * 0.97)] if like.value > 0.8 and like.how != "initial" else []


def _weight(word: str, place: int, name: Spelt, kind: Kind, weigh: Weigh | None) -> float:
    weight = weigh(word) if weigh is not None else name.weights[place]
    if weigh is not None and kind == "person":
        weight = min(weight, name.weights[place])
    return weight


def assign(a: Spelt, b: Spelt, left: Sequence[float], right: Sequence[float]) -> list[Group]:
    """Words of the two names paired so that the likeness, weighed, is greatest."""
    groups: list[Group] = []
    spare_left, spare_right = list(range(len(a.words))), list(range(len(b.words)))
    for i in list(spare_left):
        for j in spare_right:
            if a.words[i] == b.words[j]:
                groups.append(((i,), (j,), _EQUAL))
                spare_left.remove(i)
                spare_right.remove(j)
                break
    if not spare_left or not spare_right:
        return groups
    exact = a.exact | b.exact
    matrix = [
        [_NONE if a.words[i] in exact or b.words[j] in exact else likeness(a.words[i], b.words[j]) for j in spare_right]
        for i in spare_left
    ]
    if len(spare_left) == len(spare_right) == 1:
        chosen = [(0, 0)]
    else:
        chosen = _best([[m.value * (left[i] + right[j]) for m, j in zip(row, spare_right, strict=True)]
                        for row, i in zip(matrix, spare_left, strict=True)])  # fmt: skip
    for row, column in chosen:
        if matrix[row][column].value > 0:
            groups.append(((spare_left[row],), (spare_right[column],), matrix[row][column]))
    rest_left = [i for i in spare_left if all(i not in g[0] for g in groups)]
    rest_right = [j for j in spare_right if all(j not in g[1] for g in groups)]
    return [*groups, *_spelled_out(a, b, rest_left, rest_right)]


_EQUAL: Final = Likeness(1.0, "equal")
_NONE: Final = Likeness(0.0, "")


def _best(gain: list[list[float]]) -> list[tuple[int, int]]:
    """Kuhn-Munkres."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(gain, maximize=True)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _spelled_out(a: Spelt, b: Spelt, left: list[int], right: list[int]) -> list[Group]:
    """A word of one name that several of the other make up: initials (`PLA`), or its parts (`good will`)."""
    for words, other, i, j, turned in ((a.words, b.words, left, right, False), (b.words, a.words, right, left, True)):
        for n in i:
            for start in range(len(j)):
                for end in range(len(j), start + 1, -1):
                    part = [other[k] for k in j[start:end]]
                    how = _made_of(words[n], part)
                    if how is not None:
                        ends: tuple[tuple[int, ...], tuple[int, ...]] = ((n,), tuple(j[start:end]))
                        return [(ends[1], ends[0], how) if turned else (*ends, how)]
    return []


COUNTRIES: Final = frozenset(("us", "uk", "eu", "un"))


@lru_cache(maxsize=1 << 12)
def _acronym(word: str, parts: tuple[str, ...]) -> bool:
    small = {"of", "and", "the", "for", "de", "der", "und", "et"}
    return word in ("".join(p[0] for p in parts), "".join(p[0] for p in parts if p not in small))


def _made_of(word: str, parts: list[str]) -> Likeness | None:
    if (len(word) >= 3 or word in COUNTRIES) and _acronym(word, tuple(parts)):
        return Likeness(0.85, "acronym")
    whole = "".join(parts)
    if whole == word:
        return Likeness(0.97, "parts")
    if min(len(whole), len(word)) >= 6 and likeness(whole, word).how == "typo" and likeness(whole, word).value > 0.8:
        return Likeness(0.85, "parts")
    return None
