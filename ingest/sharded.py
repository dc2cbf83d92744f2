"""Sharded: the records of a source read by the workers of an executor, with what they say in the order of the records.

What travels to a worker is small: the path of a file and its sha256 rather than its bytes, and once for each source the
names that it knows, as Arrow columns of which a worker makes its gazetteer once. What comes back are Arrow tables.

Staging, the files and the ledger are written by the one process that runs the pipeline. It alone may leave out what is
said of somebody who was erased before anything lies on a disk, its writes come in the order of the records, so that a
kill leaves the same parts wherever it strikes, and a worker on another machine needs no way to write here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from time import sleep
from typing import Any, Final

import pyarrow as pa

from ingest.erased import Erased
from ingest.extract.text.names import Gazetteer
from ingest.report import SourceCount
from ingest.source import Extract, Models, Record, Source
from ingest.staging import Staging, attempt, whole_refusal
from kg import plugins
from kg.errors import CancelledError, ExecutorError, RecordError
from kg.executor import AHEAD, Executor
from kg.model import digest

log = logging.getLogger(__name__)

PACKAGE: Final = "ingest.sources"
SMALL: Final = 1 << 16
"""Bytes up to which a record travels whole; a larger one that is a file is read again where it arrives."""
SHARD_BYTES: Final = 1 << 17
SHARD_RECORDS: Final = 4
"""A shard ends with the record that reaches either: what a worker that dies leaves to do again stays small."""
WINDOW: Final = 32
WINDOW_BYTES: Final = 1 << 26
"""Shards and bytes for each worker that are read at once, and held here until their claims are back."""
DEADLY: Final = 3
"""Records that end their worker one after the other, after which it is the machine that is at fault."""
PAUSES: Final = (0.0, 2.0, 8.0)
"""Seconds waited before each try of a record alone: a cluster needs some to notice that a machine is gone."""
LOST: Final = (
    "the process that read it ended without a word each time it was tried alone: it may need more memory than a worker "
    "has, or break a library; look at the file, or give a worker more memory, it is tried again in the next run"
)
NAMES: Final = pa.schema([(name, pa.string()) for name in ("id", "label", "name")])
_PLAIN: Final = (bool, bytes, float, int, str)
Attempt = tuple[Extract, bool]
"""What a record gave, and whether that may be staged."""
Person = tuple[str, str, str]


@dataclass(frozen=True)
class Names:
    """Everybody a gazetteer knows, as columns; the same where they have the same fingerprint."""

    fingerprint: str
    table: pa.Table = field(compare=False)


@dataclass(frozen=True)
class Means:
    """What the records of one source are read with; a worker makes it again of what little travels there."""

    name: str
    source: Source
    models: Models
    names: Callable[[], Iterable[Person]]
    """Id, label and name of everybody the gazetteer knows; asked for only where they have to travel."""

    def __getstate__(self) -> dict[str, Any]:
        models, names = self.models, None
        if models.gazetteer is not None:
            columns = list(zip(*self.names(), strict=True)) or [()] * len(NAMES)
            arrays = [pa.array(column, pa.string()) for column in columns]
            names = Names(models.gazetteer.fingerprint, pa.table(arrays, schema=NAMES))
        kept = {"cache": models.cache, "limits": models.limits, "names": names}
        source = {"folder": self.source.folder, "chosen": _chosen(self.source), "extractor": self.source.extractor}
        return {"name": self.name, **source, **kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        kind = plugins.load(PACKAGE, state["name"], Source)  # type: ignore[type-abstract]  # load gives a concrete one
        if kind.extractor != state["extractor"]:
            raise ExecutorError(
                f"a worker would read by {kind.extractor} what is asked of {state['extractor']}; install the same "
                "version of kgrisk and of its plug-ins on every machine"
            )
        source = kind(state["folder"], [])
        vars(source).update(state["chosen"])
        gazetteer = _gazetteer(state["names"]) if state["names"] else None
        models = Models(gazetteer, state["cache"], state["limits"])
        vars(self).update(name=state["name"], source=source, models=models, names=tuple)


def _chosen(source: Source) -> dict[str, Any]:
    """Plain values that stand on the class of a source: they may have been set for this process, such as a key."""
    own = {name: value for part in reversed(type(source).__mro__) for name, value in vars(part).items()}
    return {n: v for n, v in own.items() if isinstance(v, _PLAIN) and n[0] != "_" and n != "extractor"}


@lru_cache(maxsize=2)
def _gazetteer(names: Names) -> Gazetteer:
    """In a worker: made once of the names of a source and of the next."""
    made = Gazetteer(zip(*(names.table[name].to_pylist() for name in NAMES.names), strict=True))
    if made.fingerprint != names.fingerprint:
        raise ExecutorError(
            "a worker makes another gazetteer of the same names; install the same version of kgrisk on every machine"
        )
    return made


@dataclass(frozen=True)
class Parcel:
    """A record as it travels: the bytes of a file stay where they lie."""

    record: Record
    lies: Path | None = None
    """The file that has its bytes, where they are many."""
    document: str = ""
    """sha256 of the bytes that were left behind; "" where they are with the record."""

    @property
    def size(self) -> int:
        """Bytes of the record, wherever they lie."""
        return self.record.file.stat().st_size if self.record.file else len(self.record.content)

    @classmethod
    def of(cls, record: Record, folder: Path) -> Parcel:
        size, path = len(record.content), folder / record.path
        there = size > SMALL and path.is_file() and path.stat().st_size == size
        return cls(record, path.absolute() if there else None)

    def __getstate__(self) -> dict[str, Any]:
        if self.lies is None or self.document:
            return dict(vars(self))
        bare = replace(self.record, content=b"")
        return {"record": bare, "lies": self.lies, "document": self.record.document}

    def opened(self) -> Record | None:
        """The record with its bytes; None where they are not, or no longer, those that were left behind."""
        if not self.document or self.lies is None:
            return self.record
        try:
            content = self.lies.read_bytes()
        except OSError:
            return None
        return replace(self.record, content=content) if digest(content) == self.document else None


def read(shard: Sequence[Parcel], means: Means) -> list[Attempt | None]:
    """In a worker: what each record gives; None for one whose bytes cannot be had there."""
    opened = (parcel.opened() for parcel in shard)
    return [None if record is None else attempt(means.source, record, means.models) for record in opened]


class Reader:
    """The records of one source with what each gives: taken from staging, or read by an executor and staged here."""

    def __init__(self, means: Means, executor: Executor, staging: Staging, erased: Erased) -> None:
        self._means, self._executor, self._staging, self._erased = means, executor, staging, erased
        self._dead: list[str] = []
        """Records that ended their worker since one was read last."""

    @cached_property
    def _put(self) -> Any:
        """The means where the workers have them: only where there is something to read, as names may be many."""
        return self._executor.put(self._means)

    def extracts(self, records: Iterable[Record], count: SourceCount) -> Iterator[tuple[Record, Extract]]:
        """Each record with what it gives, in their order."""
        for window in self._windows(records):
            paths = [self._staged(record) for record in window]
            first = {path: place for place, path in reversed([*enumerate(paths)]) if not path.exists()}
            fresh = set(first.values())
            made = self._attempts([window[place] for place in sorted(fresh)])
            for place, (record, path) in enumerate(zip(window, paths, strict=True)):
                found = None if place in fresh else self._staging.get(path)
                if found is None:  # also the twin of a record that gave nothing to be staged
                    found = self._kept(record, path, next(made if place in fresh else self._attempts([record])))
                else:
                    count.resumed += 1
                yield record, found

    def _staged(self, record: Record) -> Path:
        return self._staging.path(record, self._means.source.extractor, self._means.models.fingerprint)

    def _kept(self, record: Record, path: Path, made: Attempt) -> Extract:
        found = self._erased.without(made[0], record)
        if made[1]:
            self._staging.put(path, found)
        return found

    def _windows(self, records: Iterable[Record]) -> Iterator[list[Record]]:
        """As many records at a time as keep the workers busy; one where there is one worker, so that nothing waits."""
        workers = self._executor.workers
        window: list[Record] = []
        size = 0
        for record in records:
            window.append(record)
            size += len(record.content)
            if workers == 1 or size >= WINDOW_BYTES * workers or len(window) == WINDOW * SHARD_RECORDS * workers:
                yield window
                window, size = [], 0
        if window:
            yield window

    def _attempts(self, records: Sequence[Record]) -> Iterator[Attempt]:
        """What each gives, in their order. ExecutorError where records end their workers one after the other."""
        parcels = [Parcel.of(record, self._means.source.folder) for record in records]
        found = chain.from_iterable(self._results(list(shards(parcels))))
        for parcel, own in zip(parcels, found, strict=True):
            yield own or self._here(parcel.record)

    def _here(self, record: Record) -> Attempt:
        """Read in this process, which has the bytes."""
        log.warning(
            "%s is read without the workers: they cannot read its bytes, or they were changed; keep what is read on "
            "storage that every machine sees",
            record.path,
        )
        return attempt(self._means.source, record, self._means.models)

    def _results(self, todo: Sequence[Sequence[Parcel]]) -> Iterator[Sequence[Attempt | None]]:
        """Results shard by shard; after a death that repeats itself, those under way record by record."""
        done = 0
        while done < len(todo):
            try:
                for found in self._executor.map(read, todo[done:], self._put):
                    done += 1
                    self._dead.clear()
                    yield found
            except CancelledError:
                raise
            except ExecutorError:
                for shard in todo[done : done + AHEAD * self._executor.workers]:
                    done += 1
                    yield [self._alone(parcel) for parcel in shard]

    def _alone(self, parcel: Parcel) -> Attempt | None:
        """What one record gives that nothing is read beside; a refusal of the whole where that ends its worker too.

        Between the tries workers have to live without it: a machine that has just gone is no fault of a record.
        """
        why, lives = None, False
        for pause in PAUSES:
            sleep(pause)
            lives = False
            try:
                lives = next(self._executor.map(read, [()], self._put)) == []
                (found,) = next(self._executor.map(read, [[parcel]], self._put))
            except CancelledError:
                raise
            except ExecutorError as error:
                why = error
            else:
                self._dead.clear()
                return found
        if why is not None and not lives:  # workers die without any record as well
            raise why
        self._dead.append(parcel.record.path)
        if len(self._dead) == DEADLY:
            raise ExecutorError(
                f"the workers died at {', '.join(self._dead)}, one after the other, so it is hardly the files: "
                f"nothing was committed; use fewer workers or give them more memory, and run again ({why})"
            ) from why
        return whole_refusal(RecordError(LOST)), False


def shards(parcels: Iterable[Parcel]) -> Iterator[list[Parcel]]:
    """Records one after the other in shards of about the same bytes."""
    shard: list[Parcel] = []
    size = 0
    for parcel in parcels:
        shard.append(parcel)
        size += parcel.size
        if size >= SHARD_BYTES or len(shard) == SHARD_RECORDS:
            yield shard
            shard, size = [], 0
    if shard:
        yield shard
