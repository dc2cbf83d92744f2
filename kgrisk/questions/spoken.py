"""Spoken and written: a question out of a recording, or off a picture."""

from __future__ import annotations

from pathlib import Path

from kg.errors import KgRiskError
from kgrisk.passages import passages_of_file


def heard(path: Path) -> str:
    """The words of a recording. KgRiskError if it has none."""
    return _words(path, "time:", "is a recording in which nobody speaks")


def seen(path: Path) -> str:
    """The words on a picture. KgRiskError if it has none."""
    return _words(path, "page:", "is a picture without words")


def _words(path: Path, place: str, none: str) -> str:
    found = [passage.quote for passage in passages_of_file(path) if passage.locator.startswith(place)]
    text = " ".join(" ".join(found).split())
    if not any(letter.isalnum() for letter in text):
        raise KgRiskError(f"{path} {none}; ask in words: `kgrisk ask QUESTION`")
    return text
