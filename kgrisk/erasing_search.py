"""Search: is anybody still found below a home folder, in any byte, packed column or archive, or in the store?

What people wrote is searched for every part of the name. Where such a part stands in documents of others, who may be
meant is unclear: that is counted and told.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.blot import Blot
from kgrisk.audit import Audit
from kgrisk.erasing_plan import FILE, Plan
from kgrisk.erasing_written import FOLDERS, written
from kgrisk.jobs.database import FILE as JOBS
from kgrisk.opened import Opened

DERIVED = ("ledger", "store", "audit", *FOLDERS, JOBS)
"""What is made of the documents, and what is searched for every part of the name anyhow."""
PACKED = 64 << 20
"""Bytes of an archive's member that are looked into."""
_ASKED = {
    "a node": "MATCH (n:Entity) WHERE n.id IN $ids RETURN count(n) AS found",
    "a name": "MATCH (n:Name) WHERE n.text IN $words RETURN count(n) AS found",
    "a quote": "MATCH (:Entity)-[r]->() WHERE r.quote IN $quotes RETURN count(r) AS found",
}
"""What the store is asked."""


@dataclass
class Searched:
    """Where a search looked and where it found something."""

    files: int = 0
    hits: list[str] = field(default_factory=list)
    unclear: dict[str, int] = field(default_factory=dict)
    """Parts of the name alone in documents of others: how many, by the file's path."""


def search(graph: Opened, made: Plan) -> Searched:
    """Look for ids, names and quoted texts of a person everywhere, but for the journal that names them."""
    found, blot = Searched(), made.blot
    for path in sorted(graph.home.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.name == FILE:
            continue
        found.files += 1
        if blot.finds(path.name) or speaks(path, blot, made.quotes):
            found.hits.append(blot.cover(path.relative_to(graph.home).as_posix()))
        elif path.relative_to(graph.home).parts[0] not in DERIVED and (count := _mentions(path, made.broad)):
            found.unclear[made.broad.cover(path.relative_to(graph.home).as_posix())] = count
    hits = (path.relative_to(graph.home) for path, text in _told(graph) if made.broad.finds(text))
    found.hits += sorted({made.broad.cover(path.as_posix()) for path in hits} - {*found.hits})
    given = {"ids": made.ids, "words": made.words, "quotes": made.quotes}
    for what, text in _ASKED.items():
        name = text.partition("$")[2].partition(" ")[0]
        table = graph.store.query(text, {name: given[name]})
        if table["found"][0].as_py():
            found.hits.append(f"the store ({what})")
    return found


def _told(graph: Opened) -> Iterator[tuple[Path, str]]:
    """Texts of people about people: what they wrote, and what they asked, as the audit log has it."""
    yield from written(graph.home)
    audit = Audit(graph.home)
    for row in audit.rows():
        yield audit.folder, json.dumps(row["detail"], ensure_ascii=False)


def _mentions(path: Path, blot: Blot) -> int:
    packed = list(contents(path.read_bytes()))
    return sum(blot.count_in(content) for content in packed[1:] or packed)


def speaks(path: Path, blot: Blot, quotes: Sequence[str]) -> bool:
    """Does a file name the person or quote what was said of them, packed or not?"""
    wanted = [quote.encode() for quote in quotes]
    for content in contents(path.read_bytes()):
        if blot.finds_in(content) or any(quote in content for quote in wanted):
            return True
    return False


def contents(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes themselves, and what is packed in them."""
    yield content
    if depth > 3:
        return
    if content[:4] == b"PAR1":
        yield from _columns(content)
    elif content[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                yield member.filename.encode()
                with archive.open(member) as file:
                    yield from contents(file.read(PACKED), depth + 1)
    elif content[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(content)) as file:
            yield from contents(file.read(PACKED), depth + 1)
    elif content[:6] == b"ARROW1":
        table = pa.ipc.open_file(pa.BufferReader(content)).read_all()
        yield from _texts(table)
    elif content[:5] == b"%PDF-":
        yield _pages(content).encode()


def _columns(content: bytes) -> Iterator[bytes]:
    """Every text of a Parquet file, a row group at a time."""
    file = pq.ParquetFile(io.BytesIO(content))
    for number in range(file.num_row_groups):
        yield from _texts(file.read_row_group(number))


def _texts(table: pa.Table) -> Iterator[bytes]:
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_nested(column.type):
            yield (
                "\n".join(str(value) for value in column.unique().to_pylist()).encode()
                if not pa.types.is_nested(column.type)
                else "\n".join(map(str, column.to_pylist())).encode()
            )
        elif pa.types.is_dictionary(column.type):
            yield "\n".join(map(str, column.combine_chunks().to_pylist())).encode()


def _pages(content: bytes) -> str:
    """The text that a PDF carries."""
    import pypdfium2

    with pypdfium2.PdfDocument(content) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
