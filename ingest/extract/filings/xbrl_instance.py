"""Facts of an XBRL instance document: the XML that filings carried beside their pages before inline XBRL (EX-101.INS).

A fact is an element of a taxonomy with a context; a number has a unit and stands in full, without scale or format.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from lxml import etree

from ingest.extract.filings.xbrl import (
    LONGEST_TEXT,
    NIL,
    Fact,
    Facts,
    Said,
    collected,
    context_of,
    precision_of,
    unit_of,
)
from ingest.extract.formats.markup import Paths, inner, local
from kg.errors import RecordError


def read_instance(root: etree._Element) -> Facts:
    """Facts of an instance, by the rules of inline XBRL: the most precise of several, no long texts."""
    return collected(root, _tagged(root), _fact)


def _tagged(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    for element in root:
        if isinstance(element.tag, str) and element.get("contextRef") is not None:
            yield element, f"{element.prefix}:{local(element)}" if element.prefix else local(element)


def _fact(element: etree._Element, concept: str, said: Said, paths: Paths) -> Fact | None:
    if element.get(NIL) == "true":
        return None
    context, text = context_of(element, concept, said), inner(element)
    if element.get("unitRef") is None:
        markup = text.startswith("<")  # a note as escaped HTML
        return (
            None
            if not text or markup or len(text) > LONGEST_TEXT
            else Fact(concept, context, text, "", 99, paths.of(element), text)
        )
    unit = unit_of(element, concept, said)
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise RecordError(f"{concept}: {text!r} is no number") from error
    return Fact(concept, context, value, unit, precision_of(element), paths.of(element), text)
