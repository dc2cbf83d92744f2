"""Erasure from the log: rows taken out for good, by writing the table anew without them.

A Delta table keeps what a DELETE took out: in the files of older versions, in the log's least and greatest value of
every column, in the text of the predicate. So the table is written anew from the rows that stay and takes the place of
the old one, of which nothing is kept. Numbers and known times of commits stay: a commit that is emptied has a row of
the kind `erased` in its place, and the erasure is a commit of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from shutil import rmtree

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from kg.changes import EVENTS
from kg.judged import register_identity
from kg.ledger import _APP, Ledger, OnIO, no_io
from kg.model import FIRST, LAST, as_time
from kg.project import Con
from kg.swap import swap

Change = Callable[[pa.Table], pa.Table]
"""What is left of rows that stay: without what they quote of who is erased."""
_BATCH = 50_000
_OF = "subject IN (SELECT id FROM gone_) OR object IN (SELECT id FROM gone_)"


def one_with(ledger: Ledger, ids: Sequence[str]) -> list[str]:
    """The ids, and every id that is judged to be one entity with any of them."""
    con = ledger.cursor()
    register_identity(con, ledger.head)
    con.register("asked_", pa.table({"id": pa.array(list(ids), pa.string())}))
    rows = con.execute(
        f"""WITH now AS (SELECT raw, canon FROM canon WHERE c_from <= {ledger.head} AND c_to > {ledger.head})
        SELECT id FROM asked_ UNION SELECT raw FROM now WHERE canon IN
          (SELECT canon FROM now JOIN asked_ ON raw = id UNION SELECT id FROM asked_) ORDER BY 1"""
    ).fetchall()
    return [row[0] for row in rows]


def rows_of(ledger: Ledger, ids: Sequence[str]) -> pa.Table:
    """Every row of the log, of whatever commit, that speaks of any of the ids."""
    return _con(ledger, ids).sql(f"SELECT * FROM events WHERE {_OF} ORDER BY commit, op, claim").to_arrow_table()


def others_of(ledger: Ledger, ids: Sequence[str], documents: Sequence[str]) -> pa.Table:
    """The rows of these documents that speak of others."""
    con = _con(ledger, ids)
    con.register("documents_", pa.table({"document": pa.array(list(documents), pa.string())}))
    sql = f"SELECT * FROM events WHERE document IN (SELECT document FROM documents_) AND NOT ({_OF}) AND op = 'assert'"
    return con.sql(sql).to_arrow_table()


def erase(ledger: Ledger, ids: Sequence[str], change: Change, run: str, on_io: OnIO = no_io) -> int:
    """Take every row of the ids out of the log and change what others quote of them; gives the commit.

    Done again after a kill it is the same: what is out is out, and one commit says so.
    """
    ledger.place.must_be_here("erasing")
    with ledger.lease:
        con, head = _con(ledger, ids), ledger.head
        if con.execute("SELECT count(*) FROM events WHERE op = 'erase' AND run = ?", [run]).fetchall()[0][0]:
            return int(con.execute("SELECT max(commit) FROM events WHERE run = ?", [run]).fetchall()[0][0])
        known = max(datetime.now(UTC), ledger.known(head) + timedelta(microseconds=1))
        emptied = con.execute(
            f"SELECT commit, min(known_from), min(run) FROM events GROUP BY commit HAVING bool_and({_OF}) ORDER BY 1"
        ).fetchall()
        marks = [_mark(*row) for row in (*emptied, (head + 1, known, run))]
        rest = con.sql(f"SELECT * FROM events WHERE NOT ({_OF})").to_arrow_reader(_BATCH)
        folder = ledger.folder / "table.new"
        rmtree(folder, ignore_errors=True)
        DeltaTable.create(folder, schema=EVENTS)
        on_io("erase:before")
        properties = CommitProperties(app_transactions=[Transaction(_APP, head + 1)])
        rows = pa.RecordBatchReader.from_batches(EVENTS, _changed(rest, change, marks))
        write_deltalake(folder, rows, mode="append", commit_properties=properties)
        on_io("erase:written")
        ledger.seal.drop()
        swap(ledger.folder)
        on_io("erase:after")
        ledger._table, ledger._view_version = DeltaTable(ledger.folder / "table"), -1  # what was open is gone
    return head + 1


def _con(ledger: Ledger, ids: Sequence[str]) -> Con:
    con = ledger.cursor()
    con.register("gone_", pa.table({"id": pa.array(list(ids), pa.string())}))
    return con


def _changed(rest: pa.RecordBatchReader, change: Change, marks: list[dict[str, object]]) -> Iterator[pa.RecordBatch]:
    for batch in rest:
        table = pa.Table.from_batches([batch]).select(EVENTS.names).cast(EVENTS)
        yield from change(table).cast(EVENTS).to_batches()
    yield from pa.Table.from_pylist(marks, schema=EVENTS).to_batches()


def _mark(commit: int, known: datetime, run: str) -> dict[str, object]:
    """The row that stands for a commit whose rows are gone, and for the erasure itself."""
    texts = {name: "" for name in EVENTS.names if pa.types.is_string(EVENTS.field(name).type)}
    times = {"valid_from": as_time(FIRST), "valid_to": as_time(LAST), "published": as_time(known)}
    values = dict.fromkeys(("value_text", "value_int", "value_real", "value_decimal", "value_time"))
    told = {"commit": commit, "known_from": as_time(known), "op": "erase", "run": run, "kind": "erased"}
    return {**texts, **times, **values, "confidence": 1.0, **told}
