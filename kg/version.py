"""Version: which source files ran, as a digest; the `code` of a manifest names only the release.

A digest of the files is no part of a manifest: a run again after an edit that changes no bit must have the same id.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from kg.model import digest

PACKAGES: Final = ("gnn", "ingest", "kg", "kgrisk", "queries")
"""Folders of this distribution, side by side wherever it lies."""


def source_digest(folder: Path) -> str:
    """Digest of the names and bytes of every Python file of the packages in a folder."""
    files = sorted(path for package in PACKAGES for path in (folder / package).rglob("*.py"))
    lines = [f"{path.relative_to(folder).as_posix()} {digest(path.read_bytes())}" for path in files]
    return digest("\n".join(lines).encode())


def built(code: str) -> str:
    """A release with the digest of the sources beside it, such as `kgrisk@0.1.0+src.3f9a01c2b4d5`."""
    return f"{code}+src.{_here()[:12]}"


@cache
def _here() -> str:
    """Of the files that this process runs, read once."""
    return source_digest(Path(__file__).parent.parent)
