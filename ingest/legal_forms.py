"""Legal forms: what companies of many countries write before or after their name, and what kind of firm it tells.

A form is a row of words in small letters without dots, as `words` of ingest.transliterate gives them. Its class says
what the form is: two names of different classes are likely two firms, one name without a form may be either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from ingest.extract.text.lexicon import words

LONG: Final = 7
"""Letters a form must have to be known again though one is wrong."""

FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "private": (
        "ltd", "limited", "private limited", "pvt ltd", "pvt limited", "private ltd", "co ltd", "company limited",
        "co limited", "pte ltd", "pte limited", "pty ltd", "pty limited", "proprietary limited", "sdn bhd",
        "sendirian berhad", "gmbh", "mbh", "gesellschaft mit beschrankter haftung", "ggmbh", "gmbh co kg", "ug",
        "ug haftungsbeschrankt", "sarl", "societe a responsabilite limitee", "sas", "sasu", "eurl", "srl", "srls",
        "societa a responsabilita limitata", "societatea cu raspundere limitata",
        "sociedad de responsabilidad limitada",
        "sl", "slu", "sociedad limitada", "lda", "limitada", "ltda", "unipessoal lda", "bv", "besloten vennootschap",
        "bvba", "sprl", "aps", "anpartsselskab", "oy", "osakeyhtio", "osauhing", "ou", "sia", "uab", "doo", "dooel",
        "ood", "eood", "sro", "spol s ro", "kft", "korlatolt felelossegu tarsasag", "sp z oo", "spolka z oo",
        "spolka z ograniczona odpowiedzialnoscia", "ooo", "too", "tov", "llc", "limited liability company",
        "limited liability co", "obshchestvo s ogranichennoy otvetstvennostyu", "mchj", "yk", "yugen kaisha",
        "godo kaisha", "gk", "pt", "perseroan terbatas", "cong ty tnhh", "tnhh", "ltd sti", "limited sirketi", "sti",
        "wll", "spc", "fz llc", "fze", "fzco", "fzc", "dmcc", "s de rl de cv", "s de rl", "sapi de cv", "sac", "spa cl",
        "unlimited", "dac", "cyf", "ehf", "epe", "ike", "eirl", "plt",
    ),
    "public": (
        "plc", "public limited company", "public company limited", "pcl", "public co ltd", "ag", "aktiengesellschaft",
        "sa", "societe anonyme", "sociedad anonima", "sociedade anonima", "societate pe actiuni", "spa",
        "societa per azioni", "nv", "naamloze vennootschap", "ab", "aktiebolag", "ab publ", "oyj", "abp", "asa",
        "allmennaksjeselskap", "as", "a s", "aksjeselskap", "aktieselskab", "anonim sirketi", "anonim sirket",
        "a sirketi",
        "hf", "jsc", "joint stock company", "joint stock co", "joint stock compan", "open joint stock company", "ojsc",
        "closed joint stock company", "cjsc", "public joint stock company", "pjsc", "oao", "pao", "zao", "ao", "pat",
        "prat", "at", "private joint stock company", "prjsc", "dd", "ad", "ead", "nyrt", "zrt", "rt", "tbk", "bhd",
        "berhad", "kk", "kabushiki kaisha", "kabushiki gaisha", "sa de cv", "sab de cv", "sab", "sae", "psc", "qsc",
        "ksc",
        "saog", "saoc", "se", "societas europaea", "sca", "kgaa", "ag co kgaa", "akciova spolecnost",
        "akciju sabiedriba",
        "spolka akcyjna", "sgps sa", "sgps", "tas", "ctcp", "sau", "sca sicav", "ae", "anonymi etaireia",
        "ltd liability co",
    ),
    "corporation": (
        "inc", "incorporated", "corp", "corporation", "inc plc", "na", "national association", "co inc", "company inc",
    ),
    "company": ("co", "company", "cos", "companies", "cie", "compagnie", "compania", "companhia", "and co",
        "and company"),
    "partnership": (
        "lp", "limited partnership", "llp", "limited liability partnership", "lllp", "kg", "kommanditgesellschaft",
        "ohg", "gbr", "cv", "commanditaire vennootschap", "vof", "snc", "sas di", "scs", "ks", "kb", "scsp", "slp",
        "hb", "ks aps", "gp", "general partnership", "pc",
    ),
    "society": (
        "ev", "eg", "ggmbh eg", "stiftung", "foundation", "fondation", "fundacion", "stichting", "asbl", "vzw",
        "cooperative", "cooperatief", "coop", "scrl", "ry", "aisbl", "fop", "ip",
    ),
}  # fmt: skip
"""Class -> how it is written."""

CJK: Final[tuple[tuple[str, str], ...]] = (
    ("股份有限公司", "public"),
    ("股份有限責任公司", "public"),
    ("有限责任公司", "private"),
    ("有限責任公司", "private"),
    ("株式会社", "public"),
    ("株式會社", "public"),
    ("주식회사", "public"),
    ("유한회사", "private"),
    ("合同会社", "private"),
    ("有限会社", "private"),
    ("有限公司", "private"),
    ("合伙企业", "partnership"),
    ("股份公司", "public"),
    ("㈜", "public"),
    ("(주)", "public"),
    ("公司", "company"),
)
"""Forms in Chinese, Japanese and Korean script, which stand without blanks; the longest first."""

_CLASHES: Final = frozenset(
    {
        frozenset(("private", "public")),
        frozenset(("corporation", "private")),
        frozenset(("corporation", "public")),
        frozenset(("private", "partnership")),
        frozenset(("public", "partnership")),
        frozenset(("corporation", "partnership")),
        frozenset(("society", "private")),
        frozenset(("society", "public")),
        frozenset(("society", "corporation")),
    }
)
_SHORT_PREFIXES: Final = words(
    "ooo oao pao zao ao too tov pat prat pt pjsc ojsc cjsc jsc srl sarl sa sas gmbh ag uab sia ad cv fop ip llc ltd"
)
"""Forms of one word that also stand before the name: `OOO Gazprom`, `PT Astra`."""


@cache
def _table() -> tuple[Mapping[tuple[str, ...], str], int]:
    rows = {tuple(form.split(" ")): kind for kind, forms in FORMS.items() for form in forms}
    return rows, max(map(len, rows))


def split(name: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The words without their legal forms, and the classes these have. Something always remains of the name."""
    kinds: list[str] = []
    rest = name
    while found := _last(rest) or _first(rest):
        rest, kind = found
        kinds.append(kind)
    return rest, frozenset(kinds)


