"""What can be wrong with a file: the faults that every kind of file can have, and those of one kind only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from tests import hostile_bytes as made
from tests.hostile import Case
from tests.hostile_bases import bases
from tests.hostile_media import archives, entries, pictures, sounds
from tests.hostile_tables import tables
from tests.hostile_texts import documents, json_files, texts


def everywhere() -> Iterator[Case]:
    """Faults of any file, for each file of each source."""
    for (source, name), content in bases().items():
        at = PurePosixPath(name)

        def case(fault: str, content: bytes, reason: str, source: str = source, at: PurePosixPath = at) -> Case:
            folder = f"bad/{source}-{fault}-{at.stem}" if len(at.parts) == 1 else f"bad/{fault}/{at.parent}"
            return Case(f"{folder}/{at.name}", content, reason)

        yield case("empty", b"", "empty|no bytes")
        yield case("pointer", made.LFS, "git lfs pull")
        yield case("lie", b"%PDF-1.7\nno" if at.suffix == ".png" else PNG, LIES)
        yield case("cut", cut(at.suffix, content), "" if name == "e.csv" else CUTS.get(at.suffix, ""))
        if b"\0" not in content:
            yield case("wide", content.decode().encode("utf-16-le"), r"NUL|not one JSON object|first bytes|begins with")
            yield case("nul", nul(content), "no date" if at.suffix == ".pdf" else NULS)


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
LIES = "PNG|PDF|no sound track|cannot be decoded|NUL bytes|first bytes|neither JSON"
NULS = "NUL|JSON|broken|cut off"
CUTS = {
    ".json": "JSON",
    ".jsonl": "JSON",
    ".geojson": "JSON",
    ".csv": r"\(empty\)|cells|is not|no |expected|missing",
    ".xml": "cut off|broken",
    ".atom": "cut off|broken",
    ".png": "truncated|cut off",
    ".pdf": "broken",
    ".mp4": "cannot be decoded",
}
"""What the reason says of a file that was cut; a page, a text or a recording that was cut is read as far as it goes."""


def nul(content: bytes) -> bytes:
    """Two NUL bytes in the middle of it."""
    return content[: len(content) // 2] + b"\0\0" + content[len(content) // 2 :]


def cut(ending: str, content: bytes) -> bytes:
    """The first half of it; of a table the header and the first cell of a row."""
    if ending != ".csv":
        return content[: len(content) // 2]
    head, row, *_ = content.split(b"\n")
    return head + b"\n" + row.split(b";" if b";" in head else b",")[0]


def by_source() -> Iterator[Case]:
    for part in (tables, documents, json_files, texts, pictures, sounds, archives, entries):
        yield from part()
