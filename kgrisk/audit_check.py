"""Check of the audit log: is every entry what was written, in its place and whole; which one is not."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kg.errors import KgRiskError, SettingsError
from kgrisk.audit import ERASED, FIRST, Audit, Seal, canonical, line_of

_ANCHOR = re.compile(r"(\d+):([0-9a-f]{64})")


@dataclass(frozen=True)
class Anchor:
    """How many entries there were and the hash of the last: kept elsewhere, it shows what was cut off or rewritten."""

    count: int
    head: str

    def __str__(self) -> str:
        return f"{self.count}:{self.head}"

    @classmethod
    def read(cls, text: str) -> Anchor:
        if not (match := _ANCHOR.fullmatch(text.strip())):
            raise KgRiskError(f"{text[:80]!r} is no anchor; give what `kgrisk audit anchor` printed, COUNT:HASH")
        return cls(int(match[1]), match[2])


@dataclass
class Verdict:
    """What a check found."""

    entries: int = 0
    head: str = FIRST
    broken: int = 0
    """Sequence number of the first entry that is not what was written; 0 if all are."""
    file: str = ""
    reason: str = ""
    keyed: int = 0
    """Entries that a key seals."""
    erased: int = 0
    """Entries whose parameters were taken out with a person."""
    repaired: list[int] = field(default_factory=list)
    """Entries that tell of a line torn by a killed process and cut off."""

    @property
    def whole(self) -> bool:
        return not self.broken


class _BrokenError(Exception):
    """The entry at hand is not what was written."""


def verify(audit: Audit, anchor: Anchor | None = None, key: Path | None = None) -> Verdict:
    """Read the whole log and check every entry; `key` is a copy of the key that is kept elsewhere."""
    if key is not None and not key.exists():
        raise SettingsError(f"{key} is not there; give the copy of audit.key that was kept")
    check = _Check(Seal.read(key or audit.key), anchor)
    with audit.locked():  # what is being written is no torn line
        for path in audit.segments():
            for line in _lines(path):
                try:
                    check.take(line, path)
                except _BrokenError as error:
                    return check.broken(check.verdict.entries + 1, path, str(error))
    return check.ended()


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


class _Check:
    """One check while it goes through the lines."""

    def __init__(self, seal: Seal, anchor: Anchor | None) -> None:
        self.seal, self.anchor, self.verdict = seal, anchor, Verdict()
        self.blank: dict[int, str] = {}
        """Entries whose detail is gone and for which nothing has said yet that it was erased: the file of each."""

    def take(self, line: bytes, path: Path) -> None:
        """Check one line and go on to it; _BrokenError says what is wrong with it."""
        verdict, expected = self.verdict, self.verdict.entries + 1
        row = _parsed(line)
        entry, own = row["entry"], row["hash"]
        if entry.get("sequence") != expected:
            raise _BrokenError(f"entry {expected} is not in its place: number {entry.get('sequence')!r} stands there")
        if verdict.entries == 0 and int(path.stem) != 1:
            raise _BrokenError(f"the log begins with {path.name}")
        if entry.get("previous") != verdict.head:
            raise _BrokenError("it does not follow the entry before it")
        if not isinstance(own, str) or not hmac.compare_digest(self.seal.hash(entry), own):
            raise _BrokenError("its hash is not that of its content" + ("" if self.seal.key else self._unkeyed(entry)))
        self._detail(row["detail"], entry, path)
        verdict.keyed += bool(self.seal.key and expected >= self.seal.since)
        verdict.repaired += [expected] if "torn" in entry else []
        verdict.entries, verdict.head = expected, own
        if self.anchor and self.anchor.count == expected and self.anchor.head != own:
            verdict.entries -= 1
            raise _BrokenError("its hash is not that of the anchor: the log was rewritten up to here")

    def _unkeyed(self, entry: dict[str, Any]) -> str:
        return ", or it is sealed by a key that is not here (--key)" if entry["sequence"] > 0 else ""

    def _detail(self, detail: Any, entry: dict[str, Any], path: Path) -> None:
        for number in entry.get("erased", ()):
            self.blank.pop(number, None)
        if detail == ERASED:
            self.verdict.erased += 1
            self.blank[entry["sequence"]] = path.name
        elif hashlib.sha256(canonical(detail)).hexdigest() != entry.get("parameters"):
            raise _BrokenError("its parameters are not those that were written")

    def broken(self, number: int, path: Path | None, reason: str) -> Verdict:
        verdict = self.verdict
        verdict.broken, verdict.file, verdict.reason = number, path.name if path else "", reason
        return verdict

    def ended(self) -> Verdict:
        """The verdict once every line was taken."""
        if self.blank:
            number = min(self.blank)
            self.broken(
                number, Path(self.blank[number]), "its parameters are gone and no entry says that they were erased"
            )
        elif self.anchor and self.anchor.count > self.verdict.entries:
            self.broken(
                self.verdict.entries + 1, None, f"the anchor counts {self.anchor.count} entries: the end was cut off"
            )
        return self.verdict


def _parsed(line: bytes) -> dict[str, Any]:
    """One line, if it is exactly as it was written."""
    if not line.endswith(b"\n"):
        raise _BrokenError("its line is torn: it has no end")
    try:
        row = json.loads(line)
    except ValueError as error:
        raise _BrokenError("its line is no JSON") from error
    if not isinstance(row, dict) or set(row) != {"detail", "entry", "hash"} or not isinstance(row["entry"], dict):
        raise _BrokenError("its line is no entry")
    if line_of(row) != line:
        raise _BrokenError("its line is not in the form in which it was written")
    return row
