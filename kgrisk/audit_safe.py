"""What of a request may stand in the audit log: parameters with everything that is or looks like a secret masked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from kgrisk.settings import MASK, masked

SECRET: Final = re.compile(
    r"passw|passphrase|secret|token|authori[sz]ation|credential|cookie|api[-_]?key|private|(^|[-_.])(key|auth|pwd|pin)s?$",
    re.IGNORECASE,
)
"""Names of parameters whose values are never written down."""
KEY: Final = re.compile(r"kgr_[A-Za-z0-9_-]{8,}|(?i:bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}")
"""What a key of ours, or the value of an Authorization header, looks like wherever it stands."""
LONG: Final = 500
"""Characters of a text that are kept."""
MANY: Final = 100
"""Members of a list or an object that are kept."""
DEEP: Final = 6


def safe(value: Any, name: str = "", depth: int = 0) -> Any:
    """The value as it may be written down; under a name that tells of a secret, a mask."""
    if name and SECRET.search(name):
        return MASK
    if isinstance(value, Mapping):
        if depth >= DEEP:
            return "..."
        return {_text(str(key)): safe(own, str(key), depth + 1) for key, own in list(value.items())[:MANY]}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return "..." if depth >= DEEP else [safe(own, "", depth + 1) for own in value[:MANY]]
    return value if value is None or isinstance(value, (bool, int)) else _text(str(value))


def _text(text: str) -> str:
    """A text without keys and passwords in it, cut where it is long."""
    with suppress(ValueError):  # no URL after all
        text = masked(text)
    text = KEY.sub(MASK, text)
    return text if len(text) <= LONG else f"{text[:LONG]}... ({len(text)} characters)"


def words(args: Sequence[str]) -> list[str]:
    """The words of a command as they may be written down: the value of an option named like a secret is masked."""
    told: list[str] = []
    hidden = False
    for word in args:
        if hidden and not word.startswith("--"):
            told.append(MASK)
            hidden = False
            continue
        name, equals, value = word.partition("=")
        secret = bool(SECRET.search(name.lstrip("-"))) and (word.startswith("-") or bool(equals))
        hidden = secret and not equals
        told.append(f"{name}={MASK}" if secret and equals else f"{name}={_text(value)}" if equals else _text(word))
    return told
