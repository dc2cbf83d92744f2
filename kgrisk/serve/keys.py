"""Keys: who may come through the door, and what each of them may do.

A key is 256 random bits, shown once. The file keeps its sha256, which for a random key of that length is as hard to
turn back as the key is to guess; it is compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from kg.errors import SettingsError

Permission = Literal["open", "read", "assess", "cypher", "operate", "administer"]
"""What a route asks for: nothing; answers; risk runs, scenarios and cases; free Cypher; jobs; keys, audit, erasure."""
Role = Literal["viewer", "analyst", "analyst_cypher", "operator", "admin"]
MAY: Final[dict[Role, frozenset[Permission]]] = {
    "viewer": frozenset({"open", "read"}),
    "analyst": frozenset({"open", "read", "assess"}),
    "analyst_cypher": frozenset({"open", "read", "assess", "cypher"}),
    "operator": frozenset({"open", "read", "operate"}),
    "admin": frozenset(get_args(Permission)),
}
PREFIX = "kgr_"


@dataclass(frozen=True)
class Holder:
    """Who asks: a name, a role, and what of the graph is kept from them."""

    name: str
    role: Role
    digest: str = ""
    hidden_labels: tuple[str, ...] = field(default=())
    """Labels of entities that this holder never sees."""
    hidden_sources: tuple[str, ...] = field(default=())
    """Sources whose claims this holder never sees."""

    def may(self, permission: Permission) -> bool:
        return permission in MAY[self.role]


LOCAL: Final = Holder("local", "analyst")
"""Whoever asks over loopback while there are no keys."""


class Keys:
    """The key file of a home folder, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._holders: list[Holder] = []
        self._read_at: tuple[int, int] = (0, 0)

    def __len__(self) -> int:
        return len(self.holders)

    @property
    def holders(self) -> list[Holder]:
        """Everyone who has a key; the file is read again when it was changed."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return []
        mark = (stat.st_mtime_ns, stat.st_size)
        if mark != self._read_at:
            self._holders, self._read_at = self._read(), mark
        return self._holders

    def _read(self) -> list[Holder]:
        try:
            rows = json.loads(self.path.read_text())
            return [Holder(**{**row, **_tuples(row)}) for row in rows]
        except (OSError, ValueError, TypeError) as error:
            raise SettingsError(f"{self.path} is no key file ({error}); restore it, or make keys anew") from error

    def find(self, key: str) -> Holder | None:
        """Whose key this is. Every holder is compared, so that the time taken tells nothing."""
        given, found = _digest(key), None
        for holder in self.holders:
            if hmac.compare_digest(holder.digest, given):
                found = holder
        return found

    def add(self, name: str, role: Role, labels: tuple[str, ...] = (), sources: tuple[str, ...] = ()) -> str:
        """A new key for a name; it is told here and never again. SettingsError if the name has one or no such role."""
        if role not in MAY:
            raise SettingsError(f"there is no role {role!r}; known: {', '.join(MAY)}")
        if any(holder.name == name for holder in self.holders):
            raise SettingsError(f"{name!r} has a key; revoke it first: `kgrisk keys revoke {name}`")
        key = PREFIX + secrets.token_urlsafe(32)
        self._write([*self.holders, Holder(name, role, _digest(key), labels, sources)])
        return key

    def revoke(self, name: str) -> None:
        """Take a key away. SettingsError if nobody of that name has one."""
        rest = [holder for holder in self.holders if holder.name != name]
        if len(rest) == len(self.holders):
            known = ", ".join(holder.name for holder in self.holders) or "nobody"
            raise SettingsError(f"{name!r} has no key; keys are held by {known}")
        self._write(rest)

    def _write(self, holders: list[Holder]) -> None:
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump([asdict(holder) for holder in holders], file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _tuples(row: dict[str, object]) -> dict[str, tuple[str, ...]]:
    """JSON has lists where a holder has tuples."""
    names = ("hidden_labels", "hidden_sources")
    return {name: tuple(str(part) for part in value) for name in names if isinstance(value := row.get(name), list)}
