"""A web page as an article: its title, its paragraphs without menus, adverts and lists of links, and what its head
says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from ingest.extract.news.story import Article, collapse, decoded, moment
from kg.errors import RecordError

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_BLOCKS: Final = "h2, h3, h4, p, li, blockquote, pre, td"
_NO_TEXT: Final = [
    "script", "style", "nav", "footer", "aside", "noscript", "form", "button", "iframe", "template", "svg",
]  # fmt: skip
_ROLES: Final = (
    '[role="navigation"], [role="banner"], [role="complementary"], [role="contentinfo"], [role="search"], '
    '[role="dialog"], [hidden], [aria-hidden="true"]'
)
_MARKED: Final = "div, section, ul, ol, p, span, figure, table, header"
_BESIDE: Final = re.compile(
    r"ads?|advert\w*|dfp|sponsor\w*|promo\w*|teasers?|shar(?:e|ing)|social|related|recommend\w*|trending|newsletter|"
    r"subscri\w+|signup|cookies?|consent|gdpr|comments?|breadcrumbs?|sidebar|menu|nav\w*|popup|modal|paywall|footer|"
    r"copyright|tags|toolbar|banner|outbrain|taboola"
)
"""Words in the class or id of an element that stands beside the article, not in it."""
_PUBLISHED: Final = (
    'meta[name="published"]',
    'meta[property="article:published_time"]',
    'meta[name="date"]',
    'meta[name="dcterms.date"]',
    'meta[itemprop="datePublished"]',
)
_LINKS: Final = 0.5
"""Share of a line's letters inside links from which on it is a list of links."""
_DEEP: Final = 12
_NESTS: Final = re.compile(
    r"<(/?)(?!(?:p|li|td|th|tr|dd|dt|option|br|img|hr|meta|link|input|wbr|area|base|col|source|path|body|html)\b)[a-z]",
    re.I,
)
"""Tags that open or close an element which must be closed."""
_DEEPEST: Final = 5000


def read_page(content: bytes, path: str = "") -> Article:
    """Article on an HTML page; RecordError if it has no text."""
    tree = _tree(decoded(content), path)
    heading = tree.css_first("title") or tree.css_first("h1")
    title = collapse(heading.text()) if heading else ""
    published, fields = _published(tree, path), _fields(tree)
    body = "\n".join(_body(tree))
    if not (title + body).strip():
        raise RecordError(f"{path}: no title, paragraph or text in the page; expected an HTML article")
    return Article(title, body, published, fields, True)


def plain_text(markup: str) -> str:
    """Text of a fragment of HTML, a line for each of its blocks; text without markup stays as it is, line by line."""
    if "<" not in markup and "&" not in markup:
        return "\n".join(line for line in map(collapse, markup.split("\n")) if line)
    return "\n".join(_body(_tree(f"<body>{markup}</body>", "feed item")))


def _tree(markup: str, path: str) -> LexborHTMLParser:
    """The parsed page; RecordError for one nested so deep that parsing it takes minutes."""
    from selectolax.lexbor import LexborHTMLParser

    depth = 0
    for tag in _NESTS.finditer(markup):
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        if depth > _DEEPEST:
            raise RecordError(f"{path}: elements are nested more than {_DEEPEST} deep; expected an HTML article")
    return LexborHTMLParser(markup)


def _body(tree: LexborHTMLParser) -> list[str]:
    tree.strip_tags(_NO_TEXT)
    for line_break in tree.css("br"):
        line_break.replace_with(" ")
    for node in tree.css(_ROLES):
        if node.tag not in ("html", "body"):
            node.decompose()
    with_marked = list(_lines(_root(tree)))
    for node in tree.css(_MARKED):
        if _beside(node):
            node.decompose()
    return list(_lines(_root(tree))) or with_marked


def _root(tree: LexborHTMLParser) -> LexborNode | None:
    """The element that holds the article: of several the one with most text, for the others are teasers."""
    for selector in ("article", '[itemprop="articleBody"]', 'main, [role="main"]'):
        if found := tree.css(selector):
            return max(found, key=lambda node: len(node.text()))
    return tree.body


def _beside(node: LexborNode) -> bool:
    named = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}".lower()
    if not any(_BESIDE.fullmatch(word) for word in re.split(r"[^a-z]+", named)):
        return False
    return node.css_first('article, main, [itemprop="articleBody"]') is None


def _lines(root: LexborNode | None) -> Iterator[str]:
    if root is None:
        return
    blocks = root.css(_BLOCKS)
    leaves = [node for node, after in zip_longest(blocks, blocks[1:]) if not _within(after, node)]
    lines = [line for node in leaves if (line := collapse(node.text())) and not _links(node, line)]
    yield from lines or filter(None, [collapse(root.text(separator=" "))])


def _within(node: LexborNode | None, outer: LexborNode) -> bool:
    """True if the node lies inside the other, at most so deep that a hostile page costs no time."""
    for _ in range(_DEEP):
        node = node.parent if node is not None else None
        if node is None:
            return False
        if node.mem_id == outer.mem_id:
            return True
    return False


def _links(node: LexborNode, line: str) -> bool:
    linked = sum(len(collapse(link.text())) for link in node.css("a"))
    return linked > _LINKS * len(line) and (node.tag in ("li", "td") or len(line) < 100)


def _published(tree: LexborHTMLParser, path: str) -> datetime | None:
    for selector in _PUBLISHED:
        node = tree.css_first(selector)
        if node is not None and node.attributes.get("content"):
            return moment(str(node.attributes["content"]), path)
    node = tree.css_first("time[datetime]")
    return moment(str(node.attributes["datetime"]), path) if node is not None else None


def _fields(tree: LexborHTMLParser) -> dict[str, str]:
    asked = (
        ("url", 'link[rel="canonical"]', "href"),
        ("author", 'meta[name="author"]', "content"),
    )
    found = ((name, tree.css_first(selector), attribute) for name, selector, attribute in asked)
    fields = {name: collapse(node.attributes.get(attribute) or "") for name, node, attribute in found if node}
    return {name: text for name, text in fields.items() if text}
