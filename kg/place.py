"""Place: where the table of a ledger lies, a folder of this machine or an object store with a folder here beside it.

In an object store (S3 or what speaks its protocol) the table is all there is of a ledger; the folder beside it holds
the lock of this machine's writers, copies of the table's files, what was seen of them (`kg.seen`) and where the table
is. Of writers on several machines the store takes one: the next file of the log is put only if nobody has put it yet.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from shutil import copytree
from typing import Any, Final
from urllib.parse import unquote

import pyarrow.fs as pafs
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler

from kg.changes import EVENTS
from kg.disk import writing
from kg.errors import LedgerError
from kg.files import write_whole
from kg.lease import Lease
from kg.seen import FILE as SEEN
from kg.seen import Seen
from kg.swap import settle

FORMAT: Final = 1
"""Version of the table and of every cache made from it."""
APP: Final = "kgrisk-ledger"
"""Under this name the table counts our commits."""
ALWAYS: Final = {"aws_conditional_put": "etag", "retry_timeout": "30s", "connect_timeout": "5s"}
"""Options of every object store. The first makes it refuse a file of the log that is there already."""
SECRET: Final = re.compile("secret|token|password|access_key|credential", re.IGNORECASE)
"""Names of options that are handed on, but never written down or shown."""
_OLDER: Final = "the newest version in the log"
"""What Delta says of a log that ends before the version that was read of it."""
_SCREEN: Final = re.compile(r"\x1b\[[0-9;]*m")
_UNREACHED: Final = re.compile(r"%[0-9A-Fa-f]{2}|[\x00-\x1f\x7f\[\]^|\\]")
"""What the library of the table takes for something else in the path of a folder: it would write or read elsewhere."""
_EVERY: Final = 1.0
"""Seconds between two looks at whether an object store has a newer version."""


@dataclass
class Place:
    """Where a ledger lies: `folder` alone, or the object store at `url` with `folder` beside it."""

    folder: Path
    url: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    _looked: float = 0.0

    @classmethod
    def of(cls, where: Path | str, options: Mapping[str, str] | None, beside: Path | None) -> Place:
        """The place that a folder or a URL names; a folder that lies beside an object store leads there."""
        url = checked(str(where)) if "://" in str(where) else ""
        folder = Path(beside or Path.home() / ".cache" / "kgrisk" / re.sub(r"\W+", "-", url)) if url else Path(where)
        place = cls(folder, url.rstrip("/"), dict(options or {}))
        mark = place._marked()
        if mark and url and mark.get("url", "") != place.url:
            there = mark.get("url") or "in that folder"
            raise LedgerError(f"{folder} belongs to the ledger {there}, not to {place.url}; name another home")
        if mark.get("url"):
            place.url, place.options = mark["url"], {**mark.get("options", {}), **place.options}
        return place

    @property
    def remote(self) -> bool:
        return bool(self.url)

    def __str__(self) -> str:
        return self.url or str(self.folder)

    # ---- opening

    def identify(self) -> str:
        """The uuid of the ledger that lies here; created if there is none. LedgerError if it is no ledger."""
        mark = self._marked() or (self._joined() if self.remote else self._created())
        if mark.get("format") != FORMAT:
            raise LedgerError(
                f"{self} has ledger format {mark.get('format')}, this version reads {FORMAT}; "
                "use the version that wrote it"
            )
        return str(mark["uuid"])

    def _marked(self) -> dict[str, Any]:
        path = self.folder / "ledger.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _created(self) -> dict[str, Any]:
        usable(self.folder)
        if self.folder.exists() and any(not self._begun(path) for path in self.folder.iterdir()):
            raise LedgerError(f"{self.folder} is not empty and holds no ledger; name an empty or a new folder")
        with writing(self.folder, "a new ledger"), Lease(self.folder / "lease.json", "creating the ledger"):
            if mark := self._marked():  # of two that began, the other was first
                return mark
            DeltaTable.create(self.folder / "table", schema=EVENTS, mode="ignore")
            return self.mark(str(uuid.uuid4()))

    def _begun(self, path: Path) -> bool:
        """True for what somebody leaves who is killed while creating a ledger, or is creating it now."""
        empty = path.name == "table" and not any(path.glob("*.parquet"))
        return empty or path.name in ("lease.json", "ledger.json") or path.name.startswith(".new-")

    def _joined(self) -> dict[str, Any]:
        """The mark of a table in an object store, which carries uuid and format; of two creators one is first."""
        told = described(str(uuid.uuid4()))
        with self.reached():
            try:
                found = self.open()
            except TableNotFoundError:
                try:
                    found = DeltaTable.create(self.url, EVENTS, description=told, storage_options=self.given())
                except (DeltaError, CommitFailedError):  # another was first
                    found = self.open()
            text = found.metadata().description
        try:
            mark = json.loads(text or "")
            uuid_there, format = str(mark["uuid"]), int(mark["format"])
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(f"{self.url} is a table, but no ledger of kgrisk; name another place") from error
        return self.mark(uuid_there, format)

    def mark(self, uuid: str, format: int = FORMAT) -> dict[str, Any]:
        """Write down what lies here and, of an object store, where it is; no secret. What was seen before is past."""
        mark: dict[str, Any] = {"uuid": uuid, "format": format}
        if self.remote:
            plain = {name: value for name, value in self.options.items() if not SECRET.search(name)}
            mark |= {"url": self.url, "options": plain}
        write_whole(self.folder / "ledger.json", json.dumps(mark).encode())
        (self.folder / SEEN).unlink(missing_ok=True)
        return mark

    def table(self) -> DeltaTable:
        """The table, newly opened."""
        with self.read():
            return self.open() if self.remote else DeltaTable(settle(usable(self.folder)))

    def open(self) -> DeltaTable:
        return DeltaTable(self.url, storage_options=self.given())

    def given(self) -> dict[str, str]:
        return {**ALWAYS, **self.options}

    # ---- reading and writing

    @contextmanager
    def read(self) -> Iterator[None]:
        """Turn what is wrong with the log of a table into a LedgerError that says where it lies and what to do."""
        try:
            with self.reached():
                yield
        except DeltaError as error:
            why = " ".join(str(error).split())[:300]
            raise LedgerError(f"{self}: its table cannot be read: {why}; restore the ledger from a backup") from error

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Turn what an object store has against a request into a LedgerError that says what to do, without secrets."""
        if not self.remote:
            yield
            return
        try:
            yield
        except (CommitFailedError, TableNotFoundError):
            raise
        except (OSError, DeltaError) as error:
            if _OLDER in str(error):
                raise LedgerError(
                    f"{self.url} ends before what was read of it: the bucket was set back to an older state or written "
                    "anew; restore the bucket from a backup, or begin with a new home"
                ) from error
            said = " ".join(_SCREEN.sub("", str(error)).replace("↳", " ").split())
            for name, value in self.options.items():
                said = said.replace(value, "...") if SECRET.search(name) and value else said
            raise LedgerError(
                f"{self.url} cannot be reached or was refused: {said[:400]}; check the network, the endpoint "
                "(AWS_ENDPOINT_URL), the bucket and the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), and "
                "run again: what was acknowledged is kept"
            ) from error

    def files(self, table: DeltaTable) -> list[str]:
        """Paths on this machine of the table's files; what lies in an object store is copied once, see `kg.seen`."""
        if not self.remote:  # told as addresses: a space in the name of a folder is %20 there
            return sorted(unquote(uri.removeprefix("file://")) for uri in table.file_uris())
        return self.seen.files(table)

    @cached_property
    def seen(self) -> Seen:
        """What this home has seen of the table in an object store."""
        return Seen(self.folder, self.url, APP, self._store, self.reached)

    def _store(self) -> pafs.PyFileSystem:
        return pafs.PyFileSystem(DeltaStorageHandler(self.url, self.given()))

    def newer(self, version: int) -> bool:
        """Whether a version after this one has been written; of an object store this is looked at once a second."""
        name = f"_delta_log/{version + 1:020}.json"
        if not self.remote:
            return (self.folder / "table" / name).exists()
        if time.monotonic() - self._looked < _EVERY:
            return False
        with self.reached():
            found = self._store().get_file_info(name).type != pafs.FileType.NotFound
        self._looked = 0.0 if found else time.monotonic()
        return bool(found)

    def copy(self, to: Path) -> None:
        """The whole ledger as a folder of this machine; call it while nobody writes."""
        to = usable(to)
        if not self.remote:
            copytree(self.folder, to)
            return
        with Lease(to / "lease.json", "copying the ledger"):
            self.write(to / "table")
            Place(to).mark(self.identify())

    def write(self, to: Path | str, **more: Any) -> None:
        """Write the table anew, in one commit, where there is none."""
        import pyarrow.dataset as pads  # loads pandas, which no other command needs

        table = self.table()
        rows = pads.dataset(self.files(table), schema=EVENTS, format="parquet").scanner().to_reader()
        last = CommitProperties(app_transactions=[Transaction(APP, table.transaction_version(APP) or 0)])
        write_deltalake(to, rows, mode="error", commit_properties=last, **more)

    def must_be_here(self, what: str) -> None:
        """LedgerError for what is only done to a table on this machine."""
        if self.remote:
            raise LedgerError(
                f"{what} is not done in an object store, {self.url}: it may keep older versions of a file. Move the "
                "ledger into its folder (`kg.moving`, docs/scale/objectstore.md), do it there, and delete the "
                "bucket's copy"
            )


