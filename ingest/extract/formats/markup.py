"""Markup is XML and HTML as sources bring it: parsing without a network, element paths, and the text of a page.

A path is `/name[i]/name[i]...`: the i-th child of that local name, 1-based and always written, so that it needs no
namespaces and is found by counting children. The text of an element is its whole content with white space collapsed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree, html

from ingest.clean import decode
from kg.errors import RecordError

_BLOCKS = (
    "address article aside blockquote body br caption center dd div dl dt footer form h1 h2 h3 h4 h5 h6 header hr html"
    " li main nav ol p pre section table title tr ul"
)
BLOCKS = frozenset(_BLOCKS.split())
"""Elements whose text starts a line of its own."""
CELLS = frozenset(("td", "th"))
HIDDEN = frozenset(("script", "style", "ix:header", "noscript", "template"))
"""Elements whose content is not text of the page."""
_STEP = re.compile(r"([\w.-]+)\[(\d+)\]")


def local(element: etree._Element) -> str:
    """Name of an element without its namespace; "" for comments and processing instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


@lru_cache(maxsize=4)
def parse(content: bytes) -> etree._Element:
    """Root element of an XML document; RecordError if there is none. Entities and the network are off."""
    parser = etree.XMLParser(recover=True, huge_tree=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(content.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise RecordError(f"the XML cannot be read: {error}; expected one well-formed document") from error
    if root is None:
        raise RecordError("the XML holds no element; expected one well-formed document")
    return root


def inner(element: etree._Element) -> str:
    """All text inside an element, pieces parted by a blank, white space collapsed."""
    pieces = (str(piece) for piece in element.itertext(tag=etree.Element))
    return " ".join(" ".join(pieces).split()) if len(element) else " ".join((element.text or "").split())


class Paths:
    """Paths of the elements of one document; sibling counts are made once per parent."""

    def __init__(self) -> None:
        self._steps: dict[etree._Element, dict[etree._Element, str]] = {}

    def of(self, element: etree._Element) -> str:
        """The path that `find` reads back."""
        steps: list[str] = []
        while (parent := element.getparent()) is not None:
            if parent not in self._steps:
                self._steps[parent] = _count(parent)
            steps.append(self._steps[parent][element])
            element = parent
        return "/" + "/".join([f"{local(element)}[1]", *reversed(steps)])


def _count(parent: etree._Element) -> dict[etree._Element, str]:
    seen: dict[str, int] = {}
    steps: dict[etree._Element, str] = {}
    for child in parent:
        name = local(child)
        seen[name] = seen.get(name, 0) + 1
        steps[child] = f"{name}[{seen[name]}]"
    return steps


def find(root: etree._Element, path: str) -> etree._Element:
    """The element at a path made by Paths; RecordError if there is none."""
    steps = path.strip("/").split("/")
    element = root
    for step in steps[1:]:
        match = _STEP.fullmatch(step)
        children = [child for child in element if match and local(child) == match[1]]
        if match is None or len(children) < int(match[2]):
            raise RecordError(f"no element at {path}: step {step!r} leads nowhere")
        element = children[int(match[2]) - 1]
    return element


@lru_cache(maxsize=4)
def page_text(content: bytes) -> str:
    """Text of an HTML page: one line per block, white space collapsed, cells of a row parted by a blank."""
    try:
        root = html.document_fromstring(
            decode(content)[0].encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=True)
        )
    except (etree.ParserError, ValueError) as error:
        raise RecordError(f"the HTML cannot be read: {error}") from error
    lines = (" ".join(line.split()) for line in "".join(_pieces(root)).split("\x00"))
    return "\n".join(line for line in lines if line)


def _pieces(root: etree._Element) -> list[str]:
    pieces: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        tag = element.tag
        gap = "\x00" if tag in BLOCKS else " " if tag in CELLS else ""
        if event == "start":
            if tag in HIDDEN:
                walk.skip_subtree()
            else:
                pieces.append(gap + (element.text or ""))
        else:
            pieces.append(gap + (element.tail or ""))
    return pieces
