"""Answers: the passages that answer a question best, in their own words, or none where none does.

Nothing is written that no document says. Each passage has the probability of answering, by a logistic function of five
measures: likeness of meaning (sentence vectors), how far that stands out of its document, the share of the question's
words that it has, whether it has the kind of thing asked for (a number, a time, a name), and whether the document knows
the names in the question. Below a threshold nothing is answered.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from kg.errors import KgRiskError
from kgrisk.passages import Passage

WEIGHTS: Final = (3.8, 5.6, 3.6, 0.9, -1.2)
"""Of likeness, how far it stands out, words shared, kind of thing, names unknown; fitted on the questions marked
`tuned` of benchmarks/ingest/speech_questions.tsv (`python -m benchmarks.ingest.speech_questions`)."""
BIAS: Final = -5.4
THRESHOLD: Final = 0.3
"""Least probability of an answer."""
CLOSE: Final = 300
"""Passages whose meaning is compared; where there are more, those that share most words."""
SAME: Final = 75.0
"""Least likeness of a name asked for and one that is written or heard, 0 to 100."""
_SILENT: Final = frozenset(
    re.findall(
        r"\w+",
        "a about all an and any are as at be been by can could did do does for from had has have how if in into is it "
        "its many may might more most much must no not of off on one or our out said say should so some such than that "
        "the their them there these they this those to under until up us was we were what when where which who whom "
        "whose why will with would you your long large far often quickly please tell me",
    )
)
_NUMBERS: Final = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|million|billion|half|halved|doubled|twice|third|quarter|fifth|tenth)\b"
)
_TIMES: Final = (
    r"\b(?:19|20)\d\d\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|spring|summer|autumn|winter|today|tomorrow|yesterday|"
    r"(?:next|last|this) (?:year|month|week|quarter)|days?|weeks?|months?|years?|quarter)\b"
)
_KINDS: Final = (
    (re.compile(r"\b(?:when|what (?:day|date|year|month))\b", re.I), re.compile(_TIMES, re.I)),
    (
        re.compile(
            r"\bhow (?:much|many|large|high|big|long|quickly|old|far)\b|"
            r"\bwhat (?:\w+ ){0,3}(?:share|amount|price|rate|cost|fee)\b|\bcosts?\b",
            re.I,
        ),
        re.compile(_NUMBERS, re.I),
    ),
    (
        re.compile(r"\b(?:who|whom|which (?:bank|company|firm|supplier|customer)|name of)\b", re.I),
        re.compile(r"\w\W+[A-Z]"),
    ),
)
"""What a question asks for, and what a passage that has it looks like."""
_ABOUT: Final = re.compile(r"what .*\b(?:say|said|says|tell|told|mention\w*) (?:us )?(?:about|of|on) (.+)", re.I)
_NAME: Final = re.compile(r"[A-Z][\w'’.-]*(?:\s+[A-Z][\w'’.-]*)*")
Vectors = Callable[[Sequence[str]], Sequence[Any]]
"""Vectors of unit length of some texts, None for one that has none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A passage and how likely it answers."""

    passage: Passage
    score: float

    @property
    def seconds(self) -> tuple[float, float] | None:
        """From when to when it is said or since when it is shown; None in what does not play."""
        if heard := re.search(r"\btime:(\d+\.\d\d)-(\d+\.\d\d)", self.passage.locator):
            return float(heard[1]), float(heard[2])
        if shown := re.search(r"\bframe:(\d+\.\d\d)", self.passage.locator):
            return float(shown[1]), float(shown[1])
        return None


def answers(question: str, passages: Sequence[Passage], vectors: Vectors, most: int = 3) -> list[Answer]:
    """The passages that answer, best first; none where no passage is likely enough. KgRiskError for no question."""
    found = ranked(question, passages, vectors)
    return [answer for answer in found if answer.score >= THRESHOLD][:most]


def ranked(question: str, passages: Sequence[Passage], vectors: Vectors) -> list[Answer]:
    """Passages with their probability of answering, best first."""
    if not words(question):
        raise KgRiskError(f"{question!r} asks for nothing; write a question of some words")
    near = nearest(topic(question), passages)
    rows = measures(question, near, vectors)
    scores = [1 / (1 + math.exp(-float(z))) for z in rows @ np.asarray(WEIGHTS) + BIAS]
    found = [Answer(passage, round(score, 4)) for passage, score in zip(near, scores, strict=True)]
    return sorted(found, key=lambda answer: (-answer.score, answer.passage.document, answer.passage.locator))


def nearest(question: str, passages: Sequence[Passage], most: int = CLOSE) -> list[Passage]:
    """Those that share most of the rare words of the question, each text of a document once, in their order."""
    once = list({(p.document, p.quote): p for p in reversed(passages)}.values())[::-1]
    if len(once) <= most:
        return once
    shares = shared(question, [words(p.quote) for p in once])
    best = sorted(range(len(once)), key=lambda row: (-shares[row], len(once[row].quote), row))[:most]
    return [once[row] for row in sorted(best)]


def measures(question: str, passages: Sequence[Passage], vectors: Vectors) -> NDArray[np.float64]:
    """The five measures of each passage."""
    if not passages:
        return np.zeros((0, len(WEIGHTS)))
    asked, *given = vectors([topic(question), *(p.quote for p in passages)])
    alike = np.array([0.0 if asked is None or v is None else float(np.dot(asked, v)) for v in given])
    own: dict[str, list[int]] = defaultdict(list)
    for row, passage in enumerate(passages):
        own[passage.document].append(row)
    mean, strange = np.zeros(len(passages)), np.zeros(len(passages))
    for rows in own.values():
        mean[rows] = alike[rows].mean()
        strange[rows] = _strange(question, " ".join([passages[rows[0]].title, *(passages[r].quote for r in rows)]))
    kind = [_kind(question, p.quote) for p in passages]
    shares = shared(topic(question), [words(p.quote) for p in passages])
    return np.column_stack([alike, alike - mean, shares, kind, strange])


def topic(question: str) -> str:
    """What a question is about: `the loan` of `what did the bank say about the loan?`, as nobody's words name him."""
    match = _ABOUT.match(question.strip())
    return match[1] if match and words(match[1]) else question


