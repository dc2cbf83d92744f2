"""Transliteration: names of any script as words of Latin letters, so that spellings of one name come near each other.

`anyascii` turns signs into letters one by one; rules before it write what a script spells in groups the way names are
romanised (Ukrainian и, Greek μπ, the Arabic article), and Chinese company words are translated, not sounded out.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from ingest.transliterate_chinese import PLACES, SIMPLIFIED, WORDS

_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA: Final = re.compile(r"[\u3040-\u30ff]")
_HANGUL: Final = re.compile(r"[\uac00-\ud7af]")
_CYRILLIC: Final = re.compile(r"[\u0400-\u052f]")
_GREEK: Final = re.compile(r"[\u0370-\u03ff]")
_UNVOCALISED: Final = re.compile(r"[\u0590-\u05ff\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")
_SPLIT: Final = re.compile(r"[^\w]+|_+")
_DOTTED: Final = re.compile(r"\b(?:\w\.){2,}(?:\w\b)?")
_APOSTROPHES: Final = str.maketrans("", "", "'’‘ʼʻ`´ʹ\u200c\u200d\u200e\u200f\u00ad")
_SIGNS: Final = str.maketrans({"&": " and ", "+": " and ", "@": " at ", "№": " no "})
_SLAVIC: Final = str.maketrans(
    {"х": "kh", "ц": "ts", "щ": "shch", "ч": "ch", "ш": "sh", "ж": "zh", "ю": "yu", "я": "ya", "ё": "yo", "ь": "",
     "ъ": "", "э": "e", "ғ": "gh", "ү": "u", "ұ": "u", "ђ": "dj", "ћ": "c", "љ": "lj", "њ": "nj", "џ": "dz",
     "ј": "j", "қ": "q"}
)  # fmt: skip
_UKRAINIAN: Final = str.maketrans({"и": "y", "і": "i", "ї": "yi", "є": "ye", "г": "h", "ґ": "g"})
_GREEK_PAIRS: Final = (
    ("γχ", "nch"), ("γγ", "ng"), ("γκ", "g"), ("μπ", "b"), ("ντ", "d"), ("ου", "ou"), ("αυ", "av"), ("ευ", "ev"),
    ("ει", "i"), ("οι", "i"), ("αι", "e"), ("η", "i"), ("χ", "ch"), ("φ", "f"), ("υ", "y"), ("ω", "o"),
)  # fmt: skip
_ARABIC: Final = str.maketrans(
    {"ة": "a", "ى": "a", "ئ": "i", "ؤ": "u", "أ": "a", "إ": "i", "آ": "a", "ع": "a", "ء": ""}
)


def script(text: str) -> str:
    """`han`, `kana`, `hangul`, `unvocalised` (Arabic, Hebrew), `cyrillic`, `greek`, or "" for all else."""
    if text.isascii():
        return ""
    tests = (("kana", _KANA), ("han", _HAN), ("hangul", _HANGUL), ("unvocalised", _UNVOCALISED))
    for name, found in (*tests, ("cyrillic", _CYRILLIC), ("greek", _GREEK)):
        if found.search(text):
            return name
    return ""


@lru_cache(maxsize=1 << 17)
def words(text: str) -> tuple[str, ...]:
    """Words of a name in small Latin letters and digits: `S.p.A.` is one word, `O'Neil` too, `&` is `and`."""
    text = unicodedata.normalize("NFKC", text)
    # SAP's is SAP, O'Neil is ONeil: the sign goes, and an s that only marks the possessive with it
    text = re.sub(r"(?<=\w)['’]s\b", "", text, flags=re.IGNORECASE) if "'" in text or "’" in text else text
    text = text.translate(_APOSTROPHES).translate(_SIGNS)
    if "." in text:
        text = _DOTTED.sub(lambda m: m[0].replace(".", "") + " ", text)
    text = text.replace("A/S", "AS").replace("a/s", "as")
    text = latin(text)
    return tuple(word for word in _SPLIT.split(text) if word)


def latin(text: str) -> str:
    """The text in small Latin letters, by the rules of its script."""
    if text.isascii():
        return text.lower()
    from anyascii import anyascii

    kind = script(text)
    text = text.casefold()
    if kind == "cyrillic":
        text = _cyrillic(text)
    elif kind == "greek":
        text = _greek(text)
    elif kind == "unvocalised":
        text = re.sub(r"\bال", "al ", text).translate(_ARABIC)
    elif kind in ("han", "kana"):
        text = translated(text)
    written = str(anyascii(text)).lower().translate(_APOSTROPHES)
    return written.replace("-", "") if kind == "hangul" else written


def _cyrillic(text: str) -> str:
    ukrainian = bool(re.search("[іїєґ]", text))
    text = re.sub(r"[иі]й\b", "y", text)
    text = text.translate(_UKRAINIAN) if ukrainian else text
    return text.translate(_SLAVIC)


def _greek(text: str) -> str:
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    for group, letters in _GREEK_PAIRS:
        text = text.replace(group, letters)
    return text


def segments(text: str) -> list[tuple[str, str]]:
    """(characters, English) of a Chinese name: longest known words first, "" where a run has no translation."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        for size in range(min(6, len(text) - at), 0, -1):
            part = text[at : at + size]
            if (english := WORDS.get(part) or PLACES.get(part)) is not None:
                found.append((part, english))
                break
        else:
            size = 1
            if found and not found[-1][1] and _HAN.match(text[at]) and _HAN.match(found[-1][0][-1]):
                found[-1] = (found[-1][0] + text[at], "")
            else:
                found.append((text[at], ""))
        at += size
    return found


