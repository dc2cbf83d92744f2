"""Several files of one layout read together: what each of them must know of those before it.

Files stand in the order of their paths. Rows of a day that an earlier file has too give edges of their own, told apart
by the name of the part, so that sums add up over all files. A row whose transaction an earlier file tells is left out.
Rows that a cancel or correction in a later file touches are carried to that file as a table of their own, which is kept
and quoted as its sidecar.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from ingest.extract.payments.corrections import Group, day_of, restated, trace
from ingest.extract.payments.edges import EDGES, edges_of, name_ends, rows_of
from ingest.extract.payments.layouts import ACTIONS, REFERENCES, Layout, typed
from ingest.extract.payments.stream import Stream
from kg.errors import RecordError
from kg.files import digest_of

PLACE = ("document", "row", "part")
"""Columns of a carried table before those of the layout: where the row stands, and the part it is summed in."""
WORDS: Mapping[str, str] = {"N": "NEW", "C": "CANCEL", "R": "CORRECT"}


@dataclass
class Part:
    """What one file of a set must know."""

    name: str
    order: int = 0
    days: list[str] = field(default_factory=list)
    """Days that an earlier file has too."""
    repeats: list[int] = field(default_factory=list)
    """Rows whose transaction an earlier file tells in the same words."""
    clashes: list[int] = field(default_factory=list)
    """Rows whose transaction an earlier file tells in other words."""
    carried: bytes = b""
    """The rows of other files that its cancels and corrections touch, as CSV."""

    def meta(self) -> dict[str, Any]:
        """As a record carries it."""
        return {
            "part": self.name,
            "order": self.order,
            "days": self.days,
            "repeats": self.repeats,
            "clashes": self.clashes,
        }


def together(files: Sequence[tuple[Path, Mapping[str, str]]], names: Sequence[str], layout: Layout) -> list[Part]:
    """What each file of one layout must know of those before it; a file that cannot be read knows nothing."""
    try:
        return _together(files, names, layout, lenient=False)
    except duckdb.InvalidInputException:
        return _together(files, names, layout, lenient=True)


def _together(
    files: Sequence[tuple[Path, Mapping[str, str]]], names: Sequence[str], layout: Layout, *, lenient: bool
) -> list[Part]:
    parts = [Part(name, order) for order, name in enumerate(names)]
    with Stream(lenient=lenient) as stream:
        there = []
        for order, (path, fixed) in enumerate(files):
            try:
                stream.add(f"cells_{order}", path, fixed)
                there.append(order)
            except RecordError:
                continue  # its own record tells why
        name_ends(stream, layout, [f"cells_{order}" for order in there])
        for order in there:
            view = f"cells_{order}"
            stream.con.execute(f"CREATE TEMP VIEW typed_{order} AS {typed(layout, stream.columns[view], view)}")
        _days(stream, there, parts)
        _repeats(stream, there, parts)
        _carry(stream, there, parts, layout, [path for path, _ in files])
    return parts


def _days(stream: Stream, there: Sequence[int], parts: Sequence[Part]) -> None:
    seen = set[str]()
    for order in there:
        sql = f"SELECT DISTINCT strftime(t, '%Y-%m-%d') AS day FROM typed_{order} WHERE t IS NOT NULL ORDER BY day"
        days = stream.table(sql)["day"].to_pylist()
        parts[order].days = [day for day in days if day in seen]
        seen.update(days)


_SAME = "concat_ws(chr(31), a, b, side, unit, t::VARCHAR, amount::VARCHAR)"
_CALLED = f"CASE WHEN id <> '' THEN 'id ' || id ELSE 'row ' || {_SAME} || chr(31) || body END"


def _repeats(stream: Stream, there: Sequence[int], parts: Sequence[Part]) -> None:
    """Find transactions that several files tell; of each file only hashes are held, and rows of those that recur."""
    hashes = []
    for order in there:
        mine = stream.table(f"SELECT hash({_CALLED}) AS h FROM typed_{order} WHERE act = 'N' AND why IS NULL")
        hashes.append(np.unique(mine["h"].to_numpy()))
    every = np.sort(np.concatenate(hashes)) if hashes else np.array([], np.uint64)
    twice = np.unique(every[1:][every[1:] == every[:-1]])
    if not len(twice):
        return
    stream.register("twice", pa.table({"h": pa.array(twice, pa.uint64())}))
    first: dict[str, tuple[int, str]] = {}
    for order in there:
        rows = stream.table(
            f"""SELECT n, {_CALLED} AS ident, {_SAME} AS said FROM typed_{order}
            WHERE act = 'N' AND why IS NULL AND hash({_CALLED}) IN (SELECT h FROM twice) ORDER BY n"""
        )
        for n, ident, said in zip(*(rows[name].to_pylist() for name in ("n", "ident", "said")), strict=True):
            where, words = first.setdefault(ident, (order, said))
            if where < order:
                (parts[order].repeats if words == said else parts[order].clashes).append(n)


_ROW = "n, body, a, b, side, unit, t, amount, quantity, raw, id, ref, act"
Rows = list[dict[str, Any]]


def _carry(stream: Stream, there: Sequence[int], parts: Sequence[Part], layout: Layout, paths: Sequence[Path]) -> None:
    """Give each file the rows of earlier files that it cancels or corrects, and those summed with them."""
    before: Rows = []
    for order in (o for o in there if {*ACTIONS, *REFERENCES} & set(stream.columns[f"cells_{o}"])):
        told = _rows(stream, order, parts, "act IN ('C', 'R')")
        here = trace([*_called(stream, [order], parts, told), *told])
        if here.lost:
            earlier = [o for o in there if o <= order]
            rows = _connected(stream, earlier, parts, before, [dict(row) for row in here.lost])
            if any(row["f"] == order and row["act"] != "N" for row in rows):
                parts[order].carried = _table(stream, layout, paths, rows)
        before += told


def _connected(stream: Stream, there: Sequence[int], parts: Sequence[Part], before: Rows, lost: Rows) -> Rows:
    """The rows that changes of one file touch in files before it, all that are summed with them, and the changes.

    A transaction that was moved from one edge to another connects the two, so both are needed.
    """
    every = [*before, *lost]
    traced = trace([*_called(stream, there, parts, every), *every])
    mine = {id(row) for row in lost}
    chains = {chain for row, chain in traced.changes if id(row) in mine}
    groups = set[Group]()
    while more := {v.group for v in traced.versions if v.chain in chains} - groups:
        groups |= more
        chains |= {v.chain for v in traced.versions if v.group in groups}
    return _beside(stream, there, parts, groups) + [dict(row) for row, chain in traced.changes if chain in chains]


def _rows(stream: Stream, order: int, parts: Sequence[Part], condition: str) -> Rows:
    """Good rows of one file, with the file and the part that their edge belongs to."""
    part = parts[order]
    days, left_out = set(part.days), {*part.repeats, *part.clashes}
    return [
        row | {"f": order, "part": part.name if f"{row['t']:%Y-%m-%d}" in days else ""}
        for row in rows_of(stream, f"why IS NULL AND {condition}", _ROW, f"typed_{order}")
        if row["n"] not in left_out
    ]


def _called(stream: Stream, there: Iterable[int], parts: Sequence[Part], told: Sequence[Mapping[str, Any]]) -> Rows:
    """New rows of these files that cancels and corrections name."""
    stream.register("meant", pa.table({"id": pa.array(sorted({r["ref"] or r["id"] for r in told}), pa.string())}))
    return [row for o in there for row in _rows(stream, o, parts, "act = 'N' AND id IN (SELECT id FROM meant)")]


def _beside(stream: Stream, there: Iterable[int], parts: Sequence[Part], groups: set[Group]) -> Rows:
    """All new rows of these files that are summed in the groups."""
    names = ("a", "b", "side", "unit")
    ends = pa.table({name: pa.array([g[i] for g in groups], pa.string()) for i, name in enumerate(names)})
    stream.register("groups", ends)
    condition = "act = 'N' AND (a, b, side, unit) IN (SELECT (a, b, side, unit) FROM groups)"
    rows = [row for o in there for row in _rows(stream, o, parts, condition)]
    return [r for r in rows if (*(r[name] for name in names), day_of(r["t"]), r["part"]) in groups]


def _table(stream: Stream, layout: Layout, paths: Sequence[Path], rows: Rows) -> bytes:
    """Rows as a CSV that can be read as a file of the layout, with where each stands."""
    columns = sorted(layout.columns)
    cells = ", ".join('"' + column + '"' for column in columns)
    raw: dict[tuple[int, int], Mapping[str, Any]] = {}
    for f in sorted({row["f"] for row in rows}):
        stream.register("wanted", pa.table({"n": pa.array([row["n"] for row in rows if row["f"] == f], pa.int64())}))
        found = stream.table(f"SELECT k_n, {cells} FROM cells_{f} WHERE k_n IN (SELECT n FROM wanted)").to_pylist()
        raw |= {(f, row["k_n"]): row for row in found}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*PLACE, "transaction_id", "action", "original_id", *columns])
    documents = {f: digest_of(paths[f]) for f, _ in raw}
    for row in sorted(rows, key=lambda row: (row["f"], row["n"])):
        where = [documents[row["f"]], row["n"], row["part"]]
        cell = raw[row["f"], row["n"]]
        writer.writerow([*where, row["id"], WORDS[row["act"]], row["ref"], *(cell[name] or "" for name in columns)])
    return out.getvalue().encode()


@dataclass
class Carried:
    """What the rows carried to a file give."""

    edges: pl.DataFrame
    own: list[int] = field(default_factory=list)
    """Rows of the file itself that are dealt with here."""
    rules: Counter[str] = field(default_factory=Counter)


def carried_sums(stream: Stream, layout: Layout, sidecar: bytes, document: str, order: int) -> Carried:
    """Edges of earlier files as the cancels and corrections of this one restate them; makes the view `carried`.

    Each is public as many microseconds late as the file has files before it, so that what knows more wins a tie.
    """
    if not sidecar:
        return Carried(EDGES.to_frame())
    stream.add("carried", sidecar)
    name_ends(stream, layout, ["carried"])
    stream.con.execute(f"CREATE TEMP VIEW typed_carried AS {typed(layout, stream.columns['carried'], 'carried')}")
    places = stream.table("SELECT k_n AS n, document, row, part FROM carried").to_pylist()
    place = {row["n"]: row for row in places}
    rows = [
        row | {"part": place[row["n"]]["part"] or ""} for row in rows_of(stream, "why IS NULL", _ROW, "typed_carried")
    ]
    traced = trace(rows)
    own = [row["n"] for row in rows if place[row["n"]]["document"] == document and row["act"] != "N"]
    late = pl.duration(microseconds=order)
    edges = edges_of(restated(traced.versions)).with_columns(pl.col("published") + late)
    mine = {row["n"] for row, _ in traced.changes} & set(own)
    rules = Counter({"trades.void_row": sum(v.ended_by in mine for v in traced.versions)})
    rules["trades.corrected_row"] = sum(v.row["n"] in mine for v in traced.versions)
    return Carried(edges, [int(place[n]["row"]) for n in own], rules)
