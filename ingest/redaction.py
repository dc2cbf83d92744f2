"""Redaction: a source file without what it says of an erased person, in which every other place reads back as before.

Text, HTML, XML, JSON, tables (CSV and Parquet) and pictures keep their form; a file in which that is not possible (a
PDF, a recording) is given up as a whole. What is left is read back at the places others stand on before it counts.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ingest.blot import BLOCK, PLAIN_BLOCK, Blot, covered, covered_outside_tags, loose
from ingest.clean import decode
from ingest.extract.formats.pointer import BROKEN, at, read_json, written
from ingest.locate import is_page, locate, text_of
from ingest.redaction_tables import blank_csv, blank_parquet
from kg.errors import KgRiskError, RecordError

MOST_READ = 2_000
"""Places of others that are read back of one file; of more, so many spread over it."""
_CHARS = re.compile(r"chars:(\d+)-(\d+)")
_ROW = re.compile(r"rows?:([\d,]+)(?: .*)?", re.DOTALL)
_RUN = re.compile(r"run:\S+ row:(\d+)")
_BOX = re.compile(r"page:1 (?:box|shape):([\d.]+),([\d.]+),([\d.]+),([\d.]+)")


@dataclass(frozen=True)
class Cite:
    """A place that a claim stands on."""

    locator: str
    quote: str
    source: str
    """First part of the extractor's name."""
    words: tuple[str, ...] = ()
    """Ids and values of the claim."""


@dataclass(frozen=True)
class Left:
    """What is left of a file."""

    content: bytes | None
    """None: the form allows no part to stay."""
    quotes: dict[tuple[str, str], str]
    """What stands now where others quote, by locator and source; only where it is another text."""


