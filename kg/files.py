"""Bytes addressed by their sha256: source documents, page images, vector files, run manifests."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from kg.errors import LedgerError
from kg.model import digest


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
