"""The order in which sources are read, and whose names each of them knows by then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

REGISTERS = ("registers", "gleif", "bods", "ftm", "sanctions", "bis")
"""Sources that identify parties."""
FIRST = (*REGISTERS, "trades", "filings")
"""Sources that are read before all others, in this order."""
_NAMING = ("registers.rows", "gleif.lei", "bods.statements", "ftm.entities", "sanctions.parties")
_KNOWN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys((*REGISTERS, "trades"), ()),
    "filings": _NAMING,
}


def ordered(names: Iterable[str]) -> list[str]:
    """Sources in the order in which they are read."""
    return sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))


def naming(source: str) -> tuple[str, ...]:
    """Extractors whose names a source knows when it is read; none for registers themselves."""
    return _KNOWN.get(source, (*_NAMING, "filings.form"))
