"""Tone is how a sentence speaks of one of the names in it: the probabilities of negative, neutral and positive.

Each name is judged for itself: it is masked (`<e>`), the other names of the sentence are masked otherwise (`<o>`), and
the words around it count with their side, their distance and the clause they stand in. So of two firms in one headline
one can be praised and the other blamed, and no name has a tone of its own. The features are hashed; a multinomial
logistic regression weighs them (its weights were fitted by `ingest.extract.prose.tone_fit`).
"""

from __future__ import annotations

import json
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.extract.text.lexicon import words
from ingest.extract.text.names import Mention
from ingest.extract.text.sentences import sentences
from kg.errors import SourceError

CLASSES: Final = ("negative", "neutral", "positive")
BUCKETS: Final = 1 << 16
"""Number of weights per class; a feature's bucket is its crc32 modulo this."""
WEIGHTS: Final = Path(__file__).parent / "weights" / "tone.bin"
"""One line of JSON (what it is, where it is from, scale, intercepts), then BUCKETS x 3 signed bytes."""
FIELDS: Final = 4.0
"""Length of a feature vector."""
_HEADLINE: Final = 2.0
"""Weight of a headline beside a sentence of the body."""

_TOKEN: Final = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’&-][^\W\d_]+)*|%|[;:,.?!\"“”()$|/-]")
_ENDING: Final = re.compile(r"(?:ings?|ed|es|s|ly|ers?)$")
_NEGATORS: Final = words(
    "no not never nor without fail fails failed unlikely hardly deny denies denied cannot neither avoid avoids avoided "
    "dismiss dismisses dismissed averts averted"
)
_REACH: Final = 4
"""How many words a negator turns."""
_WALLS: Final = frozenset({";", "but", "while", "whereas", ":", "|", "?"})
_FENCES: Final = frozenset(
    {*_WALLS, ",", "as", "although", "though", "despite", "after", "amid", "on", "-", "vs", "versus", "over", "against"}
    | {"and", "even"}
)


@dataclass(frozen=True, slots=True)
class Tone:
    """Calibrated probabilities that a text speaks ill, plainly or well of a name."""

    negative: float
    neutral: float
    positive: float

    @property
    def value(self) -> float:
        """-1 (ill) to 1 (well): the expected sign."""
        return self.positive - self.negative

    @property
    def label(self) -> str:
        """The likeliest of CLASSES."""
        return max(CLASSES, key=lambda name: getattr(self, name))

    @property
    def confidence(self) -> float:
        """Probability of the likeliest class."""
        return max(self.negative, self.neutral, self.positive)


@dataclass(frozen=True, eq=False)
class Weights:
    """A fitted regression: BUCKETS x 3 signed bytes that `scale` turns into weights, and three intercepts."""

    table: NDArray[np.int8]
    scale: float
    intercepts: tuple[float, ...]
    about: Mapping[str, Any]
    """Where it is from and under which licence."""

    def to_bytes(self) -> bytes:
        head = {"about": dict(self.about), "intercepts": list(self.intercepts), "scale": self.scale}
        return json.dumps(head, sort_keys=True).encode() + b"\n" + self.table.tobytes()

    @classmethod
    def of(cls, content: bytes, path: str = "weights") -> Weights:
        """SourceError if the bytes are no such file."""
        line, _, body = content.partition(b"\n")
        try:
            head = json.loads(line)
            table = np.frombuffer(body, np.int8).reshape(BUCKETS, len(CLASSES))
            return cls(table, float(head["scale"]), tuple(map(float, head["intercepts"])), head["about"])
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f"{path}: no weights of tone ({error}); expected a line of JSON and {BUCKETS * len(CLASSES)} bytes: "
                "install the package again"
            ) from error

    @cached_property
    def _reals(self) -> NDArray[np.float32]:
        return self.table.astype(np.float32) * np.float32(self.scale)

    def judge(self, buckets: NDArray[np.int64]) -> Tone:
        """Softmax of the weights summed over the features present."""
        logits = self._reals[buckets].sum(axis=0) * (FIELDS / len(buckets) ** 0.5) + np.array(self.intercepts)
        odds = np.exp(logits - logits.max())
        negative, neutral, positive = (float(p) for p in odds / odds.sum())
        return Tone(negative, neutral, positive)


def tone(text: str, spans: Sequence[tuple[int, int]]) -> list[Tone]:
    """How a sentence or headline speaks of each name; give all names of it, for each is read beside the others."""
    return [_weights().judge(buckets(text, spans, which)) for which in range(len(spans))]


Judge = Callable[[str, Sequence[tuple[int, int]]], list[Tone]]
"""What tells how a sentence speaks of each of the names in it, such as `tone`."""


def tone_towards(
    text: str,
    mentions: Sequence[Mention],
    headline: bool = True,
    cut: Iterable[tuple[int, int, Judge]] | None = None,
) -> dict[str, tuple[Mention, Tone]]:
    """How a whole text speaks of each entity: the mean over the sentences that name it, a headline counting twice.

    With it comes the mention whose sentence leans most. `headline` tells whether the first line is one; `cut` is the
    sentences with who judges each, by default all of them as English.
    """
    title = text.find("\n") if headline else -1
    heard: dict[str, list[tuple[float, Mention, Tone]]] = defaultdict(list)
    for start, end, judge in ((*span, tone) for span in sentences(text)) if cut is None else cut:
        inside = [m for m in mentions if start <= m.start and m.end <= end]
        told = judge(text[start:end], [(m.start - start, m.end - start) for m in inside])
        weight = _HEADLINE if end <= title else 1.0
        for m, judged in zip(inside, told, strict=True):
            heard[m.id].append((weight, m, judged))
    return {id: _mean(said) for id, said in heard.items()}


