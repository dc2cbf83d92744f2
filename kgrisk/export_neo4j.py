"""Files for `neo4j-admin database import full`: the ledger's whole projection with the mark of a store that holds it.

Whoever imports them into an empty database has what a sync would have written there, every version with its six clocks,
and the next sync goes on behind it. The rows are those of a sync (kg.rows); only the way into Neo4j is another.

CSV (RFC 4180) and not Parquet, which the tool also takes: it tells a text that is empty from one that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from kg.files import Files
from kg.ledger import Ledger
from kg.migrations import FORMAT
from kg.model import iso
from kg.ontology import HAS
from kg.rows import Step, plan
from kg.store import Watermark
from kg.vectors import Vectors

FORM = "neo4j-import"
"""How this export is called."""
SCRIPT, NOTES = "import.sh", "README.md"
ROWS: Final = 1 << 17
"""Rows of a type that are made into text at a time."""
_BETWEEN = ";"
"""Delimiter in a list: of claim ids and of numbers, which never hold one."""
_END = {type: label for label, type in HAS.items()}
_BUFFER = 4 << 20
"""Bytes the tool reads at once unless told otherwise; a row must fit."""
_SCRIPT = """#!/bin/sh
# Imports {told}.
# sh {script} DATABASE [options of neo4j-admin, such as --overwrite-destination]; the database must not be running.
# NEO4J_ADMIN names the tool where it is not on the PATH.
set -eu
cd "$(dirname "$0")"
database="${{1:-neo4j}}"
[ "$#" -eq 0 ] || shift
exec "${{NEO4J_ADMIN:-neo4j-admin}}" database import full \\
{options}
  "$@" "$database"
"""
_NOTES = """# {told}

{nodes:,} nodes, {edges:,} relationships, {values:,} properties: the tool must count the same.

1. Stop the server. The tool fills an empty database; with `--overwrite-destination` what another held is lost.
2. As the user who runs the server: `NEO4J_ADMIN=.../bin/neo4j-admin sh {script} neo4j`
   (Neo4j 5.26; Community can import into its one database `neo4j` only).
3. Start the server, and ask it something: `NEO4J_URI=bolt://host:7687 kgrisk query NAME --home HOME`. The first
   command makes constraints and indexes, then brings the store from commit {commit} to the ledger's head.

The files hold every version with its clocks, evidence and names: keep them as you keep the ledger.
"""


@dataclass(frozen=True)
class Part:
    """The rows of one label or relationship type as the tool reads them, or the first of them."""

    option: str
    """`--nodes=Entity:Bank` or `--relationships=OWNS`."""
    file: str
    header: tuple[str, ...]
    rows: pa.Table


@dataclass
class Written:
    """A label or relationship type that lies in its files."""

    option: str
    file: str
    rows: int = 0
    values: int = 0
    """How many properties the rows have."""
    longest: int = 0
    """A bound on the bytes of the longest row."""

    def add(self, part: Part) -> None:
        """Count rows that were written."""
        own = [not name.startswith(":") for name in part.header]
        columns = (column for column, is_own in zip(part.rows.columns, own, strict=True) if is_own)
        self.values += sum(len(column) - column.null_count for column in columns)
        self.rows += part.rows.num_rows
        self.longest = max(self.longest, _longest(part))


def export_import(ledger: Ledger, files: Files, folder: Path, rows: int = ROWS) -> list[Path]:
    """Write data, headers, script and notes for the ledger's head; the script last, so that no half export runs.

    `rows` of a type are made into text at a time. TooLargeError before anything is written, if the projection does
    not fit into memory.
    """
    mark = _mark(ledger)
    parts = map(_part, plan(ledger.delta(0, mark.commit), Vectors(files)).steps(rows))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).unlink(missing_ok=True)
    done, made = list[Written](), list[Path]()
    for one, paths in _write(chain([_marked(mark)], parts), folder):
        done.append(one)
        made += paths
    done.sort(key=lambda one: one.option.startswith("--relationships"))
    told = f"ledger {ledger.uuid} at commit {mark.commit}"
    for name, text in ((NOTES, _notes(done, told, mark)), (SCRIPT, _script(done, told))):
        (folder / name).write_text(text)
        made.append(folder / name)
    return made


def _mark(ledger: Ledger) -> Watermark:
    """How far a store has come that holds the ledger's head."""
    head = ledger.head
    return Watermark(ledger.uuid, head, iso(ledger.known(head)), head) if head else Watermark(ledger.uuid)


