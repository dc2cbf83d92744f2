"""Builds a whole ArcadeDB database from one plan: no transaction log, indexes last."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
from arcadedb_embedded import create_database

from kg.ledger import OnIO
from kg.ontology import HAS
from kg.rows import Plan, Step
from kg.store import Watermark
from kg.stores._arcade_schema import index_statements, type_statements
from kg.stores._jvm import java

CHUNK = 20_000
"""Rows that cross into Java at once."""
BUFFER = 50_000
"""Edges that wait in memory to be written together."""
_NULL = re.compile(r'"[a-z_]+":null,|,"[a-z_]+":null(?=[,}])')
"""A column without value. Inside a JSON string every quote is escaped, so this never matches there."""
END_LABEL = {type: label for label, type in HAS.items()}
"""Label of the target of the relationships that lead to value nodes; all others lead to an Entity."""


def build(folder: Path, plan: Plan, mark: Watermark, format: int, on_io: OnIO) -> None:
    """Make a database in a new folder and close it. Whatever is there already is deleted first."""
    shutil.rmtree(folder, ignore_errors=True)
    db = create_database(str(folder))
    try:
        for statement in type_statements():
            db.command("sql", statement)
        batch = _batch(db.get_java_database())
        rids = _vertices(batch, plan, on_io)
        for step in plan.steps(CHUNK, ("edge",)):
            _edges(batch, step, rids, on_io)
        batch.close()
        on_io("bulk:index")
        for statement in index_statements():
            db.command("sql", statement)
        with db.transaction():
            values = {"id": "main", "format": format, **{name: getattr(mark, name) for name in Watermark.__slots__}}
            names = ", ".join(f"{name}: ${name}" for name in values)
            db.command("opencypher", f"CREATE (l:Ledger {{{names}}})", values)
        on_io("bulk:mark")
    finally:
        db.close()


def _batch(database: Any) -> Any:
    """A batch that holds few edges in memory: told to expect a million, it keeps them all, and 4 GB are not enough."""
    return database.batch().withWAL(False).withParallelFlush(False).withBatchSize(BUFFER).build()


def json_text(rows: pl.DataFrame) -> str:
    """Rows as a JSON array of objects; columns without value are left out."""
    return _NULL.sub("", rows.write_json())


def _vertices(batch: Any, plan: Plan, on_io: OnIO) -> pl.DataFrame:
    """Write all nodes; returns (id, rid)."""
    batcher, found = java("com.arcadedb.python.VertexBatcher"), []
    for step in plan.steps(CHUNK, ("node", "value")):
        rows = _frame(step)
        on_io("bulk:nodes")
        rids = str(batcher.createVerticesJson(batch, step.name, json_text(rows))).split(";")
        found.append(pl.DataFrame({"id": rows["id"], "rid": rids}))
    return pl.concat(found) if found else pl.DataFrame(schema={"id": pl.String, "rid": pl.String})


def _edges(batch: Any, step: Step, rids: pl.DataFrame, on_io: OnIO) -> None:
    batcher = java("com.arcadedb.python.EdgeBatcher")
    on_io("bulk:edges")
    ends = _frame(step).join(rids.rename({"id": "source", "rid": "_src"}), on="source", how="left")
    ends = ends.join(rids.rename({"id": "target", "rid": "_dst"}), on="target", how="left")
    batcher.newEdgesJson(batch, step.name, json_text(ends.drop("source", "target")))


def _frame(step: Step) -> pl.DataFrame:
    frame = pl.from_arrow(step.rows)
    assert isinstance(frame, pl.DataFrame)
    return frame


_TEXTS = {
    "node": "UNWIND $rows AS row MERGE (n:{name} {{id: row.id}}) ON CREATE SET n.label = row.label",
    "value": "UNWIND $rows AS row MERGE (n:{name} {{id: row.id}}) ON CREATE SET n += row",
    "edge": "UNWIND $rows AS row MATCH (a:Entity {{id: row.source}}) MATCH (b:{end} {{id: row.target}}) "
    "CREATE (a)-[r:{name}]->(b) SET r = row.set",
}


def step_text(step: Step) -> str:
    """Cypher that writes the rows of a step, given as `nested_json` gives them."""
    return _TEXTS[step.kind].format(name=step.name, end=END_LABEL.get(step.name, "Entity"))


def nested_json(step: Step) -> str:
    """Edge rows as {source, target, set: {...}}, other rows flat; for `UNWIND $rows`."""
    frame = _frame(step)
    if step.kind == "edge":
        values = [name for name in frame.columns if name not in ("source", "target")]
        frame = frame.select("source", "target", set=pl.struct(values))
    return frame.write_json()
