"""Tables of reports with the paragraphs around them, as JSON of the TAT-QA kind: every cell becomes a claim.

A file is a list of contexts `{"table": {"uid", "table": [[...]]}, "paragraphs": [{"uid", "text"}]}`. A number of the
body is a fact (money) or measure of the document, keyed by table, row and column; another cell of the body is a
statement. The scale stands in the head, or in a paragraph (`in millions`) where only one is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ingest.extract.filings.filing import Spot, Witness
from ingest.extract.filings.grid import of_lists
from ingest.extract.filings.tabular import cell_claims, word_claims
from ingest.extract.formats.pointer import pointer, read_json
from ingest.sidecar import published_beside, read_beside
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Node, as_time


class Tables(Source):
    """Tables in JSON."""

    extractor = "tables.cells@2"
    patterns = ("*.json",)

    def records(self) -> Iterator[Record]:
        """One record per JSON file whose first context has a table and paragraphs."""
        now = datetime.now(UTC)
        for path in self.files:
            content = path.read_bytes()
            if holds_tables(content):
                beside = path.with_name(f"{path.stem}.meta.json")
                sidecar = read_beside(beside)
                yield Record(
                    "tables",
                    path.relative_to(self.folder).as_posix(),
                    content,
                    published_beside(sidecar),
                    {"read": now},
                    sidecar,
                )

    def claims(self, record: Record, models: Models) -> Extract:
        contexts = read_json(record.content)
        if not isinstance(contexts, list) or not any(_rows(context) for context in contexts):
            raise RecordError(f"{record.path} holds no tables; expected a list of contexts with table and paragraphs")
        published = record.published or record.meta.get("read")
        if published is None:
            raise RecordError(f"{record.path} is not dated; put <name>.meta.json with `published` beside it")
        witness = Witness(record.document, as_time(published), self.extractor)
        claims: list[Claim] = [_document(contexts, witness)]
        refused: list[Refusal] = []
        for number, context in enumerate(contexts):
            if rows := _rows(context):
                claims += _context(number, rows, _about(context), witness)
            else:
                refused.append(Refusal(pointer([number]), "the context has no table of rows of texts"))
        rules = {} if record.published else {"published.when_read": 1}
        return Extract(ClaimBatch.of(claims), refused, rules=rules)


def holds_tables(content: bytes) -> bool:
    """True for a JSON list whose first context opens with table and paragraphs, by its first and whole keys."""
    head = content[:300].lstrip(b"\xef\xbb\xbf \r\n\t")
    return head.startswith(b"[") and b'"table"' in head and b'"paragraphs"' in content


def _rows(context: Any) -> Sequence[Sequence[str]]:
    """Rows of the table of a context; none where there is no such table."""
    table = context.get("table") if isinstance(context, Mapping) else None
    rows = table.get("table") if isinstance(table, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return []
    return [[cell if isinstance(cell, str) else "" for cell in row] for row in rows]


def _about(context: Mapping[str, Any]) -> str:
    """Texts of the paragraphs."""
    paragraphs = context.get("paragraphs") or []
    return "\n".join(str(one.get("text", "")) for one in paragraphs if isinstance(one, Mapping))


def _context(number: int, rows: Sequence[Sequence[str]], about: str, witness: Witness) -> Iterator[Claim]:
    grid = of_lists(rows, about)

    def place(row: int, cell: int) -> str:
        return pointer([number, "table", "table", row, cell])

    def text(row: int, cell: int) -> str:
        return rows[row][cell]

    yield from cell_claims(grid, f"table {number + 1}", witness, (place, text))
    yield from word_claims(grid, f"table {number + 1}", witness, (place, text))


def _document(contexts: Sequence[Any], witness: Witness) -> Claim:
    number, rows = next((n, rows) for n, context in enumerate(contexts) if (rows := _rows(context)))
    row, cell = next(((r, c) for r, line in enumerate(rows) for c, text in enumerate(line) if text), (0, 0))
    quote = rows[row][cell] if rows and rows[0] else ""
    return witness.says(
        Node("Document", f"doc:{witness.document}"), Spot(pointer([number, "table", "table", row, cell]), quote)
    )