def _part(step: Step) -> Part:
    """The header of a step's rows: ends and ids in the space of their kind, types where they are no text."""
    columns = dict(zip(step.rows.column_names, step.rows.columns, strict=True))
    typed = [f"{name}:{_type(column.type)}" for name, column in columns.items()]
    rows = pa.table([_plain(column) for column in columns.values()], names=step.rows.column_names)
    if step.kind == "edge":
        ends = (":START_ID(Entity)", f":END_ID({_END.get(step.name, 'Entity')})")
        return Part(f"--relationships={step.name}", f"edges-{step.name}", (*ends, *typed[2:]), rows)
    space = "Entity" if step.kind == "node" else step.name
    labels = f"Entity:{step.name}" if step.kind == "node" else step.name
    return Part(f"--nodes={labels}", f"nodes-{step.name}", (f"id:ID({space})", *typed[1:]), rows)


def _marked(mark: Watermark) -> Part:
    """The node that tells how far the store has come, and in which form; its turn is that of one written once."""
    values = {"id": "main", "format": FORMAT, "turn": 1, **{name: getattr(mark, name) for name in Watermark.__slots__}}
    rows = pa.table({name: [value] for name, value in values.items()})
    return _part(Step("value", "Ledger", rows))


def _type(type: pa.DataType) -> str:
    """Neo4j's word for a column's type. KeyError for one that no store holds."""
    if pa.types.is_list(type):
        return _type(pa.float64() if pa.types.is_floating(type.value_type) else type.value_type) + "[]"
    return {pa.string(): "string", pa.int64(): "long", pa.float64(): "double"}[type]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Lists as text; numbers in them by way of 64 bits, as the driver of a sync sends them."""
    if not pa.types.is_list(column.type):
        return column
    if pa.types.is_floating(column.type.value_type):
        column = column.cast(pa.list_(pa.float64())).cast(pa.list_(pa.string()))
    return pc.binary_join(column, _BETWEEN)


def _write(parts: Iterator[Part], folder: Path) -> Iterator[tuple[Written, list[Path]]]:
    """Header and data apart, as the tool likes large files; a text is quoted, what is not there is left blank."""
    for (option, file), group in groupby(parts, key=lambda part: (part.option, part.file)):
        head, data, done = folder / f"{file}.header.csv", folder / f"{file}.csv", Written(option, file)
        first = next(group)
        head.write_text(",".join(first.header) + "\n")
        with csv.CSVWriter(data, first.rows.schema, write_options=csv.WriteOptions(include_header=False)) as writer:
            for part in chain([first], group):
                writer.write_table(part.rows)
                done.add(part)
        yield done, [head, data]


def _script(parts: Sequence[Written], told: str) -> str:
    """The command as a script: texts may hold line ends, ids are texts."""
    options = ["--multiline-fields=true", "--id-type=string", f"--array-delimiter='{_BETWEEN}'"]
    options.append(f"--read-buffer-size={max(_BUFFER, *(part.longest for part in parts))}")
    options += [f"{part.option}={part.file}.header.csv,{part.file}.csv" for part in parts]
    return _SCRIPT.format(told=told, script=SCRIPT, options="\n".join(f"  {option} \\" for option in options))


def _longest(part: Part) -> int:
    """A bound on the bytes of the longest row, every letter of it a quote that is written twice."""
    texts = [column for column in part.rows.columns if pa.types.is_string(column.type)]
    return 4096 + 2 * sum(pc.max(pc.binary_length(column)).as_py() or 0 for column in texts)


def _notes(parts: Sequence[Written], told: str, mark: Watermark) -> str:
    edges = sum(part.rows for part in parts if part.option.startswith("--relationships"))
    nodes = sum(part.rows for part in parts) - edges
    values = sum(part.values for part in parts)
    title = told[0].upper() + told[1:]
    return _NOTES.format(told=title, nodes=nodes, edges=edges, values=values, script=SCRIPT, commit=mark.commit)
