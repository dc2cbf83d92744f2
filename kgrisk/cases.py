"""Cases: what somebody looks into and what they did about it, as entries that are only ever added.

A case is one file of JSON lines. Every entry says who and when and carries the sha256 of the line before it, so a
changed entry is found out. A line that a killed process left unfinished is no entry; the next one takes its place.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from kg.errors import KgRiskError
from kg.files import write_whole
from kg.model import iso

Act = Literal["open", "add", "note", "close", "reopen"]
ID: Final = re.compile(r"[0-9a-f]{12}")
LONGEST: Final = 20_000
"""Characters of a note or title at most."""
ITEMS: Final = 500
"""Things a case may hold; more make no pack that anybody reads."""


class CaseError(KgRiskError):
    """What was asked of a case makes no sense."""


class NoCaseError(CaseError):
    """There is no case of that id."""


class ClosedCaseError(CaseError):
    """The case is closed."""


@dataclass(frozen=True)
class Item:
    """One thing a case is about, and the instants it was looked at."""

    what: str
    """Id of an entity, an edge or a statement, or `property:entity`."""
    why: str = ""
    valid: str = ""
    known: str = ""
    published: str = ""


@dataclass(frozen=True)
class Entry:
    """One thing that was done: by whom, when, and what."""

    at: str
    by: str
    act: Act
    text: str = ""
    """Title of an opening, words of a note, reason of a closing."""
    items: tuple[Item, ...] = ()
    before: str = ""
    """sha256 of the line before; empty in the first."""


@dataclass(frozen=True)
class Case:
    """A case as its entries tell it."""

    id: str
    entries: tuple[Entry, ...]

    @property
    def title(self) -> str:
        return self.entries[0].text

    @property
    def by(self) -> str:
        """Who opened it."""
        return self.entries[0].by

    @property
    def state(self) -> Literal["open", "closed"]:
        turns = [entry.act for entry in self.entries if entry.act in ("open", "close", "reopen")]
        return "closed" if turns[-1] == "close" else "open"

    @property
    def items(self) -> list[Item]:
        """What it is about, each thing once per instant, in the order it came in."""
        return list(dict.fromkeys(item for entry in self.entries for item in entry.items))

    @property
    def notes(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.act == "note"]

    def row(self) -> dict[str, Any]:
        """The case in one line."""
        first, last = self.entries[0], self.entries[-1]
        counts = {"items": len(self.items), "notes": len(self.notes)}
        return {"id": self.id, "title": self.title, "state": self.state, "by": self.by, **counts} | {
            "opened": first.at,
            "changed": last.at,
        }

    def told(self) -> dict[str, Any]:
        """The case whole, as JSON has it."""
        return self.row() | {
            "items": [asdict(item) for item in self.items],
            "entries": [asdict(entry) for entry in self.entries],
        }


class Cases:
    """The cases of a home folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __iter__(self) -> Iterator[Case]:
        """All cases, the one changed last first."""
        found = [self[path.stem] for path in self.folder.glob("*.jsonl") if ID.fullmatch(path.stem)]
        return iter(sorted(found, key=lambda case: (case.entries[-1].at, case.id), reverse=True))

    def __getitem__(self, id: str) -> Case:
        """NoCaseError if there is none; CaseError names the entry that was changed by other means."""
        path = self._path(id)
        if not path.exists():
            raise self._none(id)
        entries = _entries(path.read_bytes(), path)
        if not entries:
            raise self._none(id)
        return Case(id, tuple(entries))

    def open(self, title: str, by: str, items: Sequence[Item] = ()) -> Case:
        """A new case."""
        if not title.strip():
            raise CaseError("a case needs a title: say in a few words what it is about")
        self.folder.mkdir(parents=True, exist_ok=True)
        id = secrets.token_hex(6)
        return self._write(id, by, "open", title, items)

    def add(self, id: str, by: str, items: Sequence[Item]) -> Case:
        """More things to look at; those it holds already are left out."""
        return self._write(id, by, "add", "", items)

    def note(self, id: str, by: str, text: str) -> Case:
        """Words about it."""
        if not text.strip():
            raise CaseError("an empty note says nothing: write what was found")
        return self._write(id, by, "note", text)

    def close(self, id: str, by: str, reason: str) -> Case:
        """End it, with the reason; `reopen` takes it up again."""
        if not reason.strip():
            raise CaseError("say why the case is closed: whoever reads it later has only this")
        return self._write(id, by, "close", reason)

    def reopen(self, id: str, by: str, reason: str = "") -> Case:
        """Take a closed case up again."""
        return self._write(id, by, "reopen", reason)

    def erase(self, id: str, cover: Callable[[str], str]) -> bool:
        """Cover words in every text of a case. The chain is made anew, and a last entry says `erased`.

        False where there was nothing to cover.
        """
        path = self._path(id)
        with _alone(path) as file:
            content = file.read()
            old = _entries(content, path)
            new = [_covered(entry, cover) for entry in old]
            changed = [str(number) for number, (was, now) in enumerate(zip(old, new, strict=True), 1) if was != now]
            if not changed and content.endswith(b"\n"):
                return False
            if changed:
                words = f"erased: words that named a person were covered in entries {', '.join(changed)}"
                new.append(Entry(iso(datetime.now(UTC)), "kgrisk erase", "note", words))
            write_whole(path, _chained(new))
        return True

    def _write(self, id: str, by: str, act: Act, text: str, items: Sequence[Item] = ()) -> Case:
        """Add one entry, durably, alone among all who write to this case."""
        if len(text) > LONGEST:
            raise CaseError(f"{len(text):,} characters; a title, note or reason may have {LONGEST:,}")
        path = self._path(id)
        if act != "open" and not path.exists():
            raise self._none(id)
        with _alone(path) as file:
            content = file.read()
            entries = _entries(content, path)
            if act != "open":
                items = _checked(self[id], act, items)
            whole = content[: content.rfind(b"\n") + 1]
            last = whole.splitlines()[-1] if whole else b""
            entry = Entry(iso(datetime.now(UTC)), by, act, text.strip(), tuple(items), _digest(last))
            file.truncate(len(whole))  # what a killed writer left unfinished
            file.seek(len(whole))
            file.write(_line(entry) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return Case(id, (*entries, entry))

    def _path(self, id: str) -> Path:
        if not ID.fullmatch(id):
            raise self._none(id)
        return self.folder / f"{id}.jsonl"

    def _none(self, id: str) -> NoCaseError:
        return NoCaseError(f"there is no case {id[:40]!r}; `kgrisk cases list` shows those there are")


def _checked(case: Case, act: Act, items: Sequence[Item]) -> list[Item]:
    """The new ones among the items, if the act makes sense in the case's state."""
    if case.state == "closed" and act != "reopen":
        raise ClosedCaseError(f"case {case.id} ({case.title}) is closed; reopen it first")
    if case.state == "open" and act == "reopen":
        raise ClosedCaseError(f"case {case.id} ({case.title}) is open already; add to it")
    fresh = [item for item in dict.fromkeys(items) if item not in case.items]
    if act == "add" and not fresh:
        raise CaseError(f"case {case.id} holds all of these already")
    if len(case.items) + len(fresh) > ITEMS:
        raise CaseError(f"a case may hold {ITEMS} things; open another one")
    return fresh


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading and writing, locked against every other writer."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _entries(content: bytes, path: Path) -> list[Entry]:
    """The whole lines of a case. CaseError names the first one that is not what was written."""
    entries, last = [], b""
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        try:
            entry = _read(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            raise CaseError(f"{path} line {number} is no entry ({error}); restore the file from a backup") from error
        if entry.before != _digest(last):
            raise CaseError(f"{path} line {number - 1} was changed after it was written; restore it from a backup")
        entries.append(entry)
        last = line
    return entries


def _read(row: Mapping[str, Any]) -> Entry:
    return Entry(**{**row, "items": tuple(Item(**item) for item in row["items"])})


def _covered(entry: Entry, cover: Callable[[str], str]) -> Entry:
    items = (Item(**{name: cover(text) for name, text in asdict(item).items()}) for item in entry.items)
    return replace(entry, by=cover(entry.by), text=cover(entry.text), items=tuple(items))


def _chained(entries: Sequence[Entry]) -> bytes:
    """The lines of a case, each with the digest of the one before."""
    lines: list[bytes] = []
    for entry in entries:
        lines.append(_line(replace(entry, before=_digest(lines[-1] if lines else b""))))
    return b"".join(line + b"\n" for line in lines)


def _line(entry: Entry) -> bytes:
    return json.dumps(asdict(entry), ensure_ascii=False).encode()


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest() if line else ""
