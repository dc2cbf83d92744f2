"""Checks of a PDF's bytes before anything is opened: its size, and what its streams and pictures would unpack to.

Libraries unpack a stream in one go, so a few kilobytes could fill the memory; here each is unpacked piece by piece
and thrown away, and counted.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from kg.errors import RecordError

MAX_BYTES: Final = 100_000_000
MAX_STREAM: Final = 8_000_000
"""Bytes that one stream of text or drawing may unpack to; a page of a report needs some ten thousand."""
MAX_PICTURE: Final = 160_000_000
"""Bytes that a picture or font may unpack to."""
MAX_ALL: Final = 400_000_000
MAX_PICTURE_PIXELS: Final = 60_000_000
_STREAM: Final = re.compile(rb"<<(?P<head>[^\0]{0,2000}?)>>\s*stream\r?\n", re.DOTALL)
_HEAVY: Final = re.compile(rb"/Image\b|/FontFile|/Length1\b|/Subtype\s*/(?:Type1C|CIDFontType0C|OpenType)|/Metadata")
_SIZE: Final = re.compile(rb"/(Width|Height)\s+(\d{1,9})")
_DEPTH: Final = 3


def is_pdf(content: bytes) -> bool:
    """True if the bytes begin like a PDF, whatever the file is called."""
    return b"%PDF-" in content[:1024]


def check(content: bytes) -> None:
    """RecordError if the file is no PDF, or is one that must not be opened."""
    if not content:
        raise RecordError("the PDF has no bytes")
    if not is_pdf(content):
        raise RecordError(f"the file begins with {content[:8]!r}; expected %PDF-")
    if len(content) > MAX_BYTES:
        raise RecordError(f"the PDF has {len(content)} bytes; at most {MAX_BYTES} are read; split it")
    total = 0
    for match in _STREAM.finditer(content):
        head = match["head"]
        sizes = {name: int(size) for name, size in _SIZE.findall(head)}
        if sizes.get(b"Width", 0) * sizes.get(b"Height", 0) > MAX_PICTURE_PIXELS:
            raise RecordError(
                f"a picture in the PDF has {sizes[b'Width']} x {sizes[b'Height']} pixels; at most {MAX_PICTURE_PIXELS}"
            )
        limit = MAX_PICTURE if _HEAVY.search(head) else MAX_STREAM
        total += _unpacked(content, match.end(), limit)
        if total > MAX_ALL:
            raise RecordError(f"the streams of the PDF unpack to more than {MAX_ALL} bytes; it may be a bomb")


def _unpacked(content: bytes, start: int, limit: int, depth: int = 0) -> int:
    """Bytes that the stream unpacks to, packing within packing included; RecordError beyond the limit."""
    if content[start : start + 1] != b"x":  # no zlib mark: other packings cannot grow a thousandfold
        return 0
    unpack, size, rest, first = zlib.decompressobj(), 0, start, b""
    try:
        while not unpack.eof and rest < len(content):
            piece = unpack.decompress(unpack.unconsumed_tail or content[rest : rest + 65536], 1 << 20)
            if not unpack.unconsumed_tail:
                rest += 65536
            size += len(piece)
            first = first or piece
            if size > limit:
                raise RecordError(f"a stream of the PDF unpacks to more than {limit} bytes; it may be a bomb")
    except zlib.error:
        return size  # the reader will tell what is broken
    return size + (_unpacked(first, 0, limit, depth + 1) if depth < _DEPTH else 0)