def described(uuid: str) -> str:
    """What a table in an object store says of itself."""
    return json.dumps({"uuid": uuid, "format": FORMAT})


def rows_in(files: Iterable[str]) -> str:
    """The rows of Parquet files in DuckDB's SQL, which takes `a=b/` in a path for a column."""
    return f"read_parquet([{', '.join(map(quoted_path, files))}], hive_partitioning = false)"


def quoted_path(file: str) -> str:
    """The name of one file in DuckDB's SQL, which takes `*`, `?` and `[` for patterns."""
    letters = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]", "'": "''"})
    return f"'{file.translate(letters)}'"


def usable(folder: Path) -> Path:
    """The folder, if the library of its table finds the way there. LedgerError for one it would take for another."""
    if found := _UNREACHED.search(str(folder.resolve())):
        raise LedgerError(
            f"{folder}: no ledger can lie below a name with {found[0]!r}, which the library of its table (Delta) takes "
            "for another sign; name another folder (`--home`, or the setting `ledger`)"
        )
    return folder


def checked(url: str) -> str:
    """The address of an object store. LedgerError for what is none."""
    if not url.startswith("s3://") or not url.removeprefix("s3://").strip("/"):
        raise LedgerError(f"ledger {url!r}: expected a folder, or an object store such as s3://bucket/ledger")
    return url.rstrip("/")
