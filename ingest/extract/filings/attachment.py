"""An attachment is a file inside a submission's XML, written in base64: the table of a 13F, the votes of an N-PX."""

from __future__ import annotations

import binascii
from functools import lru_cache

from ingest.extract.formats.markup import parse
from kg.errors import RecordError


@lru_cache(maxsize=4)
def attachments(content: bytes) -> tuple[bytes | None, ...]:
    """The files in their order; None for one that is not written in base64."""
    if b"contents>" not in content:
        return ()
    return tuple(_decoded(element.text or "") for element in parse(content).iter("{*}contents"))


def read_attachment(content: bytes, number: int) -> bytes:
    """Bytes of the n-th attachment, counted from 1."""
    found = attachments(content)
    if not 1 <= number <= len(found) or (inside := found[number - 1]) is None:
        raise RecordError(f"attachment {number} is not there: the document has {len(found)}, read as base64")
    return inside


def _decoded(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except binascii.Error:
        return None
