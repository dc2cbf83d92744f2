"""Readings: which documents each file has given, so that a corrected file takes the place of what it said before.

A document is named by its bytes, so a file corrected in place becomes another document and the ledger alone cannot
tell that the first is void. What a file has given is therefore written down, before the commit that rests on it: a
run that dies between the two leaves a note too many, never one too few.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from kg.errors import SourceError
from kg.files import write_whole

SIDECAR = "sidecar"
"""Part that stands for the file beside a record; the parts of a file itself are "" or begin with #."""


class Reading(NamedTuple):
    """One part of one file, and the document it gave."""

    file: str
    """The file with all its folders: the same name in another folder is another file."""
    part: str
    document: str


_SCHEMA = pa.schema([pa.field(name, pa.string(), False) for name in Reading._fields])


class Readings:
    """All readings of a home, and those of the run at work."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = _load(path)
        self._now: set[Reading] = set()
        self._unread: set[tuple[str, str]] = set()

    def add(self, file: Path, part: str, document: str) -> None:
        """Note what a part of a file gives in this run."""
        self._now.add(Reading(str(file), part, document))

    def refuse(self, file: Path, part: str) -> None:
        """Note that a part cannot be read in this run: what it said before stands until it can."""
        self._unread.add((str(file), part))

    def superseded(self, *, sidecars: bool) -> set[str]:
        """Documents that files read in this run gave before and no file read in this run gives now.

        A sidecar is void only where another has come in its place, and only if `sidecars` says that all it speaks
        of was read.
        """
        files = {reading.file for reading in self._now}
        beside = {reading.file for reading in self._now if sidecars and reading.part == SIDECAR}
        void = (r for r in self._before if r.file in (beside if r.part == SIDECAR else files))
        kept = {r.document for r in self._before if (r.file, r.part) in self._unread}
        return {r.document for r in void} - kept - {r.document for r in self._now}

    def save(self) -> None:
        """Write the readings of this run beside all others, durably and atomically; hold the ledger's lease."""
        known = _load(self._path)
        if self._now <= known:
            return
        columns = zip(*sorted(known | self._now), strict=True)
        table = pa.table([pa.array(column, pa.string()) for column in columns], schema=_SCHEMA)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        write_whole(self._path, sink.getvalue().to_pybytes())


def _load(path: Path) -> set[Reading]:
    if not path.exists():
        return set()
    try:
        rows: Iterable[dict[str, str]] = pq.read_table(path, schema=_SCHEMA).to_pylist()
    except (pa.ArrowException, ValueError) as error:
        raise SourceError(
            f"{path}: expected the table of files read ({error}); restore it from a backup, or remove it: files "
            "corrected since they were last read then count as new ones"
        ) from error
    return {Reading(**row) for row in rows}
