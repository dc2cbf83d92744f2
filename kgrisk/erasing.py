"""Erasing: a person taken out of everything below a home folder, step by step, and the search that proves it.

Every step can be done again, and what is done stands in the journal: after a kill the erasure goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from shutil import rmtree

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.blot import Blot
from ingest.redaction import Cite, cites, redact
from kg.erase import erase, others_of, rows_of
from kg.errors import ErasedError, KgRiskError
from kg.ledger import OnIO, no_io
from kg.model import digest
from kg.tombstones import Tombstone, Tombstones
from kg.vectors import place as vector_place
from kgrisk.audit import Act, Audit
from kgrisk.erasing_plan import FILE, Plan, plan
from kgrisk.erasing_search import search
from kgrisk.erasing_sweep import sweep
from kgrisk.erasing_written import cover_written, folders
from kgrisk.opened import Opened
from kgrisk.refresh import lock

TEXTS = ("value_text", "quote", "key", "locator", "subject", "object")
"""Columns in which a row of others may name the person."""


@dataclass(frozen=True)
class Erased:
    """What an erasure did, and that the search found nothing any more."""

    rows: int
    commit: int
    tombstone: str
    """sha256 of the run, which tells count, reason, time and who, and keyed digests of the ids."""
    documents: int
    """Source files that were changed."""
    removed: tuple[str, ...]
    """Those of which nothing could stay."""
    swept: tuple[str, ...]
    """Other files of the home folder that were changed or removed."""
    searched: int
    """Files in which the search looked, in every byte and every packed column, and found nothing."""
    linked: tuple[str, ...] = field(default=())
    unclear: dict[str, int] = field(default_factory=dict)
    """How often a part of the name stands in files of others, as it may of anybody: left as it is, to be looked at."""


def erase_person(graph: Opened, ids: Sequence[str], reason: str, by: str, on_io: OnIO = no_io) -> Erased:
    """Erase a person (and what is named with them) for good; KgRiskError if the search still finds anything."""
    graph.ledger.place.must_be_here("erasing")  # before any document is changed
    if (begun := Plan.load(graph.home)) is not None:
        raise KgRiskError(f"an erasure begun at {begun.time} has not ended; go on with `kgrisk erase --resume` first")
    if not reason.strip() or not by.strip():
        raise KgRiskError("an erasure says why and by whom: give --reason and --by")
    with lock(graph.home), graph.ledger.lease:
        made = plan(graph.ledger, ids, reason, by)
        made.save(graph.home)
        on_io("plan:after")
        return _go_on(graph, made, on_io)


def resume(graph: Opened, on_io: OnIO = no_io) -> Erased:
    """Go on with an erasure that was broken off."""
    with lock(graph.home), graph.ledger.lease:
        made = Plan.load(graph.home)
        if made is None:
            raise KgRiskError(f"no erasure is open in {graph.home}; begin one: `kgrisk erase ID --reason WHY --by WHO`")
        return _go_on(graph, made, on_io)


def _go_on(graph: Opened, made: Plan, on_io: OnIO) -> Erased:
    steps: tuple[tuple[str, Callable[[Opened, Plan, OnIO], list[str]]], ...] = (
        ("documents", _documents),
        ("ledger", _ledger),
        ("vectors", _vectors),
        ("sweep", _sweep),
        ("audit", _audit),
        ("store", _store),
    )
    for name, work in steps:
        if name not in made.done:
            made.told[name] = work(graph, made, on_io)
            made.done.append(name)
            made.save(graph.home)
            on_io(f"{name}:done")
    searched = search(graph, made)
    if searched.hits:
        raise KgRiskError(
            f"the person is still found in {', '.join(searched.hits[:10])}; remove that by hand and go on with "
            "`kgrisk erase --resume`"
        )
    (graph.home / FILE).unlink()
    told = made.told
    return Erased(
        made.rows,
        int(told["ledger"][0]),
        made.manifest.id,
        len(told["documents"]),
        tuple(name.removeprefix("removed ") for name in told["documents"] if name.startswith("removed ")),
        tuple(told["sweep"]),
        searched.files,
        tuple(made.linked),
        searched.unclear,
    )


def _documents(graph: Opened, made: Plan, on_io: OnIO) -> list[str]:
    """Redact every file of the store that the person's claims stand on or that names the person."""
    gone, blot, told = _by_document(rows_of(graph.ledger, made.ids)), made.blot, []
    paths = [path for path in sorted(graph.files.folder.glob("*/*")) if len(path.name) == 64]
    touched = [path.name for path in paths if path.name in gone or blot.finds_in(path.read_bytes())]
    kept = _by_document(others_of(graph.ledger, made.ids, touched))
    for name in sorted({*touched, *made.begun}):
        if name not in made.begun or graph.files.erased(name) != made.begun[name]:
            content = graph.files.path(name).read_bytes()
            if content[:6] == b"\x93NUMPY":
                continue  # of vectors one row goes, in a step of its own
            left = redact(content, gone.get(name, []), kept.get(name, []), made.wide if name in gone else blot)
            made.left[name] = [[*where, text] for where, text in left.quotes.items()]
            made.begun[name] = digest(left.content) if left.content is not None else ""
            made.save(graph.home)  # before the file is changed: what is changed cannot be redacted twice
            graph.files.erase(name, left.content)
            on_io("document:after")
        told.append(name if made.begun[name] else f"removed {name}")
    return told


