"""Wanted: what a question wants of an answer: entities of one kind, the first one alone, or how many there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from kgrisk.questions.vocabulary import GROUPS

LABELS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("bank", "banks"), "Bank"),
    **dict.fromkeys(("fund", "funds"), "Fund"),
    **dict.fromkeys(("company", "companies", "firm", "firms"), "Company"),
    **dict.fromkeys(("person", "persons", "people"), "Person"),
}
"""Kinds of entity, as they are said."""
COUNT: Final = re.compile(r"\b(?:how many|(?:what is )?the number of)\b")
_APPOSED: Final = re.compile(rf"\b(?:{'|'.join(LABELS)}) (?=E\d)")
_NOUNS: Final = frozenset(" ".join(GROUPS[g] for g in ("label", "lender", "debtor", "loan", "score")).split())
_SEVERAL: Final = frozenset(word for word in _NOUNS if word.endswith("s") or word == "people")
_SINGLE: Final = _NOUNS - _SEVERAL


def labels(text: str) -> frozenset[str]:
    """Kinds of entity that a question asks for; `the bank E1` asks for none."""
    return frozenset(LABELS[word] for word in _APPOSED.sub("", text).split() if word in LABELS)


def one(text: str) -> bool:
    """True for a question in the singular that ranks: `which bank has the highest ...`, `the largest lender`."""
    tokens = _APPOSED.sub("", text).split()
    said = set(tokens)
    if not said & set(GROUPS["most"].split()) or said & {"are", "have"}:
        return False
    if any(pair[0] in ("which", "what") and pair[1] in _SEVERAL for pair in pairwise(tokens)):
        return False
    return bool(said & {"is", "has"}) or bool(said & _SINGLE and not said & _SEVERAL)


def counts(text: str) -> bool:
    """True for a question that asks how many there are."""
    return COUNT.search(text) is not None


def listing(text: str) -> str:
    """The same question asking which instead of how many."""
    return COUNT.sub("which", text)
