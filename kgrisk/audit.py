"""The audit log: who did what when, each entry chained to the one before it by its hash.

A line is `{"detail":...,"entry":...,"hash":...}` in canonical JSON. `hash` is that of `entry`, which holds the hash of
the line before. The parameters of a request stand in `detail` beside a salt and only their digest stands in the entry:
so a person can be erased from them without breaking the chain. With `audit.key` in the home folder hashes are
HMAC-SHA256. What chain, key and anchor each protect against: docs/serving/audit.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from kg.errors import KgRiskError, SettingsError
from kg.files import write_whole
from kg.model import iso
from kgrisk.audit_safe import safe

SEGMENT: Final = 16 << 20
"""Bytes after which the log goes on in another file."""
FIRST: Final = "0" * 64
"""What the first entry has as the hash before it."""
ERASED: Final = "erased"
"""What stands in place of a detail that spoke of an erased person."""
DIGITS: Final = 12


@dataclass(frozen=True)
class Act:
    """What is written down of one act."""

    who: str
    role: str
    door: str
    """`http`, `cli`, `mcp` or `schedule`."""
    what: str
    """Method and route, or the command: never with parameters in it."""
    parameters: Mapping[str, Any]
    status: int | str = ""
    """HTTP status, exit code, or `begun`."""
    ms: int = 0
    clocks: Mapping[str, str] = field(default_factory=dict)
    commit: int | None = None
    ids: Sequence[str] = ()
    """Runs, scores and jobs that were handed out."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What the log itself has to say, such as that a torn line was mended."""


@dataclass(frozen=True)
class Seal:
    """How lines are hashed: plainly, or from one entry on with a key."""

    key: bytes = b""
    since: int = 0
    """First entry that the key seals."""

    @classmethod
    def read(cls, path: Path) -> Seal:
        """The key in a file; a plain seal where there is none."""
        try:
            content = json.loads(path.read_text())
            return cls(bytes.fromhex(content["key"]), int(content["from"]))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"{path} is no key of an audit log ({error}); restore it from where it is kept"
            ) from error

    def hash(self, entry: Mapping[str, Any]) -> str:
        content = canonical(entry)
        if self.key and entry["sequence"] >= self.since:
            return hmac.new(self.key, content, hashlib.sha256).hexdigest()
        return hashlib.sha256(content).hexdigest()


