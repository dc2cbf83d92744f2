"""Cache: snapshots of one ledger on disk, as Arrow files that every reader maps and none copies."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final
from zlib import crc32

import numpy as np
import pyarrow as pa

from kg.contest import LOST, RANKS
from kg.made import CONTEST, TABLES, Made
from kg.model import AsOf
from kg.snapshot import EDGES, FACTS, NODES, Snapshot
from kg.splice import Gather, Splice

KEPT: Final = 32
"""How many snapshots stay on disk; the oldest go first."""
SUMS: Final = "sums.json"
"""CRC-32 of each file: a snapshot of which a bit was lost is made anew."""
LAYOUT: Final = 2
"""Version of the files: those of another one are not read."""
SCHEMAS: Final = dict(zip((*TABLES, *CONTEST), (NODES, EDGES, FACTS, RANKS, RANKS, LOST), strict=True))
PIECE: Final = 1 << 18
"""Bytes that are summed and written at once, few enough to stay in the processor's cache in between."""
_MOMENT = "%Y%m%dT%H%M%S%f"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cache:
    """Where the snapshots of a ledger lie, by commit and clocks."""

    folder: Path
    rules: str
    """Names the format and the rules of resolution: what was made under others is not read."""
    ledger: str
    """The uuid of the ledger."""

    def load(self, commit: int, at: AsOf) -> Snapshot | None:
        """The snapshot of a commit and clocks, memory-mapped; None if there is none that can be read."""
        folder = self._place(commit, at)
        try:
            sums = json.loads((folder / SUMS).read_text())
            return self._opened(folder, sums, commit, at)
        except FileNotFoundError:
            return None
        except (OSError, KeyError, TypeError, ValueError) as error:  # ArrowInvalid is a ValueError
            _LOG.warning("%s cannot be read (%s): it is made anew", folder, error)
            rmtree(folder, ignore_errors=True)
            return None

    def _opened(self, folder: Path, sums: Mapping[str, int | None], commit: int, at: AsOf) -> Snapshot:
        """The tables of a folder, each of which has its sum, if that is told."""
        names = (*TABLES, *CONTEST) if SCHEMAS.keys() <= sums.keys() else TABLES
        tables = {name: _mapped(folder / f"{name}.arrow", SCHEMAS[name], sums[name]) for name in names}
        return Made(tables, at, commit, self.ledger).snapshot()

    def nearest(self, commit: int, at: AsOf) -> Snapshot | None:
        """The snapshot that least lies between and this instant, of this commit or an earlier one."""
        assert at.valid is not None and at.published is not None
        best = None
        for number, valid, published in self._held():
            far = (published != at.published, -number, abs(valid - at.valid))
            if number <= commit and (best is None or far < best[0]):
                best = far, number, valid, published
        return self.load(best[1], AsOf(best[2], at.known, best[3])) if best else None

    def save(self, made: Made, base: Snapshot | None = None) -> Snapshot:
        """Write the tables; gives them as they lie there. A table that is that of `base` is not copied.

        The folder appears whole or not at all. Where the disk is full or may not be written nothing is kept, and the
        next question is answered anew.
        """
        folder, temp, kept = self._place(made.commit, made.at), None, None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temp = Path(mkdtemp(dir=self.folder, prefix=".new-"))
            names = self._fill(temp, made, base)
            try:
                temp.rename(folder)
                kept = self._opened(folder, dict.fromkeys(names), made.commit, made.at)
            except OSError:  # another process was first with the same content
                kept = self.load(made.commit, made.at)
        except OSError as error:
            _LOG.warning("%s cannot be kept (%s): whoever asks for it again waits again", folder, error)
        finally:
            if temp is not None:
                rmtree(temp, ignore_errors=True)
        for old in sorted(self.folder.glob("snapshot-*"), key=lambda f: f.stat().st_mtime)[:-KEPT]:
            rmtree(old, ignore_errors=True)  # who has it memory-mapped keeps it
        return made.snapshot() if kept is None else kept

    def _fill(self, temp: Path, made: Made, base: Snapshot | None) -> list[str]:
        """The files of a snapshot, and the sum of each; which they are."""
        known = {} if base is None else Made.of(base).tables
        told = {} if base is None else self._sums(base)
        sums = {}
        for name, table in made.tables.items():
            file = temp / f"{name}.arrow"
            linked = base is not None and table is known.get(name) and name in told and self._linked(base, name, file)
            sums[name] = told[name] if linked else _write(table, file)
        (temp / SUMS).write_text(json.dumps(sums))
        return list(sums)

    def _place(self, commit: int, at: AsOf) -> Path:
        assert at.valid is not None and at.published is not None
        clocks = "-".join(f"{moment:{_MOMENT}}" for moment in (at.valid, at.published))
        return self.folder / f"{self._prefix}{commit}-{clocks}"

    @property
    def _prefix(self) -> str:
        return f"snapshot-{LAYOUT}.{self.rules}-{self.ledger[:8]}-"

    def _held(self) -> Iterator[tuple[int, datetime, datetime]]:
        """Commit, valid and published of every snapshot there is."""
        for folder in self.folder.glob(f"{self._prefix}*"):
            number, *clocks = folder.name.removeprefix(self._prefix).split("-")
            valid, published = (datetime.strptime(text.zfill(21), _MOMENT).replace(tzinfo=UTC) for text in clocks)
            yield int(number), valid, published

    def _sums(self, base: Snapshot) -> dict[str, int]:
        """The sums of the files of another snapshot; none if it went meanwhile."""
        try:
            return dict(json.loads((self._place(base.commit, base.at) / SUMS).read_text()))
        except (OSError, ValueError):
            return {}

    def _linked(self, base: Snapshot, name: str, file: Path) -> bool:
        """True if the file of the other snapshot now has this name too."""
        try:
            os.link(self._place(base.commit, base.at) / f"{name}.arrow", file)
        except OSError:  # it went meanwhile, or the disk knows no links
            return False
        return True


