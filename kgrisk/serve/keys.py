"""Keys: who may come through the door, and what each of them may do.

A key is 256 random bits, shown once. The file keeps its sha256, which for a random key of that length is as hard to
turn back as the key is to guess; it is compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from kg.errors import SettingsError
from kg.files import write_whole
from kg.ontology import NODES

if TYPE_CHECKING:
    from starlette.datastructures import Headers

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
    expires: str = ""
    """Last day the key is good for, as ISO text; empty: until it is revoked."""

    @property
    def hidden(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Labels and sources that are hidden, each once and in order."""
        return tuple(sorted({*self.hidden_labels})), tuple(sorted({*self.hidden_sources}))

    def good(self, today: date) -> bool:
        """Whether the key may be used on a day."""
        return not self.expires or today <= date.fromisoformat(self.expires)

    def may(self, permission: Permission) -> bool:
        return permission in MAY[self.role]


LOCAL: Final = Holder("local", "analyst")
"""Whoever asks over loopback while there are no keys."""


class Keys:
    """The key file of a home folder, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.needed = False
        """Must whoever asks have a key? From the first key seen on, also when the last is gone: a server that was
        closed never opens by a lost file."""
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
        except OSError as error:
            raise self._spoiled(error) from error
        mark = (stat.st_mtime_ns, stat.st_size)
        if mark != self._read_at:
            self._holders, self._read_at = self._read(), mark
            self.needed = self.needed or bool(self._holders)
        return self._holders

    def _read(self) -> list[Holder]:
        try:
            rows = json.loads(self.path.read_text())
            holders = [Holder(**{**row, **_tuples(row)}) for row in rows]
            _ = [holder.good(date.max) for holder in holders]  # a day that is none lets nobody in
            return holders
        except (OSError, ValueError, TypeError) as error:
            raise self._spoiled(error) from error

    def _spoiled(self, error: Exception) -> SettingsError:
        self.needed = True  # there were keys
        return SettingsError(f"{self.path} is no key file ({error}); restore it, or make keys anew")

    def find(self, key: str) -> Holder | None:
        """Whose key this is, if it is good today. Every holder is compared, so that the time taken tells nothing."""
        given, found = _digest(key), None
        for holder in self.holders:
            if hmac.compare_digest(holder.digest, given):
                found = holder
        return found if found and found.good(datetime.now(UTC).date()) else None

    def add(
        self,
        name: str,
        role: Role,
        labels: Sequence[str] = (),
        sources: Sequence[str] = (),
        expires: date | None = None,
    ) -> str:
        """A new key for a name; it is told here and never again.

        SettingsError if the name has one, or there is no such role or label.
        """
        if role not in MAY:
            raise SettingsError(f"there is no role {role!r}; known: {', '.join(MAY)}")
        if unknown := sorted({*labels} - NODES.keys()):
            raise SettingsError(f"there is no label {unknown[0]!r} to hide; known: {', '.join(NODES)}")
        if any(holder.name == name for holder in self.holders):
            raise SettingsError(f"{name!r} has a key; revoke it first: `kgrisk keys revoke {name}`")
        key = PREFIX + secrets.token_urlsafe(32)
        until = expires.isoformat() if expires else ""
        self._write([*self.holders, Holder(name, role, _digest(key), tuple(labels), tuple(sources), until)])
        return key

    def revoke(self, name: str) -> None:
        """Take a key away. SettingsError if nobody of that name has one."""
        rest = [holder for holder in self.holders if holder.name != name]
        if len(rest) == len(self.holders):
            known = ", ".join(holder.name for holder in self.holders) or "nobody"
            raise SettingsError(f"{name!r} has no key; keys are held by {known}; see `kgrisk keys list`")
        self._write(rest)

    def _write(self, holders: list[Holder]) -> None:
        write_whole(self.path, json.dumps([asdict(holder) for holder in holders], indent=1).encode())


def key_of(headers: Headers) -> str:
    """The key that came with a request: `X-Api-Key: KEY` or `Authorization: Bearer KEY`; empty if there is none.

    Two that differ, under one name or both, are together no key of anybody.
    """
    pairs = [given.partition(" ") for given in headers.getlist("authorization")]
    tokens = [token.strip() for scheme, _, token in pairs if scheme.lower() == "bearer"]
    given = {*tokens, *(key.strip() for key in headers.getlist("x-api-key"))} - {""}
    return " ".join(sorted(given))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _tuples(row: dict[str, object]) -> dict[str, tuple[str, ...]]:
    """JSON has lists where a holder has tuples."""
    names = ("hidden_labels", "hidden_sources")
    return {name: tuple(str(part) for part in value) for name in names if isinstance(value := row.get(name), list)}
