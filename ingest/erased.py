"""Erased: what a source says again of a person who was erased is refused, and kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ingest.blot import Blot
from ingest.redaction import cites, redact
from ingest.source import Extract, Record, Refusal
from ingest.staging import whole_refusal
from kg.errors import RecordError
from kg.files import Files
from kg.model import ClaimBatch, digest
from kg.tombstones import Tombstones

WHY = "it speaks of a person who was erased; the claim is refused and its words are covered in the file that is kept"
AGAIN = "it was redacted when a person was erased: what it says of others stands in the ledger already"


class Erased:
    """Who was erased from a ledger, asked once for a whole run."""

    def __init__(self, ledger: Path, files: Files) -> None:
        self._stones, self._files = Tombstones(ledger), files

    def without(self, found: Extract, record: Record) -> Extract:
        """What a record gives without claims of anybody erased; the file that is kept has no such words either."""
        if self._files.erased(record.document) is not None:
            return whole_refusal(RecordError(AGAIN))
        rows = self._stones.refused(found.claims.table)
        return self._covered(found, record, rows) if rows else found

    def _covered(self, found: Extract, record: Record, rows: Sequence[int]) -> Extract:
        table, out = found.claims.table, pa.array(rows, pa.int64())
        gone = table.take(out)
        kept = table.filter(pc.invert(pc.is_in(pa.array(range(table.num_rows), pa.int64()), out)))
        refused = [Refusal(locator, WHY) for locator in gone["locator"].unique().to_pylist()]
        blot = _blot(gone, kept, self._stones)
        for name, content in ((record.document, record.whole()), *_beside(record)):
            own = [side.filter(pc.equal(side["document"], name)) for side in (gone, kept)]
            if own[0].num_rows or blot.finds_in(content):
                left = redact(content, cites(own[0]), cites(own[1]), blot)
                self._files.erase(name, left.content)
                kept = _quoting(kept, name, left.quotes)
        for column in ("value_text", "quote", "key"):
            place = kept.schema.get_field_index(column)
            kept = kept.set_column(place, kept.schema.field(column), blot.cover_column(kept[column]))
        return replace(found, claims=ClaimBatch(kept), refused=(*found.refused, *refused))


def _beside(record: Record) -> list[tuple[str, bytes]]:
    return [(digest(record.sidecar), record.sidecar)] if record.sidecar else []


def _blot(gone: pa.Table, kept: pa.Table, stones: Tombstones) -> Blot:
    """Words of the erased: their ids and every text that is said of them and of nobody else here."""
    ids = stones.erased({*gone["subject"].unique().to_pylist(), *gone["object"].unique().to_pylist()})
    theirs = pc.is_in(gone["subject"], pa.array([*ids], pa.string()))
    own = gone.filter(pc.and_(pc.equal(gone["kind"], "property"), theirs))
    texts = set(own["value_text"].drop_null().to_pylist()) - set(kept["value_text"].drop_null().to_pylist())
    names = kept.filter(pc.equal(kept["name"], "name"))["value_text"].drop_null().unique().to_pylist()
    return Blot({*ids, *texts}, names)


def _quoting(kept: pa.Table, name: str, quotes: dict[tuple[str, str], str]) -> pa.Table:
    """The claims with what stands at their places now."""
    if not quotes:
        return kept
    columns = zip(*(kept[n].to_pylist() for n in ("document", "locator", "extractor", "quote")), strict=True)
    now = [quotes.get((at, e.partition(".")[0]), q) if d == name else q for d, at, e, q in columns]
    return kept.set_column(kept.schema.get_field_index("quote"), kept.schema.field("quote"), pa.array(now, pa.string()))
