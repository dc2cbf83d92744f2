"""Shown: the clocks of an answer, as people and agents read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kg.clocks import EVER, iso

EVERYTHING: Final = "whatever was published"


def shown(clocks: Mapping[str, str]) -> dict[str, str]:
    """The same instants; the one that leaves nothing out is no date."""
    return {name: EVERYTHING if text == iso(EVER) else text for name, text in clocks.items()}