class _Summed(io.RawIOBase):
    """A file that is written from its begin to its end and summed on the way; where all is zero it has holes."""

    def __init__(self, file: Path, left: Mapping[int, Gather]) -> None:
        self._file, self._left, self.sum = file.open("wb", 0), left, 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        told = memoryview(data).cast("B")
        gather = self._left.get(getattr(data, "address", 0))
        parts = (told[n : n + PIECE] for n in range(0, len(told), PIECE)) if gather is None else gather.pieces(PIECE)
        for piece in parts:
            self.sum = crc32(piece, self.sum)
            if len(piece) == PIECE and not piece[0] and not np.frombuffer(piece, np.uint64).any():
                self._file.seek(PIECE, os.SEEK_CUR)
            else:
                self._file.write(piece)
        return len(told)

    def close(self) -> None:
        self._file.close()
        super().close()


def _write(table: pa.Table | Splice, file: Path) -> int:
    """One batch, so that every column is one stretch of the file that can be used where it lies. Gives its sum."""
    form: Any = table
    left: Mapping[int, Gather] = {}
    if isinstance(table, Splice):
        form, left = table.hollow()
    with _Summed(file, left) as sink, pa.ipc.new_file(sink, form.schema) as writer:
        writer.write_table(form.combine_chunks(), max_chunksize=max(form.num_rows, 1))
    return sink.sum


def _sum(mapped: pa.MemoryMappedFile) -> int:
    """CRC-32 of a file, at some gigabytes a second."""
    return crc32(mapped.read_buffer()) if mapped.size() else 0


def _mapped(file: Path, schema: pa.Schema, told: int | None) -> pa.Table:
    """The table of a file, which is not copied. ArrowInvalid if it is none, or has another sum."""
    mapped = pa.memory_map(str(file))
    if told is not None and _sum(mapped) != told:
        raise pa.ArrowInvalid(f"{file.name} was changed on disk: it has another sum than it was written with")
    table = pa.ipc.open_file(mapped).read_all()
    if not table.schema.equals(schema):
        raise pa.ArrowInvalid(f"{file.name} has other columns than expected")
    return table
