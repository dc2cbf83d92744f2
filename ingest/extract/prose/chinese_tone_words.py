"""Words of Chinese financial news that speak well or ill of a firm, and those that turn, open or direct them.

The lists are ours and stand in `weights/chinese_tone.tsv`: a kind of KINDS, a tab, words; `upon -1 1` is for verbs by
what they mean for who does them and to whom it is done. A word counts with the longest entry that holds it, so
不良率 is not 不良, and 不锈钢 not 不.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from kg.errors import SourceError

FILE: Final = Path(__file__).parent / "weights" / "chinese_tone.tsv"
KINDS: Final[Mapping[str, str]] = {
    "good": "speaks well",
    "bad": "speaks ill",
    "up": "something grows",
    "down": "something shrinks",
    "burden": "what it is bad to have more of",
    "ill": "a burden that speaks ill by being named",
    "escape": "leaves the bad thing behind that follows",
    "cleared": "clears the bad thing that stands before",
    "negator": "turns what follows",
    "unable": "a negator that speaks ill even where nothing good or bad follows",
    "nothing": "says of a thing that there is none of it, without praise",
    "denial": "takes back what is said ill in the sentence",
    "speech": "what comes after is said of whom it names, else of the speaker",
    "plain": "a longer word that holds one of the others and says nothing",
    "wish": "what it is ill to have refused",
    "refused": "refuses a wish",
    "spoiler": "makes ill of a good thing behind it",
    "upon": "is done by one to another",
}


@dataclass(frozen=True, eq=False)
class Words:
    """The lists, as one pattern and what each word is."""

    kinds: Mapping[str, frozenset[str]]
    upon: Mapping[str, tuple[int, int]]
    """What a verb means for who does it and to whom it is done: -1, 0 or 1."""
    pattern: re.Pattern[str]
    speech: re.Pattern[str]


@lru_cache(maxsize=1)
def lists() -> Words:
    """The shipped lists, read once in a process."""
    try:
        return words_of(FILE.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{FILE} cannot be read ({error}); install the package again") from error


def words_of(text: str) -> Words:
    """Lists of a file's text. SourceError for a line of another form."""
    kinds: dict[str, frozenset[str]] = {}
    upon: dict[str, tuple[int, int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            continue
        head, _, written = line.partition("\t")
        kind, *meant = head.split()
        if kind not in KINDS or not written.strip() or (kind == "upon") != (len(meant) == 2):
            raise SourceError(
                f"{FILE.name} line {number}: {line[:40]!r}; expected a kind ({', '.join(KINDS)}), a tab and words"
            )
        for word in written.split():
            kinds[word] = kinds.get(word, frozenset()) | {kind}
            if meant:
                upon[word] = (int(meant[0]), int(meant[1]))
    spoken = [word for word, of in kinds.items() if "speech" in of]
    return Words(kinds, upon, _any(word for word in kinds if kinds[word] != {"speech"}), _any(spoken))


def _any(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))))