_READ: Final = str.maketrans({"长": "常", "長": "常", "乐": "勒", "曾": "增", "单": "善"})
"""Signs of two readings -> one that only has the reading usual in names."""


def sounded(text: str) -> frozenset[str]:
    """The words of a name that are no more than the sound of Chinese signs: one letter of them is another sign."""
    from anyascii import anyascii

    runs = (run for run, english in segments(text) if not english and _HAN.match(run))
    return frozenset(str(anyascii(run.translate(_READ))).lower() for run in runs)


def translated(text: str) -> str:
    """A Chinese name with its company words and places in English, a run of other signs as one word of pinyin."""
    from anyascii import anyascii

    parts = []
    for run, english in segments(text):
        sound = english or (str(anyascii(run.translate(_READ))).lower() if _HAN.match(run) else run)
        parts.append(f" {sound} " if _HAN.match(run) else sound)
    return "".join(parts)


def signs(text: str) -> str:
    """The Chinese signs (simplified) and Korean syllables of a name without anything else."""
    if text.isascii():
        return ""
    text = unicodedata.normalize("NFKC", text)
    return "".join(c for c in text if _HAN.match(c) or _HANGUL.match(c)).translate(SIMPLIFIED)


_SOUNDS: Final = (
    ("sch", "s"), ("tch", "c"), ("shch", "s"), ("sh", "s"), ("ch", "c"), ("zh", "s"), ("kh", "h"), ("gh", "g"),
    ("ph", "f"), ("th", "t"), ("dh", "d"), ("dj", "j"), ("dzh", "j"), ("ts", "s"), ("tz", "s"), ("ck", "k"),
    ("ce", "se"), ("ci", "si"), ("cy", "si"), ("x", "ks"), ("q", "k"), ("w", "v"), ("z", "s"),
)  # fmt: skip
_VOWELS: Final = str.maketrans("", "", "aeiouyjh")
_STARTS: Final = {**dict.fromkeys("aeiou", "a"), "y": "j", "j": "j", "h": "h"}


@lru_cache(maxsize=1 << 17)
def skeleton(word: str) -> str:
    """The consonants as they sound, one for a double one: `mhmd` of Mohammed, Muhammad and محمد."""
    first = word[:1]
    for group, sound in _SOUNDS:
        if group in word:
            word = word.replace(group, sound)
    bare = word.replace("c", "k").translate(_VOWELS)
    kept = "".join(c for n, c in enumerate(bare) if n == 0 or c != bare[n - 1])
    return _STARTS.get(first, "") + kept