class Audit:
    """The log of one home folder. Several processes may write it: a file lock puts them in order."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "audit"
        self.key = home / "audit.key"
        self._seal: tuple[tuple[int, int], Seal] = ((0, 0), Seal())

    @property
    def seal(self) -> Seal:
        """How lines are hashed; the key is read again when its file was changed."""
        try:
            stat = self.key.stat()
        except FileNotFoundError:
            return Seal()
        mark = (stat.st_mtime_ns, stat.st_ino)
        if self._seal[0] != mark:
            self._seal = (mark, Seal.read(self.key))
        return self._seal[1]

    def append(self, acts: Sequence[Act]) -> int:
        """Write acts down, durably, in one go; returns the sequence number of the last."""
        with self.locked():
            return self._append(acts)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Held while the log is written."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def make_key(self, act: Act) -> int:
        """Seal the log with a new key from the next entry on; gives the number of that entry."""
        with self.locked():
            if self.key.exists():
                raise SettingsError(f"{self.key} is there already; entries from {self.seal.since} on are sealed by it")
            since = self._head()[0] + 1 + bool(self._torn())
            content = json.dumps({"key": secrets.token_hex(32), "from": since})
            write_whole(self.key, content.encode())
            sync(self.folder)
            return self._append([act])

    def segments(self) -> list[Path]:
        """The files of the log in their order."""
        return sorted(self.folder.glob("[0-9]*.jsonl"))

    def _append(self, acts: Sequence[Act]) -> int:
        torn = self._mend()
        sequence, before = self._head()
        if torn:
            acts = [Act("log", "", "log", "repair", {}, more={"torn": torn}), *acts]
        lines = []
        for act in acts:
            sequence += 1
            line, before = self._line(act, sequence, before)
            lines.append(line)
        segments = self.segments()
        path = segments[-1] if segments else None
        fresh = path is None or path.stat().st_size >= SEGMENT
        if path is None or fresh:
            path = self.folder / f"{sequence - len(lines) + 1:0{DIGITS}d}.jsonl"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync(self.folder)
        return sequence

    def _line(self, act: Act, sequence: int, before: str) -> tuple[bytes, str]:
        detail = {"parameters": safe(act.parameters), "salt": secrets.token_hex(16)}
        entry = {
            "sequence": sequence,
            "time": iso(datetime.now(UTC)),
            **{name: getattr(act, name) for name in ("who", "role", "door", "what", "status", "ms", "commit")},
            "clocks": dict(act.clocks),
            "ids": list(act.ids),
            "parameters": hashlib.sha256(canonical(detail)).hexdigest(),
            "previous": before,
            **dict(act.more),
        }
        own = self.seal.hash(entry)
        return line_of({"detail": detail, "entry": entry, "hash": own}), own

    def _head(self) -> tuple[int, str]:
        """Sequence number and hash of the last entry."""
        for path in reversed(self.segments()):
            if last := last_line(path):
                try:
                    row = json.loads(last)
                    return int(row["entry"]["sequence"]), str(row["hash"])
                except (ValueError, KeyError, TypeError) as error:
                    raise KgRiskError(
                        f"{path} was changed: its last line is no entry; look at it with `kgrisk audit verify`, keep "
                        f"{self.folder} as it is somewhere else, and the log begins anew"
                    ) from error
        return 0, FIRST

    def _mend(self) -> dict[str, Any]:
        """Cut off a last line that a killed process left unfinished; says what was cut."""
        tail = self._torn()
        if not tail:
            return {}
        path = self.segments()[-1]
        with path.open("rb+") as file:
            file.truncate(path.stat().st_size - len(tail))
            os.fsync(file.fileno())
        return {"bytes": len(tail), "sha256": hashlib.sha256(tail).hexdigest()}

    def _torn(self) -> bytes:
        """The last line, if it has no end."""
        segments = self.segments()
        tail = last_line(segments[-1]) if segments else b""
        return b"" if tail.endswith(b"\n") else tail

    def rows(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Every whole line after a sequence number, parsed; a line that is no JSON ends it."""
        segments = self.segments()
        starts = [int(path.stem) for path in segments]
        for place, path in enumerate(segments):
            if place + 1 < len(starts) and starts[place + 1] <= after + 1:
                continue
            with path.open("rb") as file:
                for line in file:
                    try:
                        row = json.loads(line)
                        if row["entry"]["sequence"] > after:
                            yield row
                    except (ValueError, KeyError, TypeError):
                        return

    def blank(self, speaks: Callable[[str], bool], act: Act) -> list[int]:
        """Take out the details that speak of something; an entry that names them is written first."""
        with self.locked():
            told = ((row, json.dumps(row["detail"], ensure_ascii=False)) for row in self.rows())
            found = [int(row["entry"]["sequence"]) for row, text in told if speaks(text)]
            if found:
                self._append([replace(act, more={"erased": found})])
            gone = set(found) | {n for row in self.rows() for n in row["entry"].get("erased", ())}
            for path in self.segments():
                self._rewrite(path, gone)
        return found

    def _rewrite(self, path: Path, gone: set[int]) -> None:
        """One segment without the details of some entries."""
        lines = path.read_bytes().splitlines(keepends=True)
        kept = []
        for line in lines:
            row = json.loads(line)
            if row["entry"]["sequence"] in gone and row["detail"] != ERASED:
                line = line_of({**row, "detail": ERASED})
            kept.append(line)
        if kept != lines:
            write_whole(path, b"".join(kept))
            sync(self.folder)


def canonical(content: Any) -> bytes:
    """The one form of a JSON value that is hashed and written."""
    return json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def line_of(row: Mapping[str, Any]) -> bytes:
    return canonical(row) + b"\n"


def last_line(path: Path) -> bytes:
    """The last line of a file, read from its end."""
    with path.open("rb") as file:
        size, step = file.seek(0, os.SEEK_END), 8192
        while True:
            step = min(step, size)
            file.seek(size - step)
            tail = file.read(step)
            cut = tail.rfind(b"\n", 0, len(tail) - 1)
            if cut >= 0 or step == size:
                return tail[cut + 1 :]
            step *= 4


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
