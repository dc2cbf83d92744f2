"""Migrations: the number of the form that a home and its stores have on disk, and the steps up and down between two.

A home is carried by several things, each with a number of its own that one atomic act changes: the mark of the home,
its run table, each store. What else a format asks for, such as an index, is made from the number whenever that thing is
opened. So a kill at any moment leaves each of them at the old number or at the new one, both can be read, and the same
migration again goes on where it was cut off. The mark of the home comes last: it says that all are there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from kg.errors import FormatError
from kg.files import write_whole
from kg.ledger import OnIO, no_io
from kg.model import iso

FORMATS: Final[Mapping[int, str]] = {
    1: "no number anywhere",
    2: "numbers in home, run table and store; Neo4j finds scores by their property through an index",
}
"""Every format that this version reads, and what was new in it."""
FORMAT: Final = max(FORMATS)
"""The format of what this version makes anew."""
FILE: Final = "format.json"


class Carrier(Protocol):
    """A thing with a format number of its own."""

    @property
    def name(self) -> str:
        """What it is called in a report."""

    @property
    def format(self) -> int:
        """Its number now."""

    def move(self, to: int, on_io: OnIO = no_io) -> None:
        """Go to the format one above or one below, whole or not at all."""


@dataclass(frozen=True)
class Moved:
    """One step of one carrier."""

    carrier: str
    before: int
    after: int
    seconds: float


@dataclass(frozen=True)
class Mark:
    """What `format.json` of a home says; a home without the file is of format 1."""

    format: int = 1
    kgrisk: str = ""
    """The version that wrote it."""
    history: tuple[Mapping[str, Any], ...] = field(default=())
    """Every step that was taken: from, to, at, kgrisk."""

    @classmethod
    def read(cls, home: Path) -> Mark:
        """The mark of a home. FormatError if the file says nothing that can be understood."""
        path = home / FILE
        try:
            content = json.loads(path.read_text())
            return cls(int(content["format"]), str(content.get("kgrisk", "")), tuple(content.get("history", ())))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise FormatError(
                f"{path} cannot be read ({error}); restore it from a backup, or move it away and run "
                f"`kgrisk migrate --home {home}`: every step can be taken again"
            ) from error

    def write(self, home: Path) -> None:
        """Put it in the place of the old one, whole or not at all."""
        write_whole(home / FILE, json.dumps(asdict(self), indent=1).encode() + b"\n")


class HomeMark:
    """The carrier that is the home itself: its mark, with the history of all steps."""

    name = "home"

    def __init__(self, home: Path, kgrisk: str) -> None:
        self.home, self.kgrisk = home, kgrisk

    @property
    def format(self) -> int:
        return Mark.read(self.home).format

    def move(self, to: int, on_io: OnIO = no_io) -> None:
        """Write the new number, and the step into the history."""
        was = Mark.read(self.home)
        step = {"from": was.format, "to": to, "at": iso(datetime.now(UTC)), "kgrisk": self.kgrisk}
        Mark(to, self.kgrisk, (*was.history, step)).write(self.home)


def opened(home: Path, kgrisk: str) -> int:
    """The format of a home that is about to be opened; one that holds no ledger yet is marked with this version's.

    FormatError if a newer version made it.
    """
    if not (home / "ledger").exists() and not (home / FILE).exists():
        Mark(FORMAT, kgrisk).write(home)
    mark = Mark.read(home)
    return checked(mark.format, str(home), mark.kgrisk)


def checked(format: int, what: str, kgrisk: str = "") -> int:
    """The number itself. FormatError if it is none that this version reads."""
    if format in FORMATS:
        return format
    if format < min(FORMATS):
        raise FormatError(f"{what} has format {format}; formats begin at {min(FORMATS)}: restore it from a backup")
    raise FormatError(
        f"{what} has format {format}, written by kgrisk {kgrisk or 'of a newer version'}; this version reads formats "
        f"{min(FORMATS)} to {FORMAT}: use the version that wrote it, or take it back with that version's "
        f"`kgrisk migrate --to {FORMAT}`"
    )


def path(carriers: Sequence[Carrier], to: int) -> list[tuple[Carrier, int]]:
    """The steps that are left: which carrier goes to which number, in order. FormatError for an unknown number."""
    if to not in FORMATS:
        known = "; ".join(f"{number}: {what}" for number, what in FORMATS.items())
        raise FormatError(f"there is no format {to}; known: {known}")
    found = [(carrier, carrier.format) for carrier in carriers]
    for carrier, number in found:
        checked(number, carrier.name)
    ups = [(c, n) for n in range(1, to + 1) for c, has in found if has < n]
    downs = [(c, n) for n in range(FORMAT - 1, to - 1, -1) for c, has in found if has > n]
    return ups + downs


def migrate(carriers: Sequence[Carrier], to: int = FORMAT, on_io: OnIO = no_io) -> list[Moved]:
    """Take every carrier to a format, step by step, the last of `carriers` last in each; returns what was done."""
    done = []
    for carrier, number in path(carriers, to):
        before, began = carrier.format, time.perf_counter()
        on_io(f"{carrier.name} to {number}: before")
        carrier.move(number, on_io)
        on_io(f"{carrier.name} to {number}: after")
        done.append(Moved(carrier.name, before, number, time.perf_counter() - began))
    return done