def _mean(said: Sequence[tuple[float, Mention, Tone]]) -> tuple[Mention, Tone]:
    total = sum(weight for weight, _, _ in said)
    parts = (sum(weight * getattr(told, name) for weight, _, told in said) / total for name in CLASSES)
    most = max(said, key=lambda one: (abs(one[2].value), -one[1].start))[1]
    return most, Tone(*parts)


@lru_cache(maxsize=1)
def _weights() -> Weights:
    try:
        return Weights.of(WEIGHTS.read_bytes(), str(WEIGHTS))
    except OSError as error:
        raise SourceError(f"{WEIGHTS} cannot be read ({error.strerror}); install the package again") from error


def buckets(text: str, spans: Sequence[tuple[int, int]], which: int) -> NDArray[np.int64]:
    """The hashed features of one name, each once, in order."""
    return np.array(sorted({zlib.crc32(f.encode()) % BUCKETS for f in features(text, spans, which)}), np.int64)


def features(text: str, spans: Sequence[tuple[int, int]], which: int) -> Iterator[str]:
    """What is said around the name spans[which], as words with their place."""
    tokens = _masked(text, spans, which)
    at, turned = tokens.index("<e>"), _turned(tokens)
    wide, close = _between(tokens, at, _WALLS), _between(tokens, at, _FENCES)
    for i, word in enumerate(turned):
        yield from _of_word(word, i - at, wide[0] <= i < wide[1], close[0] <= i < close[1])
        yield from _of_sequence(turned[i : i + 3], wide[0] <= i and i + 1 < wide[1])
    yield from ("after " + " ".join(turned[at : at + n]) for n in (2, 3))
    yield from ("before " + " ".join(turned[max(0, at - n) : at + 1]) for n in (1, 2))
    yield from _of_frame(tokens, at)


def _of_word(word: str, offset: int, wide: bool, close: bool) -> Iterator[str]:
    side = "left" if offset < 0 else "right"
    yield f"any {word}"
    yield f"{side} {word}"
    if wide:
        yield f"clause {word}"
    if close:
        yield f"phrase {word}"
    if 0 < abs(offset) <= 3:
        yield f"{side} near {word}"


def _of_sequence(following: Sequence[str], wide: bool) -> Iterator[str]:
    if len(following) > 1:
        yield "pair " + " ".join(following[:2])
        if wide:
            yield "clause pair " + " ".join(following[:2])
    if len(following) > 2:
        yield "three " + " ".join(following)
        yield f"around {following[0]} {following[2]}"


def _of_frame(tokens: Sequence[str], at: int) -> Iterator[str]:
    """Where in the sentence the name stands: who speaks comes after a colon, what is asked ends with its mark."""
    yield f"first {at == 0}"
    yield f"last {at == len(tokens) - 1}"
    yield f"colons {':' in tokens[:at]} {':' in tokens[at:]}"
    yield f"others {min(3, tokens.count('<o>'))} {tokens[:at].count('<o>')}"
    yield f"asked {'?' in tokens}"


def _masked(text: str, spans: Sequence[tuple[int, int]], which: int) -> list[str]:
    """Tokens in small letters, names and numbers masked; names that overlap the one judged are part of it."""
    mine = spans[which]
    others = sorted(s for s in spans if s[1] <= mine[0] or mine[1] <= s[0])
    tokens: list[str] = []
    end = 0
    for span in sorted([mine, *others]):
        if span[0] < end:
            continue
        tokens += _TOKEN.findall(text[end : span[0]].lower())
        tokens.append("<e>" if span == mine else "<o>")
        end = span[1]
    tokens += _TOKEN.findall(text[end:].lower())
    return ["<n>" if t[0].isdigit() else t for t in tokens]


def _turned(tokens: Sequence[str]) -> list[str]:
    """Stems, those within reach of a negator marked as turned."""
    found, reach = [], 0
    for token in tokens:
        stem = _stem(token) if token[0].isalpha() else token
        if token in _NEGATORS or token.endswith(("n't", "n’t")):
            reach = _REACH
            found.append(stem)
            continue
        reach = 0 if token in _WALLS or token == "," else reach  # noqa: S105  # a token of text
        found.append("~" + stem if reach and token[0].isalpha() else stem)
        reach = max(0, reach - 1)
    return found


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    """A word without its ending, roughly: `rises`, `rising` and `rise` are one."""
    stem = _ENDING.sub("", word) if len(word) > 3 else word
    if len(stem) < 3:
        return word
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lse":
        stem = stem[:-1]
    return stem[:-1] if len(stem) > 3 and stem.endswith(("e", "i", "y")) else stem


def _between(tokens: Sequence[str], at: int, marks: frozenset[str]) -> tuple[int, int]:
    """The stretch around a token up to the next of these marks on either side."""
    start = next((i + 1 for i in range(at - 1, -1, -1) if tokens[i] in marks), 0)
    end = next((i for i in range(at + 1, len(tokens)) if tokens[i] in marks), len(tokens))
    return start, end
