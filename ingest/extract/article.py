"""The text of an article: the one string that every `chars:` locator of a news document counts in.

A JSON line gives its title, a line break and its body; an HTML page gives its title and, line by line, its paragraphs
with white space collapsed. Extraction and reading back both call `document_text`: an offset means the same to both.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kg.errors import RecordError
from kg.model import as_time

_SPACES = re.compile(r"\s+")
_BLOCKS = "h2, h3, p, li, blockquote"
_PUBLISHED = (
    'meta[name="published"]',
    'meta[property="article:published_time"]',
    'meta[name="date"]',
    'meta[name="dcterms.date"]',
)


@dataclass(frozen=True, slots=True)
class Article:
    """A news article as its carrier gives it."""

    title: str
    body: str
    published: datetime | None
    """None where the carrier does not say; a publication time is never guessed."""
    url: str = ""

    @property
    def text(self) -> str:
        """What locators count in: title, line break, body."""
        return f"{self.title}\n{self.body}"


def is_article(content: bytes) -> bool:
    """True for a page that calls itself an article or carries a publication time, and is no inline-XBRL filing."""
    head = content[:20_000].lower()
    if b"<ix:" in head or b"xbrli:" in head or b"<sec-document" in head:
        return False
    return b"<article" in content.lower() or b'name="published"' in head or b"article:published_time" in head


def document_text(content: bytes, path: str = "") -> str:
    """Text of the article in these bytes; RecordError if they hold none."""
    return read_article(content, path).text


def read_article(content: bytes, path: str = "") -> Article:
    """Article in the bytes of a JSON line or an HTML page, told apart by the first sign."""
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        raise RecordError(f"{path or 'article'}: no bytes to read; expected a JSON object or an HTML page")
    return _from_json(head, path) if head.startswith(b"{") else _from_html(content, path)


def _from_json(content: bytes, path: str) -> Article:
    try:
        row = json.loads(content.decode("utf-8"))
    except ValueError as error:  # wrong UTF-8 and wrong JSON alike
        raise RecordError(f"{path}: not one JSON object in UTF-8 ({error}); repair the line") from error
    title, body = _text_field(row, "title", path), _text_field(row, "body", path)
    if not (title + body).strip():
        raise RecordError(f"{path}: fields 'title' and 'body' are empty; an article needs at least one of them")
    when = row.get("published") or row.get("date")
    return Article(title, body, _moment(when, path) if when else None, _text_field(row, "url", path))


def _text_field(row: dict[str, Any], name: str, path: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RecordError(f"{path}: field {name!r} is {type(value).__name__}; expected text")
    return value


def _from_html(content: bytes, path: str) -> Article:
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(content)
    tree.strip_tags(["script", "style", "nav", "footer", "aside", "noscript"])
    for line_break in tree.css("br"):
        line_break.replace_with(" ")
    heading = tree.css_first("title") or tree.css_first("h1")
    title = _collapse(heading.text()) if heading else ""
    root = tree.css_first("article") or tree.css_first("main") or tree.body
    blocks = [_collapse(node.text()) for node in root.css(_BLOCKS)] if root else []
    if root and not any(blocks):
        blocks = [_collapse(root.text(separator=" "))]
    body = "\n".join(b for b in blocks if b)
    if not (title + body).strip():
        raise RecordError(f"{path}: no title, paragraph or text in the page; expected an HTML article")
    return Article(title, body, _html_published(tree, path), _canonical_url(tree))


def _html_published(tree: Any, path: str) -> datetime | None:
    for selector in _PUBLISHED:
        node = tree.css_first(selector)
        if node is not None and node.attributes.get("content"):
            return _moment(str(node.attributes["content"]), path)
    node = tree.css_first("time[datetime]")
    return _moment(str(node.attributes["datetime"]), path) if node is not None else None


def _canonical_url(tree: Any) -> str:
    node = tree.css_first('link[rel="canonical"]')
    return str(node.attributes.get("href") or "") if node is not None else ""


def _moment(text: str, path: str) -> datetime:
    """An ISO date or time; a date alone is its midnight UTC, a time without zone is refused."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise RecordError(f"{path}: published {text!r} is no ISO date or time, such as 2023-04-05T09:30:00Z") from error
    if moment.tzinfo is None and len(text.strip()) <= len("2023-04-05"):
        return as_time(moment.date())
    if moment.tzinfo is None:
        raise RecordError(f"{path}: published {text!r} has no zone; write it with Z or an offset")
    return as_time(moment)


def _collapse(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
