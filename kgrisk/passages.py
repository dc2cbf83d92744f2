"""Passages: the stretches of a document that can be quoted as an answer, each with its locator.

A sentence of a text, a sentence heard in a recording, a line on a page image or on a picture of a video. What has no
text of its own (a table, a register) has the quotes of its claims.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest import pipeline
from ingest.extract.filings.submission import is_submission, parts
from ingest.extract.pages import pdf
from ingest.extract.pages.film import key_frames
from ingest.extract.pages.ocr import Box, PageReader, lines, locator, words_in
from ingest.extract.sound.recording import segments
from ingest.extract.sound.speech import Listener, join
from ingest.extract.sound.speech import locator as seconds
from ingest.extract.text.sentences import sentences
from ingest.locate import text_of
from ingest.order import ordered
from ingest.source import Source
from kg import plugins
from kg.errors import KgRiskError, RecordError, SourceError
from kg.model import iso

Place = tuple[str, str]
"""A locator and exactly what stands there."""
MOST: Final = 50_000
"""Passages taken of one document."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document."""

    document: str
    """sha256 of the bytes."""
    locator: str
    quote: str
    source: str
    title: str = ""
    published: str = ""
    says: tuple[str, ...] = ()
    """What the claims at this very place state, such as `A -LENDS_TO-> B`."""
    speaker: str = ""
    """Which of a recording's voices it is, where they were told apart."""


def places(content: bytes, source: str, cache: Path | None = None) -> list[Place]:
    """Passages of a document in its order; none where its source reads no text. RecordError if it is broken."""
    found: list[Place] = []
    for place in _KINDS.get(source, _none)(content, source, cache):
        if place[1].strip():
            found.append(place)
        if len(found) == MOST:
            break
    return found


def _none(content: bytes, source: str, cache: Path | None) -> Iterator[Place]:
    yield from ()


def _texts(content: bytes, source: str, cache: Path | None) -> Iterator[Place]:
    if source == "filings" and is_submission(content):
        for number, part in enumerate(parts(content), 1):
            yield from ((f"part:{number} {where}", quote) for where, quote in _texts(part.content, source, cache))
        return
    text = text_of(content, source)
    yield from ((f"chars:{start}-{end}", text[start:end]) for start, end in sentences(text))


def _heard(content: bytes, source: str, cache: Path | None) -> Iterator[Place]:
    yield from ((seconds(said), join(said)) for said in segments(Listener(cache).words(content)))


def _film(content: bytes, source: str, cache: Path | None) -> Iterator[Place]:
    reader = PageReader(cache)
    for frame in key_frames(content):
        yield from ((f"frame:{frame.second:.2f} {where}", quote) for where, quote in _written(reader.read(frame.image)))
    try:
        yield from _heard(content, source, cache)
    except RecordError:  # a silent film
        return


def _picture(content: bytes, source: str, cache: Path | None) -> Iterator[Place]:
    yield from _written(PageReader(cache).read(content))


def _pdf(content: bytes, source: str, cache: Path | None) -> Iterator[Place]:
    for number in range(1, pdf.head(content).pages + 1):
        if text := pdf.page(content, number).text:
            yield from ((f"page:{number} chars:{a}-{b}", text[a:b]) for a, b in sentences(text))
        else:
            yield from _written(pdf.words(content, number, PageReader(cache)), number)


def _written(boxes: tuple[Box, ...], page: int = 1) -> Iterator[Place]:
    """The lines of a page."""
    for line in lines(boxes):
        where = locator(line, page)
        yield where, words_in(boxes, where)


_KINDS: Final[Mapping[str, Callable[[bytes, str, Path | None], Iterator[Place]]]] = {
    "audio": _heard,
    "video": _film,
    "images": _picture,
    "pdf": _pdf,
    "news": _texts,
    "filings": _texts,
    "calls": _texts,
}


def passages_of_file(path: Path, cache: Path | None = None) -> list[Passage]:
    """Passages of a file that is in no ledger, read by the source that knows it.

    KgRiskError if there is no such file, no source reads it, or nothing can be quoted from it.
    """
    if not path.is_file():
        raise KgRiskError(
            f"{path}: no such file, and no document of the ledger; give a file or a sha256 from `explain`"
        )
    found: list[Passage] = []
    why = ""
    for name in ordered(plugins.names(pipeline.PACKAGE)):
        kind = plugins.load(pipeline.PACKAGE, name, Source)  # type: ignore[type-abstract]  # a role is asked for
        if not any(path.match(pattern) for pattern in kind.patterns):
            continue
        try:
            for record in kind(path.parent, [path]).records():
                title, published = record.path, iso(record.published) if record.published else ""
                read = places(record.whole(), name, cache) or _claimed(name, path)
                found += [Passage(record.document, where, quote, name, title, published) for where, quote in read]
        except (RecordError, SourceError) as error:
            why = str(error)
    if not found:
        raise KgRiskError(f"{path} cannot be asked: {why or 'no source finds anything to quote in it'}")
    return found


def _claimed(source: str, path: Path) -> list[Place]:
    """Quotes of the claims of a file without a text of its own, such as a table."""
    quotes: dict[str, str] = {}
    for _, extract in pipeline.extract(source, [path]):
        table = extract.claims.table
        quotes |= dict(zip(table["locator"].to_pylist(), table["quote"].to_pylist(), strict=True))
    return list(quotes.items())
