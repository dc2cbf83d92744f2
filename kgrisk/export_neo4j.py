"""Files for `neo4j-admin database import full`: the ledger's whole projection with the mark of a store that holds it.

Whoever imports them into an empty database has what a sync would have written there, every version with its six clocks,
and the next sync goes on behind it. The rows are those of a sync (kg.rows); only the way into Neo4j is another.

CSV (RFC 4180) and not Parquet, which the tool also takes: it tells a text that is empty from one that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from kg.files import Files
from kg.ledger import Ledger
from kg.migrations import FORMAT
from kg.ontology import HAS
from kg.rows import Step
from kg.store import Watermark
from kg.sync import stage
from kg.vectors import Vectors

FORM = "neo4j-import"
"""How this export is called."""
SCRIPT, NOTES = "import.sh", "README.md"
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
    """The rows of one label or relationship type as the tool reads them."""

    option: str
    """`--nodes=Entity:Bank` or `--relationships=OWNS`."""
    file: str
    header: tuple[str, ...]
    rows: pa.Table

    @property
    def values(self) -> int:
        """How many properties the rows have."""
        own = [not name.startswith(":") for name in self.header]
        columns = (column for column, is_own in zip(self.rows.columns, own, strict=True) if is_own)
        return sum(len(column) - column.null_count for column in columns)


def export_import(ledger: Ledger, files: Files, folder: Path) -> list[Path]:
    """Write data, headers, script and notes for the ledger's head; the script last, so that no half export runs."""
    whole = stage(None, ledger, Vectors(files))
    assert whole is not None  # nothing stands before an empty store
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).unlink(missing_ok=True)
    parts = [_marked(whole.end), *(_part(step) for step in whole.plan.steps)]
    made = [file for part in parts for file in _write(part, folder)]
    told = f"ledger {ledger.uuid} at commit {whole.end.commit}"
    for name, text in ((NOTES, _notes(parts, told, whole.end)), (SCRIPT, _script(parts, told))):
        (folder / name).write_text(text)
        made.append(folder / name)
    return made


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


def _write(part: Part, folder: Path) -> Iterator[Path]:
    """Header and data apart, as the tool likes large files; a text is quoted, what is not there is left blank."""
    head, data = folder / f"{part.file}.header.csv", folder / f"{part.file}.csv"
    head.write_text(",".join(part.header) + "\n")
    csv.write_csv(part.rows, data, csv.WriteOptions(include_header=False))
    yield from (head, data)


def _script(parts: Sequence[Part], told: str) -> str:
    """The command as a script: texts may hold line ends, ids are texts."""
    options = ["--multiline-fields=true", "--id-type=string", f"--array-delimiter='{_BETWEEN}'"]
    options.append(f"--read-buffer-size={max(_BUFFER, *(_longest(part) for part in parts))}")
    options += [f"{part.option}={part.file}.header.csv,{part.file}.csv" for part in parts]
    return _SCRIPT.format(told=told, script=SCRIPT, options="\n".join(f"  {option} \\" for option in options))


def _longest(part: Part) -> int:
    """A bound on the bytes of the longest row, every letter of it a quote that is written twice."""
    texts = [column for column in part.rows.columns if pa.types.is_string(column.type)]
    return 4096 + 2 * sum(pc.max(pc.binary_length(column)).as_py() or 0 for column in texts)


def _notes(parts: Sequence[Part], told: str, mark: Watermark) -> str:
    edges = sum(part.rows.num_rows for part in parts if part.option.startswith("--relationships"))
    nodes = sum(part.rows.num_rows for part in parts) - edges
    values = sum(part.values for part in parts)
    title = told[0].upper() + told[1:]
    return _NOTES.format(told=title, nodes=nodes, edges=edges, values=values, script=SCRIPT, commit=mark.commit)
