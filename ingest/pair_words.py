"""The words a name is compared by: in Latin letters, without titles and legal forms, numbers apart, each weighed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ingest import legal_forms
from ingest.extract.text.lexicon import GROUPS, ORDINARY
from ingest.extract.text.lexicon import words as listed
from ingest.transliterate import script, segments, signs, sounded, words
from ingest.transliterate_chinese import PLACES, WORDS

TITLES: Final = listed(
    "mr mrs ms miss dr prof sir lord dame president prasident chairman general gen col colonel hon rev shaikh sheikh "
    "shaykh haji hajj mullah maulavi mawlawi sayyid said jr sr phd md esq herr frau dipl ing"
)
PARTICLES: Final = listed(
    "al el ul ur ad as ash ed bin ibn ben bint abu umm de da do dos das di del della der den van von zu zur le la ter "
    "y e du des af av na"
)
SMALL: Final = listed("the of and for in at on de der die das und et y e la le les du des des a an no")
SHIPS: Final = listed("mv mt ss ms hms uss mts")
GENERIC: Final = ORDINARY | GROUPS | listed(
    "management consulting solutions trading construction engineering technology business corporation products "
    "logistics transport shipping pharmaceuticals pharma foods motor motors electronics electric software platforms "
    "bancorp banking bank estate retail stores restaurants airlines communications telecom semiconductor chemical "
    "chemicals petroleum energia organization organisation foundation industry industrial")  # fmt: skip
ORDINALS: Final = {
    name: str(n)
    for n, names in enumerate(
        ("zero", "one first 1st", "two second 2nd", "three third 3rd", "four fourth 4th", "five fifth 5th",
         "six sixth 6th", "seven seventh 7th", "eight eighth 8th", "nine ninth 9th", "ten tenth 10th",
         "eleven eleventh 11th", "twelve twelfth 12th", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
         "eighteen", "nineteen", "twenty twentieth 20th")
    )
    for name in names.split()
} | {"thirty": "30", "forty": "40", "fourty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80",
     "ninety": "90", "hundred": "100"}  # fmt: skip
_ROMAN: Final = (
    "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii", "xviii",
    "xix", "xx",
)  # fmt: skip
ROMAN: Final = {numeral: str(n) for n, numeral in enumerate(_ROMAN, 2)}


@dataclass(frozen=True, slots=True)
class Spelt:
    """A name ready to be compared."""

    words: tuple[str, ...]
    weights: tuple[float, ...]
    """Weight of each word by the tables here; a register may know better."""
    numbers: frozenset[str]
    forms: frozenset[str]
    """Classes of its legal forms."""
    exact: frozenset[str] = frozenset()
    """Words that are only like another if equal: the sound of Chinese signs."""
    native: bool = False
    """True: the words are Chinese signs."""


@lru_cache(maxsize=1 << 18)
def spelt(name: str, kind: str = "firm", native: bool = False) -> Spelt:
    """The words of a name. `native` keeps Chinese signs apart instead of translating them."""
    if native:
        return _signs(name, kind)
    forms: frozenset[str] = frozenset()
    if kind == "firm" and script(name) in ("han", "kana", "hangul"):
        name, _ = legal_forms.split_cjk(name)  # what the English name calls itself need not be the same form
    if kind == "person" and 2 <= len(name) <= 4 and signs(name) == name:
        name = f"{name[0]} {name[1:]}"  # the family name is the first sign
    found = words(name)
    exact = sounded(name) if script(name) == "han" else frozenset()
    if kind == "firm":
        bare, more = legal_forms.split(found)
        return _spelt(bare, forms | more, kind, exact)
    return _spelt(found, forms, kind, exact)


def _spelt(found: tuple[str, ...], forms: frozenset[str], kind: str, exact: frozenset[str] = frozenset()) -> Spelt:
    kept = [word for word in found if word not in TITLES] if kind == "person" else list(found)
    if len(kept) > 1 and kept[0] in SHIPS:
        kept = kept[1:]
    kept = [word for n, word in enumerate(kept) if not n or word != kept[n - 1]] or list(found)
    plain, numbers = _numbered(kept) if kind == "firm" else (kept, [])
    if not plain:
        plain = numbers
    return Spelt(tuple(plain), tuple(weight(w, kind) for w in plain), frozenset(numbers), forms, exact)


def _numbered(found: list[str]) -> tuple[list[str], list[str]]:
    """Words, and numbers however they are written; a number at the very start may be a word of the name."""
    plain: list[str] = []
    numbers: list[str] = []
    for n, word in enumerate(found):
        number = ORDINALS.get(word) or (ROMAN.get(word) if n else None) or (word if word.isdigit() else None)
        if number is None:
            plain.append(word)
        elif (
            numbers and numbers[-1].endswith("0") and len(numbers[-1]) == 2 and len(number) == 1 and not word.isdigit()
        ):
            numbers[-1] = str(int(numbers[-1]) + int(number))  # forty-four
        else:
            numbers.append(number.lstrip("0") or "0")
    return plain, numbers


def weight(word: str, kind: str) -> float:
    """How much a word tells of who is meant, 0 to 1."""
    if kind == "person":
        return 0.1 if word in PARTICLES or word in TITLES else (0.5 if len(word) == 1 else 1.0)
    if word in SMALL:
        return 0.08
    if word in GROUPS:
        return 0.25
    return 0.4 if word in GENERIC else 1.0


def _signs(name: str, kind: str) -> Spelt:
    bare, forms = legal_forms.split_cjk(name) if kind == "firm" else (name, frozenset())
    if len(written := signs(bare)) < 2:
        return Spelt((), (), frozenset(), forms)
    found: list[tuple[str, float]] = []
    for run, english in segments(written) if kind == "firm" else [(written, "")]:
        if run in WORDS or run in PLACES:
            found.append((run, 0.7 if run in PLACES else 0.4 if english else 0.1))
        else:
            found += [(sign, 0.8) for sign in run]
    return Spelt(tuple(w for w, _ in found), tuple(x for _, x in found), frozenset(), forms, frozenset(), True)
