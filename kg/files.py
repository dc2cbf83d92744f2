"""Bytes addressed by their sha256: source documents, page images, vector files, run manifests."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from kg.errors import LedgerError
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
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(file.name, target)
        return name

    def put_file(self, path: Path, name: str = "") -> str:
        """Store a copy of a file without holding it in memory; returns its digest.

        Whoever knows the digest gives it as `name` and saves one reading; LedgerError if the bytes copied have another.
        """
        name = name or digest_of(path)
        target = self.path(name)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as copy, path.open("rb") as file:
                copied = hashlib.sha256()
                while piece := file.read(1 << 20):
                    copied.update(piece)
                    copy.write(piece)
                copy.flush()
                os.fsync(copy.fileno())
            if copied.hexdigest() != name:
                os.unlink(copy.name)
                raise LedgerError(f"{path} was changed while it was read; read it again when it is at rest")
            os.replace(copy.name, target)
        return name

    def get(self, name: str) -> bytes:
        """The bytes; LedgerError if they are missing or were changed."""
        try:
            data = self.path(name).read_bytes()
        except FileNotFoundError as error:
            raise LedgerError(
                f"file {name} is not in {self.folder}; restore it from a backup or ingest its source again"
            ) from error
        if digest(data) != name:
            raise LedgerError(
                f"file {name} in {self.folder} was changed: its bytes have another sha256; restore it from a backup"
            )
        return data

    def __contains__(self, name: str) -> bool:
        return self.path(name).exists()
