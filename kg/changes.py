"""What a batch of claims changes in the log: new asserts, and retractions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import pyarrow as pa

from kg.model import SCHEMA, TIME
from kg.project import CLAIM, GROUP, STATEMENT, Con

EVENTS = pa.schema(
    [
        pa.field("commit", pa.int64(), False),
        pa.field("known_from", TIME, False),
        pa.field("op", pa.string(), False),  # assert | retract
        pa.field("claim", pa.string(), False),
        pa.field("statement", pa.string(), False),
        pa.field("group", pa.string(), False),  # id of the resolved edge or property, before any merge
        pa.field("run", pa.string(), False),
        *SCHEMA,
    ]
)
"""One row of the log."""
_SAID = ", ".join(f'"{n}"' for n in SCHEMA.names)
_ROWS = 100_000


class Changes:
    """The rows that one commit would append. `con` has the view `events`."""

    def __init__(self, con: Con, batch: pa.Table, retract: Sequence[str], replaces: Sequence[str]) -> None:
        self.con = con
        con.register("batch_", batch.append_column("row", pa.array(range(batch.num_rows), pa.int64())))
        con.register("retract_", pa.table({"claim": pa.array(list(retract), pa.string())}))
        con.register("replaces_", pa.table({"document": pa.array(list(replaces), pa.string())}))
        con.execute(
            f"""CREATE TEMP TABLE named AS SELECT row, {CLAIM} AS claim, statement, "group" FROM (
              SELECT row, {STATEMENT} AS statement, {GROUP} AS "group", document, locator, extractor FROM batch_);
            CREATE TEMP TABLE touched AS SELECT claim, arg_max(op, commit) AS op FROM events
            WHERE claim IN (SELECT claim FROM named) OR claim IN (FROM retract_) OR document IN (FROM replaces_)
            GROUP BY claim;
            CREATE TEMP TABLE fresh AS FROM named WHERE claim NOT IN (SELECT claim FROM touched WHERE op = 'assert');
            DELETE FROM fresh WHERE row IN (
              SELECT row FROM fresh JOIN batch_ USING (row)
              WHERE claim IN (SELECT claim FROM fresh GROUP BY claim HAVING count(*) > 1)
              QUALIFY row_number() OVER (PARTITION BY claim ORDER BY confidence DESC, extractor, row) > 1);
            CREATE TEMP TABLE ended AS SELECT claim FROM touched
            WHERE op = 'assert' AND claim NOT IN (SELECT claim FROM named)"""
        )

    def __len__(self) -> int:
        (count,) = self.con.execute("SELECT (SELECT count(*) FROM fresh) + (SELECT count(*) FROM ended)").fetchall()[0]
        return int(count)

    def rows(self, commit: int, known: datetime, run: str) -> pa.RecordBatchReader:
        """The rows of the commit as a stream in EVENTS."""
        relation = self.con.sql(
            f"""SELECT 'assert' AS op, claim, statement, "group", {_SAID} FROM fresh JOIN batch_ USING (row)
            UNION ALL
            SELECT 'retract', claim, statement, "group", {_SAID} FROM (
              SELECT DISTINCT ON (claim) * FROM events WHERE op = 'assert' AND claim IN (FROM ended)
              ORDER BY claim, commit DESC)"""
        )
        return pa.RecordBatchReader.from_batches(EVENTS, _stamped(relation.to_arrow_reader(_ROWS), commit, known, run))


def _stamped(batches: pa.RecordBatchReader, commit: int, known: datetime, run: str) -> Iterator[pa.RecordBatch]:
    """The same batches with commit number, known time and run."""
    stamp = {"commit": pa.scalar(commit, pa.int64()), "known_from": pa.scalar(known, TIME), "run": pa.scalar(run)}
    for batch in batches:
        columns = [pa.repeat(stamp[n], len(batch)) if n in stamp else batch.column(n) for n in EVENTS.names]
        typed = [c.cast(f.type) for c, f in zip(columns, EVENTS, strict=True)]
        yield pa.RecordBatch.from_arrays(typed, schema=EVENTS)
