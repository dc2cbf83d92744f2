"""Source, Record and Extract: how files come in and what one of them gave."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ingest.diagnosis import out_of_reach
from kg.files import digest_of
from kg.model import Claim, ClaimBatch, digest

if TYPE_CHECKING:
    from ingest.extract.text.names import Gazetteer


@dataclass(frozen=True)
class Record:
    """One unit of a source: a filing, an article, a page image, a file of trades."""

    source: str
    """Name of the source that made it: filings, news, images, trades, registers."""
    path: str
    """Path of the file relative to the folder read, with `#n` where a file holds several records."""
    content: bytes
    """The bytes that `document` names and every locator points into."""
    published: datetime | None = None
    """When it was made public, where the carrier says so (a sidecar, a header); the content may say it better."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    sidecar: bytes = b""
    """Bytes of the file beside it that says what the content leaves out; a document of its own."""
    file: Path | None = None
    """Where the bytes lie, for a file too large to hold: `content` is empty then and the source reads from here."""

    @cached_property
    def document(self) -> str:
        """sha256 of the bytes: name of the document in every claim's evidence."""
        return digest_of(self.file) if self.file else digest(self.content)

    def whole(self) -> bytes:
        """The bytes, wherever they lie."""
        return self.file.read_bytes() if self.file else self.content


@dataclass(frozen=True, slots=True)
class Refusal:
    """A part of a record that was not turned into claims, and why."""

    locator: str
    reason: str


@dataclass(frozen=True)
class Extract:
    """What one record gave: its claims, the parts refused, the columns nobody read and the cleaning done."""

    claims: ClaimBatch
    refused: Sequence[Refusal] = ()
    unread: Sequence[str] = ()
    rules: Mapping[str, int] = field(default_factory=dict)
    """Name of each cleaning rule and how often it was applied."""

    @classmethod
    def of(cls, result: Iterable[Claim] | ClaimBatch | Extract) -> Extract:
        """The one form of the three that `Source.claims` may return."""
        if isinstance(result, Extract):
            return result
        return cls(result if isinstance(result, ClaimBatch) else ClaimBatch.of(result))


class Models:
    """What extraction needs beside the record, loaded once and on first use."""

    def __init__(
        self, gazetteer: Gazetteer | None = None, cache: Path | None = None, limits: Mapping[str, int] | None = None
    ) -> None:
        self.gazetteer = gazetteer
        self.cache = cache
        """Folder for results that are dear to make and depend on bytes alone, such as OCR boxes; None keeps none."""
        self.limits = dict(limits or {})
        """Caps that keep one party from swamping the graph, by name; a source has a default for each it knows."""

    @property
    def fingerprint(self) -> str:
        """Part of the name of every staged result: other names, other result."""
        names = self.gazetteer.fingerprint if self.gazetteer else "none"
        return " ".join([names, *(f"{name}={cap}" for name, cap in sorted(self.limits.items()))])


class Source(ABC):
    """One kind of input. A source is one file in ingest/sources/ and is found by its file name."""

    extractor: ClassVar[str]
    """`name@version`, part of the name of the staged result: raise the version when `claims` changes."""
    patterns: ClassVar[Sequence[str]]
    """Globs of the files it reads below the folder it is given."""

    def __init__(self, folder: Path, files: Sequence[Path] | None = None) -> None:
        self.folder = folder
        found = files if files is not None else {f for p in self.patterns for f in folder.rglob(p)}
        self.files = sorted(f for f in found if f.is_file() and not (files is None and out_of_reach(f, folder)))

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """All the reading, in a stable order. SourceError if the folder cannot be read at all."""

    @abstractmethod
    def claims(self, record: Record, models: Models) -> Iterable[Claim] | ClaimBatch | Extract:
        """Claims of one record, pure given record and models. RecordError with the reason for a bad record."""