def _by_document(rows: pa.Table) -> dict[str, list[Cite]]:
    found: dict[str, list[Cite]] = {}
    for name in rows["document"].unique().to_pylist():
        found[name] = cites(rows.filter(pc.equal(rows["document"], name)))
    return found


def _ledger(graph: Opened, made: Plan, on_io: OnIO) -> list[str]:
    """Set the tombstone, then take the rows out; what others quote is what stands in their documents now."""
    stones = Tombstones(graph.ledger.folder)
    graph.files.put(made.manifest.to_bytes())
    marks = tuple(made.marks)
    if not any(own.marks == marks for own in stones.all):
        commit = graph.ledger.head + 1
        stones.add(Tombstone(marks, made.rows, made.reason, made.by, made.time, made.first, commit))
    return [str(erase(graph.ledger, made.ids, _Others(made), made.manifest.id, on_io))]


class _Others:
    """What rows of others are without the person: their words covered, their quotes as they read back now."""

    def __init__(self, made: Plan) -> None:
        self.blot, self.wide = made.blot, made.wide
        self.spoken = pa.array(made.documents, pa.string())
        self.left = {(name, *where): text for name, rows in made.left.items() for *where, text in rows}
        self.documents = pa.array(sorted({key[0] for key in self.left}), pa.string())

    def __call__(self, table: pa.Table) -> pa.Table:
        spoken = pc.is_in(table["document"], self.spoken)
        parts = [(table.filter(spoken), self.wide), (table.filter(pc.invert(spoken)), self.blot)]
        return pa.concat_tables([self._covered(part, blot) for part, blot in parts if part.num_rows] or [table])

    def _covered(self, table: pa.Table, blot: Blot) -> pa.Table:
        table = self._quoted(table)
        for name in TEXTS:
            table = _put(table, name, blot.cover_column(table[name]))
        return table

    def _quoted(self, table: pa.Table) -> pa.Table:
        if not pc.any(pc.is_in(table["document"], self.documents)).as_py():
            return table
        named = [table[name].to_pylist() for name in ("document", "locator", "extractor", "quote")]
        quotes = [self.left.get((d, at, e.partition(".")[0]), q) for d, at, e, q in zip(*named, strict=True)]
        return _put(table, "quote", pa.chunked_array([pa.array(quotes, pa.string())]))


def _put(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(name), column)


def _vectors(graph: Opened, made: Plan, on_io: OnIO) -> list[str]:
    """Put noughts in the place of the person's vectors; the other rows keep their addresses."""
    rows: dict[str, list[int]] = {}
    for text in made.vectors:
        name, row = vector_place(text)
        rows.setdefault(name, []).append(row)
    for name, gone in rows.items():
        try:
            matrix = np.load(BytesIO(graph.files.get(name)), allow_pickle=False).copy()
        except ErasedError:
            continue
        matrix[gone] = 0
        sink = BytesIO()
        np.save(sink, matrix, allow_pickle=False)
        graph.files.erase(name, sink.getvalue())
    return sorted(rows)


def _sweep(graph: Opened, made: Plan, on_io: OnIO) -> list[str]:
    """Clear what is made anew when it is needed, and cover the person's words in all other files of the home."""
    for name in ("cache", "staging"):
        rmtree(graph.home / name, ignore_errors=True)
    told = cover_written(graph.home, made)
    return [*told, *sweep(graph.home, made.blot, made.quotes, _own(graph))]


def _own(graph: Opened) -> tuple[Path, ...]:
    """Folders that have a step of their own."""
    return (*(graph.home / name for name in ("ledger", "files", "audit", "store")), *folders(graph.home))


def _audit(graph: Opened, made: Plan, on_io: OnIO) -> list[str]:
    """Take the parameters that name the person out of the audit log, whose chain stays whole."""
    audit = Audit(graph.home)
    if not audit.folder.is_dir():
        return []
    act = Act(made.by, "", "cli", "erase parameters", {"run": made.manifest.id})
    return [str(number) for number in audit.blank(made.broad.finds, act)]


def _store(graph: Opened, made: Plan, on_io: OnIO) -> list[str]:
    graph.rebuild()
    return []
