"""Cache: snapshots of one ledger on disk, as Arrow files that every reader maps and none copies."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final
from zlib import crc32

import pyarrow as pa

from kg.model import AsOf
from kg.snapshot import EDGES, FACTS, NODES, Snapshot

KEPT: Final = 32
"""How many snapshots stay on disk; the oldest go first."""
SUMS: Final = "sums.json"
"""CRC-32 of each file: a snapshot of which a bit was lost is made anew."""
TABLES: Final = {"nodes": NODES, "edges": EDGES, "facts": FACTS}
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
            tables = [_mapped(folder / f"{name}.arrow", schema, sums[name]) for name, schema in TABLES.items()]
        except FileNotFoundError:
            return None
        except (OSError, KeyError, TypeError, ValueError) as error:  # ArrowInvalid is a ValueError
            _LOG.warning("%s cannot be read (%s): it is made anew", folder, error)
            rmtree(folder, ignore_errors=True)
            return None
        return Snapshot(tables[0], tables[1], tables[2], at, commit, self.ledger)

    def nearest(self, commit: int, at: AsOf) -> Snapshot | None:
        """The snapshot that least lies between and this instant, of this commit or an earlier one."""
        assert at.valid is not None and at.published is not None
        best = None
        for number, valid, published in self._held():
            far = (published != at.published, -number, abs(valid - at.valid))
            if number <= commit and (best is None or far < best[0]):
                best = far, number, valid, published
        return self.load(best[1], AsOf(best[2], at.known, best[3])) if best else None

    def save(self, snapshot: Snapshot, base: Snapshot | None = None) -> None:
        """Write the tables; the folder appears whole or not at all. A table that is that of `base` is not copied.

        Where the disk is full or may not be written nothing is kept, and the next question is answered anew.
        """
        folder, temp = self._place(snapshot.commit, snapshot.at), None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temp = Path(mkdtemp(dir=self.folder, prefix=".new-"))
            self._fill(temp, snapshot, base)
            with suppress(OSError):  # another process was first with the same content
                temp.rename(folder)
        except OSError as error:
            _LOG.warning("%s cannot be kept (%s): whoever asks for it again waits again", folder, error)
        finally:
            if temp is not None:
                rmtree(temp, ignore_errors=True)
        for old in sorted(self.folder.glob("snapshot-*"), key=lambda f: f.stat().st_mtime)[:-KEPT]:
            rmtree(old, ignore_errors=True)  # who has it memory-mapped keeps it

    def _fill(self, temp: Path, snapshot: Snapshot, base: Snapshot | None) -> None:
        """The files of a snapshot, and the sum of each."""
        sums = {}
        for name in TABLES:
            file, table = temp / f"{name}.arrow", getattr(snapshot, name)
            if base is None or table is not getattr(base, name) or not self._linked(base, name, file):
                _write(table, file)
            sums[name] = _sum(pa.memory_map(str(file)))
        (temp / SUMS).write_text(json.dumps(sums))

    def _place(self, commit: int, at: AsOf) -> Path:
        assert at.valid is not None and at.published is not None
        clocks = "-".join(f"{moment:{_MOMENT}}" for moment in (at.valid, at.published))
        return self.folder / f"{self._prefix}{commit}-{clocks}"

    @property
    def _prefix(self) -> str:
        return f"snapshot-{self.rules}-{self.ledger[:8]}-"

    def _held(self) -> Iterator[tuple[int, datetime, datetime]]:
        """Commit, valid and published of every snapshot there is."""
        for folder in self.folder.glob(f"{self._prefix}*"):
            number, *clocks = folder.name.removeprefix(self._prefix).split("-")
            valid, published = (datetime.strptime(text.zfill(21), _MOMENT).replace(tzinfo=UTC) for text in clocks)
            yield int(number), valid, published

    def _linked(self, base: Snapshot, name: str, file: Path) -> bool:
        """True if the file of the other snapshot now has this name too."""
        try:
            os.link(self._place(base.commit, base.at) / f"{name}.arrow", file)
        except OSError:  # it went meanwhile, or the disk knows no links
            return False
        return True


def _write(table: pa.Table, file: Path) -> None:
    """One batch, so that every column is one stretch of the file that can be used where it lies."""
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks(), max_chunksize=max(table.num_rows, 1))


def _sum(mapped: pa.MemoryMappedFile) -> int:
    """CRC-32 of a file, at some gigabytes a second."""
    return crc32(mapped.read_buffer()) if mapped.size() else 0


def _mapped(file: Path, schema: pa.Schema, told: int) -> pa.Table:
    """The table of a file, which is not copied. ArrowInvalid if it is no such table, or not as it was written."""
    mapped = pa.memory_map(str(file))
    if _sum(mapped) != told:
        raise pa.ArrowInvalid(f"{file.name} was changed on disk: it has another sum than it was written with")
    table = pa.ipc.open_file(mapped).read_all()
    if not table.schema.equals(schema):
        raise pa.ArrowInvalid(f"{file.name} has other columns than expected")
    return table
