"""A feed (RSS, RDF or Atom) is items: each is a document of its own, the bytes of its element as they stand in the
file.

An item is cut out without parsing the file, so what a document type defines before it never reaches it; it is then
parsed alone, with entities and the network off. A feed that declares entities is refused whole.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ingest.extract.news.story import Article, collapse, decoded, moment, whole
from ingest.extract.news.webpage import plain_text
from kg.errors import RecordError

if TYPE_CHECKING:
    from lxml.etree import _Element

_ROOT: Final = re.compile(r"<(?![?!])\s*(?:[\w.-]+:)?([\w.-]+)([^>]{0,4000})")
_ITEM: Final = re.compile(rb"<!\[CDATA\[|<!--|<(/?)(?:[\w.-]+:)?(?:item|entry)(?=[\s>/])")
_DATE: Final = re.compile(
    r"<(?:[\w.-]+:)?(?:pubDate|lastBuildDate|updated|date)\s*>\s*([^<]{8,60}?)\s*</(?:[\w.-]+:)?\w+\s*>"
)
_ENTITY: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)(\w{2,32});")
_TIMES: Final = ("pubdate", "published", "date", "issued", "created", "updated", "modified")
_BODIES: Final = ("encoded", "content", "description", "summary")


def is_feed(content: bytes) -> bool:
    """True if the first element is that of a feed."""
    head = decoded(content[:65_536]).lstrip("\ufeff \t\r\n")
    if not head.startswith("<") or "<html" in head[:2000].lower():
        return False
    root = _ROOT.match(head, _root_at(head))
    if not root:
        return False
    name, attributes = root[1], root[2]
    return name == "rss" or (name == "RDF" and "rss" in attributes) or (name == "feed" and "Atom" in attributes)


def _root_at(head: str) -> int:
    """Where the first element begins, after comments, instructions and a document type; the end if there is none."""
    at = head.find("<")
    while head.startswith(("<!", "<?"), at):
        inner = head.find("[", at, max(head.find(">", at), at))
        close = "-->" if head.startswith("<!--", at) else "?>" if head[at + 1] == "?" else "]" if inner > 0 else ">"
        end = head.find(close, at + 2)
        if end < 0:
            return len(head)
        at = head.find("<", end)
    return at if at >= 0 else len(head)


def is_item(content: bytes) -> bool:
    """True for the bytes of one item of a feed."""
    start = _ITEM.match(content.lstrip())
    return bool(start) and start is not None and start[1] == b""


def unsafe(content: bytes) -> str:
    """Why a feed may not be read at all, "" if it may."""
    if b"<!ENTITY" in (utf8(content[:65_536])):
        return "the feed declares entities, which no feed needs; remove its document type"
    return ""


def utf8(content: bytes) -> bytes:
    """The bytes as they are if they are UTF-8, else their text in UTF-8."""
    try:
        content.decode("utf-8")
        return content
    except UnicodeDecodeError:
        return decoded(content).encode()


def items(content: bytes) -> Iterator[bytes]:
    """The bytes of each item, in the order of the feed; a last one that is cut off comes as far as it goes."""
    content = utf8(content)
    depth = start = at = 0
    while tag := _ITEM.search(content, at):
        if tag[0] in (b"<![CDATA[", b"<!--"):
            end = content.find(b"]]>" if tag[0] == b"<![CDATA[" else b"-->", tag.end())
        else:
            end = content.find(b">", tag.end())
        if end < 0:
            break
        at = end + 1
        if tag[1] is None or content[end - 1 : end] == b"/":
            continue
        if not tag[1] and (depth := depth + 1) == 1:
            start = tag.start()
        elif tag[1] and depth and not (depth := depth - 1):
            yield content[start:at]
    if depth:
        yield content[start:]


def feed_time(content: bytes, path: str) -> datetime | None:
    """When the feed was built, which is no earlier than its items were published; None if its head does not say."""
    head = decoded(content[:65_536])
    first = re.search(r"<(?:[\w.-]+:)?(?:item|entry)[\s>]", head)
    found = _DATE.search(head[: first.start()] if first else head)
    try:
        return moment(found[1], path) if found else None
    except RecordError:
        return None


def read_item(content: bytes, path: str = "") -> Article:
    """Article in the bytes of one item; RecordError if it is cut off or says nothing."""
    element = _parsed(content, path)
    title = collapse(plain_text(_first(element, ("title",))))
    body = plain_text(_first(element, _BODIES))
    if not (title + body).strip():
        raise RecordError(f"{path}: the item has no title and no text; an article needs at least one of them")
    times = [text for name in _TIMES if (text := _first(element, (name,)).strip())]
    published = moment(times[0], path, zone=False) if times else None
    return Article(title, body, published, _fields(element), True)


def _parsed(content: bytes, path: str) -> _Element:
    from lxml import etree

    text = _ENTITY.sub(lambda m: html.unescape(m[0]), decoded(content))
    if not re.search(r"</(?:[\w.-]+:)?(?:item|entry)\s*>\s*\Z", text):
        raise RecordError(f"{path}: the item is cut off; fetch the feed again")
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=False)
    try:
        element = etree.fromstring(text.strip().encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise RecordError(f"{path}: the item cannot be read: {error}; expected well-formed XML") from error
    if element is None:
        raise RecordError(f"{path}: the item holds no element; expected well-formed XML")
    return element


def _name(element: _Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _first(element: _Element, names: tuple[str, ...]) -> str:
    """Text of the first child of the first of these names that has any."""
    for name in names:
        for child in element:
            if _name(child) == name and (text := whole(_inner(child))).strip():
                return text
    return ""


def _inner(element: _Element) -> str:
    """Text of an element; of one that holds markup as elements (Atom's xhtml) its paragraphs."""
    if not len(element):
        return element.text or ""
    pieces: list[str] = []
    for child in element.iter():
        if isinstance(child.tag, str):
            pieces.append("\n" if _name(child) in ("p", "div", "br", "li", "h1", "h2", "h3") else "")
        pieces += [child.text or "" if isinstance(child.tag, str) else "", child.tail or ""]
    return html.escape("".join(pieces[:-1]), quote=False) if "<" in "".join(pieces) else "".join(pieces[:-1])


def _fields(element: _Element) -> dict[str, str]:
    authors = (child for child in element if _name(child) in ("creator", "author"))
    author = next((_first(a, ("name",)) if len(a) else a.text or "" for a in authors), "")
    given = {"url": _link(element), "author": author, "id": _first(element, ("guid", "id"))}
    return {name: line for name, text in given.items() if (line := collapse(text))}


def _link(element: _Element) -> str:
    for child in element:
        if _name(child) == "link" and child.get("rel", "alternate") == "alternate":
            return str(child.get("href") or child.text or "")
    return ""