def words(text: str) -> frozenset[str]:
    """Words that carry meaning, in small letters."""
    return frozenset(
        w for w in re.findall(r"[^\W_]+", text.lower()) if w not in _SILENT and (len(w) > 1 or w.isdigit())
    )


def shared(question: str, given: Sequence[frozenset[str]]) -> list[float]:
    """Share of the question's words that each text has, rare ones counting more (inverse document frequency)."""
    asked = sorted(words(question))
    counts = Counter(word for text in given for word in text)
    alike: Mapping[str, set[str]] = {word: {other for other in counts if same(word, other)} for word in asked}
    texts = {word: sum(1 for text in given if alike[word] & text) for word in asked}
    weight = {word: math.log(1 + len(given) / (1 + texts[word])) for word in asked}
    whole = sum(weight.values()) or 1.0
    return [sum(weight[word] for word in asked if alike[word] & text) / whole for text in given]


def same(a: str, b: str) -> bool:
    """True for two forms of a word: they begin alike for at least four letters and 0.65 of the longer one."""
    if a == b:
        return True
    common = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return common >= max(4, 0.65 * max(len(a), len(b)))


def _kind(question: str, quote: str) -> float:
    """1 if the quote has the kind of thing asked for, -1 if it lacks it, 0 if no kind is asked for."""
    for asks, has in _KINDS:
        if asks.search(question):
            return 1.0 if has.search(quote) else -1.0
    return 0.0


def _strange(question: str, text: str) -> float:
    """Share of the names in the question that the document does not know, however they are spelt or misheard."""
    named = names(question)
    known = re.sub(r"[\W_]+", "", text.lower())
    unknown = [n for n in named if fuzz.partial_ratio(re.sub(r"[\W_]+", "", n.lower()), known) < SAME]
    return len(unknown) / len(named) if named else 0.0


def names(question: str) -> list[str]:
    """Runs of words in capitals, but for the question's first word where it opens the question."""
    found: Iterable[re.Match[str]] = _NAME.finditer(question)
    runs = []
    for match in found:
        run = match[0].split()
        run = run[1:] if match.start() == len(question) - len(question.lstrip()) else run
        runs += [" ".join(run)] if run else []
    return [run for run in runs if words(run)]
