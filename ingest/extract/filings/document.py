"""A document is one page, text or XML of a filing: what kind it is, its tagged facts, its cover and its opening."""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

from ingest.extract.filings import cover as covers
from ingest.extract.filings.filing import TEXT_LENGTH, Cover, Spot
from ingest.extract.filings.ownership import Ownership
from ingest.extract.filings.xbrl import Facts, read_facts
from ingest.extract.filings.xbrl_instance import read_instance
from ingest.extract.formats.markup import local, parse
from ingest.locate import is_page, text_of

ROOTS = ("ownershipDocument", "edgarSubmission", "informationTable", "proxyVoteTable", "xbrl")
"""Root elements of the SEC's XML forms, and of an XBRL instance."""
_ROOT = re.compile(rf"<(?:[\w.-]+:)?(?:{'|'.join(ROOTS)})[\s>]".encode())


def is_tagged(content: bytes) -> bool:
    """True for a page with inline XBRL."""
    return b"ix:nonFraction" in content or b"ix:nonNumeric" in content


def is_form(content: bytes) -> bool:
    """True for XML that opens with one of these elements."""
    return _ROOT.search(content[:5000]) is not None


def xml_root(content: bytes) -> etree._Element | None:
    """Root of a document in XML that is a form of the SEC."""
    head = content[:3000].lstrip()
    if not head.startswith(b"<") or is_page(content):
        return None
    root = parse(content)
    return root if local(root) in ROOTS else None


@lru_cache(maxsize=2)
def tagged_facts(content: bytes) -> Facts:
    """Facts of a tagged page or of an instance: the cover asks for them first, the content after it."""
    root = parse(content)
    return read_instance(root) if local(root) == "xbrl" else read_facts(root)


def is_viewer(content: bytes) -> bool:
    """True for an `R` page of EDGAR's viewer, which shows one statement or note as a table."""
    return b'class="report"' in content[:20_000]


def cover_of(content: bytes) -> Cover:
    """Cover of one document, by its kind."""
    root = xml_root(content)
    if root is not None:
        if local(root) in ("informationTable", "proxyVoteTable"):
            return Cover()
        if local(root) == "xbrl":
            return covers.of_facts(tagged_facts(content))
        return Ownership(root).cover() if local(root) == "ownershipDocument" else covers.of_xml(root)
    text = covers.of_text(text_of(content))
    if not is_tagged(content):
        return text
    tagged = covers.of_facts(tagged_facts(content))
    tagged.published = text.published
    if not tagged.parties:
        tagged.parties = text.parties
    tagged.form = tagged.form or text.form
    tagged.period = tagged.period or text.period
    return tagged


def opening(content: bytes) -> Spot | None:
    """The first part of a page's text; XML has none."""
    if xml_root(content) is not None:
        return None
    quote = text_of(content)[:TEXT_LENGTH]
    return Spot(f"chars:0-{len(quote)}", quote)
