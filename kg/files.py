"""Bytes addressed by their sha256: source documents, page images, vector files, run manifests."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, cast

from kg.disk import writing
from kg.errors import ErasedError, LedgerError
from kg.model import digest


def digest_of(path: Path) -> str:
    """sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Files:
    """A folder of immutable files named by digest; the same bytes twice are one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the bytes named by this digest lie (whether they are there or not)."""
        return self.folder / name[:2] / name

    def put(self, data: bytes) -> str:
        """Store bytes, durably and atomically; returns their digest."""
        name = digest(data)
        target = self.path(name)
        if not target.exists() and self.erased(name) is None:
            write_whole(target, data)
        return name

    def put_file(self, path: Path, name: str = "") -> str:
        """Store a copy of a file without holding it in memory; returns its digest.

        Whoever knows the digest gives it as `name` and saves one reading; LedgerError if the bytes copied have another.
        """
        name = name or digest_of(path)
        target = self.path(name)
        if not target.exists() and self.erased(name) is None:
            copied = hashlib.sha256()
            with path.open("rb") as file, replacing(target) as copy:
                while piece := file.read(1 << 20):
                    copied.update(piece)
                    copy.write(piece)
                if copied.hexdigest() != name:
                    raise LedgerError(f"{path} was changed while it was read; read it again when it is at rest")
        return name

    def get(self, name: str) -> bytes:
        """The bytes, of a file that spoke of an erased person what is left of them.

        LedgerError if they are missing or were changed, ErasedError if nothing was left.
        """
        try:
            data = self.path(name).read_bytes()
        except FileNotFoundError as error:
            if self.erased(name) is not None:
                raise ErasedError(
                    f"file {name} was erased: it spoke of a person who was, and no part could stay"
                ) from error
            raise LedgerError(
                f"file {name} is not in {self.folder}; restore it from a backup or ingest its source again"
            ) from error
        if (found := digest(data)) != name and found != self.erased(name):
            raise LedgerError(
                f"file {name} in {self.folder} was changed: its bytes have another sha256; restore it from a backup"
            )
        return data

    def erase(self, name: str, left: bytes | None) -> None:
        """Put what is left in the place of a file's bytes, or nothing, and say so beside it."""
        target = self.path(name)
        write_whole(self._tombstone(name), json.dumps({"sha256": digest(left) if left is not None else ""}).encode())
        if left is None:
            target.unlink(missing_ok=True)
        else:
            write_whole(target, left)

    def erased(self, name: str) -> str | None:
        """Digest of what is left of an erased file, "" if nothing is; None for a file that was never touched."""
        try:
            return str(json.loads(self._tombstone(name).read_text())["sha256"])
        except FileNotFoundError:
            return None

    def _tombstone(self, name: str) -> Path:
        return self.path(name).with_suffix(".erased")

    def __contains__(self, name: str) -> bool:
        return self.path(name).exists()


def write_whole(target: Path, data: bytes, *, what: str = "a file", alone: bool = False, lasting: bool = True) -> None:
    """Write a file that its owner alone may read, whole or not at all; see `replacing`."""
    with replacing(target, what=what, alone=alone, lasting=lasting) as file:
        file.write(data)


@contextmanager
def replacing(target: Path, *, what: str = "a file", alone: bool = False, lasting: bool = True) -> Iterator[IO[bytes]]:
    """A file that takes the place of `target` at the end of the block, whole and on disk; else nothing stays of it.

    `what` it is stands in the DiskError, if the disk refuses. Of a writer that is `alone` with this target, what a
    killed one left is written over; of several each has a name of its own. What need not be `lasting`, because it can
    be made anew, is not waited for until it is on disk.
    """
    with writing(target.parent, what):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _beside(target, alone) as file:
            try:
                yield file
                file.flush()
                if lasting:
                    os.fsync(file.fileno())
            except BaseException:
                os.unlink(file.name)
                raise
        os.replace(file.name, target)


def _beside(target: Path, alone: bool) -> IO[bytes]:
    """A new file in the folder of the target, which its owner alone may read."""
    if alone:
        return open(
            target.with_name(f".new-{target.name}"), "wb", opener=lambda path, flags: os.open(path, flags, 0o600)
        )
    return cast(IO[bytes], NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False))
