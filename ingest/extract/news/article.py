"""The text of an article: the one string that every `chars:` locator of a news document counts in.

A JSON line, a feed item or a table row gives its title, a line break and its body; an HTML page gives its title and,
line by line, its paragraphs with white space collapsed. Extraction and reading back both call `read_article`: an
offset, and the name of a field, mean the same to both.
"""

from __future__ import annotations

from ingest.extract.news.feed import is_feed, is_item, read_item, unsafe
from ingest.extract.news.posts import is_row, read_post, read_row
from ingest.extract.news.story import Article, decoded
from ingest.extract.news.webpage import read_page
from kg.errors import RecordError

__all__ = ["Article", "document_text", "field_text", "is_article", "read_article"]


def is_article(content: bytes) -> bool:
    """True for a page that calls itself an article or carries a publication time, and is no inline-XBRL filing."""
    head = content[:20_000].lower()
    if b"<ix:" in head or b"xbrli:" in head or b"<sec-document" in head or is_feed(content):
        return False
    return b"<article" in content.lower() or b'name="published"' in head or b"article:published_time" in head


def document_text(content: bytes, path: str = "") -> str:
    """Text of the article in these bytes; RecordError if they hold none."""
    return read_article(content, path).text


def field_text(content: bytes, name: str) -> str:
    """Text of a field of the article in these bytes, as `field:author` locates it; RecordError if it has none."""
    if not (text := read_article(content).fields.get(name)):
        raise RecordError(f"field:{name} is not there: the article has no {name}")
    return text


def read_article(content: bytes, path: str = "") -> Article:
    """Article in the bytes of a JSON line, feed item, page or table row, told apart by what stands there."""
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        raise RecordError(f"{path or 'article'}: no bytes to read; expected a JSON object or an HTML page")
    if b"\0" in content[:4000] and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise RecordError(f"{path}: NUL bytes; expected UTF-8, UTF-16 with its mark, or Windows-1252")
    if head.startswith((b"{", b"[")):
        return read_post(head, path)
    if is_item(head):
        return read_item(head, path)
    if is_feed(content):
        raise RecordError(f"{path}: {unsafe(content) or 'the feed has no item to read'}")
    if not head.startswith(b"<") and is_row(content):
        return read_row(content, path)
    if not decoded(content[:512]).lstrip().startswith("<"):
        raise RecordError(f"{path}: neither JSON, feed, HTML page nor table with a title; expected one of these")
    return read_page(content, path)
