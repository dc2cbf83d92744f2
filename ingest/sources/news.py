"""News: articles as JSON lines or HTML pages; who is mentioned, and what the sentences say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final

from ingest.extract.article import Article, is_article, read_article
from ingest.extract.assertions import Origin, event_id, names_to_claims, to_claims
from ingest.extract.names import Gazetteer, Mention
from ingest.extract.recognise import written_names
from ingest.extract.relations import Finding, relations
from ingest.source import Models, Record, Source
from kg.errors import RecordError, SourceError
from kg.model import Claim, Edge, Node, Value

OPENING: Final = 2000
"""Characters of the body kept as the document's text property."""


class News(Source):
    """Articles: documents, mentions, relations and events with the sentence that says them."""

    extractor: ClassVar[str] = "news.text@1"
    patterns: ClassVar[Sequence[str]] = ("*.jsonl", "*.html", "*.htm")

    def records(self) -> Iterator[Record]:
        for file in self.files:
            try:
                content = file.read_bytes()
            except OSError as error:
                raise SourceError(
                    f"{file} cannot be read ({error.strerror}); check the path and its permissions"
                ) from error
            yield from _records(self._relative(file), content)

    def claims(self, record: Record, models: Models) -> Iterator[Claim]:
        """Claims of one article, pure given the article and the names known."""
        article = read_article(record.content, record.path)
        published = article.published or record.published
        if published is None:
            raise RecordError(
                f"{record.path}: no publication time; add a 'published' field or <meta name=\"published\">"
            )
        origin = Origin(record.document, published, self.extractor)
        return article_claims(article, origin, models)

    def _relative(self, file: Path) -> str:
        return file.relative_to(self.folder).as_posix() if file.is_relative_to(self.folder) else file.name


def _records(path: str, content: bytes) -> Iterator[Record]:
    if not path.endswith(".jsonl"):
        if is_article(content):  # other pages belong to other sources
            yield Record("news", path, content)
        return
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            yield Record("news", f"{path}#{number}", line.rstrip(b"\r"))


def article_claims(article: Article, origin: Origin, models: Models) -> Iterator[Claim]:
    """The document, its mentions, and what it says."""
    text = article.text
    document = f"doc:{origin.document}"
    yield _document(article, origin, document)
    found = relations(text, models, origin.published)
    mentions = _mentions(text, models.gazetteer or Gazetteer(), found)
    yield from names_to_claims(mentions, text, origin)
    yield from _mentioned(mentions, document, text, origin)
    yield from to_claims(found, text, origin)
    yield from _reported(found, document, text, origin)


def _document(article: Article, origin: Origin, document: str) -> Claim:
    props: dict[str, Value] = {"text": article.body[:OPENING] or article.title}
    props |= {"title": article.title} if article.title else {}
    props |= {"url": article.url} if article.url else {}
    span = (0, len(article.title)) if article.title else (1, 1 + min(len(article.body), 200))
    return Claim(Node("Document", document, props), origin.evidence(article.text, span, 1.0), origin.published)


def _mentions(text: str, gazetteer: Gazetteer, found: list[Finding]) -> list[Mention]:
    """Names written out, and those that only a finding vouches for; each place once."""
    places = {(m.start, m.end): m for m in written_names(text, gazetteer)}
    for finding in found:
        for _, m in finding.parties:
            if m.text == m.name:
                places.setdefault((m.start, m.end), m)
    return [places[place] for place in sorted(places)]


def _mentioned(mentions: list[Mention], document: str, text: str, origin: Origin) -> Iterator[Claim]:
    """One edge per entity with how often it is named, at its first mention."""
    counts = Counter(m.id for m in mentions)
    for m in mentions:
        if times := counts.pop(m.id, 0):
            edge = Edge("MENTIONED_IN", m.id, document, {"count": times})
            evidence = origin.evidence(text, (m.start, m.end), 0.9 if m.entity else 0.7)
            yield Claim(edge, evidence, origin.published, origin.published)


def _reported(found: list[Finding], document: str, text: str, origin: Origin) -> Iterator[Claim]:
    for finding in found:
        if finding.event:
            evidence = origin.evidence(text, (finding.start, finding.end), finding.confidence)
            edge = Edge("REPORTED_IN", event_id(finding), document)
            yield Claim(edge, evidence, origin.published, _when(finding, origin.published))


def _when(finding: Finding, published: datetime) -> datetime:
    return finding.valid_from or published