def split_cjk(text: str) -> tuple[str, frozenset[str]]:
    """The same for a name written without blanks: forms stand at its ends."""
    kinds: list[str] = []
    for form, kind in CJK:
        while form in text and len(text) > len(form) and (text.endswith(form) or text.startswith(form)):
            text = text.removesuffix(form) if text.endswith(form) else text.removeprefix(form)
            kinds.append(kind)
    return text, frozenset(kinds)


def clash(a: frozenset[str], b: frozenset[str]) -> bool:
    """True if both names have a form and no form of the one can be that of the other."""
    telling, other = a - {"company"}, b - {"company"}
    if not telling or not other or telling & other:
        return False
    return all(frozenset((x, y)) in _CLASHES for x in telling for y in other)


def _last(words: tuple[str, ...]) -> tuple[tuple[str, ...], str] | None:
    table, longest = _table()
    for size in range(min(longest, len(words) - 1), 0, -1):
        if kind := table.get(words[-size:]):
            return words[:-size], kind
    return (words[:-1], kind) if len(words) > 1 and (kind := _misspelt(words[-1])) else None


@cache
def _long() -> tuple[str, ...]:
    return tuple(form[0] for form in _table()[0] if len(form) == 1 and len(form[0]) >= LONG)


@lru_cache(maxsize=1 << 16)
def _misspelt(word: str) -> str | None:
    """Class of the long form that a word is but for a letter: `aktiengeselschaft`."""
    if len(word) < LONG - 1:
        return None
    found = process.extractOne(word, _long(), scorer=OSA.distance, score_cutoff=1)
    return _table()[0][(found[0],)] if found else None


def _first(words: tuple[str, ...]) -> tuple[tuple[str, ...], str] | None:
    for form in _leading(words):
        return words[len(form) :], _table()[0][form]
    return None


def _leading(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    table, longest = _table()
    for size in range(min(longest, len(words) - 1), 0, -1):
        form = words[:size]
        if form in table and (size > 2 or form[0] in _SHORT_PREFIXES):
            yield form
