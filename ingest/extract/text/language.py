"""The language of a text, told by its script; between languages of one script by their commonest words.

Chinese and English are told apart by the share of Chinese characters alone, which needs no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA: Final = re.compile(r"[\u3041-\u30ff\uff66-\uff9d]")
_HANGUL: Final = re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")
_LATIN: Final = re.compile(r"[A-Za-z\u00c0-\u024f]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_WORDS: Final = {
    "en": "the of and to in for on is by with from at after as its has said will are over",
    "de": "der die das und von zu mit den ist auf für im nach dem des ein eine wird bei aus",
    "fr": "le la les des et du en un une pour dans sur est par au aux qui avec ses a",
    "es": "el la los las de y en que un una por para con del se su al es más tras",
    "it": "il lo gli di e che un una per con del della dei nel sono alla dal è anche",
}
_COMMON: Final = {language: frozenset(words.split()) for language, words in _WORDS.items()}
CHINESE: Final = 0.3
"""Least share of Chinese characters among the letters of a Chinese text: one of them says as much as three letters."""


def chinese(text: str) -> float:
    """Share of Chinese characters among the letters, 0 for a text without letters and for Japanese."""
    letters = len(_LETTER.findall(text))
    han = len(_HAN.findall(text))
    return 0.0 if not han or 10 * len(_KANA.findall(text)) > han else han / letters


def language(text: str) -> str:
    """ISO 639-1 code, "" where script and words do not tell."""
    letters = len(_LETTER.findall(text))
    if not letters:
        return ""
    if chinese(text) >= CHINESE:
        return "zh"
    for code, script in (("ja", _KANA), ("ko", _HANGUL)):
        if len(script.findall(text)) > 0.1 * letters:
            return code
    return _latin(text) if len(_LATIN.findall(text)) > 0.5 * letters else ""


def _latin(text: str) -> str:
    """English unless the words of another language are more; a headline may hold none of any."""
    words = re.findall(r"[a-zà-ɏ]+", text[:5000].lower())
    counts = {language: sum(word in common for word in words) for language, common in _COMMON.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > counts["en"] + 1 else "en"


def lines(text: str) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each line that is not empty, and whether it is Chinese."""
    for match in re.finditer(r"[^\n]+", text):
        yield match.start(), match.end(), chinese(match[0]) >= CHINESE