def cites(claims: pa.Table) -> list[Cite]:
    """The places that claims of one document stand on, each once with all that is said there."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for row in claims.select(["locator", "quote", "extractor", "subject", "object", "value_text"]).to_pylist():
        key = (row["locator"], row["quote"], row["extractor"].partition(".")[0])
        found.setdefault(key, set()).update(filter(None, (row["subject"], row["object"], row["value_text"])))
    return [Cite(*key, tuple(sorted(words))) for key, words in found.items()]


def redact(content: bytes, gone: Sequence[Cite], kept: Sequence[Cite], blot: Blot) -> Left:
    """The file without the places of `gone` and without the words of the blot; `kept` has to read back as before."""
    alone = [cite for cite in gone if not any(_overlap(cite, other) for other in kept)]
    try:
        left = _form(content)(content, alone, [c for c in gone if c not in alone], kept, blot)
        quotes = read_back(left, kept, blot) if left is not None else None
    except (KgRiskError, ValueError, ArithmeticError, OSError, RecursionError):
        left, quotes = None, None
    if left is None or quotes is None or blot.finds_in(left):
        return Left(None, {(c.locator, c.source): blot.cover(c.quote) for c in kept if blot.finds(c.quote)})
    return Left(left, quotes)


def _form(content: bytes) -> Any:
    """How this kind of file is redacted."""
    if content[:4] == b"PAR1":
        return _parquet
    if content[:8] == b"\x89PNG\r\n\x1a\n" or content[:3] == b"\xff\xd8\xff":
        return _picture
    if (b"\0" in content[:4096] and content[:2] not in (b"\xff\xfe", b"\xfe\xff")) or content[:5] == b"%PDF-":
        return _nothing
    if content.lstrip()[:1] in (b"{", b"["):
        return _json
    return _text


def _nothing(*_: Any) -> None:
    return None


def _overlap(a: Cite, b: Cite) -> bool:
    """Do two places share anything?"""
    if a.locator == b.locator:
        return True
    if (x := _CHARS.fullmatch(a.locator)) and (y := _CHARS.fullmatch(b.locator)):
        return int(x[1]) < int(y[2]) and int(y[1]) < int(x[2])
    if (x := _ROW.fullmatch(a.locator)) and (y := _ROW.fullmatch(b.locator)):
        return bool(set(x[1].split(",")) & set(y[1].split(",")))
    short, long = sorted((a.locator, b.locator), key=len)
    return long.startswith((f"{short}/", f"{short} "))


def _text(content: bytes, alone: list[Cite], shared: list[Cite], kept: Sequence[Cite], blot: Blot) -> bytes | None:
    rows = [cite for cite in alone if _ROW.fullmatch(cite.locator)]
    if rows or any(_ROW.fullmatch(cite.locator) for cite in (*shared, *kept)):
        content = blank_csv(content, rows, [c for c in shared if _ROW.fullmatch(c.locator)], kept)
    text, encoding = decode(content)
    block = BLOCK if encoding.startswith("utf") else PLAIN_BLOCK
    for cite in alone:
        if cite not in rows:
            text = _without(text, cite, content, block)
    for pattern in (loose(word) for word in blot.words) if "<" in text else ():
        text = pattern.sub(lambda match: _marked_up(match[0], block), text) if pattern else text
    mark = "﻿" if content[:3] == b"\xef\xbb\xbf" else ""
    return (mark + blot.cover(text, block)).encode(encoding)


def _marked_up(text: str, block: str) -> str:
    """A name that stands in several tags, covered; one that does not is seen to like in any other text."""
    return covered_outside_tags(text, block) if "<" in text else text


def _without(text: str, cite: Cite, content: bytes, block: str) -> str:
    """The text without one quoted place. RecordError if it is not found."""
    span = _CHARS.fullmatch(cite.locator)
    if span and not is_page(content) and text_of(content, cite.source) == decode(content)[0]:
        begin, end = int(span[1]), int(span[2])
        return text[:begin] + covered(text[begin:end], block) + text[end:]
    wanted = loose(cite.quote)
    if wanted is None:
        return text  # too few letters to be anybody's
    if not wanted.search(text):
        raise RecordError(f"{cite.locator} is not found in the bytes of the file")
    return wanted.sub(lambda match: covered_outside_tags(match[0], block), text)


def _json(content: bytes, alone: list[Cite], shared: list[Cite], kept: Sequence[Cite], blot: Blot) -> bytes | None:
    value = read_json(content)
    lines = isinstance(value, list) and not content.lstrip().startswith(b"[")
    if lines and any(line is BROKEN for line in value):
        return None
    value = _leaves(value, str)  # a copy: what was read is kept in memory for others
    for cite in alone:
        if cite.locator.startswith("json:"):
            value = _blank_at(value, _widest(cite.locator[len("json:") :], kept))
        elif row := _RUN.fullmatch(cite.locator):
            value = _blank_at(value, f"/details/rows/{row[1]}")
    patterns = [p for c in alone if not c.locator.startswith(("json:", "run:")) and (p := loose(c.quote))]
    value = _leaves(value, lambda text: _covered_all(blot.cover(text), patterns))
    if lines:
        return "\n".join("" if line is None else written(line) for line in value).encode()
    return written(value).encode()


def _covered_all(text: str, patterns: Sequence[re.Pattern[str]]) -> str:
    for pattern in patterns:
        text = pattern.sub(lambda match: covered_outside_tags(match[0]), text)
    return text


def _widest(path: str, kept: Sequence[Cite]) -> str:
    """The whole record that a path lies in, if nobody else stands on any part of it; else as much as is free."""
    taken = [cite.locator[len("json:") :] for cite in kept if cite.locator.startswith("json:")]
    steps = path.split("/")
    for depth in range(2, len(steps)):
        prefix = "/".join(steps[:depth])
        if not any(
            other == prefix or other.startswith(f"{prefix}/") or prefix.startswith(f"{other}/") for other in taken
        ):
            return prefix
    return path


def _blank_at(value: Any, path: str) -> Any:
    """The value with what stands at a path emptied: texts covered, numbers gone."""
    head, _, last = path.rpartition("/")
    if not path:
        return _leaves(value, covered, numbers=True)
    parent = at(value, head)
    step: Any = int(last) if isinstance(parent, list) else last.replace("~1", "/").replace("~0", "~")
    parent[step] = _leaves(parent[step], covered, numbers=True)
    return value


def _leaves(value: Any, change: Any, numbers: bool = False) -> Any:
    """The same value with every text in it, names included, changed."""
    if isinstance(value, dict):
        named = {key if numbers else change(key): _leaves(own, change, numbers) for key, own in value.items()}
        return named if len(named) == len(value) else {k: _leaves(v, change, numbers) for k, v in value.items()}
    if isinstance(value, list):
        return [_leaves(own, change, numbers) for own in value]
    if isinstance(value, str):
        return change(value)
    return None if numbers and not isinstance(value, bool) else value


def _parquet(content: bytes, alone: list[Cite], shared: list[Cite], kept: Sequence[Cite], blot: Blot) -> bytes | None:
    return blank_parquet(content, alone, shared, kept, blot)


def _picture(content: bytes, alone: list[Cite], shared: list[Cite], kept: Sequence[Cite], blot: Blot) -> bytes | None:
    """The picture with the boxes painted over; all of it is given up where a place is no box."""
    from PIL import Image, ImageDraw

    boxes = [_BOX.fullmatch(cite.locator) for cite in (*alone, *shared)]
    with Image.open(io.BytesIO(content)) as image:
        form, made = image.format, image.convert("RGB")
    draw = ImageDraw.Draw(made)
    for box in boxes:
        if box is None:
            return None
        x0, y0, x1, y1 = (float(part) for part in box.groups())
        draw.rectangle((x0, y0, x1, y1), fill=(0, 0, 0))
    sink = io.BytesIO()
    made.save(sink, form, **({"quality": 95} if form == "JPEG" else {}))
    return sink.getvalue()


def read_back(left: bytes, kept: Sequence[Cite], blot: Blot) -> dict[tuple[str, str], str] | None:
    """What stands now where others quote, where that is another text; None if a place was moved or lost."""
    changed: dict[tuple[str, str], str] = {}
    for cite in _chosen(kept, blot):
        if cite.locator.startswith(("page:", "frame:", "time:")):
            continue  # what others read off a picture stands outside of what was painted over
        now = locate(left, cite.locator, cite.source)
        if now == cite.quote:
            continue
        if not _same_but_covered(cite.quote, now):
            return None
        changed[cite.locator, cite.source] = now
    return changed


def _chosen(kept: Sequence[Cite], blot: Blot) -> Iterator[Cite]:
    step = max(1, len(kept) // MOST_READ)
    for place, cite in enumerate(kept):
        if place % step == 0 or blot.finds(cite.quote):
            yield cite


def _same_but_covered(before: str, now: str) -> bool:
    """Is this the text as it was, with nothing but blocks in the place of what is gone?"""
    rest = now.replace(PLAIN_BLOCK, BLOCK)
    if len(before) == len(now):
        return all(b == n or n == BLOCK for b, n in zip(before, rest, strict=True))
    parts = [re.escape(part) for part in re.split(f"{BLOCK}+", rest)]
    return re.fullmatch(r".*?".join(parts), before, re.DOTALL) is not None
