"""Diagnosis: why a file that no source took cannot be data, told from its first bytes and never from its name alone.

A file that is only of another kind (a licence, a note) has no diagnosis: it is left untaken and listed as such.
"""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
from lxml import etree

HEAD = 1 << 16
MAX_COLUMNS = 4096
"""More columns than that are a broken or hostile header, not a table of finance."""
MAX_RATIO = 200
"""Bytes unpacked for each packed one; text packs 20 to 1 at best, a bomb a thousand to 1."""
MOST_READ = 50_000_000
"""Bytes up to which a file that no source took is read through to see whether it is whole."""
LFS = b"version https://git-lfs.github.com/spec/"
POINTER = "a Git LFS pointer instead of the data; run `git lfs pull` and read it again"
ENTITIES = "it declares XML entities, which no data of finance needs and bombs are made of; remove its document type"
_MAGIC: Mapping[str, tuple[bytes, ...]] = {
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".pdf": (b"%PDF-",),
    ".wav": (b"RIFF", b"RF64"),
    ".flac": (b"fLaC",),
    ".mp3": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    ".ogg": (b"OggS",),
    ".parquet": (b"PAR1",),
    ".tgz": (b"\x1f\x8b",),
    ".gz": (b"\x1f\x8b",),
    ".zip": (b"PK\x03\x04", b"PK\x05\x06"),
}
"""First bytes of files of a kind, by the ending of their name."""
_KINDS: Mapping[bytes, str] = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF-": "a PDF",
    b"RIFF": "a RIFF (WAV) recording",
    b"fLaC": "a FLAC recording",
    b"OggS": "an Ogg recording",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "gzip data",
    b"PK\x03\x04": "a zip archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
}
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>)*<([\w.:-]+)", re.DOTALL)
_TEXT = (".csv", ".tsv", ".json", ".geojson", ".jsonl", ".xml", ".html", ".htm", ".txt", ".nc", ".rss", ".atom")


def out_of_reach(path: Path, folder: Path) -> str:
    """Why a directory entry is not read at all: a link out of the folder, a pipe or a device; "" if it may be."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            return "a link that leads out of the folder; put the file itself there"
        mode = path.stat().st_mode
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        told = getattr(error, "strerror", None) or "the link leads back to itself"
        return f"the system refused ({told}); check the link or the permissions"
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return "no regular file (a pipe, socket or device); put a file there"
    return ""


def declares_entities(content: bytes) -> bool:
    """True for XML or HTML with entities of its own: they can unpack without end, or name files and hosts."""
    head = content[:HEAD]
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<!ENTITY" in head


def damage(content: bytes, path: str) -> str:
    """What is wrong with text that can be read all the same, "" if nothing is: NUL bytes in it, or XML without its end.

    Readers pass over both, so that what comes before and beside is kept.
    """
    ending = PurePosixPath(path.partition("#")[0]).suffix.lower()
    if ending not in _TEXT or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ""
    if (at := content.find(b"\0")) >= 0:
        return f"NUL bytes in the text, the first at byte {at}: the file is damaged; what stands beside them was read"
    root = _ROOT.match(content[:HEAD]) if ending == ".xml" and path.lower().endswith(".xml") else None
    if root and content.rfind(b"</" + root[1]) < 0 and not content.rstrip().endswith(b"/>"):
        return f"the file is cut off: <{root[1].decode()}> is never closed; what stands before was read"
    return ""


def diagnose(path: Path) -> str:
    """What is wrong with a file that no source took; "" if nothing is told by its bytes."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        return f"the system refused ({error.strerror}); check its permissions"
    ending = path.suffix.lower()
    if not head:
        return "the file is empty"
    if head.startswith(LFS):
        return POINTER
    found = next((kind for magic, kind in _KINDS.items() if head.startswith(magic)), "")
    if ending in _MAGIC and not head.startswith(_MAGIC[ending]):
        return f"named {ending} but it is {found or 'of another kind'}; its first bytes are {head[:8]!r}"
    if ending in _TEXT and found:
        return f"named {ending} but it is {found}; give it its true ending"
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if ending in _TEXT and b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "named as text but it holds NUL bytes; expected UTF-8, UTF-16 with its mark, or Windows-1252"
    if ending in (".csv", ".tsv"):
        return _table(head)
    reader = _READERS.get(ending)
    return reader(path) if reader and path.stat().st_size <= MOST_READ else ""


def _xml(path: Path) -> str:
    try:
        etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False))
    except (etree.XMLSyntaxError, OSError) as error:
        return f"the XML is broken or cut off ({error})"
    return ""


def _json(path: Path) -> str:
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        return f"the JSON is broken or cut off ({error})"
    return ""


def _parquet(path: Path) -> str:
    try:
        pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        return f"the Parquet file is broken or cut off ({error})"
    return ""


_READERS: Mapping[str, Callable[[Path], str]] = {".xml": _xml, ".json": _json, ".parquet": _parquet}
"""What tells whether a file of a kind is whole, by its ending."""


def _archive(path: Path) -> str:
    """A zip archive is never unpacked here; what would be wrong with it is said."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        return f"a broken zip archive ({error}); pack its files again"
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts:
            return f"a zip archive with a name that leads out of the folder ({member.filename!r}); not unpacked"
    packed, whole = sum(m.compress_size for m in members), sum(m.file_size for m in members)
    if whole > MAX_RATIO * max(packed, 1):
        return f"a zip archive of {packed} bytes that would unpack to {whole}: a bomb; not unpacked"
    return f"a zip archive of {len(members)} files; unpack it into the folder and read it again"


def _table(head: bytes) -> str:
    line = next(iter(head.splitlines()), b"")
    if (count := line.count(b",")) >= MAX_COLUMNS:
        more = "at least " if len(line) == HEAD else ""
        return f"the header has {more}{count + 1} columns; at most {MAX_COLUMNS} are read"
    names = [name.strip() for name in next(csv.reader(io.StringIO(line.decode("utf-8", "replace"))), [])]
    if len(names) > 1 and len(set(names)) != len(names):
        return f"the header names a column twice: {', '.join(sorted({n for n in names if names.count(n) > 1}))}"
    return ""
