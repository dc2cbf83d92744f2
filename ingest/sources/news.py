"""News: articles, feeds and posts as JSON lines, RSS, Atom, HTML or CSV; who is mentioned, and what is said of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import ClassVar, Final

from ingest.extract.news.article import Article, is_article, read_article
from ingest.extract.news.feed import feed_time, is_feed, items, unsafe
from ingest.extract.news.posts import is_prose, rows, tells
from ingest.extract.news.story import decoded
from ingest.extract.prose.assertions import Origin
from ingest.extract.prose.prose import read, told
from ingest.extract.text.language import language, lines
from ingest.extract.text.names import Gazetteer, Mention
from ingest.extract.text.recognise import headline_names
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError, SourceError
from kg.model import Claim, Evidence, Facts, Node, Value, as_time

OPENING: Final = 2000
"""Characters of the body kept as the document's text property."""
READ: Final = 40_000
"""Characters of an article that are read for names and relations: longer texts are filings or no articles."""
HEADLINE: Final = 300
"""Most characters of a first line that is read as a headline."""
_FEEDS: Final = (".rss", ".atom", ".rdf")


class News(Source):
    """Articles: documents, mentions, relations and events with the sentence that says them."""

    extractor: ClassVar[str] = "news.text@3"
    patterns: ClassVar[Sequence[str]] = (
        "*.jsonl", "*.html", "*.htm", "*.xml", "*.rss", "*.atom", "*.rdf", "*.csv",
    )  # fmt: skip

    def records(self) -> Iterator[Record]:
        """One record per article, post, feed item or table row."""
        now = datetime.now(UTC)
        for file in self.files:
            try:
                content = file.read_bytes()
            except OSError as error:
                raise SourceError(
                    f"{file} cannot be read ({error.strerror}); check the path and its permissions"
                ) from error
            yield from _records(self._relative(file), content, now)

    def claims(self, record: Record, models: Models) -> Extract:
        """Claims of one article, pure given the article and the names known."""
        article = read_article(record.content, record.path)
        rules: Counter[str] = Counter()
        published = article.published or record.published
        if published is None and not article.dated and (published := record.meta.get("read")):
            rules["published.when_read"] += 1
        if published is None:
            raise RecordError(
                f"{record.path}: no publication time; add a 'published' field or <meta name=\"published\">"
            )
        refused: list[Refusal] = []
        origin = Origin(record.document, as_time(published), self.extractor)
        found = Extract.of(article_claims(article, origin, models, refused))
        return Extract(found.claims, refused, (), rules)

    def _relative(self, file: Path) -> str:
        return file.relative_to(self.folder).as_posix() if file.is_relative_to(self.folder) else file.name


def _records(path: str, content: bytes, now: datetime) -> Iterator[Record]:
    """Records of a file by what it holds; of one that is another source's, none."""
    ending = Path(path).suffix.lower()
    if ending == ".jsonl":
        yield from _lines(path, content)
    elif ending == ".csv":
        if is_prose(content):
            for number, row in enumerate(rows(content), 1):
                yield Record("news", f"{path}#{number}", row, meta={"read": now})
    elif is_feed(content):
        yield from _items(path, content)
    elif ending in _FEEDS or (ending != ".xml" and is_article(content)):
        yield Record("news", path, content)


def _lines(path: str, content: bytes) -> Iterator[Record]:
    """A record per line, if any of the first is an article's or none is an object at all: then each says what is
    wrong.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = decoded(content).encode("utf-8", "replace")
    lines = [(n, line.rstrip(b"\r")) for n, line in enumerate(content.split(b"\n"), 1) if line.strip()]
    objects = [row for row in map(_object, islice((line for _, line in lines), 50)) if row is not None]
    if objects and not any(map(tells, objects)):
        return
    if not objects and len(lines) != 1:
        yield Record("news", path, content)
        return
    for number, line in lines:
        yield Record("news", f"{path}#{number}", line)


def _object(line: bytes) -> object:
    try:
        row = json.loads(decoded(line))
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _items(path: str, content: bytes) -> Iterator[Record]:
    found = [] if unsafe(content) else list(items(content))
    built = feed_time(content, path)
    for number, item in enumerate(found, 1):
        yield Record("news", f"{path}#{number}", item, built)
    if not found:
        yield Record("news", path, content)


def article_claims(
    article: Article, origin: Origin, models: Models, refused: list[Refusal] | None = None
) -> Iterator[Claim]:
    """The document, its mentions, and what it says; parts that cannot be read are added to `refused`."""
    document, text = f"doc:{origin.document}", article.text
    yield from _document(article, origin, document, [] if refused is None else refused)
    gazetteer = models.gazetteer or Gazetteer()
    if len(text) > READ:
        text = text[:READ]
        if refused is not None:
            refused.append(Refusal(f"chars:{READ}-{len(article.text)}", f"only the first {READ} characters are read"))
    named, found = read(text, gazetteer, models, origin.published)
    yield from told(_with_headline(named, text, gazetteer), found, text, origin, document)


def _with_headline(named: list[Mention], text: str, gazetteer: Gazetteer) -> list[Mention]:
    """The names, with those that a model alone sees in the title, or in the first line of a post without one."""
    start, end, is_chinese = next(lines(text), (0, 0, True))
    if is_chinese or end - start > HEADLINE:
        return named
    taken = {i for m in named for i in range(m.start, m.end)}
    more = headline_names(text, (start, end), gazetteer)
    return sorted([*named, *(m for m in more if taken.isdisjoint(range(m.start, m.end)))], key=lambda m: m.start)


def _document(article: Article, origin: Origin, document: str, refused: list[Refusal]) -> Iterator[Claim]:
    props: dict[str, Value] = {"text": article.body[:OPENING] or article.title}
    props |= {"title": article.title} if article.title else {}
    props |= {"language": code} if (code := language(article.text)) else {}
    span = (0, len(article.title)) if article.title else (1, 1 + min(len(article.body), 200))
    yield Claim(Node("Document", document, props), origin.evidence(article.text, span, 1.0), origin.published)
    for name, text in article.fields.items():
        evidence = Evidence(origin.document, f"field:{name}", text, origin.extractor)
        if name == "reach" and not text.isdecimal():
            refused.append(Refusal("field:reach", f"reach {text!r} is no whole number of readers"))
        elif said := _field(name, text, article):
            props, key = said
            yield Claim(Facts(document, props, key) if key else Facts(document, props), evidence, origin.published)


def _field(name: str, text: str, article: Article) -> tuple[dict[str, Value], str] | None:
    """Property and key that a field gives; the id of a post is kept so that others can be told to repeat it."""
    if name in ("url", "author"):
        return {name: text}, ""
    if name == "reach":
        return {"reach": int(text)}, ""
    if name in ("reply_to", "repost_of"):
        return {"statement": text}, name
    if name == "id" and not article.fields.keys().isdisjoint(("author", "reach", "reply_to", "repost_of")):
        return {"identifier": f"post:{text}"}, ""
    return None
