"""Seen: what a home has seen of its ledger's table in an object store, and its copies of the table's files.

The log of a table only grows and its files never change. So a home that has seen a commit refuses a bucket that ends
before it, or has another in its place: somebody set it back. A copy is but a cache: each is read once by a process and
copied anew if it has another sha256 than when it was copied. What is copied is held against the size in the log.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import DeltaTable

from kg.errors import DiskError, LedgerError
from kg.files import digest_of, replacing, write_whole

FILE: Final = "seen.json"
COPIES: Final = "copies"
_LOG = logging.getLogger(__name__)
_RESTORE: Final = "restore it from a backup, or from an older version of it that the bucket keeps"


class Digests:
    """The sha256 of files, each of which is read once as long as nobody writes it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], str] = {}

    def of(self, path: Path, name: str = "") -> str:
        """The sha256 of a file; who has just written it gives it as `name`. OSError if it cannot be read."""
        told = path.stat()
        key = path.name, told.st_ino, told.st_mtime_ns
        if key not in self._known:
            self._known[key] = name or digest_of(path)
        return self._known[key]


@dataclass(frozen=True)
class Told:
    """The last version of the table that a home saw."""

    head: int = 0
    """Number of its last commit."""
    version: int = -1
    """Number of its last entry in the log; -1 for a home that has seen nothing."""
    entry: str = ""
    """sha256 of that entry."""
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 of each file when it was copied, by its path in the table."""


class Seen:
    """What the home with this `folder` has seen of the table at `url`, which counts its commits as `app`.

    `store` opens the files of the table; within `reached()` what it refuses becomes a LedgerError.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        app: str,
        store: Callable[[], pafs.FileSystem],
        reached: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._folder, self._url, self._app, self._store, self._reached = folder, url, app, store, reached
        self._copies, self._digests = folder / COPIES, Digests()

    def read(self) -> Told:
        """What is written down; LedgerError if it cannot be read."""
        path = self._folder / FILE
        try:
            told = json.loads(path.read_text())
            return Told(int(told["head"]), int(told["version"]), str(told["entry"]), dict(told["files"]))
        except FileNotFoundError:
            return Told()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LedgerError(
                f"{path} cannot be read ({error!r}); restore it from a backup, or remove it: the table at {self._url} "
                "is then taken as it is"
            ) from error

    def hold(self, table: DeltaTable) -> Told:
        """What was seen, from which the table goes on. LedgerError for a table that ends before it or is another."""
        told = self.read()
        if table.version() < told.version:  # another process of this home may have seen more since it was read
            with self._reached():
                table.update_incremental()
        head, version = self._head(table), table.version()
        if head < told.head or version < told.version:
            raise self._set_back(f"ends at commit {head}, but this home has seen commit {told.head}", told)
        found = self._entry(told.version) if told.entry else ""
        if found != told.entry and (found or not self._cleaned(told.version)):
            raise self._set_back(f"has not the commit {told.head} that this home has seen", told)
        return told

    def files(self, table: DeltaTable) -> list[str]:
        """Paths of the copies of the table's files; what is not here, or not as it was, is copied now.

        LedgerError for a table that was set back, and for a file in the bucket that is gone, cut or changed.
        """
        told, sizes = self.hold(table), _sizes(table)
        copies = {name: self._copies / name.replace("/", "-") for name in sorted(sizes)}
        self._copies.mkdir(parents=True, exist_ok=True)
        for copy in set(self._copies.glob("*.parquet")) - set(copies.values()):
            copy.unlink(missing_ok=True)  # compacted away; who reads it still has it open
        sums = {name: self._sum(copy, sizes[name], told.files.get(name)) for name, copy in copies.items()}
        missing = [name for name, found in sums.items() if not found]
        spoiled = [copies[name].name for name in missing if name in told.files or copies[name].exists()]
        if spoiled:
            _LOG.warning(
                "%s: changed, cut or gone: %s (%s of them); copied anew from %s",
                self._copies, spoiled[0], len(spoiled), self._url,
            )  # fmt: skip
        store = self._store() if missing else None
        for name in missing:
            sums[name] = self._copy(store, name, sizes[name], copies[name], told.files.get(name))
        self._tell(told, table, sums)
        return [str(copy) for copy in copies.values()]

    def made(self, table: DeltaTable) -> None:
        """Write down a commit that was made here; what refuses that does not undo the commit."""
        try:
            told = self.read()
            self._tell(told, table, told.files)
        except LedgerError as error:
            _LOG.warning("commit %s is made, but not written down as seen: %s", self._head(table), error)

    def _tell(self, told: Told, table: DeltaTable, files: Mapping[str, str]) -> None:
        """Write down what is seen now, unless another process of this home has seen more."""
        now = replace(told, head=self._head(table), version=table.version(), files=files)
        if now.version != told.version or not told.entry:
            now = replace(now, entry=self._entry(now.version))
        if now == told or now.version < self.read().version:
            return
        try:
            write_whole(self._folder / FILE, json.dumps(asdict(now), indent=0).encode())
        except DiskError as error:
            _LOG.warning("what was seen of %s up to commit %s is not written down: %s", self._url, now.head, error)

    def _head(self, table: DeltaTable) -> int:
        with self._reached():
            return table.transaction_version(self._app) or 0

    def _sum(self, copy: Path, size: int, known: str | None) -> str:
        """The sha256 of a copy that is as it was; "" if there is none. One that was not written down is taken in."""
        try:
            found = self._digests.of(copy) if copy.stat().st_size == size else ""
        except OSError:
            return ""
        return found if known in (None, found) else ""

    def _copy(self, store: pafs.FileSystem, name: str, size: int, to: Path, known: str | None) -> str:
        """Copy a file out of the bucket; gives its sha256. LedgerError if it is not what the log and we know of it."""
        summed = hashlib.sha256()
        there = self._opened(store, name)
        with there, replacing(to, what="a copy of the ledger's table") as here:
            while piece := self._piece(there):
                here.write(piece)
                summed.update(piece)
            if here.tell() != size:
                raise self._damaged(name, f"has {here.tell()} bytes, but the log of its table says {size}")
            if known not in (None, summed.hexdigest()):
                raise self._damaged(name, "has another sha256 than when this home copied it")
            here.flush()
            if why := _unread(here.name):
                raise self._damaged(name, f"cannot be read ({why})")
        return self._digests.of(to, summed.hexdigest())

    def _opened(self, store: pafs.FileSystem, name: str) -> pa.NativeFile:
        with self._reached():
            try:
                return store.open_input_stream(name)
            except FileNotFoundError as error:
                raise self._damaged(name, "is gone, but the log of its table names it") from error

    def _piece(self, there: pa.NativeFile) -> bytes:
        with self._reached():  # what the store refuses is told as that, and not as a fault of the disk that is written
            return bytes(there.read(1 << 20))

    def _log(self, name: str) -> bytes:
        """The bytes of a file of the table's log, b"" if it is not there."""
        with self._reached():
            try:
                with self._store().open_input_stream(f"_delta_log/{name}") as there:
                    return bytes(there.read())
            except FileNotFoundError:
                return b""

    def _entry(self, version: int) -> str:
        """The sha256 of an entry in the log, "" if it is not there."""
        found = self._log(f"{version:020}.json")
        return hashlib.sha256(found).hexdigest() if found else ""

    def _cleaned(self, version: int) -> bool:
        """Whether an entry may be gone: a checkpoint holds what it said."""
        try:
            return int(json.loads(self._log("_last_checkpoint"))["version"]) >= version
        except (ValueError, KeyError, TypeError):
            return False

    def _damaged(self, name: str, what: str) -> LedgerError:
        return LedgerError(f"{self._url}/{name} {what}: it was changed in the bucket; {_RESTORE}")

    def _set_back(self, what: str, told: Told) -> LedgerError:
        return LedgerError(
            f"{self._url} {what} (entry {told.version} of its log): the bucket was set back to an older state or "
            "written anew; restore the bucket from a backup, or begin with a new home"
        )


def _sizes(table: DeltaTable) -> dict[str, int]:
    """Bytes of each file of a table as its log says, by its path in the table."""
    told = pa.table(table.get_add_actions()).select(["path", "size_bytes"])
    return dict(zip(told["path"].to_pylist(), told["size_bytes"].to_pylist(), strict=True))


def _unread(path: str) -> str:
    """Why a file is no Parquet file by its end, where the rest of it is named; "" for one that is."""
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        return str(error).splitlines()[0]
    return ""
